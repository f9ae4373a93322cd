//! Reading the log, the oldest record first. Must never hold more than a line of it in memory.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::AuditError;
use super::files::{Lines, log_path, numbers};
use crate::durable;

/// Which records are wanted. The default wants all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of this component.
    pub component: Option<String>,
    /// Those of this call.
    pub call: Option<String>,
    /// Those with this decision.
    pub decision: Option<String>,
    /// Those from this moment on, and those that do not tell when they were.
    pub since: Option<SystemTime>,
}

impl Filter {
    fn wants(&self, record: &Map<String, Value>) -> bool {
        let text = |name| record.get(name).and_then(Value::as_str);
        let is = |name, wanted: &Option<String>| match wanted {
            Some(wanted) => text(name) == Some(wanted.as_str()),
            None => true,
        };
        let is_late = || {
            let time = text("time").and_then(|text| humantime::parse_rfc3339_weak(text).ok());
            time.zip(self.since).is_none_or(|(time, since)| time >= since)
        };
        is("component", &self.component)
            && is("call", &self.call)
            && is("decision", &self.decision)
            && is_late()
    }
}

/// The records of the log in `directory` that `filter` wants, the newest last. A line that is no
/// record is left out: [`verify`](super::verify) tells of it.
///
/// # Errors
/// [`AuditError::Store`] if the directory cannot be read. Each record may bring the same error, after
/// which there are no more.
pub fn records(directory: &Path, filter: Filter) -> Result<Records, AuditError> {
    let files = numbers(directory)?.into_iter().map(|number| log_path(directory, number)).collect();
    Ok(Records { files, lines: None, filter })
}

/// The records of a log; see [`records`].
pub struct Records {
    files: VecDeque<PathBuf>,
    lines: Option<(PathBuf, Lines)>,
    filter: Filter,
}

impl Records {
    fn find(&mut self) -> Result<Option<Map<String, Value>>, AuditError> {
        loop {
            let Some((path, lines)) = &mut self.lines else {
                let Some(path) = self.files.pop_front() else { return Ok(None) };
                self.lines = open(path)?;
                continue;
            };
            match lines.next().map_err(AuditError::reading(path))? {
                None => self.lines = None,
                Some(line) => {
                    let record = serde_json::from_slice(&line.bytes).ok();
                    if let Some(record) = record.filter(|record| self.filter.wants(record)) {
                        return Ok(Some(record));
                    }
                }
            }
        }
    }
}

impl Iterator for Records {
    type Item = Result<Map<String, Value>, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.find();
        if found.is_err() {
            self.files.clear();
            self.lines = None;
        }
        found.transpose()
    }
}

/// The lines of a file; nothing for one that was removed meanwhile, because it was the oldest.
fn open(path: PathBuf) -> Result<Option<(PathBuf, Lines)>, AuditError> {
    match durable::open(&path) {
        Ok(file) => Ok(Some((path, Lines::of(file, u64::MAX)))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AuditError::reading(&path)(error)),
    }
}
