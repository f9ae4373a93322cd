//! The steps that change what is in a file. They must never hide that less was taken than was given.

use wasip2::filesystem::types::{Descriptor, DescriptorFlags};
use wasip2::io::streams::OutputStream;

use crate::read::stream_code;
use crate::step::{Words, found};
use crate::table::{Table, code};

const KIBIBYTE: [u8; 1024] = [b'f'; 1024];
/// The most that a stream takes in one call.
const CHUNK: usize = 4096;

pub fn run(table: &Table, words: &Words) -> Result<String, String> {
    let place = table.place(words.word(1)?)?;
    let second = words.word(2)?;
    let at = words.at();
    let work = |file: &Descriptor| match words.word(0)? {
        "write" => write(file, second.as_bytes(), at),
        "pour" => pour(&file.write_via_stream(at).map_err(code)?, second.as_bytes()),
        "append" => pour(&file.append_via_stream().map_err(code)?, second.as_bytes()),
        "fill" => fill(file, words.number(2)?),
        _ => file.set_size(words.number(2)?).map(|()| "ok".into()).map_err(code),
    };
    place.with(words.follow(), words.open_flags(), DescriptorFlags::WRITE, work)
}

fn write(file: &Descriptor, bytes: &[u8], at: u64) -> Result<String, String> {
    let taken = file.write(bytes, at).map_err(code)?;
    Ok(found(&taken.to_string()))
}

fn pour(stream: &OutputStream, bytes: &[u8]) -> Result<String, String> {
    for chunk in bytes.chunks(CHUNK) {
        stream.blocking_write_and_flush(chunk).map_err(|error| stream_code(&error))?;
    }
    Ok(found(&bytes.len().to_string()))
}

/// One KiB after the other; the error tells how many were taken before.
fn fill(file: &Descriptor, kibibytes: u64) -> Result<String, String> {
    for written in 0..kibibytes {
        let taken = file.write(&KIBIBYTE, written * 1024).map_err(|error| format!("{written} {}", code(error)))?;
        if taken != 1024 {
            return Err(format!("{written} and {taken} bytes"));
        }
    }
    Ok(found(&kibibytes.to_string()))
}
