//! The lock of the writers: an advisory lock on a file that is never renamed or deleted, which
//! the system takes back when its holder dies. Must never wait without end.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use crate::{StoreError, layout::Layout};

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The right to write, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Takes the lock, waiting at most `timeout` for its holder.
    pub(crate) fn acquire(layout: &Layout, timeout: Duration) -> Result<Self, StoreError> {
        let path = layout.lock();
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(flags)
            .open(&path)
            .map_err(StoreError::writing(layout.root()))?;
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self::taken(file)),
                Err(TryLockError::Error(source)) => {
                    return Err(StoreError::NoLocks { path, source });
                }
                Err(TryLockError::WouldBlock) => {}
            }
            let waited = start.elapsed();
            let Some(left) = timeout.checked_sub(waited).filter(|left| !left.is_zero()) else {
                let holder = read_holder(&mut file);
                return Err(StoreError::Busy { path: layout.root().to_owned(), holder, waited });
            };
            thread::sleep(pause.min(left));
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Notes who holds the lock. That serves a message alone, so a full disk must not stand in the
    /// way of a writer that may be about to free some space.
    fn taken(mut file: File) -> Self {
        if let Err(error) = write_holder(&mut file) {
            tracing::debug!(%error, "cannot note the holder of the store's lock");
        }
        Self(file)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // To close the file would do, but for a process that is just being started and has not
        // closed its copy yet. The name goes first: after the unlocking it is the next holder's.
        if let Err(error) = self.0.set_len(0).and_then(|()| self.0.unlock()) {
            tracing::debug!(%error, "cannot give back the store's lock in good order");
        }
    }
}

fn write_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn read_holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
