use super::*;

fn rule(source: &str) -> Rule {
    let (keys, identities) = (Vec::new(), Vec::new());
    Rule { source: canonical(source), require: true, keys, identities }
}

fn verifier(sources: &[&str], unmatched: Unmatched) -> Verifier {
    Verifier { rules: sources.iter().map(|source| rule(source)).collect(), unmatched, root: None }
}

fn place_of(text: &str) -> String {
    place(&Reference::parse(text).unwrap()).unwrap()
}

#[test]
fn the_longest_rule_in_whole_parts_counts() {
    let sources = ["a.example", "a.example/acme", "a.example/acme/tools/x", "b.example:5000"];
    let verifier = verifier(&sources, Unmatched::Allow);
    let found = |text: &str| verifier.rule(&place_of(text)).map(|rule| rule.source.as_str());
    assert_eq!(found("oci://a.example/other"), Some("a.example"));
    assert_eq!(found("oci://a.example/acme/tools/y:1"), Some("a.example/acme"));
    assert_eq!(found("oci://a.example/acme/tools/x/y"), Some("a.example/acme/tools/x"));
    assert_eq!(found("oci://a.example/acmes/y"), Some("a.example"));
    assert_eq!(found("oci://b.example:5000/y"), Some("b.example:5000"));
    assert_eq!(found("oci://b.example/y"), None);
    assert_eq!(found("https://a.example/acme/y.wasm"), Some("a.example/acme"));
    assert_eq!(found("https://aa.example/acme/y.wasm"), None);
    assert_eq!(place(&Reference::parse("./y.wasm").unwrap()), None);
}

/// A model that spells a registry otherwise must not come by without a signature.
#[test]
fn denied_another_spelling_of_a_source_that_a_rule_is_about() {
    let verifier = verifier(&["a.example/acme", "docker.io/acme"], Unmatched::Allow);
    for text in [
        "oci://A.Example/acme/x",
        "oci://a.example:443/acme/x",
        "https://a.example:443/acme/x.wasm",
        "https://a.example./acme/x.wasm",
        "https://A.EXAMPLE/acme/x.wasm",
        "oci://docker.io/acme/x",
        "oci://index.docker.io/acme/x",
        "oci://registry-1.docker.io:443/acme/x",
    ] {
        assert_eq!(verifier.need(&place_of(text)), Need::Required, "{text}");
    }
    assert_eq!(verifier.need(&place_of("oci://a.example:5000/acme/x")), Need::Nothing);
}

#[test]
fn what_no_rule_is_about_follows_the_default() {
    for (unmatched, need) in [
        (Unmatched::Allow, Need::Nothing),
        (Unmatched::Warn, Need::Told),
        (Unmatched::Require, Need::Required),
    ] {
        assert_eq!(verifier(&["a.example"], unmatched).need("b.example/x"), need);
    }
}

#[test]
fn denied_rules_that_nothing_could_satisfy() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let broken = write("broken.pub", "no key");
    let long = write("long.pub", &"x".repeat(KEY as usize + 1));
    let missing = folder.path().join("missing.pub");
    let identity = Identity { identity: "me".to_owned(), issuer: "https://i.example".to_owned() };
    let rule = |source: &str, keys: &[&PathBuf], identities: &[Identity]| VerifyRule {
        source: source.to_owned(),
        require: true,
        keys: keys.iter().map(|path| (*path).clone()).collect(),
        identities: identities.to_vec(),
    };
    for (rule, told) in [
        (rule("a.example", &[], &[]), "nobody is named who could sign"),
        (rule("", &[&broken], &[]), "no source"),
        (rule("oci://a.example", &[&broken], &[]), "no source"),
        (rule("a.example/*", &[&broken], &[]), "no source"),
        (rule("a.example", &[], &[identity]), "there is no trust root"),
        (rule("a.example", &[&broken], &[]), "broken.pub` holds no public key"),
        (rule("a.example", &[&long], &[]), "cannot read"),
        (rule("a.example", &[&missing], &[]), "missing.pub"),
    ] {
        let options = VerifyOptions { rules: vec![rule], ..VerifyOptions::default() };
        let refused = Verifier::read(&options).unwrap_err().to_string();
        assert!(refused.contains(told), "{refused}");
    }
    let root = VerifyOptions { trust_root: Some(broken), ..VerifyOptions::default() };
    let refused = Verifier::read(&root).unwrap_err().to_string();
    assert!(refused.contains("holds no roots of trust"), "{refused}");
}

/// What was loaded when another rule held must not come back where this one does.
#[test]
fn denied_r16_a_signer_of_whom_the_rules_think_otherwise_by_now() {
    let mut verifier = verifier(&["a.example"], Unmatched::Require);
    verifier.rules[0].identities = ["me@a.example", "https://ci.example/acme/*"]
        .map(|identity| Identity {
            identity: identity.to_owned(),
            issuer: "https://i.example".to_owned(),
        })
        .to_vec();
    for (signer, is_content) in [
        (Some("identity me@a.example, issuer https://i.example"), true),
        (Some("identity https://ci.example/acme/x, issuer https://i.example"), true),
        (Some("identity https://ci.example/other/x, issuer https://i.example"), false),
        (Some("identity https://ci.example/acme/x/y, issuer https://i.example"), false),
        (Some("identity https://ci.example/acme/x, issuer https://j.example"), false),
        (Some("identity me@a.example.evil, issuer https://i.example"), false),
        (Some("key sha256:ab"), false),
        (None, false),
    ] {
        assert_eq!(verifier.is_content_with("a.example/x", signer), is_content, "{signer:?}");
    }
    assert!(!verifier.is_content_with("b.example/x", Some("key sha256:ab")));
}
