//! What waits for a person, for how long, and who gets it. Killed processes: `tests/crash.rs`.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::thread;

use serde_json::json;
use tempfile::TempDir;

use super::*;

const LONG: Duration = Duration::from_secs(60);

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    (folder, store)
}

fn key(number: usize) -> Digest {
    Digest::of(number.to_string().as_bytes())
}

fn keep(store: &Store, number: usize) -> u64 {
    store.keep_pending(key(number), json!({ "ask": number }), LONG).unwrap()
}

fn waiting(store: &Store) -> Vec<u64> {
    store.pending().unwrap().iter().map(|pending| pending.number).collect()
}

fn is_gone(taken: &Result<Pending, StoreError>, expected: u64) -> bool {
    matches!(taken, Err(StoreError::NoSuchPending { number }) if *number == expected)
}

/// Lays a file there as it would be had the request been made at another time.
fn write_at(store: &Store, number: u64, asked_at: u64) {
    let pending = Pending { number, key: key(0), asked_at, payload: Value::Null };
    write_own(&path(&store.layout, number), &to_text(pending).unwrap());
}

fn write_own(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    set_mode(path, 0o600);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Why the request cannot be taken, in words, which name its file.
fn refusal(store: &Store, number: u64) -> String {
    let error = store.take_pending(number, LONG).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, StoreError::PendingDamaged { .. }), "{text}");
    assert!(text.contains(&format!("/pending/{number}.json`")), "{text}");
    text
}

#[test]
fn what_is_kept_waits_in_order_until_it_is_taken() {
    let (_folder, store) = store();
    assert_eq!(store.pending().unwrap(), []);
    let before = now();
    let numbers: Vec<u64> = (1..=12).map(|number| keep(&store, number)).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<u64>>());
    assert_eq!(waiting(&store), numbers, "10 follows 9, and not 1");

    let again = Store::open(store.dir()).unwrap();
    let taken = again.take_pending(10, LONG).unwrap();
    assert_eq!((taken.number, taken.key, &taken.payload), (10, key(10), &json!({ "ask": 10 })));
    assert!((before..=now()).contains(&taken.asked_at));
    assert!(is_gone(&store.take_pending(10, LONG), 10));
    assert!(!waiting(&store).contains(&10));
}

#[test]
fn a_request_that_is_made_again_waits_once() {
    let (_folder, store) = store();
    let number = keep(&store, 1);
    let other = json!("another payload");
    assert_eq!(store.keep_pending(key(1), other, LONG).unwrap(), number);
    assert_eq!(store.pending().unwrap().first().unwrap().payload, json!({ "ask": 1 }));
    store.take_pending(number, LONG).unwrap();
    assert_eq!(keep(&store, 1), number + 1);
}

#[test]
fn denied_number_of_a_request_to_another_one() {
    let (_folder, store) = store();
    let mut last = keep(&store, 0);
    let next = |number| keep(&store, number);
    let mut is_new = |number| {
        let before = std::mem::replace(&mut last, number);
        before < number
    };
    // Taken, deleted by hand, lost with the process that was to write it, laid there by a person.
    store.take_pending(1, LONG).unwrap();
    assert!(is_new(next(1)));
    fs::remove_file(path(&store.layout, 2)).unwrap();
    assert!(is_new(next(2)));
    write_own(&last_path(&store.layout), b"7\n");
    assert!(is_new(next(3)));
    assert_eq!(waiting(&store), [3, 8]);
    write_own(&path(&store.layout, 20), b"");
    assert!(is_new(next(4)));
    // Where the last number is gone those that wait still count.
    fs::remove_file(last_path(&store.layout)).unwrap();
    assert!(is_new(next(5)));
    assert_eq!(waiting(&store), [3, 8, 21, 22]);
}

#[test]
fn a_last_number_that_cannot_be_read_is_an_error_with_a_cure() {
    let (_folder, store) = store();
    keep(&store, 1);
    for damaged in ["", "x", "-1", "18446744073709551615", "18446744073709551616", &"1".repeat(65)]
    {
        write_own(&last_path(&store.layout), damaged.as_bytes());
        let error = store.keep_pending(key(2), Value::Null, LONG).unwrap_err();
        assert!(matches!(error, StoreError::PendingDamaged { .. }), "{damaged}: {error}");
        assert!(error.to_string().contains("/pending/last`"), "{error}");
        assert_eq!(waiting(&store), [1]);
    }
    fs::remove_file(last_path(&store.layout)).unwrap();
    assert_eq!(keep(&store, 2), 2);
}

#[test]
fn denied_request_whose_time_is_over() {
    let (_folder, store) = store();
    keep(&store, 1);
    write_own(&last_path(&store.layout), b"100");
    let day = LIFETIME;
    for (number, asked_at, waits) in [
        (2, now() - day - 1, false),
        (3, now() - day + 60, true),
        (4, now() + day - 60, true),
        (5, now() + day + 60, false),
        (6, 0, false),
        (7, u64::MAX, false),
    ] {
        write_at(&store, number, asked_at);
        assert_eq!(waiting(&store).contains(&number), waits, "{number}");
        assert_eq!(path(&store.layout, number).exists(), waits, "{number}");

        write_at(&store, number, asked_at);
        assert_eq!(store.take_pending(number, LONG).is_ok(), waits, "{number}");
        assert!(!path(&store.layout, number).exists());

        write_at(&store, number, asked_at);
        let again = keep(&store, 0);
        assert_eq!(again == number, waits, "{number}: the same key");
        store.take_pending(again, LONG).unwrap();
    }
}

#[test]
fn no_more_wait_than_a_person_can_answer() {
    let (_folder, store) = store();
    let numbers: Vec<u64> = (1..=MAX_PENDING).map(|number| keep(&store, number)).collect();
    assert_eq!(waiting(&store), numbers);
    let error = store.keep_pending(key(0), Value::Null, LONG).unwrap_err();
    assert!(matches!(error, StoreError::PendingFull { limit: MAX_PENDING }), "{error}");
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert!(help.contains("`wassette permission pending`") && help.contains(" deny N`"), "{help}");
    assert_eq!(keep(&store, 7), 7, "what waits already");

    store.take_pending(7, LONG).unwrap();
    assert_eq!(keep(&store, 0), 65);
    // One whose time is over makes room.
    write_at(&store, 1, 0);
    assert_eq!(keep(&store, 66), 66);
}

#[test]
fn what_could_not_be_read_again_is_refused() {
    let (_folder, store) = store();
    let longest = " ".repeat(MAX_PENDING_BYTES - 2);
    let number = store.keep_pending(key(1), json!(longest), LONG).unwrap();
    assert_eq!(store.take_pending(number, LONG).unwrap().payload, json!(longest));

    let deep = (0..200).fold(Value::Null, |inner, _| json!([inner]));
    for (payload, reason) in
        [(json!(format!("{longest} ")), "more than 131072 bytes"), (deep, "recursion limit")]
    {
        let error = store.keep_pending(key(2), payload, LONG).unwrap_err();
        assert!(matches!(error, StoreError::PendingRefused { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert_eq!(waiting(&store), [0; 0]);
}

#[test]
fn denied_request_that_was_changed_or_that_others_could_have_made() {
    let (folder, store) = store();
    for number in 1..=9 {
        keep(&store, number);
    }
    let file = |number| path(&store.layout, number);
    let whole = fs::read(file(1)).unwrap();

    write_own(&file(2), whole.get(..whole.len() - 1).unwrap());
    assert!(refusal(&store, 2).contains("EOF"));
    write_own(&file(3), &whole);
    assert!(refusal(&store, 3).ends_with("it is that of the request 1"));
    let later = String::from_utf8(whole.clone()).unwrap().replace("\"version\":1", "\"version\":2");
    write_own(&file(4), later.as_bytes());
    assert!(refusal(&store, 4).ends_with("it has version 2, 1 can be read"));
    write_own(&file(5), &vec![b' '; MAX_FILE_BYTES + 1]);
    assert!(refusal(&store, 5).ends_with(&format!("it has more than {MAX_FILE_BYTES} bytes")));
    for mode in [0o604, 0o620, 0o602, 0o666] {
        set_mode(&file(6), mode);
        assert!(refusal(&store, 6).ends_with(&format!("others can use it (mode {mode:03o})")));
    }
    let target = folder.path().join("target.json");
    fs::rename(file(7), &target).unwrap();
    symlink(&target, file(7)).unwrap();
    assert!(refusal(&store, 7).ends_with("it is a link"));
    fs::remove_file(file(8)).unwrap();
    fs::create_dir(file(8)).unwrap();
    let error = store.take_pending(8, LONG).unwrap_err();
    assert!(matches!(&error, StoreError::Read { path, .. } if *path == file(8)), "{error}");

    let is_given_away = chown(file(9), Some(12345), None).is_ok();
    if is_given_away {
        assert!(refusal(&store, 9).ends_with("it belongs to another user (uid 12345)"));
    } else {
        println!("SKIPPED: only root can give a file away");
        store.take_pending(9, LONG).unwrap();
    }
    // What is wrong with them stays with them.
    assert_eq!(waiting(&store), [1]);
    assert_eq!(keep(&store, 10), 10);
    assert!((2..=7).all(|number| file(number).symlink_metadata().is_ok()));
    store.take_pending(1, LONG).unwrap();
}

#[test]
fn denied_requests_in_a_folder_of_others() {
    let (folder, store) = store();
    keep(&store, 1);
    let directory = store.layout.pending();
    let refuses = || {
        let is_refused = |error: StoreError| matches!(error, StoreError::NotPrivate { .. });
        store.pending().is_err_and(is_refused)
            && store.take_pending(1, LONG).is_err_and(is_refused)
            && store.keep_pending(key(2), Value::Null, LONG).is_err_and(is_refused)
    };
    assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
    for name in ["1.json", "last"] {
        assert_eq!(fs::metadata(directory.join(name)).unwrap().mode() & 0o777, 0o600);
    }
    set_mode(&directory, 0o777);
    assert!(refuses());
    set_mode(&directory, 0o700);
    fs::rename(&directory, folder.path().join("elsewhere")).unwrap();
    symlink(folder.path().join("elsewhere"), &directory).unwrap();
    assert!(refuses());
}

#[test]
fn names_that_are_no_numbers_are_left_alone() {
    let (_folder, store) = store();
    keep(&store, 1);
    let whole = fs::read(path(&store.layout, 1)).unwrap();
    let names = ["01.json", "+1.json", "1.json~", "x.json", "1.JSON", "18446744073709551616.json"];
    for name in names {
        write_own(&store.layout.pending().join(name), &whole);
    }
    assert_eq!(waiting(&store), [1]);
    store.take_pending(1, LONG).unwrap();
    assert_eq!(waiting(&store), [0; 0]);
    assert!(names.iter().all(|name| store.layout.pending().join(name).exists()));
}

#[test]
fn denied_request_to_a_second_who_takes_it() {
    let (_folder, store) = store();
    for round in 0..10 {
        let number = keep(&store, round);
        let taken = at_once(&store, 8, |store, _| match store.take_pending(number, LONG) {
            Ok(pending) => Some(pending.number),
            refused if is_gone(&refused, number) => None,
            refused => panic!("{refused:?}"),
        });
        assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), [number]);
    }
}

#[test]
fn many_who_ask_at_once_lose_nothing() {
    let (_folder, store) = store();
    let same = at_once(&store, 8, |store, _| keep(store, 0));
    assert_eq!(BTreeSet::from_iter(same), BTreeSet::from([1]));

    let numbers = at_once(&store, 8, |store, thread| {
        (0..5).map(|ask| keep(store, 1 + thread * 5 + ask)).collect::<Vec<_>>()
    });
    assert!(numbers.iter().all(|of_one| of_one.is_sorted()), "{numbers:?}");
    let numbers: BTreeSet<u64> = numbers.into_iter().flatten().collect();
    assert_eq!(numbers, (2..=41).collect());
    assert_eq!(waiting(&store), (1..=41).collect::<Vec<u64>>());
}

#[test]
fn a_reader_needs_no_turn_and_an_asker_does_not_wait_without_end() {
    let (_folder, store) = store();
    keep(&store, 1);
    let _writer = store.write(LONG).unwrap();
    assert_eq!(waiting(&store), [1]);
    let wait = Duration::from_millis(5);
    for refused in
        [store.keep_pending(key(2), Value::Null, wait).err(), store.take_pending(1, wait).err()]
    {
        assert!(matches!(refused, Some(StoreError::Busy { .. })), "{refused:?}");
    }
    assert_eq!(waiting(&store), [1]);
}

/// Has so many threads do something at the same time, each with a handle of its own on the store,
/// as processes have.
fn at_once<T: Send>(
    store: &Store,
    threads: usize,
    act: impl Fn(&Store, usize) -> T + Sync,
) -> Vec<T> {
    let barrier = std::sync::Barrier::new(threads);
    let act = |number| {
        let store = Store::open(store.dir()).unwrap();
        barrier.wait();
        act(&store, number)
    };
    thread::scope(|scope| {
        let act = &act;
        let running: Vec<_> = (0..threads).map(|number| scope.spawn(move || act(number))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
