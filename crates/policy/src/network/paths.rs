//! Paths of requests, and the patterns that rules have for them.
//!
//! Servers disagree about what a path with dot segments, double slashes or encoded separators means.
//! Such a path is *ambiguous*: no rule with paths allows it, and every deny rule with paths holds for
//! it, whatever its patterns are.

use std::fmt;
use std::str::FromStr;

use crate::glob::{Case, SEGMENTS, Segment, reach};
use crate::storage::RuleKind;

/// The path of a request in the one form in which it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestPath {
    /// Its segments, decoded; no empty one, a slash at the end left out.
    Clear(Vec<String>),
    /// It could be read in several ways.
    Ambiguous,
}

impl RequestPath {
    /// The longest path that is looked at, in bytes.
    const LONGEST: usize = 8 * 1024;

    pub(crate) fn read(path: &str) -> Self {
        Self::segments(path).map_or(Self::Ambiguous, Self::Clear)
    }

    fn segments(path: &str) -> Option<Vec<String>> {
        let inner = path.strip_prefix('/').filter(|_| path.len() <= Self::LONGEST)?;
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if inner.is_empty() {
            // `//` is as ambiguous as any empty segment.
            return (path == "/").then(Vec::new);
        }
        inner.split('/').map(decoded).collect()
    }
}

/// One segment without its percent-encoding; `None` if somebody might read it in another way.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = segment.bytes();
    let mut decoded = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hexadecimal(bytes.next()?)? << 4 | hexadecimal(bytes.next()?)?,
            _ => byte,
        });
    }
    let text = String::from_utf8(decoded).ok()?;
    // What is still encoded after one reading would be decoded by a second. A `;` begins parameters
    // that some servers cut off before they look.
    let unsure = |character: char| {
        character.is_control() || matches!(character, '/' | '\\' | ';' | '%' | '?' | '#')
    };
    let clear = !matches!(text.as_str(), "" | "." | "..") && !text.contains(unsure);
    clear.then_some(text)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// A pattern for paths: `/v1/items`, `/v1/*/name`, `/v1/**`. A slash at the end makes no difference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathGlob(Vec<Segment>);

impl PathGlob {
    /// A deny rule looks past the case of letters, for some servers do, and holds for an ambiguous
    /// path.
    pub(crate) fn matches(&self, kind: RuleKind, path: &RequestPath) -> bool {
        match path {
            RequestPath::Ambiguous => kind == RuleKind::Deny,
            RequestPath::Clear(segments) => {
                let case = if kind == RuleKind::Deny { Case::Ignored } else { Case::Exact };
                reach(&self.0, false, case, segments.iter().map(String::as_str)).matches
            }
        }
    }

    /// Whether every path that `other` matches is matched by this too, where that is simple to see.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let literal: Option<Vec<&str>> = other.0.iter().map(Segment::literal).collect();
        self == other
            || self.0 == [Segment::Deep]
            || literal.is_some_and(|path| reach(&self.0, false, Case::Exact, path).matches)
    }
}

/// Why a text is no pattern for paths; the text says what to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAPath(pub(crate) &'static str);

impl FromStr for PathGlob {
    type Err = NotAPath;

    fn from_str(text: &str) -> Result<Self, NotAPath> {
        let inner = text.strip_prefix('/').ok_or(NotAPath("a path begins with `/`"))?;
        if text.len() > 1024 {
            return Err(NotAPath("a path in a rule has at most 1024 bytes"));
        }
        if text.contains(['?', '#']) {
            return Err(NotAPath("rules do not see what follows `?` or `#`; write the path alone"));
        }
        if text.contains(['%', '\\', ';']) || text.chars().any(char::is_control) {
            return Err(NotAPath("write the path decoded, without `%`, `\\` and `;`"));
        }
        if text.contains(['{', '}', '[', ']', '|', '^']) {
            return Err(NotAPath(
                "the wildcards are `*` within a segment and `**` for whole segments; in a path that \
                 really holds the sign, `*` stands for it",
            ));
        }
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if inner.is_empty() && text == "/" {
            return Ok(Self(vec![]));
        }
        let mut segments = inner.split('/').map(segment).collect::<Result<Vec<_>, _>>()?;
        segments.dedup_by(|next, last| matches!((next, last), (Segment::Deep, Segment::Deep)));
        if segments.len() > SEGMENTS {
            return Err(NotAPath("a path in a rule has at most 64 segments"));
        }
        Ok(Self(segments))
    }
}

fn segment(text: &str) -> Result<Segment, NotAPath> {
    match text {
        "" | "." | ".." => Err(NotAPath("write the path without `//`, `.` and `..`")),
        _ if text != "**" && text.contains("**") => {
            Err(NotAPath("`**` stands alone between two `/`; within a segment write `*`"))
        }
        _ if text.trim() != text => Err(NotAPath(
            "a segment neither begins nor ends with a blank; in a path that really does, `*` stands \
             for it",
        )),
        _ => Ok(Segment::new(text, false)),
    }
}

impl fmt::Display for PathGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}

impl PathGlob {
    /// The pattern for exactly the path of a request; `None` if the path is ambiguous or would be
    /// read as a pattern.
    pub(crate) fn exactly(path: &str) -> Option<Self> {
        match RequestPath::read(path) {
            RequestPath::Clear(segments) if !path.contains(['*', '%']) => {
                let exact = Self(segments.into_iter().map(Segment::Literal).collect());
                (exact.to_string().parse() == Ok(exact.clone())).then_some(exact)
            }
            _ => None,
        }
    }
}
