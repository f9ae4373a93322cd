//! A process dies, or runs out of what it needs, at any moment: the store is as it was or as it
//! was to become.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "this program is a test as a whole, which clippy only sees in its test functions"
)]

mod child;

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::Duration;

use child::{LONG, Random, Running, append, assert_whole, load, named, names};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wassette_store::audit::{AuditLog, AuditSettings, verify};
use wassette_store::{
    Artifact, Companion, CompanionRole, ComponentId, Digest, Entry, Origin, Replace, Store,
};

/// How many processes each test kills: 60, or as many as `CRASH_ROUNDS` says.
fn rounds() -> u64 {
    std::env::var("CRASH_ROUNDS").map_or(60, |rounds| rounds.parse().unwrap())
}

#[test]
fn as_a_child() {
    match child::role() {
        Some((role, directory)) if role == "short of files" => short_of_files(&directory),
        Some((role, directory)) if role.starts_with("update ") => {
            update_without_end(&directory, number_in("update ", &role).unwrap());
        }
        Some((role, directory)) if role == "grant" => grant_without_end(&directory),
        Some((role, directory)) if role == "ask" => ask_without_end(&directory),
        Some((role, directory)) if role == "log" => log_without_end(&directory),
        Some((seed, directory)) => write_without_end(&directory, seed.parse().unwrap()),
        None => {}
    }
}

#[test]
fn killed_at_any_moment_the_old_or_the_new_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut random = Random(2);
    for round in 0..rounds() {
        let before = store.index().unwrap().revision();
        let mut writer = Running::start(&round.to_string(), folder.path());
        writer.wait_for("ready");
        thread::sleep(Duration::from_micros(random.below(30_000)));
        let told = number_after("committed ", &writer.kill()).unwrap_or(before);

        let store = Store::open(folder.path()).unwrap();
        let found = store.index().unwrap().revision();
        assert!(found == told || found == told + 1, "{told} was committed, {found} is there");
        assert_whole(&store);
        assert_clean_after_writing(&store);
    }
}

#[test]
fn killed_at_any_moment_the_versions_are_the_old_or_the_new() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut random = Random(6);
    let mut seen = BTreeSet::new();
    for round in 0..rounds() {
        let mut old = state(&store);
        let mut updater = Running::start(&format!("update {round}"), folder.path());
        updater.wait_for("ready");
        // However slow the machine is, each has come to something before it is killed.
        let committed: Vec<String> =
            (0..random.below(6)).map(|_| updater.wait_for("committed ")).collect();
        thread::sleep(Duration::from_micros(random.below(10_000)));
        let lines = [committed, updater.kill()].concat();
        let mut new = old.clone();
        for line in &lines {
            match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
                ["commits", word] => new = word.to_owned(),
                ["committed", word, by] => {
                    (old, new) = (word.to_owned(), word.to_owned());
                    seen.insert(by.to_owned());
                }
                _ => {}
            }
        }

        let store = Store::open(folder.path()).unwrap();
        let found = state(&store);
        assert!(found == old || found == new, "neither the old nor the new is there: {lines:?}");
        assert_whole(&store);
        assert_clean_after_writing(&store);
    }
    let all = ["accept", "load", "reject", "rollback", "stage", "unload"].map(str::to_owned);
    assert_eq!(seen, BTreeSet::from(all));
}

#[test]
fn without_free_file_handles_the_old_or_the_new_is_there() {
    let folder = tempfile::tempdir().unwrap();
    Running::start("short of files", folder.path()).finish();
}

#[test]
fn killed_at_any_moment_the_old_or_the_new_policy_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let id = ComponentId::parse("x").unwrap();
    load(&store, "x", vec![1]).unwrap();
    let source = store.index().unwrap().find(&id).unwrap().source.clone();
    let mut random = Random(3);
    let mut last = None;
    for _ in 0..rounds() {
        let mut writer = Running::start("grant", folder.path());
        writer.wait_for("ready");
        thread::sleep(Duration::from_micros(random.below(30_000)));
        last = number_after("granted ", &writer.kill()).or(last);

        let store = Store::open(folder.path()).unwrap();
        let policy = store.policy(&id).unwrap();
        let found = policy.map(|policy| {
            assert_eq!(policy.misfit(&source, &Digest::of(&[1])), None);
            let number: u64 = policy.text.lines().next().unwrap().parse().unwrap();
            assert_eq!(policy.text, grant(number), "a part of it");
            assert_eq!(policy.binding.unwrap().pins, serde_json::json!(number));
            number
        });
        assert!(found == last || found == Some(last.map_or(0, |last| last + 1)));
        last = found;
        assert_clean_after_writing(&store);
    }
    assert!(last.is_some(), "nothing was ever granted");
}

#[test]
fn killed_at_any_moment_what_waits_was_asked_and_what_was_taken_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    // The first may be killed before it has made its folders.
    Store::open(folder.path()).unwrap().write(LONG).unwrap().commit().unwrap();
    let mut random = Random(5);
    // What waits for certain, and the highest number that was given.
    let (mut certain, mut highest) = (BTreeSet::new(), 0);
    for _ in 0..rounds() {
        let mut asker = Running::start("ask", folder.path());
        asker.wait_for("ready");
        thread::sleep(Duration::from_micros(random.below(30_000)));
        let mut taken = BTreeSet::new();
        let lines = asker.kill();
        for line in &lines {
            if let Some(number) = number_in("kept ", line) {
                assert!(number > highest, "{number} was used before");
                highest = number;
                certain.insert(number);
            }
            // Whether it was taken before the kill is open until the child says so.
            certain.remove(&number_in("takes ", line).unwrap_or_default());
            taken.extend(number_in("took ", line));
        }
        let store = Store::open(folder.path()).unwrap();
        let found: BTreeSet<u64> = store
            .pending()
            .unwrap()
            .into_iter()
            .map(|pending| {
                assert_eq!(pending.payload, payload(pending.key), "a part of it");
                pending.number
            })
            .collect();
        // Beside them lies the last number that was used.
        let files = names(&store, "pending").into_iter().filter(|name| name != "last");
        assert_eq!(files.count(), found.len());
        assert!(certain.is_subset(&found) && taken.is_disjoint(&found), "{lines:?}: {found:?}");
        certain = found;
        highest = highest.max(certain.last().copied().unwrap_or_default());
        assert_clean_after_writing(&store);
    }
    assert!(highest > 0, "nothing was ever asked");
}

#[test]
fn killed_at_any_moment_the_log_has_all_that_was_said_to_be_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut random = Random(4);
    let mut least = 0;
    for _ in 0..rounds() {
        let mut writers = ["log", "log"].map(|role| Running::start(role, folder.path()));
        writers.iter_mut().for_each(|writer| drop(writer.wait_for("ready")));
        thread::sleep(Duration::from_micros(random.below(20_000)));
        for writer in writers {
            least = least.max(number_after("logged ", &writer.kill()).unwrap_or(0));
        }
        let report = verify(&store.audit_dir()).unwrap();
        assert_eq!(report.problem, None);
        assert!(report.records >= least);
    }
    assert!(least > 0, "nothing was ever logged");
}

/// The last number that a line says after `word`.
fn number_after(word: &str, lines: &[String]) -> Option<u64> {
    lines.iter().rev().find_map(|line| number_in(word, line))
}

fn number_in(word: &str, line: &str) -> Option<u64> {
    line.split_once(word)?.1.parse().ok()
}

fn assert_clean_after_writing(store: &Store) {
    let index = store.write(LONG).unwrap().commit().unwrap();
    assert_eq!(names(store, "tmp"), [""; 0]);
    assert_eq!(names(store, "blobs/sha256"), named(&index));
    let lock = std::fs::read_to_string(store.dir().join("wassette.lock")).unwrap();
    assert_eq!(lock, store.lockfile().unwrap().to_text());
}

fn write_without_end(directory: &Path, seed: u64) {
    let mut random = Random(seed);
    let store = Store::open(directory).unwrap();
    println!("ready");
    loop {
        let name = format!("x{}", random.below(4));
        let id = ComponentId::parse(&name).unwrap();
        let bytes = vec![random.below(256) as u8; 1 + random.below(200_000) as usize];
        if random.below(4) == 0 && store.index().unwrap().find(&id).is_some() {
            let mut writer = store.write(LONG).unwrap();
            writer.remove(&id).unwrap();
            writer.commit().unwrap();
        } else {
            load(&store, &name, bytes).unwrap();
        }
        println!("committed {}", store.index().unwrap().revision());
    }
}

/// What the store knows of the component `x`, in a word.
fn state(store: &Store) -> String {
    let index = store.index().unwrap();
    let entry = index.find(&ComponentId::parse("x").unwrap()).map(AsRef::as_ref);
    word(entry)
}

fn word(entry: Option<&Entry>) -> String {
    Digest::of(&serde_json::to_vec(&entry).unwrap()).hex()
}

/// Some bytes with two companions, of which all versions have one in common.
fn artifact(random: &mut Random) -> Artifact {
    let bytes = vec![random.below(256) as u8; 1 + random.below(100_000) as usize];
    let mut artifact = Artifact::new(bytes, "oci://registry.example/x".to_owned());
    let companions = [b"config".to_vec(), vec![random.below(256) as u8; 1000]];
    artifact.companions = companions.map(|bytes| (Digest::of(&bytes), bytes)).into();
    let companion = |(digest, bytes): &(Digest, Vec<u8>)| Companion {
        digest: *digest,
        size: bytes.len() as u64,
        media_type: "application/x".to_owned(),
        role: CompanionRole::Layer,
    };
    artifact.origin = Some(Origin {
        reference: "oci://registry.example/x:1".to_owned(),
        manifest: Some(artifact.digest),
        signer: None,
        companions: artifact.companions.iter().map(companion).collect(),
    });
    artifact
}

/// Loads, stages, accepts, rejects, rolls back and unloads one component, as the dice fall.
fn update_without_end(directory: &Path, seed: u64) {
    let mut random = Random(seed + 1);
    let store = Store::open(directory).unwrap();
    let id = ComponentId::parse("x").unwrap();
    println!("ready");
    loop {
        let artifact = artifact(&mut random);
        let metadata = serde_json::json!({ "copy": artifact.digest });
        let fresh = Entry::new(id.clone(), &artifact, 0, metadata);
        let mut writer = store.write(LONG).unwrap();
        let before = writer.index().find(&id).cloned();
        let (by, next) = match (before.as_deref().cloned(), random.below(12)) {
            (None, _) => ("load", Some(fresh)),
            (Some(_), 0) => ("unload", None),
            (Some(entry), 1) => ("reject", Some(Entry { quarantined: None, ..entry })),
            (Some(entry), 2..6) => match entry.quarantined.clone() {
                Some(waiting) => ("accept", Some(entry.succeeded_by(waiting))),
                None => continue,
            },
            (Some(entry), 6 | 7) => match entry.previous.first().cloned() {
                Some(back) => ("rollback", Some(entry.succeeded_by(back))),
                None => continue,
            },
            (Some(entry), _) => {
                ("stage", Some(Entry { quarantined: Some(fresh.version()), ..entry }))
            }
        };
        writer.put_blob(&artifact).unwrap();
        println!("commits {}", word(next.as_ref()));
        match next.clone() {
            Some(entry) => drop(writer.insert(entry, Replace::Refuse).unwrap()),
            None => drop(writer.remove(&id).unwrap()),
        }
        writer.commit().unwrap();
        println!("committed {} {by}", word(next.as_ref()));
    }
}

/// The policy with this number, of a length of its own.
fn grant(number: u64) -> String {
    format!("{number}\n").repeat(1 + usize::try_from(number % 7).unwrap() * 1000)
}

fn grant_without_end(directory: &Path) {
    let store = Store::open(directory).unwrap();
    let id = ComponentId::parse("x").unwrap();
    let first = store
        .policy(&id)
        .unwrap()
        .map_or(0, |policy| policy.text.lines().next().unwrap().parse::<u64>().unwrap() + 1);
    println!("ready");
    for number in first.. {
        let mut writer = store.write(LONG).unwrap();
        writer.put_policy(&id, &grant(number), serde_json::json!(number), None).unwrap();
        writer.commit().unwrap();
        println!("granted {number}");
    }
}

/// What is asked for under this key, of a length of its own.
fn payload(key: Digest) -> serde_json::Value {
    let length = 1 + usize::from(key.as_bytes()[0]) * 100;
    serde_json::json!({ "ask": key.hex().repeat(length / 64 + 1) })
}

fn ask_without_end(directory: &Path) {
    let store = Store::open(directory).unwrap();
    println!("ready");
    for number in 0_u64.. {
        let key = Digest::of(format!("{} {number}", std::process::id()).as_bytes());
        println!("kept {}", store.keep_pending(key, payload(key), LONG).unwrap());
        let waiting = store.pending().unwrap();
        if waiting.len() > 4 {
            let first = waiting[0].number;
            println!("takes {first}");
            let taken = store.take_pending(first, LONG).unwrap();
            assert_eq!(taken.payload, payload(taken.key));
            println!("took {first}");
        }
    }
}

fn log_without_end(directory: &Path) {
    let store = Store::open(directory).unwrap();
    let settings = AuditSettings { max_bytes: 100_000, files: 100_000 };
    let log = AuditLog::open(&store, settings).unwrap();
    println!("ready");
    loop {
        println!("logged {}", append(&log, "x").unwrap());
    }
}

/// Lets a load fail at its first, second, third … file that it opens, until it succeeds.
fn short_of_files(directory: &Path) {
    let store = Store::open(directory).unwrap();
    load(&store, "x", vec![0]).unwrap();
    let whole = getrlimit(Resource::Nofile);
    let mut failures = 0;
    for number in 0..64 {
        let before = store.index().unwrap();
        setrlimit(Resource::Nofile, Rlimit { current: Some(number), ..whole }).unwrap();
        let loaded = load(&store, "x", vec![1, u8::try_from(number).unwrap()]);
        setrlimit(Resource::Nofile, whole).unwrap();
        assert_whole(&store);
        if loaded.is_err() {
            failures += 1;
            let after = store.index().unwrap();
            assert!(after.revision() <= before.revision() + 1);
        } else {
            assert_eq!(store.index().unwrap().revision(), before.revision() + 1);
        }
    }
    assert!(failures > 0, "the limit never mattered");
    assert_clean_after_writing(&store);
}
