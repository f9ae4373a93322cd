//! The documentation in a guest's WIT, put into the finished component, since compilers drop it.
//! What is written must be what other tools read, and must never change what the component does.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::BinaryReader;
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Docs, IndexMap, PackageId, PackageMetadata, Resolve, World, WorldItem, WorldKey};

use super::error::Error;

/// The documentation of the component's own world. Tools know the world of a finished component by the name [`ROOT`], and
/// refuse the component if this section names anything that it does not have.
const WORLD: &str = PackageMetadata::SECTION_NAME;
const ROOT: &str = "root";
/// The documentation of the interfaces that the component exports out of a package. The section above has no place for it:
/// it is about the component's own package. This one is ours, in the same encoding; other tools pass it over.
const INTERFACES: &str = "interface-docs";
/// What says nothing.
const EMPTY: &[u8] = b"\x01{}";

/// What a world imports or exports.
type Items = IndexMap<WorldKey, WorldItem>;

/// `component` with the documentation of the WIT folder `wit`, in the place of what it had.
pub(crate) fn document(component: &[u8], wit: &Path) -> Result<Vec<u8>, Error> {
    let source = read(wit).map_err(|reason| Error::Wit { path: wit.to_path_buf(), reason })?;
    written(component, source)
        .map_err(|reason| Error::Documentation { path: wit.to_path_buf(), reason })
}

fn read(wit: &Path) -> Result<(Resolve, PackageId), String> {
    let mut source = Resolve::default();
    let (package, _) = source.push_dir(wit).map_err(shown)?;
    Ok((source, package))
}

fn written(component: &[u8], source: (Resolve, PackageId)) -> Result<Vec<u8>, String> {
    let mut bytes = undocumented(component)?;
    let sections =
        [(INTERFACES, of_interfaces(source.clone())?), (WORLD, of_world(source, &bytes)?)];
    for (name, data) in sections.into_iter().filter(|(_, data)| data != EMPTY) {
        let section = CustomSection { name: Cow::Borrowed(name), data: Cow::Owned(data) };
        section.append_to_component(&mut bytes);
    }
    // As other tools do, to be sure that they can.
    decode(&bytes).map_err(shown)?;
    Ok(bytes)
}

/// A component without its sections of documentation; all else stays as it is.
fn undocumented(component: &[u8]) -> Result<Vec<u8>, String> {
    let mut reader = BinaryReader::new(component, 0);
    let mut kept = reader.read_bytes(8).map_err(shown)?.to_vec();
    while !reader.eof() {
        let start = reader.current_position();
        let id = reader.read_u8().map_err(shown)?;
        let size = reader.read_var_u32().map_err(shown)?;
        let content = reader.read_bytes(size as usize).map_err(shown)?;
        let mut content = BinaryReader::new(content, 0);
        let is_documentation = |name| [WORLD, INTERFACES].contains(&name);
        if id != 0 || !content.read_string().is_ok_and(is_documentation) {
            let section = component.get(start..reader.current_position());
            kept.extend_from_slice(section.unwrap_or_default());
        }
    }
    Ok(kept)
}

fn of_interfaces((mut source, package): (Resolve, PackageId)) -> Result<Vec<u8>, String> {
    if let Some(own) = source.packages.get_mut(package) {
        own.docs = Docs::default();
        own.worlds.clear();
    }
    PackageMetadata::extract(&source, package).encode().map_err(shown)
}

/// The source's world under the name that it has in a finished component, with what the component has of it: what a world
/// imports and nobody uses is not there any more.
fn of_world(
    (mut source, package): (Resolve, PackageId),
    component: &[u8],
) -> Result<Vec<u8>, String> {
    let world = source.select_world(&[package], None).map_err(shown)?;
    let DecodedWasm::Component(finished, root) = decode(component).map_err(shown)? else {
        return Err("it is the WIT of a package".to_owned());
    };
    let known = |items: fn(&World) -> &Items| -> BTreeSet<String> {
        let items = finished.worlds.get(root).into_iter().flat_map(|root| items(root).keys());
        items.map(|key| finished.name_world_key(key)).collect()
    };
    let (imports, exports) = (known(|world| &world.imports), known(|world| &world.exports));
    let mut own = source.worlds.get(world).cloned().ok_or("it has no world")?;
    keep(&mut own.imports, &source, &imports);
    keep(&mut own.exports, &source, &exports);
    if let Some(world) = source.worlds.get_mut(world) {
        *world = own;
    }
    if let Some(own) = source.packages.get_mut(package) {
        own.interfaces.clear();
        own.worlds = IndexMap::from_iter([(ROOT.to_owned(), world)]);
    }
    PackageMetadata::extract(&source, package).encode().map_err(shown)
}

fn keep(items: &mut Items, source: &Resolve, known: &BTreeSet<String>) {
    items.retain(|key, _| known.contains(&source.name_world_key(key)));
    for item in items.values_mut() {
        // Of what stands beside `import` and `export` only the newest tools know, and others refuse it.
        if let WorldItem::Interface { docs, .. } = item {
            *docs = Docs::default();
        }
    }
}

fn shown(error: impl Display) -> String {
    format!("{error:#}")
}

#[cfg(test)]
mod tests;
