//! Compiled code and the components that are ready to be called. Code is looked for in memory, then
//! sealed in the store, and only then made anew; what the seal does not vouch for is never run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OnceCell, Semaphore};
use wassette_policy::Limits;
use wassette_sandbox::{
    CodeError, CodeKey, CompileError, CompileLimits, Compiled, Compiler, Component, Description,
    Engine, SealedCode, Survey, check_tools,
};
use wassette_store::{Digest, Store, StoreError};

/// Smaller components have a compiler of their own: they do not wait for the large ones.
const SMALL: usize = 1 << 20;

/// Why there is no code.
#[derive(Debug)]
pub(crate) enum CodeFault {
    Store(StoreError),
    Compile(CompileError),
    Code(CodeError),
    Stopped,
}

type Ready = Arc<OnceCell<Arc<Component>>>;

/// The code of all components.
pub(crate) struct Codes {
    pub(crate) engine: Engine,
    store: Store,
    key: CodeKey,
    compiler: Compiler,
    compile_limits: CompileLimits,
    limits: Limits,
    suffix: String,
    small: Semaphore,
    large: Semaphore,
    ready: Mutex<HashMap<Digest, Ready>>,
}

impl Codes {
    pub(crate) fn new(
        engine: Engine,
        store: Store,
        key: CodeKey,
        compiler: Compiler,
        compile_limits: CompileLimits,
        limits: Limits,
    ) -> Self {
        let version = env!("CARGO_PKG_VERSION").replace('.', "-");
        let suffix = format!("{}-{version}", engine.compatibility());
        Self {
            engine,
            store,
            key,
            compiler,
            compile_limits,
            limits,
            suffix,
            small: Semaphore::new(1),
            large: Semaphore::new(1),
            ready: Mutex::default(),
        }
    }

    /// Under which name the code of a component is cached: all that it depends on.
    fn name(&self, digest: &Digest) -> String {
        format!("{}-{}", digest.hex(), self.suffix)
    }

    /// The component with the bytes of `digest`, ready to be called. However many ask at once, it
    /// is made once.
    pub(crate) async fn component(
        self: &Arc<Self>,
        digest: Digest,
    ) -> Result<Arc<Component>, CodeFault> {
        let ready = self.slot(digest);
        let made = ready.get_or_try_init(|| async {
            match self.cached(digest).await {
                Ok(Some((_, component))) => return Ok(component),
                Ok(None) => {}
                Err(fault) => {
                    tracing::warn!(%digest, ?fault, "cached code is not used, compiling again")
                }
            }
            let store = self.store.clone();
            let bytes = blocking(move || store.blob(&digest)).await?.map_err(CodeFault::Store)?;
            Ok(self.make(digest, &bytes).await?.1)
        });
        made.await.cloned()
    }

    /// What the component with these bytes is, from the cache or else from the compiler, whose
    /// code is kept.
    pub(crate) async fn describe(
        self: &Arc<Self>,
        digest: Digest,
        bytes: &[u8],
    ) -> Result<Description, CodeFault> {
        let (description, component) = match self.cached(digest).await {
            Ok(Some(known)) => known,
            _ => self.make(digest, bytes).await?,
        };
        check_tools(&description, bytes).map_err(CodeFault::Compile)?;
        // Somebody else may have been quicker; his is as good.
        let _ = self.slot(digest).set(component);
        Ok(description)
    }

    /// What the component with these bytes is, whether it can be served or not. Nothing is compiled
    /// for that, or kept.
    pub(crate) async fn survey(
        self: &Arc<Self>,
        digest: Digest,
        bytes: &[u8],
    ) -> Result<Survey, CodeFault> {
        if let Ok(Some((description, _))) = self.cached(digest).await {
            let faults = check_tools(&description, bytes).err().into_iter().collect();
            return Ok(Survey { description, faults });
        }
        let _one = self.compilers(bytes).acquire().await.map_err(|_| CodeFault::Stopped)?;
        let surveying = self.compiler.survey(bytes, &self.limits, &self.compile_limits);
        surveying.await.map_err(CodeFault::Compile)
    }

    /// The places of those who compile the likes of `bytes`.
    fn compilers(&self, bytes: &[u8]) -> &Semaphore {
        if bytes.len() < SMALL { &self.small } else { &self.large }
    }

    /// Forgets the components in memory that `keep` does not want. Running calls keep theirs.
    pub(crate) fn retain(&self, keep: impl Fn(&Digest) -> bool) {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).retain(|digest, _| keep(digest));
    }

    /// Removes cached code of components that `keep` does not want. Who compiled one and has not
    /// loaded it yet will compile it once more.
    pub(crate) fn prune(&self, keep: impl Fn(&str) -> bool) {
        let wanted = |name: &str| name.split('-').next().is_some_and(&keep);
        if let Err(error) = self.store.cache_prune(wanted) {
            tracing::debug!(%error, "old code stays in the cache");
        }
    }

    fn slot(&self, digest: Digest) -> Ready {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.entry(digest).or_default().clone()
    }

    /// The component from sealed code in the store, if there is any and the seal holds.
    async fn cached(
        self: &Arc<Self>,
        digest: Digest,
    ) -> Result<Option<(Description, Arc<Component>)>, CodeFault> {
        let codes = self.clone();
        blocking(move || {
            let name = codes.name(&digest);
            let Some(bytes) = codes.store.cache_read(&name).map_err(CodeFault::Store)? else {
                return Ok(None);
            };
            codes.open(&name, &SealedCode::from_bytes(bytes)).map(Some)
        })
        .await?
    }

    async fn make(
        self: &Arc<Self>,
        digest: Digest,
        bytes: &[u8],
    ) -> Result<(Description, Arc<Component>), CodeFault> {
        let compiled = {
            let _one = self.compilers(bytes).acquire().await.map_err(|_| CodeFault::Stopped)?;
            let compiling = self.compiler.compile_tools(bytes, &self.limits, &self.compile_limits);
            compiling.await.map_err(CodeFault::Compile)?
        };
        let codes = self.clone();
        blocking(move || codes.keep(digest, compiled)).await?
    }

    /// Opens what was compiled, and caches it. Without a cache the next start is slower, no more.
    fn keep(
        &self,
        digest: Digest,
        compiled: Compiled,
    ) -> Result<(Description, Arc<Component>), CodeFault> {
        let name = self.name(&digest);
        let code = SealedCode::seal(&self.key, &name, &compiled).ok_or(CodeFault::Stopped)?;
        let opened = self.open(&name, &code)?;
        if let Err(error) = self.store.cache_write(&name, code.as_bytes()) {
            tracing::warn!(%error, "compiled code is not cached");
        }
        Ok(opened)
    }

    fn open(
        &self,
        name: &str,
        code: &SealedCode,
    ) -> Result<(Description, Arc<Component>), CodeFault> {
        let opened = Component::open(&self.engine, &self.key, name, code);
        opened
            .map(|(description, component)| (description, Arc::new(component)))
            .map_err(CodeFault::Code)
    }
}

/// Runs `work` where blocking is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CodeFault> {
    tokio::task::spawn_blocking(work).await.map_err(|_| CodeFault::Stopped)
}

/// Runs `work` off the runtime while it holds `turn`. The turn belongs to the work and not to who
/// waits for it: work whose caller has gone away is not stopped, and must not be overtaken.
pub(crate) async fn in_turn<T: Send + 'static>(
    turn: &Arc<tokio::sync::Mutex<()>>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CodeFault> {
    let turn = turn.clone().lock_owned().await;
    let held = move || {
        let _turn = turn;
        work()
    };
    blocking(held).await
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_keeps_its_turn_when_nobody_waits_for_it_any_more() {
        let turn = Arc::new(tokio::sync::Mutex::new(()));
        let (end, ended) = mpsc::channel::<()>();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let work = in_turn(&turn, move || {
            begin.send(()).unwrap();
            ended.recv().unwrap();
        });
        tokio::select! {
            biased;
            _ = work => panic!("it ended by itself"),
            started = begun => started.unwrap(),
        }
        assert!(turn.try_lock().is_err());
        end.send(()).unwrap();
        let _turn = turn.lock().await;
    }
}
