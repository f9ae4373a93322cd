//! Documentation of types, put where a component's functions use them.
//!
//! The types of an engine need not carry the names under which docs are kept. A definition with a name is matched by it;
//! one without by the names of its items, and only where no other type could be meant: no docs are better than wrong ones.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{PackageDocs, kept, object};
use crate::bounds::{Bounds, Budget};
use crate::function::Function;
use crate::types::{Definition, Named, Type};

/// The longest text that is kept of a type or an item, in bytes.
const TEXT_LIMIT: usize = 512;

/// All texts of the types of one function, in bytes: one documented type may be used a thousand times.
const TEXTS_LIMIT: usize = 16 * 1024;
/// Matching by items compares each shape with each documented type, so there must not be too many of either.
const SHAPES_LIMIT: usize = 256;
/// See [`SHAPES_LIMIT`].
const SHAPED_TYPES_LIMIT: usize = 1024;

impl PackageDocs {
    /// Describes the types of all functions, interface by interface.
    pub(super) fn describe_types(&self, functions: &mut [Function], worlds: &[&Map<String, Json>]) {
        let everywhere = self.types_by_name();
        let interfaces: BTreeSet<Option<String>> =
            functions.iter().map(|function| function.id.interface.clone()).collect();
        for interface in interfaces {
            let own = match &interface {
                Some(name) => self.interface(name, worlds).and_then(|entry| object(entry, "types")),
                None => worlds.iter().find_map(|world| object(world, "types")),
            };
            let mut group: Vec<&mut Function> = functions
                .iter_mut()
                .filter(|function| function.id.interface == interface)
                .collect();
            let shaped = shaped(own, group.iter().map(|function| &**function));
            let glossary = Glossary { own, everywhere: &everywhere, shaped };
            group.iter_mut().for_each(|function| glossary.describe(function));
        }
    }

    fn types_by_name(&self) -> HashMap<&str, Vec<&Map<String, Json>>> {
        let mut by_name: HashMap<&str, Vec<_>> = HashMap::new();
        let interfaces = object(&self.root, "interfaces").into_iter().flat_map(Map::values);
        for types in interfaces.filter_map(|entry| object(entry.as_object()?, "types")) {
            for (name, entry) in types {
                by_name.entry(name).or_default().extend(entry.as_object());
            }
        }
        by_name
    }
}

/// The item names of a definition.
type Shape = BTreeSet<String>;

/// What is known about the types that one interface uses.
struct Glossary<'a> {
    /// The entries of the interface itself.
    own: Option<&'a Map<String, Json>>,
    /// The entries of all interfaces, as types can be used across them.
    everywhere: &'a HashMap<&'a str, Vec<&'a Map<String, Json>>>,
    /// The entries for definitions without a name.
    shaped: HashMap<Shape, &'a Map<String, Json>>,
}

impl Glossary<'_> {
    fn describe(&self, function: &mut Function) {
        let mut budget = Budget::new(Bounds { bytes: TEXTS_LIMIT, ..Bounds::SCHEMA });
        for ty in function.params.iter_mut().map(|param| &mut param.ty).chain(&mut function.result)
        {
            *ty = self.ty(ty, 1, &mut budget);
        }
    }

    /// `ty` with docs; from where the budget ends, as it was.
    fn ty(&self, ty: &Type, level: u32, budget: &mut Budget) -> Type {
        if budget.node(level).is_err() {
            return ty.clone();
        }
        match ty {
            Type::Record(record) => {
                let mut record = self.definition(record, budget);
                for field in &mut record.items {
                    field.ty = self.ty(&field.ty, level + 1, budget);
                }
                Type::Record(Arc::new(record))
            }
            Type::Variant(variant) => {
                let mut variant = self.definition(variant, budget);
                for ty in variant.items.iter_mut().filter_map(|case| case.ty.as_mut()) {
                    *ty = self.ty(ty, level + 1, budget);
                }
                Type::Variant(Arc::new(variant))
            }
            Type::Enum(labels) => Type::Enum(Arc::new(self.definition(labels, budget))),
            Type::Flags(labels) => Type::Flags(Arc::new(self.definition(labels, budget))),
            other => self.unnamed(other, level, budget),
        }
    }

    /// A type that cannot have docs itself, with docs inside.
    fn unnamed(&self, ty: &Type, level: u32, budget: &mut Budget) -> Type {
        let mut inner = |ty: &Type| self.ty(ty, level + 1, budget);
        match ty {
            Type::List(element) => Type::list(inner(element)),
            Type::FixedList(element, length) => Type::FixedList(Arc::new(inner(element)), *length),
            Type::Map(key, value) => Type::map(inner(key), inner(value)),
            Type::Tuple(elements) => Type::tuple(elements.iter().map(inner)),
            Type::Option(some) => Type::option(inner(some)),
            Type::Result { ok, err } => {
                Type::result(ok.as_deref().map(&mut inner), err.as_deref().map(&mut inner))
            }
            plain => plain.clone(),
        }
    }

    fn definition<T: Named + Clone>(
        &self,
        definition: &Definition<T>,
        budget: &mut Budget,
    ) -> Definition<T> {
        let mut definition = definition.clone();
        let Some(entry) = self.entry(&definition) else { return definition };
        let mut text =
            |text: &Json| kept(text, TEXT_LIMIT).filter(|text| budget.bytes(text.len()).is_ok());
        if definition.docs.is_none() {
            definition.docs = entry.get("docs").and_then(&mut text);
        }
        let Some(texts) = object(entry, "items") else { return definition };
        for item in &mut definition.items {
            if item.docs_mut().is_none() {
                *item.docs_mut() = texts.get(item.name()).and_then(&mut text);
            }
        }
        definition
    }

    fn entry<T: Named + Clone>(&self, definition: &Definition<T>) -> Option<&Map<String, Json>> {
        let shape = shape(definition);
        match &definition.name {
            Some(name) => self.named(name, &shape),
            None => self.shaped.get(&shape).copied(),
        }
    }

    /// The entry of this name in the interface, else the only one of this name that fits in another.
    fn named(&self, name: &str, shape: &Shape) -> Option<&Map<String, Json>> {
        let fitting = |entry: &&Map<String, Json>| documented(entry).is_subset(shape);
        if let Some(own) = self.own.and_then(|types| object(types, name)) {
            return Some(own).filter(fitting);
        }
        only(self.everywhere.get(name)?.iter().copied().filter(fitting))
    }
}

/// Which entry of `types` is meant by which shape of the definitions without a name in `functions`: the entry must be the
/// only one whose documented items are all in the shape, and the shape the only one that has them all.
fn shaped<'a, 'f>(
    types: Option<&'a Map<String, Json>>,
    functions: impl Iterator<Item = &'f Function>,
) -> HashMap<Shape, &'a Map<String, Json>> {
    let shapes = shapes_of(functions);
    let Some(types) = types.filter(|types| types.len() <= SHAPED_TYPES_LIMIT) else {
        return HashMap::new();
    };
    if shapes.len() > SHAPES_LIMIT {
        return HashMap::new();
    }
    let mut claims: HashMap<&Shape, Vec<&Map<String, Json>>> = HashMap::new();
    let mut contested: HashSet<&Shape> = HashSet::new();
    for entry in types.values().filter_map(Json::as_object) {
        let items = documented(entry);
        let fitting: Vec<&Shape> = shapes.iter().filter(|shape| items.is_subset(shape)).collect();
        match fitting.as_slice() {
            // An entry without items says nothing about the shape.
            _ if items.is_empty() => {}
            [shape] => claims.entry(shape).or_default().push(entry),
            several => contested.extend(several),
        }
    }
    let sole = claims.into_iter().filter(|(shape, _)| !contested.contains(shape));
    sole.filter_map(|(shape, entries)| Some((shape.clone(), only(entries.into_iter())?))).collect()
}

fn shape<T: Named>(definition: &Definition<T>) -> Shape {
    definition.names().into_iter().map(str::to_owned).collect()
}

/// The names of the items that an entry documents.
fn documented(entry: &Map<String, Json>) -> Shape {
    object(entry, "items").into_iter().flat_map(Map::keys).cloned().collect()
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

/// The shapes of all definitions without a name in the types of `functions`.
fn shapes_of<'a>(functions: impl Iterator<Item = &'a Function>) -> BTreeSet<Shape> {
    let mut shapes = BTreeSet::new();
    for function in functions {
        let mut budget = Budget::new(Bounds::SCHEMA);
        let params = function.params.iter().map(|param| &param.ty);
        for ty in params.chain(&function.result) {
            collect_shapes(ty, 1, &mut budget, &mut shapes);
        }
    }
    shapes
}

fn collect_shapes(ty: &Type, level: u32, budget: &mut Budget, shapes: &mut BTreeSet<Shape>) {
    if budget.node(level).is_err() {
        return;
    }
    match ty {
        Type::Record(record) if record.name.is_none() => shapes.insert(shape(record)),
        Type::Variant(variant) if variant.name.is_none() => shapes.insert(shape(variant)),
        Type::Enum(labels) | Type::Flags(labels) if labels.name.is_none() => {
            shapes.insert(shape(labels))
        }
        _ => false,
    };
    ty.children().for_each(|child| collect_shapes(child, level + 1, budget, shapes));
}
