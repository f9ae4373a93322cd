//! Holding what was found against what a lock file says. Anything else than what was locked is
//! refused, with both told; nothing here changes a lock file to fit.

use miette::Diagnostic;
use thiserror::Error;
use wassette_policy::{visible, word};
use wassette_store::{ComponentId, Digest, Entry, Locked, Lockfile, Store};

use crate::code::blocking;
use crate::error::LoadError;
use crate::toolbox::Toolbox;

/// Why a lock file does not let a component be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum LockError {
    /// The lock file says nothing of it.
    #[error("the lock file does not list `{id}`; nothing is loaded")]
    #[diagnostic(help(
        "lock it: `wassette component lock` for what is loaded, `wassette manifest lock` for a manifest"
    ))]
    Missing {
        /// The component's id.
        id: String,
    },
    /// It is not what was locked.
    #[error("`{id}` is not what was locked; nothing is loaded: {}", drifts.join("; "))]
    #[diagnostic(help(
        "find out why it changed; if it is meant to, load it without the lock and write the lock \
         file again"
    ))]
    Drift {
        /// The component's id.
        id: String,
        /// What is different, each with what was locked and what there is now.
        drifts: Vec<String>,
    },
}

/// What was found of a component, to be held against a lock file.
#[derive(Debug, Clone, Copy)]
struct Held<'a> {
    id: &'a ComponentId,
    /// The digest of the image's manifest, where a registry gave one.
    resolved: Option<Digest>,
    /// The digest of the component's bytes.
    sha256: Digest,
    signer: Option<&'a str>,
    /// The digest of its tools, once they are known.
    tools: Option<Digest>,
    /// The digest of its policy's text, if it has one.
    policy: Option<Digest>,
}

/// Refuses the component of `entry`, as it is to be stored, if `lock` does not say just so; what it
/// may do is what lies in `store` for it.
pub(crate) fn check(lock: &Lockfile, entry: &Entry, store: &Store) -> Result<(), LoadError> {
    let policy = store.policy(&entry.id)?;
    // One that was granted to another component grants nothing to this one.
    let policy = policy.filter(|policy| policy.misfit(&entry.source, &entry.digest).is_none());
    let origin = entry.origin.as_ref();
    let held = Held {
        id: &entry.id,
        resolved: origin.and_then(|origin| origin.manifest),
        sha256: entry.digest,
        signer: origin.and_then(|origin| origin.signer.as_deref()),
        tools: entry.tools,
        policy: policy.map(|policy| Digest::of(policy.text.as_bytes())),
    };
    Ok(compare(lock, &held)?)
}

/// Refuses what `lock` does not say just so.
///
/// Where the component lies is not compared: what it is, is, and a file lies elsewhere on every
/// machine. A policy that is not there yet grants nothing, and a signer that nobody had asked for
/// when the lock was written says no less: neither is a drift.
fn compare(lock: &Lockfile, held: &Held<'_>) -> Result<(), LockError> {
    let drifts = drifts(found(lock, held.id)?, held);
    let id = || held.id.to_string();
    if drifts.is_empty() { Ok(()) } else { Err(LockError::Drift { id: id(), drifts }) }
}

/// Refuses the image with the `manifest` that the component `id` is to come from, if another was
/// locked. The rest is compared when it is known.
pub(crate) fn check_manifest(
    lock: &Lockfile,
    id: &ComponentId,
    manifest: Digest,
) -> Result<(), LockError> {
    check_one(lock, id, "manifest", |locked| locked.resolved, manifest)
}

/// Refuses the policy with the digest `wanted`, which the component `id` is to get, if another was
/// locked. Where none is to be set, what was locked says nothing.
pub(crate) fn check_policy(
    lock: &Lockfile,
    id: &ComponentId,
    wanted: Option<Digest>,
) -> Result<(), LockError> {
    match wanted {
        Some(wanted) => check_one(lock, id, "policy", |locked| locked.policy, wanted),
        None => found(lock, id).map(drop),
    }
}

/// Refuses `now`, if the lock has another for the component `id` in this place.
fn check_one(
    lock: &Lockfile,
    id: &ComponentId,
    what: &str,
    place: fn(&Locked) -> Option<Digest>,
    now: Digest,
) -> Result<(), LockError> {
    let locked = place(found(lock, id)?);
    if locked == Some(now) {
        return Ok(());
    }
    let drifts = vec![drift(what, text(locked), text(Some(now)))];
    Err(LockError::Drift { id: id.to_string(), drifts })
}

fn found<'a>(lock: &'a Lockfile, id: &ComponentId) -> Result<&'a Locked, LockError> {
    lock.find(id).ok_or_else(|| LockError::Missing { id: id.to_string() })
}

fn text(digest: Option<Digest>) -> Option<String> {
    digest.map(|digest| digest.to_string())
}

fn drift(what: &str, locked: Option<String>, now: Option<String>) -> String {
    let said = |text: Option<String>| text.unwrap_or_else(|| "nothing".to_owned());
    format!("{what} locked as {}, now {}", said(locked), said(now))
}

fn drifts(locked: &Locked, held: &Held<'_>) -> Vec<String> {
    let mut drifts = Vec::new();
    let mut differ = |what: &str, locked: Option<String>, now: Option<String>| {
        if locked != now {
            drifts.push(drift(what, locked, now));
        }
    };
    differ("manifest", text(locked.resolved), text(held.resolved));
    differ("component", text(Some(locked.sha256)), text(Some(held.sha256)));
    let signer = |signer: &str| word(&visible(signer, 200)).into_owned();
    if locked.signer.is_some() {
        differ("signer", locked.signer.as_deref().map(signer), held.signer.map(signer));
    }
    if held.tools.is_some() && locked.tools.is_some() {
        differ("tools", text(locked.tools), text(held.tools));
    }
    if held.policy.is_some() {
        differ("policy", text(locked.policy), text(held.policy));
    }
    drifts
}

impl Toolbox {
    /// What is loaded now, as a lock file says it.
    ///
    /// # Errors
    /// [`StoreError`](wassette_store::StoreError) for a store, or a policy in it, that cannot be read.
    pub async fn lockfile(&self) -> Result<Lockfile, LoadError> {
        let store = self.shared.store.clone();
        Ok(blocking(move || store.lockfile()).await??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u8) -> Digest {
        Digest::of(&[byte])
    }

    fn locked() -> Locked {
        Locked {
            id: ComponentId::parse("x").unwrap(),
            source: "oci://example.com/x:1".to_owned(),
            resolved: Some(digest(1)),
            sha256: digest(2),
            signer: Some("key sha256:ab".to_owned()),
            tools: Some(digest(3)),
            policy: Some(digest(4)),
        }
    }

    fn held<'a>(locked: &'a Locked) -> Held<'a> {
        Held {
            id: &locked.id,
            resolved: locked.resolved,
            sha256: locked.sha256,
            signer: locked.signer.as_deref(),
            tools: locked.tools,
            policy: locked.policy,
        }
    }

    #[test]
    fn what_was_locked_passes_and_so_does_what_grants_less() {
        let locked = locked();
        let lock = Lockfile { components: vec![locked.clone()] };
        assert_eq!(compare(&lock, &held(&locked)), Ok(()));
        assert_eq!(compare(&lock, &Held { policy: None, ..held(&locked) }), Ok(()));
    }

    #[test]
    fn denied_r09_anything_else_than_what_was_locked() {
        let locked = locked();
        let lock = Lockfile { components: vec![locked.clone()] };
        let other = digest(9);
        for (changed, told) in [
            (Held { resolved: Some(other), ..held(&locked) }, "manifest locked as sha256:"),
            (Held { resolved: None, ..held(&locked) }, "now nothing"),
            (Held { sha256: other, ..held(&locked) }, "component locked as sha256:"),
            (
                Held { signer: None, ..held(&locked) },
                "signer locked as \"key sha256:ab\", now nothing",
            ),
            (Held { signer: Some("key sha256:cd"), ..held(&locked) }, "key sha256:cd"),
            (Held { tools: Some(other), ..held(&locked) }, "tools locked as sha256:"),
            (Held { policy: Some(other), ..held(&locked) }, "policy locked as sha256:"),
        ] {
            let error = compare(&lock, &changed).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        let nobody = ComponentId::parse("y").unwrap();
        let missing = compare(&lock, &Held { id: &nobody, ..held(&locked) });
        assert!(matches!(missing, Err(LockError::Missing { .. })));
    }

    #[test]
    fn denied_a_policy_where_none_was_locked() {
        let locked = Locked { policy: None, ..locked() };
        let lock = Lockfile { components: vec![locked.clone()] };
        let granted = Held { policy: Some(digest(4)), ..held(&locked) };
        assert!(compare(&lock, &granted).is_err());
    }
}
