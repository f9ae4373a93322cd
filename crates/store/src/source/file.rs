//! Components from the local disk. Must never wait for a pipe or read a device.

use std::fs::{FileType, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::SourceError;

/// The contents of the regular file at `path`, if it has between 1 and `max_bytes` bytes.
pub(crate) fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>, SourceError> {
    let failed = |error| failure(path, error);
    // A pipe without a writer would block in `open`; what was opened is examined afterwards, by
    // its handle, so that nothing can be put in its place in between.
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file =
        OpenOptions::new().read(true).custom_flags(nonblocking).open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        let found = kind(metadata.file_type());
        return Err(SourceError::NotAFile { path: path.to_owned(), found });
    }
    let too_large = |size| SourceError::TooLarge { path: path.to_owned(), size, limit: max_bytes };
    if metadata.len() > max_bytes {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    // The file may grow while it is read.
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() as u64 {
        0 => Err(SourceError::Empty { path: path.to_owned() }),
        size if size > max_bytes => Err(too_large(size)),
        _ => Ok(bytes),
    }
}

fn failure(path: &Path, source: io::Error) -> SourceError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => SourceError::NotFound { path },
        _ if source.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
            SourceError::NotAFile { path, found: "a socket or a device" }
        }
        _ => SourceError::Unreadable { path, source },
    }
}

fn kind(file_type: FileType) -> &'static str {
    if file_type.is_dir() {
        "a directory"
    } else if file_type.is_fifo() {
        "a pipe"
    } else if file_type.is_char_device() || file_type.is_block_device() {
        "a device"
    } else {
        "something else"
    }
}

#[cfg(test)]
mod tests;
