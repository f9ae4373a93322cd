//! The clock of running guests: one thread that advances the engine's epoch each millisecond.
//!
//! It ticks only while calls run and for a moment after, so an idle process never wakes up. There
//! is one per engine: a thread per call would cost more than most calls.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// The length of one epoch: how long a guest may hold a thread before it must yield.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// How many ticks the thread stays awake without a call: calls that follow one another need not
/// wake it each time.
const LINGER: u32 = 50;

struct State {
    running: AtomicUsize,
    asleep: AtomicBool,
    closed: AtomicBool,
}

/// The ticking thread. Dropping it ends the thread.
pub(crate) struct Ticker {
    state: Arc<State>,
    thread: Thread,
}

/// Keeps the ticker awake as long as it lives.
pub(crate) struct Ticking {
    state: Arc<State>,
}

impl Ticker {
    /// Starts the thread, asleep.
    pub(crate) fn new(engine: &wasmtime::Engine) -> io::Result<Self> {
        let state = Arc::new(State {
            running: AtomicUsize::new(0),
            asleep: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        });
        let handle = thread::Builder::new().name("epoch".to_owned()).spawn({
            let (state, engine) = (state.clone(), engine.weak());
            move || tick(&state, &engine)
        })?;
        Ok(Self { state, thread: handle.thread().clone() })
    }

    /// Ticks from now on, until the answer is dropped.
    pub(crate) fn start(&self) -> Ticking {
        self.state.running.fetch_add(1, Ordering::SeqCst);
        if self.state.asleep.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
        Ticking { state: self.state.clone() }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.state.closed.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.state.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn tick(state: &State, engine: &wasmtime::EngineWeak) {
    let mut idle = 0;
    while !state.closed.load(Ordering::SeqCst) {
        idle = if state.running.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
        if idle > LINGER {
            state.asleep.store(true, Ordering::SeqCst);
            // A call that began before it could see us asleep did not wake us: look once more.
            if state.running.load(Ordering::SeqCst) == 0 && !state.closed.load(Ordering::SeqCst) {
                thread::park();
            }
            state.asleep.store(false, Ordering::SeqCst);
            idle = 0;
            continue;
        }
        thread::sleep(TICK);
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
    }
}
