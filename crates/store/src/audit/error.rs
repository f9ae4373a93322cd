//! Why the decision log could not be written or read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::StoreError;

/// Why the decision log could not be written or read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum AuditError {
    /// Another process is in the middle of a record and does not come to its end.
    #[error("waited {} ms for the decision log in `{}`", waited.as_millis(), path.display())]
    #[diagnostic(
        code(audit::busy),
        help("another process holds `{}/.lock`; if it is stopped or stuck, end it", path.display())
    )]
    Busy {
        /// The directory of the log.
        path: PathBuf,
        /// How long was waited.
        waited: Duration,
    },

    /// The record has a field that is the log's own.
    #[error("a record of the decision log cannot have a field `{field}`")]
    #[diagnostic(code(audit::reserved), help("name the field otherwise"))]
    Reserved {
        /// The field.
        field: &'static str,
    },

    /// The record is too long.
    #[error("a record of the decision log has {bytes} bytes, the limit is {limit}")]
    #[diagnostic(code(audit::too_long), help("shorten the values of the record"))]
    TooLong {
        /// How many bytes its line would have.
        bytes: usize,
        /// How many were allowed.
        limit: usize,
    },

    /// The files cannot be written or read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
}

impl AuditError {
    /// Turns what the system said about reading `path` into an error.
    pub(super) fn reading(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        |error| StoreError::reading(path)(error).into()
    }

    /// Turns what the system said about writing `path` into an error.
    pub(super) fn writing(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        |error| StoreError::writing(path)(error).into()
    }
}
