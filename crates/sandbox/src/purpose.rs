//! What a component is for that no tool can be made of, in words for whoever tried to load it.

use wassette_wit_json::{Function, Type, Uncallable, unfit};

use crate::binary;
use crate::compile::Description;
use crate::error::CompileError;

/// Exports that are named one by one, at most.
const NAMED: usize = 3;

/// Refuses a component of which not one function becomes a tool, and says what it is instead.
///
/// # Errors
/// [`CompileError::NoTools`].
pub fn check_tools(description: &Description, bytes: &[u8]) -> Result<(), CompileError> {
    if description.functions.iter().any(|function| unfit(function).is_none()) {
        return Ok(());
    }
    let (what, cure) = without_tools(description, binary::defines_types_alone(bytes));
    Err(CompileError::NoTools { what, cure: cure.to_owned() })
}

fn without_tools(description: &Description, defines_types: bool) -> (String, &'static str) {
    let Description { functions, others, .. } = description;
    if defines_types {
        return (
            "it holds interface definitions only (a WIT package)".to_owned(),
            "load a component that implements them",
        );
    }
    if functions.is_empty() && others.is_empty() {
        return ("it exports nothing".to_owned(), "export the functions that are to be tools");
    }
    if let Some(interface) = exported(functions, "wasi:cli/run") {
        return (
            format!("it is a command, which exports `{interface}` to be run as a program"),
            "run it with a WebAssembly runtime, such as `wasmtime run`; for tools, export functions \
             of an interface of your own",
        );
    }
    let handlers = ["wasi:http/incoming-handler", "wasi:http/handler"];
    if let Some(interface) = handlers.iter().find_map(|handler| exported(functions, handler)) {
        return (
            format!("it is an HTTP handler, which exports `{interface}` to answer requests"),
            "serve it with a WebAssembly runtime, such as `wasmtime serve`; for tools, export \
             functions of an interface of your own",
        );
    }
    if !functions.is_empty() && functions.iter().all(takes_handles) {
        return (
            "it exports resources only, whose functions need handles that no tool call can hold"
                .to_owned(),
            "export functions that take and return plain values",
        );
    }
    let functions = functions.iter().filter_map(|function| {
        Some(format!("`{}` ({})", function.id, unfit(function)?.trim_end_matches('.')))
    });
    let others = others.iter().map(|other| format!("`{}` ({})", other.function, other.reason));
    let mut named: Vec<String> = functions.chain(others).collect();
    let more = named.len().saturating_sub(NAMED);
    named.truncate(NAMED);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    (
        format!("none of its exports can be one: {}", named.join(", ")),
        "export functions that take and return plain values",
    )
}

/// The interface of `functions` that is `name` in some version.
fn exported<'a>(functions: &'a [Function], name: &str) -> Option<&'a str> {
    let mut interfaces = functions.iter().filter_map(|function| function.id.interface.as_deref());
    interfaces.find(|interface| interface.split('@').next() == Some(name))
}

/// Whether it is a function of a resource, or takes or gives one.
fn takes_handles(function: &Function) -> bool {
    let mut types = function.params.iter().map(|param| &param.ty).chain(function.answer());
    let handle =
        |ty: &Type| matches!(ty, Type::Uncallable(Uncallable::Own(_) | Uncallable::Borrow(_)));
    function.id.name.starts_with('[') || types.any(handle)
}
