//! Components from registries: whole, under one identity for all versions, and transferred once.

use std::fs;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use wassette_store::{Digest, StoreError};
use wassette_testkit::{Answer, Layer, WASM_CONFIG, compiled};
use wassette_toolbox::{
    Approvals, Changes, Choice, LoadAllow, LoadError, LoadRequest, LoadStage, Replace, Requested,
    Status,
};

use crate::desk::{asked, done, yes};
use crate::market::{Market, REPOSITORY};
use crate::{answering, two_and_three};

#[tokio::test]
async fn a_component_is_pulled_and_known_by_its_repository() {
    let market = Market::new();
    let digest = market.put_add();
    let stages = Mutex::new(Vec::new());
    let note = |stage| stages.lock().unwrap().push(stage);
    let loaded = market.workshop.toolbox.load(market.request("1"), note).await.unwrap();
    assert_eq!((loaded.status, loaded.component.id.as_str()), (Status::Loaded, "add"));
    let source = format!("oci://{}/{REPOSITORY}", market.registry.host());
    assert_eq!(loaded.component.source, source);
    let origin = loaded.component.origin().unwrap();
    assert_eq!(origin.reference, format!("{source}:1"));
    assert_eq!(origin.manifest.unwrap().to_string(), digest);
    assert_eq!(market.workshop.call("add", two_and_three()).await.text, ["5"]);

    let stages = stages.into_inner().unwrap();
    let size = u64::try_from(compiled("add").len()).unwrap();
    let fetched = LoadStage::Fetching { received: size, total: Some(size) };
    assert_eq!(stages.first(), Some(&LoadStage::Resolving));
    assert!(stages.contains(&LoadStage::Verifying) && stages.contains(&fetched), "{stages:?}");
    assert_eq!(stages.last(), Some(&LoadStage::Installing));
}

#[tokio::test]
async fn what_the_store_has_by_its_digest_is_not_transferred() {
    let market = Market::new();
    market.put_add();
    market.load("1").await.unwrap();
    let before = market.transfers();
    assert_eq!(market.load("1").await.unwrap().status, Status::Unchanged);
    market.put("2", &compiled("add"));
    let again = market.load("2").await.unwrap();
    assert_eq!(again.status, Status::Unchanged);
    assert!(again.component.origin().unwrap().reference.ends_with(":2"));
    assert_eq!(market.transfers(), before);
}

#[tokio::test]
async fn what_comes_with_a_component_is_kept_beside_it() {
    let market = Market::new();
    let policy = "version: \"1.0\"\npermissions:\n  environment:\n    allow: [{ key: MINE }]\n";
    let layers = [
        Layer::new("text/markdown", "# Adds").annotated("org.opencontainers.image.title", "a.md"),
        Layer::wasm(&compiled("add")),
        Layer::new("application/vnd.wasm.policy.v1+yaml", policy),
        Layer::new("application/octet-stream", vec![0; (64 << 10) + 1]),
    ];
    let digest = market.registry.put_artifact(REPOSITORY, "1", &layers);
    let sbom = market.registry.put_referrer(REPOSITORY, &digest, "application/spdx+json", "{}");
    let loaded = market.load("1").await.unwrap();
    let origin = loaded.component.origin().unwrap();
    let kinds: Vec<&str> = origin.companions.iter().map(|c| c.media_type.as_str()).collect();
    let wanted =
        [WASM_CONFIG, "text/markdown", "application/vnd.wasm.policy.v1+yaml"].map(|kind| kind);
    assert_eq!(kinds[1..], wanted);
    for companion in &origin.companions {
        let blob = market.workshop.store().join("blobs/sha256").join(companion.digest.hex());
        assert_eq!(fs::read(blob).unwrap().len() as u64, companion.size);
    }
    market.workshop.toolbox.unload("add").await.unwrap();
    let inspected =
        market.workshop.toolbox.inspect(&market.reference("1"), "/".as_ref(), true).await.unwrap();
    let referrers: Vec<String> =
        inspected.referrers.iter().map(|it| it.digest.to_string()).collect();
    assert_eq!(referrers, [sbom]);
    assert!(inspected.unverified.is_some() && !inspected.loaded);
}

/// The row R17 of the battery.
#[tokio::test]
async fn denied_r17_what_a_policy_inside_an_artifact_asks_for() {
    let market = Market::new();
    let policy = "version: \"1.0\"\npermissions:\n  storage:\n    allow: [{ uri: \"fs:///**\", access: [read, write] }]\n";
    let layers =
        [Layer::new("application/vnd.wassette.policy+yaml", policy), Layer::wasm(&compiled("add"))];
    market.registry.put_artifact(REPOSITORY, "1", &layers);
    let loaded = market.load("1").await.unwrap();
    assert!(loaded.component.permissions.policy.is_empty());
    let Some(Requested::Policy(asked, _)) = loaded.component.requested() else {
        panic!("it is not shown: {:?}", loaded.component.requested());
    };
    assert!(asked.to_yaml().contains("fs:///"), "{}", asked.to_yaml());
    assert!(!market.workshop.policy_file("add").exists());
}

/// The row L14 of the battery.
#[tokio::test]
async fn denied_l14_the_id_of_a_component_from_elsewhere() {
    let market = Market::new();
    market.put_add();
    market.workshop.wat("add").await;
    market.workshop.grant("add", "environment: { allow: [{ key: MINE }] }").await;
    market.refuses(market.request("1"), &["add", "file:///"]).await;
    let request = LoadRequest { replace: Replace::Allow, ..market.request("1") };
    let loaded = market.workshop.toolbox.load(request, |_| {}).await.unwrap();
    assert!(loaded.component.permissions.policy.is_empty());
    // Under another name both are there.
    market.put("2", &answering("other", 1));
    let mut request = market.workshop.request("add.wasm");
    request.id = Some("mine".parse().unwrap());
    let loaded = market.workshop.toolbox.load(request, |_| {}).await.unwrap();
    assert_eq!(loaded.component.id, "mine");
}

/// A component with one function `name` whose result has the type `kind`.
fn giving(name: &str, kind: &str) -> Vec<u8> {
    wat::parse_str(format!(
        "(component (core module $m (func (export \"f\") (result i32) (i32.const 1)))
           (core instance $i (instantiate $m))
           (func (export \"{name}\") (result {kind}) (canon lift (core func $i \"f\"))))"
    ))
    .unwrap()
}

/// The row L15 of the battery.
#[tokio::test]
async fn denied_l15_tools_that_change_in_a_new_version_until_they_are_accepted() {
    let market = Market::new();
    market.put("1", &giving("answer", "u32"));
    market.load("1").await.unwrap();
    market.workshop.grant("add", "environment: { allow: [{ key: MINE }] }").await;
    let old = market.workshop.toolbox.catalog().await.components()[0].digest.clone();
    market.put("1", &giving("answer", "bool"));
    let waiting = market.load("1").await.unwrap();
    assert_eq!((waiting.status, &waiting.component.digest), (Status::Quarantined, &old));
    assert!(waiting.difference.unwrap().touches_known_tools());
    assert!(waiting.component.waiting.is_some());
    assert_eq!(market.workshop.call("answer", json!({})).await.text, ["1"]);
    // Nor does the same once more put it in force.
    assert_eq!(market.load("1").await.unwrap().status, Status::Quarantined);

    let request = LoadRequest { changes: Changes::Accept, ..market.request("1") };
    let accepted = market.workshop.toolbox.load(request, |_| {}).await.unwrap();
    assert_eq!(accepted.status, Status::Reloaded);
    assert!(accepted.component.waiting.is_none());
    assert_eq!(market.workshop.call("answer", json!({})).await.text, ["true"]);
    // It is the same component, and keeps what was granted to it.
    assert!(!accepted.component.permissions.policy.is_empty());
}

#[tokio::test]
async fn a_new_version_with_the_same_tools_takes_its_place_at_once() {
    let market = Market::new();
    market.put("1", &answering("answer", 1));
    market.load("1").await.unwrap();
    market.put("2", &answering("answer", 2));
    let loaded = market.load("2").await.unwrap();
    assert_eq!(loaded.status, Status::Reloaded);
    assert!(!loaded.difference.unwrap().touches_known_tools());
    assert_eq!(market.workshop.call("answer", json!({})).await.text, ["2"]);
}

/// The row L16 of the battery.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn denied_l16_more_than_one_transfer_to_many_loads_at_once() {
    let market = Market::new();
    market.put_add();
    let mut loads = JoinSet::new();
    for _ in 0..50 {
        let (toolbox, request) = (market.workshop.toolbox.clone(), market.request("1"));
        loads.spawn(async move { toolbox.load(request, |_| {}).await.unwrap().status });
    }
    let statuses = loads.join_all().await;
    let count = |wanted: Status| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(Status::Loaded), count(Status::Unchanged)), (1, 49));
    let wasm = Digest::of(&compiled("add")).to_string();
    assert_eq!(market.registry.count("GET", &format!("/blobs/{wasm}")), 1);
    let blobs = fs::read_dir(market.workshop.store().join("blobs/sha256")).unwrap().count();
    let origin = market.workshop.toolbox.catalog().await.components()[0].origin().cloned();
    assert_eq!(blobs, 1 + origin.unwrap().companions.len());
}

#[tokio::test]
async fn a_digest_is_that_of_the_component_or_of_its_manifest() {
    let market = Market::new();
    let manifest = market.put_add();
    let wasm = Digest::of(&compiled("add"));
    let request = |digest: Digest| LoadRequest { digest: Some(digest), ..market.request("1") };
    let toolbox = &market.workshop.toolbox;
    toolbox.load(request(wasm), |_| {}).await.unwrap();
    toolbox.load(request(manifest.parse().unwrap()), |_| {}).await.unwrap();
    let pinned = format!("{}@{manifest}", market.reference("1"));
    market.workshop.load(&pinned).await.unwrap();
}

/// The row R08 of the battery, as far as it is about digests that a person wrote down.
#[tokio::test]
async fn denied_r08_anything_but_the_digest_that_was_written_down() {
    let market = Market::new();
    let manifest = market.put_add();
    let other = Digest::of(b"other");
    let request = LoadRequest { digest: Some(other), ..market.request("1") };
    market.refuses(request, &[&other.to_string(), &manifest]).await;
    assert_eq!(market.transfers(), 0);
    let pinned = format!("{}@{other}", market.reference("1"));
    market
        .refuses(market.workshop.request(&pinned), &["knows nothing of", &other.to_string()])
        .await;
}

/// The row R09 of the battery.
#[tokio::test]
async fn denied_r09_a_tag_that_moved_since_it_was_locked() {
    let market = Market::new();
    let old = market.put("1", &answering("answer", 1));
    market.load("1").await.unwrap();
    let lock = Arc::new(market.workshop.toolbox.lockfile().await.unwrap());
    let locked = || LoadRequest { lock: Some(lock.clone()), ..market.request("1") };
    let loaded = market.workshop.toolbox.load(locked(), |_| {}).await.unwrap();
    assert_eq!(loaded.status, Status::Unchanged);
    let before = market.transfers();
    let new = market.put("1", &answering("answer", 2));
    market.refuses(locked(), &[&old, &new]).await;
    assert_eq!(market.transfers(), before);
    let other = LoadRequest { id: Some("other".parse().unwrap()), ..locked() };
    market.refuses(other, &["does not list `other`"]).await;
}

#[tokio::test]
async fn denied_a_configuration_of_another_component() {
    let market = Market::new();
    let config = json!({ "layerDigests": ["sha256:other"] }).to_string();
    let config = Layer::new(WASM_CONFIG, config);
    let manifest =
        market.registry.manifest_of(REPOSITORY, &config, &[Layer::wasm(&compiled("add"))]);
    let kind = wassette_testkit::IMAGE_MANIFEST;
    market.registry.put_manifest(REPOSITORY, Some("1"), kind, manifest.to_string());
    market.refuses(market.request("1"), &["about other layers"]).await;
}

#[tokio::test]
async fn a_package_is_the_image_that_its_registry_has() {
    let market = Market::with(|options, registry| {
        let config = options.store_dir.parent().unwrap().join("wkg.toml");
        let text = format!("[namespace_registries]\nacme = \"{}\"\n", registry.host());
        fs::write(&config, text).unwrap();
        options.registries.packages = Some(config);
    });
    for (tag, answer) in [("1.0.0", 1), ("1.2.0", 2), ("2.0.0-rc.1", 3)] {
        market.registry.put_component("acme/answer", tag, &answering("answer", answer));
    }
    let loaded = market.workshop.load("acme:answer").await.unwrap();
    assert_eq!(loaded.component.id, "answer");
    let source = format!("oci://{}/acme/answer", market.registry.host());
    assert_eq!(loaded.component.source, source);
    assert_eq!(loaded.component.origin().unwrap().reference, "acme:answer");
    assert_eq!(market.workshop.call("answer", json!({})).await.text, ["2"]);
    let older = market.workshop.load("acme:answer@1.0.0").await.unwrap();
    assert_eq!(older.status, Status::Reloaded);
    assert_eq!(market.workshop.call("answer", json!({})).await.text, ["1"]);
    let unknown = market.workshop.load("nobody:answer").await.unwrap_err();
    assert!(matches!(unknown, LoadError::Package(_)), "{unknown}");
    // Nobody can say where it lies: what was loaded stays.
    market.registry.fault(|_| Some(Answer::Bytes(Vec::new())));
    let gone = market.workshop.load("acme:answer@1.0.0").await.unwrap_err();
    assert!(matches!(gone, LoadError::Stays { .. }), "{gone}");
}

/// The row R18 of the battery.
#[tokio::test]
async fn denied_r18_to_a_registry_that_is_down_any_say_in_what_is_loaded() {
    let mut market = Market::new();
    market.put_add();
    market.load("1").await.unwrap();
    let (request, stored) = (market.request("1"), market.stored());
    let asked = market.registry.connections();
    // Opened anew, the store serves, and nobody is asked.
    let second = market.workshop.second();
    let answer = second.call("add", crate::object(two_and_three())).await.unwrap();
    assert_eq!(answer.text, ["5"]);
    assert_eq!(market.registry.connections(), asked);
    market.registry = wassette_testkit::FakeRegistry::start_tls(&market.certificates);
    market.refuses(request, &["what is loaded as `add` goes on as it is"]).await;
    assert_eq!(market.stored(), stored);
    assert_eq!(market.workshop.call("add", two_and_three()).await.text, ["5"]);
}

#[tokio::test]
async fn denied_to_a_model_a_word_to_a_registry_before_a_yes() {
    let market = Market::new();
    market.put_add();
    let load = async |answered| {
        market.workshop.toolbox.request_load(market.request("1"), answered, |_| {}).await.unwrap()
    };
    let inquiry = asked(load(None).await);
    assert!(inquiry.text().contains(&market.reference("1")), "{}", inquiry.text());
    let target = market.reference("1");
    market.workshop.toolbox.inspect(&target, "/".as_ref(), false).await.unwrap_err();
    assert_eq!(market.registry.connections(), 0);
    done(load(yes(&inquiry, Choice::Allow)).await);
    // A new version keeps what that one may do, and a person is told so.
    market.workshop.grant("add", "environment: { allow: [{ key: MINE }] }").await;
    market.put("2", &answering("answer", 1));
    let step = market.workshop.toolbox.request_load(market.request("2"), None, |_| {}).await;
    let text = asked(step.unwrap()).text();
    assert!(text.contains("it keeps what that one may do:") && text.contains("MINE"), "{text}");
}

#[tokio::test]
async fn a_digest_that_a_person_saw_is_what_is_loaded() {
    let market = Market::new();
    market.put("1", &giving("answer", "u32"));
    market.load("1").await.unwrap();
    let digest = market.put("1", &giving("answer", "bool"));
    let kind = wassette_testkit::IMAGE_MANIFEST;
    let size = market.registry.manifest(REPOSITORY, "1").unwrap().bytes.len();
    let index = json!({
        "schemaVersion": 2,
        "mediaType": wassette_testkit::IMAGE_INDEX,
        "manifests": [{ "mediaType": kind, "digest": digest, "size": size }],
    });
    let kind = wassette_testkit::IMAGE_INDEX;
    let index = market.registry.put_manifest(REPOSITORY, None, kind, index.to_string());
    let pinned = format!("{}@{index}", market.reference("1"));
    let load = async |answered| {
        let request = market.workshop.request(&pinned);
        market.workshop.toolbox.request_load(request, answered, |_| {}).await.unwrap()
    };
    let inquiry = asked(load(None).await);
    assert!(inquiry.text().contains(&index), "{}", inquiry.text());
    // The digest says nothing of the tools, which are others: a person sees them first.
    let waiting = done(load(yes(&inquiry, Choice::Allow)).await);
    assert_eq!(waiting.status, Status::Quarantined);
    let accepted = market.workshop.toolbox.accept_update("add", digest.parse().ok()).await.unwrap();
    let origin = accepted.component.origin().unwrap();
    assert_eq!(origin.manifest.unwrap().to_string(), digest);
}

#[tokio::test]
async fn what_the_operator_lists_is_pulled_unasked_and_changed_tools_still_wait() {
    let market = Market::with(|options, registry| {
        let listed = format!("oci://{}/acme/tools/**", registry.host());
        options.approval.load_allow = LoadAllow::read(&[listed]).unwrap();
        options.approval.approvals = Approvals::Deny;
    });
    market.put("1", &giving("answer", "u32"));
    market.registry.put_component("acme/other", "1", &answering("answer", 1));
    let toolbox = &market.workshop.toolbox;
    let other = market.workshop.request(&market.registry.reference("acme/other", "1"));
    toolbox.request_load(other, None, |_| {}).await.unwrap_err();
    assert_eq!(market.registry.connections(), 0);
    done(toolbox.request_load(market.request("1"), None, |_| {}).await.unwrap());
    market.put("1", &giving("answer", "bool"));
    let changed = LoadRequest { changes: Changes::Accept, ..market.request("1") };
    let waiting = done(toolbox.request_load(changed, None, |_| {}).await.unwrap());
    assert_eq!(waiting.status, Status::Quarantined);
}

#[tokio::test]
async fn denied_to_a_model_a_registry_of_this_machine_where_nobody_is_asked() {
    let market = Market::with(|options, _| options.approval.approvals = Approvals::Allow);
    market.put_add();
    let request = market.request("1");
    let refused = market.workshop.toolbox.request_load(request, None, |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("loopback"), "{refused}");
    assert_eq!(market.registry.connections(), 0);
}

#[tokio::test]
async fn denied_a_file_without_tls_unless_somebody_said_so() {
    let registry = wassette_testkit::FakeRegistry::start();
    registry.put_component(REPOSITORY, "1", &compiled("add"));
    registry.put_page("/add.wasm", "application/wasm", compiled("add"));
    let workshop = crate::Workshop::with(|options| options.registries.settings.attempts = 1);
    let (image, page) = (registry.reference(REPOSITORY, "1"), registry.url("/add.wasm"));
    workshop.load(&image).await.unwrap_err();
    let refused = workshop.load(&page).await.unwrap_err();
    assert!(matches!(refused, LoadError::PlainHttp { .. }), "{refused}");
    assert_eq!(registry.seen().len(), 0);
    for reference in [&image, &page] {
        let request = LoadRequest {
            plain_http: true,
            replace: Replace::Allow,
            ..workshop.request(reference)
        };
        workshop.toolbox.load(request, |_| {}).await.unwrap();
    }
    // To another machine nothing helps.
    let request =
        LoadRequest { plain_http: true, ..workshop.request("oci://registry.example/other:1") };
    let refused = workshop.toolbox.load(request, |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("without TLS"), "{refused}");
}

#[tokio::test]
async fn views_tell_where_a_component_came_from() {
    let market = Market::new();
    let manifest = market.put("1", &giving("answer", "u32"));
    market.load("1").await.unwrap();
    market.put("1", &giving("answer", "bool"));
    let waiting = market.load("1").await.unwrap();
    let view = serde_json::to_value(wassette_toolbox::LoadedView::from(&waiting)).unwrap();
    assert_eq!(view["status"], "new version waits to be accepted");
    assert!(view["hint"].as_str().unwrap().contains("wassette component accept add"));
    let catalog = market.workshop.toolbox.catalog().await;
    let view: Value =
        serde_json::to_value(wassette_toolbox::ComponentsView::from(&*catalog)).unwrap();
    let shown = &view["components"][0];
    assert_eq!(shown["origin"]["manifest"], manifest.as_str());
    assert_eq!(shown["origin"]["reference"], market.reference("1").as_str());
    assert!(shown["waiting"]["summary"].as_str().unwrap().contains("1 tool changed"), "{shown}");
}

#[tokio::test]
async fn an_id_that_another_source_has_is_refused_before_anything_is_transferred() {
    let market = Market::new();
    market.put_add();
    market.workshop.wat("add").await;
    let error = market.load("1").await.unwrap_err();
    assert!(matches!(error, LoadError::Store(StoreError::OtherSource { .. })), "{error}");
    assert_eq!(market.transfers(), 0);
}
