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
use super::walk::{Reached, Spot, parts};

/// Why a path is refused that climbs out of the descriptor from which it begins.
const OUT: &str = "the path leads out of the directory that it was opened from";

/// A descriptor of a guest. Clones share it.
#[derive(Clone)]
pub(super) enum Handle {
    /// The folder in which a relative path begins: the workspace, granted or not.
    Here,
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

/// How far names alone lead from above the roots.
enum Descent {
    /// Into this root; the rest of the path is the disk's to say.
    Root(Arc<Door>, VecDeque<String>),
    /// To this place above the roots.
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
                match self.walk(directory, parts, follow, access)? {
                    Reached::Spot(spot) => Ok(Meant::Spot(spot)),
                    // What a guest has opened is the top of what it reaches by it, as WASI has it: it
                    // may have been given to somebody who is to have no more.
                    Reached::Above(_) if directory.held.is_some() => {
                        self.refuse_at(&directory.door, &directory.at, access, OUT);
                        Err(ErrorCode::NotPermitted)
                    }
                    Reached::Above(rest) => {
                        let above = above(&directory.door.root.shown);
                        self.find_from_shell(above, 0, rest, follow, access)
                    }
                }
            }
            Handle::Here => {
                let start = match parts.front().map(String::as_str) {
                    None | Some("." | "..") => self.current(),
                    Some(_) => self.start(&parts),
                };
                self.find_from_shell(start, 0, parts, follow, access)
            }
            Handle::Shell(shell) if shell.is_empty() => {
                let start = self.start(&parts);
                self.find_from_shell(start, 0, parts, follow, access)
            }
            Handle::Shell(shell) => {
                self.find_from_shell(shell.to_vec(), shell.len(), parts, follow, access)
            }
        }
    }

    /// What `path`, seen from the top of what rules speak of, means: no relative path.
    pub(super) fn find_absolute(&self, path: &str, follow: bool, access: Access) -> Answer<Meant> {
        self.find_from_shell(Segments::new(), 0, parts(path)?, follow, access)
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

    /// What `parts` mean, seen from `shown`. A path may climb out of one root and into another, but
    /// not above its first `top` names. It grows shorter with each turn.
    fn find_from_shell(
        &self,
        mut shown: Segments,
        top: usize,
        mut parts: VecDeque<String>,
        follow: bool,
        access: Access,
    ) -> Answer<Meant> {
        loop {
            let (door, rest) = match self.descend(shown, top, parts, access)? {
                Descent::Shell(shown) => return Ok(Meant::Shell(shown)),
                Descent::Root(door, rest) => (door, rest),
            };
            match self.walk(&Directory::root(door.clone()), rest, follow, access)? {
                Reached::Spot(spot) => return Ok(Meant::Spot(spot)),
                Reached::Above(rest) => {
                    shown = above(&door.root.shown);
                    if shown.len() < top {
                        return Err(self.refuse_out(&shown, access));
                    }
                    parts = rest;
                }
            }
        }
    }

    fn descend(
        &self,
        mut shown: Segments,
        top: usize,
        mut parts: VecDeque<String>,
        access: Access,
    ) -> Answer<Descent> {
        loop {
            // As deep as names lead, into the innermost root; from there the disk decides.
            if let Some(door) = self.door_ahead(&shown, &parts) {
                let root = door.root.shown.len();
                for name in shown.iter().skip(root).rev() {
                    parts.push_front(name.clone());
                }
                let rest = parts.split_off(root.saturating_sub(shown.len()));
                return Ok(Descent::Root(door.clone(), rest));
            }
            match parts.pop_front().as_deref() {
                None => return Ok(Descent::Shell(shown)),
                Some(".") => {}
                Some("..") if shown.len() > top => drop(shown.pop()),
                // Above the root is the root.
                Some("..") if top == 0 => {}
                Some("..") => return Err(self.refuse_out(&shown, access)),
                Some(name) => {
                    shown.push(name.to_owned());
                    if !self.is_shell(&shown) {
                        shown.extend(before_climbing(parts));
                        return Err(self.refuse_unmatched(&shown, access));
                    }
                }
            }
        }
    }

    /// The innermost root into which the names in front of `parts` lead from `shown`.
    pub(super) fn door_ahead(
        &self,
        shown: &[String],
        parts: &VecDeque<String>,
    ) -> Option<&Arc<Door>> {
        let ahead: Segments =
            shown.iter().chain(parts.iter().take_while(|part| *part != "..")).cloned().collect();
        let doors = self.doors().iter();
        let inner = doors.filter(|door| ahead.starts_with(&door.root.shown));
        inner.max_by_key(|door| door.root.shown.len())
    }

    fn refuse_out(&self, shown: &[String], access: Access) -> ErrorCode {
        self.refuse_fixed(shown, access, OUT);
        ErrorCode::NotPermitted
    }

    /// `handle`, or what it stands for.
    pub(super) fn itself(&self, handle: &Handle) -> Handle {
        let Handle::Here = handle else { return handle.clone() };
        let here = self.current();
        match self.doors().iter().find(|door| door.root.shown == here) {
            Some(door) => Handle::Directory(Arc::new(Directory::root(door.clone()))),
            None => Handle::Shell(Arc::new(here)),
        }
    }

    pub(super) fn is_shell(&self, shown: &[String]) -> bool {
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

fn above(shown: &Segments) -> Segments {
    shown.split_last().map(|(_, above)| above.to_vec()).unwrap_or_default()
}

/// What `parts` name before they first climb: only that is known without looking at the disk.
pub(super) fn before_climbing(
    parts: impl IntoIterator<Item = String>,
) -> impl Iterator<Item = String> {
    parts.into_iter().take_while(|part| part != "..").filter(|part| part != ".")
}
