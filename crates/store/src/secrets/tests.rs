//! Which secrets are kept, whom they are given to, and where their values never appear.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::{Artifact, Entry, Replace};

const LONG: Duration = Duration::from_secs(60);
const HERE: &str = "file:///srv/x.wasm";
const ELSEWHERE: &str = "file:///other/x.wasm";
const CANARY: &str = "canary-5f1e";

fn x() -> ComponentId {
    ComponentId::parse("x").unwrap()
}

fn load(store: &Store, source: &str, replace: Replace) {
    let artifact = Artifact::new(source.as_bytes().to_vec(), source.to_owned());
    let mut writer = store.write(LONG).unwrap();
    writer.put_blob(&artifact).unwrap();
    let entry = Entry::new(x(), &artifact, 0, Value::Null);
    writer.insert(entry, replace).unwrap();
    writer.commit().unwrap();
}

fn unload(store: &Store) {
    let mut writer = store.write(LONG).unwrap();
    writer.remove(&x()).unwrap();
    writer.commit().unwrap();
}

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    load(&store, HERE, Replace::Refuse);
    (folder, store)
}

fn pair(name: &str, value: &str) -> (String, Zeroizing<String>) {
    (name.to_owned(), Zeroizing::new(value.to_owned()))
}

fn names(store: &Store) -> Vec<String> {
    store.secrets(&x(), HERE).unwrap().names().map(str::to_owned).collect()
}

/// The one file with secrets.
fn file(store: &Store) -> PathBuf {
    let mut files = fs::read_dir(store.dir().join("secrets")).unwrap();
    let path = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    path
}

fn all_of(error: &SecretError) -> String {
    let help = miette::Diagnostic::help(error).map(|help| help.to_string());
    let mut text = format!("{error} {error:?} {help:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!("{error} {error:?}"));
        cause = error.source();
    }
    text
}

#[test]
fn what_is_set_is_found_until_it_is_deleted() {
    let (_folder, store) = store();
    assert!(store.secrets(&x(), HERE).unwrap().is_empty());
    store.set_secrets(&x(), &[pair("KEY", "one"), pair("PEM", "a\nb \"c\" \u{1f600}")]).unwrap();
    store.set_secrets(&x(), &[pair("KEY", CANARY)]).unwrap();

    let secrets = Store::open(store.dir()).unwrap().secrets(&x(), HERE).unwrap();
    assert_eq!(secrets.names().collect::<Vec<_>>(), ["KEY", "PEM"]);
    assert_eq!(secrets.get("KEY").unwrap().as_str(), CANARY);
    assert_eq!(secrets.get("PEM").unwrap().as_str(), "a\nb \"c\" \u{1f600}");
    assert_eq!(secrets.get("key"), None);

    let missing = store.delete_secrets(&x(), &["KEY".to_owned(), "OTHER".to_owned()]).unwrap();
    assert_eq!(missing, ["OTHER"]);
    assert_eq!(names(&store), ["PEM"]);
    store.delete_secrets(&x(), &["PEM".to_owned()]).unwrap();
    assert!(fs::read_dir(store.dir().join("secrets")).unwrap().next().is_none());
}

#[test]
fn the_file_is_named_by_a_hash_and_only_this_user_can_use_it() {
    let (_folder, store) = store();
    store.set_secrets(&x(), &[pair("KEY", "one")]).unwrap();
    let path = file(&store);
    let name = path.file_name().unwrap().to_str().unwrap();
    assert_eq!(name, "2d711642b726b04401627ca9fbac32f5.json");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o7777, 0o700);
}

#[test]
fn denied_secret_in_an_error_or_in_debug() {
    let (_folder, store) = store();
    store.set_secrets(&x(), &[pair("KEY", CANARY)]).unwrap();
    let secrets = store.secrets(&x(), HERE).unwrap();
    assert_eq!(format!("{secrets:?}"), r#"{"KEY"}"#);

    let long = format!("{CANARY}{}", "x".repeat(MAX_SECRET_BYTES));
    for (name, value) in [
        (format!("KEY={CANARY}"), "x"),
        (format!("{CANARY}{}", "x".repeat(MAX_NAME)), "x"),
        (format!("{CANARY}\0"), "x"),
        ("KEY".to_owned(), long.as_str()),
        ("KEY".to_owned(), &format!("{CANARY}\0")),
    ] {
        let error = store.set_secrets(&x(), &[pair(&name, value)]).unwrap_err();
        assert!(!all_of(&error).contains(CANARY), "{}", all_of(&error));
    }

    let whole = fs::read_to_string(file(&store)).unwrap();
    assert!(whole.contains(CANARY));
    let quoted = format!("\"{CANARY}\"");
    for damaged in [
        whole.replace("{\"KEY\":", "[").replace('}', "]"),
        whole.replace("\"KEY\":", ""),
        whole.replace("1,", &format!("{quoted},")),
        whole.replace("\"x\"", &format!("[{quoted}]")),
        whole.replace(&quoted, &format!("{{{quoted}:1}}")),
        quoted.clone(),
    ] {
        fs::write(file(&store), &damaged).unwrap();
        let error = store.secrets(&x(), HERE).unwrap_err();
        assert!(matches!(error, SecretError::Damaged { .. }), "{damaged}: {error}");
        assert!(!all_of(&error).contains(CANARY), "{}", all_of(&error));
    }
}

#[test]
fn denied_secret_of_another_component() {
    let (_folder, store) = store();
    store.set_secrets(&x(), &[pair("KEY", "one")]).unwrap();
    assert!(store.secrets(&ComponentId::parse("y").unwrap(), HERE).unwrap().is_empty());
    assert!(store.secrets(&x(), ELSEWHERE).unwrap().is_empty());

    // Somebody gives one component the file of another.
    let other = store.layout.secrets().join("a1fce4363854ff888cff4b8e7875d600.json");
    fs::copy(file(&store), &other).unwrap();
    assert!(store.secrets(&ComponentId::parse("y").unwrap(), HERE).unwrap().is_empty());
}

#[test]
fn denied_secrets_of_an_unloaded_component_to_the_next_with_its_id() {
    let (_folder, store) = store();
    store.set_secrets(&x(), &[pair("KEY", "one")]).unwrap();
    let (path, bytes) = (file(&store), fs::read(file(&store)).unwrap());
    unload(&store);
    assert!(!path.exists());

    // As an unloading leaves it that is interrupted.
    fs::write(&path, bytes).unwrap();
    set_mode(&path, 0o600);
    load(&store, HERE, Replace::Refuse);
    assert!(!path.exists());

    store.set_secrets(&x(), &[pair("KEY", "one")]).unwrap();
    load(&store, ELSEWHERE, Replace::Allow);
    assert!(!path.exists());
    store.set_secrets(&x(), &[pair("OTHER", "two")]).unwrap();
    assert!(names(&store).is_empty());
    assert_eq!(store.secrets(&x(), ELSEWHERE).unwrap().names().len(), 1);
}

#[test]
fn denied_secrets_of_what_is_not_loaded() {
    let (_folder, store) = store();
    unload(&store);
    for result in [
        store.set_secrets(&x(), &[pair("KEY", "one")]),
        store.delete_secrets(&x(), &["KEY".to_owned()]).map(drop),
    ] {
        assert!(matches!(result, Err(SecretError::Store(StoreError::NotLoaded { .. }))));
    }
}

#[test]
fn denied_e04_secret_file_that_others_can_use() {
    let (folder, store) = store();
    let secrets = [pair("KEY", CANARY)];
    store.set_secrets(&x(), &secrets).unwrap();
    let path = file(&store);
    let refused = |reason: &str| {
        for error in
            [store.secrets(&x(), HERE).unwrap_err(), store.set_secrets(&x(), &secrets).unwrap_err()]
        {
            assert!(matches!(error, SecretError::Exposed { .. }), "{error}");
            assert!(error.to_string().ends_with(reason), "{error}");
        }
    };
    for mode in [0o644, 0o640, 0o604, 0o602, 0o620, 0o601] {
        set_mode(&path, mode);
        refused(&format!("others can use it (mode {mode:03o})"));
    }
    set_mode(&path, 0o600);

    let target = folder.path().join("target.json");
    fs::rename(&path, &target).unwrap();
    symlink(&target, &path).unwrap();
    refused("it is a link");
    fs::remove_file(&path).unwrap();
    fs::rename(&target, &path).unwrap();
    assert_eq!(names(&store), ["KEY"]);

    let folder = store.layout.secrets();
    set_mode(&folder, 0o777);
    let error = store.secrets(&x(), HERE).unwrap_err();
    assert!(matches!(error, SecretError::Store(StoreError::NotPrivate { .. })), "{error}");
    set_mode(&folder, 0o700);

    if chown(&path, Some(12345), None).is_err() {
        println!("SKIPPED: only root can give a file away");
        return;
    }
    refused("it belongs to another user (uid 12345)");
}

#[test]
fn what_cannot_be_a_secret_is_refused() {
    let (_folder, store) = store();
    let longest = "x".repeat(MAX_SECRET_BYTES);
    store.set_secrets(&x(), &[pair(&"N".repeat(MAX_NAME), &longest)]).unwrap();
    for name in ["", "A=B", "A\0", "A\n", &"N".repeat(MAX_NAME + 1)] {
        let error = store.set_secrets(&x(), &[pair("GOOD", "x"), pair(name, "x")]).unwrap_err();
        assert!(matches!(error, SecretError::Name { .. }), "{error}");
    }
    for value in ["\0", &format!("{longest}x")] {
        let error = store.set_secrets(&x(), &[pair("GOOD", "x"), pair("KEY", value)]).unwrap_err();
        assert!(matches!(error, SecretError::Value { .. }), "{error}");
    }
    let many: Vec<_> = (0..16).map(|number| pair(&format!("K{number}"), &longest)).collect();
    let error = store.set_secrets(&x(), &many).unwrap_err();
    assert!(matches!(error, SecretError::TooMany { .. }), "{error}");
    assert_eq!(names(&store).len(), 1, "none is set where one cannot be");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}
