//! The places that no rule may open to a component: what Wassette keeps for itself, and the parts of
//! the file system that are windows into the kernel. A component that could write there could give
//! itself whatever it likes.
//!
//! A place is known by its canonical path and by the identity of its directory, so that another name
//! for it does not help.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::disk::{self, Id};
use super::place::canonical;
use super::rules::{Segments, path};

/// Forbidden on every machine.
const KERNEL: [&str; 4] = ["/proc", "/sys", "/dev", "/run"];

/// The places that no rule may open.
#[derive(Debug, Clone, Default)]
pub struct Forbidden {
    places: Vec<Segments>,
    /// The identities of the places.
    selves: HashSet<Id>,
    /// The identities of the directories above them.
    above: HashSet<Id>,
}

impl Forbidden {
    /// The kernel's directories and `own`: the store, the secrets, the configuration and its folder,
    /// the caches. They need not exist yet.
    pub fn new(own: &[PathBuf]) -> Self {
        let mut forbidden = Self::default();
        for place in KERNEL.iter().map(Path::new).chain(own.iter().map(PathBuf::as_path)) {
            forbidden.add(place);
        }
        forbidden
    }

    fn add(&mut self, place: &Path) {
        let Some(place) = canonical(place) else { return };
        for (depth, id) in chain(&place) {
            if depth == place.len() {
                self.selves.insert(id);
            } else {
                self.above.insert(id);
            }
        }
        self.places.push(place);
    }

    /// The identities of the places. A guest that comes upon one is not let in, by whatever name:
    /// what lies below a directory when a rule for it is resolved is not searched.
    pub(super) fn identities(&self) -> &HashSet<Id> {
        &self.selves
    }

    /// Why the canonical path `at` may not be opened by a rule, if it may not.
    pub(super) fn objection(&self, at: &Segments) -> Option<String> {
        for place in &self.places {
            if at.starts_with(place) {
                return Some(format!("`{}` is open to no component", path(place)));
            }
            if place.starts_with(at) {
                return Some(format!("`{}` lies in it and is open to no component", path(place)));
            }
        }
        for (depth, id) in chain(at) {
            if self.selves.contains(&id) || (depth == at.len() && self.above.contains(&id)) {
                return Some("it is another name of a place that is open to no component".into());
            }
        }
        None
    }
}

/// The identities of the directories on the way to `at`, each with its depth, as far as they exist.
fn chain(at: &Segments) -> Vec<(usize, Id)> {
    let mut ids = vec![];
    let Ok(mut held) = disk::directory(&[]) else { return ids };
    ids.extend(disk::facts(&held).ok().map(|facts| (0, facts.id)));
    for (depth, name) in (1..).zip(at) {
        // A pseudo file system cannot be held, but it can be looked at.
        ids.extend(disk::facts_at(&held, name).ok().map(|facts| (depth, facts.id)));
        match disk::directory_at(&held, name) {
            Ok(next) => held = next,
            Err(_) => break,
        }
    }
    ids
}
