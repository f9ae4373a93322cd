//! What a new version of a component changes: its tools, what it exports and imports, what it asks
//! for, who signed it. Both versions are outsiders' words: what is shown of them is cleaned, and
//! nothing that changes a tool which somebody may know already is ever called harmless.

mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};
use wassette_store::{Digest, Entry, Origin};
use wassette_wit_json::{Bounds, Function, FunctionId, clean, input_schema, output_schema};

use crate::permissions::Shipped;
use crate::record::Record;

/// How much of a policy that a version asks for is shown, in bytes.
const POLICY: usize = 8 << 10;

/// What two versions of one component have not in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The digests of both.
    pub digest: Changed<String>,
    /// The references that led to them, if they are not the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Changed<Option<String>>>,
    /// Who signed them, if that is not the same; nothing where nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<Changed<Option<String>>>,
    /// The names of tools that are new.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools_added: Vec<String>,
    /// The names of tools that are gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools_removed: Vec<String>,
    /// The tools that keep their names and are not what they were.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools_changed: Vec<ToolChange>,
    /// The functions whose tools have another name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools_renamed: Vec<Changed<String>>,
    /// What it exports besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exports_added: Vec<String>,
    /// What it exports no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exports_removed: Vec<String>,
    /// What it imports besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub imports_added: Vec<String>,
    /// What it imports no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub imports_removed: Vec<String>,
    /// The policies that were shipped with them, if they are not the same. They grant nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<Changed<Option<String>>>,
}

/// Something before, and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed<T> {
    /// What it was.
    pub before: T,
    /// What it is, or would be.
    pub after: T,
}

/// A tool that keeps its name and is not what it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToolChange {
    /// Its name.
    pub name: String,
    /// The functions behind the name, if it is another's now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<Changed<String>>,
    /// What its author says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Changed<String>>,
    /// The schema of its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Changed<Value>>,
    /// The schema of its result; null where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Changed<Value>>,
}

/// One of the two: what is compared of a version.
struct Side<'a> {
    digest: &'a Digest,
    origin: Option<&'a Origin>,
    record: Record,
}

impl<'a> Side<'a> {
    /// Nothing where what is remembered of it cannot be read.
    fn of(digest: &'a Digest, origin: Option<&'a Origin>, metadata: &Value) -> Option<Self> {
        let record = Record::of(metadata).ok()?;
        Some(Self { digest, origin, record })
    }

    fn current(entry: &'a Entry) -> Option<Self> {
        Self::of(&entry.digest, entry.origin.as_ref(), &entry.metadata)
    }

    fn reference(&self) -> Option<String> {
        self.origin.map(|origin| origin.reference.clone())
    }

    fn signer(&self) -> Option<String> {
        self.origin.and_then(|origin| origin.signer.clone())
    }
}

impl Difference {
    /// What the version that serves in `after` has and that in `before` has not, and the other way
    /// round; nothing where what is remembered of one of them cannot be read.
    pub(crate) fn between(before: &Entry, after: &Entry) -> Option<Self> {
        Some(Self::of(&Side::current(before)?, &Side::current(after)?))
    }

    /// What would change if that which waits took the place of that which serves.
    pub(crate) fn waiting(entry: &Entry) -> Option<Self> {
        let waiting = entry.quarantined.as_ref()?;
        let after = Side::of(&waiting.digest, waiting.origin.as_ref(), &waiting.metadata)?;
        Some(Self::of(&Side::current(entry)?, &after))
    }

    fn of(before: &Side<'_>, after: &Side<'_>) -> Self {
        let (old, new) = (Tools::of(&before.record), Tools::of(&after.record));
        let (exports_added, exports_removed) =
            both_ways(exports(&before.record), exports(&after.record));
        let (imports_added, imports_removed) =
            both_ways(imports(&before.record), imports(&after.record));
        let moved = old.moved(&new);
        let is_moved = |name: &str| moved.iter().any(|it| it.before == name || it.after == name);
        let only_in = |these: &Tools<'_>, those: &Tools<'_>| -> Vec<String> {
            let names = these.0.keys().filter(|name| !those.0.contains_key(*name));
            names.filter(|name| !is_moved(name)).map(|name| (*name).to_owned()).collect()
        };
        Self {
            digest: Changed { before: before.digest.to_string(), after: after.digest.to_string() },
            reference: changed(before.reference(), after.reference()),
            signer: changed(before.signer(), after.signer()),
            tools_added: only_in(&new, &old),
            tools_removed: only_in(&old, &new),
            tools_changed: old.changed(&new),
            exports_added,
            exports_removed,
            imports_added,
            imports_removed,
            requested: changed(requested(&before.record), requested(&after.record)),
            tools_renamed: moved,
        }
    }

    /// Whether a tool that somebody may know and trust is another now, by its words, its arguments,
    /// its result, its name or the function behind its name; or is gone, so that another could come
    /// under its name with the version after.
    pub fn touches_known_tools(&self) -> bool {
        !self.tools_changed.is_empty()
            || !self.tools_renamed.is_empty()
            || !self.tools_removed.is_empty()
    }

    /// Whether a person has to see it before it serves: known tools change, or what was signed is
    /// not signed any more.
    pub fn must_be_accepted(&self) -> bool {
        let is_unsigned = |signer: &Changed<Option<String>>| signer.after.is_none();
        self.touches_known_tools() || self.signer.as_ref().is_some_and(is_unsigned)
    }
}

/// The tools of a version, by their names.
struct Tools<'a>(BTreeMap<&'a str, Face<'a>>);

/// What a client sees of a tool besides its name.
struct Face<'a> {
    function: &'a FunctionId,
    description: String,
    input: Value,
    output: Value,
}

impl<'a> Face<'a> {
    fn of(function: &'a Function) -> Self {
        // What has no schema is no tool; it stands for nothing, which differs from any schema.
        let input = input_schema(function, Bounds::SCHEMA).map_or(Value::Null, Value::Object);
        let output = output_schema(function, Bounds::SCHEMA).ok().flatten();
        Self {
            function: &function.id,
            description: function.description(),
            input,
            output: output.map_or(Value::Null, Value::Object),
        }
    }
}

impl<'a> Tools<'a> {
    fn of(record: &'a Record) -> Self {
        let functions = &record.description.functions;
        let faces = record.tools.iter().filter_map(|given| {
            let function = functions.iter().find(|function| function.id == given.function)?;
            Some((given.name.as_str(), Face::of(function)))
        });
        Self(faces.collect())
    }

    /// The tools of the same name in `new` that are not what they were.
    fn changed(&self, new: &Self) -> Vec<ToolChange> {
        let pairs = self.0.iter().filter_map(|(name, old)| Some((name, old, new.0.get(name)?)));
        let changes = pairs.map(|(name, old, new)| ToolChange {
            name: (*name).to_owned(),
            function: changed(old.function.to_string(), new.function.to_string()),
            description: changed(old.description.clone(), new.description.clone()),
            input: changed(old.input.clone(), new.input.clone()),
            output: changed(old.output.clone(), new.output.clone()),
        });
        changes.filter(ToolChange::is_one).collect()
    }

    /// The functions that have a tool in both, under two names.
    fn moved(&self, new: &Self) -> Vec<Changed<String>> {
        let names: BTreeMap<&FunctionId, &str> =
            new.0.iter().map(|(name, face)| (face.function, *name)).collect();
        let pairs =
            self.0.iter().filter_map(|(name, old)| Some((*name, *names.get(old.function)?)));
        pairs.filter_map(|(before, after)| changed(before.to_owned(), after.to_owned())).collect()
    }
}

impl ToolChange {
    fn is_one(&self) -> bool {
        self.function.is_some()
            || self.description.is_some()
            || self.input.is_some()
            || self.output.is_some()
    }
}

/// The digest of what the tools of `record` are to a client: for each the function, its author's
/// words and its schemas. Not the names, which depend on what else is loaded.
pub(crate) fn tools_digest(record: &Record) -> Digest {
    let tools = Tools::of(record);
    let mut faces: Vec<&Face<'_>> = tools.0.values().collect();
    faces.sort_by_key(|face| face.function);
    let list = faces.into_iter().map(|face| {
        let (input, output) = (sorted(&face.input), sorted(&face.output));
        json!([face.function.to_string(), face.description, input, output])
    });
    Digest::of(Value::Array(list.collect()).to_string().as_bytes())
}

/// `value` with the keys of all its objects in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let fields: BTreeMap<&String, Value> =
                object.iter().map(|(key, value)| (key, sorted(value))).collect();
            fields.into_iter().map(|(key, value)| (key.clone(), value)).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn changed<T: PartialEq>(before: T, after: T) -> Option<Changed<T>> {
    (before != after).then_some(Changed { before, after })
}

fn exports(record: &Record) -> BTreeSet<String> {
    let functions = record.description.functions.iter().map(|function| function.id.to_string());
    let others = record.description.others.iter().map(|other| other.function.clone());
    functions.chain(others).collect()
}

fn imports(record: &Record) -> BTreeSet<String> {
    record.description.imports.iter().cloned().collect()
}

fn requested(record: &Record) -> Option<String> {
    record.requested.as_ref().map(|shipped| match shipped {
        Shipped::Text(text) => clean(text, POLICY),
        Shipped::Unreadable(reason) => format!("unreadable: {}", clean(reason, POLICY)),
    })
}

/// What is in `after` alone, and what is in `before` alone.
fn both_ways(before: BTreeSet<String>, after: BTreeSet<String>) -> (Vec<String>, Vec<String>) {
    let added = after.difference(&before).cloned().collect();
    let removed = before.difference(&after).cloned().collect();
    (added, removed)
}

#[cfg(test)]
mod tests;
