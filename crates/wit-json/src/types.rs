//! The types that a function takes and gives, as the component model defines them, without the engine.
//!
//! A [`Type`] is a tree that may share branches (`Arc`). A hostile component writes a few bytes that unfold to a million
//! nodes, so whoever converts or walks a type spends a [`Budget`](crate::Budget); nothing here may assume a small tree.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bounds::{Budget, Exceeded};

/// A WIT value type.
///
/// The serde form is compact (`"u8"`, `{"list":"u8"}`, `{"record":{"items":[{"name":"x","type":"s32"}]}}`), nests at most
/// four JSON levels a type level, and is kept in the store's index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Type {
    /// `bool`
    Bool,
    /// `s8`
    S8,
    /// `u8`
    U8,
    /// `s16`
    S16,
    /// `u16`
    U16,
    /// `s32`
    S32,
    /// `u32`
    U32,
    /// `s64`
    S64,
    /// `u64`
    U64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`: one Unicode scalar value.
    Char,
    /// `string`
    String,
    /// `list<T>`; `list<u8>` travels as bytes.
    List(Arc<Type>),
    /// `list<T, N>`: exactly `N` elements.
    FixedList(Arc<Type>, u32),
    /// `map<K, V>`
    Map(Arc<Type>, Arc<Type>),
    /// `record`, fields in WIT order.
    Record(Arc<Definition<Field>>),
    /// `tuple<…>`
    Tuple(Arc<[Type]>),
    /// `variant`, cases in WIT order.
    Variant(Arc<Definition<Case>>),
    /// `enum`, names in WIT order.
    Enum(Arc<Definition<Label>>),
    /// `flags`, names in WIT order.
    Flags(Arc<Definition<Label>>),
    /// `option<T>`
    Option(Arc<Type>),
    /// `result<T, E>`; a side without a payload is `None`.
    Result {
        /// The payload of `ok`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ok: Option<Arc<Type>>,
        /// The payload of `err`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        err: Option<Arc<Type>>,
    },
    /// A type that has no JSON form; a function that uses it is listed with the reason and cannot be called.
    Uncallable(Uncallable),
}

impl Type {
    /// `list<element>`.
    pub fn list(element: Type) -> Type {
        Type::List(Arc::new(element))
    }

    /// `option<some>`.
    pub fn option(some: Type) -> Type {
        Type::Option(Arc::new(some))
    }

    /// `map<key, value>`.
    pub fn map(key: Type, value: Type) -> Type {
        Type::Map(Arc::new(key), Arc::new(value))
    }

    /// `tuple<elements>`.
    pub fn tuple(elements: impl IntoIterator<Item = Type>) -> Type {
        Type::Tuple(elements.into_iter().collect())
    }

    /// `result<ok, err>`.
    pub fn result(ok: Option<Type>, err: Option<Type>) -> Type {
        Type::Result { ok: ok.map(Arc::new), err: err.map(Arc::new) }
    }

    /// A record with these fields and no name.
    pub fn record(fields: impl IntoIterator<Item = Field>) -> Type {
        Type::Record(Arc::new(Definition::new(fields)))
    }

    /// A variant with these cases and no name.
    pub fn variant(cases: impl IntoIterator<Item = Case>) -> Type {
        Type::Variant(Arc::new(Definition::new(cases)))
    }

    /// An enum with these labels and no name.
    pub fn enumeration<S: Into<String>>(labels: impl IntoIterator<Item = S>) -> Type {
        Type::Enum(Arc::new(Definition::new(labels.into_iter().map(Label::new))))
    }

    /// Flags with these labels and no name.
    pub fn flags<S: Into<String>>(labels: impl IntoIterator<Item = S>) -> Type {
        Type::Flags(Arc::new(Definition::new(labels.into_iter().map(Label::new))))
    }

    /// The types directly inside of it, in WIT order.
    pub fn children(&self) -> Box<dyn Iterator<Item = &Type> + '_> {
        match self {
            Type::List(inner) | Type::FixedList(inner, _) | Type::Option(inner) => {
                Box::new(std::iter::once(&**inner))
            }
            Type::Map(key, value) => Box::new([&**key, &**value].into_iter()),
            Type::Record(record) => Box::new(record.items.iter().map(|field| &field.ty)),
            Type::Tuple(elements) => Box::new(elements.iter()),
            Type::Variant(variant) => {
                Box::new(variant.items.iter().filter_map(|case| case.ty.as_ref()))
            }
            Type::Result { ok, err } => Box::new(ok.iter().chain(err).map(|payload| &**payload)),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// The word for it in WIT.
    pub fn keyword(&self) -> &'static str {
        match self {
            Type::Bool => "bool",
            Type::S8 => "s8",
            Type::U8 => "u8",
            Type::S16 => "s16",
            Type::U16 => "u16",
            Type::S32 => "s32",
            Type::U32 => "u32",
            Type::S64 => "s64",
            Type::U64 => "u64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::Char => "char",
            Type::String => "string",
            Type::List(_) | Type::FixedList(..) => "list",
            Type::Map(..) => "map",
            Type::Record(_) => "record",
            Type::Tuple(_) => "tuple",
            Type::Variant(_) => "variant",
            Type::Enum(_) => "enum",
            Type::Flags(_) => "flags",
            Type::Option(_) => "option",
            Type::Result { .. } => "result",
            Type::Uncallable(kind) => kind.keyword(),
        }
    }
}

/// What a WIT author defines under a name: a record's fields, a variant's cases, an enum's or a set of flags' labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition<T> {
    /// The name in its interface, where the component exports the type under one. With a name, docs are matched by it;
    /// without, by the names of the items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Documentation of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// The members, in WIT order.
    pub items: Vec<T>,
}

impl<T> Definition<T> {
    /// A definition without a name and docs.
    pub fn new(items: impl IntoIterator<Item = T>) -> Definition<T> {
        Definition { name: None, docs: None, items: items.into_iter().collect() }
    }
}

impl<T> Definition<T> {
    /// The names of the members, in WIT order.
    pub(crate) fn names(&self) -> Vec<&str>
    where
        T: Named,
    {
        self.items.iter().map(Named::name).collect()
    }

    /// The member of this name and where it stands; the search is paid for with `budget`.
    pub(crate) fn find(
        &self,
        name: &str,
        budget: &mut Budget,
    ) -> Result<Option<(usize, &T)>, Exceeded>
    where
        T: Named,
    {
        let found = self.items.iter().enumerate().find(|(_, item)| item.name() == name);
        budget.search(found.map_or(self.items.len(), |(index, _)| index))?;
        Ok(found)
    }
}

/// A member of a definition.
pub(crate) trait Named {
    /// Its name as in WIT.
    fn name(&self) -> &str;
    /// Its documentation, to be written.
    fn docs_mut(&mut self) -> &mut Option<String>;
}

macro_rules! named {
    ($($member:ty),*) => {$(
        impl Named for $member {
            fn name(&self) -> &str {
                &self.name
            }

            fn docs_mut(&mut self) -> &mut Option<String> {
                &mut self.docs
            }
        }
    )*};
}
named!(Field, Case, Label);

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The name as in WIT (kebab-case).
    pub name: String,
    /// Documentation of the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// The type of its value.
    #[serde(rename = "type")]
    pub ty: Type,
}

impl Field {
    /// A field without docs.
    pub fn new(name: impl Into<String>, ty: Type) -> Field {
        Field { name: name.into(), docs: None, ty }
    }
}

/// A case of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The name as in WIT (kebab-case).
    pub name: String,
    /// Documentation of the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// The type of its payload, where it has one.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub ty: Option<Type>,
}

impl Case {
    /// A case without docs.
    pub fn new(name: impl Into<String>, ty: Option<Type>) -> Case {
        Case { name: name.into(), docs: None, ty }
    }
}

/// A name of an enum or of flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The name as in WIT (kebab-case).
    pub name: String,
    /// Documentation of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

impl Label {
    /// A label without docs.
    pub fn new(name: impl Into<String>) -> Label {
        Label { name: name.into(), docs: None }
    }
}

/// Why a type cannot cross into JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Uncallable {
    /// `own<R>`, with the resource's name where it is known.
    Own(Option<String>),
    /// `borrow<R>`, with the resource's name where it is known.
    Borrow(Option<String>),
    /// `stream<T>`
    Stream,
    /// `future<T>`
    Future,
    /// `error-context`
    ErrorContext,
    /// More levels than a tool's type may have: what a converter writes where its budget ran out.
    TooDeep,
    /// More nodes than a tool's type may have: what a converter writes where its budget ran out.
    TooLarge,
}

impl Uncallable {
    pub(crate) fn keyword(&self) -> &'static str {
        match self {
            Uncallable::Own(_) => "own",
            Uncallable::Borrow(_) => "borrow",
            Uncallable::Stream => "stream",
            Uncallable::Future => "future",
            Uncallable::ErrorContext => "error-context",
            Uncallable::TooDeep | Uncallable::TooLarge => "…",
        }
    }
}

impl From<Exceeded> for Uncallable {
    fn from(exceeded: Exceeded) -> Uncallable {
        match exceeded {
            Exceeded::Depth(_) => Uncallable::TooDeep,
            Exceeded::Nodes(_) | Exceeded::Bytes(_) => Uncallable::TooLarge,
        }
    }
}
