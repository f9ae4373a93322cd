//! What a guest holds: a directory, a file, or a place above what was granted. Each knows its
//! canonical path, so that every use of it can be judged again.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::sync::Arc;

use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wassette_policy::Access;

use super::descriptors::{Held, Token};
use super::disk::Answer;
use super::rules::Segments;
use super::session::{Door, Session};
use super::walk::{Spot, parts};

/// A descriptor of a guest. Clones share it.
#[derive(Clone)]
pub(super) enum Handle {
    /// A directory above the roots, with its path as the guest knows it. It is not on the disk: it
    /// holds the way to the roots and nothing else.
    Shell(Arc<Segments>),
    Directory(Arc<Directory>),
    File(Arc<OpenFile>),
}

pub(super) struct Directory {
    pub(super) door: Arc<Door>,
    pub(super) at: Segments,
    /// None for a root, which is opened when it is first used.
    pub(super) held: Option<Arc<Held>>,
}

impl Directory {
    pub(super) fn root(door: Arc<Door>) -> Self {
        let at = door.root.at.clone();
        Self { door, at, held: None }
    }

    pub(super) fn held(&self, session: &Session) -> Answer<Arc<Held>> {
        match &self.held {
            Some(held) => Ok(held.clone()),
            None => session.open(&self.door),
        }
    }
}

pub(super) struct OpenFile {
    pub(super) door: Arc<Door>,
    pub(super) at: Segments,
    pub(super) file: Arc<File>,
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) _token: Token,
}

impl OpenFile {
    /// The file, to be read from.
    pub(super) fn to_read(&self, session: &Session) -> Answer<&Arc<File>> {
        if !self.read {
            return Err(ErrorCode::BadDescriptor);
        }
        session.recheck(&self.door, &self.at, Access::Read)?;
        Ok(&self.file)
    }

    /// The file, to be written to.
    pub(super) fn to_write(&self, session: &Session) -> Answer<&Arc<File>> {
        if !self.write {
            return Err(ErrorCode::BadDescriptor);
        }
        session.recheck(&self.door, &self.at, Access::Write)?;
        Ok(&self.file)
    }
}

/// What a path means, seen from a handle.
pub(super) enum Meant {
    Spot(Spot),
    Shell(Segments),
}

impl Session {
    /// What `path`, seen from `base`, means.
    pub(super) fn find(
        &self,
        base: &Handle,
        path: &str,
        follow: bool,
        access: Access,
    ) -> Answer<Meant> {
        let parts = parts(path)?;
        match base {
            Handle::File(_) => Err(ErrorCode::NotDirectory),
            Handle::Directory(directory) => {
                self.walk(directory, parts, follow, access).map(Meant::Spot)
            }
            Handle::Shell(shell) => self.find_from_shell(shell, parts, follow, access),
        }
    }

    /// The place on the disk that `path` means, if it means one.
    pub(super) fn spot(
        &self,
        base: &Handle,
        path: &str,
        follow: bool,
        access: Access,
    ) -> Answer<Spot> {
        match self.find(base, path, follow, access)? {
            Meant::Spot(spot) => Ok(spot),
            Meant::Shell(shell) => Err(self.refuse_unmatched(&shell, access)),
        }
    }

    fn find_from_shell(
        &self,
        shell: &Segments,
        mut parts: VecDeque<String>,
        follow: bool,
        access: Access,
    ) -> Answer<Meant> {
        let mut shown = shell.clone();
        loop {
            // As deep as names lead, into the innermost root; from there the disk decides.
            let ahead: Segments = shown
                .iter()
                .chain(parts.iter().take_while(|part| *part != ".."))
                .cloned()
                .collect();
            let doors = self.doors().iter();
            let inner = doors.filter(|door| ahead.starts_with(&door.root.shown));
            if let Some(door) = inner.max_by_key(|door| door.root.shown.len()) {
                let parts = parts.split_off(door.root.shown.len().saturating_sub(shown.len()));
                let root = Directory::root(door.clone());
                return self.walk(&root, parts, follow, access).map(Meant::Spot);
            }
            match parts.pop_front().as_deref() {
                None => break,
                Some(".") => {}
                Some("..") if shown.len() == shell.len() => return Err(ErrorCode::NotPermitted),
                Some("..") => drop(shown.pop()),
                Some(name) => {
                    shown.push(name.to_owned());
                    if !self.is_shell(&shown) {
                        shown.extend(parts.into_iter().filter(|part| part != "."));
                        return Err(self.refuse_unmatched(&shown, access));
                    }
                }
            }
        }
        Ok(Meant::Shell(shown))
    }

    fn is_shell(&self, shown: &Segments) -> bool {
        self.doors().iter().any(|door| door.root.shown.starts_with(shown))
    }

    /// The names in a directory above the roots.
    pub(super) fn shell_names(&self, shell: &Segments) -> Vec<String> {
        let next = |door: &Arc<Door>| {
            door.root.shown.strip_prefix(shell.as_slice())?.first().map(|name| (name.clone(), ()))
        };
        self.doors().iter().filter_map(next).collect::<BTreeMap<_, _>>().into_keys().collect()
    }
}
