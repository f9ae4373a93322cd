//! Provisioning: what a manifest lists is brought into the store before a server begins to serve.
//! What is there already under the digest that is wanted is not asked for again, so that a server
//! starts without a network; what could not be had is told, each with its reason, and never
//! replaced by something else.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;

use miette::Diagnostic;
use serde::Serialize;
use tokio::task::JoinSet;
use wassette_sandbox::Masker;
use wassette_store::{ComponentId, Digest, Entry, Locked, Lockfile};

use super::{Listed, Manifest};
use crate::catalog::Component;
use crate::code::{blocking, in_turn};
use crate::environment::ValueSource;
use crate::error::LoadError;
use crate::load::{Changes, LoadRequest, LoadStage, Status};
use crate::lock;
use crate::naming::Naming;
use crate::source::Found;
use crate::toolbox::Toolbox;
use crate::update::{UpdateError, is_named};

/// How many components are fetched at the same time.
const AT_ONCE: usize = 4;

/// What came of a manifest.
#[derive(Debug, Clone, Serialize)]
pub struct Provisioning {
    /// Its components, in the order of the file.
    pub components: Vec<Provisioned>,
    /// The ids of components that are in the store, and so are served, and that it does not list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<String>,
}

impl Provisioning {
    /// The components that could not be had.
    pub fn failed(&self) -> impl Iterator<Item = &Provisioned> {
        self.components.iter().filter(|component| component.status == ProvisionStatus::Failed)
    }
}

/// What came of one component of a manifest.
#[derive(Debug, Clone, Serialize)]
pub struct Provisioned {
    /// Where it is, as the manifest has it.
    pub uri: String,
    /// Its name in the store.
    pub id: String,
    /// What happened.
    pub status: ProvisionStatus,
    /// Why it failed, or what is to be known about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What is to be known of its permissions: a rule that is not in force, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What happened to a component of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProvisionStatus {
    /// It is new in the store, or another version took the place of the one there.
    Loaded,
    /// It was there just so.
    Present,
    /// It could not be reached; what was loaded from there before serves on.
    Kept,
    /// A version that has to be accepted waits; the one before serves on.
    Waiting,
    /// It could not be had as the manifest wants it. It is not served.
    Failed,
}

impl Toolbox {
    /// Brings what `manifest` lists into the store, and grants what it says. `progress` hears of the
    /// stages of each component, by its id.
    ///
    /// What failed and is in the store all the same is not served by this toolbox from now on.
    pub async fn provision(
        &self,
        manifest: &Manifest,
        progress: impl Fn(&str, LoadStage) + Send + Sync + 'static,
    ) -> Provisioning {
        let progress = Arc::new(progress);
        // What another manifest wanted otherwise may be just what this one wants.
        self.withhold(BTreeMap::new()).await;
        self.shared.terms.named.clear();
        let mut components = Vec::with_capacity(manifest.components.len());
        for some in manifest.components.chunks(AT_ONCE) {
            let sought = self.seek(manifest, some, &progress).await;
            // One after the other, in the order of the file: names of tools depend on it.
            for (listed, sought) in some.iter().zip(sought) {
                let mut notes = Vec::new();
                let came = self.settle(manifest, listed, sought, &mut notes, &*progress).await;
                components.push(Provisioned { notes, ..came.of(listed) });
            }
        }
        let failed = manifest.components.iter().zip(&components);
        let failed = failed.filter(|(_, came)| came.status == ProvisionStatus::Failed);
        let reason = |came: &Provisioned| came.reason.clone().unwrap_or_default();
        self.withhold(failed.map(|(listed, came)| (listed.id.clone(), reason(came))).collect())
            .await;
        let listed: BTreeSet<&str> = manifest.components.iter().map(|it| it.id.as_str()).collect();
        let catalog = self.catalog().await;
        let ids = catalog.components().iter().map(|component| component.id.as_str());
        let extras = ids.filter(|id| !listed.contains(id)).map(str::to_owned).collect();
        Provisioning { components, extras }
    }

    /// Looks for `some` components of `manifest` at the same time.
    async fn seek<P: Fn(&str, LoadStage) + Send + Sync + 'static>(
        &self,
        manifest: &Manifest,
        some: &[Listed],
        progress: &Arc<P>,
    ) -> Vec<Sought> {
        let mut seeking = JoinSet::new();
        for (place, listed) in some.iter().enumerate() {
            let (toolbox, progress) = (self.clone(), progress.clone());
            let (manifest, listed) = (manifest.clone(), listed.clone());
            seeking.spawn(async move {
                let told = |stage| progress(listed.id.as_str(), stage);
                (place, toolbox.seek_one(&manifest, &listed, &told).await)
            });
        }
        let mut found: BTreeMap<usize, Sought> = BTreeMap::new();
        while let Some(sought) = seeking.join_next().await {
            found.extend(sought.ok());
        }
        let stopped = || Sought::Failed(Refused::of(&LoadError::Stopped));
        (0..some.len()).map(|place| found.remove(&place).unwrap_or_else(stopped)).collect()
    }

    async fn seek_one(
        &self,
        manifest: &Manifest,
        listed: &Listed,
        progress: &(dyn Fn(LoadStage) + Send + Sync),
    ) -> Sought {
        let component = self.catalog().await.component(listed.id.as_str()).cloned();
        let lock = match self.lock_for(manifest, listed).await {
            Ok(lock) => lock,
            Err(refused) => return Sought::Failed(refused),
        };
        if let Some(component) = &component
            && self.is_wanted(component, listed, lock.as_deref()).await
        {
            return Sought::Present;
        }
        let request = request(manifest, listed, lock, component.as_deref());
        match self.find(&request, progress).await {
            Ok(mut found) => {
                // Others of this manifest may need these bytes before it is its turn.
                found.turn = None;
                Sought::Found(Box::new(found), Box::new(request))
            }
            Err(error) if is_out_of_reach(&error) && may_stay(component.as_deref(), listed) => {
                Sought::Kept(Refused::of(&error))
            }
            Err(error) => Sought::Failed(Refused::of(&error)),
        }
    }

    /// Brings one component into the store, if it is not there, and grants what it may do.
    async fn settle(
        &self,
        manifest: &Manifest,
        listed: &Listed,
        sought: Sought,
        notes: &mut Vec<String>,
        progress: &(dyn Fn(&str, LoadStage) + Send + Sync),
    ) -> Came {
        let came = match sought {
            Sought::Failed(refused) => return Came::Failed(refused),
            Sought::Kept(refused) if manifest.lock.is_some() => return Came::Failed(refused),
            Sought::Kept(refused) => Came::Kept(refused),
            Sought::Present => Came::Present,
            Sought::Found(found, request) => {
                let told = |stage| progress(listed.id.as_str(), stage);
                match self.load_found(*found, *request, &told).await {
                    Ok(loaded) => match loaded.status {
                        Status::Loaded | Status::Reloaded => Came::Loaded(loaded.unverified),
                        Status::Unchanged => Came::Present,
                        Status::Quarantined => Came::Waiting,
                    },
                    Err(error) => return Came::Failed(Refused::of(&error)),
                }
            }
        };
        match self.adjust(listed).await {
            Ok(said) => {
                *notes = said;
                came
            }
            Err(refused) => Came::Failed(refused),
        }
    }

    /// Sees to it that the tools and the permissions of a component that is there are those that the
    /// manifest wants. Gives what is to be known of the permissions.
    async fn adjust(&self, listed: &Listed) -> Result<Vec<String>, Refused> {
        let catalog = self.catalog().await;
        let component = catalog.component(listed.id.as_str());
        let naming = component.map(|component| component.record.naming.clone());
        if let Some(naming) = naming.filter(|it| !listed.only.is_empty() && it.only != listed.only)
        {
            let naming = Naming { only: listed.only.clone(), ..naming };
            let renamed = self.name_anew(listed.id.clone(), naming).await;
            renamed.map_err(|error| Refused::of(&error))?;
        }
        let Some(policy) = &listed.permissions else { return Ok(Vec::new()) };
        // This server is the one that the file is for: it has no other workspaces.
        if let Some((rule, unknown)) = self.shared.terms.unknown_denial(policy) {
            let reason = format!("it denies `{}`, and {unknown}", rule.uri);
            return Err(Refused { reason, help: Some(unknown.help) });
        }
        let source = component.map(|component| component.source.clone()).unwrap_or_default();
        self.check_values(listed, &source).await?;
        self.shared.terms.named.put(listed.id.clone(), source, listed.values.clone());
        let set = self.set_policy(listed.id.as_str(), policy.clone()).await;
        let mut notes = set.map_err(|error| Refused::of(&error))?.notes;
        notes.extend(listed.ignored.iter().cloned());
        Ok(notes)
    }

    /// Refuses a component that would be without a value which the manifest says where to find.
    async fn check_values(&self, listed: &Listed, source: &str) -> Result<(), Refused> {
        let (toolbox, listed, source) = (self.clone(), listed.clone(), source.to_owned());
        let lack = move || toolbox.lacks(&listed, &source).into_iter().next();
        let lack = blocking(lack).await.map_err(|error| Refused::of(&LoadError::from(error)))?;
        lack.map_or(Ok(()), Err)
    }

    /// What values that `listed` says where to find are not there, for the component from `source`.
    pub(super) fn lacks(&self, listed: &Listed, source: &str) -> Vec<Refused> {
        let values = self.shared.terms.values(&listed.id, source, Masker::default());
        let lack = |(key, place): (&String, &ValueSource)| {
            let reason = format!("the variable `{key}` has no value: {}", values.lack(place)?);
            let help = match place {
                ValueSource::Environment(name) => {
                    format!(
                        "start the server with `{name}` in its environment, or `--env {name}=…`"
                    )
                }
                ValueSource::Secret(name) => {
                    format!("set it with `wassette secret set {} {name}=…`", listed.id)
                }
                ValueSource::File(_) => "write the value into the file".to_owned(),
            };
            Some(Refused { reason, help: Some(help) })
        };
        listed.values.iter().filter_map(lack).collect()
    }

    /// What is locked, as a load holds it against the component: what `listed` is to be granted is
    /// compared here, and what happens to be granted now is not.
    async fn lock_for(
        &self,
        manifest: &Manifest,
        listed: &Listed,
    ) -> Result<Option<Arc<Lockfile>>, Refused> {
        let Some(lock) = &manifest.lock else { return Ok(None) };
        let wanted = listed.policy_digest();
        lock::check_policy(lock, &listed.id, wanted).map_err(|error| Refused::of(&error))?;
        let (store, id) = (self.shared.store.clone(), listed.id.clone());
        let stored = blocking(move || store.policy(&id)).await;
        let stored = stored.map_err(LoadError::from).and_then(|it| Ok(it?));
        let stored = stored.map_err(|error| Refused::of(&error))?;
        let policy = stored.as_ref().map(|policy| Digest::of(policy.text.as_bytes()));
        let locked = lock.find(&listed.id).map(|locked| Locked { policy, ..locked.clone() });
        Ok(Some(Arc::new(Lockfile { components: locked.into_iter().collect() })))
    }

    /// Whether `component` is what is `listed` beyond doubt: by its digest, or by the lock.
    async fn is_wanted(
        &self,
        component: &Component,
        listed: &Listed,
        lock: Option<&Lockfile>,
    ) -> bool {
        let entry = component.entry();
        // A signature that is wanted is looked for again, unless it is known who gave it.
        if !is_kin(entry, listed) || listed.verify.is_some() && !self.is_signed(entry, listed).await
        {
            return false;
        }
        let pinned =
            listed.digest.map(|digest| is_named(&digest, &entry.digest, entry.origin.as_ref()));
        let locked = match lock {
            Some(lock) => {
                let (lock, entry) = (lock.clone(), entry.clone());
                let store = self.shared.store.clone();
                let check = move || lock::check(&lock, &entry, &store).is_ok();
                Some(blocking(check).await.unwrap_or(false))
            }
            None => None,
        };
        match (pinned, locked) {
            (None, None) => false,
            (pinned, locked) => pinned.unwrap_or(true) && locked.unwrap_or(true),
        }
    }

    /// Whether the signer of `entry` is one of those that `listed` wants.
    async fn is_signed(&self, entry: &Entry, listed: &Listed) -> bool {
        let signer = entry.origin.as_ref().and_then(|origin| origin.signer.as_ref());
        let signers = self.signers(listed).await;
        signer.is_some_and(|signer| signers.contains(signer))
    }

    /// Refuses what this server would not serve, whatever is loaded.
    pub(crate) fn check_served(&self, id: &ComponentId) -> Result<(), UpdateError> {
        match self.shared.terms.withheld.reason(id) {
            Some(_) => Err(UpdateError::Withheld { id: id.to_string() }),
            None => Ok(()),
        }
    }

    /// Serves all but what is `withheld` from now on.
    async fn withhold(&self, withheld: BTreeMap<ComponentId, String>) {
        if !self.shared.terms.withheld.replace(withheld) {
            return;
        }
        let shared = self.shared.clone();
        let publish = move || shared.store.index().map(|index| shared.publish(&index));
        // If the store cannot be read the watch over it says so, and nothing of it is served.
        let _ = in_turn(&self.shared.writing, publish).await;
    }
}

/// What looking for a component came to.
enum Sought {
    Present,
    Kept(Refused),
    Found(Box<Found>, Box<LoadRequest>),
    Failed(Refused),
}

/// What came of a component.
enum Came {
    Loaded(Option<String>),
    Present,
    Kept(Refused),
    Waiting,
    Failed(Refused),
}

impl Came {
    fn of(self, listed: &Listed) -> Provisioned {
        let (status, reason, help) = match self {
            Self::Loaded(unverified) => (ProvisionStatus::Loaded, unverified, None),
            Self::Present => (ProvisionStatus::Present, None, None),
            Self::Kept(Refused { reason, help }) => (ProvisionStatus::Kept, Some(reason), help),
            Self::Waiting => {
                let id = &listed.id;
                let reason =
                    "a new version changes tools that are known, or lost its signature, and waits"
                        .to_owned();
                let help = format!("look at it with `wassette component update {id}`");
                (ProvisionStatus::Waiting, Some(reason), Some(help))
            }
            Self::Failed(Refused { reason, help }) => (ProvisionStatus::Failed, Some(reason), help),
        };
        let (uri, id) = (listed.uri.clone(), listed.id.to_string());
        Provisioned { uri, id, status, reason, help, notes: Vec::new() }
    }
}

/// Why something did not come to be, in words.
pub(super) struct Refused {
    pub(super) reason: String,
    pub(super) help: Option<String>,
}

impl Refused {
    /// All of it in one sentence.
    pub(super) fn sentence(self) -> String {
        match self.help {
            Some(help) => format!("{}; {help}", self.reason),
            None => self.reason,
        }
    }

    pub(super) fn of(error: &(impl Diagnostic + ?Sized)) -> Self {
        let mut reason = error.to_string();
        let mut cause = Error::source(&error);
        while let Some(error) = cause {
            let words = error.to_string();
            if !reason.contains(&words) {
                reason.push_str(": ");
                reason.push_str(&words);
            }
            cause = error.source();
        }
        Self { reason, help: error.help().map(|help| help.to_string()) }
    }
}

/// How `listed` is asked for; `component` is what has its id now.
fn request(
    manifest: &Manifest,
    listed: &Listed,
    lock: Option<Arc<Lockfile>>,
    component: Option<&Component>,
) -> LoadRequest {
    let before = component.map(|component| component.record.naming.clone()).unwrap_or_default();
    let naming = match listed.only.is_empty() {
        true => Naming::default(),
        false => Naming { only: listed.only.clone(), ..before },
    };
    // Whoever wrote down a digest has accepted what it stands for.
    let is_fixed = listed.digest.is_some() || lock.is_some();
    let request = LoadRequest::new(listed.uri.clone(), manifest.folder.clone());
    LoadRequest {
        id: Some(listed.id.clone()),
        changes: if is_fixed { Changes::Accept } else { Changes::Quarantine },
        naming,
        digest: listed.digest,
        lock,
        verify: listed.verify.clone(),
        ..request
    }
}

/// Whether `entry` came from where `listed` says. A package is known by where it was found, which
/// only its registry tells; its own name must then be what was loaded.
fn is_kin(entry: &Entry, listed: &Listed) -> bool {
    let reference = entry.origin.as_ref().map(|origin| origin.reference.as_str());
    entry.source == listed.reference.identity()
        || reference == Some(listed.reference.to_string().as_str())
}

/// Whether nothing was reached that could have said what there is now.
fn is_out_of_reach(error: &LoadError) -> bool {
    matches!(error, LoadError::Stays { .. })
}

/// Whether what is there may serve on though nobody knows whether it is the latest.
fn may_stay(component: Option<&Component>, listed: &Listed) -> bool {
    let is_kin = component.is_some_and(|component| is_kin(component.entry(), listed));
    is_kin && listed.digest.is_none() && listed.verify.is_none()
}
