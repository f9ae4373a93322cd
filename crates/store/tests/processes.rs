//! Several processes, and processes with other rights, on one store.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "this program is a test as a whole, which clippy only sees in its test functions"
)]

mod child;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use child::{LONG, Running, append, assert_whole, command, load, named, names};
use rustix::fs::Mode;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, geteuid, getrlimit, kill_process, setrlimit, umask,
};
use wassette_store::audit::{AuditError, AuditLog, AuditSettings, verify};
use wassette_store::{
    Artifact, ComponentId, Digest, Entry, Lockfile, Replace, Store, StoreError, default_dir,
};

/// A user that owns nothing.
const NOBODY: u32 = 65_534;

#[test]
fn as_a_child() {
    let Some((role, directory)) = child::role() else { return };
    match role.as_str() {
        "hold" => hold(&directory),
        "open umask" => write_with_open_umask(&directory),
        "read-only" => use_read_only(&directory),
        "log" => log_many(&directory),
        "update" => update_many(&directory),
        "full" => log_on_a_full_disk(&directory),
        "full-store" => change_on_a_full_disk(&directory),
        "default" => println!("default {}", default_dir().unwrap().display()),
        name => write_many(&directory, name),
    }
}

#[test]
fn two_processes_that_write_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let writers = ["left", "right"].map(|name| Running::start(name, folder.path()));
    writers.into_iter().for_each(Running::finish);

    let store = Store::open(folder.path()).unwrap();
    let index = store.index().unwrap();
    assert_eq!(index.revision(), 2 * 40);
    assert_eq!(index.len(), 2 * 10);
    assert_whole(&store);
    assert_eq!(names(&store, "blobs/sha256").len(), index.len());
}

#[test]
fn two_processes_that_update_one_component_leave_no_bytes_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    load(&store, "x", vec![0]).unwrap();
    let updaters = ["update", "update"].map(|role| Running::start(role, folder.path()));
    updaters.into_iter().for_each(Running::finish);

    let index = store.index().unwrap();
    let entry = index.find(&ComponentId::parse("x").unwrap()).unwrap();
    assert_eq!(entry.previous.len(), 2);
    assert_whole(&store);
    assert_eq!(names(&store, "blobs/sha256"), named(&index));
    let lock = Lockfile::read(&folder.path().join("wassette.lock")).unwrap();
    assert_eq!(lock, store.lockfile().unwrap());
}

#[test]
fn two_processes_that_log_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let writers = ["log", "log"].map(|role| Running::start(role, folder.path()));
    writers.into_iter().for_each(Running::finish);
    let report = verify(&store.audit_dir()).unwrap();
    assert_eq!((report.records, report.torn, report.problem), (1000, 0, None));
    assert!(report.files > 5);
}

#[test]
fn a_full_disk_is_an_error_and_the_log_goes_on_afterwards() {
    on_a_full_disk("full");
}

#[test]
fn a_full_disk_costs_nothing_of_what_is_stored() {
    on_a_full_disk("full-store");
}

/// Runs `role` where writing more than it may is an error, as on a full disk.
fn on_a_full_disk(role: &str) {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).unwrap();
    let child = command(role, folder.path());
    // The system kills who writes more than it may, unless it was told otherwise.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(child.get_program());
    shell.args(child.get_args()).stdout(Stdio::piped());
    for (name, value) in child.get_envs() {
        shell.env(name, value.unwrap());
    }
    Running::try_start(&mut shell).unwrap().finish();
}

#[tokio::test]
async fn a_change_by_another_process_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut watch = store.watch();
    let writer = Running::start("other", folder.path());
    let last = async {
        while store.index().unwrap().revision() < 40 {
            watch.changed().await;
        }
    };
    tokio::time::timeout(LONG, last).await.unwrap();
    writer.finish();
}

#[test]
fn a_holder_of_the_lock_is_named_and_its_death_frees_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut holder = Running::start("hold", folder.path());
    holder.wait_for("ready");
    kill_process(Pid::from_child(&holder.child), Signal::STOP).unwrap();

    let error = store.write(Duration::from_millis(20)).unwrap_err();
    let process = format!("(process {})", holder.child.id());
    assert!(error.to_string().ends_with(&process), "{error}");
    assert!(store.index().unwrap().is_empty(), "reading needs no lock");

    holder.kill();
    let index = store.write(LONG).unwrap().commit().unwrap();
    assert!(index.is_empty());
    assert_eq!(names(&store, "blobs/sha256"), [""; 0]);
}

#[test]
fn denied_e05_store_to_other_users_whatever_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("new/store");
    Running::start("open umask", &dir).finish();
    assert_private(&folder.path().join("new"));
}

#[test]
fn a_read_only_store_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let store = Store::open(&dir).unwrap();
    load(&store, "x", vec![1]).unwrap();
    drop(store);
    open_to_readers(folder.path());

    let mut reader = command("read-only", &dir);
    if geteuid().is_root() {
        // Root may write everywhere, so the reader is somebody else.
        reader.uid(NOBODY).gid(NOBODY);
    }
    match Running::try_start(&mut reader) {
        Ok(reader) => reader.finish(),
        Err(error) => println!("SKIPPED: no other user can start this program: {error}"),
    }
    fs::set_permissions(&dir, Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn the_folder_for_data_follows_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    for (data, home, expected) in [
        ("/data", "/home/me", "/data/wassette/components"),
        ("", "/home/me", "/home/me/.local/share/wassette/components"),
        ("relative", "/home/me", "/home/me/.local/share/wassette/components"),
    ] {
        let mut child = command("default", folder.path());
        child.env("XDG_DATA_HOME", data).env("HOME", home);
        let mut child = Running::try_start(&mut child).unwrap();
        child.wait_for(&format!("default {expected}"));
        child.finish();
    }
}

fn hold(directory: &Path) {
    let store = Store::open(directory).unwrap();
    let mut writer = store.write(LONG).unwrap();
    let artifact = Artifact::new(vec![1], "file:///x".to_owned());
    writer.put_blob(&artifact).unwrap();
    println!("ready");
    thread::sleep(LONG);
}

fn write_many(directory: &Path, name: &str) {
    let store = Store::open(directory).unwrap();
    for number in 0..40 {
        let id = format!("{name}{}", number % 10);
        load(&store, &id, format!("{name} {number}").into_bytes()).unwrap();
    }
}

/// Stages an update and accepts what waits then, which may be the other process's.
fn update_many(directory: &Path) {
    let store = Store::open(directory).unwrap();
    let id = ComponentId::parse("x").unwrap();
    let change = |change: &dyn Fn(&Entry) -> (Artifact, Entry)| {
        let mut writer = store.write(LONG).unwrap();
        let before = writer.index().find(&id).unwrap().clone();
        let (artifact, entry) = change(&before);
        writer.put_blob(&artifact).unwrap();
        writer.insert(entry, Replace::Refuse).unwrap();
        writer.commit().unwrap();
    };
    for number in 0..20 {
        let bytes = format!("{} {number}", std::process::id()).into_bytes();
        let artifact = Artifact::new(bytes, "file:///srv/x.wasm".to_owned());
        let metadata = serde_json::json!({ "copy": artifact.digest });
        let update = Entry::new(id.clone(), &artifact, 0, metadata).version();
        change(&|before| {
            let waiting = Some(update.clone());
            (artifact.clone(), Entry { quarantined: waiting, ..before.clone() })
        });
        change(&|before| {
            let waiting = before.quarantined.clone().unwrap_or_else(|| update.clone());
            (artifact.clone(), before.succeeded_by(waiting))
        });
    }
}

fn log_many(directory: &Path) {
    let store = Store::open(directory).unwrap();
    let settings = AuditSettings { max_bytes: 20_000, files: 1000 };
    let log = AuditLog::open(&store, settings).unwrap();
    for _ in 0..500 {
        append(&log, "x").unwrap();
    }
}

fn log_on_a_full_disk(directory: &Path) {
    let store = Store::open(directory).unwrap();
    let log = AuditLog::open(&store, AuditSettings::default()).unwrap();
    // The first line tells of what was lost before it.
    let (mut logged, mut lost) = (1, 0);
    let unlimited = getrlimit(Resource::Fsize);
    // Full from the start: there is no room for the head of the log.
    setrlimit(Resource::Fsize, Rlimit { current: Some(100), ..unlimited }).unwrap();
    for _ in 0..3 {
        append(&log, "x").unwrap_err();
        lost += 1;
        assert_eq!(verify(&store.audit_dir()).unwrap().problem, None);
    }
    for limit in (1000..3000).step_by(50) {
        setrlimit(Resource::Fsize, Rlimit { current: Some(limit), ..unlimited }).unwrap();
        let error = loop {
            match append(&log, "x") {
                Ok(_) => logged += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, AuditError::Store(StoreError::Write { .. })), "{error}");
        lost += 1;
        setrlimit(Resource::Fsize, unlimited).unwrap();
        append(&log, "x").unwrap();
        // With the line that tells of what is missing.
        logged += 2;
        let report = verify(&store.audit_dir()).unwrap();
        assert_eq!((report.records, report.torn, report.problem), (logged, 0, None));
        let gap = report.unwritten.unwrap();
        assert_eq!(gap.records, lost);
        assert!(gap.since.ends_with('Z') && gap.cause.contains("too large"), "{gap:?}");
    }
}

/// Every change either is made or is an error that leaves everything as it was.
fn change_on_a_full_disk(directory: &Path) {
    let store = Store::open(directory).unwrap();
    let id = ComponentId::parse("x").unwrap();
    load(&store, "x", vec![1; 64]).unwrap();
    let unlimited = getrlimit(Resource::Fsize);
    let (mut refused, mut made) = (0, 0);
    for limit in (0..3000).step_by(40) {
        let (before, policy) = (store.index().unwrap(), store.policy(&id).unwrap());
        setrlimit(Resource::Fsize, Rlimit { current: Some(limit), ..unlimited }).unwrap();
        let change = || {
            let mut writer = store.write(LONG)?;
            writer.put_policy(&id, &format!("a: {limit}\n"), serde_json::Value::Null, None)?;
            writer.commit()
        };
        let changed = change();
        let loaded = load(&store, "y", vec![2; usize::try_from(limit).unwrap()]);
        setrlimit(Resource::Fsize, unlimited).unwrap();

        let after = store.index().unwrap();
        assert!(after.damage().is_empty(), "{limit}: {:?}", after.damage());
        assert_eq!(after.find(&id), before.find(&id), "{limit}");
        // A policy is the old one or the new one; what bound it to its component may lag behind it.
        let now = store.policy(&id).unwrap().map(|policy| policy.text);
        let new = format!("a: {limit}\n");
        assert!(now == policy.map(|policy| policy.text) || now.as_ref() == Some(&new), "{now:?}");
        if changed.is_ok() {
            assert_eq!(now, Some(new), "{limit}");
            made += 1;
        } else {
            refused += 1;
        }
        assert!(loaded.is_err() || after.find(&ComponentId::parse("y").unwrap()).is_some());
    }
    assert!(refused > 5 && made > 5, "{refused} {made}");
    // The next change puts right what could not be written beside the index.
    load(&store, "z", vec![3]).unwrap();
    assert_eq!(store.check(), []);
}

fn write_with_open_umask(directory: &Path) {
    umask(Mode::empty());
    let store = Store::open(directory).unwrap();
    load(&store, "x", vec![1]).unwrap();
    store.cache_write("x", b"x").unwrap();
    store.cache_key().unwrap();
    let id = ComponentId::parse("x").unwrap();
    let mut writer = store.write(LONG).unwrap();
    writer.put_policy(&id, "a: 1\n", serde_json::Value::Null, None).unwrap();
    writer.commit().unwrap();
    store.set_secrets(&id, &[("KEY".to_owned(), "value".to_owned().into())]).unwrap();
    append(&AuditLog::open(&store, AuditSettings::default()).unwrap(), "x").unwrap();
    store.keep_pending(Digest::of(b"x"), serde_json::Value::Null, LONG).unwrap();
    fs::write(directory.join("index.json"), "damaged").unwrap();
    store.write(LONG).unwrap().commit().unwrap();
}

fn use_read_only(directory: &Path) {
    let store = Store::open(directory).unwrap();
    let index = store.index().unwrap();
    assert!(index.find(&ComponentId::parse("x").unwrap()).is_some());
    assert_eq!(store.blob(&Digest::of(&[1])).unwrap(), [1]);
    assert_eq!(store.cache_read("x").unwrap(), None);

    let error = store.write(LONG).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    assert!(matches!(store.cache_write("x", b""), Err(StoreError::ReadOnly { .. })));
    assert!(matches!(store.cache_key(), Err(StoreError::ReadOnly { .. })));
    let logged = AuditLog::open(&store, AuditSettings::default()).unwrap_err();
    assert!(matches!(logged, AuditError::Store(StoreError::ReadOnly { .. })), "{logged}");
    assert_eq!(verify(&store.audit_dir()).unwrap().problem, None);
    assert_eq!(store.pending().unwrap(), []);
    let asked = store.keep_pending(Digest::of(&[1]), serde_json::Value::Null, LONG).unwrap_err();
    assert!(matches!(asked, StoreError::ReadOnly { .. }), "{asked}");
    let missing = Store::open(&directory.join("missing")).unwrap_err();
    assert!(matches!(missing, StoreError::ReadOnly { .. }), "{missing}");
}

/// Checks that no one but this user can do anything with what is at `path` and below.
fn assert_private(path: &Path) {
    let metadata = fs::metadata(path).unwrap();
    assert_eq!(metadata.mode() & 0o077, 0, "{}", path.display());
    if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            assert_private(&entry.unwrap().path());
        }
    }
}

/// Lets everybody read and nobody write what is at `path` and below.
fn open_to_readers(path: &Path) {
    if fs::metadata(path).unwrap().is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            open_to_readers(&entry.unwrap().path());
        }
    }
    let mode = if path.is_dir() { 0o555 } else { 0o444 };
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}
