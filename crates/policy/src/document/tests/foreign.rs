//! Documents that other programs write or that were written for them.

use super::*;

/// A document as generators of other programs begin it.
const SCHEMA: &str = "$schema: https://schemas.example/policy-v1.json\n";

#[test]
fn a_schema_is_for_editors() {
    let bare = "storage: {allow: [{uri: fs:///a, access: [read]}]}\n";
    let full = whole(bare);
    let policy = Policy::parse(bare).unwrap();
    for text in [
        format!("{SCHEMA}{bare}"),
        format!("{bare}{SCHEMA}"),
        format!("{SCHEMA}{full}"),
        format!("{full}{SCHEMA}"),
        full.replacen("permissions:", &format!("{SCHEMA}permissions:"), 1),
        "{\"$schema\": \"x\", \"storage\": {\"allow\": [{\"uri\": \"fs:///a\", \"access\": [\"read\"]}]}}"
            .to_owned(),
    ] {
        let read = Document::parse(&text);
        assert_eq!(read, Ok(Document { policy: policy.clone(), ignored: vec![] }), "{text}");
    }
    assert!(!policy.to_yaml().contains("schema"));
    assert_eq!(Policy::parse(SCHEMA), Ok(Policy::default()));
}

#[test]
fn denied_schemas_that_are_none_or_lie_elsewhere() {
    for (text, what) in [
        ("$schema: {}\nstorage: {}\n", "`$schema` is a text, not a map"),
        ("$schema:\nstorage: {}\n", "`$schema` is a text, not nothing"),
        ("storage: {$schema: x}\n", "there is no key `$schema` here"),
        ("$schema: x\n$schema: y\nstorage: {}\n", "stands here twice"),
        ("$Schema: x\nstorage: {}\n", "there is no key `$Schema` here"),
        ("schema: x\nstorage: {}\n", "there is no key `schema` here"),
    ] {
        let error = refusal(text);
        assert!(error.what.contains(what) && !error.help.is_empty(), "{text}: {error}");
    }
    let error = refusal(&whole("$schema: x"));
    assert_eq!(error.what, "there is no key `$schema` here");
}

#[test]
fn both_versions_mean_the_same() {
    for version in ["\"1.0\"", "1.0", "\"1.1\"", "1.1", "'1.1'"] {
        let text = format!(
            "version: {version}\npermissions: {{network: {{allow: [{{host: a.example}}]}}}}"
        );
        let policy = Policy::parse(&text).unwrap();
        assert!(policy.to_yaml().starts_with("version: \"1.0\"\n"), "{version}");
        assert_eq!(policy.network.allow.len(), 1);
    }
    for version in ["\"1.2\"", "\"2.0\"", "1", "\"1\"", "\"1.1.0\"", "v1.1", "latest"] {
        let error = refusal(&format!("version: {version}\npermissions: {{}}"));
        assert!(error.what.contains("is not known here"), "{version}: {error}");
    }
}

#[test]
fn what_is_for_other_sandboxes_is_told_and_not_kept() {
    let docker = "runtime:\n  docker:\n    security:\n      privileged: false\n      \
                  no_new_privileges: true\n      capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}\n";
    let network = "network: {allow: [{host: a.example}]}\n";
    let bare = format!("{network}{docker}");
    for (text, place) in [
        (bare.clone(), "line 2, column 1"),
        (whole(&bare), "line 4, column 3"),
        (whole(&format!("{docker}{network}")), "line 3, column 3"),
        (whole(&format!("{network}runtime: {{hyperlight: {{}}}}")), "line 4, column 3"),
    ] {
        let Document { policy, ignored } = Document::parse(&text).unwrap();
        let [told] = ignored.as_slice() else { panic!("{text}: {ignored:?}") };
        assert!(
            told.to_string().starts_with(&format!("{place}: `runtime` has no effect here")),
            "{told}"
        );
        assert_eq!(Policy::parse(network), Ok(policy.clone()));
        assert!(!policy.to_yaml().contains("runtime"));
    }
    for (text, what) in [
        ("runtime: docker", "`runtime` is a map, not a text"),
        ("runtime: {wasm: {}}", "there is no key `wasm` here"),
        ("runtime: {docker: {}, network: {}}", "there is no key `network` here"),
        ("docker: {}", "there is no key `docker` here"),
    ] {
        let error = refusal(text);
        assert!(error.what.contains(what) && !error.help.is_empty(), "{text}: {error}");
    }
}
