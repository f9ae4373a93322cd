//! Which file of the store is where, and whether the directory may be trusted at all.
//! Must never follow a directory that somebody else could change.

use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::{Digest, StoreError, durable};

/// The folder for components where the user names none: `wassette/components` in the platform's
/// folder for data (`$XDG_DATA_HOME`, else `~/.local/share`).
///
/// # Errors
/// [`StoreError::NoHome`].
pub fn default_dir() -> Result<PathBuf, StoreError> {
    let strategy = etcetera::choose_base_strategy().map_err(|_| StoreError::NoHome)?;
    Ok(strategy.data_dir().join("wassette").join("components"))
}

/// The file that names what is in the store.
pub(crate) const INDEX: &str = "index.json";

/// What the names of damaged index files start with that were put aside.
const QUARANTINE: &str = "index.corrupt-";

/// The directory of the policies, which people edit.
pub(crate) const POLICIES: &str = "policies";

/// The directory of the secrets.
pub(crate) const SECRETS: &str = "secrets";

/// The paths of a store.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout in `dir`, which is made if it is missing and refused if it is not private.
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        let is_new = !dir.exists();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(StoreError::writing(dir))?;
        let link = fs::symlink_metadata(dir).map_err(StoreError::reading(dir))?;
        check_owner(dir, &link)?;
        // A link that changes later must not lead elsewhere than what is checked here.
        let root = dir.canonicalize().map_err(StoreError::reading(dir))?;
        let metadata = fs::metadata(&root).map_err(StoreError::reading(dir))?;
        check_owner(dir, &metadata)?;
        check_mode(dir, &metadata)?;
        if is_new && let Err(error) = durable::sync_parent(&root) {
            tracing::debug!(%error, "a power cut may take the new store with it");
        }
        Ok(Self { root })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.root.join(INDEX)
    }

    /// The same as the index, for when that is lost.
    pub(crate) fn index_copy(&self) -> PathBuf {
        self.root.join("index.copy.json")
    }

    pub(crate) fn lockfile(&self) -> PathBuf {
        self.root.join("wassette.lock")
    }

    pub(crate) fn quarantined_index(&self, number: u32) -> PathBuf {
        self.root.join(format!("{QUARANTINE}{number}.json"))
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join(".lock")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.root.join("key")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join("blobs").join("sha256")
    }

    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// The directory of what components may do.
    pub(crate) fn policies(&self) -> PathBuf {
        self.root.join(POLICIES)
    }

    /// The directory of the values that components are given, or that are sent for them.
    pub(crate) fn secrets(&self) -> PathBuf {
        self.root.join(SECRETS)
    }

    /// The directory of the requests that wait for a person.
    pub(crate) fn pending(&self) -> PathBuf {
        self.root.join("pending")
    }

    /// The directory of the decision log.
    pub(crate) fn audit(&self) -> PathBuf {
        self.root.join("audit")
    }

    /// Where files are written before they get their names. Only the holder of the lock writes
    /// here, so whatever it finds was left by a process that died.
    pub(crate) fn staging(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Makes the directories that are missing, durably.
    pub(crate) fn create_directories(&self) -> Result<(), StoreError> {
        for directory in [
            self.root.join("blobs"),
            self.blobs(),
            self.cache(),
            self.policies(),
            self.secrets(),
            self.pending(),
            self.staging(),
        ] {
            create_directory(&directory)?;
        }
        Ok(())
    }

    /// Whether the store has what only a store with an index has.
    pub(crate) fn has_content(&self) -> Result<bool, StoreError> {
        let has_copy = self.index_copy().symlink_metadata().is_ok();
        Ok(has_copy || !durable::file_names(&self.blobs())?.is_empty())
    }

    /// Where a damaged index is put of which nothing was lost.
    pub(crate) fn replaced_index(&self, number: u32) -> PathBuf {
        self.root.join(format!("index.replaced-{number}.json"))
    }

    /// Whether a damaged index was put aside that nobody has deleted yet.
    pub(crate) fn has_quarantined_index(&self) -> Result<bool, StoreError> {
        let names = durable::file_names(&self.root)?;
        Ok(names.iter().any(|name| name.starts_with(QUARANTINE)))
    }
}

/// Makes a directory for this user alone, durably, unless it is there.
pub(crate) fn create_directory(path: &Path) -> Result<(), StoreError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => durable::sync_parent(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::writing(path)(error)),
    }
}

/// Refuses a directory of the store that is a link, that belongs to others or into which they may
/// write; a missing one is no harm.
pub(crate) fn check_directory(path: &Path) -> Result<(), StoreError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::reading(path)(error)),
    };
    if !metadata.is_dir() {
        return Err(not_private(path, "it is not a directory".to_owned()));
    }
    check_owner(path, &metadata)?;
    check_mode(path, &metadata)
}

/// Refuses what belongs neither to this user nor to the system's administrator.
pub(crate) fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), StoreError> {
    let owner = metadata.uid();
    if owner == rustix::process::geteuid().as_raw() || owner == 0 {
        return Ok(());
    }
    Err(not_private(path, format!("it belongs to another user (uid {owner})")))
}

/// Refuses a secret that belongs to others or that they can use; a missing one is no harm.
pub(crate) fn check_secret(path: &Path) -> Result<(), StoreError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::reading(path)(error)),
    };
    check_owner(path, &metadata)?;
    match metadata.mode() & 0o777 {
        mode if mode & 0o077 == 0 => Ok(()),
        mode => Err(StoreError::KeyExposed { path: path.to_owned(), mode }),
    }
}

/// Refuses what others may write to. The user's own group may: on many systems it
/// has one member.
pub(crate) fn check_mode(path: &Path, metadata: &Metadata) -> Result<(), StoreError> {
    let mode = metadata.mode() & 0o7777;
    if mode & 0o002 != 0 {
        return Err(not_private(path, format!("everybody may write to it (mode {mode:03o})")));
    }
    let group = metadata.gid();
    if mode & 0o020 != 0 && group != rustix::process::getegid().as_raw() {
        let reason = format!("the group {group} may write to it (mode {mode:03o})");
        return Err(not_private(path, reason));
    }
    Ok(())
}

pub(crate) fn not_private(path: &Path, reason: String) -> StoreError {
    StoreError::NotPrivate { path: path.to_owned(), reason }
}
