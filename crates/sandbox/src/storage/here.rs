//! Where a relative path begins: at the workspace. WASI knows no current folder, and the libraries of
//! guests make `data/x` and `/data/x` the same path from an opened directory. So it is decided here,
//! by the rules and by what the guest may see, which of both a path without a root is. The host's
//! disk must have no say in it beyond that: the name in a refusal would tell what is there.

use std::collections::VecDeque;
use std::sync::PoisonError;

use rustix::fs::FileType;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wassette_policy::Access;

use super::disk;
use super::handle::Handle;
use super::rules::Segments;
use super::session::{Session, Sight};

/// The name of the workspace at which relative paths begin.
const WORKSPACE: &str = "workspace";

/// What stands at the root of the systems that we run on: a path that begins so is taken for an
/// absolute one, unless the workspace is seen to have an entry of that name.
const SYSTEM: [&str; 29] = [
    "Applications",
    "Library",
    "System",
    "Users",
    "Volumes",
    "bin",
    "boot",
    "cores",
    "dev",
    "etc",
    "home",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "media",
    "mnt",
    "nix",
    "opt",
    "private",
    "proc",
    "root",
    "run",
    "sbin",
    "srv",
    "sys",
    "tmp",
    "usr",
    "var",
];

/// Those of them that programs use of their own accord, wherever they find themselves.
const USED_UNASKED: [&str; 8] = ["dev", "etc", "proc", "root", "run", "sys", "tmp", "usr"];

/// Whether a path that begins with `name` is taken for one from the root rather than a relative one.
pub fn is_of_the_system(name: &str) -> bool {
    SYSTEM.contains(&name)
}

/// The folders where Python looks for its modules, as componentize-py builds it in: at each import,
/// whatever the component does.
const RUNTIMES: [&str; 3] = ["bundled", "python", "world"];

impl Session {
    /// Whether there is a folder in which relative paths begin.
    pub(super) fn has_here(&self) -> bool {
        self.grants_of_call().knows_workspace(WORKSPACE)
    }

    /// The folder in which a relative path begins, as the guest knows it.
    pub(super) fn here(&self) -> Segments {
        if self.has_here() { vec![WORKSPACE.to_owned()] } else { Segments::new() }
    }

    /// The folder that a guest finds itself in: where nothing of the workspace was granted, the top, so
    /// that it can look for what was.
    pub(super) fn current(&self) -> Segments {
        let here = self.here();
        if self.is_shell(&here) { here } else { Segments::new() }
    }

    /// Where `parts` begin, which may be a path from `/` or a relative one.
    pub(super) fn start(&self, parts: &VecDeque<String>) -> Segments {
        let (top, here) = (Segments::new(), self.here());
        let Some(first) = parts.front().filter(|first| !matches!(first.as_str(), "." | ".."))
        else {
            return top;
        };
        let is_named = self.grants_of_call().knows_workspace(first);
        if is_named || self.door_ahead(&top, parts).is_some() {
            return top;
        }
        // Something that was granted lies there, other than by way of the whole workspace.
        let below = |shown: &Segments| *shown != here;
        if self.door_ahead(&here, parts).is_some_and(|door| below(&door.root.shown)) {
            return here;
        }
        let is_system = is_of_the_system(first) || self.is_shell(std::slice::from_ref(first));
        let is_here = self.is_seen_here(first) || self.may_be_made_here(first);
        if is_system && !is_here { top } else { here }
    }

    /// Whether the guest may make an entry `name` in the workspace, and is likely to mean that: a project
    /// has a `lib` and a `bin` of its own.
    fn may_be_made_here(&self, name: &str) -> bool {
        if USED_UNASKED.contains(&name) {
            return false;
        }
        let Handle::Directory(directory) = self.itself(&Handle::Here) else { return false };
        let at: Segments = directory.at.iter().cloned().chain([name.to_owned()]).collect();
        self.allows(&at, Access::Write)
    }

    /// Whether the guest may know that the workspace has an entry `name`.
    fn is_seen_here(&self, name: &str) -> bool {
        let Handle::Directory(directory) = self.itself(&Handle::Here) else { return false };
        let at: Segments = directory.at.iter().cloned().chain([name.to_owned()]).collect();
        let sight = self.sight(&at);
        if sight == Sight::Nothing {
            return false;
        }
        let facts = directory.held(self).ok().and_then(|held| disk::facts_at(&held, name).ok());
        facts.is_some_and(|facts| sight == Sight::Whole || facts.kind == FileType::Directory)
    }

    /// Refuses `path` if it is one of the folders where a runtime looks for its modules of its own
    /// accord and nothing there may be seen: to look at one, and to list it right after. That is recorded
    /// as anything else, but not told: at each import five refusals would bury the one that matters, and
    /// nobody can grant what is not there.
    ///
    /// It is decided by the name and by what the guest has asked before. Were it asked whether the
    /// folder exists, what a model is told would say so, of places that the component may not see; a
    /// component could ask for names in turn. Who really has such a folder loses little: to list it
    /// without a look before, and to use whatever lies in it, is told.
    pub(super) fn refuse_probe(
        &self,
        base: &Handle,
        path: &str,
        is_list: bool,
    ) -> Option<ErrorCode> {
        let shown = self.probed(base, path)?;
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        if is_list {
            if !probes.remove(&shown) {
                return None;
            }
        } else {
            probes.insert(shown.clone());
        }
        Some(self.refuse_untold(&shown, Access::Read))
    }

    /// The folder of a runtime that `path` names, if nothing there may be seen.
    fn probed(&self, base: &Handle, path: &str) -> Option<Segments> {
        let is_top = match base {
            Handle::Here => true,
            Handle::Shell(shell) => shell.is_empty(),
            Handle::Directory(_) | Handle::File(_) => false,
        };
        let name = path.trim_end_matches('/');
        let is_known = RUNTIMES.contains(&name)
            || (1..=2).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_digit());
        if !is_top || !is_known {
            return None;
        }
        let parts = VecDeque::from([name.to_owned()]);
        let shown: Segments = self.start(&parts).into_iter().chain(parts.iter().cloned()).collect();
        let is_open = self.is_shell(&shown)
            || self.door_ahead(&shown, &VecDeque::new()).is_some_and(|door| {
                let below = shown.iter().skip(door.root.shown.len());
                let at: Segments = door.root.at.iter().chain(below).cloned().collect();
                self.sight(&at) != Sight::Nothing
            });
        (!is_open).then_some(shown)
    }
}
