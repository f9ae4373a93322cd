//! The manifest: which components a server is to have, from where, and what each may do, in one file
//! that people write and keep beside their project. All that it says is enforced, or the file is
//! refused with the place; nothing in it makes anything laxer than the configuration has it.

mod check;
mod document;
mod provision;
mod values;
mod withheld;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;
use wassette_policy::{Policy, visible, word};
use wassette_store::{ComponentId, Digest, Lockfile, LockfileError, Reference};

use crate::environment::ValueSource;
use crate::options::VerifyRule;

pub use check::{Checked, LockedManifest};
pub use provision::{ProvisionStatus, Provisioned, Provisioning};
pub(crate) use withheld::Withheld;

/// The largest manifest, in bytes.
const BYTES: usize = 1 << 20;

/// The most components in one manifest.
const COMPONENTS: usize = 1000;

/// The lock file beside a manifest.
const LOCK: &str = "wassette.lock";

/// What a server is to have.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The components, in the order of the file.
    pub components: Vec<Listed>,
    /// What was locked, if a lock file lies beside the manifest: nothing else is loaded.
    pub lock: Option<Arc<Lockfile>>,
    folder: PathBuf,
}

/// A component of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Where it is, as it is written.
    pub uri: String,
    /// Its name in the store.
    pub id: ComponentId,
    /// The digest that it must have, of its bytes or of its image's manifest.
    pub digest: Option<Digest>,
    /// What it may do, all of it; what it may do already, where nothing is said.
    pub permissions: Option<Policy>,
    /// What stands under its permissions and has no effect, a sentence each.
    pub ignored: Vec<String>,
    /// Where the values of its variables lie, by their keys, as far as that is said.
    pub values: BTreeMap<String, ValueSource>,
    /// Whose signature it needs beside what the configuration wants.
    pub verify: Option<VerifyRule>,
    /// The only functions that become tools; those that do already, or all, if it is empty.
    pub only: Vec<String>,
    reference: Reference,
}

/// Why a manifest is not used. Nothing has been loaded or changed.
#[derive(Debug, Error, Diagnostic)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("cannot read the manifest `{}`", path.display())]
    #[diagnostic(help("check the path, and that the file can be read"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It says what cannot be meant, or could not be enforced.
    #[error("line {line}, column {column}: {what}")]
    Content {
        /// The line, from 1.
        line: u64,
        /// The column in characters, from 1.
        column: u64,
        /// What is wrong.
        what: String,
        /// What to write instead.
        #[help]
        help: String,
    },
    /// What lies beside it as its lock file is none.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(#[from] LockfileError),
}

/// Where something stands in the file.
#[derive(Debug, Clone, Copy)]
struct Place {
    line: u64,
    column: u64,
}

impl Place {
    const START: Self = Self { line: 1, column: 1 };

    fn error(self, what: impl AsRef<str>, help: impl AsRef<str>) -> ManifestError {
        let (what, help) = (visible(what.as_ref(), 600), visible(help.as_ref(), 600));
        ManifestError::Content { line: self.line, column: self.column, what, help }
    }
}

impl Manifest {
    /// Reads the manifest in the file at `path`, and the lock file beside it if there is one. It may
    /// wait for the disk, and for nothing else.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn read(path: &Path) -> Result<Self, ManifestError> {
        let failed = |cause| ManifestError::Unreadable { path: path.to_owned(), cause };
        let mut text = Vec::new();
        let file = File::open(path).map_err(failed)?;
        file.take(BYTES as u64 + 1).read_to_end(&mut text).map_err(failed)?;
        let path = std::path::absolute(path).map_err(failed)?;
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let mut manifest = Self::parse(&text, &folder)?;
        let lock = manifest.lock_path();
        if lock.try_exists().map_err(failed)? {
            manifest.lock = Some(Arc::new(Lockfile::read(&lock)?));
        }
        Ok(manifest)
    }

    /// Reads a manifest from its text; paths in it begin at `folder`, which is absolute. There is no
    /// lock file beside a text.
    ///
    /// # Errors
    /// [`ManifestError::Content`].
    pub fn parse(text: &[u8], folder: &Path) -> Result<Self, ManifestError> {
        let start = Place::START;
        if text.len() > BYTES {
            return Err(start.error("the manifest has more than 1 MiB", "is it the right file?"));
        }
        let Ok(text) = std::str::from_utf8(text) else {
            return Err(start.error("this is not UTF-8", "a manifest is a text file in YAML"));
        };
        let components = document::read(text, folder)?;
        refuse_twins(&components)?;
        let components = components.into_iter().map(|(_, listed)| listed).collect();
        Ok(Self { components, lock: None, folder: folder.to_owned() })
    }

    /// Where the lock file of this manifest lies, or would lie.
    pub fn lock_path(&self) -> PathBuf {
        self.folder.join(LOCK)
    }
}

/// Refuses components that would take each other's place.
fn refuse_twins(components: &[(Place, Listed)]) -> Result<(), ManifestError> {
    let (mut references, mut ids) = (HashMap::new(), HashMap::new());
    for (place, listed) in components {
        if let Some(first) = references.insert(listed.reference.to_string(), place.line) {
            let what = format!("`{}` is listed twice, first in line {first}", word(&listed.uri));
            return Err(place.error(what, "take one of the two out"));
        }
        if let Some(first) = ids.insert(&listed.id, place.line) {
            let what =
                format!("`{}` is the name of two components, first in line {first}", listed.id);
            return Err(place.error(what, "give one of the two another `name`"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
