//! JSON-RPC messages as lines, over any pair of pipes: the transport under stdio and under the
//! client in the same process.
//!
//! It differs from the SDK's own in what a hostile or clumsy client meets: a line that is too long,
//! that is no JSON or no message is answered and the next one is served, and what comes before the
//! client has chosen its lifecycle cannot end the process. It differs in speed by reading in large
//! pieces and by writing in one piece whatever answers are ready. It must never wait for a handler.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf as _, BytesMut};
use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, ErrorData, GetExtensions as _, GetMeta as _,
    JsonRpcMessage, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::envelope::{Fault, IdScanner, bomb};
use crate::error::StdioError;
use crate::repair::repaired;

mod writer;
use writer::Writer;

/// The longest line, in bytes. As long as the SDK's clients accept.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// Bytes asked for in one read: what a pipe holds on Linux.
const READ: usize = 64 * 1024;

/// How the connection ended, for whoever serves it.
#[derive(Debug, Clone, Default)]
pub(crate) struct End {
    /// Cancelled as soon as no further message will come.
    pub(crate) reached: CancellationToken,
    error: Arc<Mutex<Option<StdioError>>>,
}

impl End {
    /// Why it ended, if not by the client's leaving.
    pub(crate) fn error(&self) -> Option<StdioError> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn reach(&self, error: Option<StdioError>) {
        if let Some(error) = error {
            self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        self.reached.cancel();
    }
}

/// The transport.
pub(crate) struct Lines<R, W> {
    reader: R,
    /// What was read and not yet looked at. Begins at the start of a line, unless one is being
    /// skipped.
    buffer: BytesMut,
    /// How much of `buffer` is known to hold no line end.
    searched: usize,
    /// Set while a line that is too long goes by.
    skipping: Option<IdScanner>,
    lifecycle: Lifecycle,
    writer: Arc<Writer<W>>,
    /// Set while an answer of ours may not have left yet: `receive` can be dropped at any await.
    unflushed: bool,
    end: End,
}

/// What the client has let us know about the revision it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lifecycle {
    /// Nothing. Only a handshake, a probe, or a request that says all by itself can be served.
    Open,
    /// It described itself in a request; a later request must do so too.
    PerRequest,
    /// It sent `initialize`; what follows may rely on it.
    Handshake,
}

impl<R, W> Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    pub(crate) fn new(reader: R, writer: W) -> Self {
        let end = End::default();
        Self {
            reader,
            buffer: BytesMut::with_capacity(READ),
            searched: 0,
            skipping: None,
            lifecycle: Lifecycle::Open,
            writer: Arc::new(Writer::new(writer)),
            unflushed: false,
            end,
        }
    }

    pub(crate) fn end(&self) -> End {
        self.end.clone()
    }

    /// The next line with its end cut off, or `None` when the client has gone. A line that is too
    /// long is answered on the way.
    async fn line(&mut self) -> io::Result<Option<BytesMut>> {
        loop {
            let unseen = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(offset) = memchr::memchr(b'\n', unseen) {
                let line = self.buffer.split_to(self.searched.saturating_add(offset));
                self.buffer.advance(1);
                self.searched = 0;
                if self.buffer.is_empty() && line.len() > READ {
                    // Gives the room of a large message back with the message.
                    self.buffer = BytesMut::with_capacity(READ);
                }
                if let Some(scanner) = self.skipping.take() {
                    self.refuse_long_line(scanner, &line);
                    self.flush().await;
                } else if line.len() > LONGEST_LINE {
                    self.refuse_long_line(IdScanner::default(), &line);
                    self.flush().await;
                } else {
                    return Ok(Some(line));
                }
                continue;
            }
            self.searched = self.buffer.len();
            if self.skipping.is_some() || self.buffer.len() > LONGEST_LINE {
                self.skipping.get_or_insert_default().feed(&self.buffer);
                self.buffer.clear();
                self.searched = 0;
            }
            self.buffer.reserve(READ);
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                // A last line may lack its end.
                let whole = self.skipping.is_none() && !self.buffer.is_empty();
                self.searched = 0;
                return Ok(whole.then(|| self.buffer.split()));
            }
        }
    }

    fn refuse_long_line(&mut self, mut scanner: IdScanner, rest: &[u8]) {
        scanner.feed(rest);
        tracing::warn!(longest = LONGEST_LINE, "refused a message that is too long");
        let message = format!("a message may be at most {LONGEST_LINE} bytes long");
        self.answer(ErrorData::invalid_request(message, None), scanner.id());
    }

    /// Queues an error of our own; `flush` sends it.
    fn answer(&mut self, error: ErrorData, id: Option<RequestId>) {
        let message = ServerJsonRpcMessage::error(error, id);
        if let Err(error) = self.writer.queue(&message) {
            tracing::error!(%error, "an error cannot be written as JSON");
        }
        self.unflushed = true;
    }

    async fn flush(&mut self) {
        if self.unflushed {
            if let Err(error) = self.writer.flush().await {
                self.end.reach(write_error(error));
            }
            self.unflushed = false;
        }
    }

    /// Whether `message` may reach the service, which serves without a handshake of its own. What
    /// may not is answered, or dropped if it is a notification.
    fn admit(&mut self, message: &mut ClientJsonRpcMessage) -> bool {
        let JsonRpcMessage::Request(request) = message else {
            // A client whose probe was not answered in time cancels it before it begins anew.
            return self.lifecycle != Lifecycle::Open;
        };
        let meta = request.request.get_meta();
        match request.request {
            ClientRequest::InitializeRequest(_) => self.lifecycle = Lifecycle::Handshake,
            ClientRequest::PingRequest(_) => {}
            // The service itself asks these for what they must say of themselves.
            _ if meta.protocol_version().is_some() => {
                if self.lifecycle == Lifecycle::Open {
                    self.lifecycle = Lifecycle::PerRequest;
                }
            }
            ClientRequest::DiscoverRequest(_) => {}
            // A handshake that does not fit: the service says what is wrong with it.
            ClientRequest::CustomRequest(ref custom) if custom.method == "initialize" => {}
            _ if self.lifecycle == Lifecycle::Handshake => {}
            _ => {
                let message = "the request says nothing of the protocol version in its `_meta`, \
                               and no `initialize` came before it";
                let id = request.id.clone();
                self.answer(ErrorData::invalid_params(message, None), Some(id));
                return false;
            }
        }
        true
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        item: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        // Queued here, so that all answers that are ready now leave in one write.
        let queued = self.writer.queue(&item);
        let (writer, end) = (self.writer.clone(), self.end.clone());
        async move {
            queued?;
            writer.flush().await.inspect_err(|error| end.reach(write_error(copy(error))))
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        let reached = self.end.reached.clone();
        loop {
            self.flush().await;
            let line = tokio::select! {
                line = self.line() => line,
                () = reached.cancelled() => return None,
            };
            let line = match line {
                Ok(Some(line)) => line,
                Ok(None) => {
                    self.end.reach(None);
                    return None;
                }
                Err(error) => {
                    self.end.reach(Some(StdioError::Read(error)));
                    return None;
                }
            };
            match understand(&line) {
                Understood::Message(mut message) => {
                    if self.admit(&mut message) {
                        return Some(*message);
                    }
                }
                Understood::Nothing => {}
                Understood::Fault(fault) => self.answer(fault.error, fault.id),
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.writer.close().await
    }
}

/// What one line is.
enum Understood {
    Message(Box<ClientJsonRpcMessage>),
    /// A blank line, or a notification that nobody knows: neither is answered.
    Nothing,
    Fault(Fault),
}

fn understand(line: &[u8]) -> Understood {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Understood::Nothing;
    }
    if let Some(fault) = bomb(line) {
        return Understood::Fault(fault);
    }
    if let Some(message) = serde_json::from_slice(line).ok().or_else(|| mended(line)) {
        return Understood::Message(Box::new(message));
    }
    match Fault::of(line) {
        // Never answered, whatever is wrong with it.
        Fault { notification: true, .. } => {
            tracing::debug!("dropped a notification of the wrong shape");
            Understood::Nothing
        }
        fault => Understood::Fault(fault),
    }
}

/// A message that a browser's parser reads, with what ours could not.
fn mended(line: &[u8]) -> Option<ClientJsonRpcMessage> {
    let (message, unreadable) = repaired(line)?;
    let mut message: ClientJsonRpcMessage = serde_json::from_str(&message).ok()?;
    if let (JsonRpcMessage::Request(request), Some(unreadable)) = (&mut message, unreadable) {
        request.request.extensions_mut().insert(unreadable);
    }
    Some(message)
}

/// A client that closed its end has left; that is how a connection ends.
fn write_error(error: io::Error) -> Option<StdioError> {
    (error.kind() != io::ErrorKind::BrokenPipe).then_some(StdioError::Write(error))
}

fn copy(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

#[cfg(test)]
mod tests;
