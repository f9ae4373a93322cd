//! Changes are told, reading is not one. Changes by other processes: `tests/processes.rs`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use tokio::time::timeout;
use zeroize::Zeroizing;

use super::Watch;
use crate::{Artifact, ComponentId, Entry, Replace, Store};

const LONG: Duration = Duration::from_secs(20);

fn put(store: &Store, id: &str) {
    let artifact = Artifact::new(id.as_bytes().to_vec(), "file:///x".to_owned());
    let mut writer = store.write(LONG).unwrap();
    writer.put_blob(&artifact).unwrap();
    let entry = Entry::new(ComponentId::parse(id).unwrap(), &artifact, 0, serde_json::Value::Null);
    writer.insert(entry, Replace::Refuse).unwrap();
    writer.commit().unwrap();
}

fn deaf(mut watch: Watch) -> Watch {
    watch.watcher = None;
    watch
}

#[tokio::test]
async fn every_change_is_told_even_one_before_the_first_call() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut watch = store.watch();
    for id in ["a", "b", "c"] {
        put(&store, id);
        timeout(LONG, watch.changed()).await.unwrap();
    }
}

#[tokio::test]
async fn a_file_system_without_messages_is_polled() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut watch = deaf(store.watch());
    for id in ["a", "b"] {
        put(&store, id);
        timeout(LONG, watch.changed()).await.unwrap();
    }
    fs::remove_file(store.dir().join("index.json")).unwrap();
    timeout(LONG, watch.changed()).await.unwrap();
}

#[tokio::test]
async fn polling_goes_on_though_the_caller_is_impatient() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut watch = deaf(store.watch());
    put(&store, "a");
    let mut calls = 0;
    while timeout(Duration::from_millis(20), watch.changed()).await.is_err() {
        calls += 1;
        assert!(calls < 1000, "the change was never told");
    }
}

#[tokio::test]
async fn to_read_the_store_or_to_fill_the_cache_is_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    put(&store, "a");
    let mut watch = store.watch();
    store.index().unwrap();
    store.cache_write("x", b"x").unwrap();
    store.cache_key().unwrap();
    store.write(LONG).unwrap().commit().unwrap();
    let told = timeout(Duration::from_millis(700), watch.changed()).await;
    assert!(told.is_err(), "nothing had changed");
}

/// Edits that leave the index as it is, each of which must be told.
async fn edits_are_told(store: &Store, mut watch: Watch) {
    let policies = store.dir().join("policies");
    let path = policies.join("a.yaml");
    let edits: [&dyn Fn(); 6] = [
        &|| fs::write(&path, "a: 1\n").unwrap(),
        &|| fs::write(&path, "a: 22\n").unwrap(),
        &|| fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap(),
        &|| fs::rename(&path, policies.join("b.yaml")).unwrap(),
        &|| fs::remove_file(policies.join("b.yaml")).unwrap(),
        &|| {
            let secret = ("KEY".to_owned(), Zeroizing::new("x".to_owned()));
            store.set_secrets(&ComponentId::parse("a").unwrap(), &[secret]).unwrap();
        },
    ];
    for edit in edits {
        edit();
        timeout(LONG, watch.changed()).await.unwrap();
        // What is left of the messages about it.
        while timeout(Duration::from_millis(50), watch.changed()).await.is_ok() {}
    }
    fs::write(policies.join("a.yaml~"), "x").unwrap();
    let told = timeout(Duration::from_millis(700), watch.changed()).await;
    assert!(told.is_err(), "an editor's own file is no policy");
}

#[tokio::test]
async fn a_policy_that_a_person_edits_and_a_secret_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    // The folders are made after the watch has begun.
    let mut watch = store.watch();
    put(&store, "a");
    timeout(LONG, watch.changed()).await.unwrap();
    edits_are_told(&store, watch).await;
}

#[tokio::test]
async fn edits_are_told_without_messages_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    put(&store, "a");
    let watch = deaf(store.watch());
    edits_are_told(&store, watch).await;
}
