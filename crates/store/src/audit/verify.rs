//! Whether the log is as it was written. Must never change it, and never hold up those who append
//! for longer than it takes to open the files.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::AuditError;
use super::chain::{Link, Tail};
use super::files::{Line, Lines, PATIENCE, Turn, head_path, lock_path, log_path, name, numbers};
use super::head::Head;
use crate::{Digest, durable};

/// What an examination of the log found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// How many files there are.
    pub files: usize,
    /// How many records they have, up to the first problem.
    pub records: u64,
    /// How often a process was killed in the middle of a line. That is no problem.
    pub torn: u64,
    /// What could never be written; nothing if all could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unwritten: Option<Unwritten>,
    /// The first thing that is not as it was written; nothing if all is there.
    pub problem: Option<Problem>,
}

/// Records that could not be written. Nobody has taken them away: they never were in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unwritten {
    /// How many there are, up to the first problem.
    pub records: u64,
    /// When the first could not be written (RFC 3339).
    pub since: String,
    /// Why.
    pub cause: String,
}

/// What is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 where it is about the file as a whole.
    pub line: u64,
    /// What is wrong, in words.
    pub what: String,
}

/// Examines the log in `directory`, which is that of a store or a copy of one. A directory without
/// a log is in good order.
///
/// # Errors
/// [`AuditError::Busy`], or [`AuditError::Store`] for what cannot be read.
pub fn verify(directory: &Path) -> Result<VerifyReport, AuditError> {
    let state = State::of(directory)?;
    let mut report = VerifyReport { files: state.files.len(), ..VerifyReport::default() };
    report.problem = match state.head {
        // A head is there before the first line is.
        None if state.files.iter().all(|(_, _, bytes)| *bytes == 0) => None,
        None => Some(Problem {
            file: head_path(directory),
            line: 0,
            what: "it is missing or damaged: nobody can tell whether the end of the log is there"
                .to_owned(),
        }),
        Some(head) => Walk::new(directory, head, &mut report).all(state.files)?,
    };
    Ok(report)
}

/// The files of a log at one moment, open, with their numbers and lengths.
struct State {
    head: Option<Head>,
    files: Vec<(u64, File, u64)>,
}

impl State {
    fn of(directory: &Path) -> Result<Self, AuditError> {
        // A copy has no lock, and nobody appends to it.
        let lock = durable::open(&lock_path(directory)).ok();
        let _turn = lock.as_ref().map(|lock| Turn::wait(lock, directory, PATIENCE)).transpose()?;
        let path = head_path(directory);
        let head = match durable::open(&path) {
            Ok(file) => Head::read(&file).map(|(head, _)| head),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(AuditError::reading(&path)(error)),
        };
        let mut files = Vec::new();
        for number in numbers(directory)? {
            let path = log_path(directory, number);
            let file = durable::open(&path).map_err(AuditError::reading(&path))?;
            let bytes = file.metadata().map_err(AuditError::reading(&path))?.len();
            files.push((number, file, bytes));
        }
        Ok(Self { head, files })
    }
}

/// A walk along the chain, up to the first problem.
struct Walk<'a> {
    directory: &'a Path,
    head: Head,
    report: &'a mut VerifyReport,
    /// The number that the next line has.
    next: u64,
    /// The hash of the line before; nothing before the oldest line, if there were others before it.
    prev: Option<Digest>,
    strange: Option<Strange>,
}

/// Bytes that are no line of the log; the line after them must say what they are.
struct Strange {
    /// The number of the line at which they begin.
    line: u64,
    bytes: u64,
    /// Whether no line feed follows them.
    is_open: bool,
}

impl<'a> Walk<'a> {
    fn new(directory: &'a Path, head: Head, report: &'a mut VerifyReport) -> Self {
        let prev = (head.first <= 1).then(|| Tail::start().hash);
        Self { directory, head, report, next: head.first, prev, strange: None }
    }

    fn all(mut self, files: Vec<(u64, File, u64)>) -> Result<Option<Problem>, AuditError> {
        for (number, file, bytes) in files {
            // A file that was to be removed and still is there.
            if number < self.head.first {
                continue;
            }
            if number != self.next {
                let what = format!("{} missing before this file", range(self.next, number));
                return Ok(Some(self.problem(number, 0, what)));
            }
            if let Some((line, what)) = self.file(number, Lines::of(file, bytes))? {
                return Ok(Some(self.problem(number, line, what)));
            }
        }
        if self.next <= self.head.seq {
            let end = self.head.seq.saturating_add(1);
            let what = format!("{} missing from its end", range(self.next, end));
            return Ok(Some(self.problem(self.head.file, 0, what)));
        }
        Ok(None)
    }

    fn problem(&self, number: u64, line: u64, what: String) -> Problem {
        Problem { file: log_path(self.directory, number), line, what }
    }

    /// Walks along one file. Returns the line at which something is wrong, and what.
    fn file(&mut self, file: u64, mut lines: Lines) -> Result<Option<(u64, String)>, AuditError> {
        let path = self.directory.join(name(file));
        let mut number = 0;
        let mut bytes = 0;
        while let Some(line) = lines.next().map_err(AuditError::reading(&path))? {
            number += 1;
            bytes += line.length();
            if let Some(problem) = self.line(number, &line) {
                return Ok(Some(problem));
            }
            let is_last = self.next.checked_sub(1) == Some(self.head.seq) && self.strange.is_none();
            // Between the end of one file and the first line of the next, the head names the next.
            let turns = self.head.bytes == 0 && self.head.file == self.head.seq.saturating_add(1);
            if is_last && !turns && (file, bytes) != (self.head.file, self.head.bytes) {
                return Ok(Some((number, "`head.json` has this record elsewhere".to_owned())));
            }
        }
        match self.strange.take() {
            // The last line of all may be one that somebody was killed in the middle of.
            Some(strange) if strange.is_open && file >= self.head.file => self.report.torn += 1,
            Some(strange) => return Ok(Some((strange.line, not_a_record()))),
            None => {}
        }
        Ok(None)
    }

    fn line(&mut self, number: u64, line: &Line) -> Option<(u64, String)> {
        let Some(link) = Link::of(&line.bytes).filter(|_| line.is_complete) else {
            let (at, before) =
                self.strange.take().map_or((number, 0), |strange| (strange.line, strange.bytes));
            let bytes = before + line.length();
            self.strange = Some(Strange { line: at, bytes, is_open: !line.is_complete });
            return None;
        };
        let recovered = link.recovered.unwrap_or_default();
        self.count_unwritten(&link);
        match self.strange.take() {
            Some(strange) if recovered.torn != strange.bytes => {
                return Some((strange.line, not_a_record()));
            }
            Some(_) => self.report.torn += 1,
            None => {}
        }
        if let Some(what) = self.misfit(&link).or_else(|| told(&link)) {
            return Some((number, what));
        }
        let hash = Digest::of(&line.bytes);
        if link.seq == self.head.seq && hash != self.head.hash {
            return Some((number, "the record was changed: `head.json` names another".to_owned()));
        }
        self.next = link.seq.saturating_add(1);
        self.prev = Some(hash);
        self.report.records += 1;
        None
    }

    fn count_unwritten(&mut self, link: &Link) {
        let records = link.recovered.unwrap_or_default().unwritten;
        if records == 0 {
            return;
        }
        let first = self.report.unwritten.get_or_insert_with(|| Unwritten {
            records: 0,
            since: link.since.clone().unwrap_or_default(),
            cause: link.cause.clone().unwrap_or_default(),
        });
        first.records = first.records.saturating_add(records);
    }

    /// Why `link` does not follow the line before.
    fn misfit(&self, link: &Link) -> Option<String> {
        let before = self.next.saturating_sub(1);
        if link.seq > self.next {
            return Some(format!("{} missing before this line", range(self.next, link.seq)));
        }
        if link.seq < self.next {
            return Some(format!(
                "record {} stands after record {before}: it was moved or inserted",
                link.seq
            ));
        }
        self.prev
            .is_some_and(|prev| prev != link.prev)
            .then(|| format!("record {before} was changed: this line names another before it"))
    }
}

/// What the line itself tells of damage that was there when it was written.
fn told(link: &Link) -> Option<String> {
    let recovered = link.recovered?;
    if recovered.headless {
        return Some(
            "`head.json` was missing here: what stood before may have been cut".to_owned(),
        );
    }
    if recovered.missing > 0 {
        return Some("records were missing before this line".to_owned());
    }
    let foreign = recovered.foreign;
    (foreign > 0)
        .then(|| format!("{foreign} bytes before this line are no record: they were inserted"))
}

/// The records from `first` to the one before `end`.
fn range(first: u64, end: u64) -> String {
    match end.saturating_sub(1) {
        last if last <= first => format!("record {first} is"),
        last => format!("records {first} to {last} are"),
    }
}

fn not_a_record() -> String {
    "the line is no record: it was changed or inserted".to_owned()
}
