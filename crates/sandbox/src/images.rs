//! How much of a component's memories is laid down as images. Wasmtime can write what a memory begins
//! with into the compiled code, zeros included, and map it into each instance: a snapshot of megabytes,
//! as JavaScript and Python components have one, is then there at once instead of being copied into
//! each call. The same image of a few bytes far apart is all zeros, and a hundred memories of them
//! would be gigabytes. So the images are added up before, and they must not outgrow the component.

use std::collections::BTreeMap;

use wasmparser::{DataKind, Operator, Parser, Payload};

/// Gaps below this size are always filled with zeros: it is a page of WebAssembly.
const SMALL: u64 = 64 << 10;

/// Wasmtime's own bound for one memory whose image is mostly zeros.
const LARGE: u64 = 16 << 20;

/// What the images of the smallest component may take together.
const LEAST: u64 = 1 << 20;

/// How many times its own size the images of a component may take together. A snapshot is most of its
/// file, and the stacks and tables between its segments are not.
const GROWTH: u64 = 4;

/// The size up to which a memory of the component `bytes` gets an image even if it is mostly zeros,
/// for Wasmtime's setting of that name. A file that cannot be read gets the small one: whether it is
/// valid is for Wasmtime to say.
pub(crate) fn guaranteed_dense_image_size(bytes: &[u8]) -> u64 {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let most = size.saturating_mul(GROWTH).saturating_add(LEAST);
    match extents(bytes) {
        Ok(total) if total <= most => LARGE,
        _ => SMALL,
    }
}

/// From the first to the last byte that a segment sets, added up over all memories of all modules.
fn extents(bytes: &[u8]) -> wasmparser::Result<u64> {
    let mut total = 0_u64;
    // Memories are numbered anew in each module, and a module holds no other.
    let mut module: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::DataSection(segments) => {
                for segment in segments {
                    let segment = segment?;
                    let DataKind::Active { memory_index, offset_expr } = segment.kind else {
                        continue;
                    };
                    // Where the place is not a plain number, the module gets no image at all.
                    let Operator::I32Const { value } = offset_expr.get_operators_reader().read()?
                    else {
                        continue;
                    };
                    let start = u64::from(value.cast_unsigned());
                    let length = u64::try_from(segment.data.len()).unwrap_or(u64::MAX);
                    let (first, last) = module.entry(memory_index).or_insert((start, start));
                    *first = start.min(*first);
                    *last = start.saturating_add(length).max(*last);
                }
            }
            Payload::End(_) => {
                let ended = std::mem::take(&mut module);
                let extents = ended.values().map(|(first, last)| last - first);
                total = extents.fold(total, u64::saturating_add);
            }
            _ => {}
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(modules: &str) -> Vec<u8> {
        wat::parse_str(format!("(component {modules})")).unwrap()
    }

    #[test]
    fn images_are_measured_over_all_memories_of_all_modules() {
        let bytes = component(
            r#"(core module
                (memory 2) (memory 1)
                (data (i32.const 100) "ab") (data (i32.const 40000) "cd")
                (data (memory 1) (i32.const 8) "abcd"))
               (core module (memory 1) (data (i32.const 0) "abc") (data "passive"))"#,
        );
        assert_eq!(extents(&bytes).unwrap(), (40_002 - 100) + 4 + 3);
    }

    #[test]
    fn a_snapshot_gets_its_image_and_bytes_far_apart_get_none() {
        // Half a mebibyte of data within two: gaps as between the segments of a snapshot.
        let data = "x".repeat(128 << 10);
        let segments: String = (0..4)
            .map(|index| format!("(data (i32.const {}) \"{data}\")", index * (512 << 10)))
            .collect();
        let snapshot = component(&format!("(core module (memory 32) {segments})"));
        assert_eq!(guaranteed_dense_image_size(&snapshot), LARGE);

        let far = r#"(core module (memory 32) (data (i32.const 0) "a")
            (data (i32.const 0x180000) "b"))"#;
        assert_eq!(guaranteed_dense_image_size(&component(far)), SMALL);
        // One by one they would be small enough; together they are not.
        let near = r#"(core module (memory 8) (data (i32.const 0) "a")
            (data (i32.const 0x40000) "b"))"#;
        assert_eq!(guaranteed_dense_image_size(&component(near)), LARGE);
        assert_eq!(guaranteed_dense_image_size(&component(&near.repeat(20))), SMALL);
    }

    #[test]
    fn what_cannot_be_read_gets_the_small_size() {
        let mut bytes = component(r#"(core module (memory 1) (data (i32.const 0) "abc"))"#);
        bytes.truncate(bytes.len() - 4);
        assert_eq!(guaranteed_dense_image_size(&bytes), SMALL);
        // A place beyond what a signed number holds is no place before the beginning.
        let high = r#"(core module (memory 65536) (data (i32.const 0xfffffff0) "abc"))"#;
        assert_eq!(extents(&component(high)).unwrap(), 3);
    }
}
