//! The maps, lists and single values of a document, asked for by their keys, and what to write where
//! something else stands.
//!
//! A map is asked for all of its keys first, so that nothing in it is passed over but what
//! [`IGNORED`](keys::IGNORED) names.

use miette::Diagnostic;

use super::keys::{self, Holds, Section};
use super::tree::{Entry, Node, Value};
use super::{Ignored, Policy, PolicyError};
use crate::network::{Cidr, SEPARATORS};

/// The entries of a map whose keys are all known.
pub(super) struct Fields<'a> {
    pub(super) map: &'a Node,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    pub(super) fn of(map: &'a Node, section: &Section) -> Result<Self, PolicyError> {
        let name = section.path.trim_end_matches("[]").rsplit('.').next().unwrap_or_default();
        let Value::Map(entries) = &map.value else {
            let help = as_a_map(map, section);
            if section.path.ends_with("[]") {
                let what = format!("a rule of `{name}` is a map, not {}", map.value.kind());
                return Err(map.at.error(what, help));
            }
            return Err(kind(map, name, "a map", &help));
        };
        let known = keys::names(section);
        for entry in entries {
            if known.contains(&entry.key.as_str()) || is_passed_over(section.path, entry)? {
                continue;
            }
            return Err(unknown(entry, &keys::instead(section.path, &entry.key, &known)));
        }
        Ok(Self { map, entries })
    }

    /// The document itself, with its version: what another version means is not known here.
    pub(super) fn document(map: &'a Node, entries: &'a [Entry]) -> Result<Self, PolicyError> {
        const HELP: &str = "write `version: \"1.0\"` before `permissions`";
        let fields = Self { map, entries };
        let version = fields
            .get("version")
            .ok_or_else(|| map.at.error("a policy with `permissions` says its version", HELP))?;
        match &version.value {
            // Every key of the later one that means anything here means the same in both.
            Value::Text(text) | Value::Number(text) if matches!(text.as_str(), "1.0" | "1.1") => {}
            Value::Text(text) | Value::Number(text) => {
                let what =
                    format!("the version `{text}` is not known here: only `1.0` and `1.1` are");
                return Err(version.at.error(what, HELP));
            }
            _ => return Err(kind(version, "version", "the text `\"1.0\"`", HELP)),
        }
        if let Some(entry) = entries.iter().find(|entry| is_permission(&entry.key)) {
            let help = format!("put `{}` below `permissions`", entry.key);
            return Err(unknown(entry, &help));
        }
        Self::of(map, &keys::DOCUMENT)
    }

    /// The keys of `permissions` without anything around them.
    pub(super) fn bare(map: &'a Node, entries: &'a [Entry]) -> Result<Self, PolicyError> {
        let path = keys::PERMISSIONS.path;
        for entry in entries {
            let ignored = is_passed_over("", entry)? || is_passed_over(path, entry)?;
            if !ignored && !is_permission(&entry.key) {
                let inner = keys::names(&keys::PERMISSIONS);
                let known = [inner, keys::names(&keys::DOCUMENT)].concat();
                return Err(unknown(entry, &keys::instead(path, &entry.key, &known)));
            }
        }
        Ok(Self { map, entries })
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    pub(super) fn required(&self, key: &str) -> Result<&'a Node, PolicyError> {
        self.get(key).ok_or_else(|| {
            let help = match key {
                "permissions" => {
                    "a policy that allows nothing has `permissions: {}`; without `version` and \
                     `description` the rules may stand at the top"
                        .to_owned()
                }
                _ => format!("write `{key}` here, or take the rule out"),
            };
            self.map.at.error(format!("`{key}` is missing"), help)
        })
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>, PolicyError> {
        self.get(key).map(|node| text(node, key)).transpose()
    }

    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<String>>, PolicyError> {
        let Some(node) = self.get(key) else { return Ok(None) };
        items(node, key)?.iter().map(|item| text(item, key)).collect::<Result<_, _>>().map(Some)
    }
}

/// What in the document of `root`, which is a policy, has no effect and should be known.
pub(super) fn ignored(root: &Node) -> Vec<Ignored> {
    let top = entries(root);
    let below = top.iter().filter(|entry| entry.key == "permissions");
    let all = below.flat_map(|entry| entries(&entry.value)).chain(top);
    let told = |entry: &Entry| {
        let known = keys::passed_over(keys::PERMISSIONS.path, &entry.key)?;
        let what = format!("`{}` has no effect here: {}", entry.key, known.why);
        Some(Ignored { line: entry.at.line, column: entry.at.column, what })
    };
    all.filter_map(told).collect()
}

fn entries(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

/// Whether `entry` of the section at `path` is for other programs. What stands under it must be what
/// they have there.
fn is_passed_over(path: &str, entry: &Entry) -> Result<bool, PolicyError> {
    let Some(ignored) = keys::passed_over(path, &entry.key) else { return Ok(false) };
    match (&ignored.holds, &entry.value.value) {
        (Holds::Text, Value::Text(_)) => {}
        (Holds::Text, _) => {
            let help = format!("write a text, or take `{}` out", entry.key);
            return Err(kind(&entry.value, &entry.key, "a text", &help));
        }
        (Holds::Map(known), Value::Map(entries)) => {
            if let Some(entry) = entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
                let keys = known.join("` and `");
                let help = format!("only `{keys}` are passed over there: take `{}` out", entry.key);
                return Err(unknown(entry, &help));
            }
        }
        (Holds::Map(_), _) => {
            let help = format!("take `{}` out: {}", entry.key, ignored.why);
            return Err(kind(&entry.value, &entry.key, "a map", &help));
        }
    }
    Ok(true)
}

fn is_permission(key: &str) -> bool {
    keys::names(&keys::PERMISSIONS).contains(&key)
}

fn unknown(entry: &Entry, help: &str) -> PolicyError {
    entry.at.error(format!("there is no key `{}` here", entry.key), help)
}

pub(super) fn kind(node: &Node, key: &str, expected: &str, help: &str) -> PolicyError {
    node.at.error(format!("`{key}` is {expected}, not {}", node.value.kind()), help)
}

pub(super) fn text(node: &Node, key: &str) -> Result<String, PolicyError> {
    match &node.value {
        Value::Text(text) => Ok(text.clone()),
        Value::List(_) | Value::Map(_) => Err(kind(node, key, "a text", "write one text here")),
        Value::Null => Err(kind(node, key, "a text", "write a text after the colon")),
        Value::Boolean(is_true) => {
            Err(kind(node, key, "a text", &format!("write {}", in_quotes(&is_true.to_string()))))
        }
        Value::Number(number) => {
            Err(kind(node, key, "a text", &format!("write {}", in_quotes(number))))
        }
    }
}

/// What is `true` or `false` at `node`.
pub(super) fn truth(node: &Node, key: &str) -> Result<bool, PolicyError> {
    let help = match &node.value {
        Value::Boolean(is_true) => return Ok(*is_true),
        Value::Text(text) | Value::Number(text) => match text.to_ascii_lowercase().as_str() {
            "yes" | "y" | "on" | "1" => "write `true`",
            "no" | "n" | "off" | "0" => "write `false`",
            "true" => "write `true`, without quotes",
            "false" => "write `false`, without quotes",
            _ => "write `true` or `false`",
        },
        _ => "write `true` or `false`",
    };
    Err(kind(node, key, "`true` or `false`", help))
}

/// `text` as it is written in a document, within backticks.
pub(super) fn in_quotes(text: &str) -> String {
    format!("`{}`", serde_json::Value::from(text))
}

pub(super) fn items<'a>(node: &'a Node, key: &str) -> Result<&'a [Node], PolicyError> {
    let help = match &node.value {
        Value::List(items) => return Ok(items),
        Value::Null => format!("write `[]`, or leave `{key}` out"),
        Value::Map(_) if key != "access" => "write `- ` before each rule".to_owned(),
        Value::Text(text) | Value::Number(text) if !matches!(key, "allow" | "deny") => {
            format!("write `{key}: {}`", as_a_list(text, key == "paths"))
        }
        _ => "write each item in a line after `- `, or all in `[` and `]`".to_owned(),
    };
    Err(kind(node, key, "a list", &help))
}

/// The words of `text` as a list in one line; one word if it `is_one`.
fn as_a_list(text: &str, is_one: bool) -> String {
    let separates = |character: char| !is_one && SEPARATORS.contains(&character);
    let words = text.split(separates).filter(|word| !word.is_empty());
    let words = words.map(|word| match word.parse::<u16>() {
        Ok(number) => number.to_string(),
        Err(_) => serde_json::Value::from(word).to_string(),
    });
    format!("[{}]", words.collect::<Vec<_>>().join(", "))
}

/// What to write where `node` is no map.
fn as_a_map(node: &Node, section: &Section) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match (&node.value, section.path) {
        (Value::Text(text), "permissions.storage.allow[]") => {
            format!("write `- {{ uri: {}, access: [\"read\"] }}`", quoted(&as_uri(text)))
        }
        (Value::Text(text), "permissions.storage.deny[]") => {
            format!("write `- uri: {}`", quoted(&as_uri(text)))
        }
        (Value::Text(text), "permissions.network.allow[]" | "permissions.network.deny[]") => {
            let key = if text.parse::<Cidr>().is_ok() { "cidr" } else { "host" };
            format!("write `- {key}: {}`", quoted(text))
        }
        (Value::Text(text), "permissions.environment.allow[]") => match text.split_once('=') {
            Some((key, value)) => {
                format!("write `- {{ key: {}, value: {} }}`", quoted(key), quoted(value))
            }
            None => format!("write `- key: {}`", quoted(text)),
        },
        (
            Value::List(_),
            "permissions.storage" | "permissions.network" | "permissions.environment",
        ) => "write `allow:` before the list".to_owned(),
        (_, path) if path.ends_with("[]") => {
            let keys: Vec<_> = keys::names(section).iter().map(|key| format!("`{key}:`")).collect();
            format!("write a rule with {}", keys.join(", "))
        }
        _ => "where it has nothing to say, write `{}` or leave it out".to_owned(),
    }
}

/// A path as a rule has it.
fn as_uri(text: &str) -> String {
    match text.strip_prefix('/') {
        Some(path) => format!("fs:///{path}"),
        None => text.to_owned(),
    }
}

/// The items of a list of rules.
pub(super) fn rules_of<'a>(node: &'a Node, key: &str) -> Result<&'a [Node], PolicyError> {
    let rules = items(node, key)?;
    if rules.len() > Policy::RULES {
        let what = format!("`{key}` has {} rules", rules.len());
        return Err(node
            .at
            .error(what, "a list has at most 1000; write a rule for several at once"));
    }
    Ok(rules)
}

/// What `error` says of the value at `node`.
pub(super) fn wrong(node: &Node, error: &(impl Diagnostic + ?Sized)) -> PolicyError {
    let help = error.help().map(|help| help.to_string()).unwrap_or_default();
    node.at.error(error.to_string(), help)
}
