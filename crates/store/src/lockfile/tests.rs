//! Which lock files are read, and why others are not.

use serde_json::json;

use super::*;

fn locked(id: &str) -> Value {
    json!({ "id": id, "source": "oci://ghcr.example/a:1", "sha256": Digest::of(id.as_bytes()) })
}

fn file(components: Value) -> String {
    json!({ "version": 1, "components": components }).to_string()
}

fn refusal(text: impl AsRef<[u8]>) -> String {
    let error = Lockfile::parse(text.as_ref()).unwrap_err();
    assert!(miette::Diagnostic::help(&error).is_some());
    error.to_string()
}

#[test]
fn what_is_written_reads_back_sorted() {
    let mut full = locked("c");
    full["resolved"] = json!(Digest::of(b"manifest"));
    full["signer"] = json!("identity me@example.com, issuer https://issuer.example");
    full["tools"] = json!(Digest::of(b"tools"));
    full["policy"] = json!(Digest::of(b"policy"));
    let lock = Lockfile::parse(file(json!([full, locked("a"), locked("b")])).as_bytes()).unwrap();
    let ids: Vec<&str> = lock.components.iter().map(|locked| locked.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    let text = lock.to_text();
    assert!(text.ends_with("}\n"));
    assert_eq!(Lockfile::parse(text.as_bytes()).unwrap(), lock);
    let id = ComponentId::parse("c").unwrap();
    assert_eq!(serde_json::to_value(lock.find(&id).unwrap()).unwrap(), full);

    let shuffled = Lockfile { components: lock.components.iter().rev().cloned().collect() };
    assert_eq!(shuffled.to_text(), text);
}

#[test]
fn a_file_that_no_program_of_ours_wrote_is_refused_with_its_reason() {
    let with = |key: &str, value: Value| {
        let mut one = locked("a");
        one[key] = value;
        file(json!([one]))
    };
    for (text, reason) in [
        (String::new(), "EOF"),
        ("[]".to_owned(), "no known `version`"),
        (json!({ "version": "1", "components": [] }).to_string(), "no known `version`"),
        (json!({ "version": 1 }).to_string(), "missing field `components`"),
        (json!({ "version": 1, "components": [], "x": 1 }).to_string(), "unknown field `x`"),
        (with("x", json!(1)), "unknown field `x`"),
        (with("\u{1b}[2J\u{202e}", json!(1)), "unknown field `\\u{1b}[2J\\u{202e}`"),
        (with("id", json!("../a")), "is not a component id"),
        (with("sha256", json!("sha256:00")), "is not a digest"),
        (with("resolved", json!("latest")), "is not a digest"),
        (with("source", json!("./a.wasm")), "not in its canonical spelling"),
        (with("source", json!("oci://GHCR.example/a")), "not in its canonical spelling"),
        (with("source", json!("http://a.example/x")), "not in its canonical spelling"),
        (with("signer", json!("")), "a `signer` that is nobody"),
        (with("signer", json!("a\u{1b}[2J")), "a `signer` that is nobody"),
        (with("signer", json!("a".repeat(5000))), "a `signer` that is nobody"),
        (file(json!([locked("a"), locked("a")])), "component `a` is listed twice"),
        ("[".repeat(100_000), "recursion limit"),
    ] {
        let message = refusal(&text);
        assert!(message.starts_with("the lock file is malformed: "), "{message}");
        assert!(message.contains(reason), "{message}");
    }
    assert!(refusal([0xff]).starts_with("the lock file is malformed: "));
}

#[test]
fn a_later_version_and_too_many_bytes_are_refused_in_words() {
    let later = json!({ "version": 2, "modules": [] }).to_string();
    assert_eq!(refusal(later), "the lock file has version 2, up to 1 can be read");
    let long = " ".repeat(MAX_LOCKFILE_BYTES + 1);
    assert_eq!(refusal(&long), "the lock file has more than 4194304 bytes");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wassette.lock");
    assert!(matches!(Lockfile::read(&path), Err(LockfileError::Unreadable { .. })));
    std::fs::write(&path, &long).unwrap();
    assert!(matches!(Lockfile::read(&path), Err(LockfileError::Unreadable { .. })));
    std::fs::write(&path, "{}").unwrap();
    let message = Lockfile::read(&path).unwrap_err().to_string();
    assert!(message.contains("wassette.lock` is malformed"), "{message}");
    std::fs::write(&path, r#"{ "version": 2 }"#).unwrap();
    let message = Lockfile::read(&path).unwrap_err().to_string();
    assert!(message.contains("wassette.lock` has version 2"), "{message}");
    std::fs::write(&path, file(json!([locked("a")]))).unwrap();
    assert_eq!(Lockfile::read(&path).unwrap().components.len(), 1);
}
