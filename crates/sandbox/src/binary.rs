//! What a file is, before Wasmtime sees it: a component, or one of the many things that people load
//! by mistake. Machine code in Wasmtime's own format is refused here; it must never be trusted.

use wasmparser::{Encoding, Parser, Payload};
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
        return (
            "a core WebAssembly module",
            "make a component of it: `wasm-tools component new module.wasm -o component.wasm`",
        );
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
