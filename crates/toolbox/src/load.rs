//! Load: text → reference → bytes → component → names → store → catalog. Everything is checked
//! before the store is touched, and the one atomic write is the last thing that can fail.

mod flight;
mod install;
mod request;

use std::time::Duration;

use wassette_sandbox::{CompileError, Description, Survey};
use wassette_store::{Artifact, ComponentId, Entry, Reference, StoreError};

use crate::code::CodeFault;
use crate::error::LoadError;
use crate::naming::Naming;
use crate::overrides::Override;
use crate::record::Record;
use crate::source::Found;
use crate::toolbox::Toolbox;
use flight::Seat;

pub(crate) use flight::Flights;
pub(crate) use install::{Plan, check_record, entry, origin_now, plan};
pub(crate) use request::Progress;
pub use request::{Changes, LoadRequest, LoadStage, Loaded, Replace, Status};

/// How long another process may hold the store's lock before we give up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

impl Toolbox {
    /// Loads a component and publishes its tools. `progress` hears of each stage as it begins, and
    /// of the bytes as they come. Equal loads at the same time from anywhere but a file are one.
    ///
    /// # Errors
    /// [`LoadError`]. The store is as it was before.
    pub async fn load(
        &self,
        request: LoadRequest,
        progress: impl Fn(LoadStage) + Send + Sync,
    ) -> Result<Loaded, LoadError> {
        let place = Reference::parse_in(&request.reference, &request.base)?;
        if matches!(place, Reference::File(_)) {
            // Whoever has just built it anew wants what is there now.
            return self.load_alone(request, &progress).await;
        }
        match self.shared.flights.board(&request) {
            Seat::First(lead) => {
                let told = |stage| {
                    lead.tell(stage);
                    progress(stage);
                };
                let loaded = self.load_alone(request, &told).await;
                loaded.iter().for_each(|loaded| lead.land(loaded));
                loaded
            }
            Seat::Behind(other) => match other.landed(&progress).await {
                Some(loaded) => Ok(loaded),
                // Why it failed for another is not known; it may go well now.
                None => self.load_alone(request, &progress).await,
            },
        }
    }

    async fn load_alone(
        &self,
        request: LoadRequest,
        progress: Progress<'_>,
    ) -> Result<Loaded, LoadError> {
        let found = self.find(&request, progress).await?;
        self.load_found(found, request, progress).await
    }

    /// Loads what was found.
    pub(crate) async fn load_found(
        &self,
        mut found: Found,
        request: LoadRequest,
        progress: Progress<'_>,
    ) -> Result<Loaded, LoadError> {
        let id = request.id.clone().unwrap_or_else(|| found.id.clone());
        self.check_served(&id)?;
        self.check_source(&id, &found.artifact.source, request.replace).await?;
        // One at a time for the same bytes: the second finds that nothing is left to do.
        let _turn = match found.turn.take() {
            Some(turn) => turn,
            None => self.turn(found.artifact.digest).lock_owned().await,
        };
        progress(LoadStage::Compiling);
        let description = self.describe(&request.reference, &found.artifact).await?;
        progress(LoadStage::Installing);
        let loaded = self.install(id, found, description, request).await;
        if loaded.is_err() {
            self.shared.release();
        }
        loaded
    }

    /// What the component is: from the catalog if it knows these bytes, else from the compiler.
    pub(crate) async fn describe(
        &self,
        reference: &str,
        artifact: &Artifact,
    ) -> Result<Description, LoadError> {
        let catalog = self.catalog().await;
        let mut known = catalog.components().iter();
        let known = known.find(|it| it.content == artifact.digest && !it.tools.is_empty());
        if let Some(known) = known {
            return Ok(known.record.description.clone());
        }
        let compiled = self.shared.codes.describe(artifact.digest, &artifact.bytes).await;
        compiled.map_err(|fault| unusable(reference, fault))
    }

    /// What the component is, and why it cannot be served, if so. Nothing is compiled for that.
    pub(crate) async fn survey(
        &self,
        reference: &str,
        artifact: &Artifact,
    ) -> Result<Survey, LoadError> {
        let surveyed = self.shared.codes.survey(artifact.digest, &artifact.bytes).await;
        surveyed.map_err(|fault| unusable(reference, fault))
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
}

/// Why what is at `reference` was not loaded.
fn unusable(reference: &str, fault: CodeFault) -> LoadError {
    let reference = reference.to_owned();
    match fault {
        CodeFault::Compile(CompileError::NoTools { what, cure }) => {
            LoadError::NoTools { reference, what, cure }
        }
        CodeFault::Compile(cause) => LoadError::Compile { reference, cause },
        CodeFault::Code(cause) => LoadError::Code { reference, cause },
        CodeFault::Store(error) => LoadError::Store(error),
        CodeFault::Stopped => LoadError::Stopped,
    }
}
