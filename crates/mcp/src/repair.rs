//! Messages that a browser's JSON parser reads and ours does not: half of a surrogate pair in a string,
//! a number beyond what a double holds, nesting beyond ours. JavaScript clients send them, and wait for
//! an answer with their id. What cannot be read becomes null, and its place is remembered, so that the
//! request can be answered where it belongs. A place within a tool's arguments must never reach the
//! tool as null: see [`Unreadable::in_arguments`].

use std::collections::BTreeMap;

use rmcp::model::Extensions;
use serde_json::Value;
use serde_json::value::RawValue;

/// How deep the place of what cannot be read is looked for: `params.arguments` and a few levels more.
const DEPTH: usize = 6;

/// The longest place that is told, in characters.
const LONGEST_PLACE: usize = 100;

/// What could not be read in a message. If there is more, what is in a tool's arguments: that must not be
/// hidden by anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Such as `params.arguments.text`.
    place: String,
    why: &'static str,
}

impl Unreadable {
    /// What is wrong with the arguments of a call, where that is where it is.
    pub(crate) fn in_arguments(extensions: &Extensions) -> Option<String> {
        let over_http = || extensions.get::<axum::http::request::Parts>()?.extensions.get::<Self>();
        let found = extensions.get::<Self>().or_else(over_http)?;
        found.is_in_arguments().then(|| {
            let place = found.place.strip_prefix("params.").unwrap_or(&found.place);
            let place: String = place.chars().take(LONGEST_PLACE).collect();
            format!("{place}: {}", found.why)
        })
    }

    fn is_in_arguments(&self) -> bool {
        let rest = self.place.strip_prefix("params.arguments");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

/// `message` with null in the place of what cannot be read, and where that is: nowhere, if a browser
/// would pass over it, as over the first of two members of one name. `None` if there is nothing to
/// repair, or no JSON object for a browser either.
pub(crate) fn repaired(message: &[u8]) -> Option<(String, Option<Unreadable>)> {
    if serde_json::from_slice::<Value>(message).is_ok() {
        return None;
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(message).ok()?;
    let mut found = None;
    let read = members.iter().map(|(key, raw)| (key.clone(), read(raw, key, DEPTH, &mut found)));
    let repaired = Value::Object(read.collect());
    Some((repaired.to_string(), found))
}

fn read(raw: &RawValue, place: &str, depth: usize, found: &mut Option<Unreadable>) -> Value {
    let error = match serde_json::from_str(raw.get()) {
        Ok(value) => return value,
        Err(error) => error,
    };
    if let Some(depth) = depth.checked_sub(1) {
        if let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(raw.get()) {
            let member = |(key, raw): (&String, &&RawValue)| {
                (key.clone(), read(raw, &format!("{place}.{key}"), depth, found))
            };
            return Value::Object(members.iter().map(member).collect());
        }
        if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            let item = |(index, raw): (usize, &&RawValue)| {
                read(raw, &format!("{place}[{index}]"), depth, found)
            };
            return Value::Array(items.iter().enumerate().map(item).collect());
        }
    }
    let unreadable = Unreadable { place: place.to_owned(), why: why(&error) };
    let is_kept =
        found.as_ref().is_some_and(|kept| kept.is_in_arguments() || !unreadable.is_in_arguments());
    if !is_kept {
        *found = Some(unreadable);
    }
    Value::Null
}

/// The parser tells its errors apart by their words alone.
fn why(error: &serde_json::Error) -> &'static str {
    let words = error.to_string();
    if words.contains("surrogate") || words.contains("hex escape") {
        "half of a surrogate pair, which is no character; write the whole one, or leave it out"
    } else if words.contains("number out of range") {
        "the number is larger than any that can be represented"
    } else if words.contains("recursion limit") {
        "nested too deeply"
    } else {
        "cannot be read as JSON"
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn found(message: &str) -> (Value, String, &'static str) {
        let (repaired, found) = repaired(message.as_bytes()).unwrap();
        let Unreadable { place, why } = found.unwrap();
        (serde_json::from_str(&repaired).unwrap(), place, why)
    }

    #[test]
    fn what_cannot_be_read_is_named_and_the_rest_stays() {
        let deep = format!(r#"{{"id":1,"a":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        for (message, rest, place, why) in [
            (
                r#"{"id":1,"params":{"name":"t","arguments":{"text":"a \ud99c b","n":1}}}"#,
                json!({"id": 1, "params": {"name": "t", "arguments": {"text": null, "n": 1}}}),
                "params.arguments.text",
                "half of a surrogate pair",
            ),
            (
                r#"{"id":"x","params":{"list":[1, 1e400, -1e999]}}"#,
                json!({"id": "x", "params": {"list": [1, null, null]}}),
                "params.list[1]",
                "the number is larger",
            ),
            (
                r#"{"id":1,"s":"\udc00\ud800"}"#,
                json!({"id": 1, "s": null}),
                "s",
                "half of a surrogate",
            ),
            (
                r#"{"id":1,"s":"\ud800\u0041"}"#,
                json!({"id": 1, "s": null}),
                "s",
                "half of a surrogate",
            ),
        ] {
            let (value, at, reason) = found(message);
            assert_eq!((&value, at.as_str()), (&rest, place), "{message}");
            assert!(reason.starts_with(why), "{message}: {reason}");
        }
        let (value, place, why) = found(&deep);
        assert_eq!((&value["id"], why), (&json!(1), "nested too deeply"));
        assert!(place.starts_with("a[0][0]"), "{place}");
    }

    #[test]
    fn what_nobody_can_read_is_not_repaired() {
        for message in ["", "{", r#"{"a":01}"#, r#"{"a":"\x"}"#, "[1e400]", r#"{"a":1e400"#, "nul"]
        {
            assert_eq!(repaired(message.as_bytes()), None, "{message}");
        }
        // Of two members with one name, browsers take the last.
        let twice = repaired(br#"{"id":1,"a":1e400,"a":2}"#).unwrap();
        assert_eq!(twice, (r#"{"a":2,"id":1}"#.to_owned(), None));
        // What can be read needs none.
        assert_eq!(repaired(br#"{"id":1}"#), None);
    }

    /// Values as browsers read them, in their own spelling.
    fn browser_json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("-0".to_owned()),
            "-?[1-9][0-9]{0,40}(\\.[0-9]{1,3})?(e[+-]?[0-9]{1,4})?",
            "\"[a-z\u{e4}\u{2028}]{0,6}\"",
            "\"(\\\\u[0-9a-f]{4}){0,4}\"",
            "\"(\\\\ud[89a-f][0-9a-f]{2}){0,3}\"",
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|items| format!("[{}]", items.join(" , "))),
                prop::collection::vec(("[a-z]{0,3}", inner), 0..4).prop_map(|members| {
                    let members: Vec<String> =
                        members.iter().map(|(key, value)| format!("\"{key}\":\t{value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_a_browser_reads_is_read_or_repaired(params in browser_json(), id in any::<i64>()) {
            let message = format!(r#"{{"method":"m","params":{params},"id":{id}}}"#);
            let value: Value = match serde_json::from_str(&message) {
                Ok(value) => value,
                Err(_) => {
                    let (repaired, _) = repaired(message.as_bytes()).unwrap();
                    serde_json::from_str(&repaired).unwrap()
                }
            };
            prop_assert_eq!(&value["id"], &json!(id));
            prop_assert_eq!(&value["method"], "m");
        }

        #[test]
        fn nothing_else_hides_what_is_wrong_with_the_arguments(
            arguments in browser_json(),
            other in browser_json(),
        ) {
            let found = |message: String| {
                let (_, found) = repaired(message.as_bytes())?;
                found.filter(Unreadable::is_in_arguments)
            };
            let alone = format!(r#"{{"id":1,"params":{{"arguments":{arguments}}}}}"#);
            let beside = format!(
                r#"{{"ext":{other},"id":1,"params":{{"_meta":{other},"arguments":{arguments},"argumentsX":{other}}}}}"#
            );
            prop_assert_eq!(found(alone), found(beside));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            repaired(&bytes);
        }
    }
}
