//! Learning that the index, a policy or a secret changed, whoever changed it. Must never rely on the
//! system's messages alone: network file systems send none.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::durable;
use crate::layout::{INDEX, Layout, POLICIES, SECRETS};

/// How often the files are looked at where no message arrives.
const POLL: Duration = Duration::from_millis(500);

/// Tells when the index, a policy or a secret changes.
///
/// [`changed`](Self::changed) may also report one change twice: the revision of the
/// [`Index`](crate::Index) tells whether there is something new in it. A policy or a secret that a
/// person edits leaves the revision as it is, so whoever uses those reads them again.
#[derive(Debug)]
pub struct Watch {
    index: PathBuf,
    folders: [Folder; 2],
    seen: Seen,
    next_look: Option<Instant>,
    message: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
}

/// A directory that may be made after the watch has begun.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    is_watched: bool,
}

/// The files as they were when they were last looked at.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    index: Option<Stamp>,
    others: BTreeMap<PathBuf, Option<Stamp>>,
}

/// What a file that was replaced or changed cannot have in common with the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// When its mode or its owner changed, on which it depends whether a policy is used.
    changed: (i64, i64),
}

impl Watch {
    pub(crate) fn begin(layout: &Layout) -> Self {
        let message = Arc::new(Notify::new());
        let watcher = listen(layout.root(), message.clone())
            .inspect_err(|error| tracing::debug!(%error, "the store is only polled for changes"))
            .ok();
        let folders =
            [layout.policies(), layout.secrets()].map(|path| Folder { path, is_watched: false });
        let seen = Seen { index: None, others: BTreeMap::new() };
        let index = layout.index();
        let mut watch = Self { index, folders, seen, next_look: None, message, watcher };
        watch.watch_folders();
        watch.seen = watch.look();
        watch
    }

    /// Waits until something has changed since the last call, or since the watch began.
    ///
    /// Dropping the future loses nothing. It needs a Tokio runtime with time.
    pub async fn changed(&mut self) {
        loop {
            let look = *self.next_look.get_or_insert_with(|| Instant::now() + POLL);
            tokio::select! {
                () = self.message.notified() => {
                    self.watch_folders();
                    self.seen = self.look();
                    return;
                }
                () = tokio::time::sleep_until(look) => {}
            }
            self.next_look = None;
            self.watch_folders();
            let now = self.look();
            if now != self.seen {
                self.seen = now;
                return;
            }
        }
    }

    /// Has the system tell of the folders that have been made since.
    fn watch_folders(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        for folder in &mut self.folders {
            if !folder.is_watched && folder.path.is_dir() {
                // Where this fails the folder is polled, and this is tried again.
                folder.is_watched =
                    watcher.watch(&folder.path, RecursiveMode::NonRecursive).is_ok();
            }
        }
    }

    fn look(&self) -> Seen {
        let mut others = BTreeMap::new();
        for folder in &self.folders {
            for name in durable::file_names(&folder.path).unwrap_or_default() {
                let path = folder.path.join(name);
                if is_ours(&path) {
                    let stamp = stamp(&path);
                    others.insert(path, stamp);
                }
            }
        }
        Seen { index: stamp(&self.index), others }
    }
}

/// Has `message` sent whenever the system tells of a change in `directory`, or in those that the
/// watcher is given later.
fn listen(directory: &Path, message: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An error means that messages may have been lost.
        if event.map_or(true, |event| concerns_us(&event)) {
            message.notify_one();
        }
    })?;
    watcher.watch(directory, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

fn concerns_us(event: &Event) -> bool {
    // To read a file is not to change it, though the system tells of that too.
    !event.kind.is_access()
        && (event.need_rescan()
            || event.paths.iter().any(|path| {
                let name = path.file_name().unwrap_or_default();
                name == INDEX || name == POLICIES || name == SECRETS || is_ours(path)
            }))
}

/// Whether the file in one of the folders is one that is read: an editor lays others beside them.
fn is_ours(path: &Path) -> bool {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    let ending = path.extension().unwrap_or_default();
    (folder == POLICIES && (ending == "yaml" || ending == "json"))
        || (folder == SECRETS && ending == "json")
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::symlink_metadata(path).ok()?;
    let modified = (metadata.mtime(), metadata.mtime_nsec());
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    Some(Stamp { inode: metadata.ino(), size: metadata.size(), modified, changed })
}

#[cfg(test)]
mod tests;
