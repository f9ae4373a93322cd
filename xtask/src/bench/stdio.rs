//! The client over stdio: one JSON-RPC message a line, as many calls on their way as wanted. What
//! is ready to be sent leaves in one piece. It must never send more than a pipe holds.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::error::Error;
use super::statistics::Slice;
use super::wire::{self, Calls, Revision};

/// The connection to a server over its standard input and output.
#[derive(Debug)]
pub(super) struct Lines {
    input: ChildStdin,
    output: ChildStdout,
    received: Vec<u8>,
    sending: Vec<u8>,
    revision: Revision,
    calls: Calls,
}

impl Lines {
    /// The connection to `server`, whose input and output must be pipes that nobody took yet.
    pub(super) fn new(server: &mut Child, revision: Revision) -> Result<Self, Error> {
        let (input, output) = server.stdin.take().zip(server.stdout.take()).ok_or(Error::Gone)?;
        Ok(Self {
            input,
            output,
            received: Vec::new(),
            sending: Vec::new(),
            revision,
            calls: Calls::new(revision, 0),
        })
    }

    /// Sends what comes before the first call, and waits for its answer.
    pub(super) async fn open(&mut self) -> Result<(), Error> {
        self.input.write_all(format!("{}\n", self.revision.opening()).as_bytes()).await?;
        while self.received(wire::is_result).await? == 0 {}
        if let Some(message) = self.revision.opened() {
            self.input.write_all(format!("{message}\n").as_bytes()).await?;
        }
        Ok(())
    }

    /// Keeps `in_flight` calls on their way for `time`, and waits for the last answers.
    pub(super) async fn drive(&mut self, in_flight: u32, time: Duration) -> Result<Slice, Error> {
        let mut slice = Slice::default();
        let began = Instant::now();
        let mut sent = Instant::now();
        self.send(in_flight).await?;
        let mut waiting = in_flight;
        while waiting > 0 {
            let answers = self.received(wire::is_right).await?;
            let now = Instant::now();
            if in_flight == 1 && answers == 1 {
                slice.latencies.push(now.duration_since(sent));
            }
            slice.calls = slice.calls.saturating_add(answers);
            if now.duration_since(began) < time {
                sent = now;
                self.send(answers).await?;
            } else {
                waiting = waiting.saturating_sub(answers);
            }
        }
        slice.time = began.elapsed();
        Ok(slice)
    }

    async fn send(&mut self, calls: u32) -> Result<(), Error> {
        self.sending.clear();
        for _ in 0..calls {
            self.calls.write(&mut self.sending);
            self.sending.push(b'\n');
        }
        Ok(self.input.write_all(&self.sending).await?)
    }

    /// Reads once, and counts the answers that have come whole. All must be `as_wanted`.
    async fn received(&mut self, as_wanted: impl Fn(&[u8]) -> bool) -> Result<u32, Error> {
        if self.output.read_buf(&mut self.received).await? == 0 {
            return Err(Error::Gone);
        }
        let mut answers = 0_u32;
        let mut rest = self.received.as_slice();
        while let Some((line, after)) =
            memchr::memchr(b'\n', rest).and_then(|end| rest.split_at_checked(end))
        {
            if as_wanted(line) {
                answers = answers.saturating_add(1);
            } else if !wire::is_news(line) {
                return Err(Error::wrong(line));
            }
            rest = after.get(1..).unwrap_or_default();
        }
        let used = self.received.len().saturating_sub(rest.len());
        self.received.drain(..used);
        Ok(answers)
    }
}
