//! For how long the operator grants something. A model is never asked, and what it asks for ends as
//! a person chooses.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use miette::Diagnostic;
use thiserror::Error;
use wassette_policy::{Edit, Policy, Span, Until};

use crate::error::ApprovalError;

/// A length of time, or for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Term {
    /// For good.
    #[default]
    Always,
    /// From now on for so long, a year at most.
    For(Span),
}

/// The text is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error(
    "`{0}` is no length of time up to a year; write one such as `30min`, `1h` or `7d`, or `always`"
)]
pub struct UnknownTerm(String);

impl Term {
    /// `edits`, which add rules, so that each of these ends with the term.
    ///
    /// # Errors
    /// [`ApprovalError::Additions`], above all for limits, which cannot end, and
    /// [`ApprovalError::End`].
    pub fn edits(self, edits: Vec<Edit>) -> Result<Vec<Edit>, ApprovalError> {
        let Self::For(span) = self else { return Ok(edits) };
        let until = Until::after(SystemTime::now(), span.duration()).map_err(ApprovalError::End)?;
        Policy::asking(edits)
            .and_then(|policy| policy.ending(until)?.additions())
            .map_err(ApprovalError::Additions)
    }
}

impl FromStr for Term {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, UnknownTerm> {
        match text {
            "always" => Ok(Self::Always),
            text => text.parse().map(Self::For).map_err(|_| UnknownTerm(text.to_owned())),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("always"),
            Self::For(span) => write!(f, "for {span}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_a_length_of_time_or_always() {
        assert_eq!("always".parse(), Ok(Term::Always));
        assert_eq!("1h".parse::<Term>().map(|term| term.to_string()), Ok("for 1h".to_owned()));
        assert_eq!(
            "90min".parse::<Term>().map(|term| term.to_string()),
            Ok("for 5400s".to_owned())
        );
        for text in ["", "0s", "ever", "1", "-1h", "2y", "1h always"] {
            assert_eq!(text.parse::<Term>(), Err(UnknownTerm(text.to_owned())), "{text}");
        }
    }
}
