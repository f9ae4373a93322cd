//! Loads that must be what was locked.

use std::sync::Arc;

use wassette_store::Lockfile;
use wassette_testkit::FakeRegistry;
use wassette_toolbox::{Changes, LoadError, LoadRequest, Loaded, LockError, Status, Toolbox};

use crate::{Workshop, documented};

fn plain() -> Workshop {
    Workshop::with(crate::plain)
}

async fn load(toolbox: &Toolbox, reference: String, lock: &Lockfile) -> Result<Loaded, LoadError> {
    let lock = Some(Arc::new(lock.clone()));
    let request = LoadRequest::new(reference, "/".into());
    let request = LoadRequest { lock, changes: Changes::Accept, ..request };
    toolbox.load(request, |_| {}).await
}

fn drifts(result: Result<Loaded, LoadError>) -> String {
    match result.unwrap_err() {
        LoadError::Lock(LockError::Drift { drifts, .. }) => drifts.join("; "),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn denied_r09_a_tag_that_was_moved_since_it_was_locked() {
    let registry = FakeRegistry::start();
    let old = registry.put_component("tools/x", "1", &documented("answer", "Says one.", 1));
    let reference = registry.reference("tools/x", "1");
    let workshop = plain();
    workshop.load(&reference).await.unwrap();
    let lock = workshop.toolbox.lockfile().await.unwrap();
    // On another machine it is the same as long as the tag is.
    let other = plain();
    let loaded = load(&other.toolbox, reference.clone(), &lock).await.unwrap();
    assert_eq!(loaded.status, Status::Loaded);
    let again = load(&other.toolbox, reference.clone(), &lock).await.unwrap();
    assert_eq!(again.status, Status::Unchanged);

    let new = registry.put_component("tools/x", "1", &documented("answer", "Says one.", 2));
    let told = drifts(load(&other.toolbox, reference.clone(), &lock).await);
    assert!(told.contains(&old) && told.contains(&new), "{told}");
    let third = plain();
    drifts(load(&third.toolbox, reference, &lock).await);
    assert!(third.names().await.is_empty());
    assert_eq!(other.call("answer", serde_json::json!({})).await.text, ["1"]);
}

#[tokio::test]
async fn denied_r09_a_policy_that_was_widened_since_it_was_locked() {
    let workshop = Workshop::new();
    workshop.wat("add").await;
    workshop.grant("add", "network: { allow: [{ host: example.com }] }").await;
    let lock = workshop.toolbox.lockfile().await.unwrap();
    let file = workshop.folder.path().join("add.wasm").display().to_string();
    load(&workshop.toolbox, file.clone(), &lock).await.unwrap();
    workshop.grant("add", "network: { allow: [{ host: \"*.example.com\" }] }").await;
    let told = drifts(load(&workshop.toolbox, file.clone(), &lock).await);
    assert!(told.starts_with("policy locked as sha256:"), "{told}");
    // What nothing is granted to yet is what was locked, and less.
    let fresh = Workshop::new();
    load(&fresh.toolbox, file.clone(), &lock).await.unwrap();
    // What is not listed is not loaded.
    let missing = load(&fresh.toolbox, file, &Lockfile::default()).await.unwrap_err();
    assert!(matches!(missing, LoadError::Lock(LockError::Missing { .. })), "{missing}");
}

#[tokio::test]
async fn the_lock_file_of_the_store_is_what_is_loaded() {
    let workshop = Workshop::new();
    workshop.wat("add").await;
    let lock = workshop.toolbox.lockfile().await.unwrap();
    let written = Lockfile::read(&workshop.store().join("wassette.lock")).unwrap();
    assert_eq!(lock, written);
    assert!(lock.components[0].tools.is_some() && lock.components[0].policy.is_none());
    workshop.toolbox.unload("add").await.unwrap();
    assert_eq!(workshop.toolbox.lockfile().await.unwrap(), Lockfile::default());
}
