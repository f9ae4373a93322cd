//! The steps that only look. They must never show more than the host gave.

use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, OpenFlags, PathFlags, filesystem_error_code,
};
use wasip2::io::streams::StreamError;

use crate::step::{Words, found};
use crate::table::{Place, Table, code};

const CHUNK: u64 = 64 * 1024;

pub fn run(table: &Table, words: &Words) -> Result<String, String> {
    let place = table.place(words.word(1)?)?;
    let follow = words.follow();
    let open = |work: fn(&Descriptor, u64) -> Result<String, String>| {
        place.with(follow, words.open_flags(), DescriptorFlags::READ, |file| work(file, words.at()))
    };
    match words.word(0)? {
        "read" => open(read),
        "stream" => open(stream),
        "list" => place.with(follow, OpenFlags::DIRECTORY, DescriptorFlags::READ, list),
        "stat" => stat(&place, follow),
        "hash" => {
            let Place { descriptor, path } = place;
            if path.is_empty() { descriptor.metadata_hash() } else { descriptor.metadata_hash_at(follow, path) }
                .map_err(code)?;
            Ok("ok".into())
        }
        "readlink" => Ok(found(&place.descriptor.readlink_at(place.path).map_err(code)?)),
        "many" => many(&place, words.number(2)?),
        _ => same(&place, &table.place(words.word(2)?)?),
    }
}

fn read(file: &Descriptor, mut offset: u64) -> Result<String, String> {
    let mut all = Vec::new();
    loop {
        let (bytes, end) = file.read(CHUNK, offset).map_err(code)?;
        offset += bytes.len() as u64;
        all.extend(bytes);
        if end {
            return Ok(found(&String::from_utf8_lossy(&all)));
        }
    }
}

fn stream(file: &Descriptor, offset: u64) -> Result<String, String> {
    let stream = file.read_via_stream(offset).map_err(code)?;
    let mut all = Vec::new();
    loop {
        match stream.blocking_read(CHUNK) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => return Ok(found(&String::from_utf8_lossy(&all))),
            Err(error) => return Err(stream_code(&error)),
        }
    }
}

/// The names in a directory, sorted; a directory's ends with a slash, a link's with an at sign.
fn list(directory: &Descriptor) -> Result<String, String> {
    let entries = directory.read_directory().map_err(code)?;
    let mut names = Vec::new();
    while let Some(entry) = entries.read_directory_entry().map_err(code)? {
        let mark = match entry.type_ {
            DescriptorType::Directory => "/",
            DescriptorType::SymbolicLink => "@",
            _ => "",
        };
        names.push(entry.name + mark);
    }
    names.sort();
    Ok(found(&names.join(" ")))
}

fn stat(place: &Place<'_>, follow: PathFlags) -> Result<String, String> {
    let Place { descriptor, path } = place;
    let stat = if path.is_empty() { descriptor.stat() } else { descriptor.stat_at(follow, path) }.map_err(code)?;
    Ok(found(&format!("{} {}", kind(stat.type_), stat.size)))
}

/// Opens the place `count` times and keeps all of it.
fn many(place: &Place<'_>, count: u64) -> Result<String, String> {
    let mut kept = Vec::new();
    for opened in 0..count {
        let flags = DescriptorFlags::READ;
        kept.push(
            place.open(PathFlags::empty(), OpenFlags::empty(), flags).map_err(|code| format!("{opened} {code}"))?,
        );
    }
    Ok(found(&kept.len().to_string()))
}

/// Whether two open descriptors, or what they open, are one file.
fn same(one: &Place<'_>, other: &Place<'_>) -> Result<String, String> {
    let (follow, open, flags) = (PathFlags::empty(), OpenFlags::empty(), DescriptorFlags::READ);
    let same =
        one.with(follow, open, flags, |one| other.with(follow, open, flags, |other| Ok(one.is_same_object(other))))?;
    Ok(found(&same.to_string()))
}

/// A type as WIT spells it.
pub fn kind(kind: DescriptorType) -> &'static str {
    match kind {
        DescriptorType::BlockDevice => "block-device",
        DescriptorType::CharacterDevice => "character-device",
        DescriptorType::Directory => "directory",
        DescriptorType::Fifo => "fifo",
        DescriptorType::SymbolicLink => "symbolic-link",
        DescriptorType::RegularFile => "regular-file",
        DescriptorType::Socket => "socket",
        DescriptorType::Unknown => "unknown",
    }
}

/// The error code behind a stream's failure.
pub fn stream_code(error: &StreamError) -> String {
    match error {
        StreamError::Closed => "closed".into(),
        StreamError::LastOperationFailed(error) => match filesystem_error_code(error) {
            Some(found) => code(found),
            None => error.to_debug_string(),
        },
    }
}
