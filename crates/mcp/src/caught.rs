//! A panic in a handler becomes an answer. Without this the task that holds the request dies alone
//! and its client waits for its own timeout. It must never hide the panic: the hook has already
//! logged it, and the caller says that something of ours failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// The handler panicked; its future must not be polled again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Runs `work` to its end, or to its panic.
///
/// Unwind safety: what `work` shares with others are the toolbox's channels and locks, which are
/// poisoned or closed by a panic as by any other end of a task.
pub(crate) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_after_a_wait_is_caught() {
        let work = async {
            tokio::task::yield_now().await;
            panic!("as planned");
        };
        assert_eq!(caught::<()>(work).await, Err(Panicked));
    }

    #[tokio::test]
    async fn what_does_not_panic_is_left_alone() {
        assert_eq!(caught(async { 7 }).await, Ok(7));
    }
}
