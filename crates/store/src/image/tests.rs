//! Which texts name an image, in which one spelling, and why others name none.

use proptest::prelude::*;

use super::*;

const HASH: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn parse(text: &str) -> Result<Image, ReferenceError> {
    Image::parse(text)
}

fn shown(text: &str) -> String {
    parse(text).map_or_else(|error| format!("{text}: {error}"), |image| image.to_string())
}

#[test]
fn every_spelling_of_an_image_has_one_canonical_one() {
    let digest = format!("oci://ghcr.example/a@{HASH}");
    let both = format!("oci://ghcr.example/a:1@{HASH}");
    for (text, canonical) in [
        ("oci://ghcr.example/team/weather:1.2.3", "oci://ghcr.example/team/weather:1.2.3"),
        ("ghcr.example/team/weather", "oci://ghcr.example/team/weather"),
        ("OCI://GHCR.Example/a:V1_x.y-z", "oci://ghcr.example/a:V1_x.y-z"),
        ("localhost/a", "oci://localhost/a"),
        ("LOCALHOST:5000/a", "oci://localhost:5000/a"),
        ("127.0.0.1:5000/a:1", "oci://127.0.0.1:5000/a:1"),
        ("[::1]:5000/a:1", "oci://[::1]:5000/a:1"),
        ("[2001:DB8::1]/a", "oci://[2001:db8::1]/a"),
        ("ghcr.example:443/a", "oci://ghcr.example/a"),
        ("host:8443/a__b/c---d.e_f/0", "oci://host:8443/a__b/c---d.e_f/0"),
        ("docker.io/library/alpine", "oci://docker.io/library/alpine"),
        ("index.docker.io/me/x", "oci://docker.io/me/x"),
        ("registry-1.docker.io:443/me/x", "oci://docker.io/me/x"),
        (digest.trim_start_matches("oci://"), digest.as_str()),
        (both.as_str(), both.as_str()),
    ] {
        assert_eq!(shown(text), canonical);
    }
}

#[test]
fn the_parts_of_an_image_can_be_asked_for() {
    let digest: Digest = HASH.parse().unwrap();
    let image = parse("ghcr.example:8443/team/weather:1").unwrap();
    assert_eq!((image.registry(), image.repository()), ("ghcr.example:8443", "team/weather"));
    assert_eq!((image.tag(), image.digest()), (Some("1"), None));
    assert_eq!(image.wanted(), "1");
    assert_eq!(image.identity(), "oci://ghcr.example:8443/team/weather");
    assert_eq!(parse("a.example/b").unwrap().wanted(), "latest");

    let pinned = image.with_digest(digest);
    assert_eq!(pinned.to_string(), format!("oci://ghcr.example:8443/team/weather:1@{HASH}"));
    assert_eq!(pinned.wanted(), HASH);
    assert_eq!(pinned.identity(), image.identity());
    let signature = pinned.with_tag("sha256-00.sig").unwrap();
    assert_eq!((signature.wanted().as_str(), signature.digest()), ("sha256-00.sig", None));
}

#[test]
fn what_is_no_image_is_refused_with_its_reason_and_a_cure() {
    let long_label = format!("{}.example/a", "x".repeat(64));
    let long_name = format!("a.example/{}", "x".repeat(250));
    let long_tag = format!("a.example/b:{}", "x".repeat(129));
    let long = format!("a.example/b?{}", "x".repeat(1100));
    for (text, reason) in [
        ("", "it does not begin with the host of a registry"),
        ("oci://", "it does not begin with the host of a registry"),
        ("oci:///a/b", "it does not begin with the host of a registry"),
        ("alpine", "it does not begin with the host of a registry"),
        ("library/alpine", "it does not begin with the host of a registry"),
        ("docker.io/alpine", "`docker.io` has no repository `alpine`"),
        ("a.example", "it names no repository"),
        ("localhost:5000", "it names no repository"),
        ("a\u{1b}[2J", "it does not begin with the host of a registry"),
        ("a/\u{202e}b", "it does not begin with the host of a registry"),
        ("a.example/", "it names no repository"),
        ("a.example/:1", "it names no repository"),
        ("a.example/B", "its repository has upper-case letters"),
        ("a.example/../b", "its repository is not one that a registry can have"),
        ("a.example/./b", "its repository is not one that a registry can have"),
        ("a.example//b", "its repository is not one that a registry can have"),
        ("a.example/b/", "its repository is not one that a registry can have"),
        ("a.example/a b", "its repository is not one that a registry can have"),
        ("a.example/a%2fb", "its repository is not one that a registry can have"),
        ("a.example/a?b", "its repository is not one that a registry can have"),
        ("a.example/a#b", "its repository is not one that a registry can have"),
        ("a.example/a___b", "its repository is not one that a registry can have"),
        ("a.example/a..b", "its repository is not one that a registry can have"),
        ("a.example/a._b", "its repository is not one that a registry can have"),
        ("a.example/-a", "its repository is not one that a registry can have"),
        ("a.example/é", "its repository is not one that a registry can have"),
        ("a.example/b:", "its tag is not one that a registry can have"),
        ("a.example/b:1:2", "its tag is not one that a registry can have"),
        ("a.example/b:.1", "its tag is not one that a registry can have"),
        ("a.example/b:1/c", "its tag is not one that a registry can have"),
        ("a.example/b:../../x", "its tag is not one that a registry can have"),
        (&long_tag, "its tag is not one that a registry can have"),
        ("a.example/b@", "its digest is malformed"),
        ("a.example/b@sha256:00", "its digest is malformed"),
        ("a.example/b@sha256:00@sha256:00", "its digest is malformed"),
        ("a.example/b@sha512:00", "`sha512` is not supported for digests"),
        ("a.example:0/b", "its port is no number from 1 to 65535"),
        ("a.example:/b", "its port is no number from 1 to 65535"),
        ("a.example:080/b", "its port is no number from 1 to 65535"),
        ("a.example:+80/b", "its port is no number from 1 to 65535"),
        ("a.example:65536/b", "its port is no number from 1 to 65535"),
        ("a.example:80:80/b", "its port is no number from 1 to 65535"),
        ("[::1]5000/b", "its host is no name of a host"),
        ("[::1/b", "its host is no name of a host"),
        ("[x]/b", "its host is no name of a host"),
        ("a.example./b", "its host is no name of a host"),
        (".example/b", "its host is no name of a host"),
        ("a_b.example/b", "its host is no name of a host"),
        ("a%2e.example/b", "its host is no name of a host"),
        ("bücher.example/b", "its host is no name of a host"),
        ("a..example/b", "its host is no name of a host"),
        (&long_label, "its host is no name of a host"),
        ("999.999.999.999/b", "its host is no name of a host"),
        ("127.1/b", "its host is written in an unusual way"),
        ("0x7f.0.0.1/b", "its host is written in an unusual way"),
        ("[0:0:0:0:0:0:0:1]/b", "its host is written in an unusual way"),
        ("a.example\\b/c", "its host is no name of a host"),
        (&long_name, "host and repository have more than 255 characters"),
        (&long, "it is longer than 1024 bytes"),
    ] {
        let error = parse(text).unwrap_err();
        let message = error.to_string();
        assert!(message.ends_with(&format!(" is no image of a registry: {reason}")), "{message}");
        assert!(message.len() < 400, "{message}");
        let help = miette::Diagnostic::help(&error).unwrap().to_string();
        assert!(!help.is_empty() && help.len() < 400, "{text}: {help}");
        let shown = format!("{message}{help}");
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
        assert!(parse(&format!("oci://{text}")).is_err(), "{text}");
    }
}

#[test]
fn a_short_name_is_not_guessed_and_the_cure_names_the_whole() {
    for (text, cure) in [
        ("alpine", "oci://docker.io/library/alpine"),
        ("alpine:3", "oci://docker.io/library/alpine:3"),
        ("me/weather:1", "oci://docker.io/me/weather:1"),
        ("docker.io/alpine", "oci://docker.io/library/alpine"),
        ("127.1/b", "write `127.0.0.1`"),
    ] {
        let help = miette::Diagnostic::help(&parse(text).unwrap_err()).unwrap().to_string();
        assert!(help.contains(cure), "{help}");
    }
}

#[test]
fn denied_a_password_in_the_reference_of_an_image_which_no_error_repeats() {
    for text in [
        "oci://me:canary@a.example/b",
        "oci://canary@a.example/b",
        "me:canary/more@a.example/b",
        "canary/more@a.example/b",
        "oci://me:canary@a.example/b@sha256:00",
        "oci://me:canary@",
        "me:canary@sha256.example/b",
    ] {
        let error = parse(text).unwrap_err();
        let help = miette::Diagnostic::help(&error).unwrap().to_string();
        assert!(!format!("{error} {error:?} {help}").contains("canary"), "{error:?} {help}");
    }
}

#[test]
fn a_tag_that_a_registry_made_up_is_no_way_out_of_its_repository() {
    let image = parse("a.example/b").unwrap();
    for tag in ["", "../../c", "a/b", "a?b", "a@b", "a:b", ".", "é", "a\nb"] {
        assert!(image.with_tag(tag).is_err(), "{tag:?}");
    }
}

proptest! {
    #[test]
    fn what_is_shown_reads_back_and_is_plain(
        text in prop_oneof![
            ".{0,60}",
            "(oci://)?[a-cA-C.\\[\\]:0-9-]{0,12}/[a-d/._-]{0,12}(:[a-dA-D.0-9_-]{0,5})?(@sha256:[0-9a-f]{64})?",
        ]
    ) {
        if let Ok(image) = parse(&text) {
            let shown = image.to_string();
            prop_assert!(shown.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(parse(&shown).unwrap(), image.clone());
            prop_assert!(!image.registry().ends_with(":443"));
            let identity = parse(&image.identity()).unwrap();
            prop_assert_eq!(identity.identity(), image.identity());
            // What a URL is made of has no way out of its place.
            let url = format!("https://{}/v2/{}/manifests/{}", image.registry(), image.repository(), image.wanted());
            let path = format!("/v2/{}/manifests/{}", image.repository(), image.wanted());
            let url = url::Url::parse(&url).unwrap();
            prop_assert_eq!(url.path(), path);
            prop_assert_eq!(url.query(), None);
        }
    }
}
