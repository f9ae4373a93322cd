//! The files of the log: their names, their lines and the lock over them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Take};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::AuditError;
use super::chain::MAX_LINE;
use crate::{StoreError, durable};

/// How long to wait for others who append. That takes each some millionths of a second.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);

const FIRST_PAUSE: Duration = Duration::from_micros(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(2);

/// The name of a file: its number is that of its first line.
pub(super) fn name(number: u64) -> String {
    format!("log-{number:012}.jsonl")
}

pub(super) fn log_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(name(number))
}

pub(super) fn head_path(directory: &Path) -> PathBuf {
    directory.join("head.json")
}

pub(super) fn lock_path(directory: &Path) -> PathBuf {
    directory.join(".lock")
}

/// The numbers of the files that are there, sorted.
pub(super) fn numbers(directory: &Path) -> Result<Vec<u64>, StoreError> {
    let mut numbers: Vec<u64> = durable::file_names(directory)?
        .iter()
        .filter_map(|file| {
            let number = file.strip_prefix("log-")?.strip_suffix(".jsonl")?.parse().ok()?;
            (name(number) == *file).then_some(number)
        })
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Opens a file for this user alone, and makes it if it is missing.
pub(super) fn open_or_create(path: &Path, options: &mut OpenOptions) -> Result<File, AuditError> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = options.mode(0o600).custom_flags(flags).open(path);
    let file = file.map_err(AuditError::writing(path))?;
    if !file.metadata().map_err(AuditError::reading(path))?.is_file() {
        return Err(AuditError::reading(path)(io::Error::other("it is not a regular file")));
    }
    Ok(file)
}

/// The right to append, until it is dropped.
pub(super) struct Turn<'a>(&'a File);

impl<'a> Turn<'a> {
    /// Waits for those who are before us, `patience` at most: a guest may be waiting.
    pub(super) fn wait(
        lock: &'a File,
        directory: &Path,
        patience: Duration,
    ) -> Result<Self, AuditError> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self(lock)),
                Err(TryLockError::Error(source)) => {
                    let path = lock_path(directory);
                    return Err(StoreError::NoLocks { path, source }.into());
                }
                Err(TryLockError::WouldBlock) => {}
            }
            let waited = start.elapsed();
            if waited >= patience {
                return Err(AuditError::Busy { path: directory.to_owned(), waited });
            }
            thread::sleep(pause);
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::debug!(%error, "cannot give back the lock of the decision log");
        }
    }
}

/// The lines of a file, or of its beginning.
pub(super) struct Lines {
    reader: BufReader<Take<File>>,
}

/// One line, without its line feed.
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    /// Whether a line feed stands behind it.
    pub(super) is_complete: bool,
}

impl Line {
    /// How many bytes it takes in the file.
    pub(super) fn length(&self) -> u64 {
        self.bytes.len() as u64 + u64::from(self.is_complete)
    }
}

impl Lines {
    /// The lines in the first `bytes` bytes of `file`, from where it stands.
    pub(super) fn of(file: File, bytes: u64) -> Self {
        Self { reader: BufReader::with_capacity(128 * 1024, file.take(bytes)) }
    }

    /// The next line. One that is too long for the log is given in pieces, which are not complete.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        (&mut self.reader).take(MAX_LINE as u64).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let is_complete = bytes.last() == Some(&b'\n');
        if is_complete {
            bytes.pop();
        }
        Ok(Some(Line { bytes, is_complete }))
    }
}
