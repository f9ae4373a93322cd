//! The directory in which components rest: opening it and reading from it. Must never change
//! what an index names; that is the [`Writer`]'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::layout::{self, Layout};
use crate::lock::Lock;
use crate::{Digest, Index, Keyring, Lockfile, StoreError, Watch, Writer, durable};

/// How long what needs the lock for a moment and was given no limit waits for it.
pub(crate) const SHORT_WAIT: Duration = Duration::from_secs(5);

/// The directory in which components rest. Cloning it is cheap; a clone is the same store.
///
/// Any number of processes may read and write one store at the same time.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) layout: Arc<Layout>,
    /// Where the values of secrets are put, if not into files.
    pub(crate) keyring: Option<Arc<dyn Keyring>>,
}

impl Store {
    /// Opens the store in `dir`. A directory that is missing is made, for this user alone.
    ///
    /// What a process left that died while it was writing is cleaned up here, unless somebody is
    /// writing just now or the store is read-only.
    ///
    /// # Errors
    /// [`StoreError::NotPrivate`] if others may write to the directory, or it is theirs;
    /// [`StoreError::ReadOnly`], [`StoreError::Write`] or [`StoreError::Read`] if it can be
    /// neither found nor made.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let layout = Layout::open(dir)?;
        if !durable::file_names(&layout.staging())?.is_empty() {
            match Lock::acquire(&layout, Duration::ZERO) {
                Ok(_lock) => remove_leftovers(&layout)?,
                Err(error) => tracing::debug!(%error, "leftovers stay for the next writer"),
            }
        }
        Ok(Self { layout: Arc::new(layout), keyring: None })
    }

    /// The directory of the store, absolute and without links.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.layout.root()
    }

    /// The places that no grant to a component may cover: all that this store keeps. Absolute and
    /// without links.
    #[must_use]
    pub fn private_paths(&self) -> Vec<PathBuf> {
        vec![self.layout.root().to_owned()]
    }

    /// The directory of the decision log, for [`audit::verify`](crate::audit::verify) and
    /// [`audit::records`](crate::audit::records); it may not be there yet.
    #[must_use]
    pub fn audit_dir(&self) -> PathBuf {
        self.layout.audit()
    }

    /// What the store holds at this moment. A store that was never written is empty; one that was and
    /// has no index is damaged.
    ///
    /// In place of a damaged index stands what its copy and the lock file say, and
    /// [`Index::damage`] tells it.
    ///
    /// # Errors
    /// [`StoreError::IndexTooNew`], or [`StoreError::Read`].
    pub fn index(&self) -> Result<Index, StoreError> {
        let path = self.layout.index();
        let locked = || Lockfile::read(&self.layout.lockfile()).ok();
        let was_written = || -> Result<bool, StoreError> {
            let names_any = |file: Lockfile| !file.components.is_empty();
            Ok(self.layout.has_content()? || locked().is_some_and(names_any))
        };
        let found = match path.symlink_metadata() {
            Ok(metadata) if !metadata.is_file() => Index::lost("it is no regular file"),
            _ => match durable::read(&path)? {
                Some(text) => Index::parse(&text, &path)?,
                None if was_written()? => Index::lost("it is missing"),
                None => Index::default(),
            },
        };
        if found.damage().is_empty() {
            return Ok(found);
        }
        // What cannot be read of these says nothing; whether they are there is no error.
        let copy = durable::read(&self.layout.index_copy()).ok().flatten();
        let copy = copy.and_then(|text| Index::parse(&text, &self.layout.index_copy()).ok());
        let is_sound = |copy: &Index| copy.damage().is_empty();
        Ok(found.recovered(copy.filter(is_sound).as_ref(), locked().as_ref()))
    }

    /// Takes the right to change the store, waiting at most `timeout` for another writer, of this
    /// or of another process.
    ///
    /// A damaged index is put aside here; see [`Writer::quarantined`].
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the time is over, [`StoreError::ReadOnly`],
    /// [`StoreError::NoLocks`], [`StoreError::IndexTooNew`], [`StoreError::Read`] or
    /// [`StoreError::Write`].
    pub fn write(&self, timeout: Duration) -> Result<Writer, StoreError> {
        Writer::begin(self.clone(), timeout)
    }

    /// The bytes that are called `digest`, compared with their name.
    ///
    /// # Errors
    /// [`StoreError::BlobMissing`], [`StoreError::BlobDamaged`] or [`StoreError::Read`].
    pub fn blob(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.layout.blob(digest);
        let Some(bytes) = durable::read(&path)? else {
            return Err(StoreError::BlobMissing { digest: *digest, path });
        };
        match Digest::of(&bytes) {
            found if found == *digest => Ok(bytes),
            found => Err(StoreError::BlobDamaged { digest: *digest, found, path }),
        }
    }

    /// The bytes that are called `digest`, if they are here and whole: what has not to be fetched
    /// again.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn blob_if_any(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        match self.blob(digest) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::BlobMissing { .. } | StoreError::BlobDamaged { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The key with which the application authenticates what it keeps in the cache: 32 random
    /// bytes that are made once for each store and that only this user can read.
    ///
    /// # Errors
    /// [`StoreError::KeyExposed`] or [`StoreError::NotPrivate`] if the key is not ours alone,
    /// [`StoreError::KeyDamaged`], [`StoreError::Random`], and the errors of [`write`](Self::write) where the key is still to
    /// be made.
    pub fn cache_key(&self) -> Result<[u8; 32], StoreError> {
        if let Some(key) = self.read_key()? {
            return Ok(key);
        }
        let _lock = self.lock(SHORT_WAIT)?;
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|source| StoreError::Random { source })?;
        if durable::create(&self.layout.staging(), &self.layout.key(), &key)? {
            return Ok(key);
        }
        self.read_key()?.ok_or_else(|| StoreError::KeyDamaged { path: self.layout.key() })
    }

    /// Tells when anybody changes the index, a policy or a secret, from now on.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::begin(&self.layout)
    }

    /// Takes the lock; the directories are there and clean when this returns.
    pub(crate) fn lock(&self, timeout: Duration) -> Result<Lock, StoreError> {
        let lock = Lock::acquire(&self.layout, timeout)?;
        self.layout.create_directories()?;
        remove_leftovers(&self.layout)?;
        Ok(lock)
    }

    pub(crate) fn read_key(&self) -> Result<Option<[u8; 32]>, StoreError> {
        let path = self.layout.key();
        layout::check_secret(&path)?;
        match durable::read(&path)? {
            Some(key) => match key.try_into() {
                Ok(key) => Ok(Some(key)),
                Err(_) => Err(StoreError::KeyDamaged { path }),
            },
            None => Ok(None),
        }
    }
}

/// Removes what processes left that died while they were writing. Only for the lock's holder.
fn remove_leftovers(layout: &Layout) -> Result<(), StoreError> {
    let staging = layout.staging();
    for name in durable::file_names(&staging)? {
        if let Err(error) = durable::remove(&staging.join(name)) {
            tracing::debug!(%error, "a leftover stays in the store");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
