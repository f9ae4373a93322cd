//! Where the guests of the tests lie in the source tree, and how those written as text become wasm.

use std::fs;
use std::path::{Path, PathBuf};

/// The text of `guests/wat/<name>.wat`.
///
/// # Panics
/// If there is no such guest.
pub fn wat_text(name: &str) -> String {
    let path = source_tree().join("guests/wat").join(format!("{name}.wat"));
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("no guest text at {}: {error}", path.display()))
}

/// The bytes of `guests/wat/<name>.wat`, made binary.
///
/// # Panics
/// If there is no such guest, or if it cannot be read as WebAssembly text.
pub fn compiled(name: &str) -> Vec<u8> {
    wat::parse_str(wat_text(name))
        .unwrap_or_else(|error| panic!("guest `{name}` cannot be assembled: {error}"))
}

/// `wasm` with so much in a section that nobody reads that it has `size` bytes.
///
/// # Panics
/// If that is less than it has, or more than 256 MiB.
pub fn padded(mut wasm: Vec<u8>, size: usize) -> Vec<u8> {
    // The section's number, its length in four bytes of seven bits, and a name of one.
    let length = size.checked_sub(wasm.len() + 5).filter(|length| length >> 28 == 0);
    let length = length.unwrap_or_else(|| panic!("it cannot have {size} bytes"));
    let part = |shift: usize| (length >> shift & 0x7f) as u8;
    wasm.extend([0, part(0) | 0x80, part(7) | 0x80, part(14) | 0x80, part(21), 1, b'x']);
    wasm.resize(size, 0);
    wasm
}

/// The path of the committed component `guests/built/<name>.wasm`.
///
/// # Panics
/// If it is not there: what is committed must be found.
pub fn built(name: &str) -> PathBuf {
    present(source_tree().join("guests/built").join(format!("{name}.wasm")))
}

/// The path of the committed component `examples/<name>/<name>.wasm`.
///
/// # Panics
/// If it is not there: what is committed must be found.
pub fn example(name: &str) -> PathBuf {
    present(source_tree().join("examples").join(name).join(format!("{name}.wasm")))
}

fn present(path: PathBuf) -> PathBuf {
    assert!(path.is_file(), "no component at {}", path.display());
    path
}

fn source_tree() -> &'static Path {
    // This crate lies two folders below the root of the workspace.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .and_then(Path::parent)
        .expect("the crate lies in a workspace")
}
