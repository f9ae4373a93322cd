//! Each file of a store, damaged in each way: nothing becomes wider, nothing that could be recovered is
//! lost, and it is told.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use wassette_testkit::{CommandOutput, TestEnv};

use crate::env;

const NOTES: &str = r#"{"path": "/workspace/data/notes.txt"}"#;
const SECRET: &str = r#"{"path": "/workspace/data/secret.txt"}"#;
const CANARY: &str = "CANARY";

/// A way in which a file can be damaged, and its name.
type Way = (&'static str, fn(&Path));

const WAYS: [Way; 6] = [
    ("a flipped bit", |path| {
        let mut bytes = fs::read(path).unwrap();
        if let Some(first) = bytes.first_mut() {
            *first ^= 1;
        }
        fs::write(path, bytes).unwrap();
    }),
    ("cut in half", |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    }),
    ("emptied", |path| fs::write(path, b"").unwrap()),
    ("removed", |path| fs::remove_file(path).unwrap()),
    ("a link", |path| {
        fs::remove_file(path).unwrap();
        symlink("/etc/hostname", path).unwrap();
    }),
    ("a folder", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
];

fn example(name: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    format!("{root}/{name}/{name}.wasm")
}

/// A store with two components, a policy that allows and denies, a secret and a decision log.
fn populated() -> TestEnv {
    let env = env();
    env.write("data/notes.txt", "remember the milk");
    env.write("data/secret.txt", CANARY);
    env.write(
        "policy.yaml",
        "version: \"1.0\"\npermissions:\n  storage:\n    allow:\n      - { uri: \"fs://workspace/data\", access: [read] }\n    \
         deny:\n      - { uri: \"fs://workspace/data/secret.txt\" }\n",
    );
    for arguments in [
        vec!["component".to_owned(), "load".to_owned(), example("filesystem")],
        vec!["component".to_owned(), "load".to_owned(), example("text-stats")],
    ] {
        let _ = env.run(arguments).success();
    }
    let _ = env.run(["policy", "set", "filesystem", "policy.yaml", "--yes"]).success();
    let _ = env.run_with_input(["secret", "set", "filesystem", "KEY", "--from-stdin"], "value");
    assert!(reads(&env, NOTES).contains("milk"));
    assert!(!reads(&env, SECRET).contains(CANARY));
    env
}

fn reads(env: &TestEnv, arguments: &str) -> String {
    let output = env.run(["tool", "invoke", "read-file", "--args", arguments]);
    all(&output)
}

fn all(output: &CommandOutput) -> String {
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    format!("{}{}", output.stdout, output.stderr)
}

/// The files below `root`, with what is in them.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.symlink_metadata().unwrap() {
                about if about.is_dir() => left.push(path),
                about if about.is_file() => {
                    let bytes = fs::read(&path).unwrap();
                    found.insert(path.strip_prefix(root).unwrap().to_owned(), bytes);
                }
                _ => {}
            }
        }
    }
    found
}

/// What is made anew without a word, for nothing is lost with it.
fn is_made_anew(file: &Path) -> bool {
    // Code is sealed with the key: under another one it is compiled again.
    let key = file == Path::new("key");
    key || file.starts_with("cache") || file.starts_with("tmp") || file.ends_with(".lock")
}

#[test]
fn denied_any_damage_of_one_file_that_widens_loses_or_goes_untold() {
    let env = populated();
    let (store, sound) = (env.store_dir(), env.home().join("sound"));
    let copy = |from: &Path, to: &Path| {
        let _ = fs::remove_dir_all(to);
        assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
    };
    copy(&store, &sound);
    let before = files(&sound);
    assert!(before.len() >= 10, "{:?}", before.keys());
    for file in before.keys() {
        for (way, damage) in WAYS {
            copy(&sound, &store);
            damage(&store.join(file));
            let case = format!("{}: {way}", file.display());

            let checked = env.run(["component", "check"]);
            let told = all(&checked);
            // A policy that is gone is one that somebody took away.
            let may_be_gone = file.starts_with("policies") || file.starts_with("secrets");
            let may_be_sound = is_made_anew(file) || (may_be_gone && way == "removed");
            assert!(checked.code != Some(0) || may_be_sound, "{case}: {told}");
            assert!(!reads(&env, SECRET).contains(CANARY), "{case}");

            // A change by somebody who does not look at what is damaged.
            let _ = env.run(["component", "load", &example("text-stats"), "--prefix", "again"]);
            let after = files(&store);
            for (other, bytes) in &before {
                let is_kept = other == file
                    || after.get(other) == Some(bytes)
                    || is_made_anew(other)
                    || ["index.json", "index.copy.json", "wassette.lock"]
                        .map(Path::new)
                        .contains(&&**other)
                    || other.starts_with("audit");
                assert!(is_kept, "{case}: `{}` is not as it was", other.display());
            }
            assert!(!reads(&env, SECRET).contains(CANARY), "{case}, after a change");
            all(&env.run(["component", "list"]));
        }
    }
}

#[test]
fn a_store_without_its_index_is_listed_refused_and_mended() {
    let env = populated();
    let listed = env.run(["component", "list"]).success().stdout;
    fs::remove_file(env.store_dir().join("index.json")).unwrap();
    let damaged = env.run(["component", "list"]);
    assert_eq!(damaged.code, Some(1));
    assert!(damaged.stdout.contains("text-stats") && damaged.stdout.contains("filesystem"));
    assert!(damaged.stderr.contains("error: the store is damaged: "), "{}", damaged.stderr);
    // The next change mends it.
    let _ = env.run(["component", "load", &example("text-stats")]).success();
    assert_eq!(env.run(["component", "list"]).success().stdout, listed);
    let whole = env.run(["component", "check", "-o", "table"]).success();
    assert_eq!(whole.stdout, "the store is whole\n");
    assert!(reads(&env, NOTES).contains("milk"));
}

#[test]
fn an_index_that_cannot_be_read_fails_every_list() {
    let env = populated();
    let index = env.store_dir().join("index.json");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, text.replacen("\"version\": 1", "\"version\": 99", 1)).unwrap();
    for arguments in [["component", "list"], ["tool", "list"], ["component", "check"]] {
        let refused = env.run(arguments);
        assert_eq!(refused.code, Some(1), "{arguments:?}");
        assert!(all(&refused).contains("has version 99"), "{arguments:?}: {}", refused.stderr);
    }
}
