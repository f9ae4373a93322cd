//! What a call has used so far, readable while it runs and after it was stopped.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::CallError;

/// Processor time and memory of one call. Times are nanoseconds, sizes bytes.
#[derive(Default)]
pub(crate) struct Meter {
    spent: AtomicU64,
    began: AtomicU64,
    peak: AtomicU64,
}

impl Meter {
    /// Processor time up to now, when asked by the thread that runs the guest.
    pub(crate) fn running(&self) -> Duration {
        let current = thread_time().saturating_sub(self.began.load(Ordering::Relaxed));
        Duration::from_nanos(self.spent.load(Ordering::Relaxed) + current)
    }

    /// Processor time up to the last time that the guest gave up its thread.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Ordering::Relaxed))
    }

    /// The most bytes that all memories of the call had at once.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// Notes that the memories have `bytes` now.
    pub(crate) fn grown(&self, bytes: u64) {
        self.peak.fetch_max(bytes, Ordering::Relaxed);
    }

    fn began(&self) {
        self.began.store(thread_time(), Ordering::Relaxed);
    }

    fn ended(&self) {
        let current = thread_time().saturating_sub(self.began.load(Ordering::Relaxed));
        self.spent.fetch_add(current, Ordering::Relaxed);
    }
}

/// A future whose every poll is metered, and whose panic is an error of this call alone.
pub(crate) struct Metered<F> {
    future: Pin<Box<F>>,
    meter: Arc<Meter>,
}

impl<F> Metered<F> {
    pub(crate) fn new(future: F, meter: Arc<Meter>) -> Self {
        Self { future: Box::pin(future), meter }
    }
}

impl<F, T> Future for Metered<F>
where
    F: Future<Output = Result<T, CallError>>,
{
    type Output = Result<T, CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.meter.began();
        let poll = catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(context)));
        self.meter.ended();
        poll.unwrap_or_else(|_| Poll::Ready(Err(CallError::Internal("a panic".to_owned()))))
    }
}

/// Processor time of this thread, in nanoseconds.
fn thread_time() -> u64 {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}
