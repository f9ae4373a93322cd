//! Works on files below the directories that the host has opened.
//! It must never check a path by itself: what is allowed is the host's to say, and the tests ask the host.

wit_bindgen::generate!({ path: "wit", world: "files-world" });

use std::fs::{self, File, OpenOptions};
use std::io::{Error, Write};
use std::time::{Duration, UNIX_EPOCH};

use exports::test::files::files::{Entry, EntryKind, Guest};
use wasip2::filesystem::preopens::get_directories;

struct Files;

fn say(error: Error) -> String {
    format!("{:?}: {error}", error.kind())
}

fn entry(name: String, metadata: &fs::Metadata) -> Entry {
    let kind = match metadata.file_type() {
        kind if kind.is_symlink() => EntryKind::Symlink,
        kind if kind.is_dir() => EntryKind::Directory,
        kind if kind.is_file() => EntryKind::File,
        _ => EntryKind::Other,
    };
    Entry { name, kind, size: metadata.len() }
}

impl Guest for Files {
    fn read_file(path: String) -> Result<String, String> {
        fs::read_to_string(path).map_err(say)
    }
    fn read_bytes(path: String) -> Result<Vec<u8>, String> {
        fs::read(path).map_err(say)
    }
    fn write_file(path: String, content: String) -> Result<u64, String> {
        fs::write(path, &content).map_err(say)?;
        Ok(content.len() as u64)
    }
    fn append_file(path: String, content: String) -> Result<u64, String> {
        let mut file = OpenOptions::new().append(true).open(path).map_err(say)?;
        file.write_all(content.as_bytes()).map_err(say)?;
        Ok(content.len() as u64)
    }
    fn set_size(path: String, size: u64) -> Result<(), String> {
        OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(size)).map_err(say)
    }
    fn set_modified(path: String, seconds: u64) -> Result<(), String> {
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        File::open(path).and_then(|file| file.set_modified(time)).map_err(say)
    }
    fn open_many(path: String, count: u32) -> u32 {
        let open: Vec<File> = (0..count).map_while(|_| File::open(&path).ok()).collect();
        open.len() as u32
    }
    fn fill(path: String, mebibytes: u32) -> Result<u32, String> {
        let mut file = File::create(path).map_err(say)?;
        let mebibyte = vec![b'f'; 1 << 20];
        for written in 0..mebibytes {
            file.write_all(&mebibyte).map_err(|error| format!("after {written} MiB: {}", say(error)))?;
        }
        Ok(mebibytes)
    }

    fn list_directory(path: String) -> Result<Vec<Entry>, String> {
        let mut entries = Vec::new();
        for found in fs::read_dir(path).map_err(say)? {
            let found = found.map_err(say)?;
            let metadata = found.metadata().map_err(say)?;
            entries.push(entry(found.file_name().to_string_lossy().into_owned(), &metadata));
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
    fn stat(path: String) -> Result<Entry, String> {
        let metadata = fs::symlink_metadata(&path).map_err(say)?;
        Ok(entry(path, &metadata))
    }
    fn create_directory(path: String) -> Result<(), String> {
        fs::create_dir(path).map_err(say)
    }
    fn remove_file(path: String) -> Result<(), String> {
        fs::remove_file(path).map_err(say)
    }
    fn remove_directory(path: String) -> Result<(), String> {
        fs::remove_dir(path).map_err(say)
    }
    fn rename(old_path: String, new_path: String) -> Result<(), String> {
        fs::rename(old_path, new_path).map_err(say)
    }
    fn symlink(directory: String, target: String, link: String) -> Result<(), String> {
        let opened = get_directories().into_iter().find(|(_, name)| *name == directory);
        let (descriptor, _) = opened.ok_or_else(|| format!("`{directory}` is not opened"))?;
        descriptor.symlink_at(&target, &link).map_err(|error| error.name().into())
    }
    fn hard_link(target: String, link: String) -> Result<(), String> {
        fs::hard_link(target, link).map_err(say)
    }

    fn directories() -> Vec<String> {
        get_directories().into_iter().map(|(_, name)| name).collect()
    }
}

export!(Files);
