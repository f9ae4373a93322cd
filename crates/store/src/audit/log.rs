//! Appending to the log, by any number of processes. Must never wait long, and never write anywhere
//! but at the end of the newest file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::AuditError;
use super::chain::{Recovered, Tail};
use super::files::{self, PATIENCE, Turn, head_path, log_path, numbers, open_or_create};
use super::head::{Head, LENGTH};
use super::resume::{self, Found};
use crate::layout::{check_directory, create_directory};
use crate::{Store, StoreError, durable};

/// The fields that the log itself writes.
const OURS: [&str; 3] = ["seq", "prev", "recovered"];

/// How much of the log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditSettings {
    /// A file that would have more bytes than this is not continued: a new one is begun.
    pub max_bytes: u64,
    /// How many files are kept; the oldest go first.
    pub files: u32,
}

impl Default for AuditSettings {
    /// 8 files of 16 MiB.
    fn default() -> Self {
        Self { max_bytes: 16 * 1024 * 1024, files: 8 }
    }
}

/// The decision log of a store, open for appending. Any number of threads and processes may append
/// to the log of one store at the same time.
#[derive(Debug)]
pub struct AuditLog {
    directory: PathBuf,
    settings: AuditSettings,
    lock: File,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The end of the log as we left it; nothing before the first append and after a failure.
    end: Option<End>,
    /// Whether somebody held the log for too long when we wanted it last.
    was_held: bool,
    /// What could not be written since the last record.
    gap: Option<Gap>,
}

impl AuditLog {
    /// Opens the decision log of `store`, which is made if it is missing.
    ///
    /// # Errors
    /// [`AuditError::Store`] if the directory of the log is not this user's alone, or cannot be
    /// written to.
    pub fn open(store: &Store, settings: AuditSettings) -> Result<Self, AuditError> {
        let directory = store.layout.audit();
        create_directory(&directory)?;
        check_directory(&directory)?;
        let mut options = OpenOptions::new();
        let lock = open_or_create(
            &files::lock_path(&directory),
            options.read(true).write(true).create(true),
        )?;
        Ok(Self { directory, settings, lock, state: Mutex::default() })
    }

    /// Appends `record` and returns its number. A record is one line of 64 KiB at most; by
    /// convention it has the fields `time` (RFC 3339), `call`, `component`, `digest`, `effect`,
    /// `target`, `decision` and `rule`, which [`Filter`](super::Filter) knows.
    ///
    /// This takes some microseconds. Where another process holds the log, one caller waits for 250
    /// milliseconds, and the others fail at once until the log is free. Nobody waits for the disk,
    /// unless the system makes every writer wait.
    ///
    /// # Errors
    /// [`AuditError::Busy`], [`AuditError::Reserved`] for a field `seq`, `prev` or `recovered`,
    /// [`AuditError::TooLong`], or [`AuditError::Store`] with what the system said, such as that
    /// the disk is full. Then the record is not in the log; the next may be, after a line that says
    /// how many could not be written, since when and why.
    pub fn append(&self, record: &Map<String, Value>) -> Result<u64, AuditError> {
        if let Some(field) = OURS.into_iter().find(|field| record.contains_key(*field)) {
            return Err(AuditError::Reserved { field });
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let appended = self.append_to(&mut state, record);
        if let Err(error @ (AuditError::Busy { .. } | AuditError::Store(_))) = &appended {
            state.gap.get_or_insert_with(|| Gap::begin(error)).count += 1;
        }
        appended
    }

    fn append_to(&self, state: &mut State, record: &Map<String, Value>) -> Result<u64, AuditError> {
        // Whoever holds the log for good costs one caller its time, and not each in turn.
        let patience = if state.was_held { Duration::ZERO } else { PATIENCE };
        let turn = Turn::wait(&self.lock, &self.directory, patience);
        state.was_held = turn.is_err();
        let _turn = turn?;
        let mut end = match state.end.take() {
            Some(end) if end.is_current() => end,
            _ => End::find(&self.directory)?,
        };
        if let Some(gap) = &state.gap {
            end.append(&gap.fields(), &self.directory, self.settings)?;
            state.gap = None;
        }
        let appended = end.append(record, &self.directory, self.settings);
        // A record that is refused for its length leaves everything as it was.
        if matches!(appended, Ok(_) | Err(AuditError::TooLong { .. })) {
            state.end = Some(end);
        }
        appended
    }
}

/// The end of the log.
#[derive(Debug)]
struct End {
    file: File,
    head_file: File,
    head: Head,
    head_bytes: [u8; LENGTH],
}

impl End {
    /// Whether nobody has written since, or taken the files away.
    fn is_current(&self) -> bool {
        let mut bytes = [0; LENGTH];
        self.head_file.read_exact_at(&mut bytes, 0).is_ok()
            && bytes == self.head_bytes
            && self.head_file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
            && self
                .file
                .metadata()
                .is_ok_and(|metadata| metadata.nlink() > 0 && metadata.len() == self.head.bytes)
    }

    /// Takes up the log where it ends, and says in it what was found wrong there.
    fn find(directory: &Path) -> Result<Self, AuditError> {
        let path = head_path(directory);
        let there = open_head(&path)?;
        let known = there.as_ref().and_then(Head::read).map(|(head, _)| head);
        let Found { head, recovered, needs_line_feed, rest } = resume::find(directory, known)?;
        // Before the first line, so that a log without a head is always a damaged one. It stands
        // behind the last line and before what was torn: we may be killed before we say what that is.
        let before = Head { bytes: head.bytes.saturating_sub(rest), ..head };
        let head_file = match there.filter(|_| known.is_some()) {
            Some(file) => file,
            None => create_head(directory, before)?,
        };
        let file = open_log(directory, head.file)?;
        let mut end = Self { file, head_file, head, head_bytes: [0; LENGTH] };
        end.write_head(before).map_err(AuditError::writing(&path))?;
        end.head = head;
        let mut bytes = if needs_line_feed { b"\n".to_vec() } else { Vec::new() };
        let mut tail = head.tail();
        if let Some(recovered) = recovered {
            tracing::warn!(
                ?recovered, log = %directory.display(),
                "the end of the decision log was not as it was left"
            );
            let (line, next) = tail.line(&resume::fields(recovered))?;
            bytes.extend(line);
            tail = next;
        }
        if !bytes.is_empty() {
            end.write(&bytes, tail, directory)?;
        }
        Ok(end)
    }

    fn append(
        &mut self,
        record: &Map<String, Value>,
        directory: &Path,
        settings: AuditSettings,
    ) -> Result<u64, AuditError> {
        let (line, tail) = self.head.tail().line(record)?;
        let length = line.len() as u64;
        if self.head.bytes > 0 && self.head.bytes.saturating_add(length) > settings.max_bytes {
            self.rotate(directory, settings)?;
        }
        self.write(&line, tail, directory)?;
        Ok(tail.seq)
    }

    /// Writes `bytes`, after which the log ends with `tail`.
    fn write(&mut self, bytes: &[u8], tail: Tail, directory: &Path) -> Result<(), AuditError> {
        if let Err(error) = self.file.write_all(bytes) {
            // A part of a line helps nobody; if it stays, the next to append says what it is.
            self.file.set_len(self.head.bytes).ok();
            return Err(AuditError::writing(&log_path(directory, self.head.file))(error));
        }
        let bytes = self.head.bytes.saturating_add(bytes.len() as u64);
        let head = Head { bytes, seq: tail.seq, hash: tail.hash, ..self.head };
        // The line is there: a head that is one behind is no harm.
        if let Err(error) = self.write_head(head) {
            tracing::debug!(%error, "the head of the decision log is behind");
        }
        Ok(())
    }

    fn write_head(&mut self, head: Head) -> io::Result<()> {
        self.head = head;
        self.head_bytes = head.to_bytes();
        self.head_file.write_all_at(&self.head_bytes, 0)
    }

    /// Begins a new file, and removes those that are too old.
    fn rotate(&mut self, directory: &Path, settings: AuditSettings) -> Result<(), AuditError> {
        let number = self.head.seq.saturating_add(1);
        let path = log_path(directory, number);
        let mut options = OpenOptions::new();
        self.file = open_or_create(&path, options.append(true).read(true).create_new(true))?;
        let mut old = numbers(directory)?;
        let kept = old.split_off(old.len().saturating_sub(settings.files.max(1) as usize));
        // A file that is missing without our doing stays missed.
        let first = kept.first().copied().filter(|_| !old.is_empty()).unwrap_or(self.head.first);
        // The head first: a file that it does not miss may be there or not.
        self.write_head(Head { first, file: number, bytes: 0, ..self.head })
            .map_err(AuditError::writing(&head_path(directory)))?;
        for number in old {
            durable::remove(&log_path(directory, number))?;
        }
        Ok(())
    }
}

/// The records that could not be written since the last one that was.
#[derive(Debug)]
struct Gap {
    count: u64,
    since: SystemTime,
    cause: String,
}

impl Gap {
    fn begin(error: &AuditError) -> Self {
        let cause = match error {
            AuditError::Store(StoreError::Write { source, .. }) => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "the disk was full".to_owned()
                }
                _ => source.to_string(),
            },
            other => other.to_string(),
        };
        Self { count: 0, since: SystemTime::now(), cause }
    }

    /// The fields of the line that tells of it.
    fn fields(&self) -> Map<String, Value> {
        let mut fields =
            resume::fields(Recovered { unwritten: self.count, ..Recovered::default() });
        let since = humantime::format_rfc3339_millis(self.since).to_string();
        fields.insert("since".to_owned(), since.into());
        fields.insert("cause".to_owned(), self.cause.clone().into());
        fields
    }
}

/// The head that is there, whatever it says.
fn open_head(path: &Path) -> Result<Option<File>, AuditError> {
    if path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(None);
    }
    open_or_create(path, OpenOptions::new().read(true).write(true)).map(Some)
}

/// Puts `head` where none is that says anything, in one step: on a full disk there is none after all.
/// From then on it has its place on the disk, in which it is written anew.
fn create_head(directory: &Path, head: Head) -> Result<File, AuditError> {
    let path = head_path(directory);
    let file = durable::stage(directory, &head.to_bytes())?;
    file.persist(&path).map_err(|failure| AuditError::writing(&path)(failure.error))
}

fn open_log(directory: &Path, number: u64) -> Result<File, AuditError> {
    let mut options = OpenOptions::new();
    open_or_create(&log_path(directory, number), options.append(true).read(true).create(true))
}
