//! What a guest sees in a directory: only entries that it may read, and directories that lead to
//! something that it may use. Read a part at a time, so that no directory is too large.

use std::collections::VecDeque;
use std::sync::Arc;

use rustix::fs::{Dir, FileType};
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wassette_policy::Access;

use super::descriptors::{self, Token};
use super::disk::{self, Answer, code};
use super::handle::{Directory, Handle};
use super::session::{Session, Sight};

/// How many entries are read before one is handed out.
const PART: usize = 256;

/// One visible entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: FileType,
}

/// A directory that is being read.
pub(super) struct Listing {
    ready: VecDeque<Entry>,
    rest: Option<Reading>,
}

struct Reading {
    directory: Arc<Directory>,
    entries: Dir,
    _token: Token,
}

impl Session {
    pub(super) fn list(&self, handle: &Handle) -> Answer<Listing> {
        match &self.itself(handle) {
            Handle::File(_) => Err(ErrorCode::NotDirectory),
            Handle::Here => Ok(Listing { ready: VecDeque::new(), rest: None }),
            Handle::Shell(shell) => {
                let entry = |name| Entry { name, kind: FileType::Directory };
                let ready = self.shell_names(shell).into_iter().map(entry).collect();
                Ok(Listing { ready, rest: None })
            }
            Handle::Directory(directory) => {
                // A directory on the way may be listed, for only the way is seen. One that may be
                // written and not read may not.
                if self.sight(&directory.at) != Sight::Passage {
                    self.permit(&directory.door, &directory.at, Access::Read)?;
                }
                let token = descriptors::take()?;
                let open = disk::reopened(directory.held(self)?).map_err(code)?;
                let entries = Dir::new(open).map_err(code)?;
                let rest = Some(Reading { directory: directory.clone(), entries, _token: token });
                Ok(Listing { ready: VecDeque::new(), rest })
            }
        }
    }

    /// The next entry, after reading on where none is left. Entries whose name is not UTF-8 are
    /// passed over: a guest could not name them.
    pub(super) fn next(&self, listing: &mut Listing) -> Answer<Option<Entry>> {
        while listing.ready.is_empty() {
            let Some(reading) = &mut listing.rest else { return Ok(None) };
            let directory = &reading.directory;
            if self.sight(&directory.at) != Sight::Passage {
                self.recheck(&directory.door, &directory.at, Access::Read)?;
            }
            for _ in 0..PART {
                let Some(entry) = reading.entries.read() else {
                    listing.rest = None;
                    break;
                };
                let entry = entry.map_err(code)?;
                let Ok(name) = entry.file_name().to_str() else { continue };
                if let Some(kind) = self.visible(directory, name, entry.file_type()) {
                    listing.ready.push_back(Entry { name: name.to_owned(), kind });
                }
            }
        }
        Ok(listing.ready.pop_front())
    }

    /// The kind of the entry `name`, if it may be seen.
    fn visible(&self, directory: &Directory, name: &str, kind: FileType) -> Option<FileType> {
        if matches!(name, "." | "..") {
            return None;
        }
        let mut at = directory.at.clone();
        at.push(name.to_owned());
        let readable = self.allows(&at, Access::Read);
        if !readable && self.sight(&at) == Sight::Nothing {
            return None;
        }
        let kind = match kind {
            FileType::Unknown => disk::facts_at(directory.held(self).ok()?, name).ok()?.kind,
            known => known,
        };
        (readable || kind == FileType::Directory).then_some(kind)
    }
}

impl Listing {
    /// Whether the next entry, or the end, is known without reading on.
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty() || self.rest.is_none()
    }
}
