//! Bytes in the cache and the key that they are authenticated with.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::{Store, StoreError};

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    (folder, store)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn what_is_cached_is_read_replaced_and_forgotten() {
    let (_folder, store) = store();
    assert_eq!(store.cache_read("a-1").unwrap(), None);
    store.cache_write("a-1", b"old").unwrap();
    store.cache_write("a-1", b"new").unwrap();
    assert_eq!(store.cache_read("a-1").unwrap(), Some(b"new".to_vec()));
    assert_eq!(mode(&store.dir().join("cache/a-1")), 0o600);
    assert!(store.cache_remove("a-1").unwrap());
    assert!(!store.cache_remove("a-1").unwrap());
    assert_eq!(store.cache_read("a-1").unwrap(), None);
}

#[test]
fn pruning_keeps_what_is_wanted() {
    let (_folder, store) = store();
    assert_eq!(store.cache_prune(|_| false).unwrap(), 0);
    for name in ["a", "b", "c"] {
        store.cache_write(name, b"x").unwrap();
    }
    assert_eq!(store.cache_prune(|name| name == "b").unwrap(), 2);
    assert_eq!(store.cache_read("a").unwrap(), None);
    assert!(store.cache_read("b").unwrap().is_some());
}

#[test]
fn names_that_could_lead_elsewhere_are_refused() {
    let (_folder, store) = store();
    for name in ["", ".", "..", "../key", "a/b", "A", "a.b", "a\0", &"x".repeat(201)] {
        assert!(matches!(store.cache_read(name), Err(StoreError::CacheName { .. })), "{name:?}");
        assert!(matches!(store.cache_write(name, b""), Err(StoreError::CacheName { .. })));
        assert!(matches!(store.cache_remove(name), Err(StoreError::CacheName { .. })));
    }
}

#[test]
fn a_link_in_the_cache_is_not_followed() {
    let (folder, store) = store();
    store.cache_write("a", b"x").unwrap();
    let outside = folder.path().join("outside");
    fs::write(&outside, b"secret").unwrap();
    symlink(&outside, store.dir().join("cache/b")).unwrap();
    assert!(matches!(store.cache_read("b"), Err(StoreError::Read { .. })));
    store.cache_write("b", b"mine").unwrap();
    assert_eq!(fs::read(outside).unwrap(), b"secret");
}

#[test]
fn the_key_is_made_once_and_is_ours_alone() {
    let (_folder, store) = store();
    let keys: Vec<[u8; 32]> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| store.cache_key().unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
    assert_ne!(keys[0], [0; 32]);
    assert_eq!(Store::open(store.dir()).unwrap().cache_key().unwrap(), keys[0]);
    assert_eq!(mode(&store.dir().join("key")), 0o600);
}

#[test]
fn the_key_can_be_read_while_somebody_writes() {
    let (_folder, store) = store();
    let key = store.cache_key().unwrap();
    let _writer = store.write(Duration::ZERO).unwrap();
    assert_eq!(store.cache_key().unwrap(), key);
}

#[test]
fn a_key_that_others_can_read_or_that_is_damaged_is_refused() {
    let (_folder, store) = store();
    store.cache_key().unwrap();
    let path = store.dir().join("key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = store.cache_key().unwrap_err();
    assert!(matches!(error, StoreError::KeyExposed { mode: 0o640, .. }), "{error}");

    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, b"short").unwrap();
    assert!(matches!(store.cache_key(), Err(StoreError::KeyDamaged { .. })));

    fs::remove_file(&path).unwrap();
    store.cache_key().unwrap();
}
