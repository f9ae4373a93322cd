//! What the log keeps, who may append to it, and which changes to it are found.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::*;
use crate::{Digest, Store, StoreError};

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    (folder, store)
}

fn open(store: &Store) -> AuditLog {
    AuditLog::open(store, AuditSettings::default()).unwrap()
}

/// A log of small files: about three records each.
fn open_small(store: &Store, files: u32) -> AuditLog {
    AuditLog::open(store, AuditSettings { max_bytes: 420, files }).unwrap()
}

fn record(number: u64) -> Map<String, Value> {
    let time = humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_secs(number));
    let Value::Object(record) = json!({
        "time": time.to_string(),
        "component": if number.is_multiple_of(2) { "even" } else { "odd" },
        "decision": "denied",
        "n": number,
    }) else {
        panic!()
    };
    record
}

fn append(log: &AuditLog, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        assert_eq!(log.append(&record(number)).unwrap(), number);
    }
}

fn report(store: &Store) -> VerifyReport {
    verify(&store.audit_dir()).unwrap()
}

#[test]
fn a_kill_between_two_files_leaves_a_sound_log() {
    let (_folder, store) = store();
    append(&open(&store), 1..=3);
    // What a turn to the next file writes first.
    let directory = store.audit_dir();
    let head = fs::read_to_string(directory.join("head.json")).unwrap();
    let mut turned: Value = serde_json::from_str(&head).unwrap();
    turned["file"] = json!(4);
    turned["bytes"] = json!(0);
    fs::write(directory.join("head.json"), format!("{:<255}\n", turned.to_string())).unwrap();
    assert_eq!(report(&store).problem, None);
    append(&open(&store), 4..=4);
    assert_eq!(report(&store).problem, None);
    assert_eq!(report(&store).records, 4);
}

fn problem(store: &Store) -> (String, u64, String) {
    let problem = report(store).problem.expect("something is wrong");
    let file = problem.file.file_name().unwrap().to_str().unwrap().to_owned();
    (file, problem.line, problem.what)
}

fn wanted(store: &Store, filter: Filter) -> Vec<u64> {
    records(&store.audit_dir(), filter)
        .unwrap()
        .filter_map(|record| record.unwrap().get("n").and_then(Value::as_u64))
        .collect()
}

fn log_file(store: &Store, number: u64) -> PathBuf {
    files::log_path(&store.audit_dir(), number)
}

/// Everything in the directory of the log.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

fn restore(directory: &Path, contents: &BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for (path, bytes) in contents {
        fs::write(path, bytes).unwrap();
    }
}

fn add(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn what_is_appended_is_read_in_order_and_verifies() {
    let (_folder, store) = store();
    assert_eq!(report(&store), VerifyReport::default());
    assert_eq!(wanted(&store, Filter::default()), [0; 0]);

    append(&open(&store), 1..=5);
    append(&open(&store), 6..=10);
    assert_eq!(wanted(&store, Filter::default()), Vec::from_iter(1..=10));
    let expected = VerifyReport { files: 1, records: 10, ..VerifyReport::default() };
    assert_eq!(report(&store), expected);
    let text = fs::read_to_string(log_file(&store, 1)).unwrap();
    let first = text.lines().next().unwrap();
    let start =
        format!(r#"{{"seq":1,"prev":"{}","time":"1970-01-01T00:00:01.000Z","#, Digest::of(b""));
    assert!(first.starts_with(&start), "{first}");
    let second = text.lines().nth(1).unwrap();
    assert!(second.contains(&Digest::of(first.as_bytes()).to_string()), "{second}");
}

#[test]
fn records_are_found_by_what_they_say() {
    let (_folder, store) = store();
    let log = open_small(&store, 8);
    append(&log, 1..=9);
    let mut with_call = record(10);
    with_call.insert("call".to_owned(), json!("c1"));
    with_call.insert("decision".to_owned(), json!("allowed"));
    with_call.remove("time");
    log.append(&with_call).unwrap();

    let text = |text: &str| Some(text.to_owned());
    let all = Filter::default;
    assert_eq!(wanted(&store, Filter { component: text("odd"), ..all() }), [1, 3, 5, 7, 9]);
    assert_eq!(wanted(&store, Filter { call: text("c1"), ..all() }), [10]);
    assert_eq!(wanted(&store, Filter { decision: text("denied"), ..all() }).len(), 9);
    let since = Some(UNIX_EPOCH + Duration::from_secs(8));
    assert_eq!(wanted(&store, Filter { since, ..all() }), [8, 9, 10]);
    assert_eq!(wanted(&store, Filter { since, component: text("odd"), ..all() }), [9]);
}

#[test]
fn old_files_go_and_the_chain_goes_on() {
    let (_folder, store) = store();
    let log = open_small(&store, 3);
    append(&log, 1..=20);
    let numbers = files::numbers(&store.audit_dir()).unwrap();
    assert_eq!(numbers.len(), 3);
    assert!(numbers[0] > 1);
    let left = wanted(&store, Filter::default());
    assert_eq!(left, Vec::from_iter(left[0]..=20));
    let expected = VerifyReport { files: 3, records: left.len() as u64, ..VerifyReport::default() };
    assert_eq!(report(&store), expected);
    for number in numbers {
        assert!(fs::metadata(log_file(&store, number)).unwrap().len() <= 420);
    }
}

#[test]
fn several_logs_and_threads_append_to_one_chain() {
    let (_folder, store) = store();
    let logs = [open_small(&store, 1000), open_small(&store, 1000)];
    thread::scope(|scope| {
        for thread in 0..6 {
            let log = &logs[thread % 2];
            scope.spawn(move || {
                for number in 0..50 {
                    log.append(&record(number)).unwrap();
                }
            });
        }
    });
    let report = report(&store);
    assert_eq!((report.records, report.problem), (300, None));
}

#[test]
fn only_this_user_can_use_the_log() {
    let (_folder, store) = store();
    append(&open(&store), 1..=1);
    let directory = store.audit_dir();
    assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
    for path in contents(&directory).keys() {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o600, "{}", path.display());
    }
    fs::set_permissions(&directory, Permissions::from_mode(0o777)).unwrap();
    let error = AuditLog::open(&store, AuditSettings::default()).unwrap_err();
    assert!(matches!(error, AuditError::Store(StoreError::NotPrivate { .. })), "{error}");
}

#[test]
fn a_record_that_cannot_be_kept_is_refused_and_leaves_nothing() {
    let (_folder, store) = store();
    let log = open(&store);
    append(&log, 1..=1);
    for field in ["seq", "prev", "recovered"] {
        let mut record = record(2);
        record.insert(field.to_owned(), json!(1));
        let error = log.append(&record).unwrap_err();
        assert!(matches!(error, AuditError::Reserved { .. }), "{error}");
    }
    let mut long = record(2);
    long.insert("target".to_owned(), json!("x".repeat(chain::MAX_LINE)));
    let error = log.append(&long).unwrap_err();
    assert!(matches!(error, AuditError::TooLong { .. }), "{error}");
    append(&log, 2..=2);
    assert_eq!(report(&store).records, 2);
}

#[test]
fn denied_line_of_the_log_that_a_record_forges() {
    let (_folder, store) = store();
    let log = open(&store);
    let mut forged = record(1);
    let line = "x\"}\n{\"seq\":2,\"prev\":\"\"}\r\u{85}\u{2028}";
    forged.insert("target".to_owned(), json!(line));
    forged.insert("a\"\n".to_owned(), json!(1));
    log.append(&forged).unwrap();
    assert_eq!(fs::read_to_string(log_file(&store, 1)).unwrap().lines().count(), 1);
    let found = records(&store.audit_dir(), Filter::default()).unwrap().next().unwrap().unwrap();
    assert_eq!(found["target"], line);
    assert_eq!(report(&store).problem, None);
}

#[test]
fn denied_link_in_the_place_of_a_file_of_the_log() {
    for name in ["log-000000000001.jsonl", "head.json", ".lock"] {
        let (folder, store) = store();
        let target = folder.path().join("target");
        fs::write(&target, "").unwrap();
        drop(open(&store));
        let path = store.audit_dir().join(name);
        fs::remove_file(&path).ok();
        symlink(&target, &path).unwrap();
        let opened = AuditLog::open(&store, AuditSettings::default());
        assert!(opened.and_then(|log| log.append(&record(1))).is_err(), "{name}");
        assert_eq!(fs::read(&target).unwrap(), b"", "{name}");
    }
}

#[test]
fn who_stops_in_the_middle_of_a_record_holds_up_nobody_for_long() {
    let (_folder, store) = store();
    let log = open(&store);
    let lock = fs::File::open(files::lock_path(&store.audit_dir())).unwrap();
    lock.lock().unwrap();
    let waits = [(); 3].map(|()| match log.append(&record(1)).unwrap_err() {
        AuditError::Busy { waited, .. } => waited,
        other => panic!("{other}"),
    });
    assert!(waits[0] >= files::PATIENCE);
    assert!(waits[1..].iter().all(|waited| *waited < files::PATIENCE), "{waits:?}");
    lock.unlock().unwrap();
    // After the line that tells of the three.
    assert_eq!(log.append(&record(1)).unwrap(), 2);
    let gap = report(&store).unwritten.unwrap();
    assert_eq!(gap.records, 3);
    assert!(gap.cause.starts_with("waited "), "{}", gap.cause);
}

/// A log with a chain over several files, of which the oldest are gone.
fn chain_of_files() -> (TempDir, Store) {
    let (folder, store) = store();
    append(&open_small(&store, 3), 1..=14);
    assert_eq!(report(&store).problem, None);
    assert_eq!(files::numbers(&store.audit_dir()).unwrap().len(), 3);
    (folder, store)
}

/// Checks that what was done to the log is found, now and after others have appended to it.
fn assert_found(store: &Store, what: &str) {
    assert!(report(store).problem.is_some(), "{what}");
    open_small(store, 3000).append(&record(99)).unwrap();
    assert!(report(store).problem.is_some(), "{what}, after an append");
}

#[test]
fn denied_change_of_any_byte_of_the_log() {
    let (_folder, store) = chain_of_files();
    let whole = contents(&store.audit_dir());
    for (path, bytes) in &whole {
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            fs::write(path, changed).unwrap();
            let found = report(&store);
            assert!(found.problem.is_some(), "{}, byte {position}", path.display());
        }
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(report(&store).problem, None);
}

#[test]
fn denied_removal_of_any_end_of_a_file_of_the_log() {
    let (_folder, store) = chain_of_files();
    let whole = contents(&store.audit_dir());
    for (path, bytes) in &whole {
        for length in (0..bytes.len()).step_by(7).chain(bytes.len().checked_sub(1)) {
            fs::write(path, &bytes[..length]).unwrap();
            assert_found(&store, &format!("{} cut to {length}", path.display()));
            restore(&store.audit_dir(), &whole);
        }
    }
}

#[test]
fn denied_removal_of_a_file_of_the_log() {
    let (_folder, store) = chain_of_files();
    let directory = store.audit_dir();
    let whole = contents(&directory);
    for path in whole.keys().filter(|path| !path.ends_with(".lock")) {
        fs::remove_file(path).unwrap();
        assert_found(&store, &path.display().to_string());
        restore(&directory, &whole);
    }
    for path in whole.keys().filter(|path| path.extension().is_some_and(|end| end == "jsonl")) {
        fs::remove_file(path).unwrap();
    }
    assert_found(&store, "all files");
}

#[test]
fn denied_removal_insertion_and_exchange_of_lines_of_the_log() {
    let (_folder, store) = chain_of_files();
    let directory = store.audit_dir();
    let whole = contents(&directory);
    let forged = br#"{"seq":3,"prev":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#;
    for (path, bytes) in &whole {
        if path.extension().is_none_or(|ending| ending != "jsonl") {
            continue;
        }
        let lines: Vec<&[u8]> = bytes.strip_suffix(b"\n").unwrap().split(|b| *b == b'\n').collect();
        for position in 0..lines.len() {
            let mut tampered = Vec::new();
            let mut with = |change: &dyn Fn(&mut Vec<&[u8]>)| {
                let mut changed = lines.clone();
                change(&mut changed);
                tampered.push(changed);
            };
            with(&|lines| {
                lines.remove(position);
            });
            with(&|lines| lines.insert(position, lines[position]));
            with(&|lines| lines.insert(position, forged));
            with(&|lines| lines.insert(position + 1, forged));
            with(&|lines| lines.insert(position + 1, b"no record"));
            with(&|lines| lines.insert(position, b""));
            with(&|lines| lines[position] = forged);
            with(&|lines| lines[position] = br#"{"recovered":{"torn":10}}"#);
            if position + 1 < lines.len() {
                with(&|lines| lines.swap(position, position + 1));
            }
            for (number, lines) in tampered.iter().enumerate() {
                let text = [lines.join(&b'\n'), b"\n".to_vec()].concat();
                fs::write(path, text).unwrap();
                assert_found(&store, &format!("{} line {position}, {number}", path.display()));
                restore(&directory, &whole);
            }
        }
    }
}

#[test]
fn a_problem_is_told_with_its_place() {
    let (_folder, store) = store();
    append(&open(&store), 1..=5);
    let directory = store.audit_dir();
    let whole = contents(&directory);
    let path = log_file(&store, 1);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let tampered = |lines: &[&str]| {
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let (file, line, what) = problem(&store);
        assert_eq!(file, "log-000000000001.jsonl");
        format!("{line}: {what}")
    };
    let edited = lines[1].replace("even", "odd");
    for (lines, expected) in [
        (
            vec![lines[0], &edited, lines[2], lines[3], lines[4]],
            "3: record 2 was changed: this line names another before it",
        ),
        (vec![lines[0], lines[1], lines[4]], "3: records 3 to 4 are missing before this line"),
        (
            vec![lines[0], lines[2], lines[1], lines[3], lines[4]],
            "2: record 2 is missing before this line",
        ),
        (
            vec![lines[0], lines[1], lines[0], lines[2], lines[3], lines[4]],
            "3: record 1 stands after record 2: it was moved or inserted",
        ),
        (
            vec![lines[0], "x", lines[1], lines[2], lines[3], lines[4]],
            "2: the line is no record: it was changed or inserted",
        ),
        (vec![lines[0], lines[1], lines[2]], "0: records 4 to 5 are missing from its end"),
    ] {
        assert_eq!(tampered(&lines), expected);
    }
    restore(&directory, &whole);
    fs::remove_file(&path).unwrap();
    assert_eq!(problem(&store).2, "records 1 to 5 are missing from its end");
    restore(&directory, &whole);
    fs::remove_file(files::head_path(&directory)).unwrap();
    assert_eq!(problem(&store).0, "head.json");
}

/// The line that would come next.
fn next_line(store: &Store, fields: &Map<String, Value>) -> Vec<u8> {
    let head = fs::File::open(files::head_path(&store.audit_dir())).unwrap();
    head::Head::read(&head).unwrap().0.tail().line(fields).unwrap().0
}

#[test]
fn a_line_that_was_never_finished_is_told_and_is_no_problem() {
    let (_folder, store) = store();
    append(&open(&store), 1..=2);
    let directory = store.audit_dir();
    let whole = contents(&directory);
    let line = next_line(&store, &record(3));
    for length in 1..line.len() - 1 {
        add(&log_file(&store, 1), &line[..length]);
        let found = report(&store);
        assert_eq!((found.records, found.torn, found.problem), (2, 1, None), "{length}");
        assert_eq!(open(&store).append(&record(4)).unwrap(), 4);
        let found = report(&store);
        assert_eq!((found.records, found.torn, found.problem), (4, 1, None), "{length}");
        assert_eq!(wanted(&store, Filter::default()), [1, 2, 4]);
        restore(&directory, &whole);
    }
    // It lacks its line feed and nothing else.
    add(&log_file(&store, 1), &line[..line.len() - 1]);
    assert_eq!(report(&store).problem, None);
    append(&open(&store), 4..=4);
    assert_eq!(wanted(&store, Filter::default()), [1, 2, 3, 4]);
    assert_eq!(report(&store).torn, 0);
}

#[test]
fn the_line_that_tells_of_an_unfinished_one_may_be_unfinished_itself() {
    let (_folder, store) = store();
    append(&open(&store), 1..=2);
    let directory = store.audit_dir();
    let whole = contents(&directory);
    let torn = &next_line(&store, &record(3))[..30];
    let recovered = chain::Recovered { torn: 31, ..chain::Recovered::default() };
    let second = next_line(&store, &resume::fields(recovered));
    for length in 1..second.len() - 1 {
        add(&log_file(&store, 1), torn);
        add(&log_file(&store, 1), b"\n");
        add(&log_file(&store, 1), &second[..length]);
        assert_eq!(report(&store).problem, None, "{length}");
        open(&store).append(&record(4)).unwrap();
        let found = report(&store);
        assert_eq!((found.records, found.torn, found.problem), (4, 1, None), "{length}");
        restore(&directory, &whole);
    }
}

#[test]
fn a_head_that_is_behind_is_no_problem() {
    let (_folder, store) = store();
    let directory = store.audit_dir();
    let mut heads = Vec::new();
    let log = open_small(&store, 100);
    for number in 1..=12 {
        append(&log, number..=number);
        heads.push(fs::read(files::head_path(&directory)).unwrap());
        let whole = contents(&directory);
        for head in heads.iter().rev().take(2) {
            fs::write(files::head_path(&directory), head).unwrap();
            assert_eq!(report(&store).problem, None, "{number}");
            append(&open_small(&store, 100), number + 1..=number + 2);
            assert_eq!(report(&store).problem, None, "{number}");
            restore(&directory, &whole);
        }
    }
}

#[test]
fn a_rotation_may_be_interrupted_anywhere() {
    let (_folder, store) = store();
    let directory = store.audit_dir();
    append(&open_small(&store, 2), 1..=6);
    let oldest = files::numbers(&directory).unwrap()[0];
    let old = fs::read(log_file(&store, oldest)).unwrap();

    // The next file is there and empty.
    fs::write(log_file(&store, 7), b"").unwrap();
    assert_eq!(report(&store).problem, None);
    append(&open_small(&store, 2), 7..=12);
    assert_eq!(report(&store).problem, None);

    // A file that was to be removed is still there.
    assert!(!log_file(&store, oldest).exists());
    fs::write(log_file(&store, oldest), old).unwrap();
    assert_eq!(report(&store).problem, None);
    append(&open_small(&store, 2), 13..=18);
    assert!(!log_file(&store, oldest).exists());
    assert_eq!(report(&store).problem, None);
}

#[test]
fn an_open_log_notices_what_others_did_to_its_files() {
    let (_folder, store) = store();
    let log = open(&store);
    append(&log, 1..=2);
    append(&open(&store), 3..=3);
    append(&log, 4..=4);
    assert_eq!(report(&store).problem, None);

    for name in [log_file(&store, 1), files::head_path(&store.audit_dir())] {
        fs::remove_file(name).unwrap();
        log.append(&record(5)).unwrap();
        assert!(report(&store).problem.is_some());
        assert_eq!(wanted(&store, Filter::default()).last(), Some(&5));
    }
}
