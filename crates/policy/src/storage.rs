//! Which files a component may read and write: the rules, and what they say about a path.
//!
//! A rule is text about paths. Where its path lies on a disk is for others to find out; the
//! [`StorageMap`] judges paths that have been resolved already, and must never be asked about one
//! with a link or a `..` left in it.

mod map;
mod uri;

use std::fmt;
use std::str::FromStr;

use miette::Diagnostic;
use thiserror::Error;

pub use map::{Decision, Placed, StorageMap};
pub use uri::{StorageRoot, StorageUri, StorageUriError};

use crate::until::{Until, end, lasts};
use crate::visible::word;

/// One way to use a file or a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// Read, list, ask about.
    Read,
    /// Create, write, append, rename, remove. It does not include reading.
    Write,
}

/// A text that is no access.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("there is no access `{0}`")]
#[diagnostic(help("write `read`, `write`, or both"))]
pub struct AccessError(String);

impl FromStr for Access {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        match text {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            _ => Err(AccessError(text.to_owned())),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// At least one access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Accesses {
    read: bool,
    write: bool,
}

impl Accesses {
    /// Reading only.
    pub const READ: Self = Self { read: true, write: false };
    /// Writing only.
    pub const WRITE: Self = Self { read: false, write: true };
    /// Both.
    pub const BOTH: Self = Self { read: true, write: true };

    /// All of `accesses`; `None` if there are none, for a rule without an access would do nothing.
    pub fn of(accesses: impl IntoIterator<Item = Access>) -> Option<Self> {
        accesses.into_iter().map(Self::from).reduce(Self::union)
    }

    /// Whether `access` is among them.
    pub const fn contains(self, access: Access) -> bool {
        match access {
            Access::Read => self.read,
            Access::Write => self.write,
        }
    }

    /// Whether all of `others` are among them.
    pub fn covers(self, others: Self) -> bool {
        others.iter().all(|access| self.contains(access))
    }

    /// These and `others`.
    #[must_use]
    pub const fn union(self, others: Self) -> Self {
        Self { read: self.read || others.read, write: self.write || others.write }
    }

    /// Each of them, reading first.
    pub fn iter(self) -> impl Iterator<Item = Access> {
        [Access::Read, Access::Write].into_iter().filter(move |access| self.contains(*access))
    }
}

impl From<Access> for Accesses {
    fn from(access: Access) -> Self {
        match access {
            Access::Read => Self::READ,
            Access::Write => Self::WRITE,
        }
    }
}

impl fmt::Display for Accesses {
    /// `read`, `write` or `read,write`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.read, self.write) {
            (true, false) => "read",
            (false, true) => "write",
            _ => "read,write",
        })
    }
}

/// Whether a rule allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleKind {
    /// It allows.
    Allow,
    /// It denies, and wins.
    Deny,
}

/// One rule of `storage`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StorageRule {
    /// What it is about.
    pub uri: StorageUri,
    /// What it allows or denies there.
    pub access: Accesses,
    /// When it ends; a rule that denies never does.
    pub until: Option<Until>,
}

impl StorageRule {
    /// A rule that never ends.
    pub const fn new(uri: StorageUri, access: Accesses) -> Self {
        Self { uri, access, until: None }
    }

    /// Whether `other` adds nothing to this rule, both being allow rules or both deny rules. Patterns
    /// are compared only where that is simple, so `false` may also mean that it was not seen.
    pub fn covers(&self, other: &Self) -> bool {
        self.access.covers(other.access)
            && self.uri.covers(&other.uri)
            && lasts(self.until, other.until)
    }

    /// One rule that says what both say together: the accesses join if both are about the same path
    /// and end together.
    pub fn merge(&self, other: &Self) -> Option<Self> {
        (self.uri == other.uri && self.until == other.until)
            .then(|| Self { access: self.access.union(other.access), ..self.clone() })
    }
}

impl fmt::Display for StorageRule {
    /// One line for logs and people, of which no part can pass for another:
    /// `fs:///data read,write until 2026-11-21T18:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", word(&self.uri.to_string()), self.access)?;
        end(f, self.until)
    }
}

#[cfg(test)]
mod tests;
