//! A private copy of what a component may use of the disk, for calls whose effects are to be seen
//! and not to happen. A guest in it finds the same paths, and each is judged as on the disk; only
//! what is held in the end lies in a folder of ours.
//!
//! A directory is copied when a guest enters it, a file when it opens one, so what nobody looks at
//! costs nothing. Nothing here may write outside the folder, or copy what the rules do not allow, or
//! what is open to no component, or more than the bounds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, Permissions};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;
use tempfile::TempDir;
use wassette_policy::Access;

use super::descriptors::Held;
use super::disk::{self, Facts, Id};
use super::grants::Root;
use super::rules::{Segments, path};
use super::session::{Session, Sight};

/// More different uses than these are not remembered.
const USES: usize = 10_000;
/// More places than these are not named of which there is no copy.
const SHORT: usize = 20;

/// How much an [`Overlay`] takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverlayLimits {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Files, directories and links together.
    pub entries: usize,
    /// Bytes that guests write, those that are gone again included.
    pub written: u64,
}

impl Default for OverlayLimits {
    /// 64 MiB in 10 000 entries, and 128 MiB that are written.
    fn default() -> Self {
        Self { bytes: 64 << 20, entries: 10_000, written: 128 << 20 }
    }
}

/// How a guest used a path that it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manner {
    /// It asked what is there. The way to something that it may use it may look at in any case.
    Look,
    /// It read, listed, wrote or changed it.
    Use,
}

/// A private copy of what a component may use of the disk. Clones are one; with the last of them it
/// is removed, or before by [`Overlay::remove`].
#[derive(Clone)]
pub struct Overlay(Arc<Copied>);

struct Copied {
    /// Where files lie at their canonical paths.
    tree: OwnedFd,
    /// Where second names lie, for files that have several.
    names: OwnedFd,
    /// The folder that holds both, which no guest may find in the copy.
    own: Id,
    limits: OverlayLimits,
    state: Mutex<State>,
    /// Removes all of it in the end; none where it was removed.
    folder: Mutex<Option<TempDir>>,
}

#[derive(Default)]
struct State {
    /// What stands in the copy and has not been copied yet, by its identity there.
    waiting: HashMap<Id, Original>,
    /// The directories that were copied, by their identity there.
    begun: HashSet<Id>,
    bytes: u64,
    entries: usize,
    written: u64,
    /// Places of which there is no copy, and why.
    short: BTreeMap<String, String>,
    uses: BTreeMap<(String, Access), Manner>,
}

/// What a copy is made from.
#[derive(Clone)]
struct Original {
    at: Segments,
    facts: Facts,
}

impl Overlay {
    /// An empty copy, in a new folder among the system's temporary ones that only this user may
    /// enter. It takes at most what `limits` say.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(limits: OverlayLimits) -> io::Result<Self> {
        let private = Permissions::from_mode(0o700);
        let folder =
            tempfile::Builder::new().prefix("wassette-learn-").permissions(private).tempdir()?;
        let held = OwnedFd::from(File::open(folder.path())?);
        let part = |name| -> Result<OwnedFd, Errno> {
            rustix::fs::mkdirat(&held, name, Mode::RWXU)?;
            disk::directory_at(&held, name)
        };
        let copied = Copied {
            tree: part("tree")?,
            names: part("names")?,
            own: disk::facts(&held)?.id,
            limits,
            state: Mutex::default(),
            folder: Mutex::new(Some(folder)),
        };
        Ok(Self(Arc::new(copied)))
    }

    /// Removes the copy now. A guest that still works on it finds nothing there any more.
    pub fn remove(&self) {
        let folder = self.0.folder.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(folder) = folder.map(TempDir::keep) else { return };
        // Such a guest may have made something meanwhile.
        let is_removed = (0..5).any(|_| std::fs::remove_dir_all(&folder).is_ok());
        if !is_removed {
            tracing::warn!(folder = %folder.display(), "a private copy of files cannot be removed");
        }
    }

    /// Where the copy lies.
    #[cfg(test)]
    pub(super) fn folder(&self) -> std::path::PathBuf {
        self.0.folder.lock().unwrap().as_ref().unwrap().path().to_path_buf()
    }

    /// What guests used of what they may use: a path as a rule spells it, the access, and how.
    pub fn uses(&self) -> Vec<(String, Access, Manner)> {
        let state = self.state();
        state.uses.iter().map(|((uri, access), manner)| (uri.clone(), *access, *manner)).collect()
    }

    /// For what there was no room in the copy, a sentence each.
    pub fn shortages(&self) -> Vec<String> {
        let state = self.state();
        let places = state.short.iter().map(|(place, why)| format!("`{place}` {why}"));
        let most = self.0.limits.written;
        let full = (state.written > most)
            .then(|| format!("no more than {most} bytes are written to the copy of all files"));
        places.chain(full).collect()
    }

    /// Takes what a guest is about to write from what all may write.
    pub(super) fn write(&self, bytes: u64) -> Result<(), Errno> {
        let mut state = self.state();
        state.written = state.written.saturating_add(bytes);
        if state.written > self.0.limits.written { Err(Errno::DQUOT) } else { Ok(()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A guest used, or looked at, what it knows as `uri`.
    pub(super) fn used(&self, uri: String, access: Access, manner: Manner) {
        let mut state = self.state();
        let key = (uri, access);
        if state.uses.len() < USES || state.uses.contains_key(&key) {
            let known = state.uses.entry(key).or_insert(manner);
            *known = manner.max(*known);
        }
    }

    /// The copy of the directory of a root.
    pub(super) fn root(&self, root: &Root, session: &Session) -> Result<Arc<Held>, Errno> {
        let mut held = Held::new(|| disk::reopened(&self.0.tree))?;
        let mut is_new = false;
        for name in &root.at {
            is_new = match rustix::fs::mkdirat(&held, name, Mode::RWXU) {
                Ok(()) => true,
                Err(Errno::EXIST) => false,
                Err(errno) => return Err(errno),
            };
            held = Held::new(|| disk::directory_at(&held, name))?;
        }
        let id = disk::facts(&held)?.id;
        let facts = disk::facts(disk::directory(&root.at)?)?;
        let mut state = self.state();
        if is_new || !state.begun.contains(&id) {
            let original = Original { at: root.at.clone(), facts };
            state.waiting.entry(id).or_insert(original);
        }
        drop(state);
        self.enter(&held, session)?;
        Ok(held)
    }

    /// Copies what a guest may see of the entries of a directory, if that has not been done.
    pub(super) fn enter(&self, held: &Held, session: &Session) -> Result<(), Errno> {
        let id = disk::facts(held)?.id;
        // Until the end: nobody is to find half a directory.
        let mut state = self.state();
        let Some(original) = state.waiting.remove(&id) else { return Ok(()) };
        state.begun.insert(id);
        let copied = self.copy_entries(&mut state, held, &original, session);
        if copied.is_err() {
            state.waiting.insert(id, original);
        }
        copied
    }

    fn copy_entries(
        &self,
        state: &mut State,
        held: &Held,
        original: &Original,
        session: &Session,
    ) -> Result<(), Errno> {
        let real = disk::directory(&original.at)?;
        if disk::facts(&real)?.id != original.facts.id {
            return Err(Errno::NOENT);
        }
        for entry in Dir::new(disk::reopened(&real)?)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            let mut at = original.at.clone();
            at.push(name.to_owned());
            let sight = session.sight(&at);
            if matches!(name, "." | "..") || sight == Sight::Nothing {
                continue;
            }
            let Ok(facts) = disk::facts_at(&real, name) else { continue };
            // On the way to something there are directories, and links that may lead there.
            if sight == Sight::Passage && facts.kind == FileType::RegularFile {
                continue;
            }
            if session.forbids(&facts) || facts.id == self.0.own {
                continue;
            }
            if state.entries >= self.0.limits.entries {
                let why = format!(
                    "is not copied: there would be more than {} entries",
                    self.0.limits.entries
                );
                state.lacks(&original.at, why);
                return Err(Errno::ACCESS);
            }
            let original = Original { at, facts };
            match self.place(state, held, &real, name, original.clone()) {
                Ok(()) => {}
                Err(Errno::EXIST) => state.passed(&disk::facts_at(held, name)?, original),
                Err(errno) => return Err(errno),
            }
            state.entries += 1;
        }
        Ok(())
    }

    /// Puts something into the copy that stands for `original`, which is the entry `name` of `real`.
    fn place(
        &self,
        state: &mut State,
        held: &Held,
        real: &OwnedFd,
        name: &str,
        original: Original,
    ) -> Result<(), Errno> {
        let facts = original.facts;
        match facts.kind {
            FileType::Directory => rustix::fs::mkdirat(held, name, Mode::RWXU)?,
            FileType::RegularFile => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                let file = rustix::fs::openat(held, name, flags, Mode::RUSR | Mode::WUSR)?;
                // It takes no room yet and looks as if it had all of it, if a file here can.
                let _ = rustix::fs::ftruncate(&file, facts.size);
                rustix::fs::futimens(&file, &times(&facts))?;
                if facts.links > 1 {
                    let id = disk::facts(&file)?.id;
                    let second = format!("{}-{}", id.device, id.inode);
                    rustix::fs::linkat(held, name, &self.0.names, second, AtFlags::empty())?;
                }
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(real, name, vec![])?;
                return rustix::fs::symlinkat(target, held, name);
            }
            // A guest is refused it on the disk, and finds nothing here.
            _ => return Ok(()),
        }
        state.waiting.insert(disk::facts_at(held, name)?.id, original);
        Ok(())
    }

    /// Copies the content of the file `name`, if that has not been done; `empty` says that nobody
    /// will see it.
    pub(super) fn fill(&self, held: &Held, name: &str, id: Id, empty: bool) -> Result<(), Errno> {
        let mut state = self.state();
        let Some(original) = state.waiting.remove(&id) else { return Ok(()) };
        if empty {
            return Ok(());
        }
        let copied = self.copy_file(&mut state, held, name, id, &original);
        if copied.is_err() {
            state.waiting.insert(id, original);
        }
        copied
    }

    fn copy_file(
        &self,
        state: &mut State,
        held: &Held,
        name: &str,
        id: Id,
        original: &Original,
    ) -> Result<(), Errno> {
        let (last, above) = original.at.split_last().ok_or(Errno::NOENT)?;
        let real = disk::directory(above)?;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let from = rustix::fs::openat(&real, last, OFlags::RDONLY | flags, Mode::empty())?;
        let now = disk::facts(&from)?;
        if now.id != original.facts.id || now.kind != FileType::RegularFile {
            return Err(Errno::NOENT);
        }
        let room = self.0.limits.bytes.saturating_sub(state.bytes);
        if now.size > room {
            let most = self.0.limits.bytes;
            let why = format!("is not copied: there would be more than {most} bytes of copies");
            state.lacks(&original.at, why);
            return Err(Errno::ACCESS);
        }
        let to = rustix::fs::openat(held, name, OFlags::WRONLY | flags, Mode::empty())?;
        if disk::facts(&to)?.id != id {
            return Err(Errno::NOENT);
        }
        let mut from = File::from(from).take(now.size);
        let mut to = File::from(to);
        // Not more than it had when the room was measured, even if it grows.
        let copied = io::copy(&mut from, &mut to)
            .map_err(|error| error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error))?;
        state.bytes = state.bytes.saturating_add(copied);
        rustix::fs::ftruncate(&to, copied)?;
        rustix::fs::futimens(&to, &times(&now))
    }

    /// A guest made a file or a directory of its own: it is not to be taken for a copy that had the
    /// same identity and is gone.
    pub(super) fn created(&self, id: Id) {
        let mut state = self.state();
        state.waiting.remove(&id);
        state.begun.insert(id);
    }
}

impl State {
    /// Something stands already where `original` is to be copied: from an attempt before, the
    /// guest's own, or a directory on the way to another root, into which nothing was copied yet.
    fn passed(&mut self, there: &Facts, original: Original) {
        let is_way = there.kind == FileType::Directory && original.facts.kind == there.kind;
        if is_way && !self.begun.contains(&there.id) {
            self.waiting.entry(there.id).or_insert(original);
        }
    }

    fn lacks(&mut self, at: &[String], why: String) {
        if self.short.len() < SHORT {
            self.short.insert(path(at), why);
        }
    }
}

/// When a file was read and changed.
fn times(facts: &Facts) -> Timestamps {
    let [last_access, last_modification, _] = facts
        .times
        .map(|(seconds, nanoseconds)| Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() });
    Timestamps { last_access, last_modification }
}
