//! Learning that the index changed, whoever changed it. Must never rely on the system's messages
//! alone: network file systems send none.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::layout::{INDEX, Layout};

/// How often the index file is looked at where no message arrives.
const POLL: Duration = Duration::from_millis(500);

/// Tells when the index changes.
///
/// [`changed`](Self::changed) may also report one change twice: the revision of the
/// [`Index`](crate::Index) tells whether there is something new.
#[derive(Debug)]
pub struct Watch {
    index: PathBuf,
    seen: Option<Stamp>,
    next_look: Option<Instant>,
    message: Arc<Notify>,
    _watcher: Option<RecommendedWatcher>,
}

/// What a replaced file cannot have in common with the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Watch {
    pub(crate) fn begin(layout: &Layout) -> Self {
        let message = Arc::new(Notify::new());
        let watcher = listen(layout.root(), message.clone())
            .inspect_err(|error| tracing::debug!(%error, "the store is only polled for changes"))
            .ok();
        let index = layout.index();
        let seen = stamp(&index);
        Self { index, seen, next_look: None, message, _watcher: watcher }
    }

    /// Waits until the index has changed since the last call, or since the watch began.
    ///
    /// Dropping the future loses nothing. It needs a Tokio runtime with time.
    pub async fn changed(&mut self) {
        loop {
            let look = *self.next_look.get_or_insert_with(|| Instant::now() + POLL);
            tokio::select! {
                () = self.message.notified() => {
                    self.seen = stamp(&self.index);
                    return;
                }
                () = tokio::time::sleep_until(look) => {}
            }
            self.next_look = None;
            let now = stamp(&self.index);
            if now != self.seen {
                self.seen = now;
                return;
            }
        }
    }
}

/// Has `message` sent whenever the system tells of a change to the index in `directory`.
fn listen(directory: &Path, message: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An error means that messages may have been lost.
        if event.map_or(true, |event| concerns_index(&event)) {
            message.notify_one();
        }
    })?;
    watcher.watch(directory, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

fn concerns_index(event: &Event) -> bool {
    // To read the index is not to change it, though the system tells of that too.
    !event.kind.is_access()
        && (event.need_rescan()
            || event.paths.iter().any(|path| path.file_name().is_some_and(|name| name == INDEX)))
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::symlink_metadata(path).ok()?;
    let modified = (metadata.mtime(), metadata.mtime_nsec());
    Some(Stamp { inode: metadata.ino(), size: metadata.size(), modified })
}

#[cfg(test)]
mod tests;
