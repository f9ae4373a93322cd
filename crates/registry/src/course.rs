//! The course of one operation: which server is asked next, after which wait, until when. Must
//! never try for ever, nor wait longer than a server may ask.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::endpoint::Endpoint;
use crate::retry::{LONGEST_OBEYED, pause};
use crate::{RegistryError, Settings};

/// An operation under way, with the attempts and the time that it has left.
pub(crate) struct Course {
    what: String,
    deadline: Instant,
    time: Duration,
    first_pause: Duration,
    attempts: u32,
    failures: u32,
}

impl Course {
    /// The clock begins now. `what` is to be had, for messages.
    pub(crate) fn new(settings: &Settings, what: &str) -> Self {
        let now = Instant::now();
        Self {
            what: what.to_owned(),
            // A time that no clock reaches is as good as a year.
            deadline: now
                .checked_add(settings.time)
                .unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 60 * 60)),
            time: settings.time,
            first_pause: settings.first_pause,
            attempts: settings.attempts,
            failures: 0,
        }
    }

    /// What `work` gives, if it does so in time.
    pub(crate) async fn limit<T>(
        &self,
        work: impl Future<Output = Result<T, RegistryError>> + Send,
    ) -> Result<T, RegistryError> {
        let late = RegistryError::Late { what: self.what.clone(), time: self.time };
        timeout_at(self.deadline, work).await.map_err(|_| late)?
    }

    /// Waits before another attempt.
    ///
    /// # Errors
    /// `error`, if there is no sense in another attempt or none is left.
    pub(crate) async fn pause(&mut self, error: RegistryError) -> Result<(), RegistryError> {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= self.attempts || !error.passing() {
            return Err(error);
        }
        let asked = error.after().unwrap_or_default();
        let wait = pause(self.first_pause, self.failures, chance()).max(asked);
        let left = self.deadline.saturating_duration_since(Instant::now());
        if asked > LONGEST_OBEYED || wait >= left {
            return Err(error);
        }
        tracing::debug!(%error, ?wait, "trying again");
        sleep(wait).await;
        Ok(())
    }

    /// Counts the attempts anew: what came so far is worth going on.
    pub(crate) fn renew(&mut self) {
        self.failures = 0;
    }
}

/// The servers that may have what is pulled: the mirrors in their order, then the registry.
pub(crate) struct Servers {
    mirrors: VecDeque<Endpoint>,
    registry: Endpoint,
}

impl Servers {
    pub(crate) fn new(mirrors: Vec<Endpoint>, registry: Endpoint) -> Self {
        Self { mirrors: mirrors.into(), registry }
    }

    /// The server that is asked now.
    pub(crate) fn now(&self) -> &Endpoint {
        self.mirrors.front().unwrap_or(&self.registry)
    }

    /// Leaves a mirror that knows nothing. Whether it was one.
    pub(crate) fn skip(&mut self) -> bool {
        self.mirrors.pop_front().is_some()
    }

    /// Leaves a mirror that failed by `error`, for whatever reason. Whether it was one.
    pub(crate) fn leave(&mut self, error: &RegistryError) -> bool {
        let Some(mirror) = self.mirrors.pop_front() else { return false };
        tracing::debug!(mirror = mirror.registry, %error, "going on without a mirror");
        true
    }
}

/// Without any, the whole pause is waited.
fn chance() -> u8 {
    let mut byte = [0];
    getrandom::fill(&mut byte).map_or(0, |()| u8::from_be_bytes(byte))
}
