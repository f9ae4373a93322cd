//! A second process for a test: the test's own program, told by its environment what to do.
//!
//! A test file that uses this has a test `as_a_child`, which asks for its [`role`] and does
//! nothing if there is none.

#![allow(dead_code, reason = "each test file is a program of its own and uses a part of this")]

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use wassette_store::audit::{AuditError, AuditLog};
use wassette_store::{
    Artifact, Change, ComponentId, Entry, Index, Replace, Store, StoreError, Version,
};

/// Far more than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(60);

const ROLE: &str = "STORE_TEST_ROLE";
const DIRECTORY: &str = "STORE_TEST_DIRECTORY";

/// What this process was started to do, and where.
pub(crate) fn role() -> Option<(String, PathBuf)> {
    Some((std::env::var(ROLE).ok()?, std::env::var_os(DIRECTORY)?.into()))
}

/// The command that starts a child; what it prints can be read.
pub(crate) fn command(role: &str, directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["as_a_child", "--exact", "--nocapture"])
        .env(ROLE, role)
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped());
    command
}

/// A running child, which is killed at the latest when this is dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub(crate) fn start(role: &str, directory: &Path) -> Self {
        Self::try_start(&mut command(role, directory)).unwrap()
    }

    pub(crate) fn try_start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.spawn()?;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Ok(Self { child, lines })
    }

    /// Reads what the child says until a line has `word`, and returns that line.
    pub(crate) fn wait_for(&mut self, word: &str) -> String {
        let found = self.lines.find_map(|line| Some(line.unwrap()).filter(|it| it.contains(word)));
        found.unwrap_or_else(|| panic!("the child never said {word}"))
    }

    /// Kills the child where it stands and returns what it had said that was not read yet.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.by_ref().map_while(Result::ok).collect()
    }

    /// Waits until the child has ended well.
    pub(crate) fn finish(mut self) {
        let said: Vec<String> = self.lines.by_ref().map_while(Result::ok).collect();
        assert!(self.child.wait().unwrap().success(), "{}", said.join("\n"));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended before; then there is nothing to do.
        if self.child.kill().is_ok() {
            self.child.wait().ok();
        }
    }
}

/// Loads a component of these bytes and returns what that did.
pub(crate) fn load(store: &Store, name: &str, bytes: Vec<u8>) -> Result<Change, StoreError> {
    let artifact = Artifact::new(bytes, format!("file:///srv/{name}.wasm"));
    let mut writer = store.write(LONG)?;
    writer.put_blob(&artifact)?;
    let entry = Entry::new(
        ComponentId::parse(name).unwrap(),
        &artifact,
        0,
        json!({ "copy": artifact.digest }),
    );
    let change = writer.insert(entry, Replace::Refuse)?;
    writer.commit()?;
    Ok(change)
}

/// Appends one record to the log and returns its number.
pub(crate) fn append(log: &AuditLog, who: &str) -> Result<u64, AuditError> {
    let fields = [("component".to_owned(), json!(who)), ("decision".to_owned(), json!("denied"))];
    log.append(&fields.into_iter().collect())
}

/// Checks that all that the index names is there and whole.
pub(crate) fn assert_whole(store: &Store) {
    let index = store.index().unwrap();
    assert_eq!(index.damage(), [""; 0]);
    for version in index.entries().flat_map(|entry| versions(entry)) {
        let bytes = store.blob(&version.digest).unwrap();
        assert_eq!(bytes.len() as u64, version.size);
        assert_eq!(version.metadata["copy"], json!(version.digest));
        for companion in version.origin.iter().flat_map(|origin| &origin.companions) {
            assert_eq!(store.blob(&companion.digest).unwrap().len() as u64, companion.size);
        }
    }
}

/// All versions of a component: the one that serves first.
pub(crate) fn versions(entry: &Entry) -> Vec<Version> {
    let others = entry.previous.iter().chain(&entry.quarantined).cloned();
    std::iter::once(entry.version()).chain(others).collect()
}

/// The names of all blobs that the index names, sorted.
pub(crate) fn named(index: &Index) -> Vec<String> {
    let mut named = BTreeSet::new();
    for version in index.entries().flat_map(|entry| versions(entry)) {
        named.insert(version.digest.hex());
        let companions = version.origin.into_iter().flat_map(|origin| origin.companions);
        named.extend(companions.map(|companion| companion.digest.hex()));
    }
    named.into_iter().collect()
}

/// The names in a folder of the store, sorted.
pub(crate) fn names(store: &Store, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(store.dir().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // Steele, Lea and Flood's SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
