//! Reading and replacing whole files so that a crash leaves the old or the new.
//! Must never write into a file that already has its name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use tempfile::NamedTempFile;

use crate::StoreError;

/// The contents of the file at `path`, and nothing if there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match open(path) {
        Ok(mut file) => {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(StoreError::reading(path))?;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::reading(path)(error)),
    }
}

/// Opens a regular file for reading; a link, a pipe or a directory in its place is an error.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(file)
}

/// Writes `bytes` to a new file in `staging` that only this user can read.
pub(crate) fn stage(staging: &Path, bytes: &[u8]) -> Result<NamedTempFile, StoreError> {
    let mut file = NamedTempFile::new_in(staging).map_err(StoreError::writing(staging))?;
    file.write_all(bytes).map_err(StoreError::writing(file.path()))?;
    Ok(file)
}

/// Puts `bytes` at `target`, in one step and for good: after this returns, a power cut finds them
/// there.
pub(crate) fn replace(staging: &Path, target: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let file = stage(staging, bytes)?;
    file.as_file().sync_all().map_err(StoreError::writing(target))?;
    file.persist(target).map_err(|failure| StoreError::writing(target)(failure.error))?;
    sync_parent(target)
}

/// Puts `bytes` at `target` as [`replace`] does, unless something is there already.
///
/// Returns whether it did.
pub(crate) fn create(staging: &Path, target: &Path, bytes: &[u8]) -> Result<bool, StoreError> {
    let file = stage(staging, bytes)?;
    file.as_file().sync_all().map_err(StoreError::writing(target))?;
    match file.persist_noclobber(target) {
        Ok(_) => sync_parent(target).map(|()| true),
        Err(failure) if failure.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(failure) => Err(StoreError::writing(target)(failure.error)),
    }
}

/// Removes the file at `path`; it is no error if there is none.
///
/// Returns whether there was one.
pub(crate) fn remove(path: &Path) -> Result<bool, StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::writing(path)(error)),
    }
}

/// Makes the name of `path` in its directory survive a power cut.
pub(crate) fn sync_parent(path: &Path) -> Result<(), StoreError> {
    let parent = path.parent().unwrap_or(path);
    File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(StoreError::writing(parent))
}

/// The names in a directory that are text, sorted; none if there is no such directory.
pub(crate) fn file_names(directory: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::reading(directory)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::reading(directory))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}
