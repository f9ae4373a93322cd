//! Looking a manifest through without a network, and writing down what it leads to. Neither loads
//! anything.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use wassette_policy::Policy;
use wassette_store::{Digest, Index, Locked, Lockfile, Reference};

use super::provision::Refused;
use super::{Listed, Manifest};
use crate::code::blocking;
use crate::error::LoadError;
use crate::load::{self, Changes, LoadRequest, LoadStage};
use crate::lock;
use crate::naming::Naming;
use crate::record::Record;
use crate::source::Verifier;
use crate::toolbox::Toolbox;

/// A component of a manifest that was looked through.
#[derive(Debug, Clone, Serialize)]
pub struct Checked {
    /// Where it is, as the manifest has it.
    pub uri: String,
    /// The name that it has in the store, or would get.
    pub id: String,
    /// The digest that it must have, if the manifest says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What it may do, a line each; nothing where the manifest leaves that as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// What is wrong with it, as far as that can be told without a network.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What is to be known about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What a manifest leads to today.
#[derive(Debug, Clone)]
pub struct LockedManifest {
    /// The components that were found.
    pub lock: Lockfile,
    /// The ids of the others, each with the reason. A lock without them is not worth writing.
    pub failed: Vec<(String, String)>,
}

impl Manifest {
    /// Puts `lock` in the place of the lock file beside the manifest, in one step. It waits for the
    /// disk.
    ///
    /// # Errors
    /// What the system says. The file is then as it was.
    pub fn write_lock(&self, lock: &Lockfile) -> io::Result<()> {
        lock.write(&self.lock_path())
    }
}

impl Listed {
    /// The digest of the policy's text, as the store has it once it is granted.
    pub(super) fn policy_digest(&self) -> Option<Digest> {
        let policy = self.permissions.as_ref()?;
        Some(Digest::of(policy.to_yaml().as_bytes()))
    }
}

impl Toolbox {
    /// Looks `manifest` through: what each component may do, and what is wrong with it as far as
    /// this machine knows. Nobody else is asked, and nothing is loaded.
    ///
    /// # Errors
    /// [`LoadError::Stopped`].
    pub async fn check_manifest(&self, manifest: &Manifest) -> Result<Vec<Checked>, LoadError> {
        let (toolbox, manifest) = (self.clone(), manifest.clone());
        let check = move || {
            let components = manifest.components.iter();
            components.map(|listed| toolbox.look_through(&manifest, listed)).collect()
        };
        Ok(blocking(check).await?)
    }

    fn look_through(&self, manifest: &Manifest, listed: &Listed) -> Checked {
        let permissions = listed.permissions.as_ref();
        let most = self.shared.options.component_bytes;
        let problems = [
            signers_problem(&self.shared.verifier, listed),
            file_problem(listed, most),
            lock_problem(manifest, listed),
        ];
        let mut notes = listed.ignored.clone();
        if let Some(policy) = permissions {
            notes.extend(self.shared.terms.remarks(policy));
        }
        let lacks = self.lacks(listed, &listed.reference.identity());
        notes.extend(lacks.into_iter().map(|lack| lack.sentence()));
        Checked {
            uri: listed.uri.clone(),
            id: listed.id.to_string(),
            digest: listed.digest.map(|digest| digest.to_string()),
            permissions: permissions.map(|policy| policy.changes_since(&Policy::default())),
            problems: problems.into_iter().flatten().collect(),
            notes,
        }
    }

    /// Finds out what each component of `manifest` is today, by the rules by which it would be
    /// loaded, and writes it down. Nothing is loaded; what is locked already does not count.
    /// `progress` hears of the stages of each component, by its id.
    pub async fn lock_manifest(
        &self,
        manifest: &Manifest,
        progress: impl Fn(&str, LoadStage) + Send + Sync,
    ) -> LockedManifest {
        let (mut components, mut failed) = (Vec::new(), Vec::new());
        for listed in &manifest.components {
            let told = |stage| progress(listed.id.as_str(), stage);
            match self.locked(manifest, listed, &told).await {
                Ok(locked) => components.push(locked),
                Err(error) => failed.push((listed.id.to_string(), Refused::of(&error).reason)),
            }
        }
        self.shared.release();
        components.sort_by(|one, other| one.id.cmp(&other.id));
        LockedManifest { lock: Lockfile { components }, failed }
    }

    async fn locked(
        &self,
        manifest: &Manifest,
        listed: &Listed,
        progress: &(dyn Fn(LoadStage) + Send + Sync),
    ) -> Result<Locked, LoadError> {
        let request = LoadRequest {
            id: Some(listed.id.clone()),
            changes: Changes::Accept,
            digest: listed.digest,
            verify: listed.verify.clone(),
            ..LoadRequest::new(listed.uri.clone(), manifest.folder.clone())
        };
        let found = self.find(&request, progress).await?;
        progress(LoadStage::Compiling);
        let description = self.describe(&listed.uri, &found.artifact).await?;
        // As a load would choose them on this machine.
        let before = self.catalog().await.component(listed.id.as_str()).cloned();
        let before = before.as_deref().map(|component| component.entry());
        let asked = Naming { only: listed.only.clone(), ..Naming::default() };
        let naming = self.naming(asked, listed.id.as_str(), before, &found.artifact);
        let plan =
            load::plan(&Index::default(), &listed.id, &description, &naming, self.name_limit())?;
        let record = Record::new(description, plan.tools, naming, &found.artifact);
        let entry = load::entry(&listed.id, &found.artifact, &record)?;
        Ok(Locked::of(&entry, listed.policy_digest()))
    }

    /// Those who may have signed what is `listed`, as they are called in the store. A pattern of
    /// identities is nobody in particular.
    pub(super) async fn signers(&self, listed: &Listed) -> BTreeSet<String> {
        let Some(rule) = listed.verify.clone() else { return BTreeSet::new() };
        let verifier: Arc<Verifier> = self.shared.verifier.clone();
        let read = move || verifier.extra(&rule).map(|rule| rule.signers());
        blocking(read).await.ok().and_then(Result::ok).unwrap_or_default()
    }
}

/// Why the signature that is wanted could not be checked.
fn signers_problem(verifier: &Verifier, listed: &Listed) -> Option<String> {
    let rule = listed.verify.as_ref()?;
    Some(Refused::of(&verifier.extra(rule).err()?).reason)
}

/// Why a file of this machine is not what is wanted.
fn file_problem(listed: &Listed, most: u64) -> Option<String> {
    let Reference::File(path) = &listed.reference else { return None };
    match wassette_store::read_file(Path::new(path), most) {
        Err(error) => Some(Refused::of(&error).reason),
        Ok(found) if listed.digest.is_some_and(|digest| digest != found.digest) => {
            Some(format!("the file is {}, which is another", found.digest))
        }
        Ok(_) => None,
    }
}

/// Why the lock file does not fit.
fn lock_problem(manifest: &Manifest, listed: &Listed) -> Option<String> {
    let lock = manifest.lock.as_ref()?;
    let policy = lock::check_policy(lock, &listed.id, listed.policy_digest());
    if let Err(error) = policy {
        return Some(Refused::of(&error).reason);
    }
    let locked = lock.find(&listed.id)?;
    let digest = listed.digest.filter(|it| *it != locked.sha256 && Some(*it) != locked.resolved)?;
    Some(format!("the lock file has {}, and the manifest {digest}", locked.sha256))
}
