//! Functions that a component exports but nobody means as tools.
//!
//! They are left out by default and shown by `inspect`. A rule here must name a toolchain or a standard: nothing is left
//! out because it looks odd.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bounds::Bounds;
use crate::function::Function;
use crate::name::unversioned;
use crate::schema::{input_schema, output_schema};

#[cfg(test)]
mod tests;

/// Why a function is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Omitted {
    /// The toolchain exports it for itself.
    Toolchain(String),
    /// It belongs to an interface that hosts call, such as `wasi:cli/run`.
    Standard(String),
}

impl fmt::Display for Omitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Omitted::Toolchain(toolchain) => write!(f, "{toolchain} exports it for itself"),
            Omitted::Standard(interface) => {
                write!(f, "`{interface}` is an interface that hosts call, not a set of tools")
            }
        }
    }
}

/// Why `function` is left out by default; `None` for one that is meant as a tool.
pub fn omitted(function: &Function) -> Option<Omitted> {
    match function.id.interface.as_deref() {
        Some(interface) => omitted_interface(interface),
        None => omitted_world_function(function),
    }
}

/// Why `function` cannot or should not be a tool; `None` for one that becomes one.
pub fn unfit(function: &Function) -> Option<String> {
    if let Some(omitted) = omitted(function) {
        return Some(omitted.to_string());
    }
    // The schemas have bounds of their own, which a callable function can still exceed.
    let fits = function.callable().and_then(|()| {
        input_schema(function, Bounds::SCHEMA)?;
        output_schema(function, Bounds::SCHEMA)
    });
    fits.err().map(|reason| reason.to_string())
}

fn omitted_interface(interface: &str) -> Option<Omitted> {
    let plain = unversioned(interface);
    if plain == "exports" {
        return Some(Omitted::Toolchain("componentize-py".to_owned()));
    }
    plain.starts_with("wasi:").then(|| Omitted::Standard(plain.to_owned()))
}

fn omitted_world_function(function: &Function) -> Option<Omitted> {
    let name = function.id.name.as_str();
    if matches!(name, "wizer-initialize" | "wizer.initialize") {
        return Some(Omitted::Toolchain("Wizer".to_owned()));
    }
    if name.starts_with("cabi_") {
        return Some(Omitted::Toolchain("the canonical ABI".to_owned()));
    }
    let mut params = function.params.iter().map(|param| param.name.as_str());
    let quickjs =
        name == "init" && params.next() == Some("shim") && params.next() == Some("script");
    quickjs.then(|| Omitted::Toolchain("QuickJS".to_owned()))
}
