//! Whose signature a component needs, and what becomes of one that has none. The row R16 of the
//! battery, end to end; the signatures themselves are tried where they are verified.

use std::fs;
use std::path::PathBuf;

use rcgen::KeyPair;
use wassette_signature::{Attached, SigningKey, sign_bundle, sign_simple};
use wassette_store::Digest;
use wassette_testkit::{Answer, FakeRegistry, IMAGE_MANIFEST, Sigstore, compiled};
use wassette_toolbox::{
    Identity, LoadError, LoadRequest, OpenError, Options, Status, Toolbox, Unmatched,
    VerifyOptions, VerifyRule,
};

use crate::market::{Market, REPOSITORY};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

pub(crate) struct Key {
    pub(crate) signing: SigningKey,
    pub(crate) public: String,
}

pub(crate) fn key() -> Key {
    let pair = KeyPair::generate().unwrap();
    let signing = SigningKey::from_pem(&pair.serialize_pem(), None).unwrap();
    Key { signing, public: pair.public_key_pem() }
}

fn write(options: &Options, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = options.store_dir.parent().unwrap().join(name);
    fs::write(&path, text).unwrap();
    path
}

/// The rule that components from the namespace `acme` of the registry are signed with `key`.
fn rule(options: &Options, registry: &FakeRegistry, key: &Key, require: bool) -> VerifyRule {
    VerifyRule {
        source: format!("{}/acme", registry.host()),
        require,
        keys: vec![write(options, "acme.pub", &key.public)],
        identities: Vec::new(),
    }
}

/// A market in which components need a signature with `key`.
fn strict(key: &Key) -> Market {
    Market::with(|options, registry| {
        options.verify.rules = vec![rule(options, registry, key, true)];
    })
}

impl Market {
    /// Puts a signature of `signed` where those of the manifest `digest` are.
    fn sign(&self, key: &Key, digest: &str, signed: &str) {
        let signed: Digest = signed.parse().unwrap();
        let attached = sign_simple(&key.signing, signed.as_bytes(), &self.reference("1")).unwrap();
        let Attached::Simple { payload, signature } = attached else { panic!("a simple one") };
        self.registry.put_signatures(REPOSITORY, digest, &[(&payload, &signature)]);
    }

    fn attach(&self, key: &Key, digest: &str) {
        let signed: Digest = digest.parse().unwrap();
        let Attached::Bundle { json } = sign_bundle(&key.signing, signed.as_bytes()).unwrap()
        else {
            panic!("a bundle")
        };
        self.registry.put_referrer(REPOSITORY, digest, BUNDLE, json);
    }
}

#[tokio::test]
async fn a_good_signature_passes_in_both_layouts_and_is_kept() {
    for (tagged, offers) in [(true, true), (false, true), (false, false)] {
        let key = key();
        let market = strict(&key);
        market.registry.set_referrers(offers);
        let digest = market.put_add();
        if tagged {
            market.sign(&key, &digest, &digest)
        } else {
            market.attach(&key, &digest)
        }
        let loaded = market.load("1").await.unwrap();
        assert_eq!((loaded.status, &loaded.unverified), (Status::Loaded, &None));
        let signer = loaded.signer.unwrap();
        assert!(signer.starts_with("key sha256:"), "{signer}");
        let origin = loaded.component.origin().unwrap();
        assert_eq!(origin.signer.as_ref(), Some(&signer));
        let roles = format!("{:?}", origin.companions);
        assert!(roles.contains("Signature {") && roles.contains("SignaturePart"), "{roles}");
        // All of it is there the next time.
        let before = market.transfers();
        assert_eq!(market.load("1").await.unwrap().status, Status::Unchanged);
        assert_eq!(market.transfers(), before);
    }
}

#[tokio::test]
async fn denied_r16_what_nobody_signed_whose_signature_counts() {
    let (key, other) = (key(), key());
    let market = strict(&key);
    let digest = market.put_add();
    market.refuses(market.request("1"), &["refused to load", "it is not signed"]).await;
    market.sign(&other, &digest, &digest);
    market.refuses(market.request("1"), &["no key that is trusted signed it"]).await;
    let another = Digest::of(b"other").to_string();
    market.sign(&key, &digest, &another);
    market.refuses(market.request("1"), &["the signature is good", &another]).await;
    // One good one among others is enough.
    market.attach(&key, &digest);
    assert!(market.load("1").await.unwrap().signer.is_some());
    // Nothing was transferred before that.
    let wasm = Digest::of(&compiled("add")).to_string();
    assert_eq!(market.registry.count("GET", &format!("/blobs/{wasm}")), 1);
}

#[tokio::test]
async fn denied_r16_a_payload_that_was_changed_after_it_was_signed() {
    let key = key();
    let market = strict(&key);
    let digest = market.put_add();
    let signed: Digest = digest.parse().unwrap();
    let attached = sign_simple(&key.signing, signed.as_bytes(), "a name").unwrap();
    let Attached::Simple { mut payload, signature } = attached else { panic!("a simple one") };
    payload.push(b' ');
    market.registry.put_signatures(REPOSITORY, &digest, &[(&payload, &signature)]);
    market.refuses(market.request("1"), &["refused to load"]).await;
}

#[tokio::test]
async fn denied_r16_a_bill_of_materials_in_the_place_of_a_signature() {
    let key = key();
    let market = strict(&key);
    let digest = market.put_add();
    market.registry.put_referrer(REPOSITORY, &digest, "application/spdx+json", "{}");
    market.refuses(market.request("1"), &["it is not signed"]).await;
}

#[tokio::test]
async fn denied_a_component_whose_signatures_cannot_be_read() {
    let key = key();
    let market = strict(&key);
    let digest = market.put_add();
    market.attach(&key, &digest);
    for part in ["/referrers/", ".sig"] {
        market.registry.fail(part, usize::MAX, Answer::status(500));
        market.refuses(market.request("1"), &["its signatures cannot be read"]).await;
    }
    market.registry.heal();
    market.load("1").await.unwrap();
}

#[tokio::test]
async fn a_rule_that_warns_says_so_and_loads() {
    let key = key();
    let market = Market::with(|options, registry| {
        options.verify.rules = vec![rule(options, registry, &key, false)];
    });
    let digest = market.put_add();
    let loaded = market.load("1").await.unwrap();
    let unverified = loaded.unverified.unwrap();
    assert!(unverified.contains("is not verified: it is not signed"), "{unverified}");
    market.sign(&key, &digest, &digest);
    let signed = market.load("1").await.unwrap();
    assert_eq!((signed.status, &signed.unverified), (Status::Unchanged, &None));
    assert!(signed.component.origin().unwrap().signer.is_some());
}

#[tokio::test]
async fn what_no_rule_is_about_follows_the_default() {
    for (unmatched, is_loaded, is_told) in [
        (Unmatched::Allow, true, false),
        (Unmatched::Warn, true, true),
        (Unmatched::Require, false, false),
    ] {
        let market = Market::with(|options, _| options.verify.unmatched = unmatched);
        market.put_add();
        if !is_loaded {
            market.refuses(market.request("1"), &["no rule says whose signature"]).await;
            // Files are the operator's own.
            market.workshop.wat("add").await;
            continue;
        }
        assert_eq!(market.load("1").await.unwrap().unverified.is_some(), is_told);
    }
}

#[tokio::test]
async fn denied_what_comes_by_a_url_where_a_signature_is_needed() {
    let key = key();
    let market = Market::with(|options, registry| {
        let rule = rule(options, registry, &key, true);
        options.verify.rules = vec![VerifyRule { source: registry.host(), ..rule }];
    });
    market.registry.put_page("/add.wasm", "application/wasm", compiled("add"));
    let request = market.workshop.request(&market.registry.url("/add.wasm"));
    market.refuses(request, &["needs a signature"]).await;
    assert_eq!(market.registry.connections(), 0);
}

#[tokio::test]
async fn an_identity_signs_where_its_issuer_is_trusted() {
    let sigstore = Sigstore::new();
    let (me, issuer) = ("me@example.com", "https://accounts.example.com");
    let identity =
        |identity: &str| Identity { identity: identity.to_owned(), issuer: issuer.to_owned() };
    let market = |trusted: &str| {
        Market::with(|options, registry| {
            options.verify = VerifyOptions {
                rules: vec![VerifyRule {
                    source: registry.host(),
                    require: true,
                    keys: Vec::new(),
                    identities: vec![identity(trusted)],
                }],
                unmatched: Unmatched::Require,
                trust_root: Some(write(options, "root.json", sigstore.trust_root_json())),
            };
        })
    };
    for (trusted, is_loaded) in [(me, true), ("you@example.com", false)] {
        let market = market(trusted);
        let digest = market.put_add();
        let manifest: Digest = digest.parse().unwrap();
        let bundle = sigstore.sign(manifest.as_bytes(), me, issuer);
        market.registry.put_referrer(REPOSITORY, &digest, BUNDLE, bundle);
        if is_loaded {
            let signer = market.load("1").await.unwrap().signer.unwrap();
            assert!(signer.contains(me) && signer.contains(issuer), "{signer}");
        } else {
            market.refuses(market.request("1"), &[me, "not trusted"]).await;
        }
    }
}

#[tokio::test]
async fn denied_a_weaker_rule_with_a_request_than_the_configuration_has() {
    let (key, other) = (key(), key());
    let market = strict(&key);
    let digest = market.put_add();
    market.sign(&other, &digest, &digest);
    let path = market.workshop.folder.path().join("other.pub");
    fs::write(&path, &other.public).unwrap();
    let rule = VerifyRule {
        source: market.registry.host(),
        require: true,
        keys: vec![path],
        identities: Vec::new(),
    };
    let request =
        |rule: &VerifyRule| LoadRequest { verify: Some(rule.clone()), ..market.request("1") };
    market.refuses(request(&rule), &["no key that is trusted"]).await;
    // A stricter one holds as well.
    market.sign(&key, &digest, &digest);
    market.refuses(request(&rule), &["no key that is trusted"]).await;
    market.attach(&other, &digest);
    market.workshop.toolbox.load(request(&rule), |_| {}).await.unwrap();
}

/// Whoever says whose signature counts need not hear that nobody does.
#[tokio::test]
async fn a_rule_with_a_request_is_enough_where_the_configuration_has_none() {
    let key = key();
    let market = Market::with(|_, _| {});
    let digest = market.put_add();
    market.sign(&key, &digest, &digest);
    let path = market.workshop.folder.path().join("acme.pub");
    fs::write(&path, &key.public).unwrap();
    let source = market.registry.host();
    let rule = VerifyRule { source, require: true, keys: vec![path], identities: Vec::new() };
    let request = LoadRequest { verify: Some(rule), ..market.request("1") };
    let loaded = market.workshop.toolbox.load(request, |_| {}).await.unwrap();
    assert!(loaded.signer.is_some());
    assert_eq!(loaded.unverified, None);
    // Without it nothing is known.
    assert!(market.load("1").await.unwrap().unverified.is_some());
}

#[tokio::test]
async fn denied_a_file_to_a_request_that_demands_a_signature() {
    let key = key();
    let market = strict(&key);
    market.workshop.put("add.wasm", &compiled("add"));
    let path = market.workshop.folder.path().join("acme.pub");
    let rule = VerifyRule {
        source: market.registry.host(),
        require: true,
        keys: vec![path],
        identities: Vec::new(),
    };
    let request = LoadRequest { verify: Some(rule), ..market.workshop.request("add.wasm") };
    market.refuses(request, &["needs a signature"]).await;
    market.workshop.load("add.wasm").await.unwrap();
}

#[tokio::test]
async fn denied_a_key_that_cannot_be_read_before_anything_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let compiler = wassette_sandbox::Compiler::InProcess;
    let mut options = Options::new(folder.path().join("store"), compiler);
    let path = write(&options, "broken.pub", "no key");
    options.verify.rules = vec![VerifyRule {
        source: "registry.example".to_owned(),
        require: true,
        keys: vec![path],
        identities: Vec::new(),
    }];
    let Err(OpenError::Verify(error)) = Toolbox::open(options) else { panic!("it opened") };
    assert!(error.to_string().contains("broken.pub"), "{error}");
}

#[tokio::test]
async fn many_signatures_are_bounded_and_one_that_cannot_be_read_spoils_none() {
    let key = key();
    let market = strict(&key);
    let digest = market.put_add();
    let tag = format!("{}.sig", digest.replace(':', "-"));
    market.registry.put_manifest(REPOSITORY, Some(&tag), IMAGE_MANIFEST, "[]");
    market.registry.put_referrer(REPOSITORY, &digest, BUNDLE, vec![b' '; (1 << 20) + 1]);
    market.attach(&key, &digest);
    market.load("1").await.unwrap();
    let flooded = market.put("2", &crate::answering("answer", 1));
    for number in 0..20 {
        market.registry.put_referrer(REPOSITORY, &flooded, BUNDLE, format!("[{number}]"));
    }
    let before = market.registry.seen().len();
    let error = market.load("2").await.unwrap_err();
    assert!(matches!(error, LoadError::Unsigned { .. }), "{error}");
    assert!(market.registry.seen().len() - before < 64);
}

#[tokio::test]
async fn denied_to_serve_what_nobody_signed_whose_signature_is_demanded_by_now() {
    let key = key();
    let market = Market::new();
    let digest = market.put_add();
    market.load("1").await.unwrap();
    market.workshop.toolbox.close();

    let folder = market.workshop.folder.path();
    let strict = crate::open(folder, |options| {
        options.egress.ca_bundle = Some(folder.join("ca.pem"));
        options.verify.rules = vec![rule(options, &market.registry, &key, true)];
    });
    let catalog = strict.catalog().await;
    assert!(catalog.components().is_empty() && catalog.tools().is_empty());
    let [problem] = catalog.problems() else { panic!("{:?}", catalog.problems()) };
    assert!(problem.message.contains("no signature"), "{}", problem.message);
    let called = strict.call("add", crate::object(crate::two_and_three())).await;
    assert!(called.is_err(), "it was called");

    // Once its signature is found, it serves.
    market.sign(&key, &digest, &digest);
    strict.load(market.request("1"), |_| {}).await.unwrap();
    let catalog = strict.catalog().await;
    assert_eq!((catalog.components().len(), catalog.problems().len()), (1, 0));
}
