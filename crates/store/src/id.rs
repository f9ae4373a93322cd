//! The name of a loaded component. Must never be able to leave a path, a terminal line or a tool name
//! in disorder. With an ending it names a file: as it is all lower-case, two ids never share one,
//! not even where the file system does not tell the cases apart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::Digest;

/// The name of a loaded component: a letter or digit of ASCII, then letters, digits, `.`, `_` and
/// `-`, all lower-case, [`MAX_LENGTH`](Self::MAX_LENGTH) at most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ComponentId(String);

impl ComponentId {
    /// How many characters an id may have.
    pub const MAX_LENGTH: usize = 64;

    /// Reads an id that a user wrote.
    ///
    /// # Errors
    /// If it is no id, or one that is [reserved](IdError::Reserved).
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if !is_well_formed(text) {
            let suggestion = Self::from_name(text);
            return Err(IdError::Malformed { text: text.chars().take(100).collect(), suggestion });
        }
        if is_reserved(text) {
            return Err(IdError::Reserved { text: text.to_owned() });
        }
        Ok(Self(text.to_owned()))
    }

    /// Makes an id of any name, such as the stem of a file name: always the same of the same name.
    ///
    /// Letters become lower-case, other characters `-`. Two names may lead to one id; the store
    /// refuses the second unless it is told to replace the first.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let mapped: String = name.chars().map(safe_character).collect();
        let trimmed = mapped.trim_matches(is_punctuation);
        if trimmed.is_empty() {
            return Self(format!("component-{}", fingerprint(name)));
        }
        let marked =
            if is_reserved(trimmed) { format!("component-{trimmed}") } else { trimmed.to_owned() };
        if marked.len() <= Self::MAX_LENGTH {
            return Self(marked);
        }
        let end = fingerprint(name);
        let kept = Self::MAX_LENGTH - end.len() - 1;
        let start: String = marked.chars().take(kept).collect();
        Self(format!("{}-{end}", start.trim_end_matches(is_punctuation)))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl AsRef<str> for ComponentId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for ComponentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for ComponentId {
    /// Checks the form alone: a name that is reserved later must not make an old index unreadable.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if is_well_formed(&text) {
            Ok(Self(text))
        } else {
            Err(de::Error::custom(format_args!("`{}` is not a component id", text.escape_debug())))
        }
    }
}

/// Why a text is no component id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum IdError {
    /// It has characters that an id cannot have, or too many, or none.
    #[error("`{}` is not a component id", text.escape_debug())]
    #[diagnostic(
        code(store::id),
        help(
            "an id starts with a lower-case letter or a digit and goes on with those, `.`, `_` \
             and `-`, {} at most, for example `{suggestion}`",
            ComponentId::MAX_LENGTH
        )
    )]
    Malformed {
        /// What was written.
        text: String,
        /// An id that resembles it.
        suggestion: ComponentId,
    },

    /// It is the name of a device on Windows, or stands for this program or its store.
    #[error("`{text}` is a reserved name")]
    #[diagnostic(code(store::reserved_id), help("choose another id, for example `my-{text}`"))]
    Reserved {
        /// What was written.
        text: String,
    },
}

/// Names that mean a device in any folder of Windows, whatever follows the first dot.
const DEVICES: &[&str] = &["aux", "con", "nul", "prn"];

/// Names that stand for this program and for the store itself where components are named.
const OURS: &[&str] = &["store", "wassette"];

fn is_well_formed(text: &str) -> bool {
    text.len() <= ComponentId::MAX_LENGTH
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && text.chars().all(|character| safe_character(character) == character)
}

fn is_reserved(text: &str) -> bool {
    let stem = text.split('.').next().unwrap_or_default();
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let is_port = port.is_some_and(|number| matches!(number.as_bytes(), [b'0'..=b'9']));
    is_port || DEVICES.contains(&stem) || OURS.contains(&text)
}

fn safe_character(character: char) -> char {
    match character {
        'a'..='z' | '0'..='9' | '.' | '_' | '-' => character,
        'A'..='Z' => character.to_ascii_lowercase(),
        _ => '-',
    }
}

fn is_punctuation(character: char) -> bool {
    matches!(character, '.' | '_' | '-')
}

fn fingerprint(name: &str) -> String {
    Digest::of(name.as_bytes()).hex().chars().take(8).collect()
}

#[cfg(test)]
mod tests;
