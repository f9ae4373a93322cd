//! The digests of the committed components, in a file that `sha256sum --check` reads as well.
//! A component that the file does not name must never pass: nobody could tell where it came from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::{Error, at};

/// Where the digests lie, from the source tree on. Each line is a digest, two spaces, and a path from the source tree on.
const FILE: &str = "guests/built/SHA256SUMS";

/// Writes the digests of all committed components.
pub(crate) fn write(tree: &Path) -> Result<(), Error> {
    let lines: Vec<String> =
        digests(tree)?.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect();
    let file = tree.join(FILE);
    fs::write(&file, lines.concat()).map_err(at(&file))
}

/// Compares the committed components with their digests; gives the number of components.
pub(crate) fn check(tree: &Path) -> Result<usize, Error> {
    let file = tree.join(FILE);
    let text = fs::read_to_string(&file).map_err(at(&file))?;
    let mut found = digests(tree)?;
    let count = found.len();
    let mut findings = Vec::new();
    for line in text.lines() {
        let Some((expected, path)) = line.split_once("  ") else {
            findings.push(format!("`{line}` is no line of digest and path"));
            continue;
        };
        match found.remove(path) {
            Some(digest) if digest == expected => {}
            Some(digest) => findings.push(format!("`{path}` is {digest}, expected {expected}")),
            None => findings.push(format!("`{path}` is missing")),
        }
    }
    findings.extend(found.keys().map(|path| format!("`{path}` has no digest in `{FILE}`")));
    if findings.is_empty() { Ok(count) } else { Err(Error::Digests { findings }) }
}

/// The committed components and their digests, by path.
fn digests(tree: &Path) -> Result<BTreeMap<String, String>, Error> {
    let mut digests = BTreeMap::new();
    let mut folders = vec![PathBuf::from("guests/built")];
    folders.extend(children(tree, Path::new("examples"))?);
    for folder in folders.iter().filter(|folder| tree.join(folder).is_dir()) {
        for path in children(tree, folder)? {
            if path.extension().is_some_and(|extension| extension == "wasm") {
                let bytes = fs::read(tree.join(&path)).map_err(at(&path))?;
                digests.insert(slashed(&path), hexadecimal(&Sha256::digest(&bytes)));
            }
        }
    }
    Ok(digests)
}

/// What is in `folder`, from `tree` on.
fn children(tree: &Path, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut children = Vec::new();
    for child in fs::read_dir(tree.join(folder)).map_err(at(folder))? {
        children.push(folder.join(child.map_err(at(folder))?.file_name()));
    }
    Ok(children)
}

fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
