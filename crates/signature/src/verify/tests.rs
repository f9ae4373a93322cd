use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT;
use sigstore_verify::types::{Bundle, Statement};
use wassette_testkit::{Fault, Sigstore};

use super::*;
use crate::provider::sha256;
use crate::{SigningKey, keyless, sign_bundle, sign_simple};

const REPOSITORY: &str = "registry.example/me/tools";
const WORKFLOW: &str = "https://forge.example/me/tools/.ci/release.yml@refs/tags/v1";
const FORGE: &str = "https://token.forge.example";

fn manifest() -> [u8; 32] {
    sha256(b"a manifest")
}

fn key(name: &str) -> SigningKey {
    let text = match name {
        "p256" => include_str!("../../fixtures/p256.key"),
        _ => include_str!("../../fixtures/ed25519.key"),
    };
    SigningKey::from_pem(text, None).unwrap()
}

fn public(name: &str) -> PublicKey {
    let text = match name {
        "p256" => include_str!("../../fixtures/p256.pub"),
        _ => include_str!("../../fixtures/ed25519.pub"),
    };
    PublicKey::from_pem(text).unwrap()
}

fn by_keys<'a>(keys: &'a [PublicKey]) -> Trust<'a> {
    Trust { keys, identities: &[], root: None }
}

/// Both layouts, signed by the key of this name.
fn signed(name: &str, manifest: &[u8; 32]) -> [Attached; 2] {
    [
        sign_simple(&key(name), manifest, REPOSITORY).unwrap(),
        sign_bundle(&key(name), manifest).unwrap(),
    ]
}

/// A bundle with something in it changed.
fn changed(bundle: &Attached, change: impl FnOnce(&mut Value)) -> Attached {
    let Attached::Bundle { json } = bundle else { panic!("a bundle") };
    let mut value = serde_json::from_slice(json).unwrap();
    change(&mut value);
    Attached::Bundle { json: value.to_string().into_bytes() }
}

fn says(error: &VerifyError) -> String {
    let help = miette::Diagnostic::help(error).map(|help| help.to_string()).unwrap_or_default();
    format!("{error}\n{help}")
}

#[test]
fn what_is_signed_here_is_good_here() {
    for name in ["p256", "ed25519"] {
        let keys = [public("p256"), public("ed25519")];
        for one in signed(name, &manifest()) {
            let signer = verify(&manifest(), &[one], &by_keys(&keys)).unwrap();
            assert_eq!(signer.to_string(), format!("key {}", key(name).public_key().fingerprint()));
            assert_eq!(signer, Signer::Key(public(name).fingerprint()));
        }
    }
}

#[test]
fn signatures_of_every_kind_of_key_made_elsewhere_are_good() {
    let payload = include_bytes!("../../fixtures/payload.json").to_vec();
    let list: Vec<Value> =
        serde_json::from_str(include_str!("../../fixtures/signatures.json")).unwrap();
    assert_eq!(list.len(), 6);
    for one in list {
        let keys = [PublicKey::from_pem(one["key"].as_str().unwrap()).unwrap()];
        let signature = one["signature"].as_str().unwrap().to_owned();
        let attached = Attached::Simple { payload: payload.clone(), signature: signature.clone() };
        assert!(verify(&manifest(), &[attached], &by_keys(&keys)).is_ok(), "{}", one["name"]);
        let altered = Attached::Simple { payload: [payload.as_slice(), b" "].concat(), signature };
        assert!(verify(&manifest(), &[altered], &by_keys(&keys)).is_err(), "{}", one["name"]);
    }
}

#[test]
fn denied_r16_what_is_not_signed() {
    let keys = [public("p256")];
    let error = verify(&manifest(), &[], &by_keys(&keys)).unwrap_err();
    assert!(matches!(error, VerifyError::Unsigned));
    assert!(says(&error).contains("it is not signed"), "{}", says(&error));
}

#[test]
fn denied_r16_a_signature_by_another_key() {
    let keys = [public("ed25519")];
    let [simple, bundle] = signed("p256", &manifest());
    let error = verify(&manifest(), &[simple], &by_keys(&keys)).unwrap_err();
    assert!(matches!(&error, VerifyError::WrongKey { made_by: None, .. }), "{error:?}");
    assert!(says(&error).contains("another key made the signature"), "{}", says(&error));
    let error = verify(&manifest(), &[bundle], &by_keys(&keys)).unwrap_err();
    assert!(
        says(&error)
            .contains(&format!("the signature names the key `{}`", public("p256").fingerprint()))
    );
    assert!(
        says(&error).contains(&format!("trusted: {}", public("ed25519").fingerprint())),
        "{}",
        says(&error)
    );
}

#[test]
fn denied_r16_a_good_signature_of_another_digest() {
    let keys = [public("p256")];
    let other = sha256(b"another manifest");
    for one in signed("p256", &other) {
        let error = verify(&manifest(), &[one], &by_keys(&keys)).unwrap_err();
        assert!(matches!(error, VerifyError::OtherDigest { .. }), "{error:?}");
        let digest = crate::key::fingerprint(&other);
        assert!(
            says(&error).contains(&format!("it is of `{digest}` and not of this")),
            "{}",
            says(&error)
        );
    }
}

#[test]
fn denied_r16_a_payload_that_was_changed_after_it_was_signed() {
    let keys = [public("p256")];
    let [simple, bundle] = signed("p256", &sha256(b"another manifest"));
    let Attached::Simple { signature, .. } = simple else { panic!("simple") };
    let [Attached::Simple { payload, .. }, _] = signed("ed25519", &manifest()) else {
        panic!("simple")
    };
    let error = verify(&manifest(), &[Attached::Simple { payload, signature }], &by_keys(&keys))
        .unwrap_err();
    assert!(says(&error).contains("or what it signs was changed since"), "{}", says(&error));

    let bundle = changed(&bundle, |value| {
        let statement = json!({
            "_type": Statement::TYPE_V1,
            "subject": [{ "digest": { "sha256": crate::key::fingerprint(&manifest()).replace("sha256:", "") } }],
            "predicateType": crate::statement::SIGNATURE,
        });
        value["dsseEnvelope"]["payload"] = STANDARD.encode(statement.to_string()).into();
    });
    let error = verify(&manifest(), &[bundle], &by_keys(&keys)).unwrap_err();
    assert!(matches!(&error, VerifyError::Tampered { .. }), "{error:?}");
    assert!(says(&error).contains("it, or what it signs, was changed"), "{}", says(&error));
}

#[test]
fn of_several_signatures_one_good_one_is_enough() {
    let keys = [public("ed25519")];
    let [bad, worse] = signed("p256", &manifest());
    let [_, other] = signed("ed25519", &sha256(b"another manifest"));
    let broken = Attached::Bundle { json: b"{}".to_vec() };
    for good in signed("ed25519", &manifest()) {
        let attached =
            [broken.clone(), bad.clone(), worse.clone(), other.clone(), good.clone(), good];
        assert!(verify(&manifest(), &attached, &by_keys(&keys)).is_ok());
    }
    // Without it, what came nearest is told of.
    let error = verify(&manifest(), &[broken, bad, other, worse], &by_keys(&keys)).unwrap_err();
    assert!(matches!(error, VerifyError::OtherDigest { .. }), "{error:?}");
}

#[test]
fn denied_r16_a_statement_that_is_no_signature() {
    let keys = [public("p256")];
    let [Attached::Simple { payload, .. }, bundle] = signed("p256", &manifest()) else {
        panic!("simple")
    };
    // A provenance, signed by the right key.
    let statement = json!({
        "_type": Statement::TYPE_V1,
        "subject": [{ "digest": { "sha256": crate::key::fingerprint(&manifest()).replace("sha256:", "") } }],
        "predicateType": "https://slsa.dev/provenance/v1",
    });
    let statement = statement.to_string();
    let signature = key("p256")
        .sign(&sigstore_verify::types::pae(crate::statement::PAYLOAD_KIND, statement.as_bytes()))
        .unwrap();
    let provenance = changed(&bundle, |value| {
        value["dsseEnvelope"]["payload"] = STANDARD.encode(&statement).into();
        value["dsseEnvelope"]["signatures"][0]["sig"] = STANDARD.encode(&signature).into();
    });
    // A payload of another kind, signed by the right key.
    let payload =
        String::from_utf8(payload).unwrap().replace(crate::simple::KIND, "a promise").into_bytes();
    let signature = STANDARD.encode(key("p256").sign(&payload).unwrap());
    // Bare bytes.
    let bare = changed(&bundle, |value| {
        value.as_object_mut().unwrap().remove("dsseEnvelope");
        value["messageSignature"] =
            json!({ "signature": STANDARD.encode(key("p256").sign(b"a manifest").unwrap()) });
    });
    for (one, kind) in [
        (provenance, "https://slsa.dev/provenance/v1"),
        (Attached::Simple { payload, signature }, "a promise"),
        (bare, "bare bytes"),
    ] {
        let error = verify(&manifest(), &[one], &by_keys(&keys)).unwrap_err();
        assert!(matches!(error, VerifyError::OtherStatement { .. }), "{error:?}");
        assert!(
            says(&error).contains(kind) && says(&error).contains("not a signature"),
            "{}",
            says(&error)
        );
    }
}

#[test]
fn denied_r16_what_is_too_much_or_cannot_be_read() {
    let keys = [public("p256")];
    let [simple, bundle] = signed("p256", &manifest());
    let error = verify(&manifest(), &vec![simple.clone(); 65], &by_keys(&keys)).unwrap_err();
    assert!(matches!(error, VerifyError::TooMany { found: 65, most: 64 }), "{error:?}");
    let Attached::Simple { payload, signature } = simple else { panic!("simple") };
    let long = json!({ "critical": {}, "optional": "x".repeat(65 << 10) }).to_string().into_bytes();
    let deep = [b"[".repeat(1 << 16), b"]".repeat(1 << 16)].concat();
    let many = changed(&bundle, |value| {
        value["verificationMaterial"]["timestampVerificationData"] =
            json!({ "rfc3161Timestamps": vec![json!({ "signedTimestamp": "AAAA" }); 9] });
    });
    for one in [
        Attached::Simple { payload: long, signature: signature.clone() },
        Attached::Simple { payload: payload.clone(), signature: "no base64".to_owned() },
        Attached::Simple { payload, signature: signature.repeat(100) },
        Attached::Bundle { json: Vec::new() },
        Attached::Bundle { json: vec![0xff; 10] },
        Attached::Bundle { json: vec![b' '; (1 << 20) + 1] },
        Attached::Bundle { json: deep },
        changed(&bundle, |value| value["mediaType"] = "application/json".into()),
        changed(&bundle, |value| value["dsseEnvelope"]["payload"] = STANDARD.encode("[]").into()),
        many,
    ] {
        let error = verify(&manifest(), &[one], &by_keys(&keys)).unwrap_err();
        assert!(matches!(error, VerifyError::Malformed { .. }), "{error:?}");
    }
}

#[test]
fn denied_r16_a_rule_that_trusts_nobody_or_another_kind_of_signer() {
    let attached = signed("p256", &manifest());
    let error = verify(&manifest(), &attached, &by_keys(&[])).unwrap_err();
    assert!(matches!(error, VerifyError::NobodyTrusted), "{error:?}");
    let identities = [Identity { identity: "**".to_owned(), issuer: FORGE.to_owned() }];
    let error =
        verify(&manifest(), &attached, &Trust { keys: &[], identities: &identities, root: None })
            .unwrap_err();
    assert!(matches!(error, VerifyError::KeysNotTrusted), "{error:?}");
    let attached = [Attached::Bundle { json: Sigstore::new().sign(&manifest(), WORKFLOW, FORGE) }];
    let error = verify(&manifest(), &attached, &by_keys(&[public("p256")])).unwrap_err();
    assert!(matches!(error, VerifyError::IdentitiesNotTrusted), "{error:?}");
    let error =
        verify(&manifest(), &attached, &Trust { keys: &[], identities: &identities, root: None })
            .unwrap_err();
    assert!(matches!(error, VerifyError::NoTrustRoot), "{error:?}");
}

/// Verifies a bundle against a Sigstore, trusting `pattern`.
fn by_identity(sigstore: &Sigstore, json: Vec<u8>, pattern: &str) -> Result<Signer, VerifyError> {
    let root = TrustRoot::from_json(&sigstore.trust_root_json()).unwrap();
    let identities = [Identity { identity: pattern.to_owned(), issuer: FORGE.to_owned() }];
    verify(
        &manifest(),
        &[Attached::Bundle { json }],
        &Trust { keys: &[], identities: &identities, root: Some(&root) },
    )
}

#[test]
fn a_trusted_identity_is_good() {
    let sigstore = Sigstore::new();
    for identity in [WORKFLOW, "me@example.com"] {
        for pattern in [identity, "**"] {
            let signer =
                by_identity(&sigstore, sigstore.sign(&manifest(), identity, FORGE), pattern)
                    .unwrap();
            assert_eq!(signer.to_string(), format!("identity {identity}, issuer {FORGE}"));
        }
    }
}

#[test]
fn denied_r16_an_identity_that_is_not_trusted() {
    let sigstore = Sigstore::new();
    for (identity, issuer) in
        [("https://forge.example/you/tools", FORGE), (WORKFLOW, "https://elsewhere.example")]
    {
        let error = by_identity(&sigstore, sigstore.sign(&manifest(), identity, issuer), WORKFLOW)
            .unwrap_err();
        assert!(matches!(error, VerifyError::WrongIdentity { .. }), "{error:?}");
        assert!(
            says(&error).contains(identity) && says(&error).contains(issuer),
            "{}",
            says(&error)
        );
    }
}

#[test]
fn denied_r16_a_certificate_or_a_log_entry_that_is_not_in_order() {
    let sigstore = Sigstore::new();
    for (fault, reason) in [
        (Fault::OtherAuthority, "certificate chain validation failed"),
        (Fault::OtherCertificateLog, "SCT signature verification failed"),
        (Fault::NoCertificateLog, "timestamp"),
        (Fault::OtherLog, "log"),
        (Fault::NoProof, "no proof"),
        (Fault::WrongProof, "inclusion proof"),
        (Fault::NoEntry, "no proof"),
        (Fault::Expired, "CertExpired"),
        (Fault::Changed, "signature"),
    ] {
        let bundle = sigstore.sign_with_fault(fault, &manifest(), WORKFLOW, FORGE);
        let error = by_identity(&sigstore, bundle, WORKFLOW).unwrap_err();
        assert!(matches!(error, VerifyError::Keyless { .. }), "{fault:?}: {error:?}");
        assert!(says(&error).contains(reason), "{fault:?}: {}", says(&error));
    }
}

#[test]
fn denied_r16_a_trusted_identity_that_signed_something_else() {
    let sigstore = Sigstore::new();
    let other = sigstore.sign(&sha256(b"another manifest"), WORKFLOW, FORGE);
    let error = by_identity(&sigstore, other, WORKFLOW).unwrap_err();
    assert!(matches!(error, VerifyError::OtherDigest { .. }), "{error:?}");
    let provenance = sigstore.sign_with_fault(Fault::Provenance, &manifest(), WORKFLOW, FORGE);
    let error = by_identity(&sigstore, provenance, WORKFLOW).unwrap_err();
    assert!(matches!(error, VerifyError::OtherStatement { .. }), "{error:?}");
}

#[test]
fn a_root_without_a_certificate_log_asks_for_no_word_of_one() {
    let sigstore = Sigstore::new();
    let mut root: Value = serde_json::from_slice(&sigstore.trust_root_json()).unwrap();
    root["ctlogs"] = json!([]);
    let root = TrustRoot::from_json(root.to_string().as_bytes()).unwrap();
    let identities = [Identity { identity: WORKFLOW.to_owned(), issuer: FORGE.to_owned() }];
    let trust = Trust { keys: &[], identities: &identities, root: Some(&root) };
    let json = sigstore.sign_with_fault(Fault::NoCertificateLog, &manifest(), WORKFLOW, FORGE);
    assert!(verify(&manifest(), &[Attached::Bundle { json }], &trust).is_ok());
}

#[test]
fn denied_r16_a_log_entry_of_another_signature_beside_that_of_a_key() {
    let sigstore = Sigstore::new();
    let root = TrustRoot::from_json(&sigstore.trust_root_json()).unwrap();
    let keys = [public("p256")];
    let [_, bundle] = signed("p256", &manifest());
    let elsewhere: Value =
        serde_json::from_slice(&sigstore.sign(&manifest(), WORKFLOW, FORGE)).unwrap();
    let borrowed = changed(&bundle, |value| {
        value["verificationMaterial"]["tlogEntries"] =
            elsewhere["verificationMaterial"]["tlogEntries"].clone();
    });
    let with_root = Trust { keys: &keys, identities: &[], root: Some(&root) };
    assert!(verify(&manifest(), &[bundle], &with_root).is_ok());
    let error = verify(&manifest(), &[borrowed], &with_root).unwrap_err();
    assert!(matches!(error, VerifyError::Keyless { .. }), "{error:?}");
}

/// A real attestation, certified and logged by the public instance: what is checked here is what is out there.
#[test]
fn the_public_instance_is_read() {
    let json = include_bytes!("../../fixtures/attestation.sigstore.json").to_vec();
    let bundle = Bundle::from_json(str::from_utf8(&json).unwrap()).unwrap();
    let envelope: Value = serde_json::from_slice(&json).unwrap();
    let statement = STANDARD.decode(envelope["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let statement: Statement = serde_json::from_slice(&statement).unwrap();
    let digest = *statement.subject[0].digest.sha256.as_ref().unwrap().as_bytes();
    let root = TrustRoot::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes()).unwrap();

    let Ok((identity, issuer)) = keyless::vouched(&bundle, &digest, &root) else {
        panic!("it is in order")
    };
    assert_eq!(
        identity,
        "https://github.com/prefix-dev/sigstore-example/.github/workflows/action.yaml@refs/heads/main"
    );
    assert_eq!(issuer, "https://token.actions.githubusercontent.com");
    assert!(keyless::vouched(&bundle, &manifest(), &root).is_err());

    let identities = [Identity { identity, issuer }];
    let trust = Trust { keys: &[], identities: &identities, root: Some(&root) };
    let error = verify(&digest, &[Attached::Bundle { json }], &trust).unwrap_err();
    assert!(matches!(error, VerifyError::OtherStatement { .. }), "{error:?}");
}

#[test]
fn denied_r16_every_single_byte_that_is_changed() {
    let sigstore = Sigstore::new();
    let root = TrustRoot::from_json(&sigstore.trust_root_json()).unwrap();
    let identities = [Identity { identity: WORKFLOW.to_owned(), issuer: FORGE.to_owned() }];
    let keys = [public("p256")];
    let trust = Trust { keys: &keys, identities: &identities, root: Some(&root) };
    let keyless = sigstore.sign(&manifest(), WORKFLOW, FORGE);
    let [_, Attached::Bundle { json: keyed }] = signed("p256", &manifest()) else {
        panic!("a bundle")
    };
    for (json, step) in [(keyless, 13), (keyed, 1)] {
        for place in (0..json.len()).step_by(step) {
            let mut altered = json.clone();
            altered[place] ^= 1;
            // What is left good must be good for the same signer: the change was to what says nothing, as an unknown name.
            match verify(&manifest(), &[Attached::Bundle { json: altered }], &trust) {
                Ok(Signer::Key(key)) => assert_eq!(key, public("p256").fingerprint()),
                Ok(Signer::Identity { identity, issuer }) => {
                    assert_eq!((identity.as_str(), issuer.as_str()), (WORKFLOW, FORGE))
                }
                Err(_) => {}
            }
        }
        for length in (0..json.len()).step_by(step) {
            let cut = Attached::Bundle { json: json[..length].to_vec() };
            assert!(verify(&manifest(), &[cut], &trust).is_err());
        }
    }
}

#[test]
fn what_a_signer_is_called_is_shown_in_one_line() {
    let signer =
        Signer::Identity { identity: "a\u{202e}b\n`c`".to_owned(), issuer: "i".repeat(300) };
    let shown = signer.to_string();
    assert!(
        shown.starts_with("identity a\\u{202e}b\\u{a}'c', issuer iii") && shown.ends_with('…'),
        "{shown}"
    );
}

#[test]
fn denied_r16_a_root_that_is_none() {
    let sigstore = Sigstore::new();
    let good: Value = serde_json::from_slice(&sigstore.trust_root_json()).unwrap();
    let without = |name: &str| {
        let mut root = good.clone();
        root[name] = json!([]);
        root.to_string().into_bytes()
    };
    let mut damaged = good.clone();
    damaged["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] =
        "AAAA".into();
    for (json, reason) in [
        (Vec::new(), "it is not a trusted root"),
        (vec![0xff], "it is not a trusted root"),
        (b"{}".to_vec(), "it is not a trusted root"),
        (vec![b' '; (1 << 20) + 1], "it has 1048577 bytes"),
        (damaged.to_string().into_bytes(), "it is not a trusted root"),
        (without("tlogs"), "it names no transparency log"),
        (without("certificateAuthorities"), "it names no certificate authority"),
    ] {
        let error = TrustRoot::from_json(&json).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}
