//! What is pushed is what others pull, complete, and signed if its publisher has a key.

use std::collections::BTreeMap;
use std::fs;
use std::time::UNIX_EPOCH;

use rcgen::KeyPair;
use wassette_testkit::{Answer, FakeRegistry};
use wassette_toolbox::{
    KeyFile, LoadError, PushError, PushRequest, Pushed, Requested, VerifyOptions, VerifyRule,
};

use crate::{Workshop, answering};

const TEXT: &str =
    "version: \"1.0\"\npermissions:\n  network:\n    allow:\n      - host: \"a.example\"\n";

/// A workshop with a component, a policy, a page and a pair of keys.
pub(crate) struct Publisher {
    pub(crate) workshop: Workshop,
    pub(crate) registry: FakeRegistry,
}

impl Publisher {
    pub(crate) fn new() -> Self {
        let workshop = Workshop::with(|options| options.plain_http = true);
        let key = KeyPair::generate().unwrap();
        workshop
            .put("tool.wasm", &answering("tell", 42))
            .put("policy.yaml", TEXT.as_bytes())
            .put("page.md", b"# Tell\n")
            .put("key.pem", key.serialize_pem().as_bytes())
            .put("key.pub", key.public_key_pem().as_bytes());
        Self { workshop, registry: FakeRegistry::start() }
    }

    /// A push of the component alone to `tools/tell:1`.
    pub(crate) fn request(&self) -> PushRequest {
        PushRequest {
            file: self.workshop.folder.path().join("tool.wasm"),
            reference: self.registry.reference("tools/tell", "1"),
            policy: None,
            docs: None,
            annotations: BTreeMap::new(),
            created: Some(UNIX_EPOCH),
            key: None,
            plain_http: false,
        }
    }

    pub(crate) fn key(&self) -> Option<KeyFile> {
        Some(KeyFile { path: self.workshop.folder.path().join("key.pem"), password: None })
    }

    pub(crate) async fn push(&self, request: PushRequest) -> Result<Pushed, PushError> {
        self.workshop.toolbox.push(request, |_| {}).await
    }

    /// Another's workshop, where components from the registry need the publisher's signature.
    pub(crate) fn demanding(&self) -> Workshop {
        let key = self.workshop.folder.path().join("key.pub");
        let rule = VerifyRule {
            source: self.registry.host(),
            require: true,
            keys: vec![key],
            identities: Vec::new(),
        };
        Workshop::with(|options| {
            options.plain_http = true;
            options.verify = VerifyOptions { rules: vec![rule], ..VerifyOptions::default() };
        })
    }
}

#[tokio::test]
async fn what_is_pushed_is_pulled() {
    let publisher = Publisher::new();
    let folder = publisher.workshop.folder.path();
    let request = || PushRequest {
        policy: Some(folder.join("policy.yaml")),
        docs: Some(folder.join("page.md")),
        annotations: BTreeMap::from([("org.opencontainers.image.version".into(), "1".into())]),
        ..publisher.request()
    };
    let pushed = publisher.push(request()).await.unwrap();
    let registry = &publisher.registry;
    let exact = format!("oci://{}/tools/tell@{}", registry.host(), pushed.digest);
    assert_eq!((pushed.reference.as_str(), &pushed.signer), (exact.as_str(), &None));
    assert_eq!(registry.tags("tools/tell"), ["1"]);
    let sent = registry.count("PUT", "/blobs/");
    assert_eq!(sent, 4);
    // The same files at the same time are the same, and are not sent again.
    assert_eq!(publisher.push(request()).await.unwrap(), pushed);
    assert_eq!(registry.count("PUT", "/blobs/"), sent);

    let other = Workshop::with(|options| options.plain_http = true);
    let loaded = other.load(&registry.reference("tools/tell", "1")).await.unwrap();
    assert_eq!(loaded.component.digest, pushed.component.to_string());
    assert!(matches!(loaded.component.requested(), Some(Requested::Policy(..))));
    assert!(other.toolbox.permissions("tell").await.unwrap().policy.is_empty());
    other.load(&pushed.reference).await.unwrap();
}

#[tokio::test]
async fn what_is_signed_passes_a_rule_that_demands_it() {
    let publisher = Publisher::new();
    let request = || PushRequest { key: publisher.key(), ..publisher.request() };
    let unsigned = publisher.push(publisher.request()).await.unwrap();
    let place = publisher.registry.reference("tools/tell", "1");
    let error = publisher.demanding().load(&place).await.unwrap_err();
    assert!(matches!(error, LoadError::Unsigned { .. }), "{error}");

    let pushed = publisher.push(request()).await.unwrap();
    assert_eq!(pushed.digest, unsigned.digest);
    let loaded = publisher.demanding().load(&place).await.unwrap();
    assert_eq!(loaded.signer, pushed.signer);
    assert!(loaded.signer.unwrap().starts_with("key sha256:"));
    // A key signs once, in each layout.
    let signatures = format!("{}.sig", pushed.digest.to_string().replace(':', "-"));
    let before = publisher.registry.manifest("tools/tell", &signatures).unwrap();
    let count = publisher.registry.count("PUT", "/manifests/");
    publisher.push(request()).await.unwrap();
    assert_eq!(publisher.registry.manifest("tools/tell", &signatures).unwrap(), before);
    // The manifest by its digest, and by its tag.
    assert_eq!(publisher.registry.count("PUT", "/manifests/"), count + 2);
}

#[tokio::test]
async fn either_layout_of_a_signature_is_enough() {
    // Without the API, what refers to a manifest is listed under a tag.
    for (lost, api) in [("/referrers/", true), (".sig", true), (".sig", false)] {
        let publisher = Publisher::new();
        publisher.registry.set_referrers(api);
        let request = PushRequest { key: publisher.key(), ..publisher.request() };
        publisher.push(request).await.unwrap();
        publisher.registry.fault(move |seen| {
            (seen.method == "GET" && seen.target.contains(lost)).then(|| Answer::status(404))
        });
        let place = publisher.registry.reference("tools/tell", "1");
        let loaded = publisher.demanding().load(&place).await.unwrap();
        assert!(loaded.signer.is_some(), "{lost} {api}");
    }
}

#[tokio::test]
async fn denied_publishing_what_is_no_component_or_asks_for_what_no_policy_can_say() {
    let publisher = Publisher::new();
    let folder = publisher.workshop.folder.path().to_owned();
    let module = wat::parse_str("(module)").unwrap();
    publisher.workshop.put("module.wasm", &module).put("bad.yaml", b"permissions: { all: yes }\n");
    let file = folder.join("module.wasm");
    let error = publisher.push(PushRequest { file, ..publisher.request() }).await.unwrap_err();
    assert!(matches!(error, PushError::Load(LoadError::Compile { .. })), "{error}");
    let policy = Some(folder.join("bad.yaml"));
    let error = publisher.push(PushRequest { policy, ..publisher.request() }).await.unwrap_err();
    assert!(matches!(error, PushError::Policy { .. }), "{error}");
    let reference = "file:///a.wasm".to_owned();
    let error = publisher.push(PushRequest { reference, ..publisher.request() }).await.unwrap_err();
    assert!(matches!(error, PushError::NoRegistry { .. }), "{error}");
    let path = folder.join("key.pub");
    let key = Some(KeyFile { path, password: None });
    let error = publisher.push(PushRequest { key, ..publisher.request() }).await.unwrap_err();
    assert!(matches!(error, PushError::Key { .. }), "{error}");
    assert!(publisher.registry.seen().is_empty());
}

#[tokio::test]
async fn a_tag_moves_when_all_else_is_there() {
    let publisher = Publisher::new();
    publisher.push(publisher.request()).await.unwrap();
    let before = publisher.registry.manifest("tools/tell", "1").unwrap();
    fs::write(publisher.workshop.folder.path().join("tool.wasm"), answering("tell", 43)).unwrap();
    publisher.registry.fault(|seen| {
        (seen.method == "PUT" && seen.target.contains(".sig")).then(|| Answer::status(403))
    });
    let request = PushRequest { key: publisher.key(), ..publisher.request() };
    let error = publisher.push(request).await.unwrap_err();
    assert!(matches!(error, PushError::Registry(_)), "{error}");
    assert_eq!(publisher.registry.manifest("tools/tell", "1").unwrap(), before);
}
