//! What is published is what the specifications describe, to the byte the same each time.

use super::*;

fn publication() -> Publication {
    Publication {
        wasm: Bytes::from_static(b"some wasm"),
        exports: vec!["run".to_owned()],
        imports: vec!["wasi:io/poll@0.2.0".to_owned()],
        created: "2026-01-01T00:00:00Z".to_owned(),
        policy: Some(Bytes::from_static(b"version: \"1.0\"\npermissions: {}\n")),
        docs: Some(Bytes::from_static(b"# Some\n")),
        annotations: BTreeMap::from([("org.opencontainers.image.version".into(), "1.0".into())]),
    }
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn a_component_is_an_artifact_of_the_cncf() {
    let published = publication().artifact().unwrap();
    assert_eq!(published, publication().artifact().unwrap());
    assert_eq!(published.descriptor.digest, Digest::of(&published.manifest));
    let manifest = json(&published.manifest);
    let kinds: Vec<&str> = manifest["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| layer["mediaType"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, [WASM, POLICY, PAGE]);
    assert_eq!(manifest["layers"][1]["annotations"][TITLE], "policy.yaml");
    assert_eq!(manifest["annotations"]["org.opencontainers.image.version"], "1.0");
    let (config, bytes) = published.parts.first().unwrap();
    assert_eq!(config.media_type, WASM_CONFIG);
    let config = json(bytes);
    assert_eq!(config["layerDigests"][0], Digest::of(b"some wasm").to_string());
    assert_eq!(config["component"]["exports"], json!(["run"]));
    assert_eq!((&config["architecture"], &config["os"]), (&json!("wasm"), &json!("wasip2")));
    for (part, bytes) in &published.parts {
        assert_eq!(part.digest, Digest::of(bytes));
        assert!(manifest.to_string().contains(&part.digest.to_string()));
    }
    assert!(manifest.get("subject").is_none() && manifest.get("artifactType").is_none());
}

#[test]
fn annotations_are_checked_and_bounded() {
    let with = |key: &str, value: String| {
        let annotations = BTreeMap::from([(key.to_owned(), value)]);
        Publication { annotations, ..publication() }.artifact().map(|_| ())
    };
    assert_eq!(with("a.b", "any \u{202e} text".to_owned()), Ok(()));
    for key in ["", "a b", "a\n"] {
        assert!(matches!(with(key, String::new()), Err(PublicationError::Key { .. })), "{key}");
    }
    assert_eq!(with("a", "x".repeat(64 << 10)), Err(PublicationError::Annotations));
}

#[test]
fn signatures_join_those_that_are_there() {
    let first = simple_signatures(Vec::new(), Bytes::from_static(b"one"), "c2ln");
    let manifest = json(&first.manifest);
    assert_eq!(manifest["layers"][0]["annotations"][SIGNATURE], "c2ln");
    assert_eq!(first.parts.len(), 2);
    let (before, _) = first.parts.last().unwrap().clone();
    let second = simple_signatures(vec![before.clone()], Bytes::from_static(b"two"), "YW4=");
    let manifest = json(&second.manifest);
    assert_eq!(manifest["layers"][0]["digest"], before.digest.to_string());
    assert_eq!(manifest["layers"][0]["annotations"][SIGNATURE], "c2ln");
    assert_eq!(manifest["layers"][1]["digest"], Digest::of(b"two").to_string());
    assert_eq!(second.parts.len(), 2, "the first is there already");
}

#[test]
fn a_bundle_refers_to_what_it_is_about() {
    let subject = publication().artifact().unwrap().descriptor;
    let referrer = bundle_referrer(&subject, Bytes::from_static(b"{}"));
    let manifest = json(&referrer.manifest);
    assert_eq!(manifest["subject"]["digest"], subject.digest.to_string());
    assert_eq!(manifest["subject"]["size"], subject.size);
    assert_eq!(manifest["artifactType"], BUNDLE);
    assert_eq!(manifest["layers"][0]["mediaType"], BUNDLE);
    assert_eq!(manifest["config"]["mediaType"], EMPTY);
}
