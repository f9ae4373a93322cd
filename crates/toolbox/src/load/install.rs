//! The part of a load under the store's lock: names are given by what the store holds at this
//! moment, and a version that changes known tools is put beside the one that serves. It must do
//! nothing slow, and change nothing where it fails.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use wassette_sandbox::Description;
use wassette_store::{Artifact, ComponentId, Entry, Index, Origin};
use wassette_wit_json::{Function, unfit};

use super::{Changes, LoadRequest, Loaded, PATIENCE, Status};
use crate::approval::forget_waiting;
use crate::catalog::{self, Component};
use crate::changes::{self, Difference};
use crate::code::in_turn;
use crate::error::LoadError;
use crate::lock;
use crate::naming::{self, Before, Naming, Renamed, Taken};
use crate::record::{Given, Record};
use crate::source::Found;
use crate::toolbox::Toolbox;

/// What the tools of one component may take in the list, and what all may, in bytes.
const LIST_OF_ONE: usize = 1 << 20;
const LIST_OF_ALL: usize = 8 << 20;

/// What the store remembers of one component, in bytes.
const RECORD: usize = 4 << 20;

impl Toolbox {
    pub(super) async fn install(
        &self,
        id: ComponentId,
        found: Found,
        description: Description,
        request: LoadRequest,
    ) -> Result<Loaded, LoadError> {
        let toolbox = self.clone();
        let write = move || toolbox.write(id, found, description, request);
        in_turn(&self.shared.writing, write).await?
    }

    fn write(
        &self,
        id: ComponentId,
        found: Found,
        description: Description,
        request: LoadRequest,
    ) -> Result<Loaded, LoadError> {
        let mut writer = self.shared.store.write(PATIENCE)?;
        let before = writer.index().find(&id).cloned();
        let Found { artifact, signer, unverified, .. } = found;
        let naming = self.naming(request.naming, id.as_str(), before.as_deref(), &artifact);
        let plan = plan(writer.index(), &id, &description, &naming, self.name_limit())?;
        let entry =
            entry(&id, &artifact, &Record::new(description, plan.tools, naming, &artifact))?;
        // What cannot be served is not stored.
        let component = self.build(&entry)?;
        self.check_list(&component)?;
        check_record(&entry)?;
        if let Some(lock) = &request.lock {
            lock::check(lock, &entry, &self.shared.store)?;
        }

        // What came from elsewhere is another component, however alike.
        let kin = before.as_deref().filter(|before| before.source == entry.source);
        let difference = kin.filter(|kin| kin.digest != entry.digest);
        let difference = difference.and_then(|kin| Difference::between(kin, &entry));
        let status = match &before {
            None => Status::Loaded,
            Some(before) if same(before, &entry) => Status::Unchanged,
            Some(_)
                if request.changes == Changes::Quarantine
                    && (must_wait(&difference)
                        || kin.is_some_and(|kin| left(kin, &entry))
                        || request.unasked && kin.is_some_and(|kin| strays(kin, &entry))) =>
            {
                Status::Quarantined
            }
            Some(_) => Status::Reloaded,
        };
        let entry = match (kin, status) {
            (Some(kin), Status::Unchanged) if request.unasked => kin.clone(),
            _ => succeed(kin, entry, status),
        };
        writer.put_blob(&artifact)?;
        writer.insert(entry, request.replace)?;
        let index = writer.commit()?;
        self.shared.forget(&index);
        // Also where it is new: an unloading that was interrupted may have left what waited.
        if matches!(status, Status::Loaded | Status::Reloaded) {
            forget_waiting(&self.shared.store, &id);
        }
        let catalog = self.shared.publish(&index);
        let component = catalog.component(id.as_str()).cloned().unwrap_or(component);
        Ok(Loaded { component, status, renamed: plan.renamed, signer, unverified, difference })
    }

    /// The component of `entry` as it will be listed before anything is granted to it.
    pub(crate) fn build(&self, entry: &Entry) -> Result<Arc<Component>, LoadError> {
        let operator = self.operator(entry.id.as_str());
        let permissions = self.shared.terms.nothing(entry);
        catalog::read(&Arc::new(entry.clone()), operator, permissions)
            .map_err(|reason| LoadError::Unservable { id: entry.id.to_string(), reason })
    }

    /// Refuses a component whose tools nobody would want to read, alone or with all the others.
    pub(crate) fn check_list(&self, component: &Component) -> Result<(), LoadError> {
        let listed = |component: &Component| -> usize {
            component.tools.iter().map(|tool| tool.listed_bytes).sum()
        };
        let catalog = self.shared.current();
        let others = catalog.components().iter().filter(|other| other.id != component.id);
        let others: usize = others.map(|other| listed(other)).sum();
        let (id, bytes) = (component.id.clone(), listed(component));
        let limit = LIST_OF_ONE.min(LIST_OF_ALL.saturating_sub(others));
        if bytes > limit {
            return Err(LoadError::ListTooLong { id, bytes, limit });
        }
        Ok(())
    }
}

/// Whether what is different has to be accepted by somebody. What the version before was may be
/// written in a form that is not known any more; then there is nothing to hold it against.
fn must_wait(difference: &Option<Difference>) -> bool {
    difference.as_ref().is_some_and(Difference::must_be_accepted)
}

/// Whether somebody left the version of `entry` behind: by going back from it, or on to another.
/// Whoever loads what its source has today does not undo that.
fn left(kin: &Entry, entry: &Entry) -> bool {
    kin.previous.iter().any(|version| version.digest == entry.digest)
}

/// Whether `entry` comes by another reference than `kin` did. Nobody who was not asked chooses which
/// version of a component runs, an old one with a known hole for example.
fn strays(kin: &Entry, entry: &Entry) -> bool {
    let reference = |entry: &Entry| entry.origin.as_ref().map(|origin| origin.reference.clone());
    reference(kin) != reference(entry)
}

/// What the store will say: `loaded` after `kin`, which is the same component until now.
fn succeed(kin: Option<&Entry>, loaded: Entry, status: Status) -> Entry {
    let Some(kin) = kin else { return loaded };
    match status {
        // What is there already keeps its date; where it came from may be another tag now.
        Status::Unchanged => Entry { origin: origin_now(kin, loaded.origin), ..kin.clone() },
        Status::Quarantined => Entry { quarantined: Some(loaded.version()), ..kin.clone() },
        Status::Loaded | Status::Reloaded => kin.succeeded_by(loaded.version()),
    }
}

/// How the bytes of `kin` came here, once they were `found` again. Who signed them is not forgotten
/// because a registry does not show it any more: the next version would not be missing a signature.
pub(crate) fn origin_now(kin: &Entry, found: Option<Origin>) -> Option<Origin> {
    match (&kin.origin, found) {
        (Some(known), Some(found)) if known.signer.is_some() && found.signer.is_none() => {
            let is_same = known.manifest == found.manifest;
            let reference = if is_same { found.reference } else { known.reference.clone() };
            Some(Origin { reference, ..known.clone() })
        }
        (_, found) => found,
    }
}

/// Refuses a component that takes more to describe than all its tools may take in the list.
pub(crate) fn check_record(entry: &Entry) -> Result<(), LoadError> {
    let bytes = entry.metadata.to_string().len();
    if bytes > RECORD {
        return Err(LoadError::RecordTooLong { id: entry.id.to_string(), bytes, limit: RECORD });
    }
    Ok(())
}

fn same(before: &Entry, entry: &Entry) -> bool {
    before.digest == entry.digest
        && before.source == entry.source
        && before.metadata == entry.metadata
}

/// The tools that a component gets.
pub(crate) struct Plan {
    pub(crate) tools: Vec<Given>,
    pub(crate) renamed: Vec<Renamed>,
}

/// Names the tools of component `id` beside everything else that `index` holds.
pub(crate) fn plan(
    index: &Index,
    id: &ComponentId,
    description: &Description,
    naming: &Naming,
    limit: usize,
) -> Result<Plan, LoadError> {
    let fit: Vec<Function> = description
        .functions
        .iter()
        .filter(|function| unfit(function).is_none())
        .cloned()
        .collect();
    let mut taken = Taken::new();
    let mut before = Before::default();
    for entry in index.entries() {
        let Ok(Record { tools, naming, .. }) = Record::read(entry) else { continue };
        if entry.id == *id {
            before = Before { tools, naming };
        } else {
            tools.iter().for_each(|given| taken.add(given.name.as_str(), entry.id.as_str()));
        }
    }
    let chosen = naming::select(fit, &naming.only)?;
    let (tools, renamed) = naming::assign(&chosen, naming, id.as_str(), limit, &before, taken)?;
    Ok(Plan { tools, renamed })
}

/// What the store will say about the component.
pub(crate) fn entry(
    id: &ComponentId,
    artifact: &Artifact,
    record: &Record,
) -> Result<Entry, LoadError> {
    let metadata =
        record.to_metadata().map_err(|cause| LoadError::Record { id: id.to_string(), cause })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let entry = Entry::new(id.clone(), artifact, now, metadata);
    Ok(Entry { tools: Some(changes::tools_digest(record)), ..entry })
}
