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

use child::{LONG, Random, Running, append, assert_whole, load, names};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wassette_store::audit::{AuditLog, AuditSettings, verify};
use wassette_store::{ComponentId, Digest, Store};

const ROUNDS: u64 = 60;

#[test]
fn as_a_child() {
    match child::role() {
        Some((role, directory)) if role == "short of files" => short_of_files(&directory),
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
    for round in 0..ROUNDS {
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
    for _ in 0..ROUNDS {
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
    let mut random = Random(5);
    // What waits for certain, and the highest number that was given.
    let (mut certain, mut highest) = (BTreeSet::new(), 0);
    for _ in 0..ROUNDS {
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
        assert_eq!(names(&store, "pending").len(), found.len() + usize::from(highest > 0));
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
    for _ in 0..ROUNDS {
        let mut writers = ["log", "log"].map(|role| Running::start(role, folder.path()));
        writers.iter_mut().for_each(|writer| writer.wait_for("ready"));
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
    let mut named: Vec<String> = index.entries().map(|entry| entry.digest.hex()).collect();
    named.sort();
    named.dedup();
    assert_eq!(names(store, "blobs/sha256"), named);
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
