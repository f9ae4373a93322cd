//! Reading files on which it depends what a component may do. Must never read one that somebody
//! else could have written, or more of it than the caller's limit.

use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::layout::{check_mode, check_owner};
use crate::{StoreError, durable};

/// What others may do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// Read it.
    Read,
    /// Nothing at all; it is this user's, and not the administrator's either.
    Nothing,
}

/// Why a file is not used.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Others can do more with it than they may: how, in words.
    Exposed(String),
    /// It has too many bytes.
    TooLarge,
    /// The system refused.
    Failed(io::Error),
}

/// The contents of the file at `path`, `limit` bytes at most, and nothing if there is no such file.
pub(crate) fn read(
    path: &Path,
    limit: usize,
    others: Others,
) -> Result<Option<Zeroizing<Vec<u8>>>, Refusal> {
    let file = match durable::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(Refusal::Exposed("it is a link".to_owned()));
        }
        Err(error) => return Err(Refusal::Failed(error)),
    };
    // What was opened is examined, so that nothing can be put in its place in between.
    let metadata = file.metadata().map_err(Refusal::Failed)?;
    check(path, &metadata, others)?;
    let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if size > limit {
        return Err(Refusal::TooLarge);
    }
    // Room for all of it from the start: a buffer that moves leaves a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(size.saturating_add(64)));
    file.take(metadata.len().saturating_add(1)).read_to_end(&mut bytes).map_err(Refusal::Failed)?;
    if bytes.len() != size {
        return Err(Refusal::Failed(io::Error::other("it was changed while it was read")));
    }
    Ok(Some(bytes))
}

fn check(path: &Path, metadata: &Metadata, others: Others) -> Result<(), Refusal> {
    let exposed = |error| match error {
        StoreError::NotPrivate { reason, .. } => Refusal::Exposed(reason),
        other => Refusal::Failed(io::Error::other(other)),
    };
    match others {
        Others::Read => {
            check_owner(path, metadata).and_then(|()| check_mode(path, metadata)).map_err(exposed)
        }
        Others::Nothing if metadata.uid() != rustix::process::geteuid().as_raw() => {
            let owner = metadata.uid();
            Err(Refusal::Exposed(format!("it belongs to another user (uid {owner})")))
        }
        Others::Nothing => match metadata.mode() & 0o777 {
            mode if mode & 0o077 == 0 => Ok(()),
            mode => Err(Refusal::Exposed(format!("others can use it (mode {mode:03o})"))),
        },
    }
}
