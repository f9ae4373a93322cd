//! The variables that a component may see. A key is exact: no pattern ever names a variable.

use std::fmt;

use miette::Diagnostic;
use thiserror::Error;

use crate::document::is_invisible;
use crate::until::{Until, end, lasts};
use crate::visible::word;

/// One key that reaches the guest, as an environment variable and in `wasi:config`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableRule {
    /// The key, exactly.
    pub key: String,
    /// A fixed value; without one the operator's sources are asked.
    pub value: Option<String>,
    /// When the guest no longer sees it.
    pub until: Option<Until>,
}

/// Why a text is not the key of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum KeyError {
    /// There is nothing.
    #[error("the key of a variable is empty")]
    #[diagnostic(help("write the variable's name, such as `API_KEY`"))]
    Empty,
    /// Too long to be meant.
    #[error("the key of a variable is longer than {} bytes", VariableRule::KEY)]
    #[diagnostic(help("write the variable's name, such as `API_KEY`"))]
    TooLong,
    /// A character that no key has.
    #[error("`{}` is not the key of a variable", .0.escape_debug())]
    #[diagnostic(help(
        "a key is exact, without blanks, `=`, `*`, `$` or quotes: list each variable by its name"
    ))]
    Character(String),
}

/// Why a text is not the fixed value of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum ValueError {
    /// Nothing is replaced in a value, least of all by a secret that would then be the guest's.
    #[error("the value holds a `${{`, which nothing replaces here")]
    #[diagnostic(help(
        "leave `value` out: the component's secret of that name is its value, or the operator's"
    ))]
    Template,
    /// A document cannot hold it.
    #[error("the value holds a character that does not show ({})", .0.escape_unicode())]
    #[diagnostic(help(
        "what a policy says must be what one sees: leave `value` out, and set a secret of that name"
    ))]
    Character(char),
}

/// Why a rule is not one for a variable.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum VariableError {
    /// Its key.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Key(#[from] KeyError),
    /// Its value.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Value(#[from] ValueError),
}

impl VariableRule {
    /// The longest key, in bytes.
    pub const KEY: usize = 256;

    /// A rule that never ends.
    pub fn new(key: impl Into<String>, value: Option<String>) -> Self {
        Self { key: key.into(), value, until: None }
    }

    /// Whether `other` adds nothing to this rule: the same key and value, for no longer.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value && lasts(self.until, other.until)
    }

    /// Checks that `key` can be the key of a variable: visible ASCII without the signs that shells
    /// and environments give a meaning to.
    pub fn check_key(key: &str) -> Result<(), KeyError> {
        if key.is_empty() {
            return Err(KeyError::Empty);
        }
        if key.len() > Self::KEY {
            return Err(KeyError::TooLong);
        }
        let fits = |byte: u8| byte.is_ascii_graphic() && !b"=*?$`'\"\\".contains(&byte);
        if key.bytes().all(fits) { Ok(()) } else { Err(KeyError::Character(key.to_owned())) }
    }

    /// Checks that `value` means what it seems to.
    pub fn check_value(value: &str) -> Result<(), ValueError> {
        match value.chars().find(|&character| is_invisible(character)) {
            Some(character) => Err(ValueError::Character(character)),
            None if value.contains("${") => Err(ValueError::Template),
            None => Ok(()),
        }
    }

    /// Checks the key, and the value if it is fixed.
    ///
    /// # Errors
    /// [`VariableError`].
    pub fn check(&self) -> Result<(), VariableError> {
        Self::check_key(&self.key)?;
        Ok(self.value.as_deref().map_or(Ok(()), Self::check_value)?)
    }
}

impl fmt::Display for VariableRule {
    /// The key; whether its value is fixed, but not the value; when it ends. With `#`, for the person
    /// whose policy it is, `API_BASE = https://api.example.com` in place of `API_BASE with a fixed
    /// value`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&word(&self.key))?;
        match &self.value {
            Some(value) if f.alternate() => write!(f, " = {}", word(value))?,
            Some(_) => f.write_str(" with a fixed value")?,
            None => {}
        }
        end(f, self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_exact() {
        for key in ["API_KEY", "log.level", "a-b", "x/y:z"] {
            assert_eq!(VariableRule::check_key(key), Ok(()), "{key}");
        }
        for key in ["A=B", "A B", "*", "API_*", "$HOME", "a\0b", "ключ", "a\"b", "A\n"] {
            assert_eq!(VariableRule::check_key(key), Err(KeyError::Character(key.to_owned())));
        }
        assert_eq!(VariableRule::check_key(""), Err(KeyError::Empty));
        assert_eq!(VariableRule::check_key(&"A".repeat(257)), Err(KeyError::TooLong));
    }
}
