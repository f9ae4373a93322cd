//! Documentation out of custom sections of a component.
//!
//! `package-docs` is JSON behind a version byte, as `wit-parser` writes it: byte 0 (functions map straight to their text) or
//! byte 1 (functions map to objects). Names in it are not qualified by a package. It is about the package of the WIT, as some
//! tools put it in, or about the finished component, whose world is called `root`: so other tools want it. The latter has no
//! place for interfaces out of packages; those are in `interface-docs`, in the same encoding. Such a section was often put in
//! after the build and may be wrong, foreign or hostile, so it is read apart from the types and leniently: what cannot be read
//! is no docs, and nothing in here may ever make a load fail.

use serde_json::{Map, Value as Json};

use crate::function::Function;
use crate::name::unversioned;
use crate::text;

#[cfg(test)]
mod tests;
mod types;

/// Larger sections are not read.
const SECTION_LIMIT: usize = 1024 * 1024;
/// The longest text that is kept of a function, in bytes: what hosts show of a tool.
const TEXT_LIMIT: usize = 2048;
/// More worlds than these are not looked at.
const WORLDS_LIMIT: usize = 64;
/// The longest text that is kept of an interface: it is repeated for each of its functions.
const INTERFACE_TEXT_LIMIT: usize = 512;

/// The documentation that a component carries.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageDocs {
    root: Map<String, Json>,
}

impl PackageDocs {
    /// The names of the custom sections, the one that all tools know first.
    pub const SECTIONS: [&'static str; 2] = ["package-docs", "interface-docs"];

    /// Reads the content of one of the sections; `None` where it is not one that we know, or too large.
    pub fn parse(section: &[u8]) -> Option<PackageDocs> {
        let (0 | 1, json) = section.split_first()? else { return None };
        if json.len() > SECTION_LIMIT {
            return None;
        }
        match serde_json::from_slice(json) {
            Ok(Json::Object(root)) => Some(PackageDocs { root }),
            _ => None,
        }
    }

    /// Adds what `other` documents and this does not: of what both document, this keeps its own.
    pub fn add(&mut self, other: PackageDocs) {
        for (part, theirs) in other.root {
            match (self.root.get_mut(&part), theirs) {
                (Some(Json::Object(own)), Json::Object(theirs)) => {
                    for (name, entry) in theirs {
                        own.entry(name).or_insert(entry);
                    }
                }
                (Some(_), _) => {}
                (None, theirs) => drop(self.root.insert(part, theirs)),
            }
        }
    }

    /// Writes what is known about `functions` (all those of one component) and their types into them. What already has docs
    /// keeps them.
    pub fn apply(&self, functions: &mut [Function]) {
        let worlds = self.nearest_worlds(functions);
        for function in functions.iter_mut() {
            let (docs, interface_docs) = self.texts(function, &worlds);
            if function.docs.is_none() {
                function.docs = docs;
            }
            if function.interface_docs.is_none() {
                function.interface_docs = interface_docs;
            }
            describe_params(function);
        }
        self.describe_types(functions, &worlds);
    }

    /// The docs of a function and of its interface.
    fn texts(
        &self,
        function: &Function,
        worlds: &[&Map<String, Json>],
    ) -> (Option<String>, Option<String>) {
        let name = function.id.name.as_str();
        let Some(interface) = &function.id.interface else {
            return (unanimous(worlds.iter().map(|world| world_function(world, name))), None);
        };
        let Some(entry) = self.interface(interface, worlds) else { return (None, None) };
        let docs = object(entry, "funcs").and_then(|funcs| function_text(funcs.get(name)?));
        let interface_docs = entry.get("docs").and_then(|docs| kept(docs, INTERFACE_TEXT_LIMIT));
        (docs, interface_docs)
    }

    /// The entry of an exported interface: one of the package by its bare name, or one that is written inline in a world.
    fn interface<'a>(
        &'a self,
        interface: &str,
        worlds: &[&'a Map<String, Json>],
    ) -> Option<&'a Map<String, Json>> {
        match interface.rsplit_once('/') {
            Some((_, bare)) => object(object(&self.root, "interfaces")?, unversioned(bare)),
            None => worlds.iter().find_map(|world| {
                // Byte 0 keeps exports beside imports.
                ["interface_exports", "interfaces"]
                    .iter()
                    .find_map(|part| object(object(world, part)?, interface))
            }),
        }
    }

    /// A package may have several worlds and the component does not say which one it was built from: those that document
    /// most of what it exports at their top.
    fn nearest_worlds(&self, functions: &[Function]) -> Vec<&Map<String, Json>> {
        let worlds =
            object(&self.root, "worlds").into_iter().flat_map(Map::values).take(WORLDS_LIMIT);
        let scored: Vec<_> = worlds
            .filter_map(Json::as_object)
            .map(|world| {
                let plain = functions.iter().filter(|function| function.id.interface.is_none());
                let known =
                    plain.filter(|function| world_function(world, &function.id.name).is_some());
                (known.count(), world)
            })
            .collect();
        let best = scored.iter().map(|(known, _)| *known).max();
        scored.iter().filter(|(known, _)| Some(*known) == best).map(|(_, world)| *world).collect()
    }
}

/// The docs of a function that a world exports.
fn world_function(world: &Map<String, Json>, name: &str) -> Option<String> {
    ["func_exports", "funcs"].iter().find_map(|part| function_text(object(world, part)?.get(name)?))
}

/// A function's text, in either encoding.
fn function_text(entry: &Json) -> Option<String> {
    kept(entry.get("docs").unwrap_or(entry), TEXT_LIMIT)
}

/// A text that is worth keeping, cleaned.
fn kept(text: &Json, limit: usize) -> Option<String> {
    Some(text::clean(text.as_str()?, limit)).filter(|text| !text.is_empty())
}

fn object<'a>(parent: &'a Map<String, Json>, key: &str) -> Option<&'a Map<String, Json>> {
    parent.get(key)?.as_object()
}

/// The one text that all who say something agree on.
fn unanimous(texts: impl Iterator<Item = Option<String>>) -> Option<String> {
    let mut texts = texts.flatten();
    let first = texts.next()?;
    texts.all(|text| text == first).then_some(first)
}

/// WIT has no place for docs of parameters. Authors list them in the docs of the function, as ``- `name`: text``.
fn describe_params(function: &mut Function) {
    let Some(docs) = &function.docs else { return };
    for line in docs.lines() {
        let Some((name, about)) = list_item(line) else { continue };
        let param = function.params.iter_mut().find(|param| param.name == name);
        if let Some(param) = param.filter(|param| param.docs.is_none()) {
            param.docs = Some(about.to_owned());
        }
    }
}

fn list_item(line: &str) -> Option<(&str, &str)> {
    let item = line.trim_start().strip_prefix(['-', '*'])?.trim_start();
    let (name, about) = item.strip_prefix('`')?.split_once('`')?;
    let about = about.trim_start().trim_start_matches([':', '-', '–', '—']).trim();
    (!about.is_empty()).then_some((name, about))
}
