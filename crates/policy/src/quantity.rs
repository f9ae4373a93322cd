//! Amounts as people write them: `256Mi`, `30s`. An amount is never zero and never unlimited.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use miette::Diagnostic;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum QuantityError {
    /// The text is not a number of bytes.
    #[error("`{0}` is not an amount of memory")]
    #[diagnostic(help(
        "write a whole number with a unit of Kubernetes, such as `512Ki`, `256Mi` or `1Gi`"
    ))]
    Bytes(String),
    /// The text is not a duration.
    #[error("`{0}` is not a duration")]
    #[diagnostic(help("write a number with a unit, such as `500ms`, `10s` or `2min`"))]
    Span(String),
    /// The text is neither processor time nor a share of a core that exists.
    #[error("`{0}` is not an amount of processor time")]
    #[diagnostic(help(
        "write processor time, such as `10s`, or a share of one core, such as `500m` or `1`"
    ))]
    Share(String),
    /// Zero would mean either nothing or everything, so it means neither.
    #[error("`{0}` is not allowed as a limit")]
    #[diagnostic(help(
        "every limit is finite and above zero; leave the key out to keep the default"
    ))]
    Zero(String),
}

/// A positive number of bytes. Spelled as Kubernetes does: plain, or with `k`, `M`, `G` (powers of
/// 1000) or `Ki`, `Mi`, `Gi`, `Ti` (powers of 1024).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(u64);

impl Bytes {
    const UNITS: [(&'static str, u64); 7] = [
        ("Ti", 1 << 40),
        ("Gi", 1 << 30),
        ("Mi", 1 << 20),
        ("Ki", 1 << 10),
        ("G", 1_000_000_000),
        ("M", 1_000_000),
        ("k", 1_000),
    ];

    /// `count` mebibytes, at least one.
    pub const fn mebi(count: u32) -> Self {
        Self(if count == 0 { 1 << 20 } else { (count as u64) << 20 })
    }

    /// `count` kibibytes, at least one.
    pub const fn kibi(count: u32) -> Self {
        Self(if count == 0 { 1 << 10 } else { (count as u64) << 10 })
    }

    /// The number of bytes.
    pub const fn count(self) -> u64 {
        self.0
    }

    pub(crate) fn doubled(self) -> Self {
        Self(self.0.saturating_mul(2))
    }

    /// The number of bytes as a size of this machine; the largest size where it does not fit.
    pub fn size(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for Bytes {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let wrong = || QuantityError::Bytes(text.to_owned());
        let (digits, unit) = Self::UNITS
            .iter()
            .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit)))
            .unwrap_or((text, 1));
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        match number.checked_mul(unit).ok_or_else(wrong)? {
            0 => Err(QuantityError::Zero(text.to_owned())),
            bytes => Ok(Self(bytes)),
        }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::UNITS.iter().find(|(_, unit)| self.0.is_multiple_of(*unit)) {
            Some((suffix, unit)) => write!(f, "{}{suffix}", self.0 / unit),
            None => write!(f, "{}", self.0),
        }
    }
}

/// A positive length of time, spelled `500ms`, `10s`, `2min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

impl Span {
    /// `count` seconds, at least one.
    pub const fn seconds(count: u32) -> Self {
        Self(Duration::from_secs(if count == 0 { 1 } else { count as u64 }))
    }

    pub(crate) fn doubled(self) -> Self {
        Self(self.0.saturating_mul(2))
    }

    /// The length as the standard library has it.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Span {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let duration: Duration =
            humantime::parse_duration(text).map_err(|_| QuantityError::Span(text.to_owned()))?;
        // A year is for ever here, and arithmetic on deadlines must not overflow.
        if duration > Duration::from_secs(366 * 24 * 3600) {
            return Err(QuantityError::Span(text.to_owned()));
        }
        if duration.is_zero() {
            return Err(QuantityError::Zero(text.to_owned()));
        }
        Ok(Self(duration))
    }
}

impl fmt::Display for Span {
    /// One number with the largest unit that divides it. Minutes are never printed: `2m` would be
    /// read as a share of a core where processor time is meant.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let units =
            [("h", 3_600_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)];
        match units.iter().find(|(_, unit)| nanos.is_multiple_of(*unit)) {
            Some((suffix, unit)) => write!(f, "{}{suffix}", nanos / unit),
            None => write!(f, "{nanos}ns"),
        }
    }
}

/// A share of one core, in thousandths, spelled as Kubernetes does: `500m`, `1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Share(u32);

impl Share {
    /// More cores than any machine gives to one guest, which runs on one at a time.
    const MOST: u32 = 64_000;

    /// The processor time which that share is of `time` on the clock.
    pub(crate) fn of(self, time: Span) -> Span {
        let nanos = time.0.as_nanos().saturating_mul(u128::from(self.0)) / 1000;
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX).max(1);
        Span(Duration::from_nanos(nanos))
    }

    /// The share that `text` spells; none if it is spelled otherwise, as a duration is.
    pub(crate) fn read(text: &str) -> Option<Result<Self, QuantityError>> {
        let (digits, unit) = text.strip_suffix('m').map_or((text, 1000), |digits| (digits, 1));
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let share = digits.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
        Some(match share {
            Some(0) => Err(QuantityError::Zero(text.to_owned())),
            Some(share) if share <= Self::MOST => Ok(Self(share)),
            _ => Err(QuantityError::Share(text.to_owned())),
        })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}m", self.0)
    }
}

/// Written and read as people spell them, in every format.
macro_rules! as_text {
    ($($amount:ty),*) => {$(
        impl Serialize for $amount {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $amount {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
as_text!(Bytes, Span);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_are_read_as_kubernetes_spells_them() {
        for (text, count) in [
            ("1", 1),
            ("64Ki", 65_536),
            ("256Mi", 268_435_456),
            ("1G", 1_000_000_000),
            ("2k", 2000),
        ] {
            assert_eq!(text.parse::<Bytes>().unwrap().count(), count, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "Mi", "-1", "1.5Gi", "1e30", "99999999999Ti", "unlimited", "1 Mi", "１"] {
            assert_eq!(text.parse::<Bytes>(), Err(QuantityError::Bytes(text.to_owned())));
        }
        for text in ["", "10", "-1s", "for ever", "1000000000000y"] {
            assert_eq!(text.parse::<Span>(), Err(QuantityError::Span(text.to_owned())));
        }
        assert_eq!("0Mi".parse::<Bytes>(), Err(QuantityError::Zero("0Mi".to_owned())));
        assert_eq!("0s".parse::<Span>(), Err(QuantityError::Zero("0s".to_owned())));
    }

    #[test]
    fn a_share_is_of_the_time_on_the_clock() {
        let read =
            |text| Share::read(text).map(|share| share.map(|share| share.of(Span::seconds(60))));
        assert_eq!(read("500m"), Some(Ok(Span::seconds(30))));
        assert_eq!(read("1"), Some(Ok(Span::seconds(60))));
        for text in ["2s", "m", "", "-1m", "1.5", "5min"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("0"), Some(Err(QuantityError::Zero("0".to_owned()))));
        for text in ["65", "64001m", "99999999999m"] {
            assert_eq!(read(text), Some(Err(QuantityError::Share(text.to_owned()))));
        }
    }

    #[test]
    fn minutes_are_printed_as_seconds() {
        for (text, printed) in
            [("2m", "120s"), ("1h", "1h"), ("90min", "5400s"), ("1500ms", "1500ms")]
        {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), printed);
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_bytes_is_the_identity(count in 1..u64::MAX) {
            let bytes = Bytes(count);
            prop_assert_eq!(bytes.to_string().parse(), Ok(bytes));
        }

        #[test]
        fn printing_and_reading_spans_is_the_identity(millis in 1..31_000_000_000_u64) {
            let span = Span(Duration::from_millis(millis));
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
