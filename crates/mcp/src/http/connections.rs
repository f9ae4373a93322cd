//! TCP connections: bounded in number, each with a bound on how long a request's head may take, and
//! without the delay that batches small packets, which costs 40 ms an answer. Ending them waits a
//! little for what is being written and no longer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long the head of a request may take to arrive.
const HEAD: Duration = Duration::from_secs(10);

/// How long open connections have to finish.
const PATIENCE: Duration = Duration::from_secs(3);

/// Bytes of headers and of what is read ahead.
const BUFFER: usize = 64 * 1024;

pub(super) struct Connections {
    room: Arc<Semaphore>,
    open: TaskTracker,
    closing: CancellationToken,
    cutting: CancellationToken,
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(most)),
            open: TaskTracker::new(),
            closing: CancellationToken::new(),
            cutting: CancellationToken::new(),
        }
    }

    /// Serves `router` on every connection to `listener`. Ends by being dropped.
    pub(super) async fn accept(&self, listener: TcpListener, router: Router) {
        loop {
            let Ok(permit) = self.room.clone().acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let serving = serve(stream, router.clone(), self.closing.clone());
                    let cutting = self.cutting.clone();
                    self.open.spawn(async move {
                        let _permit = permit;
                        tokio::select! {
                            () = serving => {}
                            () = cutting.cancelled() => {}
                        }
                    });
                }
                Err(error) => {
                    // Such as no file descriptors left: taking a breath beats spinning.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Lets open connections finish what they are doing, then cuts them.
    pub(super) async fn close(self) {
        self.closing.cancel();
        self.open.close();
        if tokio::time::timeout(PATIENCE, self.open.wait()).await.is_err() {
            self.cutting.cancel();
            self.open.wait().await;
        }
    }
}

async fn serve(stream: TcpStream, router: Router, closing: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers on this connection may be delayed");
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}
