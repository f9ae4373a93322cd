//! What a registry, an archive, a catalogue or a lock file says is read or refused, whatever it is; what is read of an archive
//! under a digest has it.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wassette_registry::{Catalogue, RawManifest, read_layout};
use wassette_store::{Digest, Lockfile};

/// The longest archive, in bytes.
const ARCHIVE: u64 = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 4 {
        0 => {
            let raw = RawManifest::new(Bytes::copy_from_slice(data), None, "a registry", "it");
            let _ = raw.map(|raw| raw.read("a registry", "it").map(drop));
        }
        1 => {
            if let Ok(layout) = read_layout(data, ARCHIVE) {
                assert!(layout.blobs.iter().all(|(digest, bytes)| Digest::of(bytes) == *digest));
                let _ = layout.component().map(drop);
            }
        }
        2 => drop(Catalogue::parse(data)),
        _ => drop(Lockfile::parse(data)),
    }
});
