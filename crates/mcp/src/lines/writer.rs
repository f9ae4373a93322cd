//! The writing end: messages queue as bytes, and whoever flushes first writes all that is queued, in
//! one piece. It must never lose or tear a message when a flush is dropped half-way: what was begun
//! stays where the next flush finds it.

use std::io;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// A buffer that grew beyond this for one large answer is given back.
const KEPT: usize = 1024 * 1024;

pub(super) struct Writer<W> {
    queue: Mutex<Vec<u8>>,
    sink: tokio::sync::Mutex<Sink<W>>,
}

struct Sink<W> {
    writer: W,
    /// Taken from the queue, of which `written` bytes have left.
    taken: Vec<u8>,
    written: usize,
}

impl<W: AsyncWrite + Send + Unpin> Writer<W> {
    pub(super) fn new(writer: W) -> Self {
        let sink = Sink { writer, taken: Vec::new(), written: 0 };
        Self { queue: Mutex::default(), sink: tokio::sync::Mutex::new(sink) }
    }

    /// Queues `message` as one line.
    pub(super) fn queue(&self, message: &impl Serialize) -> io::Result<()> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let start = queue.len();
        if let Err(error) = serde_json::to_writer(&mut *queue, message) {
            queue.truncate(start);
            return Err(error.into());
        }
        queue.push(b'\n');
        Ok(())
    }

    /// Returns when all that was queued before has been written.
    pub(super) async fn flush(&self) -> io::Result<()> {
        let mut sink = self.sink.lock().await;
        loop {
            sink.drain().await?;
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            if queue.is_empty() {
                break;
            }
            std::mem::swap(&mut *queue, &mut sink.taken);
        }
        sink.writer.flush().await
    }

    /// Writes what is left and says that nothing more comes.
    pub(super) async fn close(&self) -> io::Result<()> {
        self.flush().await?;
        self.sink.lock().await.writer.shutdown().await
    }
}

impl<W: AsyncWrite + Unpin> Sink<W> {
    async fn drain(&mut self) -> io::Result<()> {
        while let Some(left) = self.taken.get(self.written..).filter(|left| !left.is_empty()) {
            match self.writer.write(left).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => self.written = self.written.saturating_add(count),
            }
        }
        self.taken.clear();
        self.written = 0;
        if self.taken.capacity() > KEPT {
            self.taken = Vec::new();
        }
        Ok(())
    }
}
