//! How one line of the log follows another. Must never depend on how a line is printed: what is
//! hashed is its bytes.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::AuditError;
use crate::Digest;

/// How many bytes a line may have, with its line feed.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// The last line of a log: its number and its hash. What comes next is chained to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) seq: u64,
    pub(super) hash: Digest,
}

impl Tail {
    /// The end of a log in which nothing stands.
    pub(super) fn start() -> Self {
        Self { seq: 0, hash: Digest::of(b"") }
    }

    /// The line, with its line feed, that says `fields` and follows this one; and the tail that it
    /// is then.
    pub(super) fn line(self, fields: &Map<String, Value>) -> Result<(Vec<u8>, Self), AuditError> {
        let seq = self.seq.saturating_add(1);
        let mut text = format!("{{\"seq\":{seq},\"prev\":\"{}\"", self.hash);
        for (name, value) in fields {
            // Nothing that is written to a string fails.
            write!(text, ",{}:{value}", Value::from(name.as_str())).ok();
        }
        text.push('}');
        let mut line = text.into_bytes();
        let tail = Self { seq, hash: Digest::of(&line) };
        line.push(b'\n');
        match line.len() {
            bytes if bytes > MAX_LINE => Err(AuditError::TooLong { bytes, limit: MAX_LINE }),
            _ => Ok((line, tail)),
        }
    }
}

/// What a line says of its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) prev: Digest,
    #[serde(default)]
    pub(super) recovered: Option<Recovered>,
    /// Of records that could not be written: since when, and why.
    #[serde(default)]
    pub(super) since: Option<String>,
    #[serde(default)]
    pub(super) cause: Option<String>,
}

impl Link {
    /// The link of a line without its line feed, if it is one.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        if line.len() >= MAX_LINE {
            return None;
        }
        serde_json::from_slice(line).ok()
    }
}

/// What was found wrong when the log was taken up again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recovered {
    /// How many bytes before this line are the part of one that was never finished.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) torn: u64,
    /// How many bytes before this line are no part of a line of the log.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) foreign: u64,
    /// How many lines are missing before this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) missing: u64,
    /// How many records could not be written before this one. They never had a number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) unwritten: u64,
    /// Whether there was no head to compare with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) headless: bool,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
