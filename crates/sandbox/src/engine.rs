//! The one engine of the process: Wasmtime's engine, the linker, the ticker, and the threads on
//! which guests run that take longer than a moment.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;

use miette::Diagnostic;
use thiserror::Error;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use wasmtime::component::Linker;
use wasmtime::{Config, OptLevel, PoolingAllocationConfig, Strategy, WasmBacktraceDetails};

use crate::sandbox::{self, Sandbox};
use crate::ticker::Ticker;

/// Memories that the pool holds, and so what all calls may have at the same time. A call takes its
/// share before it begins, or waits; none fails because others were quicker.
const MEMORIES: u32 = 1_024;

/// The least share of a call: at most so many calls are alive at once, over all components.
const LEAST: u32 = 8;

/// Tables for each memory: toolchains link modules through tables of their own.
const TABLES_PER_MEMORY: u32 = 4;

/// Why the engine cannot start.
#[derive(Debug, Error, Diagnostic)]
pub enum EngineError {
    /// Wasmtime refuses this machine or its own settings.
    #[error("WebAssembly cannot run on this machine: {0}")]
    #[diagnostic(help("Wassette needs a 64-bit x86 or ARM processor"))]
    Wasmtime(String),
    /// The system refuses a thread.
    #[error("cannot start the threads that run components")]
    #[diagnostic(help("is the limit on processes or threads too low?"))]
    Threads(#[source] std::io::Error),
}

/// Runs components. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) linker: Linker<Sandbox>,
    pub(crate) ticker: Ticker,
    pub(crate) live: Semaphore,
    /// Stores that are waiting to be dropped by the guests' threads.
    pub(crate) reaping: AtomicUsize,
    /// More of them than these do not wait.
    pub(crate) reapable: usize,
    guests: Option<Runtime>,
}

impl Engine {
    /// Starts the engine. It takes well under a millisecond and compiles nothing.
    pub fn new() -> Result<Self, EngineError> {
        let failed = |error: wasmtime::Error| EngineError::Wasmtime(format!("{error:#}"));
        let wasmtime = pooled().or_else(|error| {
            // Address space is short where it is limited from outside; calls are slower then.
            tracing::warn!(%error, "no room for pooled instances, allocating each on demand");
            wasmtime::Engine::new(&config())
        });
        let wasmtime = wasmtime.map_err(failed)?;
        let linker = sandbox::linker(&wasmtime).map_err(failed)?;
        let ticker = Ticker::new(&wasmtime).map_err(EngineError::Threads)?;
        let cores = thread::available_parallelism().map_or(2, NonZeroUsize::get).max(2);
        let guests = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(cores)
            .thread_name("guest")
            // Look at timers and at other guests between any two slices of a busy one.
            .event_interval(2)
            .enable_all()
            .build()
            .map_err(EngineError::Threads)?;
        let shared = Shared {
            wasmtime,
            linker,
            ticker,
            live: Semaphore::new(usize::try_from(MEMORIES).unwrap_or(usize::MAX)),
            reaping: AtomicUsize::new(0),
            reapable: 2 * cores,
            guests: Some(guests),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// What compiled code depends on besides the component: it can be used by an engine with the
    /// same text and by no other.
    pub fn compatibility(&self) -> String {
        compatibility(&self.shared.wasmtime)
    }
}

/// What a call takes of the pool, counted in memories.
pub(crate) fn share(memories: u32, tables: u32) -> u32 {
    memories.max(tables.div_ceil(TABLES_PER_MEMORY)).clamp(LEAST, MEMORIES)
}

/// How many calls of one component may be alive at once: together they leave half of the pool to
/// others.
pub(crate) fn places(concurrency: u32, share: u32) -> usize {
    usize::try_from(concurrency.min(MEMORIES / 2 / share).max(1)).unwrap_or(1)
}

impl Shared {
    /// The runtime of the guests.
    pub(crate) fn guests(&self) -> Option<&Runtime> {
        self.guests.as_ref()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A runtime must not be waited for inside another one.
        if let Some(guests) = self.guests.take() {
            guests.shutdown_background();
        }
    }
}

fn compatibility(engine: &wasmtime::Engine) -> String {
    use std::hash::{Hash, Hasher};
    struct Digest(blake3::Hasher);
    impl Hasher for Digest {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut digest = Digest(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut digest);
    digest.0.finalize().to_hex().chars().take(32).collect()
}

/// What every engine of ours has in common, the compiler's included: code moves between them.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .wasm_memory64(false)
        .wasm_component_model_async(true)
        .wasm_component_model_map(true)
        .wasm_component_model_fixed_length_lists(true)
        // Neither the environment nor a guest's symbols decide what our errors look like.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .generate_address_map(false);
    config
}

/// An engine whose instances come from a pool: without the kernel's work for fresh memory a small
/// call is several times cheaper, and two threads do twice the work of one.
fn pooled() -> wasmtime::Result<wasmtime::Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(MEMORIES)
        // Instances are counted here and allocated elsewhere: this many cost nothing.
        .total_core_instances(100_000)
        .total_memories(MEMORIES)
        .total_tables(MEMORIES * TABLES_PER_MEMORY)
        // A call under way has one stack, and few more wait to be cleared.
        .total_stacks(2 * MEMORIES / LEAST)
        .max_memories_per_module(100)
        .max_tables_per_module(100)
        .table_elements(1_000_000)
        .max_core_instance_size(16 << 20)
        .max_component_instance_size(16 << 20)
        // What a small guest touches is cleared by hand, which beats asking the kernel; the rest
        // goes back to it. `pagemap_scan` would be faster still and is unsafe in this version.
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(1 << 20)
        .async_stack_keep_resident(64 << 10);
    let mut config = config();
    config.allocation_strategy(pool);
    wasmtime::Engine::new(&config)
}
