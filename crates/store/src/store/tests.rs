//! What a store keeps, what it refuses and what it does with damage. What happens between
//! processes: `tests/`.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::thread;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{Artifact, Change, ComponentId, Entry, Replace};

const LONG: Duration = Duration::from_secs(60);

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("a/store")).unwrap();
    (folder, store)
}

fn id(text: &str) -> ComponentId {
    ComponentId::parse(text).unwrap()
}

fn artifact(contents: &str) -> Artifact {
    Artifact::new(contents.as_bytes().to_vec(), "file:///srv/x.wasm".to_owned())
}

fn entry(name: &str, artifact: &Artifact) -> Entry {
    Entry::new(id(name), artifact, 1_700_000_000, json!({ "tools": [name] }))
}

fn load(store: &Store, name: &str, artifact: &Artifact) -> Result<Change, StoreError> {
    let mut writer = store.write(LONG)?;
    writer.put_blob(artifact)?;
    let change = writer.insert(entry(name, artifact), Replace::Refuse)?;
    writer.commit()?;
    Ok(change)
}

fn blobs(store: &Store) -> BTreeSet<String> {
    durable::file_names(&store.layout.blobs()).unwrap().into_iter().collect()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_new_store_is_empty_and_untouched() {
    let (_folder, store) = store();
    let index = store.index().unwrap();
    assert!(index.is_empty() && index.damage().is_empty());
    assert_eq!(index.revision(), 0);
    assert_eq!(durable::file_names(store.dir()).unwrap(), [""; 0]);
}

#[test]
fn what_is_committed_is_found_by_every_handle() {
    let (_folder, store) = store();
    let bytes = artifact("one");
    assert_eq!(load(&store, "x", &bytes).unwrap(), Change::Added);

    let again = Store::open(store.dir()).unwrap();
    let index = again.index().unwrap();
    assert_eq!((index.len(), index.revision()), (1, 1));
    assert_eq!(**index.find(&id("x")).unwrap(), entry("x", &bytes));
    assert_eq!(again.blob(&bytes.digest).unwrap(), b"one");
}

#[test]
fn nothing_is_seen_before_the_commit_and_nothing_stays_without_it() {
    let (_folder, store) = store();
    let bytes = artifact("one");
    let mut writer = store.write(LONG).unwrap();
    writer.put_blob(&bytes).unwrap();
    writer.insert(entry("x", &bytes), Replace::Refuse).unwrap();
    assert!(store.index().unwrap().is_empty());
    drop(writer);
    assert!(store.index().unwrap().is_empty());

    let index = store.write(LONG).unwrap().commit().unwrap();
    assert_eq!(index.revision(), 0);
    assert!(blobs(&store).is_empty());
}

#[test]
fn a_snapshot_outlives_what_it_shows() {
    let (_folder, store) = store();
    load(&store, "x", &artifact("one")).unwrap();
    let before = store.index().unwrap();
    let mut writer = store.write(LONG).unwrap();
    let removed = writer.remove(&id("x")).unwrap();
    assert_eq!(removed.id, id("x"));
    let after = writer.commit().unwrap();

    assert_eq!((before.len(), before.revision()), (1, 1));
    assert_eq!((after.len(), after.revision()), (0, 2));
    assert!(blobs(&store).is_empty());
    let missing = store.blob(&artifact("one").digest).unwrap_err();
    assert!(matches!(missing, StoreError::BlobMissing { .. }), "{missing}");
}

#[test]
fn an_id_stays_with_its_source_unless_told_otherwise() {
    let (_folder, store) = store();
    let old = artifact("one");
    load(&store, "x", &old).unwrap();
    let new = Artifact::new(b"two".to_vec(), "file:///other/x.wasm".to_owned());

    let error = load(&store, "x", &new).unwrap_err();
    assert_eq!(
        error.to_string(),
        "component `x` is already loaded from `file:///srv/x.wasm`, refused to load it from \
         `file:///other/x.wasm`"
    );
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert!(help.contains("`--replace`"), "{help}");
    assert_eq!(store.index().unwrap().revision(), 1);

    let mut writer = store.write(LONG).unwrap();
    writer.put_blob(&new).unwrap();
    let change = writer.insert(entry("x", &new), Replace::Allow).unwrap();
    assert_eq!(change, Change::Replaced { previous: Arc::new(entry("x", &old)) });
    writer.commit().unwrap();
    assert_eq!(blobs(&store), BTreeSet::from([new.digest.hex()]));
}

#[test]
fn the_same_source_is_an_update() {
    let (_folder, store) = store();
    let (old, new) = (artifact("one"), artifact("two"));
    load(&store, "x", &old).unwrap();
    let change = load(&store, "x", &new).unwrap();
    assert_eq!(change, Change::Updated { previous: Arc::new(entry("x", &old)) });
    assert_eq!(blobs(&store), BTreeSet::from([new.digest.hex()]));
}

#[test]
fn bytes_that_two_components_share_stay_for_the_second() {
    let (_folder, store) = store();
    let bytes = artifact("one");
    load(&store, "x", &bytes).unwrap();
    load(&store, "y", &bytes).unwrap();
    let mut writer = store.write(LONG).unwrap();
    writer.remove(&id("x")).unwrap();
    writer.commit().unwrap();
    assert_eq!(store.blob(&bytes.digest).unwrap(), b"one");
}

#[test]
fn what_is_not_there_cannot_be_entered_or_removed() {
    let (_folder, store) = store();
    let mut writer = store.write(LONG).unwrap();
    let error = writer.insert(entry("x", &artifact("one")), Replace::Allow).unwrap_err();
    assert!(matches!(error, StoreError::BlobMissing { .. }), "{error}");
    let error = writer.remove(&id("x")).unwrap_err();
    assert!(matches!(error, StoreError::NotLoaded { .. }), "{error}");
}

#[test]
fn damaged_bytes_are_told_and_loading_again_repairs_them() {
    let (_folder, store) = store();
    let bytes = artifact("one");
    load(&store, "x", &bytes).unwrap();
    let path = store.layout.blob(&bytes.digest);
    for damaged in [&b"on"[..], b"", b"onf", b"one more"] {
        fs::write(&path, damaged).unwrap();
        let error = store.blob(&bytes.digest).unwrap_err();
        assert!(
            matches!(&error, StoreError::BlobDamaged { found, .. } if *found == Digest::of(damaged)),
            "{error}"
        );
        load(&store, "x", &bytes).unwrap();
        assert_eq!(store.blob(&bytes.digest).unwrap(), b"one");
    }
}

#[test]
fn a_damaged_index_is_put_aside_and_its_bytes_stay() {
    let (_folder, store) = store();
    let (one, two) = (artifact("one"), artifact("two"));
    load(&store, "x", &one).unwrap();
    let before = store.index().unwrap().revision();
    fs::write(store.layout.index(), b"{ torn").unwrap();
    fs::remove_file(store.layout.index_copy()).unwrap();
    // The lock file says what is lost.
    let damaged = store.index().unwrap();
    assert!(damaged.damage()[1].starts_with("`x` was loaded from "), "{:?}", damaged.damage());

    let mut writer = store.write(LONG).unwrap();
    let quarantined = writer.quarantined().unwrap().to_owned();
    assert_eq!(fs::read(&quarantined).unwrap(), b"{ torn");
    writer.put_blob(&two).unwrap();
    writer.insert(entry("y", &two), Replace::Refuse).unwrap();
    let index = writer.commit().unwrap();
    assert!(index.revision() > before);
    assert!(store.index().unwrap().damage().is_empty());
    assert_eq!(blobs(&store).len(), 2);

    fs::remove_file(quarantined).unwrap();
    let writer = store.write(LONG).unwrap();
    assert_eq!(writer.quarantined(), None);
    writer.commit().unwrap();
    assert_eq!(blobs(&store), BTreeSet::from([two.digest.hex()]));
}

/// A way in which a file can be damaged, and its name.
type Way = (&'static str, fn(&Path));

const DAMAGE: [Way; 7] = [
    ("cut", |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    }),
    ("emptied", |path| fs::write(path, b"").unwrap()),
    ("flipped", |path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replacen("/srv/x.wasm", "/srv/y.wasm", 1)).unwrap();
    }),
    ("garbled", |path| fs::write(path, b"\xff\0{").unwrap()),
    ("removed", |path| fs::remove_file(path).unwrap()),
    ("a link", |path| {
        fs::remove_file(path).unwrap();
        symlink("/etc/passwd", path).unwrap();
    }),
    ("a folder", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
];

#[test]
fn a_damaged_index_costs_nothing_while_its_copy_is_there() {
    for (how, damage) in DAMAGE {
        let (_folder, store) = store();
        let (one, two) = (artifact("one"), artifact("two"));
        load(&store, "x", &one).unwrap();
        load(&store, "y", &two).unwrap();
        let before = store.index().unwrap();
        damage(&store.layout.index());

        let found = store.index().unwrap();
        assert!(!found.damage().is_empty() && !found.is_incomplete(), "{how}");
        assert_eq!(found.to_entries(), before.to_entries(), "{how}");
        let writer = store.write(LONG).unwrap();
        assert_eq!(writer.quarantined(), None, "{how}");
        let after = writer.commit().unwrap();
        assert!(after.revision() > before.revision(), "{how}");
        assert!(store.index().unwrap().damage().is_empty(), "{how}");
        assert_eq!(store.index().unwrap().to_entries(), before.to_entries(), "{how}");
        assert_eq!(blobs(&store).len(), 2, "{how}");
    }
}

#[test]
fn damage_beside_a_sound_index_is_put_right_by_the_next_writer() {
    for (how, damage) in DAMAGE {
        let (_folder, store) = store();
        load(&store, "x", &artifact("one")).unwrap();
        let files = [store.layout.index_copy(), store.layout.lockfile()];
        let before = files.each_ref().map(|file| fs::read(file).unwrap());
        for file in &files {
            damage(file);
        }
        assert!(store.index().unwrap().damage().is_empty(), "{how}");
        store.write(LONG).unwrap().commit().unwrap();
        assert_eq!(files.map(|file| fs::read(file).unwrap()), before, "{how}");
    }
}

/// What no index names any more is not removed, and the lock file stays, until somebody says that all
/// is well.
#[test]
fn what_is_lost_is_named_and_nothing_of_it_is_removed() {
    for (how, damage) in DAMAGE {
        let (_folder, store) = store();
        let (one, two) = (artifact("one"), artifact("two"));
        load(&store, "x", &one).unwrap();
        let locked = fs::read(store.layout.lockfile()).unwrap();
        damage(&store.layout.index());
        damage(&store.layout.index_copy());

        let found = store.index().unwrap();
        assert!(found.is_incomplete(), "{how}");
        load(&store, "y", &two).unwrap();
        assert_eq!(blobs(&store).len(), 2, "{how}");
        assert_eq!(fs::read(store.layout.lockfile()).unwrap(), locked, "{how}");
        let aside = store.layout.quarantined_index(1);
        assert!(aside.symlink_metadata().is_ok(), "{how}");

        // Loaded again, and the trace taken away: all is as it was, and the record goes on.
        load(&store, "x", &one).ok();
        match aside.is_dir() {
            true => fs::remove_dir(aside).unwrap(),
            false => fs::remove_file(aside).unwrap(),
        }
        store.write(LONG).unwrap().commit().unwrap();
        let names = |text: &[u8]| String::from_utf8_lossy(text).matches("\"id\"").count();
        assert_eq!(names(&fs::read(store.layout.lockfile()).unwrap()), 2, "{how}");
        assert_eq!(blobs(&store).len(), 2, "{how}");
    }
}

#[test]
fn a_store_of_an_older_program_opens_as_before_and_gets_its_copy() {
    let (_folder, store) = store();
    load(&store, "x", &artifact("one")).unwrap();
    let text = fs::read_to_string(store.layout.index()).unwrap();
    let older: Vec<&str> = text.lines().filter(|line| !line.contains("\"sum\"")).collect();
    fs::write(store.layout.index(), older.join("\n")).unwrap();
    fs::remove_file(store.layout.index_copy()).unwrap();
    let index = store.index().unwrap();
    assert!(index.damage().is_empty() && index.len() == 1);
    store.write(LONG).unwrap().commit().unwrap();
    assert!(store.layout.index_copy().is_file());
    // All unloaded is not damaged.
    let mut writer = store.write(LONG).unwrap();
    writer.remove(&id("x")).unwrap();
    writer.commit().unwrap();
    assert!(store.index().unwrap().damage().is_empty());
}

#[test]
fn every_damaged_index_is_kept_apart() {
    let (_folder, store) = store();
    for number in 1..=3 {
        fs::write(store.layout.index(), format!("{number}")).unwrap();
        let writer = store.write(LONG).unwrap();
        assert_eq!(writer.quarantined().unwrap(), store.layout.quarantined_index(number));
    }
}

#[test]
fn an_index_of_a_later_version_is_left_alone() {
    let (_folder, store) = store();
    let later = br#"{ "version": 2 }"#;
    fs::write(store.layout.index(), later).unwrap();
    assert!(matches!(store.index(), Err(StoreError::IndexTooNew { .. })));
    assert!(matches!(store.write(LONG), Err(StoreError::IndexTooNew { .. })));
    assert_eq!(fs::read(store.layout.index()).unwrap(), later);
}

#[test]
fn a_second_writer_waits_and_then_names_the_first() {
    let (_folder, store) = store();
    let writer = store.write(LONG).unwrap();
    let error = store.write(Duration::from_millis(20)).unwrap_err();
    let StoreError::Busy { holder, waited, .. } = &error else { panic!("{error}") };
    assert_eq!(*holder, Some(std::process::id()));
    assert!(*waited >= Duration::from_millis(20));
    drop(writer);
    store.write(Duration::ZERO).unwrap();
}

#[test]
fn writers_in_parallel_lose_nothing() {
    let (_folder, store) = store();
    thread::scope(|scope| {
        for number in 0..50 {
            let store = &store;
            scope.spawn(move || {
                load(store, "same", &artifact("same")).unwrap();
                load(store, &format!("x{number}"), &artifact(&format!("{number}"))).unwrap();
            });
        }
    });
    let index = store.index().unwrap();
    assert_eq!(index.len(), 51);
    assert!(index.entries().all(|entry| store.blob(&entry.digest).is_ok()));
    assert_eq!(blobs(&store).len(), 51);
}

#[test]
fn leftovers_of_the_dead_are_removed_but_not_under_a_writer() {
    let (_folder, store) = store();
    load(&store, "x", &artifact("one")).unwrap();
    let leftover = store.layout.staging().join(".tmp123");

    fs::write(&leftover, b"half").unwrap();
    Store::open(store.dir()).unwrap();
    assert!(!leftover.exists());

    let writer = store.write(LONG).unwrap();
    fs::write(&leftover, b"half").unwrap();
    Store::open(store.dir()).unwrap();
    assert!(leftover.exists());
    drop(writer);
    store.write(LONG).unwrap();
    assert!(!leftover.exists());
}

#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let link = folder.path().join("link");
    fs::create_dir(&dir).unwrap();
    symlink(&dir, &link).unwrap();
    for mode in [0o777, 0o1777, 0o702] {
        set_mode(&dir, mode);
        for path in [&dir, &link] {
            let error = Store::open(path).unwrap_err();
            assert!(matches!(error, StoreError::NotPrivate { .. }), "{mode:o}: {error}");
        }
    }
    set_mode(&dir, 0o755);
    assert_eq!(Store::open(&link).unwrap().dir(), dir.canonicalize().unwrap());
}

#[test]
fn a_directory_of_another_user_or_group_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    fs::create_dir(&dir).unwrap();
    set_mode(&dir, 0o770);
    Store::open(&dir).unwrap();
    if chown(&dir, None, Some(12345)).is_err() {
        println!("SKIPPED: only root can give a directory away");
        return;
    }
    set_mode(&dir, 0o770);
    assert!(matches!(Store::open(&dir), Err(StoreError::NotPrivate { .. })));
    set_mode(&dir, 0o750);
    Store::open(&dir).unwrap();
    chown(&dir, Some(12345), None).unwrap();
    let error = Store::open(&dir).unwrap_err();
    assert!(error.to_string().ends_with("it belongs to another user (uid 12345)"), "{error}");
}

#[test]
fn what_cannot_be_a_directory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let dangling: PathBuf = folder.path().join("dangling");
    symlink(folder.path().join("missing"), &dangling).unwrap();
    for path in [&file, &file.join("below"), &dangling] {
        assert!(matches!(Store::open(path), Err(StoreError::Write { .. })), "{}", path.display());
    }
}
