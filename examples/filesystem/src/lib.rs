//! Looks at the files that the component may read, with nothing but the standard library.
//! It must never write, and never judge a path by itself: what may be read is the host's to say.

wit_bindgen::generate!({ path: "wit", world: "filesystem" });

mod pattern;

use std::fs::{self, Metadata};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use exports::example::filesystem::files::{Entry, EntryKind, Guest};

struct Filesystem;

/// More than this is no use to a model, and only costs memory.
const LARGEST_FILE: u64 = 4 << 20;
const MOST_PATHS: usize = 1000;

impl Guest for Filesystem {
    fn list_directory(path: String) -> Result<Vec<Entry>, String> {
        let children = children(Path::new(&path)).map_err(|error| say(&path, &error))?;
        Ok(children.into_iter().map(|(path, metadata)| entry(&path, &metadata)).collect())
    }

    fn read_file(path: String) -> Result<String, String> {
        let size = fs::metadata(&path).map_err(|error| say(&path, &error))?.len();
        if size > LARGEST_FILE {
            return Err(format!("`{path}` has {size} bytes: more than {LARGEST_FILE} are not read"));
        }
        fs::read_to_string(&path).map_err(|error| say(&path, &error))
    }

    fn search_files(directory: String, pattern: String) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        let mut ahead = vec![PathBuf::from(&directory)];
        while let Some(here) = ahead.pop() {
            let children = match children(&here) {
                Ok(children) => children,
                // A directory further down that may not be read holds nothing for us.
                Err(error) if here == Path::new(&directory) => return Err(say(&directory, &error)),
                Err(_) => continue,
            };
            for (path, metadata) in children {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if metadata.is_file() && pattern::fits(&pattern, &name) {
                    found.push(path.display().to_string());
                }
                if metadata.is_dir() {
                    ahead.push(path);
                }
            }
        }
        found.sort();
        found.truncate(MOST_PATHS);
        Ok(found)
    }

    fn file_info(path: String) -> Result<Entry, String> {
        let metadata = fs::symlink_metadata(&path).map_err(|error| say(&path, &error))?;
        Ok(entry(Path::new(&path), &metadata))
    }
}

/// What is in a directory, by name.
fn children(directory: &Path) -> Result<Vec<(PathBuf, Metadata)>, Error> {
    let mut children = Vec::new();
    for child in fs::read_dir(directory)? {
        let child = child?;
        children.push((child.path(), child.metadata()?));
    }
    children.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(children)
}

fn entry(path: &Path, metadata: &Metadata) -> Entry {
    let kind = match metadata.file_type() {
        kind if kind.is_symlink() => EntryKind::Symlink,
        kind if kind.is_dir() => EntryKind::Directory,
        kind if kind.is_file() => EntryKind::File,
        _ => EntryKind::Other,
    };
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Entry {
        path: path.display().to_string(),
        kind,
        size: metadata.len(),
        modified: modified.map(|since| since.as_secs()),
    }
}

/// The reason in words that help a reader who sees neither the directory nor the host.
fn say(path: &str, error: &Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => format!("`{path}` is not there, or lies outside what this component may read"),
        ErrorKind::PermissionDenied => format!("`{path}` may not be read by this component"),
        ErrorKind::InvalidData => format!("`{path}` is no text in UTF-8"),
        _ => format!("`{path}` can't be read: {error}"),
    }
}

export!(Filesystem);
