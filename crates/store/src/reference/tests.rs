//! Which texts lead where, and why others lead nowhere.

use std::fs;
use std::os::unix::fs::symlink;

use proptest::prelude::*;

use super::*;
use crate::Digest;

fn parse(text: &str) -> Result<Reference, ReferenceError> {
    Reference::parse_in(text, Path::new("/base"))
}

#[test]
fn every_spelling_of_a_file_leads_to_it() {
    for (text, path) in [
        ("x.wasm", "/base/x.wasm"),
        ("./x.wasm", "/base/x.wasm"),
        ("a/./b//x.wasm", "/base/a/b/x.wasm"),
        ("/srv/x.wasm", "/srv/x.wasm"),
        ("file:///srv/x.wasm", "/srv/x.wasm"),
        ("FILE:///srv/x.wasm", "/srv/x.wasm"),
        ("file:/srv/x.wasm", "/srv/x.wasm"),
        ("file://localhost/srv/x.wasm", "/srv/x.wasm"),
        ("file://./x.wasm", "/base/x.wasm"),
        ("file://x.wasm", "/base/x.wasm"),
        ("file://a/x.wasm", "/base/a/x.wasm"),
        ("file:///srv/my%20x.wasm", "/srv/my x.wasm"),
        ("file:///srv/100%25.wasm", "/srv/100%.wasm"),
        ("/srv/100%25.wasm", "/srv/100%25.wasm"),
        ("/srv/what?#.wasm", "/srv/what?#.wasm"),
        ("./~x.wasm", "/base/~x.wasm"),
        ("a:b.wasm", "/base/a:b.wasm"),
        ("registry.example/name:1", "/base/registry.example/name:1"),
        ("é.wasm", "/base/é.wasm"),
    ] {
        assert_eq!(parse(text).unwrap(), Reference::File(path.into()), "{text}");
    }
}

#[test]
fn the_canonical_spelling_is_a_uri() {
    let shown = |text: &str| parse(text).unwrap().to_string();
    assert_eq!(shown("./x.wasm"), "file:///base/x.wasm");
    assert_eq!(shown("/a b/é%?#.wasm"), "file:///a%20b/%C3%A9%25%3F%23.wasm");
    assert_eq!(shown("HTTPS://Example.COM:443/a/../b c.wasm#x"), "https://example.com/b%20c.wasm");
    assert_eq!(shown("https://example.com:8443/x?y=1"), "https://example.com:8443/x?y=1");
    let not_text = parse("file:///a%FF.wasm").unwrap();
    assert_eq!(not_text.to_string(), "file:///a%FF.wasm");
}

#[test]
fn images_and_packages_are_told_from_paths() {
    let image = |text: &str| Reference::Image(Image::parse(text).unwrap());
    let package = |text: &str| Reference::Package(Package::parse(text).unwrap());
    for (text, reference) in [
        ("oci://ghcr.example/a/b:1", image("ghcr.example/a/b:1")),
        ("OCI://GHCR.example/a/b", image("ghcr.example/a/b")),
        ("a:b", package("a:b")),
        ("my-team:weather@1.2.3", package("my-team:weather@1.2.3")),
        ("./a:b", Reference::File("/base/a:b".into())),
        ("file://a:b", Reference::File("/base/a:b".into())),
    ] {
        assert_eq!(parse(text).unwrap(), reference, "{text}");
    }
}

#[test]
fn http_leads_to_this_machine_alone() {
    for url in ["http://localhost:8080/x.wasm", "http://127.0.0.2/x.wasm", "http://[::1]/x.wasm"] {
        assert_eq!(parse(url).unwrap().to_string(), url);
    }
}

#[test]
fn versions_of_one_component_have_one_identity() {
    let identity = |text: &str| parse(text).unwrap().identity();
    let digest = Digest::of(b"x");
    for text in [
        "oci://ghcr.example/a/b",
        "oci://GHCR.example:443/a/b:1",
        &format!("oci://ghcr.example/a/b:2@{digest}"),
    ] {
        assert_eq!(identity(text), "oci://ghcr.example/a/b");
    }
    assert_eq!(identity("./x.wasm"), "file:///base/x.wasm");
    assert_eq!(identity("https://a.example/x?v=1#y"), "https://a.example/x?v=1");
    assert_eq!(identity("a:b@1.2.3"), identity("a:b"));
}

#[test]
fn what_cannot_be_loaded_is_refused_with_its_reason() {
    for (text, message) in [
        ("", "the path of the component is empty"),
        ("file://", "the path of the component is empty"),
        ("~/x.wasm", "`~` is not expanded in `~/x.wasm`"),
        ("~me/x.wasm", "`~` is not expanded in `~me/x.wasm`"),
        ("file://~/x.wasm", "`~` is not expanded in `file://~/x.wasm`"),
        (
            "oci://registry.example",
            "`oci://registry.example` is no image of a registry: it names no repository",
        ),
        ("a:b@1", "`a:b@1` is no package: its version is not one such as `1.2.3`"),
        ("file:x", "`file:x` is no package: `file:` begins an address, not a package"),
        (
            "https://me:pass@example.com/x",
            "`example.com/x` is no URL of a component: it holds a user's name or a password",
        ),
        (
            "http://example.com/x",
            "refused to load `http://example.com/x`: `http://` protects nothing on the way",
        ),
        (
            "http://localhost.example.com/x",
            "refused to load `http://localhost.example.com/x`: `http://` protects nothing on the way",
        ),
        (
            "http://192.168.0.1/x",
            "refused to load `http://192.168.0.1/x`: `http://` protects nothing on the way",
        ),
        (
            "http://me:pass@localhost/x",
            "`localhost/x` is no URL of a component: it holds a user's name or a password",
        ),
        ("s3://bucket/x", "`s3://bucket/x` has an unknown scheme"),
        ("a\0b", "`a\\0b` contains a control character"),
        ("a\nb", "`a\\nb` contains a control character"),
        ("a\u{85}b", "`a\\u{85}b` contains a control character"),
        ("file:///a%00b", "`file:///a%00b` contains a control character"),
        ("file:///a%1b%5b", "`file:///a%1b%5b` contains a control character"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), message, "{text:?}");
    }
    for text in ["file:///a%", "file:///a%2", "file:///a%zz", "file:///a%+1"] {
        assert!(matches!(parse(text), Err(ReferenceError::Percent { .. })), "{text}");
    }
}

#[test]
fn every_refusal_names_a_cure() {
    for text in ["", "~", "oci://x", "a:B", "https://a@x", "http://x", "ftp://x", "\n", "file:///%"]
    {
        let error = parse(text).unwrap_err();
        assert!(miette::Diagnostic::help(&error).is_some(), "{text:?}");
    }
    let unknown = parse("ftp://x").unwrap_err();
    let help = miette::Diagnostic::help(&unknown).unwrap().to_string();
    assert!(help.contains("`file://`"), "{help}");
}

#[test]
fn the_id_is_the_stem_of_the_file() {
    for (text, id) in [
        ("file:///srv/Time%20Server.wasm", "time-server"),
        ("x.component.wasm", "x.component"),
        ("x", "x"),
        ("/a/..%2f.wasm", "2f"),
        ("https://example.com/tools/Time%20Server.wasm?v=1#top", "time-server"),
        ("https://example.com/tools/", "example.com"),
        ("HTTPS://EXAMPLE.com", "example.com"),
        ("oci://ghcr.example/team/weather:1.2.3", "weather"),
        ("my-team:weather@1.2.3", "weather"),
    ] {
        assert_eq!(parse(text).unwrap().component_id().as_str(), id);
    }
    assert!(parse("/").unwrap().component_id().as_str().starts_with("component-"));
}

#[test]
fn a_parent_is_the_one_that_the_file_system_knows() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    fs::create_dir_all(base.join("far/away")).unwrap();
    fs::create_dir(base.join("near")).unwrap();
    symlink(base.join("far/away"), base.join("link")).unwrap();
    let parse = |text: &str| Reference::parse_in(text, &base).unwrap();

    assert_eq!(parse("near/../x.wasm"), parse("x.wasm"));
    assert_eq!(parse("link/../x.wasm"), parse("far/x.wasm"));
    assert_ne!(parse("link/x.wasm"), parse("far/away/x.wasm"));
    assert_eq!(parse("missing/../x.wasm"), Reference::File(base.join("missing/../x.wasm")));
}

proptest! {
    #[test]
    fn every_reference_is_read_from_its_canonical_spelling(
        text in prop_oneof![
            ".{0,40}",
            "(file:)?/{0,3}[a./~%0-9 é?#:]{0,20}",
            "(https?|oci)://(localhost|a.b|127.0.0.1)(:[0-9]{1,5})?/[a-c./%:@?# ]{0,10}",
            "[a-cA]{1,2}:[a-c1-]{1,4}(@[0-2]\\.[0-9]\\.[0-9])?",
        ]
    ) {
        if let Ok(reference) = parse(&text) {
            let shown = reference.to_string();
            prop_assert!(shown.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(Reference::parse_in(&shown, Path::new("/elsewhere")).unwrap(), reference);
        }
    }
}
