//! Provisioning by a manifest: all that it says holds, or the component is not served.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use wassette_testkit::{Answer, FakeRegistry, compiled, digest_of};
use wassette_toolbox::{
    LoadError, Manifest, ProvisionStatus, Provisioned, Provisioning, Toolbox, UpdateError,
};

use crate::signed_loads::key;
use crate::updates::sign;
use crate::{Workshop, answering, documented, open, policy};

/// A registry with the component `tools/x`, and a workshop with `add.wasm` in its folder.
struct Stall {
    registry: FakeRegistry,
    workshop: Workshop,
}

impl Stall {
    fn new() -> Self {
        let registry = FakeRegistry::start();
        let workshop = Workshop::with(crate::plain);
        workshop.put("add.wasm", &compiled("add"));
        let stall = Self { registry, workshop };
        stall.push("Says one.", 1);
        stall
    }

    fn push(&self, docs: &str, answer: u32) -> String {
        self.registry.put_component("tools/x", "1", &documented("answer", docs, answer))
    }

    fn file(&self) -> PathBuf {
        self.workshop.folder.path().join("tools.yaml")
    }

    /// The manifest whose components are `text`, in which `X` stands for the registry's component.
    fn manifest(&self, text: &str) -> Manifest {
        let text = text.replace('X', &self.registry.reference("tools/x", "1"));
        fs::write(self.file(), format!("version: 1\ncomponents:\n{text}\n")).unwrap();
        Manifest::read(&self.file()).unwrap()
    }

    async fn provision(&self, text: &str) -> Provisioning {
        provision(&self.workshop.toolbox, &self.manifest(text)).await
    }

    /// A server that is started anew over the same store.
    fn restarted(&self) -> Toolbox {
        open(self.workshop.folder.path(), crate::plain)
    }

    /// From now on it does not answer.
    fn close(&self) {
        self.registry
            .fault(|_| Some(Answer::Page { status: 503, headers: Vec::new(), body: Vec::new() }));
    }
}

async fn provision(toolbox: &Toolbox, manifest: &Manifest) -> Provisioning {
    toolbox.provision(manifest, |_, _| {}).await
}

fn statuses(provisioning: &Provisioning) -> Vec<ProvisionStatus> {
    provisioning.components.iter().map(|component| component.status).collect()
}

/// The one component that failed.
fn failure(provisioning: &Provisioning) -> &Provisioned {
    let failed: Vec<&Provisioned> = provisioning.failed().collect();
    let [failed] = &failed[..] else { panic!("{provisioning:?}") };
    failed
}

/// Why the one that failed did.
fn reason(provisioning: &Provisioning) -> String {
    failure(provisioning).reason.clone().unwrap()
}

#[tokio::test]
async fn what_a_manifest_lists_is_loaded_and_granted() {
    let stall = Stall::new();
    stall.workshop.wat("strings").await;
    let text = "- uri: X
  name: one
  permissions: { network: { allow: [{ host: example.com }] } }
- uri: ./add.wasm
  permissions: {}";
    let provisioning = stall.provision(text).await;
    assert_eq!(statuses(&provisioning), [ProvisionStatus::Loaded; 2], "{provisioning:?}");
    assert_eq!(provisioning.extras, ["strings"]);
    assert_eq!(stall.workshop.names().await, ["add", "answer", "echo", "greet"]);
    let view = stall.workshop.toolbox.permissions("one").await.unwrap();
    assert_eq!(*view.policy, policy("network: { allow: [{ host: example.com }] }"));
    // What somebody granted beside the manifest does not outlive the next start.
    stall.workshop.grant("add", "network: { allow: [{ host: evil.example }] }").await;
    let again = stall.provision(text).await;
    assert_eq!(statuses(&again), [ProvisionStatus::Present; 2], "{again:?}");
    assert!(stall.workshop.toolbox.permissions("add").await.unwrap().policy.is_empty());
}

#[tokio::test]
async fn a_permission_beyond_the_ceiling_is_told() {
    let workshop = Workshop::with(|options| {
        options.ceiling = Some(Arc::new(policy("network: { allow: [{ host: a.example }] }")));
    });
    workshop.put("add.wasm", &compiled("add"));
    let text = "version: 1\ncomponents:\n- uri: ./add.wasm\n  permissions:\n    network:\n      allow: [{ host: b.example }]\n";
    let manifest = Manifest::parse(text.as_bytes(), workshop.folder.path()).unwrap();
    let provisioning = provision(&workshop.toolbox, &manifest).await;
    let [component] = &provisioning.components[..] else { panic!("{provisioning:?}") };
    assert_eq!(component.status, ProvisionStatus::Loaded);
    assert!(component.notes.concat().contains("b.example"), "{:?}", component.notes);
}

#[tokio::test]
async fn names_follow_the_order_of_the_file() {
    let workshop = Workshop::new();
    let mut text = "version: 1\ncomponents:\n".to_owned();
    for number in 0..9 {
        let file = format!("c{number}.wasm");
        workshop.put(&file, &answering("answer", number));
        text.push_str(&format!("- uri: ./{file}\n"));
    }
    let manifest = Manifest::parse(text.as_bytes(), workshop.folder.path()).unwrap();
    let provisioning = provision(&workshop.toolbox, &manifest).await;
    assert_eq!(statuses(&provisioning), [ProvisionStatus::Loaded; 9]);
    assert_eq!(workshop.call("answer", json!({})).await.text, ["0"]);
    assert_eq!(workshop.call("c8_answer", json!({})).await.text, ["8"]);
}

#[tokio::test]
async fn what_is_there_under_its_digest_is_not_asked_for() {
    let stall = Stall::new();
    let manifest = stall.push("Says one.", 1);
    for digest in [manifest, digest_of(&documented("answer", "Says one.", 1))] {
        let text = format!("- uri: X\n  name: x\n  digest: {digest}");
        let first = stall.provision(&text).await;
        assert!(first.failed().next().is_none(), "{first:?}");
        let before = stall.registry.connections();
        let second = provision(&stall.restarted(), &stall.manifest(&text)).await;
        assert_eq!(statuses(&second), [ProvisionStatus::Present], "{second:?}");
        assert_eq!(stall.registry.connections(), before);
    }
}

#[tokio::test]
async fn r18_what_cannot_be_reached_serves_on_with_a_warning() {
    let stall = Stall::new();
    stall.provision("- uri: X").await;
    stall.close();
    let provisioning = provision(&stall.restarted(), &stall.manifest("- uri: X")).await;
    assert_eq!(statuses(&provisioning), [ProvisionStatus::Kept], "{provisioning:?}");
    let reason = provisioning.components[0].reason.as_ref().unwrap();
    assert!(reason.contains("503"), "{reason}");
    // What was never there cannot.
    let text = "- uri: X\n- { uri: \"X0\", name: y }";
    let provisioning = provision(&stall.workshop.toolbox, &stall.manifest(text)).await;
    assert_eq!(failure(&provisioning).id, "y");
}

#[tokio::test]
async fn denied_by_a_manifest_what_has_another_digest() {
    let stall = Stall::new();
    stall.provision("- uri: X\n- uri: ./add.wasm").await;
    assert_eq!(stall.workshop.names().await, ["add", "answer"]);
    let wanted = digest_of(b"another");
    let text = format!("- uri: X\n  digest: {wanted}\n- uri: ./add.wasm");
    let server = stall.restarted();
    let provisioning = provision(&server, &stall.manifest(&text)).await;
    assert_eq!(failure(&provisioning).id, "x");
    assert!(reason(&provisioning).contains(&wanted), "{provisioning:?}");
    // What is in the store is not what the manifest wants: this server does not serve it.
    assert_eq!(crate::names(&server).await, ["add"]);
    let catalog = server.catalog().await;
    let [problem] = catalog.problems() else { panic!("{:?}", catalog.problems()) };
    assert!(problem.message.contains("not what the manifest wants"), "{}", problem.message);
    // Nobody loads it into this server behind the manifest's back.
    let request = stall.workshop.request(&stall.registry.reference("tools/x", "1"));
    let refused = server.load(request, |_| {}).await.unwrap_err();
    assert!(matches!(refused, LoadError::Update(UpdateError::Withheld { .. })), "{refused}");
    // It is there all the same, for a server that is told otherwise.
    let other = provision(&server, &stall.manifest("- uri: X")).await;
    assert_eq!(statuses(&other), [ProvisionStatus::Present]);
    assert_eq!(crate::names(&server).await, ["add", "answer"]);
}

#[tokio::test]
async fn one_that_fails_does_not_hold_back_the_others() {
    let stall = Stall::new();
    let text = "- uri: ./missing.wasm\n- uri: ./add.wasm\n- uri: ./tools.yaml\n  name: y";
    let provisioning = stall.provision(text).await;
    let failed: Vec<(&str, &str)> = provisioning
        .failed()
        .map(|failed| (failed.id.as_str(), failed.reason.as_deref().unwrap()))
        .collect();
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert!(failed[0].1.contains("no such file") && failed[1].1.contains("tools.yaml"));
    assert_eq!(stall.workshop.names().await, ["add"]);
}

#[tokio::test]
async fn denied_l15_by_a_manifest_without_a_digest_new_words_for_known_tools() {
    let stall = Stall::new();
    stall.provision("- uri: X").await;
    stall.push("Says two.", 2);
    let provisioning = stall.provision("- uri: X").await;
    assert_eq!(statuses(&provisioning), [ProvisionStatus::Waiting], "{provisioning:?}");
    assert_eq!(stall.workshop.call("answer", json!({})).await.text, ["1"]);
    // Whoever writes the digest down has accepted it.
    let digest = digest_of(&documented("answer", "Says two.", 2));
    let provisioning = stall.provision(&format!("- uri: X\n  digest: {digest}")).await;
    assert_eq!(statuses(&provisioning), [ProvisionStatus::Loaded], "{provisioning:?}");
    assert_eq!(stall.workshop.call("answer", json!({})).await.text, ["2"]);
}

#[tokio::test]
async fn denied_r09_by_the_lock_file_beside_a_manifest() {
    let stall = Stall::new();
    let text = "- uri: X\n  permissions: { network: { allow: [{ host: example.com }] } }";
    let manifest = stall.manifest(text);
    let locked = stall.workshop.toolbox.lock_manifest(&manifest, |_, _| {}).await;
    assert!(locked.failed.is_empty(), "{:?}", locked.failed);
    // Nothing is loaded by that.
    assert!(stall.workshop.names().await.is_empty());
    manifest.write_lock(&locked.lock).unwrap();
    let provisioning = stall.provision(text).await;
    assert_eq!(statuses(&provisioning), [ProvisionStatus::Loaded], "{provisioning:?}");
    assert_eq!(
        stall.workshop.toolbox.lockfile().await.unwrap(),
        locked.lock,
        "what was locked is what is loaded"
    );
    // It starts without its registry, by the lock alone.
    let before = stall.registry.connections();
    let provisioning = provision(&stall.restarted(), &stall.manifest(text)).await;
    assert_eq!(statuses(&provisioning), [ProvisionStatus::Present], "{provisioning:?}");
    assert_eq!(stall.registry.connections(), before);

    // On another machine a tag that was moved is refused.
    let new = stall.push("Says one.", 2);
    let folder = tempfile::tempdir().unwrap();
    let fresh = open(folder.path(), crate::plain);
    let provisioning = provision(&fresh, &stall.manifest(text)).await;
    let told = reason(&provisioning);
    assert!(told.contains(&new) && told.contains("locked"), "{told}");
    assert!(crate::names(&fresh).await.is_empty());
    // So are wider permissions, and what nobody locked.
    let wider = "- uri: X\n  permissions: { network: { allow: [{ host: \"*.example.com\" }] } }";
    let told = reason(&stall.provision(wider).await);
    assert!(told.contains("policy locked as sha256:"), "{told}");
    let more = format!("{text}\n- uri: ./add.wasm");
    let told = reason(&stall.provision(&more).await);
    assert!(told.contains("does not list `add`"), "{told}");
}

#[tokio::test]
async fn only_some_functions_become_tools_also_of_what_is_there() {
    let stall = Stall::new();
    let module = "(component (core module $m (func (export \"f\")))
        (core instance $i (instantiate $m))
        (func (export \"one\") (canon lift (core func $i \"f\")))
        (func (export \"two\") (canon lift (core func $i \"f\"))))";
    let bytes = wat::parse_str(module).unwrap();
    stall.workshop.put("pair.wasm", &bytes);
    let digest = digest_of(&bytes);
    let listed = |only: &str| format!("- uri: ./pair.wasm\n  digest: {digest}{only}");
    stall.provision(&listed("")).await;
    assert_eq!(stall.workshop.names().await, ["one", "two"]);
    fs::remove_file(stall.workshop.folder.path().join("pair.wasm")).unwrap();
    let provisioning = stall.provision(&listed("\n  only: [two]")).await;
    assert_eq!(statuses(&provisioning), [ProvisionStatus::Present], "{provisioning:?}");
    assert_eq!(stall.workshop.names().await, ["two"]);
    let provisioning = stall.provision(&listed("\n  only: [three]")).await;
    assert!(reason(&provisioning).contains("exports no function `three`"));
    assert!(stall.workshop.names().await.is_empty());
}

#[tokio::test]
async fn denied_by_a_manifest_what_nobody_signed() {
    let stall = Stall::new();
    let text = "- uri: X\n  verify: { key: key.pem }";
    stall.workshop.put("key.pem", b"no key");
    let told = reason(&stall.provision(text).await);
    assert!(told.contains("key.pem"), "{told}");
    stall.workshop.put("key.pem", crate::PUBLIC_KEY.as_bytes());
    let told = reason(&stall.provision(text).await);
    assert!(told.contains("refused to load"), "{told}");
    // It does not help that it is there already.
    let request = stall.workshop.request(&stall.registry.reference("tools/x", "1"));
    stall.restarted().load(request, |_| {}).await.unwrap();
    failure(&stall.provision(text).await);
    assert!(stall.workshop.names().await.is_empty());
}

#[tokio::test]
async fn a_signature_that_was_seen_need_not_be_fetched_again() {
    let (stall, key) = (Stall::new(), key());
    let digest = stall.push("Says one.", 1);
    sign(&stall.registry, &key, &digest);
    stall.workshop.put("key.pem", key.public.as_bytes());
    stall.workshop.put("other.pem", crate::PUBLIC_KEY.as_bytes());
    let text = format!("- uri: X\n  digest: {digest}\n  verify: {{ key: key.pem }}");
    let provisioning = stall.provision(&text).await;
    assert_eq!(statuses(&provisioning), [ProvisionStatus::Loaded], "{provisioning:?}");
    let before = stall.registry.connections();
    let provisioning = provision(&stall.restarted(), &stall.manifest(&text)).await;
    assert_eq!(statuses(&provisioning), [ProvisionStatus::Present], "{provisioning:?}");
    assert_eq!(stall.registry.connections(), before);
    // That of somebody else does not count.
    let provisioning = stall.provision(&text.replace("key.pem", "other.pem")).await;
    assert!(reason(&provisioning).contains("refused to load"), "{provisioning:?}");
}

#[tokio::test]
async fn a_manifest_is_looked_through_without_a_network() {
    let stall = Stall::new();
    let text = format!(
        "- uri: X
  permissions: {{ network: {{ allow: [{{ host: example.com }}] }} }}
  verify: {{ key: nokey.pem }}
- uri: ./add.wasm
  digest: {}
- uri: ./missing.wasm
- uri: ./add2.wasm",
        digest_of(b"another")
    );
    stall.workshop.put("add2.wasm", &compiled("add"));
    let manifest = stall.manifest(&text);
    let checked = stall.workshop.toolbox.check_manifest(&manifest).await.unwrap();
    let problems: Vec<usize> = checked.iter().map(|checked| checked.problems.len()).collect();
    assert_eq!(problems, [1, 1, 1, 0], "{checked:?}");
    assert!(checked[0].problems[0].contains("nokey.pem"));
    assert_eq!(checked[0].permissions.as_ref().unwrap().len(), 1);
    assert_eq!(checked[3].permissions, None);
    assert_eq!(stall.registry.connections(), 0);
}
