//! What is found where digests and components differ.

use tempfile::TempDir;

use super::*;

/// A tree with two components and their digests.
fn tree() -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    for (folder, file) in [("guests/built", "one.wasm"), ("examples/two", "two.wasm")] {
        fs::create_dir_all(tree.path().join(folder)).unwrap();
        fs::write(tree.path().join(folder).join(file), file).unwrap();
    }
    fs::write(tree.path().join("examples/two/README.md"), "no component").unwrap();
    write(tree.path()).unwrap();
    tree
}

fn findings(tree: &TempDir) -> Vec<String> {
    match check(tree.path()) {
        Err(Error::Digests { findings }) => findings,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_just_written_is_right() {
    assert_eq!(check(tree().path()).unwrap(), 2);
}

#[test]
fn the_file_is_one_of_sha256sum() {
    let text = fs::read_to_string(tree().path().join(FILE)).unwrap();
    let (digest, path) = text.lines().next().unwrap().split_once("  ").unwrap();
    assert_eq!((digest.len(), path), (64, "examples/two/two.wasm"));
}

#[test]
fn a_changed_component_is_named_with_both_digests() {
    let tree = tree();
    fs::write(tree.path().join("guests/built/one.wasm"), "changed").unwrap();
    let findings = findings(&tree);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].starts_with("`guests/built/one.wasm` is "), "{findings:?}");
    assert!(findings[0].contains(", expected "), "{findings:?}");
}

#[test]
fn missing_unlisted_and_garbled_are_all_found_at_once() {
    let tree = tree();
    fs::remove_file(tree.path().join("guests/built/one.wasm")).unwrap();
    fs::write(tree.path().join("guests/built/new.wasm"), "new").unwrap();
    let file = tree.path().join(FILE);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}garbled\n")).unwrap();
    assert_eq!(
        findings(&tree),
        [
            "`guests/built/one.wasm` is missing",
            "`garbled` is no line of digest and path",
            "`guests/built/new.wasm` has no digest in `guests/built/SHA256SUMS`",
        ]
    );
}

#[test]
fn without_the_file_the_error_names_it() {
    let tree = tree();
    fs::remove_file(tree.path().join(FILE)).unwrap();
    assert!(check(tree.path()).unwrap_err().to_string().contains(FILE));
}
