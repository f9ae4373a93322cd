//! What a client says that it accepts. The SDK wants both media types named; here a wildcard, or no word
//! at all, names them, as HTTP means it (RFC 9110, section 12.5.1). What a client excludes stays excluded.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue};

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

/// Names in `headers` what they accept without naming it.
pub(super) fn spell_out(headers: &mut HeaderMap) {
    let ranges: Vec<String> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.trim().to_ascii_lowercase())
        .filter(|range| !range.is_empty())
        .collect();
    let essence = |range: &str| range.split(';').next().unwrap_or_default().trim().to_owned();
    let says = |wanted: &str| ranges.iter().any(|range| essence(range) == wanted);
    let takes = |wildcard: &str| {
        ranges.iter().any(|range| essence(range) == wildcard && !is_excluded(range))
    };
    let anything = ranges.is_empty() || takes("*/*");
    for (media, wildcard) in [(JSON, "application/*"), (EVENTS, "text/*")] {
        if !says(media) && (anything || takes(wildcard)) {
            headers.append(ACCEPT, HeaderValue::from_static(media));
        }
    }
}

/// Whether a range has a weight of zero.
fn is_excluded(range: &str) -> bool {
    let mut parameters = range.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    parameters
        .find(|(name, _)| name.trim() == "q")
        .is_some_and(|(_, weight)| weight.trim().parse() == Ok(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_silence_name_both() {
        for (given, spelt) in [
            (&[][..], &[JSON, EVENTS][..]),
            (&[""], &["", JSON, EVENTS]),
            (&["*/*"], &["*/*", JSON, EVENTS]),
            (&["text/html, */*;q=0.8"], &["text/html, */*;q=0.8", JSON, EVENTS]),
            (&["Application/*", "TEXT/*"], &["Application/*", "TEXT/*", JSON, EVENTS]),
            (&["application/json"], &["application/json"]),
            (&["application/json, text/*"], &["application/json, text/*", EVENTS]),
            (&["application/json;q=0, */*"], &["application/json;q=0, */*", EVENTS]),
            (&["*/*; q=0.0"], &["*/*; q=0.0"]),
            (&["text/html"], &["text/html"]),
        ] {
            let mut headers = HeaderMap::new();
            for value in given {
                headers.append(ACCEPT, value.parse().unwrap());
            }
            spell_out(&mut headers);
            let values: Vec<&str> =
                headers.get_all(ACCEPT).iter().map(|value| value.to_str().unwrap()).collect();
            assert_eq!(values, spelt, "{given:?}");
        }
    }
}
