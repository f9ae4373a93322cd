//! Where a log ends that others have written to, or that was left in the middle of a line. Must
//! never take anything away: what is wrong stays where it is, for whoever examines it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::AuditError;
use super::chain::{Link, MAX_LINE, Recovered, Tail};
use super::files::{log_path, numbers};
use super::head::Head;
use crate::{Digest, durable};

/// How much of a file is examined at most to find its last line.
const WINDOW: u64 = 4 * MAX_LINE as u64;

/// Where the log goes on.
#[derive(Debug)]
pub(super) struct Found {
    /// The end of the log: the length of the newest file, and its last line that is one.
    pub(super) head: Head,
    /// What was found wrong.
    pub(super) recovered: Option<Recovered>,
    /// Whether the file does not end with a line feed.
    pub(super) needs_line_feed: bool,
    /// How many bytes follow the last line.
    pub(super) rest: u64,
}

/// The end of the log in `directory`, of which `known` is what its head says.
pub(super) fn find(directory: &Path, known: Option<Head>) -> Result<Found, AuditError> {
    let numbers = numbers(directory)?;
    let (Some(first), Some(newest)) = (numbers.first().copied(), numbers.last().copied()) else {
        return Ok(nothing_there(known));
    };
    let Some(known) = known else {
        // A process that found no room for the head, or was killed before it.
        if numbers == [1] && length(directory, 1)? == 0 {
            return Ok(nothing_there(None));
        }
        let end = scan(directory, newest, None)?;
        let head = Head { first, ..end.head(newest) };
        let recovered = Recovered { headless: true, ..end.wrong() };
        return Ok(Found {
            head,
            recovered: Some(recovered),
            needs_line_feed: end.is_open,
            rest: end.rest,
        });
    };
    if newest < known.file {
        return Ok(Found {
            head: Head { file: known.seq.saturating_add(1), bytes: 0, ..known },
            recovered: None,
            needs_line_feed: false,
            rest: 0,
        });
    }
    let confirmed = if newest == known.file { known.bytes } else { 0 };
    let end = scan(directory, newest, Some((confirmed, known.tail())))?;
    let mut recovered = end.wrong();
    let mut head = Head { first: known.first, ..end.head(newest) };
    if end.bytes < confirmed {
        // What was cut off was there: its numbers are not given again.
        recovered.missing = known.seq.saturating_sub(head.seq).max(1);
        head.seq = known.seq;
    }
    let recovered = (recovered != Recovered::default()).then_some(recovered);
    Ok(Found { head, recovered, needs_line_feed: end.is_open, rest: end.rest })
}

fn length(directory: &Path, number: u64) -> Result<u64, AuditError> {
    let path = log_path(directory, number);
    let file = durable::open(&path).map_err(AuditError::reading(&path))?;
    Ok(file.metadata().map_err(AuditError::reading(&path))?.len())
}

/// The fields of the line that says what was found wrong.
pub(super) fn fields(recovered: Recovered) -> Map<String, Value> {
    let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    Map::from_iter([("time".to_owned(), json!(time)), ("recovered".to_owned(), json!(recovered))])
}

/// A log without files: a new one, or one that was taken away under its head.
fn nothing_there(known: Option<Head>) -> Found {
    let start = Tail::start();
    let new = Head { first: 1, file: 1, bytes: 0, seq: start.seq, hash: start.hash };
    let head = match known {
        // A head that is as it was before the first line.
        Some(known) if known.seq == 0 => new,
        Some(known) => Head { file: known.seq.saturating_add(1), bytes: 0, ..known },
        None => new,
    };
    Found { head, recovered: None, needs_line_feed: false, rest: 0 }
}

/// How a file ends.
struct End {
    /// How many bytes it has.
    bytes: u64,
    /// Its last line.
    tail: Tail,
    /// How many bytes follow that line.
    rest: u64,
    /// Whether the last byte is no line feed.
    is_open: bool,
}

impl End {
    fn head(&self, file: u64) -> Head {
        Head { first: file, file, bytes: self.bytes, seq: self.tail.seq, hash: self.tail.hash }
    }

    /// What is wrong with what follows the last line: what ends with a line feed was not written by
    /// somebody who was interrupted.
    fn wrong(&self) -> Recovered {
        match self.rest {
            0 => Recovered::default(),
            // The line feed that is still to come ends it.
            torn if self.is_open => Recovered { torn: torn + 1, ..Recovered::default() },
            foreign => Recovered { foreign, ..Recovered::default() },
        }
    }
}

/// Examines the end of a file, of which so many bytes are `confirmed` to end with a line.
fn scan(directory: &Path, number: u64, confirmed: Option<(u64, Tail)>) -> Result<End, AuditError> {
    let path = log_path(directory, number);
    let file = durable::open(&path).map_err(AuditError::reading(&path))?;
    let bytes = file.metadata().map_err(AuditError::reading(&path))?.len();
    let known = confirmed.filter(|(start, _)| *start <= bytes);
    let before = Tail { seq: number.saturating_sub(1), ..Tail::start() };
    let (start, tail) = known.unwrap_or((0, confirmed.map_or(before, |(_, tail)| tail)));
    let window = start.max(bytes.saturating_sub(WINDOW));
    let text = read(&file, window, bytes).map_err(AuditError::reading(&path))?;

    let mut end = End { bytes, tail, rest: bytes - start, is_open: false };
    let mut at = window;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        at += line.len() as u64;
        let whole = line.strip_suffix(b"\n");
        end.is_open = whole.is_none();
        let line = whole.unwrap_or(line);
        let Some(link) = Link::of(line) else { continue };
        // A line that lacks its line feed and nothing else is whole, if it is the next one.
        if whole.is_some()
            || (link.prev == end.tail.hash && link.seq == end.tail.seq.saturating_add(1))
        {
            end.tail = Tail { seq: link.seq, hash: Digest::of(line) };
            end.rest = bytes - at;
        }
    }
    Ok(end)
}

fn read(file: &File, from: u64, to: u64) -> std::io::Result<Vec<u8>> {
    let mut text = vec![0; usize::try_from(to - from).unwrap_or(0)];
    file.read_exact_at(&mut text, from)?;
    Ok(text)
}
