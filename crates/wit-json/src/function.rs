//! A function that a component exports: who it is, what it takes and gives, and whether it can be called as a tool.
//!
//! Holds what a component says about itself, so everything shown from here is cleaned and cut; it must never promise
//! anything about what the function does.

use std::fmt;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::bounds::{Bounds, Budget, Exceeded};
use crate::name::unversioned;
use crate::text;
use crate::types::{Type, Uncallable};

mod signature;
#[cfg(test)]
pub(crate) mod tests;

/// The longest description of a tool in bytes; hosts cut at 2 KB.
const DESCRIPTION_LIMIT: usize = 2048;
/// One parameter name outside of `[A-Za-z0-9_.-]{1,64}` makes hosts reject every tool of a request.
const PARAMETER_NAME_LIMIT: usize = 64;

/// The full name of an exported function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FunctionId {
    /// The interface as exported: `example:weather/weather-api@0.1.0`, or the plain name of an inline interface.
    /// `None` for a function at the level of the world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The function's name as exported: `get-weather`, `[method]counter.increment`.
    pub name: String,
}

impl FunctionId {
    /// An id of a function in `interface`, or in the world.
    pub fn new(interface: Option<&str>, name: &str) -> FunctionId {
        FunctionId { interface: interface.map(str::to_owned), name: name.to_owned() }
    }

    /// Whether `other` is this function, or it in another version of its interface.
    pub fn is_version_of(&self, other: &FunctionId) -> bool {
        let plain = |id: &FunctionId| id.interface.as_deref().map(unversioned).map(str::to_owned);
        self.name == other.name && plain(self) == plain(other)
    }

    /// The id that `text` shows: `interface#name`, or `name`.
    pub fn parse(text: &str) -> FunctionId {
        match text.split_once('#') {
            Some((interface, name)) => FunctionId::new(Some(interface), name),
            None => FunctionId::new(None, text),
        }
    }
}

/// `interface#name`, or `name` for a function of the world.
impl fmt::Display for FunctionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Some(interface) => write!(f, "{interface}#{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// An exported function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Who it is.
    pub id: FunctionId,
    /// Its documentation, cleaned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// The documentation of its interface, cleaned; shown where the function has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_docs: Option<String>,
    /// Parameters in WIT order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Param>,
    /// The type of its result, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Type>,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// The name as in WIT (kebab-case).
    pub name: String,
    /// Its documentation, cleaned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
}

impl Param {
    /// A parameter without docs.
    pub fn new(name: impl Into<String>, ty: Type) -> Param {
        Param { name: name.into(), docs: None, ty }
    }
}

impl Function {
    /// A function without docs.
    pub fn new(
        id: FunctionId,
        params: impl IntoIterator<Item = Param>,
        result: Option<Type>,
    ) -> Function {
        let params = params.into_iter().collect();
        Function { id, docs: None, interface_docs: None, params, result }
    }

    /// Whether it can be called as a plain tool, and if not, the first reason why.
    pub fn callable(&self) -> Result<(), NotCallable> {
        plain_name(&self.id.name)?;
        let mut budget = Budget::new(Bounds::SCHEMA);
        for param in &self.params {
            parameter_name(&param.name)?;
            let place = || Place::Parameter(param.name.clone());
            crossing(&param.ty, 1, &mut budget).map_err(|obstacle| obstacle.at(place()))?;
        }
        match &self.result {
            Some(ty) => crossing(ty, 1, &mut budget).map_err(|obstacle| obstacle.at(Place::Result)),
            None => Ok(()),
        }
    }

    /// The type of what a successful call answers: the `ok` payload where the result is a `result`, else the result.
    pub fn answer(&self) -> Option<&Type> {
        match self.result.as_ref()? {
            Type::Result { ok, .. } => ok.as_deref(),
            ty => Some(ty),
        }
    }

    /// Its signature as in WIT, cut where it is longer than 1 KiB: `get-weather(location: string) -> result<string, string>`.
    pub fn signature(&self) -> String {
        signature::of(self)
    }

    /// Its name in words: `Get weather`.
    pub fn title(&self) -> String {
        let name = self.id.name.rsplit(']').next().unwrap_or_default();
        let words = name.replace(['-', '_', '.'], " ");
        let mut characters = words.chars();
        match characters.next() {
            Some(first) => first.to_uppercase().chain(characters).collect(),
            None => words,
        }
    }

    /// What a model reads about it: its docs, else a line made from its signature; never empty, at most 2 KB.
    pub fn description(&self) -> String {
        let own = self.docs.as_deref().map(|docs| text::clean(docs, DESCRIPTION_LIMIT));
        own.filter(|docs| !docs.is_empty()).unwrap_or_else(|| self.generated_description())
    }

    fn generated_description(&self) -> String {
        let mut description = format!("`{}`", self.signature());
        if let Some(interface) = &self.id.interface {
            description = format!("{description} of `{interface}`");
        }
        if let Some(docs) = &self.interface_docs {
            description = format!("{description}\n\n{docs}");
        }
        text::clean(&description, DESCRIPTION_LIMIT)
    }
}

/// Why a function cannot be called as a plain tool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum NotCallable {
    /// A constructor, method or static function of a resource, or another name of a special kind.
    #[error("`{name}` is a {kind}, which is not a plain function")]
    #[diagnostic(
        code(wit_json::special_function),
        help("resources live inside one instance; only plain functions are tools")
    )]
    Special {
        /// The name as exported.
        name: String,
        /// `resource constructor`, `resource method`, …
        kind: &'static str,
    },
    /// A parameter whose name hosts refuse.
    #[error(
        "the name of the parameter `{name}` is longer than {PARAMETER_NAME_LIMIT} characters or holds others than letters, digits, `_`, `.` and `-`"
    )]
    #[diagnostic(
        code(wit_json::parameter_name),
        help(
            "hosts refuse such names together with every other tool; give it a shorter name in WIT"
        )
    )]
    ParameterName {
        /// The name as exported.
        name: String,
    },
    /// A type that has no JSON form.
    #[error("{place} holds {what}, which cannot cross as JSON")]
    #[diagnostic(code(wit_json::type_without_json))]
    Type {
        /// Where it stands.
        place: Place,
        /// What it is: `a handle of the resource `counter``, `a stream`, …
        what: String,
    },
    /// A type that unfolds to more than a tool may have.
    #[error("the type of {place} has {exceeded}")]
    #[diagnostic(code(wit_json::type_too_large), help("give the function simpler types in WIT"))]
    TooLarge {
        /// Where it stands.
        place: Place,
        /// The limit that it meets.
        exceeded: Exceeded,
    },
}

/// Where in a function a type stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the parameter of this name.
    Parameter(String),
    /// In the result.
    Result,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Parameter(name) => write!(f, "the parameter `{name}`"),
            Place::Result => f.write_str("the result"),
        }
    }
}

/// What stands in the way of a type, before it is known where the type stands.
pub(crate) enum Obstacle {
    Kind(String),
    Size(Exceeded),
}

impl Obstacle {
    pub(crate) fn at(self, place: Place) -> NotCallable {
        match self {
            Obstacle::Kind(what) => NotCallable::Type { place, what },
            Obstacle::Size(exceeded) => NotCallable::TooLarge { place, exceeded },
        }
    }
}

impl From<Exceeded> for Obstacle {
    fn from(exceeded: Exceeded) -> Obstacle {
        Obstacle::Size(exceeded)
    }
}

impl From<&Uncallable> for Obstacle {
    fn from(kind: &Uncallable) -> Obstacle {
        let what = match kind {
            Uncallable::Own(Some(name)) | Uncallable::Borrow(Some(name)) => {
                format!("a handle of the resource `{name}`")
            }
            Uncallable::Own(None) | Uncallable::Borrow(None) => "a handle of a resource".to_owned(),
            Uncallable::Stream => "a stream".to_owned(),
            Uncallable::Future => "a future".to_owned(),
            Uncallable::ErrorContext => "an error context".to_owned(),
            Uncallable::TooDeep => return Exceeded::Depth(Bounds::SCHEMA.depth).into(),
            Uncallable::TooLarge => return Exceeded::Nodes(Bounds::SCHEMA.nodes).into(),
        };
        Obstacle::Kind(what)
    }
}

/// The component model marks what is not a plain function by a bracket: `[method]counter.increment`.
fn plain_name(name: &str) -> Result<(), NotCallable> {
    let Some(marked) = name.strip_prefix('[') else { return Ok(()) };
    let kind = match marked.split(']').next().unwrap_or_default() {
        "constructor" => "resource constructor",
        "method" | "async method" => "resource method",
        "static" | "async static" => "static function of a resource",
        _ => "function of a kind that is not known here",
    };
    Err(NotCallable::Special { name: name.to_owned(), kind })
}

fn parameter_name(name: &str) -> Result<(), NotCallable> {
    let portable = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if (1..=PARAMETER_NAME_LIMIT).contains(&name.len()) && name.bytes().all(portable) {
        return Ok(());
    }
    Err(NotCallable::ParameterName { name: text::clean(name, 2 * PARAMETER_NAME_LIMIT) })
}

/// Whether values of `ty` can cross into JSON. Shared branches are walked each time they are met, as a schema would be.
fn crossing(ty: &Type, level: u32, budget: &mut Budget) -> Result<(), Obstacle> {
    budget.node(level)?;
    if let Type::Uncallable(kind) = ty {
        return Err(Obstacle::from(kind));
    }
    if let Type::Enum(labels) | Type::Flags(labels) = ty {
        labels.items.iter().try_for_each(|_| budget.node(level))?;
    }
    ty.children().try_for_each(|child| crossing(child, level + 1, budget))
}
