use super::*;

const P256: &str = include_str!("../../fixtures/p256.key");
const SEALED: &str = include_str!("../../fixtures/sealed.key");

#[test]
fn the_public_half_is_that_of_other_tools() {
    for (key, public) in [
        (P256, include_str!("../../fixtures/p256.pub")),
        (include_str!("../../fixtures/ed25519.key"), include_str!("../../fixtures/ed25519.pub")),
    ] {
        let key = SigningKey::from_pem(key, None).unwrap();
        assert_eq!(
            key.public_key().fingerprint(),
            PublicKey::from_pem(public).unwrap().fingerprint()
        );
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.public_key().fingerprint()));
        let signature = key.sign(b"a message").unwrap();
        assert!(key.public_key().made(&signature, b"a message"));
        assert!(!key.public_key().made(&signature, b"another"));
    }
}

#[test]
fn a_sealed_key_is_opened_by_its_password() {
    let key = SigningKey::from_pem(SEALED, Some("correct horse")).unwrap();
    assert_eq!(
        key.public_key().fingerprint(),
        SigningKey::from_pem(P256, None).unwrap().public_key().fingerprint()
    );
    SigningKey::from_pem(include_str!("../../fixtures/cosign-empty-password.key"), Some(""))
        .unwrap();
}

#[test]
fn denied_r16_a_sealed_key_without_its_password() {
    let error = SigningKey::from_pem(SEALED, Some("wrong horse")).unwrap_err();
    assert!(matches!(error, KeyError::WrongPassword), "{error:?}");
    assert!(!error.to_string().contains("wrong horse"));
    assert!(matches!(SigningKey::from_pem(SEALED, None), Err(KeyError::PasswordNeeded)));
}

#[test]
fn denied_r16_a_sealed_key_that_would_take_all_memory() {
    let block = pem::block(SEALED).unwrap();
    let sealed = String::from_utf8(block.bytes.to_vec()).unwrap();
    for (from, to) in [
        ("\"N\":16384", "\"N\":1073741824"),
        ("\"N\":16384", "\"N\":3"),
        ("\"r\":8", "\"r\":4096"),
        ("\"p\":1", "\"p\":99"),
    ] {
        let greedy = sealed.replace(from, to);
        assert_ne!(greedy, sealed);
        let error = sealed_key::open(greedy.as_bytes(), "correct horse").unwrap_err();
        assert!(matches!(error, KeyError::Unusable { .. }), "{error:?}");
    }
}

#[test]
fn what_is_no_key_says_what_it_is() {
    for (text, words) in [
        ("", "does not begin"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA", "its end is missing"),
        ("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----", "not base64"),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            "neither P-256 nor Ed25519",
        ),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PUBLIC KEY-----", "its end does not fit"),
        (include_str!("../../fixtures/p256-sec1.key"), "it holds `EC PRIVATE KEY`"),
        (include_str!("../../fixtures/p256.pub"), "it holds `PUBLIC KEY`"),
        (&format!("{P256}{P256}"), "more than one block"),
        (&"x".repeat(70_000), "too long"),
    ] {
        let error = SigningKey::from_pem(text, None).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn denied_r16_a_public_key_that_proves_nothing() {
    for (text, words) in [
        (include_str!("../../fixtures/rsa-1024.pub"), "1024 bits"),
        (P256, "it holds `PRIVATE KEY`, and not a `PUBLIC KEY`"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "cannot be used"),
    ] {
        let error = PublicKey::from_pem(text).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
