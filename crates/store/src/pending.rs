//! Requests that wait for a person, a numbered file for each. Must never give a request to two who
//! take it, never use a number twice, and never take a file that others could have written: what a
//! person approves is what was asked. What a request means is not known here.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::layout::{Layout, check_directory};
use crate::private::{self, Others, Refusal};
use crate::{Digest, Store, StoreError, durable};

/// How many requests may wait.
pub const MAX_PENDING: usize = 64;

/// How many bytes the payload of a request may have, as JSON: 128 KiB.
pub const MAX_PENDING_BYTES: usize = 128 * 1024;

/// For how many seconds a request waits: a day. Whoever answers later does not remember what for.
const LIFETIME: u64 = 24 * 60 * 60;

/// How many bytes a file may have: the payload and what stands around it.
const MAX_FILE_BYTES: usize = MAX_PENDING_BYTES + 1024;

/// The version of the file that this program writes and reads.
const VERSION: u32 = 1;

/// A request that waits for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// What it is called by. No other request of this store ever had or gets this number.
    pub number: u64,
    /// What it is the same by as one that is made again.
    pub key: Digest,
    /// When it was made, in seconds since 1970-01-01 UTC.
    pub asked_at: u64,
    /// What is asked for, [`MAX_PENDING_BYTES`] at most; opaque here.
    pub payload: Value,
}

impl Pending {
    /// Whether its time is over. The clock may have been wrong then, so that a day in the future is
    /// no better.
    fn is_over(&self, now: u64) -> bool {
        self.asked_at.abs_diff(now) > LIFETIME
    }
}

/// The file of a request.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    #[serde(flatten)]
    pending: Pending,
}

impl Store {
    /// The requests that wait, sorted by their numbers.
    ///
    /// One whose file cannot be used is left out with a warning, and does not hide the others:
    /// [`take_pending`](Self::take_pending) says what is wrong with it. One that has waited for
    /// more than a day is removed.
    ///
    /// # Errors
    /// [`StoreError::NotPrivate`] if others could have written to the folder, or
    /// [`StoreError::Read`].
    pub fn pending(&self) -> Result<Vec<Pending>, StoreError> {
        let layout = &self.layout;
        check_directory(&layout.pending())?;
        let mut waiting = Vec::new();
        for number in numbers(layout)? {
            match read(layout, number) {
                Ok(Some(pending)) if pending.is_over(now()) => {
                    // No other file ever gets its name, so this needs no lock.
                    if let Err(error) = durable::remove(&path(layout, number)) {
                        tracing::debug!(%error, number, "a request stays whose time is over");
                    }
                }
                Ok(found) => waiting.extend(found),
                Err(error) => {
                    tracing::warn!(%error, "a request that waits for a person cannot be shown");
                }
            }
        }
        Ok(waiting)
    }

    /// Keeps a request until a person answers it, for a day at most, and returns its number. One
    /// with the same `key` that waits already stays as it is, and its number is returned again.
    ///
    /// This takes the lock for a moment, for which it waits at most `timeout`: a thread that holds
    /// a [`Writer`](crate::Writer) must not call it.
    ///
    /// # Errors
    /// [`StoreError::PendingFull`] if [`MAX_PENDING`] wait already, [`StoreError::PendingRefused`]
    /// for a payload that is too long or nested too deeply, [`StoreError::PendingDamaged`] if the
    /// last number cannot be read, and those of [`pending`](Self::pending) and
    /// [`write`](Self::write).
    pub fn keep_pending(
        &self,
        key: Digest,
        payload: Value,
        timeout: Duration,
    ) -> Result<u64, StoreError> {
        let layout = &self.layout;
        let _lock = self.lock(timeout)?;
        let waiting = self.pending()?;
        if let Some(same) = waiting.iter().find(|pending| pending.key == key) {
            return Ok(same.number);
        }
        if waiting.len() >= MAX_PENDING {
            return Err(StoreError::PendingFull { limit: MAX_PENDING });
        }
        let number = next_number(layout)?;
        let text = to_text(Pending { number, key, asked_at: now(), payload })?;
        // The number first: it is lost if we die now, and not used again if the file is taken.
        let staging = layout.staging();
        durable::replace(&staging, &last_path(layout), format!("{number}\n").as_bytes())?;
        durable::replace(&staging, &path(layout, number), &text)?;
        Ok(number)
    }

    /// Takes the request `number` out of those that wait. Of several who take it, in whatever
    /// process, exactly one gets it; it is gone for good when this returns.
    ///
    /// This takes the lock as [`keep_pending`](Self::keep_pending) does.
    ///
    /// # Errors
    /// [`StoreError::NoSuchPending`] if it does not wait, or not any more,
    /// [`StoreError::PendingDamaged`] if its file is not what was written or not this user's alone
    /// (it stays, to be looked at), [`StoreError::NotPrivate`] for the folder, and those of
    /// [`write`](Self::write).
    pub fn take_pending(&self, number: u64, timeout: Duration) -> Result<Pending, StoreError> {
        let layout = &self.layout;
        let _lock = self.lock(timeout)?;
        check_directory(&layout.pending())?;
        let found = read(layout, number)?;
        // Nobody may act on what could come back with the power.
        let path = path(layout, number);
        if durable::remove(&path)? {
            durable::sync_parent(&path)?;
        }
        found.filter(|pending| !pending.is_over(now())).ok_or(StoreError::NoSuchPending { number })
    }

    /// The request `number`, which goes on waiting.
    ///
    /// # Errors
    /// Those of [`take_pending`](Self::take_pending).
    pub fn find_pending(&self, number: u64) -> Result<Pending, StoreError> {
        check_directory(&self.layout.pending())?;
        let found = read(&self.layout, number)?;
        found.filter(|pending| !pending.is_over(now())).ok_or(StoreError::NoSuchPending { number })
    }

    /// Puts a request back that was taken and came to nothing, under its number.
    ///
    /// This takes the lock as [`keep_pending`](Self::keep_pending) does.
    ///
    /// # Errors
    /// Those of [`keep_pending`](Self::keep_pending) but that too many wait.
    pub fn restore_pending(&self, pending: &Pending, timeout: Duration) -> Result<(), StoreError> {
        let text = to_text(pending.clone())?;
        let _lock = self.lock(timeout)?;
        check_directory(&self.layout.pending())?;
        durable::replace(&self.layout.staging(), &path(&self.layout, pending.number), &text)
    }
}

/// The file of the request `number`, as it is to be written: what is refused here could not be read
/// again.
fn to_text(pending: Pending) -> Result<Vec<u8>, StoreError> {
    let refused = |reason| StoreError::PendingRefused { reason };
    let unreadable = |error: serde_json::Error| refused(error.to_string());
    if serde_json::to_vec(&pending.payload).map_err(unreadable)?.len() > MAX_PENDING_BYTES {
        return Err(refused(format!("it has more than {MAX_PENDING_BYTES} bytes")));
    }
    let text = serde_json::to_vec(&Kept { version: VERSION, pending }).map_err(unreadable)?;
    serde_json::from_slice::<Kept>(&text).map_err(unreadable)?;
    Ok(text)
}

/// The request `number`, if there is one.
fn read(layout: &Layout, number: u64) -> Result<Option<Pending>, StoreError> {
    let path = path(layout, number);
    let Some(bytes) = read_own(path.clone(), MAX_FILE_BYTES)? else { return Ok(None) };
    let damaged = |reason| StoreError::PendingDamaged { path, reason };
    let Kept { version, pending } = match serde_json::from_slice(&bytes) {
        Ok(kept) => kept,
        Err(error) => return Err(damaged(error.to_string())),
    };
    if version != VERSION {
        return Err(damaged(format!("it has version {version}, {VERSION} can be read")));
    }
    if pending.number != number {
        return Err(damaged(format!("it is that of the request {}", pending.number)));
    }
    Ok(Some(pending))
}

/// A number that no request ever had.
fn next_number(layout: &Layout) -> Result<u64, StoreError> {
    let path = last_path(layout);
    let damaged = |reason: &str| StoreError::PendingDamaged {
        path: last_path(layout),
        reason: reason.to_owned(),
    };
    let last = match read_own(path, 64)? {
        None => 0,
        Some(bytes) => str::from_utf8(&bytes)
            .ok()
            .and_then(|text| text.trim_end().parse().ok())
            .ok_or_else(|| damaged("it is not a number"))?,
    };
    // Also those that a person laid there, or from which somebody took the last number.
    let highest = numbers(layout)?.last().copied().unwrap_or_default().max(last);
    highest.checked_add(1).ok_or_else(|| damaged("there are no more numbers"))
}

/// The contents of a file that nobody but this user can use.
fn read_own(path: PathBuf, limit: usize) -> Result<Option<Vec<u8>>, StoreError> {
    let reason = match private::read(&path, limit, Others::Nothing) {
        Ok(bytes) => return Ok(bytes.map(|bytes| bytes.to_vec())),
        Err(Refusal::Exposed(reason)) => reason,
        Err(Refusal::TooLarge) => format!("it has more than {limit} bytes"),
        Err(Refusal::Failed(error)) => return Err(StoreError::reading(&path)(error)),
    };
    Err(StoreError::PendingDamaged { path, reason })
}

/// The numbers for which there is a file, sorted.
fn numbers(layout: &Layout) -> Result<Vec<u64>, StoreError> {
    let mut numbers: Vec<u64> = durable::file_names(&layout.pending())?
        .iter()
        .filter_map(|file| {
            let number = file.strip_suffix(".json")?.parse().ok()?;
            (name(number) == *file).then_some(number)
        })
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn name(number: u64) -> String {
    format!("{number}.json")
}

fn path(layout: &Layout, number: u64) -> PathBuf {
    layout.pending().join(name(number))
}

/// The file of the last number that was given.
fn last_path(layout: &Layout) -> PathBuf {
    layout.pending().join("last")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
