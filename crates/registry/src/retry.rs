//! When to try again. Pure: what time it is, and what chance says, is given.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;

/// The longest wait between two attempts, unless a server asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The longest wait that a server may ask for.
pub(crate) const LONGEST_OBEYED: Duration = Duration::from_secs(60);

/// The wait after `failures` of them: `first`, doubled each time. Up to half of it is taken off by
/// `chance`, so that those who failed together do not come back together.
pub(crate) fn pause(first: Duration, failures: u32, chance: u8) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    let full = first.saturating_mul(doubled).min(LONGEST_PAUSE);
    full - full / 2 * u32::from(chance) / 255
}

/// When a server asks to come back: in so many seconds, or at a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are a very long time.
        return (!text.is_empty()).then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_differ_by_chance() {
        let first = Duration::from_millis(500);
        for (failures, most) in [(1, 500), (2, 1000), (3, 2000), (6, 16_000), (7, 30_000)] {
            let most = Duration::from_millis(most);
            assert_eq!(pause(first, failures, 0), most);
            assert_eq!(pause(first, failures, 255), most / 2);
            let between = pause(first, failures, 100);
            assert!(most / 2 < between && between < most, "{between:?}");
        }
        assert_eq!(pause(first, u32::MAX, 0), LONGEST_PAUSE);
        assert_eq!(pause(Duration::ZERO, 9, 7), Duration::ZERO);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sat, 21 Nov 2026 12:00:00 GMT").unwrap();
        for (text, expected) in [
            ("0", Some(0)),
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sat, 21 Nov 2026 12:00:09 GMT", Some(9)),
            ("Saturday, 21-Nov-26 12:00:09 GMT", Some(9)),
            ("Sat, 21 Nov 2026 11:00:00 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            let headers =
                HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
