//! From a reference to bytes. Must never hold more in memory than the caller's limit.

pub(crate) mod file;

use std::io;
use std::path::{Path, PathBuf};

use crate::{Digest, Origin, Reference, Requested, requested};

/// How large a component may be where the caller has no opinion: 128 MiB.
pub const DEFAULT_MAX_BYTES: u64 = 128 * 1024 * 1024;

/// The bytes of a component, what they are called and where they came from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Artifact {
    /// The bytes as they were found, unexamined.
    pub bytes: Vec<u8>,
    /// The digest of `bytes`.
    pub digest: Digest,
    /// The [identity](Reference::identity) of the reference that led to them.
    pub source: String,
    /// The policy that was shipped with them: what the component asks for. It grants nothing.
    pub requested: Option<Requested>,
    /// How they came here, if more is known of that than the source.
    pub origin: Option<Origin>,
    /// The bytes of the companions that `origin` names, as far as they are not in the store.
    pub companions: Vec<(Digest, Vec<u8>)>,
}

impl Artifact {
    /// The artifact of `bytes` that came from `source`. The digest is computed here, so that it
    /// fits.
    #[must_use]
    pub fn new(bytes: Vec<u8>, source: String) -> Self {
        let digest = Digest::of(&bytes);
        Self { bytes, digest, source, requested: None, origin: None, companions: Vec::new() }
    }
}

/// Reads the file at the absolute `path`, if it has between 1 and `max_bytes` bytes.
///
/// # Errors
/// Every reason for which there are no bytes: see [`SourceError`].
pub fn read_file(path: &Path, max_bytes: u64) -> Result<Artifact, SourceError> {
    let source = Reference::File(path.to_owned()).to_string();
    let artifact = Artifact::new(file::read(path, max_bytes)?, source);
    Ok(Artifact { requested: requested::beside(path), ..artifact })
}

/// What else may be meant by `path`, where no file is: Docker and others write images without a
/// scheme.
fn elsewhere(path: &Path) -> &'static str {
    match path.extension() {
        Some(extension) if extension == "wasm" => "",
        _ => "; what lies in a registry is written `oci://host/repository:tag`",
    }
}

/// Why a reference led to no bytes.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SourceError {
    /// Nothing is there.
    #[error("no such file: `{}`", path.display())]
    #[diagnostic(
        code(source::not_found),
        help(
            "a relative path is looked up from the folder that wassette was started in{}",
            elsewhere(path)
        )
    )]
    NotFound {
        /// The path that was looked up.
        path: PathBuf,
    },

    /// Something is there that is not a file with contents.
    #[error("`{}` is {found}, not a file", path.display())]
    #[diagnostic(code(source::not_a_file), help("give the path of a WebAssembly component"))]
    NotAFile {
        /// The path that was opened.
        path: PathBuf,
        /// What is there, with its article: `a directory`.
        found: &'static str,
    },

    /// The file has no bytes.
    #[error("`{}` is empty", path.display())]
    #[diagnostic(code(source::empty), help("build or download the component again"))]
    Empty {
        /// The path that was read.
        path: PathBuf,
    },

    /// The file has more bytes than are allowed.
    #[error("`{}` has {size} bytes, the limit is {limit}", path.display())]
    #[diagnostic(
        code(source::too_large),
        help("strip the component of its debug information (`wasm-tools strip`)")
    )]
    TooLarge {
        /// The path that was opened.
        path: PathBuf,
        /// How many bytes there are at least.
        size: u64,
        /// How many were allowed.
        limit: u64,
    },

    /// The system refused.
    #[error("cannot read `{}`", path.display())]
    #[diagnostic(code(source::unreadable))]
    Unreadable {
        /// The path that was to be read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
