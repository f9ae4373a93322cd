//! What a component exports, in the words of `wit-json`. Types come from Wasmtime, documentation
//! from the sections of documentation; neither's absence stops the other. A few bytes of WIT can
//! describe a type of a million nodes, so every walk spends a budget.

use std::sync::Arc;

use wasmtime::component::types::{self, ComponentFunc, ComponentItem};
use wassette_wit_json::{
    Bounds, Budget, Case, Definition, Field, Function, FunctionId, Label, Param, Type, Uncallable,
    clean,
};

use crate::compile::Omission;
use crate::error::CompileError;

/// The most functions of one component that become tools; a client's list is not endless.
pub(crate) const FUNCTIONS: usize = 200;

/// The longest name of a function, its interface included, in bytes.
const NAME: usize = 500;

/// What can be called, and what is exported besides.
pub(crate) struct Exports {
    /// As many as anybody would list.
    pub(crate) functions: Vec<Function>,
    pub(crate) others: Vec<Omission>,
    /// Whether there are more functions.
    more: bool,
}

impl Exports {
    /// Refuses more functions than anybody would list.
    pub(crate) fn check(&self) -> Result<(), CompileError> {
        if self.more {
            return Err(CompileError::TooManyFunctions { count: FUNCTIONS + 1, limit: FUNCTIONS });
        }
        Ok(())
    }
}

/// The exports of the component: functions of the world, functions of its interfaces. What is
/// neither is named with the reason.
pub(crate) fn exports(engine: &wasmtime::Engine, component: &types::Component) -> Exports {
    let mut found = Exports { functions: Vec::new(), others: Vec::new(), more: false };
    for (name, export) in component.exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(function) => found.function(None, name, &function, &[]),
            ComponentItem::ComponentInstance(instance) => {
                let names = names(engine, &instance);
                for (inner, export) in instance.exports(engine) {
                    match export.ty {
                        ComponentItem::ComponentFunc(function) => {
                            found.function(Some(name), inner, &function, &names);
                        }
                        ComponentItem::Type(_) | ComponentItem::Resource(_) => {}
                        other => found.other(&format!("{name}#{inner}"), &other),
                    }
                }
            }
            ComponentItem::Type(_) | ComponentItem::Resource(_) => {}
            other => found.other(name, &other),
        }
    }
    found
}

/// A type that an interface exports, with its name.
type Named = (String, types::Type);

/// The types that the interface gives a name. More than these are not looked for.
fn names(engine: &wasmtime::Engine, interface: &types::ComponentInstance) -> Vec<Named> {
    let exports = interface.exports(engine);
    let named = exports.filter_map(|(name, export)| match export.ty {
        ComponentItem::Type(ty) => Some((name.to_owned(), ty)),
        _ => None,
    });
    named.take(FUNCTIONS).collect()
}

impl Exports {
    fn function(
        &mut self,
        interface: Option<&str>,
        name: &str,
        function: &ComponentFunc,
        names: &[Named],
    ) {
        if self.functions.len() >= FUNCTIONS {
            self.more = true;
            return;
        }
        if interface.map_or(0, str::len) + name.len() > NAME {
            return self.omit(name, "its name is too long".to_owned());
        }
        let mut describer = Describer { budget: Budget::new(Bounds::SCHEMA), names };
        let params = function
            .params()
            .map(|(name, ty)| Param::new(name, describer.describe(&ty, 1)))
            .collect::<Vec<_>>();
        let result = function.results().next().map(|ty| describer.describe(&ty, 1));
        let function = Function::new(FunctionId::new(interface, name), params, result);
        self.functions.push(bounded(function));
    }

    fn other(&mut self, name: &str, item: &ComponentItem) {
        let kind = match item {
            ComponentItem::Module(_) => "a core module",
            // Wasmtime takes no component that exports another one, but a type of one.
            ComponentItem::Component(_) => "the definition of an interface or a world",
            ComponentItem::ComponentInstance(_) => "an interface within an interface",
            ComponentItem::CoreFunc(_) => "a core function",
            _ => "no function",
        };
        self.omit(name, format!("it is {kind}, and only functions become tools"));
    }

    fn omit(&mut self, name: &str, reason: String) {
        if self.others.len() < FUNCTIONS {
            self.others.push(Omission { function: one_line(name), reason });
        }
    }
}

/// `function`, unless the names in its types are so long that nobody could list it: then its types
/// are left out, and it cannot be called.
fn bounded(function: Function) -> Function {
    match serde_json::to_string(&function) {
        Ok(written) if written.len() <= Bounds::SCHEMA.bytes => function,
        _ => Function::new(function.id, [], Some(Type::Uncallable(Uncallable::TooLarge))),
    }
}

/// A name from the component as one line of bearable length.
pub(crate) fn one_line(name: &str) -> String {
    clean(name, 200).replace('\n', " ")
}

/// Describes the types of one function.
struct Describer<'a> {
    budget: Budget,
    names: &'a [Named],
}

impl Describer<'_> {
    /// `ty` as far as the budget lasts; beyond it, a type that makes the function uncallable.
    fn describe(&mut self, ty: &types::Type, level: u32) -> Type {
        if let Err(exceeded) = self.budget.node(level) {
            return Type::Uncallable(exceeded.into());
        }
        let mut within = |ty: types::Type| self.describe(&ty, level + 1);
        match ty {
            types::Type::Bool => Type::Bool,
            types::Type::S8 => Type::S8,
            types::Type::U8 => Type::U8,
            types::Type::S16 => Type::S16,
            types::Type::U16 => Type::U16,
            types::Type::S32 => Type::S32,
            types::Type::U32 => Type::U32,
            types::Type::S64 => Type::S64,
            types::Type::U64 => Type::U64,
            types::Type::Float32 => Type::F32,
            types::Type::Float64 => Type::F64,
            types::Type::Char => Type::Char,
            types::Type::String => Type::String,
            types::Type::List(list) => Type::list(within(list.ty())),
            types::Type::FixedLengthList(list) => {
                Type::FixedList(Arc::new(within(list.ty())), list.len())
            }
            types::Type::Map(map) => {
                let key = within(map.key());
                Type::map(key, within(map.value()))
            }
            types::Type::Tuple(tuple) => Type::tuple(tuple.types().map(within).collect::<Vec<_>>()),
            types::Type::Option(option) => Type::option(within(option.ty())),
            types::Type::Result(result) => {
                let ok = result.ok().map(&mut within);
                Type::result(ok, result.err().map(within))
            }
            types::Type::Record(record) => {
                let fields = record.fields().map(|field| Field::new(field.name, within(field.ty)));
                let fields = fields.collect();
                Type::Record(self.define(ty, fields))
            }
            types::Type::Variant(variant) => {
                let cases = variant.cases();
                let cases = cases.map(|case| Case::new(case.name, case.ty.map(&mut within)));
                let cases = cases.collect();
                Type::Variant(self.define(ty, cases))
            }
            types::Type::Enum(names) => {
                Type::Enum(self.define(ty, names.names().map(Label::new).collect()))
            }
            types::Type::Flags(names) => {
                Type::Flags(self.define(ty, names.names().map(Label::new).collect()))
            }
            types::Type::Own(_) => Type::Uncallable(Uncallable::Own(None)),
            types::Type::Borrow(_) => Type::Uncallable(Uncallable::Borrow(None)),
            types::Type::Future(_) => Type::Uncallable(Uncallable::Future),
            types::Type::Stream(_) => Type::Uncallable(Uncallable::Stream),
            types::Type::ErrorContext => Type::Uncallable(Uncallable::ErrorContext),
        }
    }

    fn define<T>(&self, ty: &types::Type, items: Vec<T>) -> Arc<Definition<T>> {
        let name = self.names.iter().find(|(_, named)| named == ty).map(|(name, _)| name.clone());
        Arc::new(Definition { name, docs: None, items })
    }
}
