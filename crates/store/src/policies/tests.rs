//! What a policy at rest is, whose it is, and who may have written it.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::time::SystemTime;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{Artifact, Change, Entry, Replace};

const LONG: Duration = Duration::from_secs(60);
const HERE: &str = "file:///srv/x.wasm";
const ELSEWHERE: &str = "file:///other/x.wasm";

fn id(text: &str) -> ComponentId {
    ComponentId::parse(text).unwrap()
}

fn x() -> ComponentId {
    id("x")
}

fn load(store: &Store, source: &str, replace: Replace) -> Change {
    load_bytes(store, source, source.as_bytes(), replace)
}

fn load_bytes(store: &Store, source: &str, bytes: &[u8], replace: Replace) -> Change {
    let artifact = Artifact::new(bytes.to_vec(), source.to_owned());
    let mut writer = store.write(LONG).unwrap();
    writer.put_blob(&artifact).unwrap();
    let entry = Entry::new(x(), &artifact, 0, Value::Null);
    let change = writer.insert(entry, replace).unwrap();
    writer.commit().unwrap();
    change
}

/// A store with one component.
fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    load(&store, HERE, Replace::Refuse);
    (folder, store)
}

fn put(store: &Store, text: &str, pins: Value) -> u64 {
    let mut writer = store.write(LONG).unwrap();
    writer.put_policy(&x(), text, pins, None).unwrap();
    writer.commit().unwrap().revision()
}

fn put_pinned(store: &Store, text: &str, pin: Option<Digest>) {
    let mut writer = store.write(LONG).unwrap();
    writer.put_policy(&x(), text, json!(1), pin).unwrap();
    writer.commit().unwrap();
}

/// The digest of the bytes with which [`load`] begins.
fn first() -> Digest {
    Digest::of(HERE.as_bytes())
}

fn is_for(policy: &StoredPolicy, source: &str) -> bool {
    policy.misfit(source, &first()).is_none()
}

fn edition(store: &Store) -> u64 {
    found(store).binding.unwrap().edition
}

fn unload(store: &Store) {
    let mut writer = store.write(LONG).unwrap();
    writer.remove(&x()).unwrap();
    writer.commit().unwrap();
}

fn found(store: &Store) -> StoredPolicy {
    store.policy(&x()).unwrap().unwrap()
}

fn yaml(store: &Store) -> PathBuf {
    policy_path(&store.layout, &x())
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_is_put_is_found_and_the_revision_tells_of_it() {
    let (_folder, store) = store();
    assert_eq!(store.policy(&x()).unwrap(), None);
    let before = store.index().unwrap().revision();
    let pins = json!({ "/data": [1, 2] });
    assert_eq!(put(&store, "a: 1\n", pins.clone()), before + 1);

    let policy = found(&store);
    assert_eq!(policy.text, "a: 1\n");
    assert_eq!(
        policy.binding,
        Some(Binding { edition: before + 1, pins, ..Binding::unpinned(HERE) })
    );
    assert_eq!(policy.path, store.dir().join("policies/x.yaml"));
    assert!(is_for(&policy, HERE) && !is_for(&policy, ELSEWHERE));
    assert_eq!(fs::metadata(&policy.path).unwrap().mode() & 0o777, 0o600);

    let mut writer = store.write(LONG).unwrap();
    writer.remove_policy(&x()).unwrap();
    assert_eq!(found(&store).text, "a: 1\n", "nothing is seen before the commit");
    assert_eq!(writer.commit().unwrap().revision(), before + 2);
    assert_eq!(store.policy(&x()).unwrap(), None);
    assert_eq!(durable::file_names(&store.layout.policies()).unwrap(), [""; 0]);
}

#[test]
fn a_policy_that_is_not_committed_is_forgotten() {
    let (_folder, store) = store();
    let mut writer = store.write(LONG).unwrap();
    writer.put_policy(&x(), "a: 1\n", Value::Null, None).unwrap();
    drop(writer);
    assert_eq!(store.policy(&x()).unwrap(), None);
}

#[test]
fn a_person_who_edits_the_text_keeps_what_is_beside_it() {
    let (_folder, store) = store();
    put(&store, "a: 1\n", json!(1));
    put(&store, "a: 2\n", json!(2));
    fs::write(yaml(&store), "a: 3\n").unwrap();
    let policy = found(&store);
    assert_eq!((policy.text.as_str(), policy.binding.unwrap().pins), ("a: 3\n", json!(2)));
}

#[test]
fn denied_policy_that_a_person_is_still_writing() {
    let (_folder, store) = store();
    put(&store, "a: 1\n", Value::Null);
    assert!(unrest(&yaml(&store)).is_some() && found(&store).text == "a: 1\n");

    fs::write(yaml(&store), "a: 2\n").unwrap();
    assert_eq!(found(&store).text, "a: 2\n");
    assert_eq!(unrest(&yaml(&store)), None, "it was not given before it was left alone");

    let now = SystemTime::now();
    let file = fs::File::options().write(true).open(yaml(&store)).unwrap();
    for (time, is_resting) in [(now, false), (now - QUIET, true), (now + 100 * QUIET, true)] {
        file.set_modified(time).unwrap();
        assert_eq!(unrest(&yaml(&store)).is_none(), is_resting);
    }
}

#[test]
fn between_the_two_files_the_old_policy_has_its_own_pins() {
    let (_folder, store) = store();
    for before in ["a: 1\n", "a: edited\n"] {
        put(&store, "a: 1\n", json!(1));
        fs::write(yaml(&store), before).unwrap();
        put(&store, "a: 2\n", json!(2));
        // As a process leaves it that dies before it renames the text.
        fs::write(yaml(&store), before).unwrap();
        assert_eq!(found(&store).binding.unwrap().pins, json!(1));
    }
}

#[test]
fn denied_grant_to_what_is_not_loaded() {
    let (_folder, store) = store();
    unload(&store);
    let mut writer = store.write(LONG).unwrap();
    for error in [
        writer.put_policy(&x(), "a: 1\n", Value::Null, None).unwrap_err(),
        writer.remove_policy(&x()).unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::NotLoaded { .. }), "{error}");
    }
}

#[test]
fn denied_policy_of_an_unloaded_component_to_the_next_with_its_id() {
    let (_folder, store) = store();
    put(&store, "a: 1\n", Value::Null);
    unload(&store);
    assert_eq!(durable::file_names(&store.layout.policies()).unwrap(), [""; 0]);
    load(&store, HERE, Replace::Refuse);
    assert_eq!(store.policy(&x()).unwrap(), None);
}

#[test]
fn denied_policy_of_a_component_to_one_from_another_source() {
    let (_folder, store) = store();
    put(&store, "a: 1\n", Value::Null);
    load(&store, ELSEWHERE, Replace::Allow);
    assert_eq!(store.policy(&x()).unwrap(), None);

    // The same, but the process dies before it removes the file that a person had written.
    fs::write(yaml(&store), "a: 2\n").unwrap();
    assert!(is_for(&found(&store), HERE), "nothing says whose it is");
    bind(&store.layout, &x(), ELSEWHERE).unwrap();
    assert!(is_for(&found(&store), ELSEWHERE) && !is_for(&found(&store), HERE));
}

#[test]
fn an_update_from_the_same_source_keeps_the_policy() {
    let (_folder, store) = store();
    put(&store, "a: 1\n", Value::Null);
    load(&store, HERE, Replace::Refuse);
    assert!(is_for(&found(&store), HERE));
}

#[test]
fn denied_leftovers_of_an_interrupted_unloading() {
    let (_folder, store) = store();
    put(&store, "a: 1\n", Value::Null);
    let files: Vec<(PathBuf, Vec<u8>)> = durable::file_names(&store.layout.policies())
        .unwrap()
        .iter()
        .map(|name| store.layout.policies().join(name))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    assert_eq!(files.len(), 2);
    unload(&store);
    for (path, bytes) in files {
        fs::write(path, bytes).unwrap();
    }
    load(&store, HERE, Replace::Refuse);
    assert_eq!(durable::file_names(&store.layout.policies()).unwrap(), [""; 0]);
}

#[test]
fn a_policy_that_was_laid_there_too_early_is_put_aside() {
    let (_folder, store) = store();
    unload(&store);
    fs::write(yaml(&store), "a: 1\n").unwrap();
    load(&store, HERE, Replace::Refuse);
    assert_eq!(store.policy(&x()).unwrap(), None);
    let aside = store.layout.policies().join("x.yaml.unused");
    assert_eq!(fs::read(aside).unwrap(), b"a: 1\n");
}

#[test]
fn a_damaged_index_does_not_cost_the_policy_of_a_component_that_is_loaded_again() {
    let (_folder, store) = store();
    put(&store, "a: 1\n", Value::Null);
    let tear = || {
        fs::write(store.layout.index(), "{ torn").unwrap();
        fs::remove_file(store.layout.index_copy()).unwrap();
    };
    tear();
    assert_eq!(load(&store, HERE, Replace::Refuse), Change::Added);
    assert_eq!(found(&store).text, "a: 1\n");

    tear();
    load(&store, ELSEWHERE, Replace::Refuse);
    assert_eq!(store.policy(&x()).unwrap(), None);
}

#[test]
fn denied_policy_that_others_could_have_written() {
    let (folder, store) = store();
    put(&store, "a: 1\n", Value::Null);
    let path = yaml(&store);
    for (target, mode) in [(&path, 0o602), (&path, 0o666), (&store.layout.policies(), 0o777)] {
        let good = fs::metadata(target).unwrap().mode() & 0o777;
        set_mode(target, mode);
        let error = store.policy(&x()).unwrap_err();
        assert!(matches!(error, StoreError::NotPrivate { .. }), "{mode:o}: {error}");
        set_mode(target, good);
    }
    set_mode(&path, 0o644);
    assert_eq!(found(&store).text, "a: 1\n");
    set_mode(&binding_path(&store.layout, &x()), 0o666);
    assert!(matches!(store.policy(&x()), Err(StoreError::NotPrivate { .. })));
    set_mode(&binding_path(&store.layout, &x()), 0o600);

    let target = folder.path().join("target.yaml");
    fs::rename(&path, &target).unwrap();
    symlink(&target, &path).unwrap();
    let error = store.policy(&x()).unwrap_err();
    assert!(error.to_string().ends_with("/x.yaml`: it is a link"), "{error}");

    fs::remove_file(&path).unwrap();
    fs::write(&path, "a: 1\n").unwrap();
    if chown(&path, Some(12345), None).is_err() {
        println!("SKIPPED: only root can give a file away");
        return;
    }
    let error = store.policy(&x()).unwrap_err();
    assert!(error.to_string().ends_with("it belongs to another user (uid 12345)"), "{error}");
}

#[test]
fn what_cannot_be_a_policy_is_refused() {
    let (_folder, store) = store();
    let longest = "#".repeat(MAX_POLICY_BYTES);
    put(&store, &longest, Value::Null);
    assert_eq!(found(&store).text, longest);

    let mut writer = store.write(LONG).unwrap();
    let error = writer.put_policy(&x(), &format!("{longest}#"), Value::Null, None).unwrap_err();
    assert!(matches!(error, StoreError::PolicyTooLarge { .. }), "{error}");
    let pins = json!(" ".repeat(MAX_BINDING_BYTES / 4));
    let error = writer.put_policy(&x(), "a: 1\n", pins, None).unwrap_err();
    assert!(matches!(error, StoreError::BindingTooLarge { .. }), "{error}");
    drop(writer);

    fs::write(yaml(&store), format!("{longest}#")).unwrap();
    assert!(matches!(store.policy(&x()), Err(StoreError::PolicyTooLarge { .. })));
    fs::write(yaml(&store), b"\xff").unwrap();
    assert!(matches!(store.policy(&x()), Err(StoreError::PolicyNotText { .. })));
    fs::remove_file(yaml(&store)).unwrap();
    fs::create_dir(yaml(&store)).unwrap();
    assert!(matches!(store.policy(&x()), Err(StoreError::Read { .. })));
}

#[test]
fn a_damaged_binding_gives_no_policy_and_is_written_anew() {
    let (_folder, store) = store();
    put(&store, "a: 1\n", Value::Null);
    for damaged in
        ["", "{", "{}", r#"{"version":2,"bindings":[]}"#, r#"{"version":1,"bindings":[]}"#]
    {
        fs::write(binding_path(&store.layout, &x()), damaged).unwrap();
        let error = store.policy(&x()).unwrap_err();
        assert!(matches!(error, StoreError::BindingDamaged { .. }), "{damaged}: {error}");
    }
    put(&store, "a: 2\n", Value::Null);
    assert_eq!(found(&store).text, "a: 2\n");
}

#[test]
fn what_a_person_wrote_is_pinned_once_and_stays_as_it_is() {
    let (_folder, store) = store();
    let pin = |stored: &StoredPolicy, pins| store.pin_policy(&x(), HERE, stored, pins, LONG);
    fs::write(yaml(&store), "by hand").unwrap();
    let unpinned = found(&store);
    assert_eq!(unpinned.binding, None);
    pin(&unpinned, json!(1)).unwrap();
    let pinned = found(&store);
    assert_eq!(pinned.text, "by hand");
    assert_eq!(pinned.binding, Some(Binding { pins: json!(1), ..Binding::unpinned(HERE) }));

    // Whoever saw it before that, or sees another text, changes nothing.
    pin(&unpinned, json!(2)).unwrap();
    pin(&StoredPolicy { text: "other".to_owned(), ..pinned.clone() }, json!(2)).unwrap();
    store.pin_policy(&x(), ELSEWHERE, &pinned, json!(2), LONG).unwrap_err();
    assert_eq!(found(&store), pinned);
    pin(&pinned, json!([1, 2])).unwrap();
    assert_eq!(found(&store).binding.unwrap().pins, json!([1, 2]));
    unload(&store);
    pin(&pinned, json!(1)).unwrap_err();
}

#[test]
fn denied_policy_to_other_bytes_than_those_it_is_pinned_to() {
    let (_folder, store) = store();
    let misfit = |source: &str, digest| found(&store).misfit(source, &digest);
    put_pinned(&store, "a: 1\n", Some(first()));
    let other = Digest::of(b"other");
    let to_another = Misfit::Source { granted_to: HERE.to_owned() };
    let to_these = Misfit::Digest { pinned: first() };
    for (source, digest, expected) in [
        (HERE, first(), None),
        (HERE, other, Some(to_these.clone())),
        (ELSEWHERE, first(), Some(to_another.clone())),
        (ELSEWHERE, other, Some(to_another)),
    ] {
        assert_eq!(misfit(source, digest), expected, "{source} {digest}");
    }

    // A person who edits the text, directories that are remembered and other bytes change nothing.
    fs::write(yaml(&store), "a: 2\n").unwrap();
    let seen = found(&store);
    store.pin_policy(&x(), HERE, &seen, json!(2), LONG).unwrap();
    let remembered = found(&store).binding.unwrap();
    assert_eq!(remembered, Binding { pins: json!(2), ..seen.binding.clone().unwrap() });
    load_bytes(&store, HERE, b"other", Replace::Refuse);
    assert_eq!(found(&store).text, "a: 2\n");
    assert_eq!(misfit(HERE, other), Some(to_these));
    let kept = found(&store);
    store.pin_policy(&x(), HERE, &kept, json!(3), LONG).unwrap();
    assert_eq!(found(&store), kept, "nothing is remembered for what it does not count for");
    load(&store, HERE, Replace::Refuse);
    assert_eq!(misfit(HERE, first()), None);

    // A grant that is not pinned, of the same text too, counts for all bytes.
    put_pinned(&store, "a: 2\n", None);
    assert_eq!(misfit(HERE, other), None);
}

#[test]
fn denied_pinned_policy_to_other_bytes_where_a_process_died_between_the_two_files() {
    let (_folder, store) = store();
    for before in ["a: 1\n", "a: edited\n"] {
        put_pinned(&store, "a: 1\n", Some(first()));
        fs::write(yaml(&store), before).unwrap();
        put_pinned(&store, "a: 2\n", None);
        fs::write(yaml(&store), before).unwrap();
        let pinned = Some(Misfit::Digest { pinned: first() });
        assert_eq!(found(&store).misfit(HERE, &Digest::of(b"other")), pinned);
    }
}

#[test]
fn every_policy_that_is_put_has_a_later_edition() {
    let (_folder, store) = store();
    let mut last = 0;
    let mut is_later = || {
        let before = std::mem::replace(&mut last, edition(&store));
        before < last
    };
    let again = || put(&store, "a: 1\n", Value::Null);
    let steps: [(&str, &dyn Fn()); 6] = [
        ("the first", &|| {}),
        ("the same text", &|| {}),
        ("after a person", &|| fs::write(yaml(&store), "a: 2\n").unwrap()),
        ("after its removal", &|| {
            let mut writer = store.write(LONG).unwrap();
            writer.remove_policy(&x()).unwrap();
            writer.commit().unwrap();
        }),
        ("after another component", &|| {
            unload(&store);
            load(&store, HERE, Replace::Refuse);
        }),
        ("after damage", &|| fs::write(binding_path(&store.layout, &x()), "{").unwrap()),
    ];
    for (name, step) in steps {
        step();
        again();
        assert!(is_later(), "{name}");
    }
    // As a process leaves it that dies before it publishes the index.
    let revision = store.index().unwrap().revision();
    let draft = Draft::new(&store.layout, &x(), "a: 1\n", Value::Null, None).unwrap();
    write(&store.layout, &x(), HERE, revision + 1, &draft).unwrap();
    assert!(is_later());
    again();
    assert!(is_later(), "after a death");
}

#[test]
fn a_binding_without_digest_and_edition_counts_for_all_bytes() {
    let (_folder, store) = store();
    fs::write(yaml(&store), "a: 1\n").unwrap();
    let digest = Digest::of(b"a: 1\n");
    let text = json!({
        "version": 1,
        "bindings": [{ "policy": digest, "source": HERE, "pins": [1] }],
    });
    fs::write(binding_path(&store.layout, &x()), text.to_string()).unwrap();
    let policy = found(&store);
    assert!(is_for(&policy, HERE) && policy.misfit(HERE, &Digest::of(b"other")).is_none());
    assert_eq!(policy.binding, Some(Binding { pins: json!([1]), ..Binding::unpinned(HERE) }));
}

#[test]
fn denied_policy_whose_pin_cannot_be_read() {
    let (_folder, store) = store();
    put_pinned(&store, "a: 1\n", Some(first()));
    let text = fs::read_to_string(binding_path(&store.layout, &x())).unwrap();
    for damaged in ["sha512:", "sha256:0"] {
        let damaged = text.replace("\"digest\":\"sha256:", &format!("\"digest\":\"{damaged}"));
        assert_ne!(damaged, text);
        fs::write(binding_path(&store.layout, &x()), damaged).unwrap();
        assert!(matches!(store.policy(&x()), Err(StoreError::BindingDamaged { .. })));
    }
}
