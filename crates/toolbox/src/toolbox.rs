//! The toolbox itself: one writer, one current catalog, and the watch over what other processes do
//! to the same store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use miette::Diagnostic;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use wassette_registry::Client;
use wassette_sandbox::{CodeKey, Engine};
use wassette_store::{Digest, Index, Store};

use crate::approval::Refusals;
use crate::audit::Audit;
use crate::catalog::Catalog;
use crate::catalogue::Catalogues;
use crate::code::{CodeFault, Codes};
use crate::error::{AuditError, LoadError, OpenError, PermissionError, UnloadError};
use crate::load::Flights;
use crate::options::Options;
use crate::source::{self, Verifier};
use crate::terms::Terms;

/// How long to wait before a store is read again that could not be read.
const AGAIN: Duration = Duration::from_secs(2);

/// How many components from servers may be on their way into the store at the same time: each may be
/// in memory, with manifests and signatures of some megabytes.
const LOADS: usize = 8;

/// The longest wait for a rule's end: the clock may be set meanwhile.
const LOOK: Duration = Duration::from_secs(30);

/// All that the program can do. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Toolbox {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) codes: Arc<Codes>,
    pub(crate) terms: Terms,
    pub(crate) audit: Arc<Audit>,
    pub(crate) refusals: Refusals,
    /// Held while the bytes are read of what somebody is yet to be asked about.
    pub(crate) reading: Semaphore,
    /// Places for components that come from servers, each as large as one may be.
    pub(crate) loading: Arc<Semaphore>,
    /// Loads under way from anywhere but files.
    pub(crate) flights: Flights,
    /// Who asks registries and other servers for components.
    pub(crate) client: Client,
    /// Whose signatures components need.
    pub(crate) verifier: Arc<Verifier>,
    /// Where components are looked for.
    pub(crate) catalogues: Catalogues,
    pub(crate) closed: CancellationToken,
    /// Held while the store is written, so that our own writers wait for each other in memory and
    /// not for the lock of a file.
    pub(crate) writing: Arc<tokio::sync::Mutex<()>>,
    catalog: watch::Sender<Arc<Catalog>>,
    turns: Mutex<HashMap<Digest, Weak<tokio::sync::Mutex<()>>>>,
}

impl Toolbox {
    /// Opens the store and starts the engine. It returns at once, whatever is in the store, which
    /// is read in the background; it must be called within a Tokio runtime.
    pub fn open(mut options: Options) -> Result<Self, OpenError> {
        if let Some(ceiling) = &options.ceiling {
            options.limits = options.limits.within(&ceiling.limits);
        }
        let mut store = Store::open(&options.store_dir)?;
        if let Some(keyring) = &options.keyring {
            store = store.with_keyring(keyring.clone());
        }
        let key = CodeKey::new(store.cache_key()?);
        let codes = Codes::new(
            Engine::new()?,
            store.clone(),
            key,
            options.compiler.clone(),
            options.compile_limits.clone(),
            options.limits.values().clone(),
        );
        let terms = Terms::new(&options, &store)?;
        let client = source::client(&options, terms.network().clone())?;
        let verifier = Arc::new(Verifier::read(&options.verify)?);
        let catalogues = Catalogues::new(&options.catalogues)?;
        let audit = Arc::new(Audit::new(options.audit, store.clone()));
        let shared = Shared {
            options,
            store,
            codes: Arc::new(codes),
            terms,
            audit,
            refusals: Refusals::default(),
            reading: Semaphore::new(1),
            loading: Arc::new(Semaphore::new(LOADS)),
            flights: Flights::default(),
            client,
            verifier,
            catalogues,
            closed: CancellationToken::new(),
            writing: Arc::default(),
            catalog: watch::Sender::new(Arc::default()),
            turns: Mutex::default(),
        };
        let toolbox = Self { shared: Arc::new(shared) };
        tokio::spawn(follow(Arc::downgrade(&toolbox.shared)));
        Ok(toolbox)
    }

    /// What is loaded now. The first to ask wait until the store has been read.
    pub async fn catalog(&self) -> Arc<Catalog> {
        let current = self.shared.catalog.borrow().clone();
        if current.is_read() {
            return current;
        }
        let mut catalogs = self.shared.catalog.subscribe();
        let read = catalogs.wait_for(|catalog| catalog.is_read()).await;
        // The sender lives as long as we do.
        read.map(|catalog| catalog.clone()).unwrap_or_default()
    }

    /// Hears of each new catalog.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Catalog>> {
        self.shared.catalog.subscribe()
    }

    /// Stops all calls that are running and refuses those that come. What the store holds stays.
    pub fn close(&self) {
        self.shared.closed.cancel();
    }

    pub(crate) fn name_limit(&self) -> usize {
        self.shared.options.tool_name_limit
    }

    /// The right to load the bytes of `digest`.
    pub(crate) fn turn(&self, digest: Digest) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.shared.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = turns.get(&digest).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        turns.insert(digest, Arc::downgrade(&turn));
        turn
    }
}

impl Shared {
    /// What is loaded now, or nothing before the store has been read.
    pub(crate) fn current(&self) -> Arc<Catalog> {
        self.catalog.borrow().clone()
    }

    /// Makes `index` the current state. Whoever calls this holds `writing`, so that states are
    /// published in the order in which they came to be. It may take a while.
    pub(crate) fn publish(&self, index: &Index) -> Arc<Catalog> {
        let current = self.current();
        self.terms.temporary.sweep(index);
        let catalog =
            Catalog::new(index, &current, &self.options.overrides, &self.terms, &self.verifier);
        if current.is_current(&catalog) {
            return current;
        }
        let catalog = Arc::new(catalog);
        for problem in catalog.problems() {
            let help = problem.help.as_deref().unwrap_or_default();
            tracing::warn!(component = problem.component, "{}; {help}", problem.message);
        }
        self.catalog.send_replace(catalog.clone());
        self.release();
        catalog
    }

    /// Gives back the memory of code that no loaded component needs.
    pub(crate) fn release(&self) {
        let catalog = self.current();
        let loaded: Vec<Digest> = catalog.components().iter().map(|c| c.content).collect();
        self.codes.retain(|digest| loaded.contains(digest));
    }

    /// Removes the code of what neither serves nor waits in `index`.
    pub(crate) fn forget(&self, index: &Index) {
        let serves_or_waits = |digest: &str| {
            index.entries().any(|entry| {
                let waits = entry.quarantined.as_ref().map(|waiting| waiting.digest.hex());
                entry.digest.hex() == digest || waits.is_some_and(|waiting| waiting == digest)
            })
        };
        self.codes.prune(serves_or_waits);
    }

    /// What to show when the store cannot be read: nothing of it, and the reason.
    fn publish_failure(&self, message: String, help: Option<String>) {
        tracing::error!("{message}");
        if !self.current().is_read() {
            self.catalog.send_replace(Arc::new(Catalog::unreadable(message, help)));
        }
    }
}

/// Reads the store, then again whenever somebody has changed it, as long as there is a toolbox.
async fn follow(shared: Weak<Shared>) {
    let Some(mut watch) = shared.upgrade().map(|shared| shared.store.watch()) else { return };
    loop {
        let Some(current) = shared.upgrade() else { return };
        let read = {
            let writing = current.writing.clone().lock_owned().await;
            let reader = current.clone();
            let read = move || {
                let _writing = writing;
                reader.store.index().map(|index| reader.publish(&index))
            };
            tokio::task::spawn_blocking(read).await
        };
        let failure = match read {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some((error.to_string(), error.help().map(|help| help.to_string()))),
            Err(error) if error.is_panic() => {
                Some(("reading the store failed inside the server".to_owned(), None))
            }
            // The runtime ends, and so does the process.
            Err(_) => return,
        };
        let failed = failure.is_some();
        let now = SystemTime::now();
        let ends = [current.current().next_end(now), current.terms.temporary.next_end(now)];
        let ends = ends.into_iter().flatten().min();
        if let Some((message, help)) = failure {
            current.publish_failure(message, help);
        }
        drop(current);
        if failed {
            // It may be a shortage that passes.
            tokio::time::sleep(AGAIN).await;
        } else if let Some(ends) = ends {
            // No policy is in force after its end, whether or not somebody writes.
            let _ = tokio::time::timeout(ends.min(LOOK), watch.changed()).await;
        } else {
            watch.changed().await;
        }
    }
}

impl From<CodeFault> for LoadError {
    fn from(_: CodeFault) -> Self {
        Self::Stopped
    }
}

impl From<CodeFault> for AuditError {
    fn from(_: CodeFault) -> Self {
        Self::Stopped
    }
}

impl From<CodeFault> for PermissionError {
    fn from(_: CodeFault) -> Self {
        Self::Stopped
    }
}

impl From<CodeFault> for UnloadError {
    fn from(_: CodeFault) -> Self {
        Self::Stopped
    }
}
