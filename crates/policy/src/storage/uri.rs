//! `fs:///data/**/*.md`: how a rule of `storage` names files.
//!
//! A name is kept byte for byte, in its case and its Unicode form; nothing is decoded and nothing is
//! expanded. What could be meant in two ways is refused with the spelling to use.

use std::fmt;
use std::str::FromStr;

use miette::Diagnostic;
use thiserror::Error;

use crate::glob::{Case, Reach, SEGMENTS, Segment, reach};
use crate::storage::RuleKind;

/// What a path is relative to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StorageRoot {
    /// The root of the file system: `fs:///`.
    Absolute,
    /// A folder to which the operator gave this name: `fs://NAME`.
    Workspace(String),
}

/// The files that one rule is about.
///
/// Without a wildcard it is a file, or a directory and all below it. With wildcards it is what the
/// pattern matches, and in a deny rule also all below that.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StorageUri {
    root: StorageRoot,
    /// The literal segments before the first wildcard.
    prefix: Vec<String>,
    /// The first segment with a wildcard and what follows; empty for a rule without any.
    pattern: Vec<Segment>,
}

/// Why a text does not name files.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum StorageUriError {
    /// It does not begin with `fs://`.
    #[error("`{text}` does not begin with `fs://`")]
    #[diagnostic(help("write {instead}"))]
    Scheme {
        /// The text as written.
        text: String,
        /// What would do.
        instead: String,
    },
    /// Nothing follows `fs://`.
    #[error("`fs://` names no file")]
    #[diagnostic(help("write `fs:///data` for a path from the root, or `fs://workspace/data`"))]
    Empty,
    /// The first part is neither empty nor the name of a workspace.
    #[error("`{0}` is no name of a workspace")]
    #[diagnostic(help(
        "write `fs:///` and a path from the root, or `fs://workspace/` and a path below the \
         workspace; a name has letters, digits, `-` and `_`"
    ))]
    Workspace(String),
    /// A part that means another directory.
    #[error("`{0}` holds `..`")]
    #[diagnostic(help("write the directory that is meant, without `..`"))]
    Parent(String),
    /// Something that a shell would replace, and nobody does here.
    #[error("`{text}` holds `{found}`, which nothing replaces here")]
    #[diagnostic(help(
        "write the path in full, or `fs://workspace/…` for one below the workspace; in a name that \
         really holds it, `?` stands for that character"
    ))]
    Expansion {
        /// The text as written.
        text: String,
        /// What stands in the way.
        found: char,
    },
    /// A character that a rule cannot hold.
    #[error("a path cannot hold `{}` in a rule", .0.escape_default())]
    #[diagnostic(help(
        "the wildcards are `*`, `?` and `**`, directories are separated by `/`; in a name that \
         really holds it, `?` stands for that character"
    ))]
    Character(char),
    /// `**` together with something else, or three of them.
    #[error("`{0}` has `**` inside a name")]
    #[diagnostic(help("`**` stands alone between two `/`; within a name write `*`"))]
    Deep(String),
    /// A name that looks like another one.
    #[error("`{0}` has a blank where a name begins or ends")]
    #[diagnostic(help("take it out; in a name that really has it, `?` stands for that character"))]
    Blank(String),
    /// Longer than any path.
    #[error("the path is too long for a rule")]
    #[diagnostic(help("a path has at most 4096 bytes, 64 directories, and 255 bytes a name"))]
    TooLong,
}

impl StorageUri {
    /// What the path is relative to.
    pub fn root(&self) -> &StorageRoot {
        &self.root
    }

    /// The literal segments before the first one with a wildcard.
    pub fn prefix(&self) -> &[String] {
        &self.prefix
    }

    /// Whether there are wildcards after the prefix.
    pub fn is_glob(&self) -> bool {
        !self.pattern.is_empty()
    }

    /// Whether everything that `other` names is named by this too, where that is simple to see.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self == other
            || (!self.is_glob()
                && self.root == other.root
                && other.prefix.starts_with(&self.prefix))
    }

    /// What the part after the prefix says about a path below the prefix.
    pub(crate) fn reach(&self, kind: RuleKind, path: &[&str]) -> Reach {
        let below = !self.is_glob() || kind == RuleKind::Deny;
        reach(&self.pattern, below, Case::Exact, path.iter().copied())
    }
}

impl FromStr for StorageUri {
    type Err = StorageUriError;

    fn from_str(text: &str) -> Result<Self, StorageUriError> {
        if text.len() > 4096 {
            return Err(StorageUriError::TooLong);
        }
        let rest = text.strip_prefix("fs://").ok_or_else(|| scheme(text))?;
        if rest.is_empty() {
            return Err(StorageUriError::Empty);
        }
        check_characters(text, rest)?;
        let (root, path) = rest.split_once('/').unwrap_or((rest, ""));
        let segments = path
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(|part| segment(text, part))
            .collect::<Result<Vec<_>, _>>()?;
        if segments.len() > SEGMENTS {
            return Err(StorageUriError::TooLong);
        }
        Ok(Self::canonical(workspace(root)?, segments))
    }
}

/// The root that the first part of a path names.
fn workspace(name: &str) -> Result<StorageRoot, StorageUriError> {
    let fit = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    match name {
        "" => Ok(StorageRoot::Absolute),
        _ if name.len() <= 64 && name.chars().all(fit) && !name.starts_with('-') => {
            Ok(StorageRoot::Workspace(name.to_owned()))
        }
        _ => Err(StorageUriError::Workspace(name.to_owned())),
    }
}

fn segment(text: &str, part: &str) -> Result<Segment, StorageUriError> {
    match part {
        ".." => Err(StorageUriError::Parent(text.to_owned())),
        _ if part.len() > 255 => Err(StorageUriError::TooLong),
        _ if part.starts_with('~') => {
            Err(StorageUriError::Expansion { text: text.to_owned(), found: '~' })
        }
        _ if part.trim() != part => Err(StorageUriError::Blank(text.to_owned())),
        _ if part != "**" && part.contains("**") => Err(StorageUriError::Deep(text.to_owned())),
        _ => Ok(Segment::new(part, true)),
    }
}

impl StorageUri {
    /// Splits at the first wildcard. Several `**` in a row say what one says, and `**` after a path
    /// without wildcards says what the path alone says.
    fn canonical(root: StorageRoot, mut segments: Vec<Segment>) -> Self {
        segments.dedup_by(|next, last| matches!((next, last), (Segment::Deep, Segment::Deep)));
        let mut prefix = vec![];
        let mut pattern = vec![];
        for segment in segments {
            match segment.literal() {
                Some(name) if pattern.is_empty() => prefix.push(name.to_owned()),
                _ => pattern.push(segment),
            }
        }
        if matches!(pattern.as_slice(), [Segment::Deep]) {
            pattern.clear();
        }
        Self { root, prefix, pattern }
    }
}

fn check_characters(text: &str, rest: &str) -> Result<(), StorageUriError> {
    // Letters that turn the reading direction would show another path than the one that is meant.
    let turns = |character| {
        matches!(character, '\u{61c}' | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let unfit = |&character: &char| {
        character.is_control()
            || turns(character)
            || matches!(character, '\\' | '[' | ']' | '{' | '}')
    };
    if let Some(found) = rest.chars().find(|character| matches!(character, '$' | '%')) {
        return Err(StorageUriError::Expansion { text: text.to_owned(), found });
    }
    match rest.chars().find(unfit) {
        Some(character) => Err(StorageUriError::Character(character)),
        None => Ok(()),
    }
}

fn scheme(text: &str) -> StorageUriError {
    let path = match text.split_once("://") {
        Some((_, rest)) => rest,
        None => text,
    };
    let instead = if path.starts_with('/') {
        format!("`fs://{path}`")
    } else {
        "`fs:///` and a path from the root, or `fs://workspace/` and a path below it".to_owned()
    };
    StorageUriError::Scheme { text: text.to_owned(), instead }
}

impl fmt::Display for StorageUri {
    /// The canonical spelling, such as `fs:///data/**/*.md` or `fs://workspace`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fs://")?;
        match &self.root {
            StorageRoot::Absolute if self.prefix.is_empty() && self.pattern.is_empty() => {
                return f.write_str("/");
            }
            StorageRoot::Absolute => {}
            StorageRoot::Workspace(name) => f.write_str(name)?,
        }
        self.prefix.iter().try_for_each(|name| write!(f, "/{name}"))?;
        self.pattern.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}
