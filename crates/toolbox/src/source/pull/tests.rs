use super::*;

fn fits_of(text: &str) -> Result<(), String> {
    fits(text.as_bytes(), &Digest::of(b"wasm"))
}

#[test]
fn denied_a_configuration_that_is_about_another_component() {
    let own = Digest::of(b"wasm");
    for text in [
        "{}".to_owned(),
        r#"{"layerDigests":null}"#.to_owned(),
        r#"{"layerDigests":[]}"#.to_owned(),
        format!(r#"{{"layerDigests":["sha256:other","{own}"],"os":"wasip2"}}"#),
    ] {
        assert_eq!(fits_of(&text), Ok(()), "{text}");
    }
    for (text, told) in [
        ("", "no JSON"),
        ("[]", "no JSON object"),
        (r#"{"layerDigests":{}}"#, "no list"),
        (r#"{"layerDigests":["sha256:other"]}"#, "about other layers"),
    ] {
        let refused = fits_of(text).unwrap_err();
        assert!(refused.contains(told), "{text}: {refused}");
    }
}

fn layer(kind: &str, title: Option<&str>) -> Descriptor {
    let mut layer = Descriptor::of(kind, b"x");
    layer.annotations.extend(title.map(|title| (TITLE.to_owned(), title.to_owned())));
    layer
}

#[test]
fn a_layer_is_a_policy_by_its_type_or_by_its_title() {
    assert!(is_policy(&layer("application/vnd.wasm.policy.v1+yaml", None)));
    assert!(is_policy(&layer("application/vnd.wassette.policy+yaml", None)));
    assert!(is_policy(&layer("text/yaml", Some("policy.yaml"))));
    assert!(!is_policy(&layer("text/yaml", None)));
    assert!(!is_policy(&layer("text/yaml", Some("values.yaml"))));
    assert!(!is_policy(&layer("text/markdown", Some("policy.md"))));
}

#[test]
fn a_policy_that_cannot_be_shown_says_why() {
    let policy = layer("application/vnd.wasm.policy.v1+yaml", None);
    let reason = |bytes| match asked_for(&policy, bytes, "there".to_owned()) {
        Requested::Unreadable { reason, .. } => reason,
        Requested::Text { text, .. } => text,
    };
    assert_eq!(reason(Some(Ok(b"version: \"1.0\"".to_vec()))), "version: \"1.0\"");
    assert_eq!(reason(Some(Ok(vec![0xff]))), "it is not text in UTF-8");
    assert_eq!(reason(Some(Err("it is gone".to_owned()))), "it is gone");
    assert_eq!(reason(None), "it has 1 bytes, the limit is 65536");
}
