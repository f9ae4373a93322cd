//! Load: text → reference → bytes → component → names → store → catalog. Everything is checked
//! before the store is touched, and the one atomic write is the last thing that can fail.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wassette_sandbox::{Description, FetchLimits, Reach};
use wassette_store::{Artifact, ComponentId, Digest, Entry, Index, Reference, StoreError};
use wassette_wit_json::Function;

use crate::approval::forget_waiting;
use crate::catalog::{self, Component};
use crate::code::{CodeFault, blocking, in_turn};
use crate::error::LoadError;
use crate::naming::{self, Naming, Renamed, Taken};
use crate::options::FetchOptions;
use crate::overrides::Override;
use crate::record::{Given, Record};
use crate::toolbox::Toolbox;

pub use wassette_store::Replace;

/// How long another process may hold the store's lock before we give up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What the tools of one component may take in the list, and what all may, in bytes.
const LIST_OF_ONE: usize = 1 << 20;
const LIST_OF_ALL: usize = 8 << 20;

/// What the store remembers of one component, in bytes.
const RECORD: usize = 4 << 20;

/// What to load, and how.
#[derive(Debug, Clone)]
pub struct LoadRequest {
    /// Where it is: a path, or a `file://` or `https://` reference.
    pub reference: String,
    /// The absolute directory from which a relative reference starts.
    pub base: PathBuf,
    /// Whether it may take the id of a component from another source.
    pub replace: Replace,
    /// What its tools are called.
    pub naming: Naming,
    /// The only bytes that are loaded, if somebody was shown them before.
    pub digest: Option<Digest>,
    /// How far a URL may lead.
    pub reach: Reach,
}

impl LoadRequest {
    /// Loads `reference` as it is.
    pub fn new(reference: impl Into<String>, base: PathBuf) -> Self {
        Self {
            reference: reference.into(),
            base,
            replace: Replace::Refuse,
            naming: Naming::default(),
            digest: None,
            reach: Reach::Anywhere,
        }
    }
}

/// What a load is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadStage {
    /// Getting the bytes.
    Reading,
    /// Making code of them: seconds for a component with a language runtime inside.
    Compiling,
    /// Writing to the store.
    Installing,
}

impl fmt::Display for LoadStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reading => "reading",
            Self::Compiling => "compiling",
            Self::Installing => "installing",
        })
    }
}

/// What a load changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The component is new.
    Loaded,
    /// It took the place of another state of it, or of another component.
    Reloaded,
    /// It was there already, just so.
    Unchanged,
}

/// What came of a load.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The component.
    pub component: Arc<Component>,
    /// What changed.
    pub status: Status,
    /// Its tools that could not get the name that they wanted.
    pub renamed: Vec<Renamed>,
}

impl Toolbox {
    /// Loads a component and publishes its tools. `progress` hears of each stage as it begins.
    pub async fn load(
        &self,
        request: LoadRequest,
        progress: impl Fn(LoadStage) + Send + Sync,
    ) -> Result<Loaded, LoadError> {
        progress(LoadStage::Reading);
        let reference = Reference::parse_in(&request.reference, &request.base)?;
        let id = reference.component_id();
        let artifact = self.read(reference, request.reach).await?;
        if request.digest.is_some_and(|shown| shown != artifact.digest) {
            return Err(LoadError::Another { reference: request.reference });
        }
        self.check_source(&id, &artifact.source, request.replace).await?;
        // One at a time for the same bytes: the second finds that nothing is left to do.
        let turn = self.turn(artifact.digest);
        let _turn = turn.lock().await;

        progress(LoadStage::Compiling);
        let description = self.describe(&request.reference, &artifact).await?;
        progress(LoadStage::Installing);
        let loaded = self.install(id, artifact, description, request).await;
        if loaded.is_err() {
            self.shared.release();
        }
        loaded
    }

    /// The bytes that `reference` leads to.
    pub(crate) async fn read(
        &self,
        reference: Reference,
        reach: Reach,
    ) -> Result<Artifact, LoadError> {
        let most = self.shared.options.component_bytes;
        let url = match reference {
            Reference::File(path) => {
                return Ok(blocking(move || wassette_store::read_file(&path, most)).await??);
            }
            Reference::Https(url) => url.to_string(),
        };
        let Ok(_place) = self.shared.fetching.acquire().await else {
            return Err(LoadError::Stopped);
        };
        let bytes = usize::try_from(most).unwrap_or(usize::MAX);
        let FetchOptions { time, idle } = self.shared.options.fetch;
        let limits = FetchLimits { bytes, time, idle, reach };
        let fetched = self.shared.terms.network().get(&url, limits).await?;
        if fetched.bytes.is_empty() {
            return Err(LoadError::Nothing { url });
        }
        Ok(Artifact::new(fetched.bytes, url))
    }

    /// What the component is: from the catalog if it knows these bytes, else from the compiler.
    pub(crate) async fn describe(
        &self,
        reference: &str,
        artifact: &Artifact,
    ) -> Result<Description, LoadError> {
        let catalog = self.catalog().await;
        let known = catalog.components().iter().find(|known| known.content == artifact.digest);
        if let Some(known) = known {
            return Ok(known.record.description.clone());
        }
        let compiled = self.shared.codes.describe(artifact.digest, &artifact.bytes).await;
        compiled.map_err(|fault| match fault {
            CodeFault::Compile(cause) => {
                LoadError::Compile { reference: reference.to_owned(), cause }
            }
            CodeFault::Code(cause) => LoadError::Code { reference: reference.to_owned(), cause },
            CodeFault::Store(error) => LoadError::Store(error),
            CodeFault::Stopped => LoadError::Stopped,
        })
    }

    /// Refuses early what the store would refuse after the compiler's work.
    pub(crate) async fn check_source(
        &self,
        id: &ComponentId,
        source: &str,
        replace: Replace,
    ) -> Result<(), LoadError> {
        let catalog = self.catalog().await;
        match catalog.component(id.as_str()) {
            Some(loaded) if loaded.source != source && replace == Replace::Refuse => {
                Err(LoadError::Store(StoreError::OtherSource {
                    id: id.clone(),
                    loaded: loaded.source.clone(),
                    refused: source.to_owned(),
                }))
            }
            _ => Ok(()),
        }
    }

    /// The operator's word on the component `id`.
    pub(crate) fn operator(&self, id: &str) -> Option<&Override> {
        self.shared.options.overrides.get(id)
    }

    /// What was asked for; else what the operator wants for the component `id`; else what was asked
    /// for when it was loaded from this source before, so that nobody undoes a choice by accident.
    pub(crate) fn naming(
        &self,
        asked: Naming,
        id: &str,
        before: Option<&Entry>,
        artifact: &Artifact,
    ) -> Naming {
        if asked != Naming::default() {
            return asked;
        }
        let operator = self.operator(id).map(|operator| operator.naming.clone());
        let chosen = operator.filter(|naming| *naming != Naming::default());
        let before = before.filter(|before| before.source == artifact.source);
        chosen.or_else(|| Some(Record::read(before?).ok()?.naming)).unwrap_or_default()
    }

    async fn install(
        &self,
        id: ComponentId,
        artifact: Artifact,
        description: Description,
        request: LoadRequest,
    ) -> Result<Loaded, LoadError> {
        let toolbox = self.clone();
        let write = move || toolbox.write(id, artifact, description, request);
        in_turn(&self.shared.writing, write).await?
    }

    /// The part under the store's lock: names are given by what the store holds at this moment.
    fn write(
        &self,
        id: ComponentId,
        artifact: Artifact,
        description: Description,
        request: LoadRequest,
    ) -> Result<Loaded, LoadError> {
        let mut writer = self.shared.store.write(PATIENCE)?;
        let before = writer.index().find(&id).cloned();
        let naming = self.naming(request.naming, id.as_str(), before.as_deref(), &artifact);
        let plan = plan(writer.index(), &id, &description, &naming, self.name_limit())?;
        let entry =
            entry(&id, &artifact, &Record::new(description, plan.tools, naming, &artifact))?;
        // What cannot be served is not stored.
        let component = self.build(&entry)?;
        self.check_list(&component)?;
        check_record(&entry)?;

        let status = match &before {
            None => Status::Loaded,
            Some(before) if same(before, &entry) => Status::Unchanged,
            Some(_) => Status::Reloaded,
        };
        writer.put_blob(&artifact)?;
        // What is there already keeps its date.
        let entry = match before {
            Some(before) if status == Status::Unchanged => Entry::clone(&before),
            _ => entry,
        };
        writer.insert(entry, request.replace)?;
        let index = writer.commit()?;
        self.shared.forget(&index);
        // Also where it is new: an unloading that was interrupted may have left what waited.
        if status != Status::Unchanged {
            forget_waiting(&self.shared.store, &id);
        }
        let catalog = self.shared.publish(&index);
        let component = catalog.component(id.as_str()).cloned().unwrap_or(component);
        Ok(Loaded { component, status, renamed: plan.renamed })
    }

    /// The component of `entry` as it will be listed before anything is granted to it.
    pub(crate) fn build(&self, entry: &Entry) -> Result<Arc<Component>, LoadError> {
        let operator = self.operator(entry.id.as_str());
        let permissions = self.shared.terms.nothing(entry);
        catalog::read(&Arc::new(entry.clone()), operator, permissions)
            .map_err(|reason| LoadError::Unservable { id: entry.id.to_string(), reason })
    }

    /// Refuses a component whose tools nobody would want to read, alone or with all the others.
    fn check_list(&self, component: &Component) -> Result<(), LoadError> {
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

/// Refuses a component that takes more to describe than all its tools may take in the list.
fn check_record(entry: &Entry) -> Result<(), LoadError> {
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
    renamed: Vec<Renamed>,
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
        .filter(|function| catalog::unfit(function).is_none())
        .cloned()
        .collect();
    let mut taken = Taken::new();
    let mut before = Vec::new();
    for entry in index.entries() {
        let tools = Record::read(entry).map(|record| record.tools).unwrap_or_default();
        if entry.id == *id {
            before = tools;
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
    Ok(Entry {
        id: id.clone(),
        source: artifact.source.clone(),
        digest: artifact.digest,
        size: u64::try_from(artifact.bytes.len()).unwrap_or(u64::MAX),
        loaded_at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        metadata,
    })
}
