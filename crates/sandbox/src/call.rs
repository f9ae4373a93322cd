//! One call: one fresh instance, one function, then nothing of it is left.
//!
//! A call is polled where it was asked for, so a short one pays for no other thread. The first time
//! that it waits or that its slice of a millisecond is over, it moves to the guests' own threads,
//! so a long one does not hold up whoever asked. Dropping the call stops the guest.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use wasmtime::component::{ComponentExportIndex, Val};
use wasmtime::{Store, UpdateDeadline};
use wassette_policy::{Denial, Span};
use wassette_wit_json::{Function, Value};

use crate::authority::Authority;
use crate::component::Component;
use crate::convert::{lift, lower};
use crate::effects::Observer;
use crate::engine::{Engine, Shared};
use crate::error::CallError;
use crate::meter::Metered;
use crate::sandbox::{Record, Sandbox};

/// A call that took longer than this without a pause held up others.
const LONG: Duration = Duration::from_millis(5);

/// What is to be called.
pub struct Call {
    /// The component. It stays alive until the call has ended.
    pub component: Arc<Component>,
    /// What the component may do.
    pub authority: Arc<Authority>,
    /// Who hears of its effects.
    pub observer: Option<Arc<dyn Observer>>,
    /// One of the functions with which the component was opened.
    pub function: Arc<Function>,
    /// One value for each parameter, of its type.
    pub arguments: Vec<Value>,
}

/// What came of a call.
#[derive(Debug)]
pub struct Outcome {
    /// The function's result, where it has one, or why there is none.
    pub result: Result<Option<Value>, CallError>,
    /// What the sandbox refused, whether or not the guest cared.
    pub denials: Vec<Denial>,
    /// Whether the call did nothing that would happen a second time if it ran again: it wrote
    /// nothing, opened no socket and sent no request but GET and HEAD.
    pub is_repeatable: bool,
    /// Whether the guest asked for all its variables at once: it then names none that it misses.
    pub asked_for_all_variables: bool,
    /// What the call used.
    pub usage: Usage,
    /// What the guest printed, bounded.
    pub stdout: String,
    /// What the guest complained, bounded.
    pub stderr: String,
}

/// What a call used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on the clock, waiting for a place included.
    pub time: Duration,
    /// Processor time.
    pub cpu: Duration,
    /// The most bytes of memory at one time.
    pub memory: u64,
}

impl Engine {
    /// Runs `call` to its end, within the limits of its authority.
    pub async fn call(&self, call: Call) -> Outcome {
        let began = Instant::now();
        let limits = call.authority.limits.clone();
        let record = Record::new(&limits, call.observer.clone());
        let component = call.component.clone();
        let run = run(self.shared.clone(), call, record.clone());
        let run = Metered::new(run, record.meter.clone());
        let bounded = tokio::time::timeout(limits.time.duration(), run);
        let result = match self.hand_over(bounded, &component.long).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(CallError::Time { limit: limits.time }),
            Err(error) => Err(error),
        };
        component.long.store(record.meter.spent() > LONG, Ordering::Relaxed);
        Outcome {
            result,
            denials: record.effects.denials(),
            is_repeatable: record.effects.is_repeatable(),
            asked_for_all_variables: record.effects.asked_for_all_variables(),
            usage: Usage {
                time: began.elapsed(),
                cpu: record.meter.spent(),
                memory: record.meter.peak(),
            },
            stdout: record.stdout.text(),
            stderr: record.stderr.text(),
        }
    }

    /// Polls `future` once here, and if that was not enough, from then on among the guests. If it is
    /// likely to be `long`, it begins there: one instruction can fill a whole memory, and no tick
    /// ends it.
    async fn hand_over<F>(&self, future: F, long: &AtomicBool) -> Result<F::Output, CallError>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let mut future = Box::pin(future);
        if !long.load(Ordering::Relaxed) {
            let began = Instant::now();
            let first = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
            // Others that are about to begin shall know at once.
            long.fetch_or(began.elapsed() > LONG, Ordering::Relaxed);
            if let Poll::Ready(output) = first {
                return Ok(output);
            }
        }
        let guests = self.shared.guests().ok_or(CallError::Stopped)?;
        match Running(guests.spawn(future)).await {
            Ok(output) => Ok(output),
            Err(error) if error.is_panic() => Err(CallError::Internal("a panic".to_owned())),
            Err(_) => Err(CallError::Stopped),
        }
    }
}

/// A task that ends when nobody waits for it any more.
struct Running<T>(JoinHandle<T>);

impl<T> Future for Running<T> {
    type Output = Result<T, tokio::task::JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn run(shared: Arc<Shared>, call: Call, record: Record) -> Result<Option<Value>, CallError> {
    let (component, authority) = (call.component, call.authority);
    let limits = &authority.limits;
    authority.begin().map_err(|wait| CallError::Pace {
        limit: limits.calls_per_minute,
        wait: Span::seconds(u32::try_from(wait.as_secs()).unwrap_or(60) + 1),
    })?;
    // First a place among the calls of this component, then one among all: a component that is
    // called too often waits for itself and holds up nobody else.
    let _place =
        authority.places(component.share).acquire().await.map_err(|_| CallError::Stopped)?;
    let _live = shared.live.acquire_many(component.share).await.map_err(|_| CallError::Stopped)?;
    let _ticking = shared.ticker.start();

    let export = component
        .exports
        .get(&call.function.id)
        .ok_or_else(|| CallError::Internal(format!("no export `{}`", call.function.id)))?;
    let arguments = lower_all(call.arguments, &call.function)?;
    let mut store = store(&shared, &authority, &record);
    let result = enter(&mut store, &component, export, &call.function, &arguments).await;
    reap(&shared, store);

    match (result.map_err(|error| CallError::read(&error, limits))?, &call.function.result) {
        (Some(value), Some(ty)) => lift(value, ty)
            .map(Some)
            .ok_or_else(|| CallError::Internal("a result of another type".to_owned())),
        _ => Ok(None),
    }
}

/// All that the guest does, from its start function to its last.
async fn enter(
    store: &mut Store<Sandbox>,
    component: &Component,
    export: &ComponentExportIndex,
    function: &Function,
    arguments: &[Val],
) -> wasmtime::Result<Option<Val>> {
    let instance = component.instance.instantiate_async(&mut *store).await?;
    let missing = || CallError::Internal(format!("no function `{}`", function.id));
    let callee =
        instance.get_func(&mut *store, export).ok_or_else(|| wasmtime::Error::new(missing()))?;
    // Wasmtime overwrites what stands here.
    let mut results = vec![Val::Bool(false); usize::from(function.result.is_some())];
    callee.call_async(&mut *store, arguments, &mut results).await?;
    Ok(results.pop())
}

fn lower_all(arguments: Vec<Value>, function: &Function) -> Result<Vec<Val>, CallError> {
    arguments
        .into_iter()
        .zip(&function.params)
        .map(|(value, param)| lower(value, &param.ty))
        .collect::<Option<_>>()
        .ok_or_else(|| CallError::Internal("an argument of another type".to_owned()))
}

/// A store with all limits set. From the first instruction on, the guest yields at each tick and
/// ends when its processor time is up.
fn store(shared: &Shared, authority: &Arc<Authority>, record: &Record) -> Store<Sandbox> {
    let limits = &authority.limits;
    let mut store = Store::new(&shared.wasmtime, Sandbox::new(authority, record));
    store.limiter(|sandbox| &mut sandbox.growth);
    store.set_hostcall_fuel(limits.host_call_bytes.size());
    let handles = usize::try_from(limits.handles).unwrap_or(usize::MAX);
    store.set_max_component_handles(handles);
    // What the engine keeps for the guest's tasks, streams and futures is a table of its own.
    if let Some(table) = store.concurrent_resource_table() {
        table.set_max_capacity(handles);
    }
    let (cpu, meter) = (limits.cpu, record.meter.clone());
    store.epoch_deadline_callback(move |_| {
        if meter.running() > cpu.duration() {
            return Err(wasmtime::Error::new(CallError::Cpu { limit: cpu }));
        }
        Ok(UpdateDeadline::Yield(1))
    });
    store.set_epoch_deadline(1);
    store
}

/// Drops the store in a task of its own: clearing up after a guest takes longer than most calls,
/// and the answer need not wait for it. When too many wait it is dropped at once, so that they never
/// fill the pool.
fn reap(shared: &Arc<Shared>, store: Store<Sandbox>) {
    let waiting = shared.reaping.fetch_add(1, Ordering::Relaxed);
    let drop_it = {
        let shared = shared.clone();
        move || {
            drop(store);
            shared.reaping.fetch_sub(1, Ordering::Relaxed);
        }
    };
    if waiting < shared.reapable {
        // On this runtime: waking a thread of the other one costs more than the work.
        tokio::spawn(async move { drop_it() });
    } else {
        drop_it();
    }
}

#[cfg(test)]
mod tests {
    use wassette_policy::Limits;

    use super::*;

    /// Both tables that the engine keeps for a guest: of its resources, and of its tasks, streams and
    /// futures.
    #[test]
    fn denied_more_entries_in_any_table_than_the_limit_of_handles() {
        let engine = Engine::new().unwrap();
        let limits = Limits { handles: 7, ..Limits::default() };
        let authority = Arc::new(Authority::none("guest", limits.clone()));
        let mut store = store(&engine.shared, &authority, &Record::new(&limits, None));
        assert_eq!(store.data().table.max_capacity(), 7);
        let table = store.concurrent_resource_table().unwrap();
        for entry in 0..7 {
            table.push(entry).unwrap();
        }
        assert!(table.push(7).is_err());
    }
}
