//! What components may do, at rest: a text for each component, and beside it what it was granted to.
//! Must never give a text with what belongs to another text, and never take a file that others
//! could have written. What the text means is not known here.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::layout::{self, Layout, check_directory};
use crate::private::{self, Others, Refusal};
use crate::{ComponentId, Digest, Store, StoreError, durable};

/// How many bytes a policy may have: 64 KiB.
pub const MAX_POLICY_BYTES: usize = 64 * 1024;

/// How many bytes a binding may have.
const MAX_BINDING_BYTES: usize = 1024 * 1024;

/// The version of the file of the binding that this program writes and reads.
const VERSION: u32 = 1;

/// How often a policy is read again that is being written meanwhile.
const TRIES: usize = 8;

/// How long a file must have been left alone that a person is writing: an editor may do that piece
/// by piece, and a piece may allow what the whole denies.
const QUIET: Duration = Duration::from_millis(100);

/// The policy of a component as it lies in the store.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPolicy {
    /// The document, [`MAX_POLICY_BYTES`] at most, unexamined.
    pub text: String,
    /// What it was granted to; nothing for a file that a person laid there.
    pub binding: Option<Binding>,
    /// Where it lies, for a person who wants to edit it.
    pub path: PathBuf,
}

impl StoredPolicy {
    /// Why it may not be used for a component that came from `source` and whose bytes have this
    /// `digest`. It may be if it was granted to that one, or if a person wrote it while the
    /// component was loaded.
    #[must_use]
    pub fn misfit(&self, source: &str, digest: &Digest) -> Option<Misfit> {
        let binding = self.binding.as_ref()?;
        if binding.source != source {
            return Some(Misfit::Source { granted_to: binding.source.clone() });
        }
        let pinned = binding.digest.filter(|pinned| pinned != digest)?;
        Some(Misfit::Digest { pinned })
    }
}

/// Why a policy may not be used for a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// It was granted to one from another source.
    Source {
        /// Where that one came from.
        granted_to: String,
    },
    /// It is pinned to other bytes from the same source.
    Digest {
        /// The digest of those bytes.
        pinned: Digest,
    },
}

/// What a policy was granted to.
///
/// It stays when a person edits the text of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Where the component came from, in the canonical spelling of [`Reference`](crate::Reference).
    pub source: String,
    /// The digest of the only bytes from there that it counts for; any bytes from there if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// A number that grows whenever the policy is [put](crate::Writer::put_policy), so that a
    /// reader sees that somebody did so, even where the text is the same. It never falls back, also
    /// where the policy was removed meanwhile; 0 if the policy was never put, or before there were
    /// editions.
    #[serde(default)]
    pub edition: u64,
    /// What the application remembers beside the text, such as the identities of the directories;
    /// opaque here.
    #[serde(default)]
    pub pins: Value,
}

impl Binding {
    /// That of a text that a person wrote for the component from `source`.
    fn unpinned(source: &str) -> Self {
        Self { source: source.to_owned(), digest: None, edition: 0, pins: Value::Null }
    }
}

/// The file beside a policy: what the text that stands there was granted to, and the one before it,
/// so that there is no moment at which the two files do not fit.
#[derive(Serialize, Deserialize)]
struct Bindings {
    version: u32,
    bindings: Vec<Bound>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Bound {
    /// The digest of the text.
    policy: Digest,
    #[serde(flatten)]
    binding: Binding,
}

/// A policy that is to be written.
#[derive(Debug)]
pub(crate) struct Draft {
    text: String,
    pins: Value,
    pin: Option<Digest>,
}

impl Draft {
    /// A draft of the policy of `id`, if it is not too long.
    pub(crate) fn new(
        layout: &Layout,
        id: &ComponentId,
        text: &str,
        pins: Value,
        pin: Option<Digest>,
    ) -> Result<Self, StoreError> {
        if text.len() > MAX_POLICY_BYTES {
            let path = policy_path(layout, id);
            return Err(StoreError::PolicyTooLarge { path, limit: MAX_POLICY_BYTES });
        }
        // Half of the room: the pins of the text before stay beside those of this one.
        if pins.to_string().len() > MAX_BINDING_BYTES / 4 {
            let limit = MAX_BINDING_BYTES / 4;
            return Err(StoreError::BindingTooLarge { id: id.clone(), limit });
        }
        Ok(Self { text: text.to_owned(), pins, pin })
    }
}

impl Store {
    /// The policy of the component `id`, if it has one.
    ///
    /// A text that a person has just written is given once it has been left alone for 100
    /// milliseconds, so this may wait for that.
    ///
    /// The caller asks [`StoredPolicy::misfit`] whether it is that of the component which has this
    /// id now.
    ///
    /// # Errors
    /// [`StoreError::NotPrivate`] for a link and for what others could have written,
    /// [`StoreError::PolicyTooLarge`], [`StoreError::PolicyNotText`],
    /// [`StoreError::BindingDamaged`] or [`StoreError::Read`].
    pub fn policy(&self, id: &ComponentId) -> Result<Option<StoredPolicy>, StoreError> {
        let layout = &self.layout;
        check_directory(&layout.policies())?;
        let path = policy_path(layout, id);
        let mut text = read_text(&path)?;
        for _ in 0..TRIES {
            let Some(found) = text else { return Ok(None) };
            // The text first: what stands beside it later still names it.
            let bindings = read_bindings(layout, id)?;
            let is_named =
                bindings.iter().any(|bound| bound.policy == Digest::of(found.as_bytes()));
            if !is_named && let Some(rest) = unrest(&path) {
                thread::sleep(rest);
                text = read_text(&path)?;
                continue;
            }
            let now = if is_named { None } else { read_text(&path)? };
            if is_named || now.as_ref() == Some(&found) {
                let binding = select(bindings, &found).map(|bound| bound.binding);
                return Ok(Some(StoredPolicy { text: found, binding, path }));
            }
            text = now;
        }
        let source = std::io::Error::other("it is written again and again");
        Err(StoreError::Read { path, source })
    }
}

impl Store {
    /// Remembers `pins` beside the policy `stored` of the component `id` from `source`: for what a
    /// person wrote, which comes without any. The text is not touched, what it is bound to and its
    /// edition stay, and nothing happens if the text or what stands beside it is another by now.
    /// Waits at most `timeout` for other writers.
    ///
    /// # Errors
    /// [`StoreError::NotLoaded`] if there is no such component any more,
    /// [`StoreError::BindingTooLarge`], and those of [`Store::write`] and [`Store::policy`].
    pub fn pin_policy(
        &self,
        id: &ComponentId,
        source: &str,
        stored: &StoredPolicy,
        pins: Value,
        timeout: Duration,
    ) -> Result<(), StoreError> {
        let Draft { text, pins, .. } = Draft::new(&self.layout, id, &stored.text, pins, None)?;
        let _lock = self.lock(timeout)?;
        let index = self.index()?;
        let Some(entry) = index.find(id).filter(|entry| entry.source == source) else {
            return Err(StoreError::NotLoaded { id: id.clone() });
        };
        check_directory(&self.layout.policies())?;
        let now = read_text(&policy_path(&self.layout, id))?;
        let before = read_bindings(&self.layout, id)?;
        let beside = select(before.clone(), &text).map(|bound| bound.binding);
        let is_as_seen = now.as_ref() == Some(&text) && beside == stored.binding;
        if !is_as_seen || stored.misfit(source, &entry.digest).is_some() {
            return Ok(());
        }
        let policy = Digest::of(text.as_bytes());
        let binding = beside.unwrap_or_else(|| Binding::unpinned(source));
        let binding = Binding { pins, ..binding };
        let mut bindings = vec![Bound { policy, binding }];
        bindings.extend(before.into_iter().find(|bound| bound.policy != policy));
        write_bindings(&self.layout, id, bindings)
    }
}

/// Writes the policy of `id`, for the component that comes from `source`. The renaming of the text
/// is the moment at which it counts. `revision` is the one that the index gets with it. Only for
/// the lock's holder.
pub(crate) fn write(
    layout: &Layout,
    id: &ComponentId,
    source: &str,
    revision: u64,
    draft: &Draft,
) -> Result<(), StoreError> {
    let path = policy_path(layout, id);
    let before = read_bindings(layout, id).unwrap_or_default();
    let last = before.iter().map(|bound| bound.binding.edition).max().unwrap_or_default();
    let binding = Binding {
        source: source.to_owned(),
        digest: draft.pin,
        // The revision, so that a policy which was removed does not begin with an old number.
        edition: revision.max(last.saturating_add(1)),
        pins: draft.pins.clone(),
    };
    let mut bindings = vec![Bound { policy: Digest::of(draft.text.as_bytes()), binding }];
    // A text before that cannot be used needs nothing beside it.
    if let Ok(Some(text)) = read_text(&path) {
        let policy = Digest::of(text.as_bytes());
        bindings.extend(select(before, &text).map(|bound| Bound { policy, ..bound }));
    }
    check_directory(&layout.policies())?;
    write_bindings(layout, id, bindings)?;
    durable::replace(&layout.staging(), &path, draft.text.as_bytes())
}

/// Removes the policy of `id` and what it was granted to. Only for the lock's holder.
pub(crate) fn remove(layout: &Layout, id: &ComponentId) -> Result<(), StoreError> {
    // The text first: without it the other file means nothing.
    let had_text = durable::remove(&policy_path(layout, id))?;
    let had_binding = durable::remove(&binding_path(layout, id))?;
    if had_text || had_binding {
        durable::sync_parent(&policy_path(layout, id))?;
    }
    Ok(())
}

/// Binds a policy that a person laid there to the component that has had it so far, before another
/// takes its id. Only for the lock's holder.
pub(crate) fn bind(layout: &Layout, id: &ComponentId, source: &str) -> Result<(), StoreError> {
    if binding_path(layout, id).exists() || !policy_path(layout, id).exists() {
        return Ok(());
    }
    // A text that is refused is bound as well: it may be mended later.
    let text = read_text(&policy_path(layout, id)).ok().flatten().unwrap_or_default();
    let (policy, binding) = (Digest::of(text.as_bytes()), Binding::unpinned(source));
    write_bindings(layout, id, vec![Bound { policy, binding }])
}

/// Clears away what lies there for a component that is not loaded: what an unloading left that was
/// interrupted, or what a person laid there too early. A component that is loaded must be granted
/// what it may do; it finds nothing. Only for the lock's holder.
pub(crate) fn clear(layout: &Layout, id: &ComponentId) -> Result<(), StoreError> {
    let path = policy_path(layout, id);
    if path.exists() && !binding_path(layout, id).exists() {
        let aside = layout.policies().join(format!("{id}.yaml.unused"));
        fs::rename(&path, &aside).map_err(StoreError::writing(&aside))?;
        tracing::warn!(
            component = %id, file = %aside.display(),
            "a policy lay there before the component was loaded; it is put aside: set it again if \
             it is meant for this component"
        );
    }
    remove(layout, id)
}

/// The digest of the text that lies there now, if one does.
pub(crate) fn digest(layout: &Layout, id: &ComponentId) -> Result<Option<Digest>, StoreError> {
    check_directory(&layout.policies())?;
    Ok(read_text(&policy_path(layout, id))?.map(|text| Digest::of(text.as_bytes())))
}

/// Whether what lies there was granted to a component from `source`.
pub(crate) fn is_bound_to(layout: &Layout, id: &ComponentId, source: &str) -> bool {
    read_bindings(layout, id)
        .is_ok_and(|bindings| bindings.first().is_some_and(|bound| bound.binding.source == source))
}

fn policy_path(layout: &Layout, id: &ComponentId) -> PathBuf {
    layout.policies().join(format!("{id}.yaml"))
}

fn binding_path(layout: &Layout, id: &ComponentId) -> PathBuf {
    layout.policies().join(format!("{id}.binding.json"))
}

/// How long it still takes until a file has been left alone for long enough.
fn unrest(path: &Path) -> Option<Duration> {
    let age = fs::symlink_metadata(path).ok()?.modified().ok()?.elapsed().ok()?;
    QUIET.checked_sub(age).filter(|rest| !rest.is_zero())
}

/// What `text` was granted to. A text that a person edited keeps what stood there last.
fn select(bindings: Vec<Bound>, text: &str) -> Option<Bound> {
    let policy = Digest::of(text.as_bytes());
    let named = bindings.iter().find(|bound| bound.policy == policy).cloned();
    named.or_else(|| bindings.into_iter().next())
}

fn read_text(path: &Path) -> Result<Option<String>, StoreError> {
    let bytes = match private::read(path, MAX_POLICY_BYTES, Others::Read) {
        Ok(bytes) => bytes,
        Err(refusal) => return Err(refused(path, refusal, MAX_POLICY_BYTES)),
    };
    let text = bytes.map(|bytes| String::from_utf8(bytes.to_vec()));
    text.transpose().map_err(|_| StoreError::PolicyNotText { path: path.to_owned() })
}

fn read_bindings(layout: &Layout, id: &ComponentId) -> Result<Vec<Bound>, StoreError> {
    let path = binding_path(layout, id);
    let damaged = |reason| StoreError::BindingDamaged { path: path.clone(), reason };
    let bytes = match private::read(&path, MAX_BINDING_BYTES, Others::Read) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(Vec::new()),
        Err(Refusal::TooLarge) => {
            return Err(damaged(format!("it has more than {MAX_BINDING_BYTES} bytes")));
        }
        Err(refusal) => return Err(refused(&path, refusal, MAX_BINDING_BYTES)),
    };
    let file: Bindings =
        serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    match file.version {
        VERSION if file.bindings.is_empty() => Err(damaged("it names nothing".to_owned())),
        VERSION => Ok(file.bindings),
        version => Err(damaged(format!("it has version {version}, {VERSION} can be read"))),
    }
}

fn write_bindings(
    layout: &Layout,
    id: &ComponentId,
    bindings: Vec<Bound>,
) -> Result<(), StoreError> {
    let path = binding_path(layout, id);
    let text = serde_json::to_vec(&Bindings { version: VERSION, bindings })
        .map_err(|error| StoreError::writing(&path)(error.into()))?;
    if text.len() > MAX_BINDING_BYTES {
        return Err(StoreError::BindingTooLarge { id: id.clone(), limit: MAX_BINDING_BYTES });
    }
    durable::replace(&layout.staging(), &path, &text)
}

fn refused(path: &Path, refusal: Refusal, limit: usize) -> StoreError {
    match refusal {
        Refusal::Exposed(reason) => layout::not_private(path, reason),
        Refusal::TooLarge => StoreError::PolicyTooLarge { path: path.to_owned(), limit },
        Refusal::Failed(error) => StoreError::reading(path)(error),
    }
}

#[cfg(test)]
mod tests;
