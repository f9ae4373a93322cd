//! Files: the one way from a guest to the disk. This is `wasi:filesystem` itself, in place of
//! `wasmtime-wasi`'s, so there is no second way that could forget to ask.
//!
//! Rules become places on this machine when they are granted ([`Grants`]). A call holds its roots as
//! descriptors; from there each path is walked one name at a time, links are followed by ourselves,
//! and the canonical path at the end is what the rules judge, at each use. Nothing in here may open a
//! path by its text, follow a link that was not judged, or tell a guest of a place that it may not see
//! whether anything is there.

mod change;
mod descriptors;
mod disk;
mod explain;
mod files;
mod forbidden;
mod grants;
mod handle;
mod here;
mod host;
mod listing;
mod overlay;
mod place;
mod rules;
mod session;
mod streams;
mod walk;

use std::sync::Arc;

use wasmtime::component::Linker;
use wasmtime_wasi::p2::bindings::filesystem::{preopens, types};

pub use self::forbidden::Forbidden;
pub use self::grants::{Ceiling, Grants, Resolution};
pub use self::here::is_of_the_system;
use self::host::{Storage, View};
pub use self::overlay::{Manner, Overlay, OverlayLimits};
pub use self::place::{Pin, Pins, Problem, Stand, Workspace, Workspaces};
use self::session::Session;
use crate::authority::Authority;
use crate::effects::Effects;
use crate::sandbox::Sandbox;

/// The files of one call. Nothing is opened before the guest uses it.
pub(crate) struct Files(Arc<Session>);

impl Files {
    pub(crate) fn new(authority: Arc<Authority>, effects: Effects) -> Self {
        let grants = authority.storage.clone();
        Self(Arc::new(Session::new(grants, Some(authority), effects)))
    }

    /// The folder in which relative paths begin, as the guest knows it, if there is one.
    pub(crate) fn current_folder(&self) -> Option<String> {
        self.0.has_here().then(|| rules::path(&self.0.here()))
    }
}

fn view(sandbox: &mut Sandbox) -> View<'_> {
    View { session: &sandbox.files.0, table: &mut sandbox.table }
}

/// Puts our `wasi:filesystem` in the place of `wasmtime-wasi`'s, which must not stay reachable.
pub(crate) fn add_to_linker(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    types::add_to_linker::<Sandbox, Storage>(linker, view)?;
    preopens::add_to_linker::<Sandbox, Storage>(linker, view)
}

#[cfg(test)]
mod tests;
