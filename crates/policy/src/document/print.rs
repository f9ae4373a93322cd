//! A policy as text: the shape with `version` and `permissions`, always the same for the same policy,
//! without anything that says nothing.

use serde_json::{Map, Value, json};

use crate::network::InjectText;
use crate::{NetworkRule, Policy, Setting, StorageRule, Until, VariableRule};

/// Whether the fixed values of variables are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    Shown,
    Hidden,
}

impl Policy {
    /// The policy as JSON, in the shape with `version` and `permissions`.
    pub fn to_json(&self) -> Value {
        self.document(Values::Shown)
    }

    /// The policy as JSON for who may not know the values that it gives to variables: each is
    /// `(set)`, so what can be read from it is another policy.
    pub fn to_json_for_models(&self) -> Value {
        self.document(Values::Hidden)
    }

    fn document(&self, values: Values) -> Value {
        let mut document = Map::new();
        document.insert("version".to_owned(), json!("1.0"));
        if let Some(description) = &self.description {
            document.insert("description".to_owned(), json!(description));
        }
        document.insert("permissions".to_owned(), self.permissions(values));
        Value::Object(document)
    }

    /// The policy as YAML. What [`Policy::parse`] reads from it is this policy again.
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        if let Value::Object(document) = self.to_json() {
            map(&mut text, &document, 0);
        }
        text
    }

    fn permissions(&self, values: Values) -> Value {
        let storage = &self.storage;
        let network = &self.network;
        let limits = self.limits.iter().map(|(name, setting)| (name.to_owned(), amount(setting)));
        section([
            (
                "storage",
                section([
                    ("allow", list(&storage.allow, |rule| file(rule, true))),
                    ("deny", list(&storage.deny, |rule| file(rule, false))),
                ]),
            ),
            (
                "network",
                section([
                    ("allow", list(&network.allow, host)),
                    ("deny", list(&network.deny, host)),
                ]),
            ),
            (
                "environment",
                section([("allow", list(&self.environment, |rule| variable(rule, values)))]),
            ),
            ("resources", section([("limits", Value::Object(limits.collect()))])),
        ])
    }
}

/// A map of the entries that say something.
fn section<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let empty = |value: &Value| match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Null => true,
        _ => false,
    };
    let said = entries.into_iter().filter(|(_, value)| !empty(value));
    Value::Object(said.map(|(key, value)| (key.to_owned(), value)).collect())
}

fn list<R>(rules: &[R], print: impl Fn(&R) -> Value) -> Value {
    rules.iter().map(print).collect()
}

fn file(rule: &StorageRule, allow: bool) -> Value {
    let accesses: Vec<_> = rule.access.iter().map(|access| access.to_string()).collect();
    // In a deny rule both is what is meant where nothing is said.
    let access = if allow || accesses.len() == 1 { json!(accesses) } else { Value::Null };
    section([("uri", json!(rule.uri.to_string())), ("access", access), ("until", end(rule.until))])
}

fn host(rule: &NetworkRule) -> Value {
    let text = rule.written();
    let ports = text.ports.map(|ports| {
        // One port is a number, a range is a text.
        let port =
            |port: &String| port.parse::<u16>().map_or_else(|_| json!(port), |port| json!(port));
        ports.iter().map(port).collect::<Value>()
    });
    let header =
        |InjectText { header, value }: &InjectText| json!({"header": header, "value": value});
    let inject = match text.inject.as_slice() {
        [one] => header(one),
        several => several.iter().map(header).collect(),
    };
    section([
        ("host", json!(text.host)),
        ("cidr", json!(text.cidr)),
        ("tcp", json!(text.tcp)),
        ("udp", json!(text.udp)),
        ("schemes", json!(text.schemes)),
        ("ports", json!(ports)),
        ("methods", json!(text.methods)),
        ("paths", json!(text.paths)),
        ("private", if text.private { json!(true) } else { Value::Null }),
        ("inject", inject),
        ("until", end(rule.until())),
    ])
}

fn variable(rule: &VariableRule, values: Values) -> Value {
    let value = match (&rule.value, values) {
        (Some(_), Values::Hidden) => json!("(set)"),
        (value, _) => json!(value),
    };
    section([("key", json!(rule.key)), ("value", value), ("until", end(rule.until))])
}

fn end(until: Option<Until>) -> Value {
    until.map_or(Value::Null, |until| json!(until.to_string()))
}

fn amount(setting: &Setting) -> Value {
    match setting {
        Setting::Text(text) => json!(text),
        Setting::Number(number) => json!(number),
    }
}

/// Writes the entries of a map, each in a line that begins `indent` blanks from the left.
fn map(text: &mut String, entries: &Map<String, Value>, indent: usize) {
    for (index, (key, value)) in entries.iter().enumerate() {
        // What begins an item stands behind its dash already.
        if index > 0 || !text.ends_with("- ") {
            text.extend(std::iter::repeat_n(' ', indent));
        }
        text.push_str(key);
        text.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                map(text, inner, indent + 2);
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                text.push('\n');
                for item in items.iter().filter_map(Value::as_object) {
                    text.extend(std::iter::repeat_n(' ', indent + 2));
                    text.push_str("- ");
                    map(text, item, indent + 4);
                }
            }
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(Value::to_string).collect();
                text.push_str(&format!(" [{}]\n", items.join(", ")));
            }
            // A text of JSON, in its quotes, is a text of YAML.
            scalar => text.push_str(&format!(" {scalar}\n")),
        }
    }
}
