//! The threads that everything asynchronous runs on.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wassette_toolbox::Toolbox;

use crate::error::CommandError;

/// Runs `future` to its end and then stops whatever is left, guests included, without waiting long.
pub(crate) fn block_on<T>(
    future: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("wassette")
        // A guest that only computes gives its thread back at every tick of the clock. The default
        // of 61 turns before sockets and pipes are looked at again would delay everybody else by as
        // many ticks.
        .event_interval(2)
        .build()
        .map_err(|source| CommandError::Start { source })?;
    let result = runtime.block_on(future);
    // A thread that blocks, reading standard input for instance, would otherwise hold the exit up.
    runtime.shutdown_timeout(Duration::from_millis(500));
    result
}

/// Takes as many open files as the system lets us have: guests get half of what there is, and the
/// usual limit is meant for programs that wait on files in an old way.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where that is refused, as macOS does beyond its own bound, we live with what there is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Runs `serving` to its end, or until somebody asks this process to end: then running calls are
/// stopped and `shutdown` is cancelled, and who asks again does not wait for the rest.
pub(crate) async fn until_asked_to_end<E>(
    toolbox: &Toolbox,
    shutdown: &CancellationToken,
    serving: impl Future<Output = Result<(), E>>,
) -> Result<(), E> {
    tokio::pin!(serving);
    tokio::select! {
        // In this order, so that signals are caught before the first request is answered.
        biased;
        () = asked_to_end() => {
            toolbox.close();
            shutdown.cancel();
            tokio::select! {
                served = &mut serving => served,
                () = asked_to_end() => Ok(()),
            }
        }
        served = &mut serving => served,
    }
}

/// Waits for `work`. If somebody asks this process to end before, running calls are stopped, and
/// `work` may still clear up.
pub(crate) async fn unless_asked_to_end<T>(toolbox: &Toolbox, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    tokio::select! {
        biased;
        () = asked_to_end() => toolbox.close(),
        done = &mut work => return done,
    }
    work.await
}

/// Resolves at an interrupt or a polite termination.
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return std::future::pending().await;
        };
        tokio::select! {
            Some(()) = terminate.recv() => (),
            Ok(()) = tokio::signal::ctrl_c() => (),
            else => std::future::pending().await,
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
