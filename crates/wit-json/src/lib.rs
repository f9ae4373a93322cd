//! WIT functions as tools: names, descriptions, JSON Schemas and values.
//!
//! Pure: no input or output, no async, and no knowledge of the WebAssembly engine. The sandbox turns the engine's types
//! and values into [`Type`] and [`Value`]; the toolbox turns [`Function`]s into tools with what is here. Nothing in this
//! crate trusts a component: names, docs, types and values are bounded, and text is cleaned before a model sees it.

mod bounds;
mod decode;
mod docs;
mod encode;
mod function;
mod junk;
mod name;
#[cfg(test)]
mod properties;
mod schema;
mod text;
mod types;
mod value;

pub use bounds::{Bounds, Budget, Exceeded};
pub use decode::{DecodeError, Reply, decode, reply};
pub use docs::PackageDocs;
pub use encode::{ArgumentError, encode};
pub use function::{Function, FunctionId, NotCallable, Param, Place};
pub use junk::{Omitted, omitted, unfit};
pub use name::{InvalidToolName, NameOptions, ToolName, names, spellings, tool_name};
pub use schema::{input_schema, output_schema};
pub use text::clean;
pub use types::{Case, Definition, Field, Label, Type, Uncallable};
pub use value::Value;
