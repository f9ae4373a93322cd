//! Which documents are read, and which part of them is the component.

use super::*;
use crate::script::{image, manifest};

const INDEX_START: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":["#;

fn raw(text: &str) -> Result<RawManifest, RegistryError> {
    RawManifest::new(Bytes::from(text.to_owned()), None, "r.example", "`a/b:1`")
}

fn resolve(text: &str) -> Result<Resolved, RegistryError> {
    Resolved::of(&image("r.example/a/b:1"), &raw(text)?)
}

fn layer(media_type: &str) -> String {
    let digest = Digest::of(media_type.as_bytes());
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":7}}"#)
}

fn with_layers(layers: &[&str]) -> String {
    let layers: Vec<String> = layers.iter().map(|media_type| layer(media_type)).collect();
    format!(
        r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#,
        layer("application/vnd.oci.empty.v1+json"),
        layers.join(",")
    )
}

#[test]
fn the_component_is_found_and_the_other_layers_keep_their_order() {
    for media_type in ACCEPTED_LAYERS {
        let resolved = resolve(&with_layers(&["text/markdown", media_type, "a/b", "text/yaml"]));
        let resolved = resolved.unwrap();
        assert_eq!(resolved.wasm.media_type, media_type);
        let extras: Vec<&str> =
            resolved.extras.iter().map(|layer| layer.media_type.as_str()).collect();
        assert_eq!(extras, ["text/markdown", "a/b", "text/yaml"]);
        assert_eq!(resolved.image.digest(), Some(Digest::of(&resolved.bytes)));
        assert_eq!(resolved.image.tag(), Some("1"));
    }
}

#[test]
fn none_or_two_components_are_refused_with_the_media_types() {
    let error = resolve(&with_layers(&["text/plain", "a/b"])).unwrap_err();
    assert_eq!(error.to_string(), "`a/b:1` holds no component; its layers are `text/plain`, `a/b`");
    let error = resolve(&with_layers(&["application/wasm", "application/wasm"])).unwrap_err();
    let expected =
        "`a/b:1` holds 2 components; its layers are `application/wasm`, `application/wasm`";
    assert_eq!(error.to_string(), expected);
    let error = resolve(&with_layers(&[])).unwrap_err();
    assert_eq!(error.to_string(), "`a/b:1` holds no component; its layers are none");
}

#[test]
fn denied_r10_thousand_layers_old_schemas_and_huge_annotations() {
    let error = resolve(&with_layers(&["text/plain"; 1000])).unwrap_err();
    assert_eq!(error.to_string(), "`a/b:1` has 1000 layers, and at most 64 are taken");

    for text in [
        r#"{"schemaVersion":1,"name":"x","fsLayers":[]}"#,
        r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws","layers":[]}"#,
    ] {
        assert!(matches!(raw(text), Err(RegistryError::SchemaOne { .. })), "{text}");
    }

    let long = "x".repeat(LONGEST + 1);
    assert!(matches!(raw(&long), Err(RegistryError::Long { .. })));

    let note = format!(r#", "annotations":{{"a":"{}"}}}}"#, "x".repeat(MOST_NOTED));
    let noted = with_layers(&["application/wasm"]).trim_end_matches('}').to_owned() + &note;
    let error = resolve(&noted).unwrap_err();
    assert!(error.to_string().contains("bytes of annotations"), "{error}");

    let deep = format!("{{\"schemaVersion\":2,\"x\":{}", "[".repeat(100_000));
    assert!(matches!(raw(&deep), Err(RegistryError::Malformed { .. })));
}

#[test]
fn denied_r10_documents_that_are_two_things_at_once() {
    let index = |rest: &str| format!("{INDEX_START}{rest}");
    for (text, content_type) in [
        (index("],\"layers\":[]}"), None),
        (index("],\"config\":{}}"), None),
        (r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":{},"layers":[]}"#.to_owned(), None),
        (manifest(b"x", ""), Some(INDEX)),
        (manifest(b"x", ""), Some(DOCKER_MANIFEST)),
        (r#"{"schemaVersion":2,"manifests":[]}"#.to_owned(), Some(MANIFEST)),
        (r#"{"schemaVersion":2,"layers":[],"layers":[]}"#.to_owned(), None),
        (r#"{"schemaVersion":2,"mediaType":"text/html","layers":[]}"#.to_owned(), None),
        (r#"{"schemaVersion":3,"layers":[]}"#.to_owned(), None),
        (r#"{"schemaVersion":2}"#.to_owned(), None),
        ("[]".to_owned(), None),
        ("<html>".to_owned(), None),
        (String::new(), None),
    ] {
        let read = RawManifest::new(Bytes::from(text.clone()), content_type, "r.example", "x");
        assert!(matches!(read, Err(RegistryError::Malformed { .. })), "{text}");
    }
    // What servers write that know no better is no contradiction.
    for content_type in [Some("application/json"), Some("text/plain; charset=utf-8"), None] {
        let text = Bytes::from(manifest(b"x", ""));
        let read = RawManifest::new(text, content_type, "r.example", "x").unwrap();
        assert_eq!(read.media_type, MANIFEST);
    }
}

#[test]
fn denied_digests_that_are_no_sha256() {
    let sha512 = format!("sha512:{}", "ab".repeat(64));
    let text = with_layers(&["application/wasm"]);
    let digest = Digest::of(b"application/wasm").to_string();
    let error = resolve(&text.replace(&digest, &sha512)).unwrap_err();
    assert!(matches!(error, RegistryError::Algorithm { .. }), "{error}");
    let error = resolve(&text.replace(&digest, "sha256:AB")).unwrap_err();
    assert!(
        error.to_string().starts_with("`a/b:1` from `r.example` cannot be understood"),
        "{error}"
    );
}

/// An entry of an index, by its architecture and system.
fn entry(number: u8, platform: &str, more: &str) -> String {
    let digest = Digest::of(&[number]);
    let platform = match platform.split_once('/') {
        Some((architecture, os)) => {
            format!(r#","platform":{{"architecture":"{architecture}","os":"{os}"}}"#)
        }
        None => String::new(),
    };
    format!(r#"{{"mediaType":"{MANIFEST}","digest":"{digest}","size":7{platform}{more}}}"#)
}

fn chosen(entries: &[String]) -> Result<Digest, RegistryError> {
    let index = raw(&format!("{INDEX_START}{}]}}", entries.join(",")))?;
    choose(&index, "r.example", "`a/b:1`").map(|chosen| chosen.digest)
}

#[test]
fn of_an_index_the_entry_for_wasm_is_taken() {
    let wasm_type = r#","artifactType":"application/vnd.wasm.config.v0+json""#;
    for entries in [
        vec![entry(1, "linux", "")],
        vec![entry(0, "amd64/linux", ""), entry(1, "wasm/wasip2", "")],
        vec![entry(0, "wasm/wasip1", ""), entry(1, "wasm/wasip2", ""), entry(2, "wasm/js", "")],
        vec![entry(0, "arm64/linux", ""), entry(1, "wasm32/wasi", "")],
        vec![entry(0, "amd64/linux", ""), entry(1, "", wasm_type)],
        vec![entry(0, "unknown/unknown", ""), entry(1, "amd64/linux", "")],
    ] {
        assert_eq!(chosen(&entries).unwrap(), Digest::of(&[1]), "{entries:?}");
    }
}

#[test]
fn an_index_without_one_entry_for_wasm_is_refused() {
    let nested = entry(1, "wasm/wasip2", "").replace(MANIFEST, INDEX);
    for (entries, expected) in [
        (vec![], "is an index without entries"),
        (
            vec![entry(0, "amd64/linux", ""), entry(1, "arm64/linux", "")],
            "is an index without an entry for wasm; its entries are for `amd64`, `arm64`",
        ),
        (
            vec![entry(0, "wasm/wasip2", ""), entry(1, "wasm/wasip2", "")],
            "is an index with 2 entries for wasm",
        ),
        (vec![nested], "is an index of indexes"),
        (
            vec![entry(0, "wasm/wasip2", ""); 101],
            "is an index with 101 entries, and at most 100 are taken",
        ),
    ] {
        let error = chosen(&entries).unwrap_err();
        assert_eq!(error.to_string(), format!("`a/b:1` {expected}"));
    }
}
