//! The cache: opaque bytes by name, which may be lost at any time. Must never be trusted: the
//! application authenticates what it finds here with [`Store::cache_key`].

use crate::store::SHORT_WAIT;
use crate::{Store, StoreError, durable};

/// How many characters the name of a cached file may have.
const MAX_NAME: usize = 200;

impl Store {
    /// What is cached under `name`, if anything is.
    ///
    /// # Errors
    /// [`StoreError::CacheName`] or [`StoreError::Read`].
    pub fn cache_read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        check(name)?;
        durable::read(&self.layout.cache().join(name))
    }

    /// Caches `bytes` under `name` (lower-case letters, digits and `-`, 200 at most) in one step.
    ///
    /// This takes the lock for a moment: a thread that holds a [`Writer`](crate::Writer) must not
    /// call it. A caller can go on without a cache, so a failure is worth no more than a warning.
    ///
    /// # Errors
    /// [`StoreError::CacheName`], [`StoreError::Busy`], [`StoreError::ReadOnly`],
    /// [`StoreError::NoLocks`] or [`StoreError::Write`].
    pub fn cache_write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        check(name)?;
        let _lock = self.lock(SHORT_WAIT)?;
        let target = self.layout.cache().join(name);
        // Not made durable: after a power cut the application notices and compiles again.
        let file = durable::stage(&self.layout.staging(), bytes)?;
        file.persist(&target).map_err(|failure| StoreError::writing(&target)(failure.error))?;
        Ok(())
    }

    /// Forgets what is cached under `name`, and returns whether anything was.
    ///
    /// # Errors
    /// [`StoreError::CacheName`], [`StoreError::ReadOnly`] or [`StoreError::Write`].
    pub fn cache_remove(&self, name: &str) -> Result<bool, StoreError> {
        check(name)?;
        durable::remove(&self.layout.cache().join(name))
    }

    /// Forgets everything in the cache whose name `keep` does not want, and returns how many
    /// files that were.
    ///
    /// # Errors
    /// [`StoreError::Read`], [`StoreError::ReadOnly`] or [`StoreError::Write`].
    pub fn cache_prune(&self, mut keep: impl FnMut(&str) -> bool) -> Result<usize, StoreError> {
        let cache = self.layout.cache();
        let mut removed = 0;
        for name in durable::file_names(&cache)? {
            if !keep(&name) && durable::remove(&cache.join(&name))? {
                removed += 1;
            }
        }
        Ok(removed)
    }
}

fn check(name: &str) -> Result<(), StoreError> {
    let is_good = (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if is_good { Ok(()) } else { Err(StoreError::CacheName { name: name.to_owned() }) }
}

#[cfg(test)]
mod tests;
