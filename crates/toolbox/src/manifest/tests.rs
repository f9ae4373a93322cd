//! What a manifest may say, and where it is refused.

use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn parse(text: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(text.as_bytes(), Path::new("/project"))
}

/// The line, the words and the help of the error about `text`.
fn refused(text: &str) -> (u64, String) {
    match parse(text) {
        Err(ManifestError::Content { line, what, help, .. }) => (line, format!("{what}\n{help}")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_manifest_says_what_each_component_is_and_may_do() {
    let text = format!(
        "version: 1
components:
  - uri: oci://registry.example.com/tools/weather:1.2
    name: weather
    digest: {DIGEST}
    permissions:
      network: {{ allow: [{{ host: api.example.com }}] }}
    verify:
      key: keys/weather.pub
    only: [forecast]
  - uri: ./local.wasm
    permissions: {{}}
  - uri: acme:other@1.0.0
    verify:
      key: [a.pub, /keys/b.pub]
      identity: https://example.com/*
      issuer: https://issuer.example.com
"
    );
    let manifest = parse(&text).unwrap();
    let [weather, local, other] = &manifest.components[..] else { panic!("{manifest:?}") };
    assert_eq!(weather.id.as_str(), "weather");
    assert_eq!(weather.digest.unwrap().to_string(), DIGEST);
    assert_eq!(weather.only, ["forecast"]);
    assert_eq!(weather.permissions.as_ref().unwrap().network.allow.len(), 1);
    let rule = weather.verify.as_ref().unwrap();
    assert_eq!(rule.source, "registry.example.com/tools/weather");
    assert_eq!(rule.keys, [Path::new("/project/keys/weather.pub")]);
    assert!(rule.require);
    assert_eq!(local.reference, Reference::File("/project/local.wasm".into()));
    assert_eq!(local.permissions, Some(Policy::default()));
    assert_eq!((local.digest, &local.verify), (None, &None));
    assert_eq!(other.permissions, None);
    let rule = other.verify.as_ref().unwrap();
    assert_eq!((rule.keys.len(), rule.identities.len()), (2, 1));
    assert_eq!(manifest.lock_path(), Path::new("/project/wassette.lock"));
}

#[test]
fn json_is_yaml_and_nothing_is_a_manifest_too() {
    let json = r#"{"version": 1, "components": [{"uri": "/a.wasm"}]}"#;
    assert_eq!(parse(json).unwrap().components.len(), 1);
    assert!(parse("version: 1\ncomponents: []\n").unwrap().components.is_empty());
}

#[test]
fn denied_in_a_manifest_whatever_would_not_be_enforced() {
    for (line, text, told) in [
        (0, "", "there is nothing in the manifest"),
        (0, "components: []", "`version` is missing"),
        (1, "version: 2\ncomponents: []", "write `version: 1`"),
        (1, "version: \"1\"\ncomponents: []", "write `version: 1`"),
        (2, "version: 1\ncomponets: []", "did you mean `components`?"),
        (0, "version: 1\ncomponents: [{ name: x }]", "`uri` is missing"),
        (
            2,
            "version: 1\ncomponents: [{ uri: /a.wasm, retry_policy: 3 }]",
            "`attempts` under `[load]`",
        ),
        (2, "version: 1\ncomponents: [{ uri: /a.wasm, nmae: x }]", "did you mean `name`?"),
        (2, "version: 1\ncomponents: [{ uri: /a.wasm, color: x }]", "the keys here are: uri"),
        (2, "version: 1\ncomponents: [{ uri: /a.wasm, name: }]", "nothing after the colon"),
        (2, "version: 1\ncomponents: [{ uri: /a.wasm, name: ../x }]", "is not a component id"),
        (2, "version: 1\ncomponents: [{ uri: \"ftp://x/a.wasm\" }]", "unknown scheme"),
        (2, "version: 1\ncomponents: [{ uri: /a.wasm, digest: sha512:00 }]", "is not a digest"),
        (2, "version: 1\ncomponents: [{ uri: /a.wasm, only: [] }]", "names no function"),
        (2, "version: 1\ncomponents: [{ uri: /a.wasm, uri: /b.wasm }]", "stands here twice"),
        (
            3,
            "version: 1\ncomponents:\n- { uri: \"oci://h.example/a\", verify: { require: false, key: k } }",
            "demand more",
        ),
        (
            3,
            "version: 1\ncomponents:\n- { uri: \"oci://h.example/a\", verify: {} }",
            "names nobody",
        ),
        (
            3,
            "version: 1\ncomponents:\n- { uri: \"oci://h.example/a\", verify: { identity: x } }",
            "half an identity",
        ),
        (
            3,
            "version: 1\ncomponents:\n- { uri: /a.wasm, verify: { key: k } }",
            "there is none for this uri",
        ),
        (4, "version: 1\ncomponents:\n- uri: /a.wasm\n- uri: /./a.wasm", "is listed twice"),
        (4, "version: 1\ncomponents:\n- uri: /a.wasm\n- uri: /b/a.wasm", "another `name`"),
        (0, "version: 1\ncomponents: []\n---\nversion: 1", "a second document"),
    ] {
        let (found, words) = refused(text);
        assert!(words.contains(told), "{text}: {words}");
        assert!(line == 0 || found == line, "{text}: line {found}, {words}");
    }
}

#[test]
fn denied_in_a_manifest_permissions_that_no_policy_has() {
    for (permissions, told) in [
        ("", "permissions"),
        ("[]", "permissions"),
        ("{ storge: {} }", "storage"),
        (
            "{ storage: { allow: [{ uri: \"fs://../x\", access: [read] }] } }",
            "no name of a workspace",
        ),
        ("{ environment: { allow: [{ key: A, value_from: [x] }] } }", "names no place"),
    ] {
        let text =
            format!("version: 1\ncomponents:\n- uri: /a.wasm\n  permissions: {permissions}\n");
        let (line, words) = refused(&text);
        assert!(words.contains("the permissions of `a`") && words.contains(told), "{words}");
        assert_eq!(line, 4, "{words}");
    }
}

#[test]
fn what_is_wrong_with_permissions_is_shown_where_it_stands() {
    let before = "version: 1
components:
- uri: /a.wasm
- uri: /b.wasm
  permissions:
    environment:
      allow:
      - { key: A, value_from: TOKEN }
";
    let place = |more: &str| match parse(&format!("{before}{more}")) {
        Err(ManifestError::Content { line, column, .. }) => (line, column),
        other => panic!("{other:?}"),
    };
    let network =
        "    network:\n      allow:\n      - host: b.example\n        methods: [GET, '*']\n";
    assert_eq!(place(network), (12, 18));
    assert_eq!(place("    netwrok: {}\n"), (9, 5));
    // Of two that are wrong in a row, the first may be what the manifest alone takes.
    assert_eq!(place("      - key: 'B C'\n").0, 6);
}

#[test]
fn denied_in_a_manifest_values_from_elsewhere_and_too_many() {
    let anchored = "version: 1\ncomponents:\n- &a { uri: /a.wasm }\n- *a\n";
    assert!(refused(anchored).1.contains("anchor"), "{:?}", refused(anchored));
    let merged = "version: 1\ncomponents:\n- { uri: /a.wasm, <<: { name: x } }\n";
    assert!(refused(merged).1.contains("merge"));
    let deep = format!("version: 1\ncomponents: {}{}", "[".repeat(99), "]".repeat(99));
    refused(&deep);
    let many: String = (0..=COMPONENTS).map(|number| format!("- uri: /{number}.wasm\n")).collect();
    let (_, words) = refused(&format!("version: 1\ncomponents:\n{many}"));
    assert!(words.contains("more than 1000"), "{words}");
    let long = format!("version: 1\ncomponents: [] # {}", "x".repeat(BYTES));
    assert!(refused(&long).1.contains("1 MiB"));
    assert!(Manifest::parse(b"version: \xff", Path::new("/")).is_err());
}

#[test]
fn a_lock_file_beside_it_is_read_and_must_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tools.yaml");
    assert!(matches!(Manifest::read(&path), Err(ManifestError::Unreadable { .. })));
    std::fs::write(&path, "version: 1\ncomponents: []\n").unwrap();
    let manifest = Manifest::read(&path).unwrap();
    assert_eq!(manifest.lock, None);
    manifest.write_lock(&Lockfile::default()).unwrap();
    assert_eq!(Manifest::read(&path).unwrap().lock.as_deref(), Some(&Lockfile::default()));
    std::fs::write(manifest.lock_path(), "{}").unwrap();
    assert!(matches!(Manifest::read(&path), Err(ManifestError::Lock(_))));
}

#[test]
fn a_manifest_says_where_values_lie_and_what_of_it_has_no_effect() {
    let manifest = parse(
        "version: 1
components:
- uri: /a.wasm
  permissions:
    environment:
      allow:
      - { key: A, value_from: TOKEN }
      - { key: B, value_from: { file: keys/b } }
      - key: C
    runtime: { docker: {} }
",
    )
    .unwrap();
    let [listed] = &manifest.components[..] else { panic!("{manifest:?}") };
    let [a, b] =
        [ValueSource::Environment("TOKEN".into()), ValueSource::File("/project/keys/b".into())];
    assert_eq!(listed.values, BTreeMap::from([("A".to_owned(), a), ("B".to_owned(), b)]));
    let policy = listed.permissions.as_ref().unwrap();
    assert!(policy.environment.iter().all(|rule| rule.value.is_none()));
    assert!(matches!(&listed.ignored[..], [one] if one.contains("`runtime` has no effect")));
}
