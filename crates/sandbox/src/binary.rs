//! What a file is, before Wasmtime sees it: a component, or one of the many things that people load
//! by mistake, and what its sections say by themselves. Machine code in Wasmtime's own format is refused here; it must never be trusted.

use wasmparser::{ComponentExternalKind, Encoding, ExternalKind, Parser, Payload};
use wassette_wit_json::PackageDocs;

use crate::error::CompileError;

/// Longer documentation than this is not read.
const DOCS: usize = 1 << 20;

/// Refuses whatever is not the binary of a component.
pub(crate) fn check(bytes: &[u8]) -> Result<(), CompileError> {
    if bytes.is_empty() {
        return Err(CompileError::Empty);
    }
    if bytes.starts_with(b"\0asm\x0d\0\x01\0") {
        return Ok(());
    }
    let (found, help) = recognise(bytes);
    Err(CompileError::NotComponent { found: found.to_owned(), help: help.to_owned() })
}

fn recognise(bytes: &[u8]) -> (&'static str, &'static str) {
    const OTHER: &str = "load the `.wasm` file of a component, as `cargo component`, `jco`, `componentize-py` or `wasm-tools` make it";
    const COMPILED: &str =
        "compiled code is never loaded, as it could do anything; load the component's `.wasm` file";
    if bytes.starts_with(b"\0asm\x01\0\0\0") {
        return ("a core WebAssembly module", of_module(bytes));
    }
    if bytes.starts_with(b"\0asm") {
        return (
            "a WebAssembly file of an unknown version",
            "rebuild the component with a current toolchain",
        );
    }
    if b"\0asm".starts_with(bytes) {
        return ("a cut-off file", "was the build or the download interrupted?");
    }
    if wasmtime::Engine::detect_precompiled(bytes).is_some() {
        return ("code that Wasmtime has compiled (`.cwasm`)", COMPILED);
    }
    if bytes.starts_with(b"\x7fELF")
        || bytes.starts_with(b"MZ")
        || bytes.starts_with(b"\xcf\xfa\xed\xfe")
    {
        return ("a native program", COMPILED);
    }
    if bytes.starts_with(b"\x1f\x8b")
        || bytes.starts_with(b"PK\x03\x04")
        || bytes.starts_with(b"\x28\xb5\x2f\xfd")
    {
        return ("a compressed file", "unpack it first, and load the `.wasm` file inside");
    }
    let start = bytes.get(..bytes.len().min(1024)).unwrap_or(bytes);
    match std::str::from_utf8(start).map_or_else(|error| error.valid_up_to() > 1000, |_| true) {
        true if is_component_text(start) => (
            "a component in text form",
            "make a binary of it: `wasm-tools parse component.wat -o component.wasm`",
        ),
        true => ("a text file", OTHER),
        false => ("a file of an unknown kind", OTHER),
    }
}

/// How to make a component of a core module.
fn of_module(bytes: &[u8]) -> &'static str {
    let (mut preview, mut starts, mut world) = (false, false, false);
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        match payload {
            Payload::ImportSection(imports) => {
                let mut imports = imports.into_imports().map_while(Result::ok);
                preview |= imports.any(|import| import.module == "wasi_snapshot_preview1");
            }
            Payload::ExportSection(exports) => {
                let mut exports = exports.into_iter().map_while(Result::ok);
                starts |= exports
                    .any(|export| export.kind == ExternalKind::Func && export.name == "_start");
            }
            Payload::CustomSection(section) => {
                world |= section.name().starts_with("component-type");
            }
            _ => {}
        }
    }
    match (preview, starts, world) {
        (true, true, _) => {
            "it is a program for WASI preview 1: build a library of it for `wasm32-wasip2`; with \
             `wasm-tools component new module.wasm --adapt \
             wasi_snapshot_preview1=wasi_snapshot_preview1.command.wasm -o component.wasm` it becomes \
             a command, which has no tools"
        }
        (true, false, true) => {
            "it is built for WASI preview 1: build it for `wasm32-wasip2`, or make a component of it \
             with the adapter: `wasm-tools component new module.wasm --adapt \
             wasi_snapshot_preview1=wasi_snapshot_preview1.reactor.wasm -o component.wasm`"
        }
        (true, false, false) => {
            "it is built for WASI preview 1 and does not say what its functions take: build it for \
             `wasm32-wasip2`, or describe them in WIT: `wasm-tools component embed world.wit \
             module.wasm -o embedded.wasm`, then `wasm-tools component new embedded.wasm --adapt \
             wasi_snapshot_preview1=wasi_snapshot_preview1.reactor.wasm -o component.wasm`"
        }
        (false, _, true) => {
            "make a component of it: `wasm-tools component new module.wasm -o component.wasm`"
        }
        (false, _, false) => {
            "it does not say what its functions take: describe them in WIT, then make a component \
             of it: `wasm-tools component embed world.wit module.wasm -o embedded.wasm`, \
             `wasm-tools component new embedded.wasm -o component.wasm`"
        }
    }
}

/// Whether all that the component exports is types: it is a WIT package, written as a component.
pub(crate) fn defines_types_alone(bytes: &[u8]) -> bool {
    let (mut depth, mut types, mut others) = (0_usize, 0_usize, 0_usize);
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        match payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentExportSection(exports) if depth == 1 => {
                for export in exports.into_iter().map_while(Result::ok) {
                    match export.kind {
                        ComponentExternalKind::Type => types += 1,
                        _ => others += 1,
                    }
                }
            }
            _ => {}
        }
    }
    types > 0 && others == 0
}

/// The names of what a component exports and of what it imports, as far as they can be read.
pub(crate) fn names(bytes: &[u8]) -> (Vec<&str>, Vec<&str>) {
    let (mut exported, mut imported) = (Vec::new(), Vec::new());
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        match payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentExportSection(exports) if depth == 1 => {
                exported.extend(exports.into_iter().map_while(Result::ok).map(|e| e.name.name));
            }
            Payload::ComponentImportSection(imports) if depth == 1 => {
                imported.extend(imports.into_iter().map_while(Result::ok).map(|i| i.name.name));
            }
            _ => {}
        }
    }
    (exported, imported)
}

/// Whether a text begins, comments aside, as WebAssembly text does.
fn is_component_text(start: &[u8]) -> bool {
    let mut lines = start.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_start);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b";;"));
    first.is_some_and(|line| line.starts_with(b"(component"))
}

/// The documentation in the sections of the component itself: the first of each name, where it has
/// a bearable size. A file that cannot be read to the end has none: whether it is valid is for
/// Wasmtime to say.
pub(crate) fn docs(bytes: &[u8]) -> Option<PackageDocs> {
    let mut found = PackageDocs::SECTIONS.map(|name| (name, None));
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::Version { encoding: Encoding::Component | Encoding::Module, .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 1 => {
                let mut named = found.iter_mut().filter(|(name, _)| *name == section.name());
                if let Some((_, data)) = named.next() {
                    data.get_or_insert(section.data());
                }
            }
            _ => {}
        }
    }
    let bearable = found.iter().filter_map(|(_, data)| data.filter(|data| data.len() <= DOCS));
    bearable.filter_map(PackageDocs::parse).reduce(|mut docs, further| {
        docs.add(further);
        docs
    })
}
