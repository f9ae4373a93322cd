//! From the bytes of a component to code and a description of it. This runs in a process of its own
//! (see `compiler`): compilation can neither be bounded nor stopped from inside.

use serde::{Deserialize, Serialize};
use wasmtime::component::Component;
use wassette_policy::{Bytes, Limits};
use wassette_wit_json::Function;

use crate::error::CompileError;
use crate::{alias, binary, describe, engine, sandbox};

/// More imports than these are only counted.
const IMPORTS: usize = 50;

/// The size of a page of memory; other sizes are switched off.
const PAGE: u64 = 64 << 10;

/// What a component is, as far as it can be told without running it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The functions that it exports, in the order of the component.
    pub functions: Vec<Function>,
    /// What it exports besides functions.
    pub others: Vec<Omission>,
    /// The names of what it imports.
    pub imports: Vec<String>,
}

/// An export that does not become a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Omission {
    /// Its name, `interface#function` or `function`.
    pub function: String,
    /// Why, as the end of a sentence.
    pub reason: String,
}

/// A component that was compiled and found fit to run.
pub struct Compiled {
    /// What it is.
    pub description: Description,
    /// Machine code, in Wasmtime's format.
    pub(crate) code: Vec<u8>,
}

/// Compiles in this process and at whatever cost. Only the compiler's own process may do so with
/// bytes that are not trusted.
pub(crate) fn compile(bytes: &[u8], limits: &Limits) -> Result<Compiled, CompileError> {
    binary::check(bytes)?;
    let engine = wasmtime::Engine::new(&engine::config()).map_err(broken)?;
    let linker = sandbox::linker(&engine).map_err(broken)?;
    let renamed = alias::release(bytes);
    let component = Component::from_binary(&engine, renamed.as_deref().unwrap_or(bytes))
        .map_err(|error| invalid(&error))?;

    check_declared(&component, limits)?;
    let ty = component.component_type();
    let imports: Vec<&str> = ty.imports(&engine).map(|(name, _)| name).collect();
    linker.instantiate_pre(&component).map_err(|error| unlinked(&error, &imports))?;
    let imports = listed(imports);

    let mut exports = describe::exports(&engine, &ty)?;
    if let Some(docs) = binary::docs(bytes) {
        docs.apply(&mut exports.functions);
    }
    let code = component.serialize().map_err(broken)?;
    let description = Description { functions: exports.functions, others: exports.others, imports };
    Ok(Compiled { description, code })
}

/// Refuses what could never be instantiated under `limits`, by what the component declares.
fn check_declared(component: &Component, limits: &Limits) -> Result<(), CompileError> {
    let Some(declared) = component.resources_required() else { return Ok(()) };
    // Wasmtime's documentation does not say so, but the number is of pages.
    let memory = declared.max_initial_memory_size.unwrap_or(0).saturating_mul(PAGE);
    if memory > limits.memory.count() {
        return Err(CompileError::Declares {
            declared: format!("a memory of {}", size(memory)),
            limit: limits.memory.to_string(),
            setting: "memory".to_owned(),
        });
    }
    let elements = declared.max_initial_table_size.unwrap_or(0);
    if elements > u64::from(limits.table_elements) {
        return Err(CompileError::Declares {
            declared: format!("a table of {elements} elements"),
            limit: limits.table_elements.to_string(),
            setting: "table-elements".to_owned(),
        });
    }
    for (count, kind) in [(declared.num_memories, "memories"), (declared.num_tables, "tables")] {
        if count > limits.instances {
            return Err(CompileError::Declares {
                declared: format!("{count} {kind}"),
                limit: limits.instances.to_string(),
                setting: "instances".to_owned(),
            });
        }
    }
    Ok(())
}

fn size(bytes: u64) -> String {
    bytes.to_string().parse::<Bytes>().map_or_else(|_| bytes.to_string(), |bytes| bytes.to_string())
}

/// What the linker's refusal means. It names one import; we name all that have no provider.
fn unlinked(error: &wasmtime::Error, imports: &[&str]) -> CompileError {
    let missing: Vec<&str> =
        imports.iter().copied().filter(|import| !sandbox::provides(import)).collect();
    if missing.is_empty() {
        return CompileError::MismatchedImport { reason: words(error) };
    }
    CompileError::MissingImports { imports: listed(missing) }
}

/// The names of imports, which a component's author chooses freely, as a list that can be shown.
fn listed(imports: Vec<&str>) -> Vec<String> {
    let more = imports.len().saturating_sub(IMPORTS);
    let names = imports.iter().take(IMPORTS).map(|name| describe::one_line(name));
    names.chain((more > 0).then(|| format!("and {more} more"))).collect()
}

fn invalid(error: &wasmtime::Error) -> CompileError {
    let reason = words(error);
    let help = if reason.contains("unexpected end") || reason.contains("is out of bounds (bound") {
        "the file seems to be cut off: was the build or the download interrupted?"
    } else if reason.contains("not enabled") || reason.contains("not supported") {
        "it uses a feature of WebAssembly that is switched off here; rebuild it without"
    } else {
        "`wasm-tools validate` says the same; rebuild the component with a current toolchain"
    };
    CompileError::Invalid { reason, help: help.to_owned() }
}

fn broken(error: wasmtime::Error) -> CompileError {
    CompileError::Broken { reason: words(&error) }
}

/// Wasmtime's words on one line and of a bearable length: names in them come from the component.
fn words(error: &wasmtime::Error) -> String {
    wassette_wit_json::clean(&format!("{error:#}"), 500).replace('\n', " ")
}
