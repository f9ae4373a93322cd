//! Updates: a new version is laid beside the one that serves, shown, and only then takes its place.
//! What a person has not accepted must never be called, and what is accepted is what was shown.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use miette::Diagnostic;
use serde_json::Value;
use thiserror::Error;
use wassette_sandbox::Description;
use wassette_store::{
    Artifact, ComponentId, Digest, Entry, Index, Origin, Replace, StoreError, Version, Writer,
};

use crate::approval::forget_waiting;
use crate::audit::Decision;
use crate::catalog::Component;
use crate::changes::{self, Difference};
use crate::code::{blocking, in_turn};
use crate::error::LoadError;
use crate::load::{
    LoadRequest, LoadStage, Loaded, PATIENCE, Plan, Status, check_record, entry, origin_now, plan,
};
use crate::naming::{Naming, Renamed};
use crate::record::Record;
use crate::source::Found;
use crate::toolbox::Toolbox;
use wassette_wit_json::clean;

/// How an update is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UpdateRequest {
    /// Whether it may come without TLS from a server of this machine.
    pub plain_http: bool,
    /// Whether only to look: what is found does not wait afterwards, and what waited still does.
    pub check: bool,
}

/// What an update came to.
#[derive(Debug, Clone)]
pub enum Staged {
    /// What serves is what its source has.
    Current {
        /// The component as it serves.
        component: Arc<Component>,
    },
    /// There is another version. It waits in the store to be accepted or rejected.
    Waiting(Box<Waiting>),
}

/// A version that waits to be accepted.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The component as it serves.
    pub component: Arc<Component>,
    /// The digest of the bytes that wait: what to accept.
    pub digest: Digest,
    /// What would change.
    pub difference: Arc<Difference>,
    /// Who signed what waits, as far as that was verified.
    pub signer: Option<String>,
    /// Why nobody vouches for it, where the operator wants to be told so.
    pub unverified: Option<String>,
}

/// Why a version does not take the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum UpdateError {
    /// There is no such component.
    #[error("no component `{id}` is loaded")]
    #[diagnostic(help("list the components that are: `wassette component list`"))]
    Unknown {
        /// What was asked for.
        id: String,
    },
    /// This server has a manifest that wants something else.
    #[error("`{id}` could not be had as the manifest of this server wants it, and is not served")]
    #[diagnostic(help("mend what failed, or change the manifest, and start the server again"))]
    Withheld {
        /// The component's id.
        id: String,
    },
    /// There is nothing to accept or to reject.
    #[error("no update of `{id}` waits")]
    #[diagnostic(help("look for one: `wassette component update {id}`"))]
    NothingWaits {
        /// The component's id.
        id: String,
    },
    /// Something else waits than was shown.
    #[error("what waits for `{id}` is {waiting}, not {shown}; nothing has changed")]
    #[diagnostic(help("look at it again: `wassette component update {id}`"))]
    AnotherWaits {
        /// The component's id.
        id: String,
        /// The digest of what waits.
        waiting: Digest,
        /// The digest that was to be accepted.
        shown: Digest,
    },
    /// There is nothing to go back to.
    #[error("no version of `{id}` is kept from before")]
    #[diagnostic(help("load the version that you want by its tag or digest"))]
    NothingBefore {
        /// The component's id.
        id: String,
    },
    /// A rule demands a signature that this version never showed.
    #[error(
        "version {digest} of `{id}` has no signature of those that a rule demands by now; nothing \
         has changed"
    )]
    #[diagnostic(help(
        "load it anew, so that its signature is looked for: `wassette component load`"
    ))]
    Unverified {
        /// The component's id.
        id: String,
        /// The digest of the version.
        digest: Digest,
    },
}

impl Toolbox {
    /// Asks the source of the component `id` what it has now. Another version is compiled and laid
    /// beside the one that serves, in the place of whatever waited before; nothing else changes.
    /// `progress` hears of each stage.
    ///
    /// # Errors
    /// Those of [`Toolbox::load`]. What waited before still does.
    pub async fn stage_update(
        &self,
        id: &str,
        request: &UpdateRequest,
        progress: impl Fn(LoadStage) + Send + Sync,
    ) -> Result<Staged, LoadError> {
        let component = self.loaded(id).await?;
        let load = LoadRequest {
            id: Some(component.store_id().clone()),
            plain_http: request.plain_http,
            ..LoadRequest::new(reference_of(component.entry()), "/".into())
        };
        let mut found = self.find(&load, &progress).await?;
        let _turn = match found.turn.take() {
            Some(turn) => turn,
            None => self.turn(found.artifact.digest).lock_owned().await,
        };
        progress(LoadStage::Compiling);
        let description = self.describe(&load.reference, &found.artifact).await?;
        progress(LoadStage::Installing);
        let toolbox = self.clone();
        let check = request.check;
        let stage = move || toolbox.stage(&component, found, description, check);
        let staged = in_turn(&self.shared.writing, stage).await?;
        // Whatever was compiled lies in the cache until it serves.
        self.shared.release();
        staged
    }

    /// Lays what was found beside the component `id`. Under the store's lock.
    fn stage(
        &self,
        component: &Arc<Component>,
        found: Found,
        description: Description,
        check: bool,
    ) -> Result<Staged, LoadError> {
        let id = component.store_id();
        let Found { artifact, signer, unverified, .. } = found;
        let writer = self.shared.store.write(PATIENCE)?;
        let before = known(&writer, id)?;
        check_same_source(&before, &artifact.source)?;
        let naming = self.naming(Naming::default(), id.as_str(), Some(&before), &artifact);
        let plan = plan(writer.index(), id, &description, &naming, self.name_limit())?;
        let record = Record::new(description, plan.tools, naming, &artifact);
        let waiting = entry(id, &artifact, &record)?;
        let mut next = Entry::clone(&before);
        if artifact.digest == before.digest {
            // What waited is not what the source has, and what came with the bytes may be new.
            next.quarantined = None;
            next.origin = origin_now(&before, waiting.origin);
            next.metadata = waiting.metadata;
            let component = match check {
                true => component.clone(),
                false => self.put(writer, &artifact, next)?,
            };
            return Ok(Staged::Current { component });
        }
        // What could not be served need not be shown.
        self.check_fit(&waiting)?;
        next.quarantined = Some(waiting.version());
        let difference = Difference::waiting(&next).ok_or_else(|| unreadable(id))?;
        let component = match check {
            true => component.clone(),
            false => self.put(writer, &artifact, next)?,
        };
        let (digest, difference) = (artifact.digest, Arc::new(difference));
        Ok(Staged::Waiting(Box::new(Waiting { component, digest, difference, signer, unverified })))
    }

    /// Writes `next` and what belongs to it, and publishes it.
    fn put(
        &self,
        mut writer: Writer,
        artifact: &Artifact,
        next: Entry,
    ) -> Result<Arc<Component>, LoadError> {
        writer.put_blob(artifact)?;
        self.enter(writer, next)
    }

    /// Makes `next` the entry of its component, and publishes it.
    fn enter(&self, mut writer: Writer, next: Entry) -> Result<Arc<Component>, LoadError> {
        let built = self.build(&next)?;
        writer.insert(next, Replace::Refuse)?;
        let index = writer.commit()?;
        self.shared.forget(&index);
        let catalog = self.shared.publish(&index);
        Ok(catalog.component(&built.id).cloned().unwrap_or(built))
    }

    /// Lets what waits for the component `id` take the place of what serves. With a `digest`, of the
    /// component or of its image's manifest, only if it is that which waits.
    ///
    /// # Errors
    /// [`UpdateError`] within [`LoadError`], and those of the store. Then nothing has changed.
    pub async fn accept_update(
        &self,
        id: &str,
        digest: Option<Digest>,
    ) -> Result<Loaded, LoadError> {
        let waiting = move |entry: &Entry| {
            let waiting = waiting(entry)?;
            match digest {
                Some(shown) if !is_named(&shown, &waiting.digest, waiting.origin.as_ref()) => {
                    Err(UpdateError::AnotherWaits {
                        id: entry.id.to_string(),
                        waiting: waiting.digest,
                        shown,
                    })
                }
                _ => Ok(waiting.clone()),
            }
        };
        self.instate(id, waiting).await
    }

    /// Lets the version of the component `id` serve that served before. The present one is kept, so
    /// that a second rollback comes back to it. Names are kept where they are free, and so is what is
    /// granted, as far as it is not pinned to other bytes.
    ///
    /// # Errors
    /// [`UpdateError`] within [`LoadError`], and those of the store. Then nothing has changed.
    pub async fn rollback(&self, id: &str) -> Result<Loaded, LoadError> {
        let before = |entry: &Entry| {
            let nothing = || UpdateError::NothingBefore { id: entry.id.to_string() };
            entry.previous.first().cloned().ok_or_else(nothing)
        };
        self.instate(id, before).await
    }

    /// Forgets what waits for the component `id`, and says what it was.
    ///
    /// # Errors
    /// [`UpdateError::NothingWaits`] within [`LoadError`], and those of the store.
    pub async fn reject_update(&self, id: &str) -> Result<Digest, LoadError> {
        let component = self.loaded(id).await?;
        let toolbox = self.clone();
        let reject = move || {
            let writer = toolbox.shared.store.write(PATIENCE)?;
            let before = known(&writer, component.store_id())?;
            let digest = waiting(&before)?.digest;
            toolbox.enter(writer, Entry { quarantined: None, ..Entry::clone(&before) })?;
            Ok(digest)
        };
        in_turn(&self.shared.writing, reject).await?
    }

    /// The component `id`, also if it is not served: one that lacks a signature may have a version that
    /// does not.
    pub(crate) async fn loaded(&self, id: &str) -> Result<Arc<Component>, LoadError> {
        if let Some(component) = self.catalog().await.component(id) {
            return Ok(component.clone());
        }
        let unknown = || UpdateError::Unknown { id: clean(id, 200) };
        let parsed = ComponentId::parse(id).map_err(|_| unknown())?;
        let store = self.shared.store.clone();
        let index = blocking(move || store.index()).await??;
        self.build(index.find(&parsed).ok_or_else(unknown)?)
    }

    /// Lets the version serve that `choose` takes from the entry of the component `id`.
    async fn instate(
        &self,
        id: &str,
        choose: impl FnOnce(&Entry) -> Result<Version, UpdateError> + Send + 'static,
    ) -> Result<Loaded, LoadError> {
        let component = self.loaded(id).await?;
        let toolbox = self.clone();
        let write = move || toolbox.succeed(component.store_id(), choose);
        in_turn(&self.shared.writing, write).await?
    }

    /// The part of [`instate`](Self::instate) under the store's lock: names are given by what the
    /// store holds at this moment.
    fn succeed(
        &self,
        id: &ComponentId,
        choose: impl FnOnce(&Entry) -> Result<Version, UpdateError>,
    ) -> Result<Loaded, LoadError> {
        let writer = self.shared.store.write(PATIENCE)?;
        let before = known(&writer, id)?;
        let version = choose(&before)?;
        self.check_signed(&before, &version)?;
        // Bytes that are gone or damaged must not take the place of those that serve.
        self.shared.store.blob(&version.digest)?;
        let naming = read(id, &before.metadata)?.naming;
        let Instated { next, renamed } = self.instated(writer.index(), &before, version, naming)?;
        let difference = Difference::between(&before, &next).ok_or_else(|| unreadable(id))?;
        self.shared.audit.decided(&Decision {
            kind: "load",
            component: id.as_str(),
            digest: Some(&next.digest.to_string()),
            lines: &difference.lines(),
            is_yes: true,
            verdict: "decided",
            by: "operator",
            reason: None,
        })?;
        let signer = next.origin.as_ref().and_then(|origin| origin.signer.clone());
        let component = self.enter(writer, next)?;
        forget_waiting(&self.shared.store, id);
        let (status, difference) = (Status::Reloaded, Some(difference));
        Ok(Loaded { component, status, renamed, signer, unverified: None, difference })
    }

    /// The entry in which `version` serves, its tools named as `naming` wants beside all else that
    /// `index` holds.
    fn instated(
        &self,
        index: &Index,
        before: &Entry,
        version: Version,
        naming: Naming,
    ) -> Result<Instated, LoadError> {
        let id = &before.id;
        let kept = read(id, &version.metadata)?;
        let Plan { tools, renamed } =
            plan(index, id, &kept.description, &naming, self.name_limit())?;
        let record = kept.named(tools, naming);
        let metadata = record
            .to_metadata()
            .map_err(|cause| LoadError::Record { id: id.to_string(), cause })?;
        let tools = Some(changes::tools_digest(&record));
        let next = before.succeeded_by(Version { metadata, tools, loaded_at: now(), ..version });
        self.check_fit(&next)?;
        Ok(Instated { next, renamed })
    }

    /// Names the tools of the component `id`, as it serves, as `naming` wants.
    pub(crate) async fn name_anew(&self, id: ComponentId, naming: Naming) -> Result<(), LoadError> {
        let toolbox = self.clone();
        let rename = move || {
            let writer = toolbox.shared.store.write(PATIENCE)?;
            let before = known(&writer, &id)?;
            let Instated { next, .. } =
                toolbox.instated(writer.index(), &before, before.version(), naming)?;
            toolbox.enter(writer, next).map(|_| ())
        };
        in_turn(&self.shared.writing, rename).await?
    }

    /// Refuses what could not be listed, or remembered.
    fn check_fit(&self, entry: &Entry) -> Result<(), LoadError> {
        self.check_list(&*self.build(entry)?)?;
        check_record(entry)
    }

    /// Refuses what nobody vouched for whose signature is demanded now.
    fn check_signed(&self, entry: &Entry, version: &Version) -> Result<(), UpdateError> {
        let signer = version.origin.as_ref().and_then(|origin| origin.signer.as_deref());
        if self.shared.verifier.lets_serve(&entry.source, signer) {
            return Ok(());
        }
        let (id, digest) = (entry.id.to_string(), version.digest);
        Err(UpdateError::Unverified { id, digest })
    }
}

/// An entry in which another version serves.
struct Instated {
    next: Entry,
    renamed: Vec<Renamed>,
}

/// The entry of the component `id`.
fn known(writer: &Writer, id: &ComponentId) -> Result<Arc<Entry>, StoreError> {
    let entry = writer.index().find(id).cloned();
    entry.ok_or_else(|| StoreError::NotLoaded { id: id.clone() })
}

/// What waits to take the place of what `entry` serves.
fn waiting(entry: &Entry) -> Result<&Version, UpdateError> {
    let nothing = || UpdateError::NothingWaits { id: entry.id.to_string() };
    entry.quarantined.as_ref().ok_or_else(nothing)
}

/// Whether somebody who says `shown` means the bytes with this `digest`: by it, or by the manifest of
/// the image that they came in.
pub(crate) fn is_named(shown: &Digest, digest: &Digest, origin: Option<&Origin>) -> bool {
    shown == digest || origin.and_then(|origin| origin.manifest.as_ref()) == Some(shown)
}

/// Somebody may have loaded another component under the id meanwhile.
fn check_same_source(before: &Entry, source: &str) -> Result<(), StoreError> {
    if before.source == source {
        return Ok(());
    }
    Err(StoreError::OtherSource {
        id: before.id.clone(),
        loaded: before.source.clone(),
        refused: source.to_owned(),
    })
}

/// What led to the component of `entry`: with its tag, as far as that is known.
fn reference_of(entry: &Entry) -> &str {
    entry.origin.as_ref().map_or(&entry.source, |origin| &origin.reference)
}

fn read(id: &ComponentId, metadata: &Value) -> Result<Record, LoadError> {
    Record::of(metadata).map_err(|reason| LoadError::Unservable { id: id.to_string(), reason })
}

fn unreadable(id: &ComponentId) -> LoadError {
    let reason = "what is stored about it cannot be read".to_owned();
    LoadError::Unservable { id: id.to_string(), reason }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
