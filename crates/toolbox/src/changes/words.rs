//! What changes, in words for people. They are read before somebody decides, so nothing may be left
//! out of them unsaid, and all that is an outsider's is cleaned.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use serde_json::Value;
use wassette_policy::{Policy, visible, word};

use super::{Changed, Difference, ToolChange};

/// How much of a text for models stands in a line, in characters. What is left out could be just what
/// somebody wants to hide, so its length is told.
const TEXT: usize = 2000;

/// How many names stand in a line.
pub(super) const NAMES: usize = 20;

impl Difference {
    /// In a few words, none of which are the component's: for whoever must not read what a person
    /// has not accepted yet.
    pub fn summary(&self) -> String {
        let counts = [
            (self.tools_changed.len(), "changed"),
            (self.tools_renamed.len(), "renamed"),
            (self.tools_added.len(), "added"),
            (self.tools_removed.len(), "removed"),
        ];
        let mut parts: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {} {what}", plural(count, "tool")))
            .collect();
        if self.signer.is_some() {
            parts.push("another signer".to_owned());
        }
        if !self.imports_added.is_empty() {
            let count = self.imports_added.len();
            parts.push(format!("{count} more {}", plural(count, "import")));
        }
        if parts.is_empty() { "the same tools".to_owned() } else { parts.join(", ") }
    }

    /// What changes, a line each, for a person.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("digest: {} → {}", self.digest.before, self.digest.after)];
        let said = |text: &Option<String>, none: &str| {
            text.as_deref().map_or_else(|| none.to_owned(), |text| word(text).into_owned())
        };
        if let Some(reference) = &self.reference {
            let (before, after) = (&reference.before, &reference.after);
            lines.push(format!(
                "reference: {} → {}",
                said(before, "unknown"),
                said(after, "unknown")
            ));
        }
        if let Some(signer) = &self.signer {
            let name = |signer: &Option<String>| match signer {
                Some(signer) => visible(signer, 200),
                None => "not verified".to_owned(),
            };
            lines.push(format!("signer: {} → {}", name(&signer.before), name(&signer.after)));
        }
        lines.extend(named("tool removed", &self.tools_removed));
        lines.extend(named("tool added", &self.tools_added));
        lines.extend(self.tools_renamed.iter().take(NAMES).map(|moved| {
            format!("tool renamed: {} → {}", word(&moved.before), word(&moved.after))
        }));
        lines.extend(beyond(self.tools_renamed.len()));
        lines.extend(self.tools_changed.iter().take(NAMES).flat_map(ToolChange::lines));
        lines.extend(beyond(self.tools_changed.len()));
        lines.extend(named("no longer exports", &self.exports_removed));
        lines.extend(named("now exports", &self.exports_added));
        lines.extend(named("no longer imports", &self.imports_removed));
        lines.extend(named("now imports", &self.imports_added));
        lines.extend(self.requested.iter().flat_map(wishes));
        lines
    }
}

impl ToolChange {
    fn lines(&self) -> Vec<String> {
        let name = word(&self.name);
        let mut lines = Vec::new();
        if let Some(function) = &self.function {
            let (before, after) = (word(&function.before), word(&function.after));
            lines.push(format!("tool {name}: another function, {before} → {after}"));
        }
        if let Some(description) = &self.description {
            let (before, after) = apart(&description.before, &description.after);
            lines.push(format!("tool {name}: description \"{before}\" → \"{after}\""));
        }
        if let Some(input) = &self.input {
            let what = properties(&input.before, &input.after);
            lines.push(format!("tool {name}: arguments changed{what}"));
            lines.extend(new_words(&name, "arguments", input));
        }
        if let Some(output) = &self.output {
            lines.push(format!("tool {name}: result changed"));
            lines.extend(new_words(&name, "result", output));
        }
        lines
    }
}

fn named(what: &str, names: &[String]) -> Vec<String> {
    let shown = names.iter().take(NAMES).map(|name| format!("{what}: {}", word(name)));
    shown.chain(beyond(names.len())).collect()
}

/// That there are more than are shown, of `count`.
fn beyond(count: usize) -> Option<String> {
    let more = count.saturating_sub(NAMES);
    (more > 0).then(|| format!("… and {more} more"))
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

/// What a version asks for that the other does not, a line each.
fn wishes(requested: &Changed<Option<String>>) -> Vec<String> {
    let Changed { before, after } = requested;
    let said = match (before, after) {
        (_, None) => "it asks for no permissions any more",
        (None, _) => "it asks for permissions now; nothing is granted by that",
        _ => "it asks for other permissions; nothing is granted by that",
    };
    let policy = |text: &Option<String>| match text {
        None => Some(Policy::default()),
        Some(text) => Policy::parse(text).ok(),
    };
    let changes = match (policy(before), policy(after)) {
        (Some(before), Some(after)) => after.changes_since(&before),
        _ => vec!["what cannot be read as a policy".to_owned()],
    };
    let shown =
        changes.iter().take(NAMES).map(|line| format!("asked for: {}", visible(line, TEXT)));
    iter::once(said.to_owned()).chain(shown).chain(beyond(changes.len())).collect()
}

/// Two texts from where they part, a little before.
pub(super) fn apart(before: &str, after: &str) -> (String, String) {
    const CONTEXT: usize = 20;
    let common = before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count();
    let skipped = common.saturating_sub(CONTEXT);
    let from = |text: &str| {
        let rest: String = text.chars().skip(skipped).collect();
        let lead = if skipped > 0 { "…" } else { "" };
        let left_out = rest.chars().count().saturating_sub(TEXT);
        let more = if left_out > 0 { format!(" ({left_out} more)") } else { String::new() };
        format!("{lead}{}{more}", visible(&rest, TEXT))
    };
    (from(before), from(after))
}

/// What the schema of a tool's `what` says now in words and did not say, a line each: models read it
/// like the tool's own description.
fn new_words(tool: &str, what: &str, schema: &Changed<Value>) -> Vec<String> {
    let (mut old, mut new) = (BTreeSet::new(), BTreeSet::new());
    descriptions(&schema.before, &mut old);
    descriptions(&schema.after, &mut new);
    let fresh: Vec<&str> = new.difference(&old).copied().collect();
    let line = |text: &&str| format!("tool {tool}: {what} say now \"{}\"", apart("", text).1);
    fresh.iter().take(NAMES).map(line).chain(beyond(fresh.len())).collect()
}

/// All descriptions in `schema`, at whatever depth. It is one of ours, and as deep as types may be.
fn descriptions<'a>(schema: &'a Value, found: &mut BTreeSet<&'a str>) {
    match schema {
        Value::Object(fields) => {
            found.extend(fields.get("description").and_then(Value::as_str));
            fields.values().for_each(|field| descriptions(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| descriptions(item, found)),
        _ => {}
    }
}

/// Which arguments are new, gone or other ones.
fn properties(before: &Value, after: &Value) -> String {
    let of = |schema: &Value| -> BTreeMap<String, Value> {
        let properties = schema.get("properties").and_then(Value::as_object);
        properties.into_iter().flatten().map(|(name, ty)| (name.clone(), ty.clone())).collect()
    };
    let (old, new) = (of(before), of(after));
    let gone = old.keys().filter(|name| !new.contains_key(*name)).map(|name| ("-", name));
    let fresh = new.keys().filter(|name| !old.contains_key(*name)).map(|name| ("+", name));
    let other = old.iter().filter(|(name, ty)| new.get(*name).is_some_and(|now| now != *ty));
    let all: Vec<(&str, &String)> =
        gone.chain(fresh).chain(other.map(|(name, _)| ("~", name))).collect();
    if all.is_empty() {
        return String::new();
    }
    let shown = all.iter().take(NAMES).map(|(sign, name)| format!("{sign}{}", word(name)));
    let shown: Vec<String> = shown.chain(beyond(all.len())).collect();
    format!(" ({})", shown.join(", "))
}
