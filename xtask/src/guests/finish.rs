//! From what a compiler made to what is committed: a component, with its documentation, and with nothing of the machine
//! that built it. It must never change what the component does.

use std::path::Path;

use wit_component::ComponentEncoder;

use super::documentation::document;
use super::error::Error;
use super::recipe::{Guest, Language};
use super::tools::Tools;

/// Finishes the `built` bytes of `guest`.
pub(crate) fn finish(
    built: Vec<u8>,
    guest: &Guest,
    tree: &Path,
    tools: &Tools,
) -> Result<Vec<u8>, Error> {
    let mut bytes = match guest.language {
        Language::RustBare | Language::C => component(&built, guest.name)?,
        _ => built,
    };
    hide_registries(&mut bytes);
    refuse_paths(&bytes, guest.name, &[tree, tools.folder()])?;
    document(&bytes, &tree.join(guest.source).join("wit"))
}

/// A component of a core module that carries its world.
fn component(module: &[u8], name: &'static str) -> Result<Vec<u8>, Error> {
    let encoded = ComponentEncoder::default().validate(true).module(module);
    let encoded = encoded.and_then(|mut encoder| encoder.encode());
    encoded.map_err(|error| Error::Component { name, reason: format!("{error:#}") })
}

/// Strikes out the folders that cargo names after its registries. Panics say them, ours and those of the engines that come
/// ready-made; the length stays, so that everything else does.
fn hide_registries(bytes: &mut [u8]) {
    const BEFORE: &[u8] = b"/registry/src/";
    const LONGEST: usize = 100;
    let places: Vec<usize> = bytes
        .windows(BEFORE.len())
        .enumerate()
        .filter_map(|(place, window)| (window == BEFORE).then_some(place + BEFORE.len()))
        .collect();
    for place in places {
        let rest = bytes.get_mut(place..).unwrap_or_default();
        let Some(length) = rest.iter().take(LONGEST).position(|&byte| byte == b'/') else {
            continue;
        };
        for byte in rest.iter_mut().take(length) {
            *byte = b'-';
        }
    }
}

/// What is committed must not tell where it was built.
fn refuse_paths(bytes: &[u8], name: &'static str, paths: &[&Path]) -> Result<(), Error> {
    for path in paths {
        let path = path.to_string_lossy();
        if bytes.windows(path.len()).any(|window| window == path.as_bytes()) {
            return Err(Error::Leak { name, path: path.into_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
