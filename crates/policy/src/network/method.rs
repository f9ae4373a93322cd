//! The methods that a rule can name. What reads like a pattern, or like several methods at once, would
//! hold for no request at all, and never becomes one.

use crate::document::nearest_to;
use crate::network::error::NetworkRuleError;

/// The longest method of a rule, in bytes.
const LONGEST: usize = 32;

/// The methods that are registered, and two that servers of caches know.
const KNOWN: [&str; 41] = [
    "ACL",
    "BAN",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
    "M-SEARCH",
];

/// Reads one method, in any case.
pub(super) fn method(text: &str) -> Result<String, NetworkRuleError> {
    let wrong = |help: String| NetworkRuleError::Method { text: text.to_owned(), help };
    let method = text.to_ascii_uppercase();
    match method.as_str() {
        "*" | "ALL" | "ANY" | "" => {
            return Err(wrong("leave `methods` out to mean all of them".to_owned()));
        }
        "CONNECT" | "PRI" => {
            return Err(wrong("leave it out: no component can use it".to_owned()));
        }
        _ if is_name(&method) => return Ok(method),
        _ => {}
    }
    let single: Vec<_> = method.split(SEPARATORS).filter(|part| !part.is_empty()).collect();
    Err(wrong(if single.iter().all(|part| is_name(part)) && !single.is_empty() {
        format!("write each by itself: `[\"{}\"]`", single.join("\", \""))
    } else {
        "write each method by its name, such as `GET`; leave `methods` out to mean all".to_owned()
    }))
}

/// What people put between several words in one text.
pub(crate) const SEPARATORS: [char; 8] = [' ', '\t', ',', ';', '|', '/', '+', '&'];

/// Any method that a component might use: letters, digits, `-` and `_`.
fn is_name(method: &str) -> bool {
    method.len() <= LONGEST
        && method.starts_with(|first: char| first.is_ascii_alphabetic())
        && method.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What is to be known of a method that a rule names: it is one of a server's own, or misspelled.
pub(crate) fn doubt(method: &str) -> Option<String> {
    if KNOWN.contains(&method) {
        return None;
    }
    let near = nearest_to(method, &KNOWN).map(|near| format!("; did you mean `{near}`?"));
    Some(format!("`{method}` is a method that few servers know{}", near.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(text: &str) -> String {
        match method(text) {
            Err(NetworkRuleError::Method { help, .. }) => help,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_method_is_one_name_in_any_case() {
        for text in KNOWN.into_iter().chain(["X-CUSTOM", "MY_METHOD", "V2"]) {
            assert_eq!(method(&text.to_lowercase()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn denied_methods_that_no_request_has() {
        for text in ["*", "all", "Any", ""] {
            assert_eq!(help(text), "leave `methods` out to mean all of them", "{text}");
        }
        for text in ["connect", "PRI"] {
            assert!(help(text).contains("no component can use it"), "{text}");
        }
        for text in
            ["GET,POST", "get post", "GET|POST", "GET, POST", "GET/POST", "GET+POST", "GET;POST"]
        {
            assert_eq!(help(text), "write each by itself: `[\"GET\", \"POST\"]`", "{text}");
        }
        let long = "A".repeat(LONGEST + 1);
        for text in [
            "G*",
            "P?T",
            "!GET",
            "^GET$",
            "~GET",
            "GET.",
            "(GET)",
            "GÉT",
            "GET\u{200b}",
            "-GET",
            "1",
            "%47ET",
            "'GET'",
            "|",
            long.as_str(),
        ] {
            assert!(help(text).contains("by its name"), "{text}");
        }
        assert_eq!(help("GET "), "write each by itself: `[\"GET\"]`");
    }

    #[test]
    fn a_misspelled_method_is_told() {
        assert_eq!(doubt("PROPFIND"), None);
        assert!(doubt("DELET").unwrap().ends_with("; did you mean `DELETE`?"));
        assert!(!doubt("LONG-AND-OF-ITS-OWN").unwrap().contains("did you mean"));
    }
}
