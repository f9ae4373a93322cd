//! The moment at which a rule ends.
//!
//! A rule that has ended allows nothing. Nothing here asks a clock: whoever judges says what time it
//! is.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use miette::Diagnostic;
use thiserror::Error;

/// A moment in whole seconds, from the first of the year 2000 to the last of the year 2200, spelled
/// `2026-11-21T18:00:00Z`. The later one is the greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Until(
    /// Seconds since 1970.
    u64,
);

/// Why something is not the end of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum UntilError {
    /// The text is no moment.
    #[error("`{0}` is no moment")]
    #[diagnostic(help(
        "write the day and the time in UTC, to the second, such as `2026-11-21T18:00:00Z`"
    ))]
    Text(String),
    /// The moment is one that nobody means.
    #[error("the end does not lie in the years 2000 to 2200")]
    #[diagnostic(help("name a nearer end; a rule without one holds for good"))]
    Range,
}

impl Until {
    /// `2000-01-01T00:00:00Z`.
    const FIRST: u64 = 946_684_800;
    /// `2200-12-31T23:59:59Z`.
    const LAST: u64 = 7_289_654_399;

    /// The first whole second at which `span` has passed since `now`.
    ///
    /// # Errors
    /// [`UntilError::Range`] if that moment, or the clock, is outside of the years that are known.
    pub fn after(now: SystemTime, span: Duration) -> Result<Self, UntilError> {
        let end = now.checked_add(span).ok_or(UntilError::Range)?;
        let passed = end.duration_since(UNIX_EPOCH).map_err(|_| UntilError::Range)?;
        let begun = u64::from(passed.subsec_nanos() > 0);
        Self::at(passed.as_secs().saturating_add(begun))
    }

    fn at(seconds: u64) -> Result<Self, UntilError> {
        let known = (Self::FIRST..=Self::LAST).contains(&seconds);
        known.then_some(Self(seconds)).ok_or(UntilError::Range)
    }

    /// Whether `now` is that moment or a later one, so that what ends then has ended.
    pub fn is_past(self, now: SystemTime) -> bool {
        self.time() <= now
    }

    /// The moment as the standard library has it.
    pub fn time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0)
    }
}

/// Whether what ends at `own` is there for as long as what ends at `other`; without an end it is
/// there for good.
pub(crate) fn lasts(own: Option<Until>, other: Option<Until>) -> bool {
    own.is_none_or(|own| other.is_some_and(|other| other <= own))
}

/// The earlier one of an end, if there is one, and `until`.
pub(crate) fn earlier(own: Option<Until>, until: Until) -> Option<Until> {
    Some(own.map_or(until, |own| own.min(until)))
}

/// Writes ` until 2026-11-21T18:00:00Z` where there is an end.
pub(crate) fn end(f: &mut fmt::Formatter<'_>, until: Option<Until>) -> fmt::Result {
    until.map_or(Ok(()), |until| write!(f, " until {until}"))
}

impl FromStr for Until {
    type Err = UntilError;

    fn from_str(text: &str) -> Result<Self, UntilError> {
        let wrong = || UntilError::Text(text.chars().take(64).collect());
        let time = humantime::parse_rfc3339(text).map_err(|_| wrong())?;
        let seconds = time.duration_since(UNIX_EPOCH).map_err(|_| wrong())?.as_secs();
        let until = Self::at(seconds)?;
        // Fractions, offsets and leap seconds would be printed as something else.
        if until.to_string() == text { Ok(until) } else { Err(wrong()) }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_seconds(self.time()).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn until(text: &str) -> Until {
        text.parse().unwrap()
    }

    #[test]
    fn the_bounds_are_the_years_that_they_say() {
        assert_eq!(until("2000-01-01T00:00:00Z"), Until(Until::FIRST));
        assert_eq!(until("2200-12-31T23:59:59Z"), Until(Until::LAST));
        for text in ["1999-12-31T23:59:59Z", "2201-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            assert_eq!(text.parse::<Until>(), Err(UntilError::Range), "{text}");
        }
    }

    #[test]
    fn a_moment_has_one_spelling() {
        for text in [
            "",
            "tomorrow",
            "2026-11-21",
            "2026-11-21T18:00:00",
            "2026-11-21 18:00:00Z",
            "2026-11-21t18:00:00z",
            "2026-11-21T18:00:00.0Z",
            "2026-11-21T18:00:00+00:00",
            "2026-11-21T18:00:00+01:00",
            "2026-11-21T23:59:60Z",
            "2026-02-29T00:00:00Z",
            "2026-11-21T18:00:00Z ",
            "+2026-11-21T18:00:00Z",
            "２026-11-21T18:00:00Z",
            "2026-11-21T18:00:00é",
        ] {
            assert_eq!(text.parse::<Until>(), Err(UntilError::Text(text.to_owned())), "{text}");
        }
        let long = "2026-11-21T18:00:00.".to_owned() + &"0".repeat(1 << 20);
        assert!(long.parse::<Until>().unwrap_err().to_string().len() < 100);
    }

    #[test]
    fn a_span_is_there_in_full_and_ends_on_a_second() {
        let now = until("2026-11-21T18:00:00Z").time();
        let hour = Duration::from_secs(3600);
        assert_eq!(Until::after(now, hour), Ok(until("2026-11-21T19:00:00Z")));
        let late = now + Duration::from_millis(1);
        let end = Until::after(late, hour).unwrap();
        assert_eq!(end, until("2026-11-21T19:00:01Z"));
        assert!(!end.is_past(late) && !end.is_past(end.time() - Duration::from_nanos(1)));
        assert!(end.is_past(end.time()) && end.is_past(end.time() + hour));
        for (now, span) in [
            (now, Duration::MAX),
            (now, Duration::from_secs(200 * 366 * 24 * 3600)),
            (UNIX_EPOCH, hour),
            (UNIX_EPOCH - hour, Duration::ZERO),
        ] {
            assert_eq!(Until::after(now, span), Err(UntilError::Range));
        }
    }

    #[test]
    fn what_has_no_end_lasts_longest() {
        let (one, two) = (until("2026-11-21T18:00:00Z"), until("2026-11-21T18:00:01Z"));
        for (own, other, expected) in [
            (None, None, true),
            (None, Some(two), true),
            (Some(two), None, false),
            (Some(two), Some(one), true),
            (Some(one), Some(one), true),
            (Some(one), Some(two), false),
        ] {
            assert_eq!(lasts(own, other), expected, "{own:?} {other:?}");
        }
        assert_eq!(earlier(None, two), Some(two));
        assert_eq!(earlier(Some(one), two), Some(one));
        assert_eq!(earlier(Some(two), one), Some(one));
    }

    proptest! {
        #[test]
        fn printing_and_reading_is_the_identity(seconds in Until::FIRST..=Until::LAST) {
            let until = Until(seconds);
            prop_assert_eq!(until.to_string().parse(), Ok(until));
        }
    }
}
