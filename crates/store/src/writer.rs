//! Changing the store: bytes and policies first, the index last. Must never leave an index on the
//! disk that names bytes which are not there, and never let a component find what was granted to
//! another that had its id before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use serde_json::Value;

use crate::entry::MAX_PREVIOUS;
use crate::lock::Lock;
use crate::lockfile::MAX_LOCKFILE_BYTES;
use crate::policies::Draft;
use crate::private::{self, Others};
use crate::{Artifact, ComponentId, Digest, Entry, Index, Store, StoreError};
use crate::{durable, policies};

/// Whether a component may take the id of one that came from another source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// No: the id stays with its source.
    Refuse,
    /// Yes, the user asked for it.
    Allow,
}

/// What inserting an entry does.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The id was free.
    Added,
    /// The id was that of another state of the same source.
    Updated {
        /// What was there before.
        previous: Arc<Entry>,
    },
    /// The id was that of a component from another source.
    Replaced {
        /// What was there before.
        previous: Arc<Entry>,
    },
}

/// The right to change the store. Others wait for as long as this lives, so nothing slow should
/// happen in between: no download, no compilation, no question to a user.
///
/// Nothing that was changed is seen by anybody before [`commit`](Self::commit); dropping the
/// writer forgets it.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    index: Index,
    entries: BTreeMap<ComponentId, Arc<Entry>>,
    /// The policies to write, and to remove where there is no draft.
    policies: BTreeMap<ComponentId, Option<Draft>>,
    quarantined: Option<PathBuf>,
    _lock: Lock,
}

impl Writer {
    pub(crate) fn begin(store: Store, timeout: Duration) -> Result<Self, StoreError> {
        let lock = store.lock(timeout)?;
        let index = store.index()?;
        let entries = index.to_entries();
        let policies = BTreeMap::new();
        let mut writer = Self { store, index, entries, policies, quarantined: None, _lock: lock };
        if !writer.index.damage().is_empty() {
            writer.quarantine()?;
        }
        Ok(writer)
    }

    /// What the store held when the right to change it was given.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Where a damaged index was put by this writer, if it found one.
    ///
    /// The entries that could be read are in [`index`](Self::index); those of the others must be
    /// loaded again. While this file is there no bytes are removed from the store, so that it can
    /// still be repaired by hand.
    #[must_use]
    pub fn quarantined(&self) -> Option<&Path> {
        self.quarantined.as_deref()
    }

    /// Stores the bytes of `artifact` and of its companions. Bytes that are there already are
    /// examined, and written again if they are damaged.
    ///
    /// # Errors
    /// [`StoreError::Write`] or [`StoreError::ReadOnly`], and [`StoreError::BlobDamaged`] for a
    /// companion whose bytes are others than it says.
    pub fn put_blob(&mut self, artifact: &Artifact) -> Result<(), StoreError> {
        for (digest, bytes) in &artifact.companions {
            self.put_bytes(digest, bytes)?;
        }
        self.put(&artifact.digest, &artifact.bytes)
    }

    /// Stores `bytes`, which are called `digest`: those of a [`Companion`](crate::Companion). They
    /// stay for as long as an entry names them.
    ///
    /// # Errors
    /// [`StoreError::BlobDamaged`] if that is not their digest, [`StoreError::Write`] or
    /// [`StoreError::ReadOnly`].
    pub fn put_bytes(&mut self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        match Digest::of(bytes) {
            found if found == *digest => self.put(digest, bytes),
            found => {
                let path = self.store.layout.blob(digest);
                Err(StoreError::BlobDamaged { digest: *digest, found, path })
            }
        }
    }

    fn put(&mut self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        self.begin_index()?;
        let layout = &self.store.layout;
        let path = layout.blob(digest);
        // A piece at a time: whoever puts them has them in memory already, and they may be many.
        let there = durable::open(&path).and_then(Digest::of_reader);
        if there.is_ok_and(|there| there == *digest) {
            return Ok(());
        }
        durable::replace(&layout.staging(), &path, bytes)
    }

    /// Enters a component, whose bytes were [put](Self::put_blob) before.
    ///
    /// The same id from the same source is an update. From another source it is refused, unless
    /// `replace` allows it. Of the previous versions the oldest are left out that are more than
    /// [`MAX_PREVIOUS`].
    ///
    /// # Errors
    /// [`StoreError::OtherSource`], [`StoreError::TooManyCompanions`],
    /// [`StoreError::BlobMissing`] or [`StoreError::Read`].
    pub fn insert(&mut self, mut entry: Entry, replace: Replace) -> Result<Change, StoreError> {
        entry.previous.truncate(MAX_PREVIOUS);
        entry.check_companions()?;
        self.check_named(&entry)?;
        let change = match self.entries.get(&entry.id) {
            None => Change::Added,
            Some(previous) if previous.source == entry.source => {
                Change::Updated { previous: previous.clone() }
            }
            Some(previous) if replace == Replace::Refuse => {
                return Err(StoreError::OtherSource {
                    id: entry.id,
                    loaded: previous.source.clone(),
                    refused: entry.source,
                });
            }
            Some(previous) => Change::Replaced { previous: previous.clone() },
        };
        self.entries.insert(entry.id.clone(), Arc::new(entry));
        Ok(change)
    }

    /// Refuses an entry that names bytes which are not there. What the component it replaces named
    /// already is not asked for again, but for the bytes that serve: whether a companion was lost
    /// since is no reason to refuse an update.
    fn check_named(&self, entry: &Entry) -> Result<(), StoreError> {
        let mut named = entry.named();
        if let Some(previous) = self.entries.get(&entry.id) {
            named = named.difference(&previous.named()).copied().collect();
        }
        named.insert(entry.digest);
        for digest in named {
            let path = self.store.layout.blob(&digest);
            if !path.try_exists().map_err(StoreError::reading(&path))? {
                return Err(StoreError::BlobMissing { digest, path });
            }
        }
        Ok(())
    }

    /// Removes the component `id`, its policy and its secrets, and returns what was known of it.
    ///
    /// # Errors
    /// [`StoreError::NotLoaded`].
    pub fn remove(&mut self, id: &ComponentId) -> Result<Arc<Entry>, StoreError> {
        self.policies.remove(id);
        self.entries.remove(id).ok_or_else(|| StoreError::NotLoaded { id: id.clone() })
    }

    /// Makes `text` the policy of the component `id`, whose entry is there or was inserted before;
    /// `pins` is what the application wants to find beside it again.
    ///
    /// It counts for the component from its present source alone, and with a `pin` only for these
    /// bytes from there: with others the component keeps the policy, which then
    /// [does not fit](crate::StoredPolicy::misfit). The revision of the index changes
    /// with it, so that everybody who uses the store hears of it.
    ///
    /// # Errors
    /// [`StoreError::NotLoaded`], [`StoreError::PolicyTooLarge`] or
    /// [`StoreError::BindingTooLarge`].
    pub fn put_policy(
        &mut self,
        id: &ComponentId,
        text: &str,
        pins: Value,
        pin: Option<Digest>,
    ) -> Result<(), StoreError> {
        self.check_loaded(id)?;
        let draft = Draft::new(&self.store.layout, id, text, pins, pin)?;
        self.policies.insert(id.clone(), Some(draft));
        Ok(())
    }

    /// Removes the policy of the component `id`; it is no error if it has none.
    ///
    /// # Errors
    /// [`StoreError::NotLoaded`].
    pub fn remove_policy(&mut self, id: &ComponentId) -> Result<(), StoreError> {
        self.check_loaded(id)?;
        self.policies.insert(id.clone(), None);
        Ok(())
    }

    fn check_loaded(&self, id: &ComponentId) -> Result<(), StoreError> {
        if self.entries.contains_key(id) {
            return Ok(());
        }
        Err(StoreError::NotLoaded { id: id.clone() })
    }

    /// Makes the changes the contents of the store, in one step and for good, and returns them.
    ///
    /// The lock file beside the index is brought up to it; if that fails, the next commit does it.
    /// Bytes that no entry names any more are removed; who reads them just now is not disturbed. So
    /// are the policy and the secrets of a component that was unloaded, or replaced by one from
    /// another source. Each policy that was put is written in a step of its own, before the index.
    ///
    /// # Errors
    /// [`StoreError::Write`] or [`StoreError::ReadOnly`]. The components are then as they were, or
    /// (if the disk failed in the very last step) as they were to become; nothing lies between.
    pub fn commit(mut self) -> Result<Index, StoreError> {
        let before = self.index.clone();
        if self.entries != before.to_entries() || !self.policies.is_empty() {
            self.begin_index()?;
            self.make_way(&before)?;
            self.write_policies()?;
            self.publish()?;
            self.retire(&before);
        }
        self.write_records();
        // The changes are made: bytes that stay too long are no reason to say that they are not.
        if let Err(error) = self.remove_unnamed_blobs() {
            tracing::warn!(%error, "cannot remove unused bytes from the store");
        }
        Ok(self.index)
    }

    /// Sees to it that components which get an id now find nothing that was another's, even if this
    /// process dies before the old files are gone.
    fn make_way(&self, before: &Index) -> Result<(), StoreError> {
        let layout = &self.store.layout;
        let is_incomplete = layout.has_quarantined_index()?;
        for entry in self.entries.values() {
            match before.find(&entry.id) {
                Some(old) if old.source != entry.source => {
                    policies::bind(layout, &entry.id, &old.source)?;
                }
                Some(_) => {}
                // Where the index was damaged this may be the component that was there all along.
                None if is_incomplete
                    && policies::is_bound_to(layout, &entry.id, &entry.source) => {}
                None => {
                    policies::clear(layout, &entry.id)?;
                    if !is_incomplete {
                        self.store.remove_secrets(&entry.id)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn write_policies(&self) -> Result<(), StoreError> {
        let layout = &self.store.layout;
        let revision = self.index.revision().saturating_add(1);
        for (id, draft) in &self.policies {
            match (draft, self.entries.get(id)) {
                (Some(draft), Some(entry)) => {
                    policies::write(layout, id, &entry.source, revision, draft)?;
                }
                _ => policies::remove(layout, id)?,
            }
        }
        Ok(())
    }

    /// Removes the policies and secrets of the components that have left their ids.
    fn retire(&self, before: &Index) {
        let layout = &self.store.layout;
        for old in before.entries() {
            let is_same = |entry: &Arc<Entry>| entry.source == old.source;
            if self.entries.get(&old.id).is_some_and(is_same) {
                continue;
            }
            let has_new_policy = self.policies.contains_key(&old.id);
            let policy = if has_new_policy { Ok(()) } else { policies::remove(layout, &old.id) };
            // The component is gone. What was its own stays unused, for want of its source.
            for error in
                [policy.err(), self.store.remove_secrets(&old.id).err()].into_iter().flatten()
            {
                tracing::warn!(%error, component = %old.id, "cannot remove what was a component's");
            }
        }
    }

    /// Sees to it that there is an index before there is anything that it could name: content without
    /// an index is damage.
    fn begin_index(&mut self) -> Result<(), StoreError> {
        if self.index.revision() > 0 {
            return Ok(());
        }
        let path = self.store.layout.index();
        if path.symlink_metadata().is_ok() {
            return Ok(());
        }
        let text = Index::default().to_json();
        let text = text.map_err(|error| StoreError::writing(&path)(error.into()))?;
        durable::replace(&self.store.layout.staging(), &path, &text)
    }

    /// Writes what says the same as the index, so that the next commit can write what this one cannot:
    /// its copy and the lock file. As long as something is lost, the lock file is the record of it.
    fn write_records(&self) {
        if let Err(error) = self.write_copy() {
            tracing::warn!(%error, "cannot write the copy of the store's index");
        }
        match self.store.layout.has_quarantined_index() {
            Ok(true) => {}
            Ok(false) => {
                if let Err(error) = self.write_lockfile() {
                    tracing::warn!(%error, "cannot write the lock file of the store");
                }
            }
            Err(error) => tracing::warn!(%error, "cannot look for damaged indexes"),
        }
    }

    /// Not made durable: after a power cut it is the index that is sound.
    fn write_copy(&self) -> Result<(), StoreError> {
        let layout = &self.store.layout;
        let path = layout.index_copy();
        if self.index.revision() == 0 {
            return Ok(());
        }
        let text = self.index.to_json();
        let text = text.map_err(|error| StoreError::writing(&path)(error.into()))?;
        if durable::read(&path).is_ok_and(|there| there.as_ref() == Some(&text)) {
            return Ok(());
        }
        clear_directory(&path)?;
        let file = durable::stage(&layout.staging(), &text)?;
        file.persist(&path).map_err(|failure| StoreError::writing(&path)(failure.error))?;
        Ok(())
    }

    /// Writes the entries as the next index.
    fn publish(&mut self) -> Result<(), StoreError> {
        let layout = &self.store.layout;
        let path = layout.index();
        let next = self.index.successor(self.entries.clone());
        let text = next.to_json().map_err(|error| StoreError::writing(&path)(error.into()))?;
        durable::replace(&layout.staging(), &path, &text)?;
        self.index = next;
        Ok(())
    }

    /// Brings `wassette.lock` up to what is loaded now.
    fn write_lockfile(&self) -> Result<(), StoreError> {
        let layout = &self.store.layout;
        let (path, text) = (layout.lockfile(), self.store.lockfile_of(&self.index)?.to_text());
        let there = private::read(&path, MAX_LOCKFILE_BYTES, Others::Read);
        if there.is_ok_and(|there| there.is_some_and(|there| *there == text.as_bytes())) {
            return Ok(());
        }
        clear_directory(&path)?;
        // Not made durable: after a power cut the next commit finds that it is another.
        let file = durable::stage(&layout.staging(), text.as_bytes())?;
        file.persist(&path).map_err(|failure| StoreError::writing(&path)(failure.error))?;
        Ok(())
    }

    /// Puts the damaged index aside and what could be recovered of it in its place. Where something may
    /// be lost, what was put aside keeps bytes and the lock file from being removed.
    fn quarantine(&mut self) -> Result<(), StoreError> {
        let layout = self.store.layout.clone();
        let is_incomplete = self.index.is_incomplete();
        let aside = |number| match is_incomplete {
            true => layout.quarantined_index(number),
            false => layout.replaced_index(number),
        };
        let free = (1..).map(aside).find(|path| path.symlink_metadata().is_err());
        let Some(path) = free else { return self.publish() };
        match fs::rename(layout.index(), &path) {
            Ok(()) => durable::sync_parent(&path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_incomplete => {
                // Where there is nothing to put aside, what is known stands for it.
                let known = durable::read(&layout.lockfile()).ok().flatten().unwrap_or_default();
                durable::create(&layout.staging(), &path, &known)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::writing(&path)(error)),
        }
        let (damage, file) = (self.index.damage(), path.display());
        if is_incomplete {
            tracing::warn!(
                ?damage, %file,
                "the store's index was damaged and is put aside; load what is missing again, then \
                 delete the file"
            );
        } else {
            tracing::warn!(?damage, %file, "the store's index was damaged; nothing is lost");
        }
        self.quarantined = Some(path).filter(|_| is_incomplete);
        self.publish()
    }

    fn remove_unnamed_blobs(&self) -> Result<(), StoreError> {
        let layout = &self.store.layout;
        if layout.has_quarantined_index()? {
            return Ok(());
        }
        let named: BTreeSet<Digest> =
            self.entries.values().flat_map(|entry| entry.named()).collect();
        for name in durable::file_names(&layout.blobs())? {
            if Digest::from_hex(&name).is_some_and(|digest| !named.contains(&digest)) {
                durable::remove(&layout.blobs().join(name))?;
            }
        }
        Ok(())
    }
}

/// Removes an empty directory that lies where a file is to be; one with something in it is somebody's.
fn clear_directory(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            Err(StoreError::writing(path)(error))
        }
        _ => Ok(()),
    }
}
