//! How many files all guests together may hold open. The server needs descriptors too, for its
//! clients and its store, and a guest must not be able to take the last of them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use super::disk::Answer;

/// Half of what the process may have open.
static ALL: LazyLock<Descriptors> = LazyLock::new(|| {
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) / 2;
    Descriptors { most: usize::try_from(most).unwrap_or(usize::MAX), taken: AtomicUsize::new(0) }
});

struct Descriptors {
    most: usize,
    taken: AtomicUsize,
}

impl Descriptors {
    fn take(&'static self) -> Answer<Token> {
        let one_more = |taken: usize| taken.checked_add(1).filter(|taken| *taken <= self.most);
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .map(|_| Token(self))
            .map_err(|_| ErrorCode::InsufficientMemory)
    }
}

/// The place of one descriptor. Dropping it frees the place.
pub(super) struct Token(&'static Descriptors);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place for a descriptor that a guest is about to hold.
pub(super) fn take() -> Answer<Token> {
    ALL.take()
}

/// A directory that is held for a guest, be it only while a path is walked.
pub(super) struct Held {
    directory: OwnedFd,
    _token: Token,
}

impl Held {
    /// What `open` opens, if there is a place for it.
    pub(super) fn new(open: impl FnOnce() -> Result<OwnedFd, Errno>) -> Result<Arc<Self>, Errno> {
        Self::of(&ALL, open)
    }

    fn of(
        all: &'static Descriptors,
        open: impl FnOnce() -> Result<OwnedFd, Errno>,
    ) -> Result<Arc<Self>, Errno> {
        let token = all.take().map_err(|_| Errno::MFILE)?;
        Ok(Arc::new(Self { directory: open()?, _token: token }))
    }
}

impl AsFd for Held {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denied_more_open_files_than_the_server_can_spare() {
        static FEW: Descriptors = Descriptors { most: 2, taken: AtomicUsize::new(0) };
        let first = FEW.take();
        let _second = FEW.take();
        assert!(FEW.take().is_err());
        drop(first);
        assert!(FEW.take().is_ok());
    }

    #[test]
    fn denied_more_directories_on_the_way_than_the_server_can_spare() {
        static FEW: Descriptors = Descriptors { most: 2, taken: AtomicUsize::new(0) };
        let root = || super::super::disk::directory(&[]);
        let way: Vec<_> = (0..3).map(|_| Held::of(&FEW, root)).collect();
        assert_eq!(way.iter().map(|held| held.is_ok()).collect::<Vec<_>>(), [true, true, false]);
        drop(way);
        assert!(Held::of(&FEW, || Err(Errno::NOENT)).is_err());
        assert!(Held::of(&FEW, root).is_ok());
        assert_eq!(FEW.taken.load(Ordering::Relaxed), 0);
    }
}
