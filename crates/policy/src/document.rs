//! The policy as people write it: YAML or JSON in, the same meaning out.
//!
//! What is read is enforced, or refused with its place and its cure. Nothing in a document may be
//! passed over: not an unknown key, not a key that stands twice, not a rule that nobody enforces.

mod cautions;
mod fields;
mod keys;
mod print;
mod read;
mod tree;

use std::fmt;

use miette::Diagnostic;
use thiserror::Error;

pub use self::cautions::UnknownWorkspace;
pub(crate) use self::keys::{IGNORED, LIMITS, SECTIONS, UNENFORCED, nearest as nearest_to};
pub(crate) use self::tree::is_invisible;
use crate::{LimitRules, NetworkRule, StorageRule, VariableRule};

/// What one component is allowed. The default is the empty policy, which allows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// What the policy is for, in its author's words. It has no effect.
    pub description: Option<String>,
    /// Files and directories.
    pub storage: Rules<StorageRule>,
    /// Hosts.
    pub network: Rules<NetworkRule>,
    /// Variables that the component sees.
    pub environment: Vec<VariableRule>,
    /// The limits that the policy names.
    pub limits: LimitRules,
}

/// The rules of one kind of effect: `deny` wins over `allow`, and the order means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules<R> {
    /// What is allowed; nothing if it is empty.
    pub allow: Vec<R>,
    /// What is denied though a rule allows it.
    pub deny: Vec<R>,
}

impl<R> Default for Rules<R> {
    fn default() -> Self {
        Self { allow: Vec::new(), deny: Vec::new() }
    }
}

impl<R> Rules<R> {
    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }
}

/// Why a document is no policy.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("line {line}, column {column}: {what}")]
pub struct PolicyError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    #[help]
    pub help: String,
}

impl PolicyError {
    /// The same error at its place in `text`, a larger document that has the permissions at `path`:
    /// keys of maps, and the numbers of items from 0. None if it is not found there.
    pub fn within(&self, text: &str, path: &[&str]) -> Option<Self> {
        let root = tree::read(text).ok()?;
        let permissions = path.iter().try_fold(&root, |node, step| node.get(step))?;
        read::permissions_at(permissions).err().filter(|error| error.what == self.what)
    }
}

/// A document that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it says.
    pub policy: Policy,
    /// What stands in it for other programs and has no effect here. It is no part of the policy, and
    /// so not written again.
    pub ignored: Vec<Ignored>,
}

/// A key of a document that has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// Which key, and why.
    pub what: String,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, what } = self;
        write!(f, "line {line}, column {column}: {what}")
    }
}

impl Document {
    /// Reads a document as [`Policy::parse`] does.
    ///
    /// # Errors
    ///
    /// Those of [`Policy::parse`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let root = tree::read(text)?;
        let policy = read::policy(&root)?;
        if !policy.fits() {
            let what = "the policy has more than 64 KiB when it is written in full";
            return Err(tree::Place::START.error(what, "take some of its rules out"));
        }
        Ok(Self { policy, ignored: fields::ignored(&root) })
    }

    /// Reads a document as [`Policy::parse`] does, from the bytes of a file.
    ///
    /// # Errors
    ///
    /// Those of [`Policy::parse`], and if the bytes are not UTF-8.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > Policy::BYTES {
            return Err(tree::too_large(bytes.len()));
        }
        std::str::from_utf8(bytes)
            .map_err(|error| tree::not_text(bytes, error))
            .and_then(Self::parse)
    }
}

impl Policy {
    /// The largest document, in bytes: 64 KiB.
    pub const BYTES: usize = tree::BYTES;
    /// The most rules in one list: each effect of a component is held against all of them.
    pub const RULES: usize = 1000;

    /// Reads a policy from YAML or JSON, in the shape with `version` and `permissions` or in the
    /// bare one with `storage`, `network`, `environment` and `resources` at the top.
    ///
    /// # Errors
    ///
    /// At the first thing that has no meaning here, that contradicts itself, or that is larger than
    /// a policy can be.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        Document::parse(text).map(|document| document.policy)
    }

    /// Whether a document can hold the policy when it is written in full.
    pub(crate) fn fits(&self) -> bool {
        let lists = [
            self.storage.allow.len(),
            self.storage.deny.len(),
            self.network.allow.len(),
            self.network.deny.len(),
            self.environment.len(),
        ];
        lists.iter().all(|rules| *rules <= Self::RULES) && self.to_yaml().len() <= Self::BYTES
    }

    /// Whether the policy neither allows nor denies nor limits anything.
    pub fn is_empty(&self) -> bool {
        self.storage.is_empty()
            && self.network.is_empty()
            && self.environment.is_empty()
            && self.limits.is_empty()
    }
}

#[cfg(test)]
pub(crate) mod tests;
