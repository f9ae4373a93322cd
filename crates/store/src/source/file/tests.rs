//! What is read from the disk, and what is not.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode};
use tempfile::TempDir;

use crate::{Artifact, Digest, Reference, SourceError, read_file};

fn folder_with(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wasm");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn read_path(path: &Path, limit: u64) -> Result<Artifact, SourceError> {
    read_file(path, limit)
}

fn found(path: &Path) -> &'static str {
    match read_path(path, 100).unwrap_err() {
        SourceError::NotAFile { found, .. } => found,
        other => panic!("{other}"),
    }
}

#[test]
fn a_file_is_read_whole() {
    let (_folder, path) = folder_with(b"\0asm");
    let artifact = read_path(&path, 4).unwrap();
    assert_eq!(artifact.bytes, b"\0asm");
    assert_eq!(artifact.digest, Digest::of(b"\0asm"));
    assert_eq!(artifact.source, Reference::File(path).to_string());
}

#[test]
fn a_link_leads_to_its_file_and_keeps_its_name() {
    let (folder, path) = folder_with(b"\0asm");
    let link = folder.path().join("current.wasm");
    symlink(path, &link).unwrap();
    let artifact = read_path(&link, 4).unwrap();
    assert_eq!(artifact.bytes, b"\0asm");
    assert!(artifact.source.ends_with("/current.wasm"));
}

#[test]
fn a_file_that_is_too_large_is_refused_with_both_figures() {
    let (_folder, path) = folder_with(&[0; 11]);
    let error = read_path(&path, 10).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` has 11 bytes, the limit is 10", path.display()));
    let huge = fs::File::options().write(true).open(&path).unwrap();
    huge.set_len(1 << 40).unwrap();
    assert!(matches!(
        read_path(&path, 10),
        Err(SourceError::TooLarge { size: 0x100_0000_0000, limit: 10, .. })
    ));
}

#[test]
fn a_file_that_claims_to_be_empty_is_not_read_without_end() {
    // Files of /proc have a length of 0 and contents.
    let path = Path::new("/proc/self/status");
    if path.exists() {
        assert!(matches!(read_path(path, 10), Err(SourceError::TooLarge { size: 11, .. })));
    }
}

#[test]
fn empty_and_missing_files_are_refused() {
    let (folder, path) = folder_with(b"");
    assert!(matches!(read_path(&path, 10), Err(SourceError::Empty { .. })));
    let missing = folder.path().join("y.wasm");
    assert!(matches!(read_path(&missing, 10), Err(SourceError::NotFound { .. })));
    let below_a_file = path.join("y.wasm");
    assert!(matches!(read_path(&below_a_file, 10), Err(SourceError::Unreadable { .. })));
}

#[test]
fn what_is_no_file_is_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(found(folder.path()), "a directory");

    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    assert_eq!(found(&pipe), "a pipe");

    let socket = folder.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    assert_eq!(found(&socket), "a socket or a device");

    assert_eq!(found(Path::new("/dev/zero")), "a device");
}

#[test]
fn a_file_of_others_is_refused_by_the_system() {
    let (_folder, path) = folder_with(b"\0asm");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        println!("SKIPPED: this user may read every file");
        return;
    }
    assert!(matches!(read_path(&path, 10), Err(SourceError::Unreadable { .. })));
}
