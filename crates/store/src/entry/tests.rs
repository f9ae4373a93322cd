//! What stays of the versions of a component and of what came with them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::{Replace, Store, durable};

const LONG: Duration = Duration::from_secs(60);

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    (folder, store)
}

fn x() -> ComponentId {
    ComponentId::parse("x").unwrap()
}

fn artifact(contents: &str) -> Artifact {
    Artifact::new(contents.as_bytes().to_vec(), "file:///srv/x.wasm".to_owned())
}

fn entry(artifact: &Artifact) -> Entry {
    Entry::new(x(), artifact, 1, Value::Null)
}

fn blobs(store: &Store) -> BTreeSet<String> {
    durable::file_names(&store.layout.blobs()).unwrap().into_iter().collect()
}

/// A version of these bytes, with one companion.
fn version(contents: &str) -> (Artifact, Version) {
    let bytes = format!("companion of {contents}").into_bytes();
    let companion = Companion {
        digest: Digest::of(&bytes),
        size: bytes.len() as u64,
        media_type: "application/x".to_owned(),
        role: CompanionRole::Layer,
    };
    let origin = Origin {
        reference: "file:///srv/x.wasm".to_owned(),
        manifest: None,
        signer: Some("key sha256:00".to_owned()),
        companions: vec![companion],
    };
    let mut artifact = artifact(contents);
    artifact.companions = vec![(Digest::of(&bytes), bytes)];
    artifact.origin = Some(origin);
    let version = entry(&artifact).version();
    (artifact, version)
}

/// Puts the bytes of `artifact` and makes `entry` what the store knows.
fn put(store: &Store, artifact: &Artifact, entry: &Entry) {
    let mut writer = store.write(LONG).unwrap();
    writer.put_blob(artifact).unwrap();
    writer.insert(entry.clone(), Replace::Refuse).unwrap();
    writer.commit().unwrap();
}

fn current(store: &Store) -> Entry {
    Entry::clone(store.index().unwrap().find(&x()).unwrap())
}

fn contents(version: &Version) -> u64 {
    version.size
}

/// The names of `versions` and of their companions.
fn named(versions: &[&str]) -> BTreeSet<String> {
    let bytes = versions.iter().flat_map(|it| [it.to_string(), format!("companion of {it}")]);
    bytes.map(|bytes| Digest::of(bytes.as_bytes()).hex()).collect()
}

#[test]
fn bytes_stay_for_as_long_as_a_version_names_them() {
    let (_folder, store) = store();
    let (first, _) = version("1");
    put(&store, &first, &entry(&first));
    assert_eq!(blobs(&store), named(&["1"]));

    // What waits is there, and what serves is what it was.
    let (second, waiting) = version("22");
    let staged = Entry { quarantined: Some(waiting.clone()), ..current(&store) };
    put(&store, &second, &staged);
    assert_eq!(current(&store).digest, first.digest);
    assert_eq!(blobs(&store), named(&["1", "22"]));

    // It serves, nothing waits, and what served can be had back.
    put(&store, &second, &current(&store).succeeded_by(waiting));
    let accepted = current(&store);
    assert_eq!((accepted.digest, accepted.quarantined), (second.digest, None));
    assert_eq!(accepted.previous.iter().map(contents).collect::<Vec<_>>(), [1]);
    assert_eq!(blobs(&store), named(&["1", "22"]));

    for contents in ["333", "4444"] {
        let (artifact, version) = version(contents);
        put(&store, &artifact, &current(&store).succeeded_by(version));
    }
    assert_eq!(current(&store).previous.iter().map(contents).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(blobs(&store), named(&["22", "333", "4444"]));

    // Back, and forth again: no version is there twice.
    for sizes in [[4, 2], [3, 2]] {
        let back = current(&store).previous[0].clone();
        put(&store, &artifact("4444"), &current(&store).succeeded_by(back));
        assert_eq!(current(&store).previous.iter().map(contents).collect::<Vec<_>>(), sizes);
    }
    assert_eq!(blobs(&store), named(&["22", "333", "4444"]));

    let mut writer = store.write(LONG).unwrap();
    writer.remove(&x()).unwrap();
    writer.commit().unwrap();
    assert!(blobs(&store).is_empty());
}

#[test]
fn an_entry_names_only_what_is_there_and_not_too_much() {
    let (_folder, store) = store();
    let (first, waiting) = version("1");
    let full = entry(&first);
    let mut writer = store.write(LONG).unwrap();
    writer.put_bytes(&first.digest, b"1").unwrap();
    let error = writer.insert(full.clone(), Replace::Refuse).unwrap_err();
    assert!(matches!(error, StoreError::BlobMissing { digest, .. } if digest != first.digest));
    let error = writer.put_bytes(&first.digest, b"other").unwrap_err();
    assert!(matches!(error, StoreError::BlobDamaged { .. }), "{error}");

    let many = |count: usize, size: u64| {
        let mut version = waiting.clone();
        let companions = &mut version.origin.as_mut().unwrap().companions;
        companions[0].size = size;
        *companions = vec![companions[0].clone(); count];
        version
    };
    writer.put_blob(&first).unwrap();
    for (count, size, is_good) in
        [(64, 1, true), (65, 1, false), (4, 1 << 20, true), (2, 3 << 20, false)]
    {
        for entry in [
            Entry { quarantined: Some(many(count, size)), ..full.clone() },
            Entry { origin: many(count, size).origin, ..full.clone() },
        ] {
            let inserted = writer.insert(entry, Replace::Refuse);
            assert_eq!(inserted.is_ok(), is_good, "{count} of {size}");
        }
    }
    let extra = Entry { previous: vec![waiting; 5], ..full };
    writer.insert(extra, Replace::Refuse).unwrap();
    writer.commit().unwrap();
    assert_eq!(current(&store).previous.len(), 2);
}

#[test]
fn a_companion_that_is_lost_is_no_reason_to_refuse_an_update() {
    let (_folder, store) = store();
    let (first, _) = version("1");
    put(&store, &first, &entry(&first));
    fs::remove_file(store.layout.blob(&first.companions[0].0)).unwrap();
    let (second, waiting) = version("22");
    put(&store, &second, &current(&store).succeeded_by(waiting));
    assert_eq!(current(&store).digest, second.digest);
}

#[test]
fn bytes_that_are_whole_need_not_be_fetched_again() {
    let (_folder, store) = store();
    let bytes = artifact("one");
    assert_eq!(store.blob_if_any(&bytes.digest).unwrap(), None);
    put(&store, &bytes, &entry(&bytes));
    assert_eq!(store.blob_if_any(&bytes.digest).unwrap(), Some(b"one".to_vec()));
    fs::write(store.layout.blob(&bytes.digest), b"two").unwrap();
    assert_eq!(store.blob_if_any(&bytes.digest).unwrap(), None);
}

fn lock_text(store: &Store) -> String {
    fs::read_to_string(store.dir().join("wassette.lock")).unwrap()
}

#[test]
fn the_lock_file_says_what_is_loaded_and_is_mended_by_the_next_commit() {
    let (_folder, store) = store();
    let (first, _) = version("1");
    put(&store, &first, &entry(&first));
    let lock = store.lockfile().unwrap();
    assert_eq!(lock_text(&store), lock.to_text());
    let locked = lock.find(&x()).unwrap();
    assert_eq!(locked.source, "file:///srv/x.wasm");
    assert_eq!((locked.sha256, locked.policy), (first.digest, None));
    assert_eq!(locked.signer.as_deref(), Some("key sha256:00"));
    let path = store.dir().join("wassette.lock");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let mut writer = store.write(LONG).unwrap();
    writer.put_policy(&x(), "version: 1\n", Value::Null, None).unwrap();
    writer.commit().unwrap();
    let granted = store.lockfile().unwrap();
    assert_eq!(granted.find(&x()).unwrap().policy, Some(Digest::of(b"version: 1\n")));
    assert_eq!(lock_text(&store), granted.to_text());

    // What does not say it: another text, no file, one that others may write, a link.
    let revision = store.index().unwrap().revision();
    let commit = || assert_eq!(store.write(LONG).unwrap().commit().unwrap().revision(), revision);
    fs::write(&path, "{}").unwrap();
    commit();
    assert_eq!(lock_text(&store), granted.to_text());
    fs::remove_file(&path).unwrap();
    symlink(store.dir().join("index.json"), &path).unwrap();
    let index = fs::read(store.dir().join("index.json")).unwrap();
    commit();
    assert_eq!(fs::read(store.dir().join("index.json")).unwrap(), index);
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(lock_text(&store), granted.to_text());
}

#[test]
fn a_commit_is_made_where_the_lock_file_cannot_be_written() {
    let (_folder, store) = store();
    put(&store, &artifact("one"), &entry(&artifact("one")));
    let path = store.dir().join("wassette.lock");
    fs::remove_file(&path).unwrap();
    fs::create_dir_all(path.join("in the way")).unwrap();
    put(&store, &artifact("two"), &entry(&artifact("two")));
    assert_eq!(current(&store).digest, artifact("two").digest);
    assert_eq!(blobs(&store), BTreeSet::from([artifact("two").digest.hex()]));

    fs::remove_dir_all(&path).unwrap();
    store.write(LONG).unwrap().commit().unwrap();
    assert_eq!(lock_text(&store), store.lockfile().unwrap().to_text());
}

#[test]
fn a_version_that_is_accepted_has_a_pinned_policy_no_longer() {
    let (_folder, store) = store();
    let (first, _) = version("1");
    put(&store, &first, &entry(&first));
    let mut writer = store.write(LONG).unwrap();
    writer.put_policy(&x(), "version: 1\n", Value::Null, Some(first.digest)).unwrap();
    writer.commit().unwrap();
    let misfit = || {
        let now = current(&store);
        store.policy(&x()).unwrap().unwrap().misfit(&now.source, &now.digest)
    };

    let (second, waiting) = version("22");
    let staged = Entry { quarantined: Some(waiting.clone()), ..current(&store) };
    put(&store, &second, &staged);
    assert_eq!(misfit(), None);
    put(&store, &second, &current(&store).succeeded_by(waiting));
    assert_eq!(misfit(), Some(crate::Misfit::Digest { pinned: first.digest }));
    let back = current(&store).previous[0].clone();
    put(&store, &second, &current(&store).succeeded_by(back));
    assert_eq!(misfit(), None);
}
