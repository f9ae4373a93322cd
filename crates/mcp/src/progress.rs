//! News of a call that takes a while, for clients that asked for it with a progress token: the stage
//! that it is in, how many bytes have come, and a sign of life every two seconds, so that neither a host's own timer nor an
//! idle HTTP session ends it. Nothing is sent without a token, and nothing after the answer.

use std::pin::pin;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RequestContext};
use tokio::sync::watch;
use tokio::time::Instant;

/// Time between two signs of life.
const BEAT: Duration = Duration::from_secs(2);

/// Time between two pieces of news at least: bytes that come are news all the time.
const PAUSE: Duration = Duration::from_millis(200);

/// How long an answer waits for a notification that is on its way.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a call says of itself while it runs.
#[derive(Debug, Clone)]
pub(crate) struct Stage(watch::Sender<String>);

impl Stage {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new("running".to_owned()))
    }

    /// The call has come to `stage`, in a few words.
    pub(crate) fn enter(&self, stage: impl Into<String>) {
        let stage = stage.into();
        self.0.send_if_modified(|current| {
            let is_news = *current != stage;
            *current = stage;
            is_news
        });
    }
}

/// Runs `work`, reporting to the client of `context` if it asked for that.
pub(crate) async fn reported<T>(
    work: impl Future<Output = T>,
    stage: &Stage,
    context: &RequestContext<RoleServer>,
) -> T {
    let Some(token) = context.meta.get_progress_token() else {
        return work.await;
    };
    let mut work = pin!(work);
    let mut reporter = Reporter {
        peer: context.peer.clone(),
        token,
        stage: stage.0.subscribe(),
        sent: 0.0,
        last: None,
    };
    loop {
        let message = tokio::select! {
            biased;
            value = &mut work => return value,
            message = reporter.news() => message,
        };
        let mut sending = pin!(reporter.send(message));
        tokio::select! {
            biased;
            value = &mut work => {
                // Else the notification could follow the answer.
                let _late = tokio::time::timeout(PATIENCE, sending).await;
                return value;
            }
            () = &mut sending => {}
        }
    }
}

struct Reporter {
    peer: Peer<RoleServer>,
    token: ProgressToken,
    stage: watch::Receiver<String>,
    /// Notifications sent: the progress itself, for it must increase and nobody knows the end.
    sent: f64,
    /// When the last news were taken.
    last: Option<Instant>,
}

impl Reporter {
    /// Waits for the next stage, or for the time of the next sign of life.
    async fn news(&mut self) -> String {
        tokio::select! {
            Ok(()) = self.stage.changed() => {}
            () = tokio::time::sleep(BEAT) => {}
        }
        if let Some(last) = self.last {
            tokio::time::sleep_until(last + PAUSE).await;
        }
        self.last = Some(Instant::now());
        self.stage.borrow_and_update().clone()
    }

    async fn send(&mut self, message: String) {
        self.sent += 1.0;
        let progress = ProgressNotificationParam::new(self.token.clone(), self.sent);
        if self.peer.notify_progress(progress.with_message(message)).await.is_err() {
            tracing::debug!("a client did not accept news of its call's progress");
        }
    }
}
