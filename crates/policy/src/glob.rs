//! Patterns over segments, for paths of files and of URLs: `*` and `?` within a segment, `**` for any
//! number of whole segments.
//!
//! Matching walks once over the path and carries the set of places in the pattern that are still
//! possible, so no pattern and no path can make it take longer than their lengths multiplied.

use std::fmt;

/// The most segments of a pattern: one bit each in a set of places, and room to spare.
pub(crate) const SEGMENTS: usize = 64;

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Segment {
    /// Itself.
    Literal(String),
    /// With `*` or `?` in it.
    Pattern(String),
    /// `**`: any number of segments, also none.
    Deep,
}

impl Segment {
    /// Reads one segment. `question` says whether `?` stands for one character here.
    pub(crate) fn new(text: &str, question: bool) -> Self {
        if text == "**" {
            Self::Deep
        } else if text.contains('*') || (question && text.contains('?')) {
            Self::Pattern(text.to_owned())
        } else {
            Self::Literal(text.to_owned())
        }
    }

    /// The text of a segment without a wildcard.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Pattern(_) | Self::Deep => None,
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) | Self::Pattern(text) => f.write_str(text),
            Self::Deep => f.write_str("**"),
        }
    }
}

/// How letters are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// As they are.
    Exact,
    /// ASCII letters without their case.
    Ignored,
}

impl Case {
    fn same(self, left: char, right: char) -> bool {
        match self {
            Self::Exact => left == right,
            Self::Ignored => left.eq_ignore_ascii_case(&right),
        }
    }

    fn equal(self, left: &str, right: &str) -> bool {
        match self {
            Self::Exact => left == right,
            Self::Ignored => left.eq_ignore_ascii_case(right),
        }
    }
}

/// What a pattern says about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The pattern matches the path.
    pub(crate) matches: bool,
    /// The pattern may match something below the path.
    pub(crate) leads: bool,
}

/// How `pattern` and `path` stand to each other. `below` adds to what the pattern matches everything
/// that lies below it.
pub(crate) fn reach<'a>(
    pattern: &[Segment],
    below: bool,
    case: Case,
    path: impl IntoIterator<Item = &'a str>,
) -> Reach {
    let end = pattern.len();
    let mut places = settled(pattern, 1);
    for text in path {
        let mut next = 0;
        for (place, segment) in pattern.iter().enumerate().filter(|(place, _)| has(places, *place))
        {
            match segment {
                Segment::Deep => next |= bit(place),
                Segment::Literal(literal) if case.equal(literal, text) => next |= bit(place + 1),
                Segment::Pattern(pattern) if within(pattern, text, case) => next |= bit(place + 1),
                Segment::Literal(_) | Segment::Pattern(_) => {}
            }
        }
        if below && has(places, end) {
            next |= bit(end);
        }
        places = settled(pattern, next);
    }
    let matches = has(places, end);
    Reach { matches, leads: places & !bit(end) != 0 || (below && matches) }
}

/// A set of places in a pattern; a pattern longer than the set has bits matches nothing beyond it.
fn bit(place: usize) -> u128 {
    u32::try_from(place).ok().and_then(|place| 1_u128.checked_shl(place)).unwrap_or(0)
}

fn has(places: u128, place: usize) -> bool {
    places & bit(place) != 0
}

/// Adds what is reached by letting a `**` stand for nothing.
fn settled(pattern: &[Segment], mut places: u128) -> u128 {
    for (place, segment) in pattern.iter().enumerate() {
        if matches!(segment, Segment::Deep) && has(places, place) {
            places |= bit(place + 1);
        }
    }
    places
}

/// Whether one segment matches. Only the last `*` is ever tried again, which is enough: what an
/// earlier one took can always be given to the later.
fn within(pattern: &str, text: &str, case: Case) -> bool {
    let (mut wanted, mut left) = (pattern.chars(), text.chars());
    let mut again = None;
    loop {
        let from = left.clone();
        match (wanted.next(), left.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                left = from;
                again = Some((wanted.clone(), left.clone()));
                continue;
            }
            (Some('?'), Some(_)) => continue,
            (Some(letter), Some(found)) if case.same(letter, found) => continue,
            _ => {}
        }
        let Some((star, mut taken)) = again.take() else { return false };
        if taken.next().is_none() {
            return false;
        }
        (wanted, left) = (star.clone(), taken.clone());
        again = Some((star, taken));
    }
}

#[cfg(test)]
mod tests;
