//! Which texts are packages, and which are meant as ones.

use super::*;

#[test]
fn a_package_has_a_namespace_a_name_and_perhaps_a_version() {
    let package = Package::parse("my-team:weather-2@1.2.3-rc.1+build").unwrap();
    assert_eq!((package.namespace(), package.name()), ("my-team", "weather-2"));
    assert_eq!(package.version(), Some("1.2.3-rc.1+build"));
    assert_eq!(package.to_string(), "my-team:weather-2@1.2.3-rc.1+build");
    assert_eq!(Package::parse("a:b").unwrap().version(), None);
}

#[test]
fn what_is_no_package_is_refused_with_its_reason() {
    let words = "its namespace and its name are not words of lower-case letters and digits with `-` \
                 between them";
    let long = format!("a:{}", "b".repeat(300));
    for (text, reason) in [
        ("a", "it has no `:`"),
        ("a@1.0.0", "it has no `:`"),
        ("A:b", words),
        ("a:", words),
        (":b", words),
        ("1:b", words),
        ("a:b--c", words),
        ("a:b_c", words),
        ("a:b:c", "it has more than a namespace and a name"),
        ("a:b/c", "it has more than a namespace and a name"),
        ("a:b@", "its version is not one such as `1.2.3`"),
        ("a:b@1.2", "its version is not one such as `1.2.3`"),
        ("a:b@v1.2.3", "its version is not one such as `1.2.3`"),
        ("a:b@1.2.3@4", "its version is not one such as `1.2.3`"),
        ("file:b", "`file:` begins an address, not a package"),
        ("HTTPS:b", "`HTTPS:` begins an address, not a package"),
        (&long, "it is longer than 255 bytes"),
    ] {
        let message = Package::parse(text).unwrap_err().to_string();
        assert!(message.ends_with(&format!(" is no package: {reason}")), "{message}");
    }
}

#[test]
fn only_what_can_be_no_path_of_a_component_is_meant_as_a_package() {
    for text in ["a:b", "A:b", "a:b@1.0.0", "a:b@x", "a:b:c", "file:x"] {
        assert!(Package::is_meant_by(text), "{text}");
    }
    for text in ["a", "./a:b", "a:b.wasm", "a/b:c", "a:/b", "a b:c", "a:", "1:a", "a@b"] {
        assert!(!Package::is_meant_by(text), "{text}");
    }
}
