//! What can be said about a message that is not understood: what is wrong with it, and whose it was.
//! The `id` at the top level of a JSON object is found without building anything of the rest, so
//! that a message that is too long, too deep or of the wrong shape can still be answered to whoever
//! waits for it. The scanner must never hold more than one key and one id, however long the message.

use rmcp::model::{ErrorCode, ErrorData, RequestId};
use serde_json::Value;

use crate::shape;

/// The longest key and the longest id that are kept, in bytes.
const LONGEST: usize = 256;

/// What is wrong with a message that the SDK did not understand.
#[derive(Debug)]
pub(crate) struct Fault {
    /// What to answer.
    pub(crate) error: ErrorData,
    /// To whom.
    pub(crate) id: Option<RequestId>,
    /// Whether it was meant as a notification, which wants no answer.
    pub(crate) notification: bool,
}

impl Fault {
    /// Looks at `message` again, now for what is wrong.
    pub(crate) fn of(message: &[u8]) -> Self {
        let invalid = |words: &'static str| Self {
            error: ErrorData::invalid_request(words, None),
            id: id_of(message),
            notification: false,
        };
        match serde_json::from_slice::<Value>(message) {
            // The parser counts depth as syntax.
            Err(error) if error.to_string().starts_with("recursion limit") => {
                invalid("the message is nested too deeply")
            }
            Err(error) => {
                let words = format!("the message is not JSON: {error}");
                let error = ErrorData::new(ErrorCode::PARSE_ERROR, words, None);
                // Who waits for an answer shall get one, if it can be told who that is.
                Self { error, id: id_of(message), notification: false }
            }
            Ok(Value::Array(_)) => {
                invalid("batches are not part of the protocol: send one message at a time")
            }
            Ok(value) => {
                let words = "the message is not a JSON-RPC 2.0 request, notification or response";
                let notification = value.get("method").is_some() && value.get("id").is_none();
                Self { notification, ..invalid(words) }
            }
        }
    }
}

impl Fault {
    /// What is wrong with the parameters of a request that is one otherwise.
    pub(crate) fn of_parameters(message: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(message).ok()?;
        let method = value.get("method")?.as_str()?;
        let words = shape::misfit(method, value.get("params"))?;
        let (error, id) = (ErrorData::invalid_params(words, None), id_of(message));
        id.is_some().then_some(Self { error, id, notification: false })
    }
}

/// The most values that one message may hold. Each takes many times its size once it is read.
const PARTS: usize = 300_000;

/// What is wrong with a message that would take far more memory than it has bytes.
pub(crate) fn bomb(message: &[u8]) -> Option<Fault> {
    // A shorter message cannot hold enough of them.
    if message.len() < PARTS || parts(message) <= PARTS {
        return None;
    }
    let words = format!("a message may hold at most {PARTS} values");
    let error = ErrorData::invalid_request(words, None);
    Some(Fault { error, id: id_of(message), notification: false })
}

/// How many values begin in `message`, as far as it is JSON.
fn parts(message: &[u8]) -> usize {
    let (mut count, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in message {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => count = count.saturating_add(1),
            _ => {}
        }
    }
    count
}

/// Finds the top-level `id` of one JSON object that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct IdScanner {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// What stands at the top level: a key, or the value of the key in `key`.
    place: Place,
    /// The string or scalar being read at the top level, quotes and all.
    token: Vec<u8>,
    key_is_id: bool,
    found: Option<Vec<u8>>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Key,
    Value,
}

impl IdScanner {
    /// Reads on.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.in_string {
                self.inside_string(byte);
            } else {
                self.outside_string(byte);
            }
        }
    }

    /// The id, if the object had one that the protocol allows: a string or an integer.
    pub(crate) fn id(&self) -> Option<RequestId> {
        serde_json::from_slice(self.found.as_deref()?).ok()
    }

    fn inside_string(&mut self, byte: u8) {
        self.keep(byte);
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_string = false,
            _ => {}
        }
    }

    fn outside_string(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.in_string = true;
                self.keep(byte);
            }
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => {
                self.end_of_entry();
                self.depth = self.depth.saturating_sub(1);
            }
            b',' => self.end_of_entry(),
            b':' if self.depth == 1 && self.place == Place::Key => {
                self.key_is_id = self.token == b"\"id\"";
                self.token.clear();
                self.place = Place::Value;
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => self.keep(byte),
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.depth == 1 && self.token.len() <= LONGEST {
            self.token.push(byte);
        }
    }

    fn end_of_entry(&mut self) {
        if self.depth != 1 {
            return;
        }
        let token = std::mem::take(&mut self.token);
        if self.place == Place::Value && self.key_is_id && token.len() <= LONGEST {
            self.found = Some(token);
        }
        self.place = Place::Key;
        self.key_is_id = false;
    }
}

/// The top-level `id` of `message`.
pub(crate) fn id_of(message: &[u8]) -> Option<RequestId> {
    let mut scanner = IdScanner::default();
    scanner.feed(message);
    scanner.id()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_id_is_found_wherever_it_stands() {
        let text = RequestId::String("a\"b".into());
        for (message, id) in [
            (r#"{"jsonrpc":"2.0","id":7,"method":"x"}"#, Some(RequestId::Number(7))),
            (r#"{"params":{"id":1,"a":[{"id":2}]}, "id" : "a\"b" }"#, Some(text)),
            (r#"{"id":-1"#, None),
            (r#"{"id":1.5}"#, None),
            (r#"{"id":null}"#, None),
            (r#"{"id":[1]}"#, None),
            (r#"{"value":"id","x":3}"#, None),
            (r#"[{"id":1}]"#, None),
            (r#""id":1"#, None),
            ("", None),
        ] {
            assert_eq!(id_of(message.as_bytes()), id, "{message}");
        }
    }

    #[test]
    fn a_long_id_is_not_kept() {
        assert_eq!(id_of(format!("{{\"id\":\"{}\"}}", "x".repeat(1 << 20)).as_bytes()), None);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("(id|[a-z\"\\\\]{0,3})", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_parser(params in value(), id in any::<i64>(), cut in 0usize..64) {
            let message = json!({"params": params, "id": id, "more": params}).to_string();
            let (head, tail) = message.as_bytes().split_at(cut.min(message.len()));
            let mut scanner = IdScanner::default();
            scanner.feed(head);
            scanner.feed(tail);
            prop_assert_eq!(scanner.id(), Some(RequestId::Number(id)));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            id_of(&bytes);
        }
    }
}
