//! What is put into a keyring, for whom, and what happens when it refuses.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::{Artifact, Entry, Replace, Secrets, Store};

const LONG: Duration = Duration::from_secs(60);
const HERE: &str = "file:///srv/x.wasm";
const ELSEWHERE: &str = "file:///other/x.wasm";
const CANARY: &str = "canary-71c0";

/// A keyring in memory, which refuses while it is locked.
#[derive(Debug, Default)]
struct Memory {
    values: Mutex<BTreeMap<String, String>>,
    is_locked: Mutex<bool>,
}

impl Memory {
    fn open(&self) -> Result<std::sync::MutexGuard<'_, BTreeMap<String, String>>, SecretError> {
        if *self.is_locked.lock().unwrap() {
            return Err(SecretError::Keyring { reason: "it is locked".to_owned() });
        }
        Ok(self.values.lock().unwrap())
    }

    fn lock(&self, is_locked: bool) {
        *self.is_locked.lock().unwrap() = is_locked;
    }

    fn values(&self) -> Vec<String> {
        self.values.lock().unwrap().values().cloned().collect()
    }
}

impl Keyring for Memory {
    fn set(&self, name: &str, value: &str) -> Result<(), SecretError> {
        self.open()?.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
        Ok(self.open()?.get(name).cloned().map(Zeroizing::new))
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        self.open()?.remove(name);
        Ok(())
    }
}

fn x() -> ComponentId {
    ComponentId::parse("x").unwrap()
}

fn load(store: &Store, source: &str) {
    let artifact = Artifact::new(source.as_bytes().to_vec(), source.to_owned());
    let mut writer = store.write(LONG).unwrap();
    writer.put_blob(&artifact).unwrap();
    let entry = Entry::new(x(), &artifact, 0, serde_json::Value::Null);
    writer.insert(entry, Replace::Allow).unwrap();
    writer.commit().unwrap();
}

fn store() -> (TempDir, Store, Arc<Memory>) {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Arc::new(Memory::default());
    let store = Store::open(folder.path()).unwrap().with_keyring(keyring.clone());
    load(&store, HERE);
    (folder, store, keyring)
}

fn set(store: &Store, name: &str, value: &str) -> Result<(), SecretError> {
    store.set_secrets(&x(), &[(name.to_owned(), Zeroizing::new(value.to_owned()))])
}

fn secrets(store: &Store) -> Secrets {
    store.secrets(&x(), HERE).unwrap()
}

fn value(store: &Store, name: &str) -> Option<String> {
    secrets(store).get(name).map(|value| value.to_string())
}

fn file_text(store: &Store) -> Option<String> {
    let mut files = fs::read_dir(store.dir().join("secrets")).unwrap();
    files.next().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
}

#[test]
fn the_file_has_the_name_and_the_keyring_the_value() {
    let (_folder, store, keyring) = store();
    set(&store, "KEY", CANARY).unwrap();
    assert_eq!(value(&store, "KEY").unwrap(), CANARY);
    assert_eq!(keyring.values(), [CANARY]);
    let text = file_text(&store).unwrap();
    assert!(text.contains("KEY") && !text.contains(CANARY), "{text}");

    set(&store, "KEY", "new").unwrap();
    assert_eq!(value(&store, "KEY").unwrap(), "new");
    assert_eq!(store.delete_secrets(&x(), &["KEY".to_owned()]).unwrap(), [""; 0]);
    assert!(secrets(&store).is_empty() && keyring.values().is_empty());
    assert_eq!(file_text(&store), None);
}

#[test]
fn a_value_moves_when_it_is_set_again() {
    let (folder, store, keyring) = store();
    let without = Store::open(folder.path()).unwrap();
    set(&without, "KEY", CANARY).unwrap();
    assert_eq!(value(&store, "KEY").unwrap(), CANARY);
    set(&store, "KEY", CANARY).unwrap();
    assert!(!file_text(&store).unwrap().contains(CANARY));

    // Without the keyring the name is known and the value is not.
    assert_eq!(secrets(&without).names().collect::<Vec<_>>(), ["KEY"]);
    assert_eq!(value(&without, "KEY"), None);
    set(&without, "OTHER", "x").unwrap();
    assert_eq!(value(&store, "KEY").unwrap(), CANARY);
    set(&without, "KEY", "back").unwrap();
    assert_eq!(value(&store, "KEY").unwrap(), "back");
    assert_eq!(keyring.values(), [CANARY], "whoever has no keyring cannot delete there");
}

#[test]
fn denied_value_in_the_keyring_of_another_component_or_store() {
    let (_folder, store, keyring) = store();
    set(&store, "KEY", CANARY).unwrap();
    let other = tempfile::tempdir().unwrap();
    let other = Store::open(other.path()).unwrap().with_keyring(keyring.clone());
    load(&other, HERE);
    set(&other, "KEY", "other").unwrap();
    assert_eq!(value(&store, "KEY").unwrap(), CANARY);

    load(&store, ELSEWHERE);
    assert_eq!(keyring.values(), ["other"]);
    let mut writer = other.write(LONG).unwrap();
    writer.remove(&x()).unwrap();
    writer.commit().unwrap();
    assert!(keyring.values().is_empty());
}

#[test]
fn a_keyring_that_refuses_gives_and_takes_nothing() {
    let (_folder, store, keyring) = store();
    set(&store, "KEY", CANARY).unwrap();
    keyring.lock(true);
    assert_eq!(value(&store, "KEY"), None);
    assert!(matches!(set(&store, "OTHER", "x"), Err(SecretError::Keyring { .. })));
    assert_eq!(secrets(&store).names().collect::<Vec<_>>(), ["KEY"]);
    keyring.lock(false);
    assert_eq!(value(&store, "KEY").unwrap(), CANARY);
}

#[cfg(feature = "keyring")]
#[test]
fn the_platform_keyring_keeps_texts_and_shows_none() {
    use keyring_core::mock;

    let memory = mock::Store::new().unwrap();
    let keyring = PlatformKeyring::new(memory.clone());
    assert_eq!(keyring.get("a").unwrap(), None);
    keyring.delete("a").unwrap();
    keyring.set("a", CANARY).unwrap();
    assert_eq!(keyring.get("a").unwrap().unwrap().as_str(), CANARY);
    assert!(!format!("{keyring:?}").contains(CANARY));

    let entry = keyring.entry("a").unwrap();
    entry.set_secret(b"canary-71c0\xff").unwrap();
    let error = keyring.get("a").unwrap_err();
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
    assert!(!format!("{error:?}").contains("99, 97, 110"), "{error:?}");

    let credential: &mock::Cred = entry.as_any().downcast_ref().unwrap();
    credential.set_error(keyring_core::Error::NoStorageAccess("no service".into()));
    let error = keyring.set("a", "x").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the keyring cannot be used: it is locked or out of reach: no service"
    );
    keyring.delete("a").unwrap();
    assert_eq!(keyring.get("a").unwrap(), None);
}
