//! A policy in a file that somebody named.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use wassette_policy::Policy;

use crate::error::CommandError;

/// Reads and parses the file at `path`. What is longer than any policy is not read to its end.
pub(super) fn read(path: &Path) -> Result<Policy, CommandError> {
    let shown = path.display().to_string();
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(Policy::BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|source| CommandError::PolicyRead { path: shown.clone(), source })?;
    Policy::parse_bytes(&bytes)
        .map_err(|source| CommandError::PolicyFile { path: shown, source: Box::new(source) })
}
