//! What is loaded, in a file that a person can keep and compare: where each component came from and
//! what exactly it is. Must never be believed beyond what it says: who reads one checks the bytes,
//! and a file that says more than is known here is refused.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::source::file;
use crate::{
    ComponentId, Digest, Entry, Index, Reference, SourceError, Store, StoreError, policies,
};

/// How many bytes a lock file may have: 4 MiB.
pub const MAX_LOCKFILE_BYTES: usize = 4 << 20;

/// How many characters the name of a signer may have.
const LONGEST_SIGNER: usize = 4096;

/// The version of the file that this program writes and reads.
const VERSION: u64 = 1;

/// What is loaded, sorted by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lockfile {
    /// The components, sorted by their ids, each once.
    pub components: Vec<Locked>,
}

/// One component of a [`Lockfile`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// Its name in the store.
    pub id: ComponentId,
    /// What was loaded, in the canonical spelling of [`Reference`], with its tag.
    pub source: String,
    /// The digest of the image's manifest to which that led, for registries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Digest>,
    /// The digest of the component's bytes.
    pub sha256: Digest,
    /// Who signed it, if that was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// The digest of the list of its tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Digest>,
    /// The digest of the text of its policy, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Digest>,
}

/// The file, whose version is known.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    components: Vec<Locked>,
}

impl Lockfile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`LockfileError`].
    pub fn read(path: &Path) -> Result<Self, LockfileError> {
        let bytes = file::read(path, MAX_LOCKFILE_BYTES as u64)?;
        Self::parse(&bytes).map_err(|fault| fault.of(path))
    }

    /// Reads the text of a lock file. What is in it is in the form that [`Locked`] says; whether it
    /// is true is for the caller to find out.
    ///
    /// # Errors
    /// [`LockfileError::Malformed`], [`LockfileError::TooNew`] or [`LockfileError::TooLarge`].
    pub fn parse(text: &[u8]) -> Result<Self, LockfileError> {
        if text.len() > MAX_LOCKFILE_BYTES {
            return Err(LockfileError::TooLarge { limit: MAX_LOCKFILE_BYTES });
        }
        let file: Value = serde_json::from_slice(text).map_err(malformed)?;
        match file.get("version").and_then(Value::as_u64) {
            Some(VERSION) => {}
            Some(version) if version > VERSION => {
                return Err(LockfileError::TooNew { path: None, version, supported: VERSION });
            }
            _ => return Err(malformed("it has no known `version`")),
        }
        let File { components, .. } = File::deserialize(file).map_err(malformed)?;
        let mut sorted = BTreeMap::new();
        for locked in components {
            locked.check()?;
            let id = locked.id.clone();
            if sorted.insert(id.clone(), locked).is_some() {
                return Err(malformed(format_args!("component `{id}` is listed twice")));
            }
        }
        Ok(Self { components: sorted.into_values().collect() })
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut components = self.components.clone();
        components.sort_by(|one, other| one.id.cmp(&other.id));
        let mut text = serde_json::to_string_pretty(&File { version: VERSION, components })
            .unwrap_or_default();
        text.push('\n');
        text
    }

    /// Puts it at the absolute `path`, in the place of what is there, in one step: whoever reads finds
    /// the old one or the new. It may wait for the disk.
    ///
    /// # Errors
    /// What the system says. The file is then as it was.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        // Under a name that nobody knows beforehand: a link could lie there that leads elsewhere. As
        // readable for others as any file that this user makes.
        let mut draft = tempfile::Builder::new()
            .prefix(".wassette-lock-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(path.parent().unwrap_or(Path::new("/")))?;
        draft.write_all(self.to_text().as_bytes())?;
        draft.as_file().sync_all()?;
        draft.persist(path).map_err(|failure| failure.error)?;
        Ok(())
    }

    /// What is said of the component `id`.
    #[must_use]
    pub fn find(&self, id: &ComponentId) -> Option<&Locked> {
        self.components.iter().find(|locked| locked.id == *id)
    }
}

impl Locked {
    /// What a lock file says of the component of `entry`, whose policy has this digest.
    #[must_use]
    pub fn of(entry: &Entry, policy: Option<Digest>) -> Self {
        let origin = entry.origin.as_ref();
        Self {
            id: entry.id.clone(),
            source: origin.map_or(&entry.source, |origin| &origin.reference).clone(),
            resolved: origin.and_then(|origin| origin.manifest),
            sha256: entry.digest,
            signer: origin.and_then(|origin| origin.signer.clone()),
            tools: entry.tools,
            policy,
        }
    }

    /// Refuses what this program would not have written.
    fn check(&self) -> Result<(), LockfileError> {
        let wrong = |what: &str| malformed(format_args!("component `{}` has {what}", self.id));
        let reference = Reference::parse_in(&self.source, Path::new("/"));
        if reference.is_err() || reference.is_ok_and(|it| it.to_string() != self.source) {
            return Err(wrong("a `source` that is not in its canonical spelling"));
        }
        let signer = self.signer.as_deref().unwrap_or("-");
        if signer.is_empty() || signer.len() > LONGEST_SIGNER || signer.contains(char::is_control) {
            return Err(wrong("a `signer` that is nobody"));
        }
        Ok(())
    }
}

impl Store {
    /// What is loaded now, with the policies that lie in the store now.
    ///
    /// # Errors
    /// Those of [`Store::index`], and [`StoreError::NotPrivate`], [`StoreError::PolicyTooLarge`],
    /// [`StoreError::PolicyNotText`] or [`StoreError::Read`] for a policy.
    pub fn lockfile(&self) -> Result<Lockfile, StoreError> {
        self.lockfile_of(&self.index()?)
    }

    /// The lock file of what `index` names.
    pub(crate) fn lockfile_of(&self, index: &Index) -> Result<Lockfile, StoreError> {
        let locked =
            |entry: &Entry| Ok(Locked::of(entry, policies::digest(&self.layout, &entry.id)?));
        let components = index.entries().map(|entry| locked(entry)).collect::<Result<_, _>>()?;
        Ok(Lockfile { components })
    }
}

fn malformed(reason: impl ToString) -> LockfileError {
    // What the file says may be a part of it, and is not for a terminal as it is.
    let plain = |character: char| match character {
        '"' | '\'' | '\\' => character.to_string(),
        other => other.escape_debug().to_string(),
    };
    let reason = reason.to_string().chars().take(500).map(plain).collect();
    LockfileError::Malformed { path: None, reason }
}

/// Why a lock file is not used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LockfileError {
    /// There are no bytes.
    #[error("cannot use the lock file")]
    #[diagnostic(
        code(lockfile::unreadable),
        help("`wassette component lock --export FILE` writes one")
    )]
    Unreadable {
        /// Why.
        #[from]
        source: SourceError,
    },

    /// It has more bytes than are read.
    #[error("the lock file has more than {limit} bytes")]
    #[diagnostic(code(lockfile::too_large), help("is it the right file?"))]
    TooLarge {
        /// How many bytes are read.
        limit: usize,
    },

    /// It says what no lock file says.
    #[error("the lock file{} is malformed: {reason}", of(path.as_ref()))]
    #[diagnostic(
        code(lockfile::malformed),
        help(
            "write it again: `wassette component lock --export FILE` for what is loaded, `wassette manifest lock` for a manifest"
        )
    )]
    Malformed {
        /// Where it lies, if it is a file.
        path: Option<PathBuf>,
        /// What is wrong with it.
        reason: String,
    },

    /// A later version of this program wrote it.
    #[error(
        "the lock file{} has version {version}, up to {supported} can be read",
        of(path.as_ref())
    )]
    #[diagnostic(code(lockfile::too_new), help("update wassette"))]
    TooNew {
        /// Where it lies, if it is a file.
        path: Option<PathBuf>,
        /// Its version.
        version: u64,
        /// The latest version that can be read.
        supported: u64,
    },
}

impl LockfileError {
    fn of(self, file: &Path) -> Self {
        match self {
            Self::Malformed { reason, .. } => {
                Self::Malformed { path: Some(file.to_owned()), reason }
            }
            Self::TooNew { version, supported, .. } => {
                Self::TooNew { path: Some(file.to_owned()), version, supported }
            }
            other => other,
        }
    }
}

fn of(path: Option<&PathBuf>) -> String {
    path.map(|path| format!(" `{}`", path.display())).unwrap_or_default()
}

#[cfg(test)]
mod tests;
