//! What a damaged or a later index file leads to.

use serde_json::json;

use super::*;
use crate::Digest;

fn parse(text: impl AsRef<[u8]>) -> Index {
    Index::parse(text.as_ref(), Path::new("index.json")).unwrap()
}

fn entry(id: &str) -> Value {
    let digest = Digest::of(id.as_bytes());
    json!({ "id": id, "source": "file:///x", "digest": digest, "size": 1, "loaded_at": 2 })
}

fn file(components: Value) -> String {
    json!({ "version": 1, "revision": 7, "components": components }).to_string()
}

#[test]
fn text_that_is_no_index_is_damage_and_no_error() {
    let whole = file(json!([entry("a")]));
    let torn = whole.strip_suffix('}').unwrap();
    let nested = "[".repeat(100_000);
    for text in ["", "{}", "null", "[1]", "\0\0\0", "{\"version\": \"1\"}", torn, &nested] {
        let index = parse(text);
        assert!(index.is_empty(), "{text}");
        assert_eq!(index.damage().len(), 1, "{text}");
    }
    assert_eq!(parse([0xff, 0xfe]).damage().len(), 1);
    assert_eq!(parse(json!({ "version": 1, "components": [] }).to_string()).damage().len(), 1);
}

#[test]
fn one_damaged_entry_hides_no_other() {
    let mut hostile = entry("b");
    hostile["id"] = json!("../b");
    let mut misnamed = entry("c");
    misnamed["digest"] = json!("sha256:00");
    let index = parse(file(json!([entry("a"), hostile, misnamed, 5, entry("d"), entry("a")])));

    let ids: Vec<&str> = index.entries().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, ["a", "d"]);
    assert_eq!(index.revision(), 7);
    assert_eq!(index.damage().len(), 4);
    assert!(index.damage()[0].starts_with("entry 2 cannot be read: "), "{:?}", index.damage());
    assert_eq!(index.damage()[3], "component `a` is listed twice");
}

#[test]
fn a_later_version_is_an_error_and_not_damage() {
    let text = json!({ "version": 2, "components": {} }).to_string();
    let error = Index::parse(text.as_bytes(), Path::new("index.json")).unwrap_err();
    assert!(matches!(error, StoreError::IndexTooNew { version: 2, supported: 1, .. }), "{error}");
}

#[test]
fn what_is_written_reads_back() {
    let index = parse(file(json!([entry("a"), entry("b")])));
    let again = parse(index.to_json().unwrap());
    assert!(again.damage().is_empty());
    assert_eq!(again.revision(), index.revision());
    assert_eq!(again.to_entries(), index.to_entries());
    assert_eq!(index.successor(index.to_entries()).revision(), 8);
}

#[test]
fn ids_that_were_reserved_later_stay_readable() {
    let index = parse(file(json!([entry("wassette")])));
    assert_eq!(index.len(), 1);
    assert!(index.damage().is_empty());
}

fn version(bytes: &str) -> Value {
    let origin = json!({
        "reference": "oci://ghcr.example/a:1",
        "manifest": Digest::of(b"manifest"),
        "signer": "key sha256:00",
        "companions": [
            { "digest": Digest::of(b"c"), "size": 1, "media_type": "x/y", "role": "signature-part" },
            {
                "digest": Digest::of(b"s"), "size": 1, "media_type": "x/y",
                "role": { "signature": { "tag": "sha256-00.sig" } },
            },
        ],
    });
    let digest = Digest::of(bytes.as_bytes());
    json!({
        "digest": digest, "size": 1, "loaded_at": 2, "metadata": { "a": 1 }, "origin": origin,
        "tools": Digest::of(b"tools"),
    })
}

#[test]
fn an_entry_without_versions_is_written_as_it_always_was() {
    let index = parse(file(json!([entry("a")])));
    let found = index.entries().next().unwrap();
    assert_eq!((&found.origin, found.tools, &found.quarantined), (&None, None, &None));
    assert!(found.previous.is_empty());
    let mut expected = entry("a");
    expected["metadata"] = Value::Null;
    assert_eq!(serde_json::to_value(&**found).unwrap(), expected);
}

#[test]
fn versions_read_back_and_what_a_later_program_adds_hides_nothing() {
    let mut full = version("a");
    full["id"] = json!("a");
    full["source"] = json!("oci://ghcr.example/a");
    full["previous"] = json!([version("b"), version("c")]);
    full["quarantined"] = version("d");
    let index = parse(file(json!([full])));
    assert_eq!(index.damage(), [""; 0]);
    let found = index.entries().next().unwrap();
    assert_eq!(serde_json::to_value(&**found).unwrap(), full);
    assert_eq!(serde_json::to_value(found.version()).unwrap(), version("a"));

    full["later"] = json!(1);
    full["origin"]["later"] = json!(1);
    let index = parse(file(json!([full])));
    assert_eq!((index.len(), index.damage()), (1, &[][..]));
}
