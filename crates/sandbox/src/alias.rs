//! Release candidates of WASI 0.2. Components that were built shortly before 0.2.0 import
//! `wasi:…@0.2.0-rc-2023-…`, names that no linker matches with the release. Here such a name is
//! rewritten to the release's own. Types are not touched: where a candidate differs, linking
//! refuses the component and says which import it was.

use wasm_encoder::reencode::{ReencodeComponent, RoundtripReencoder};
use wasm_encoder::{ComponentImportSection, ComponentSection, Encode};
use wasmparser::{BinaryReader, ComponentImportSectionReader};

/// Magic and version.
const HEADER: usize = 8;
/// The id of a component's import section.
const IMPORTS: u8 = 10;
const CANDIDATE: &str = "@0.2.0-rc-";
const RELEASE: &str = "@0.2.0";

/// The component with its own imports renamed, or `None` where there is nothing to rename or the
/// file cannot be read (then Wasmtime says what is wrong with it).
pub(crate) fn release(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.windows(CANDIDATE.len()).any(|window| window == CANDIDATE.as_bytes()) {
        return None;
    }
    let mut renamed = bytes.get(..HEADER)?.to_vec();
    let mut reader = BinaryReader::new(bytes.get(HEADER..)?, HEADER);
    while !reader.eof() {
        let id = reader.read_u8().ok()?;
        let size = usize::try_from(reader.read_var_u32().ok()?).ok()?;
        let start = reader.original_position();
        let content = reader.read_bytes(size).ok()?;
        if id == IMPORTS {
            let section = rename(BinaryReader::new(content, start))?;
            renamed.push(section.id());
            section.encode(&mut renamed);
        } else {
            renamed.push(id);
            content.encode(&mut renamed);
        }
    }
    Some(renamed)
}

fn rename(content: BinaryReader<'_>) -> Option<ComponentImportSection> {
    let mut section = ComponentImportSection::new();
    for import in ComponentImportSectionReader::new(content).ok()? {
        let mut import = import.ok()?;
        let released = match import.name.name.split_once(CANDIDATE) {
            Some((interface, _)) if interface.starts_with("wasi:") => {
                Some(format!("{interface}{RELEASE}"))
            }
            _ => None,
        };
        if let Some(name) = &released {
            import.name.name = name;
        }
        section.import(import.name, RoundtripReencoder.component_type_ref(import.ty).ok()?);
    }
    Some(section)
}
