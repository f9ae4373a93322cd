//! The documentation tells the truth: its commands run and print what it shows, its security
//! claims name tests that exist.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wassette_testkit::{FakeRegistry, TestEnv};

/// The registry that the pages speak of. Another stands in for it.
const REGISTRY: &str = "registry.example.com";

/// Commands of other programs, with the file in which they are run.
const ELSEWHERE: [(&str, &str); 3] = [
    ("cargo run --release -- demo", ".ci/run"),
    ("cargo test --workspace", ".ci/run"),
    ("cargo install --path crates/wassette", ".ci/run"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn pages() -> Vec<PathBuf> {
    let mut pages = found(&root().join("docs"), "md");
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

/// A user's folder and the registry, as the pages speak of them.
fn with_files() -> (TestEnv, FakeRegistry) {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_wassette"));
    std::os::unix::fs::symlink(root().join("examples"), env.work_dir().join("examples")).unwrap();
    env.write("secret.txt", "nobody reads this");
    env.write("fetch.policy.yaml", "network: { allow: [{ host: example.com }] }\n");
    let registry = FakeRegistry::start();
    env.configure(&format!("[registries.\"{}\"]\ninsecure = true\n", registry.host()));
    (env, registry)
}

/// A command, and the lines that the page shows below it.
struct Command {
    line: String,
    shown: Vec<String>,
}

fn commands(page: &str) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match (inside, line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            (true, line) => match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => {
                    commands.push(Command { line: command.to_owned(), shown: Vec::new() });
                }
                (None, Some(command)) => command.shown.push(line.to_owned()),
                (None, None) => panic!("output without a command: {line}"),
            },
            (false, _) => {}
        }
    }
    commands
}

/// Splits a command as a shell does with quotes and no other magic.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for character in line.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.into_iter().chain(word).collect()
}

/// Whether `shown` occurs in `printed` in this order; `…` stands for any lines, and at the end of a
/// line for its rest.
fn agrees(shown: &[String], printed: &str) -> bool {
    let mut lines = printed.lines();
    shown.iter().filter(|line| *line != "…").all(|line| match line.strip_suffix('…') {
        Some(start) => lines.any(|printed| printed.starts_with(start)),
        None => lines.any(|printed| printed == line),
    })
}

#[test]
fn every_command_of_the_pages_is_run() {
    let mut run = 0;
    for page in pages() {
        let (env, registry) = with_files();
        for Command { line, shown } in commands(&fs::read_to_string(&page).unwrap()) {
            let place = page.display();
            let line = line.replace(REGISTRY, &registry.host());
            if line.starts_with("mkdir ") || line.starts_with("echo ") {
                let mut shell = std::process::Command::new("sh");
                let status = shell.args(["-c", &line]).current_dir(env.work_dir()).status();
                assert!(status.unwrap().success(), "{place}: `{line}`");
                continue;
            }
            let Some(arguments) = line.strip_prefix("wassette ") else {
                let file = ELSEWHERE.iter().find(|(command, _)| *command == line);
                let (_, file) = file.unwrap_or_else(|| panic!("{place}: nothing runs `{line}`"));
                let script = fs::read_to_string(root().join(file)).unwrap();
                assert!(script.contains(&line), "{place}: {file} does not run `{line}`");
                continue;
            };
            let output = env.run(words(arguments));
            let refusal =
                shown.iter().any(|line| line.contains("denied:") || line.starts_with("error:"));
            let expected = if refusal { 1 } else { 0 };
            assert_eq!(output.code, Some(expected), "{place}: `{line}`\n{output}");
            let printed = format!("{}{}", output.stdout, output.stderr);
            let printed = printed.replace(&registry.host(), REGISTRY);
            assert!(agrees(&shown, &printed), "{place}: `{line}` printed\n{printed}");
            run += 1;
        }
    }
    assert!(run >= 40, "only {run} commands were found");
}

#[test]
fn every_security_claim_names_its_test() {
    let claims = ["SECURITY.md", "docs/concepts/security.md"]
        .map(|page| fs::read_to_string(root().join(page)).unwrap())
        .concat();
    let claimed: BTreeSet<&str> = claims
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("denied_"))
        .collect();
    let mut written = BTreeSet::new();
    for file in found(&root().join("crates"), "rs") {
        for line in fs::read_to_string(file).unwrap().lines() {
            let name = line.trim_start().trim_start_matches("async ").strip_prefix("fn denied_");
            if let Some(name) = name.and_then(|rest| rest.split('(').next()) {
                written.insert(format!("denied_{name}"));
            }
        }
    }
    let written: BTreeSet<&str> = written.iter().map(String::as_str).collect();
    let unclaimed: Vec<_> = written.difference(&claimed).collect();
    let unproven: Vec<_> = claimed.difference(&written).collect();
    assert!(unclaimed.is_empty(), "tests that neither page names: {unclaimed:?}");
    assert!(unproven.is_empty(), "names on the pages without a test: {unproven:?}");
}

#[test]
fn every_link_leads_somewhere() {
    let mut top: Vec<PathBuf> =
        fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).collect();
    top.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    for page in pages().into_iter().chain(top) {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("http") || target.starts_with('#') {
                continue;
            }
            let path = page.parent().unwrap().join(target.split('#').next().unwrap());
            assert!(path.exists(), "{}: {target}", page.display());
        }
    }
}

/// All files below `folder` whose names end in `.` and `ending`.
fn found(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(found(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
    files
}
