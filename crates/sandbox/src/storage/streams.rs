//! Streams from and into files. The disk is never waited for on a thread that runs guests: each part
//! is read or written among the blocking threads, a few at a time, and what the host holds for a
//! guest meanwhile is bounded over all its streams. Each part asks the rules again.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};

use super::disk::{Answer, code};
use super::files::{CHUNK, read_from};
use super::handle::OpenFile;
use super::session::Session;

/// What is read if the guest waits for data without having said how much.
const AHEAD: usize = 4096;

/// How many units of the bound on buffers `bytes` take.
fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).max(1)
}

fn failed(error: ErrorCode) -> StreamError {
    StreamError::LastOperationFailed(error.into())
}

/// Does `work` among the blocking threads, a few at a time. What has begun there keeps its place until
/// it is done, even if nobody waits for it any more.
async fn work<T: Send + 'static>(
    session: Arc<Session>,
    work: impl FnOnce(&Session) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let place = session.jobs.clone().acquire_owned().await.map_err(|_| ErrorCode::Io)?;
    let done = tokio::task::spawn_blocking(move || {
        let _place = place;
        work(&session)
    });
    done.await.unwrap_or(Err(ErrorCode::Io))
}

/// A file as a stream to read.
pub(super) struct Input {
    session: Arc<Session>,
    file: Arc<OpenFile>,
    position: u64,
    state: Reading,
}

enum Reading {
    Idle,
    /// It ends with the stream: a guest that opens and drops streams must leave nothing behind.
    Waiting(AbortOnDropJoinHandle<Answer<(Bytes, OwnedSemaphorePermit)>>),
    /// Read and not yet taken. The permit is what it takes of the bound.
    Ready(Bytes, OwnedSemaphorePermit),
    Failed(ErrorCode),
    Closed,
}

impl Input {
    pub(super) fn new(session: Arc<Session>, file: Arc<OpenFile>, position: u64) -> Self {
        Self { session, file, position, state: Reading::Idle }
    }

    fn begin(&mut self, size: usize) {
        let (file, position) = (self.file.clone(), self.position);
        let (session, size) = (self.session.clone(), size.min(CHUNK));
        self.state = Reading::Waiting(spawn(async move {
            let room = session.buffers.clone().acquire_many_owned(units(size)).await;
            let room = room.map_err(|_| ErrorCode::Io)?;
            work(session, move |session| {
                let bytes = read_from(file.to_read(session)?, position, size).map_err(code)?;
                Ok((Bytes::from(bytes), room))
            })
            .await
        }));
    }

    async fn wait(&mut self) {
        if let Reading::Waiting(task) = &mut self.state {
            self.state = match (&mut **task).await.unwrap_or(Err(ErrorCode::Io)) {
                Ok((bytes, _)) if bytes.is_empty() => Reading::Closed,
                Ok((bytes, room)) => Reading::Ready(bytes, room),
                Err(error) => Reading::Failed(error),
            };
        }
    }
}

#[async_trait]
impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 && matches!(self.state, Reading::Idle) {
            return Ok(Bytes::new());
        }
        match std::mem::replace(&mut self.state, Reading::Closed) {
            Reading::Idle => {
                self.begin(size);
                Ok(Bytes::new())
            }
            Reading::Waiting(task) => {
                self.state = Reading::Waiting(task);
                Ok(Bytes::new())
            }
            Reading::Ready(mut bytes, room) => {
                let part = bytes.split_to(bytes.len().min(size));
                self.position = self.position.saturating_add(part.len() as u64);
                self.state = match bytes.is_empty() {
                    true => Reading::Idle,
                    false => Reading::Ready(bytes, room),
                };
                Ok(part)
            }
            Reading::Failed(error) => Err(failed(error)),
            Reading::Closed => Err(StreamError::Closed),
        }
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.wait().await;
        if size > 0 && matches!(self.state, Reading::Idle) {
            self.begin(size);
            self.wait().await;
        }
        self.read(size)
    }

    async fn cancel(&mut self) {
        self.wait().await;
        self.state = Reading::Closed;
    }
}

#[async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        if matches!(self.state, Reading::Idle) {
            self.begin(AHEAD);
        }
        self.wait().await;
    }
}

/// A file as a stream to write.
pub(super) struct Output {
    session: Arc<Session>,
    file: Arc<OpenFile>,
    /// Where the next part goes; at the end of the file if nowhere else.
    position: Option<u64>,
    state: Writing,
}

enum Writing {
    Idle,
    /// It goes on if the stream is dropped. There are no more of these than there is room for.
    Waiting(JoinHandle<Answer<()>>, u64),
    Failed(ErrorCode),
    Closed,
}

impl Output {
    pub(super) fn new(session: Arc<Session>, file: Arc<OpenFile>, position: Option<u64>) -> Self {
        Self { session, file, position, state: Writing::Idle }
    }

    fn begin(&mut self, bytes: Bytes, room: OwnedSemaphorePermit) {
        let (file, position, length) = (self.file.clone(), self.position, bytes.len() as u64);
        let task = tokio::spawn(work(self.session.clone(), move |session| {
            let _room = room;
            match position {
                Some(position) => session.write(&file, &bytes, position),
                None => session.append(&file, &bytes),
            }
        }));
        self.state = Writing::Waiting(task, length);
    }

    async fn wait(&mut self) {
        if let Writing::Waiting(task, length) = &mut self.state {
            let length = *length;
            self.state = match task.await.unwrap_or(Err(ErrorCode::Io)) {
                Ok(()) => {
                    self.position = self.position.map(|at| at.saturating_add(length));
                    Writing::Idle
                }
                Err(error) => Writing::Failed(error),
            };
        }
    }

    /// The error of the last part, once; then the stream is closed.
    fn check(&mut self) -> StreamResult<()> {
        match self.state {
            Writing::Failed(error) => {
                self.state = Writing::Closed;
                Err(failed(error))
            }
            Writing::Closed => Err(StreamError::Closed),
            Writing::Idle | Writing::Waiting(..) => Ok(()),
        }
    }
}

#[async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let unasked = || StreamError::trap("a write that `check-write` did not permit");
        match self.state {
            Writing::Idle => {}
            Writing::Closed => return Err(StreamError::Closed),
            Writing::Waiting(..) | Writing::Failed(_) => return Err(unasked()),
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let room = self.session.buffers.clone().try_acquire_many_owned(units(bytes.len()));
        let room = room.ok().filter(|_| bytes.len() <= CHUNK).ok_or_else(unasked)?;
        self.begin(bytes, room);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.check()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.check()?;
        match self.state {
            Writing::Waiting(..) => Ok(0),
            _ => Ok(CHUNK.min(self.session.buffers.available_permits().saturating_mul(1024))),
        }
    }

    async fn blocking_write_and_flush(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        self.wait().await;
        while !bytes.is_empty() {
            self.check()?;
            let part = bytes.split_to(bytes.len().min(CHUNK));
            let room = self.session.buffers.clone().acquire_many_owned(units(part.len())).await;
            self.begin(part, room.map_err(|_| StreamError::Closed)?);
            self.wait().await;
        }
        self.check()
    }

    async fn cancel(&mut self) {
        // What was written is written, also if the guest did not wait for it.
        self.wait().await;
        self.state = Writing::Closed;
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        self.wait().await;
        if matches!(self.state, Writing::Idle) {
            // Until there is room; whoever writes first takes it.
            drop(self.session.buffers.acquire().await);
        }
    }
}
