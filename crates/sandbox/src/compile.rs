//! From the bytes of a component to code and a description of it. This runs in a process of its own
//! (see `compiler`): compilation can neither be bounded nor stopped from inside.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use wasmtime::component::{Component, Linker};
use wassette_policy::{Bytes, Limits};
use wassette_wit_json::Function;

use crate::error::CompileError;
use crate::sandbox::Sandbox;
use crate::{alias, binary, describe, engine, features, images, outline, purpose, sandbox};

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

/// What a component is, whether it can run here or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// What it is. Of a component that cannot be looked into, the names of its exports.
    pub description: Description,
    /// Why it cannot run here; nothing if it can.
    pub faults: Vec<CompileError>,
}

/// Compiles in this process and at whatever cost. Only the compiler's own process may do so with
/// bytes that are not trusted. What can be refused without the component's code is refused first; so
/// is a component without tools, if it is for its `tools` alone.
pub(crate) fn compile(
    bytes: &[u8],
    limits: &Limits,
    tools: bool,
) -> Result<Compiled, CompileError> {
    let host = Host::new(bytes)?;
    let bytes = host.read(bytes)?;
    if let Some(fault) = lacking(&bytes)? {
        return Err(fault);
    }
    let check = |component: &Component| match host.faults(component, limits).into_iter().next() {
        Some(fault) => Err(fault),
        None if tools => purpose::check_tools(&host.description(component, &bytes), &bytes),
        None => Ok(()),
    };
    if let Some(outline) = host.outline(&bytes) {
        check(&outline)?;
    }

    let component =
        Component::from_binary(&host.engine, &bytes).map_err(|error| unsupported(&error))?;
    check(&component)?;
    let code = component.serialize().map_err(broken)?;
    Ok(Compiled { description: host.description(&component, &bytes), code })
}

/// Finds out what a component is without compiling it. Like `compile`, it is for the compiler's own
/// process.
///
/// # Errors
/// Why the bytes are no component at all.
pub(crate) fn survey(bytes: &[u8], limits: &Limits) -> Result<Survey, CompileError> {
    let host = Host::new(bytes)?;
    let bytes = host.read(bytes)?;
    let mut faults: Vec<CompileError> = lacking(&bytes)?.into_iter().collect();
    // What has no outline takes as long as it takes.
    let component = host.outline(&bytes).map_or_else(
        || Component::from_binary(&host.engine, &bytes).map_err(|error| unsupported(&error)),
        Ok,
    );
    let description = match component {
        Ok(component) => {
            let description = host.description(&component, &bytes);
            faults.extend(host.faults(&component, limits));
            faults.extend(purpose::check_tools(&description, &bytes).err());
            description
        }
        Err(fault) => {
            if faults.is_empty() {
                faults.push(fault);
            }
            let (exports, imports) = binary::names(&bytes);
            let reason = "what it is cannot be told";
            let omission =
                |name| Omission { function: describe::one_line(name), reason: reason.to_owned() };
            Description {
                functions: Vec::new(),
                others: exports.into_iter().take(IMPORTS).map(omission).collect(),
                imports: listed(imports),
            }
        }
    };
    Ok(Survey { description, faults })
}

/// What this build offers to components.
struct Host {
    engine: wasmtime::Engine,
    linker: Linker<Sandbox>,
}

impl Host {
    /// The host for the component `bytes`, which decide whether its memories get images.
    fn new(bytes: &[u8]) -> Result<Self, CompileError> {
        let mut config = engine::config();
        config.memory_guaranteed_dense_image_size(images::guaranteed_dense_image_size(bytes));
        let engine = wasmtime::Engine::new(&config).map_err(broken)?;
        let linker = sandbox::linker(&engine).map_err(broken)?;
        Ok(Self { engine, linker })
    }

    /// The component as it is compiled here.
    fn read<'a>(&self, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, CompileError> {
        binary::check(bytes)?;
        Ok(alias::release(bytes).map_or(Cow::Borrowed(bytes), Cow::Owned))
    }

    fn outline(&self, bytes: &[u8]) -> Option<Component> {
        Component::from_binary(&self.engine, &outline::of(bytes)?).ok()
    }

    /// Why `component`, or what it is an outline of, cannot run under `limits`.
    fn faults(&self, component: &Component, limits: &Limits) -> Vec<CompileError> {
        let ty = component.component_type();
        let imports: Vec<&str> = ty.imports(&self.engine).map(|(name, _)| name).collect();
        let linked = self.linker.instantiate_pre(component);
        let linked = linked.err().map(|error| unlinked(&error, &imports));
        let declared = check_declared(component, limits).err();
        let listed = describe::exports(&self.engine, &ty).check().err();
        linked.into_iter().chain(declared).chain(listed).collect()
    }

    /// What `component` is, by its types and by what the original's `bytes` say beside them.
    fn description(&self, component: &Component, bytes: &[u8]) -> Description {
        let ty = component.component_type();
        let imports = listed(ty.imports(&self.engine).map(|(name, _)| name).collect());
        let mut exports = describe::exports(&self.engine, &ty);
        if let Some(docs) = binary::docs(bytes) {
            docs.apply(&mut exports.functions);
        }
        Description { functions: exports.functions, others: exports.others, imports }
    }
}

/// That the component needs features that this build lacks, if it does.
fn lacking(bytes: &[u8]) -> Result<Option<CompileError>, CompileError> {
    let features = features::lacking(bytes)?;
    Ok((!features.is_empty()).then_some(CompileError::Lacking { features }))
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
        let reason = words(error);
        // Wasmtime has no type for this; the tests notice when its words change.
        let help = if reason.contains("implementation is missing") {
            "it asks for more than the released interface has, a feature that is not stable yet or \
             that came later; build the component without it"
        } else {
            "rebuild the component against a released version of WASI 0.2"
        };
        return CompileError::MismatchedImport { reason, help: help.to_owned() };
    }
    CompileError::MissingImports { imports: listed(missing) }
}

/// The names of imports, which a component's author chooses freely, as a list that can be shown.
fn listed(imports: Vec<&str>) -> Vec<String> {
    let more = imports.len().saturating_sub(IMPORTS);
    let names = imports.iter().take(IMPORTS).map(|name| describe::one_line(name));
    names.chain((more > 0).then(|| format!("and {more} more"))).collect()
}

/// What it means that the engine refuses a component that is valid.
fn unsupported(error: &wasmtime::Error) -> CompileError {
    let reason = wassette_wit_json::clean(&error.root_cause().to_string(), 500).replace('\n', " ");
    CompileError::Unsupported { reason }
}

fn broken(error: wasmtime::Error) -> CompileError {
    CompileError::Broken { reason: words(&error) }
}

/// Wasmtime's words on one line and of a bearable length: names in them come from the component.
fn words(error: &wasmtime::Error) -> String {
    wassette_wit_json::clean(&format!("{error:#}"), 500).replace('\n', " ")
}
