//! The client over Streamable HTTP: one connection for each call that may be on its way, kept alive,
//! every request written in one piece. It must never measure the opening of a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::error::Error;
use super::statistics::Slice;
use super::wire::{self, Calls, Revision};

mod response;
use response::Response;

/// How far apart the ids of two connections begin: more than one sends.
const IDS: u32 = 10_000_000;

/// A server over HTTP.
#[derive(Debug)]
pub(super) struct Http {
    address: SocketAddr,
    revision: Revision,
    /// The server's name for the session, if it wants sessions.
    session: Option<String>,
}

impl Http {
    /// Sends what comes before the first call to the server at `address`, and waits for its answer.
    pub(super) async fn open(address: SocketAddr, revision: Revision) -> Result<Self, Error> {
        let mut http = Self { address, revision, session: None };
        let head = http.head(revision.opening_method(), None);
        let mut connection = Connection::open(address, head).await?;
        let response = connection.request(revision.opening().as_bytes()).await?;
        if !wire::is_result(&response.body) {
            return Err(Error::wrong(&response.body));
        }
        http.session = response.session;
        if let Some(message) = revision.opened() {
            connection.head = http.head("notifications/initialized", None);
            connection.request(message.as_bytes()).await?;
        }
        Ok(http)
    }

    /// Keeps `in_flight` calls on their way for `time`, and waits for the last answers.
    pub(super) async fn drive(&self, in_flight: u32, time: Duration) -> Result<Slice, Error> {
        let head = self.head("tools/call", Some("add"));
        let mut callers = Vec::new();
        for number in 0..in_flight {
            let connection = Connection::open(self.address, head.clone()).await?;
            let calls = Calls::new(self.revision, number.wrapping_mul(IDS));
            let mut caller = Caller { connection, calls, body: Vec::new() };
            caller.call().await?;
            callers.push(caller);
        }
        let began = Instant::now();
        let mut running = JoinSet::new();
        for caller in callers {
            running.spawn(caller.drive(began, time));
        }
        let mut slice = Slice::default();
        while let Some(done) = running.join_next().await {
            let latencies = done.map_err(std::io::Error::from)??;
            slice.calls = slice.calls.saturating_add(u32::try_from(latencies.len()).unwrap_or(0));
            slice.latencies.extend(latencies);
        }
        slice.time = began.elapsed();
        Ok(slice)
    }

    /// The head of a request without the length of its body.
    fn head(&self, method: &str, name: Option<&str>) -> Arc<str> {
        let (address, version) = (self.address, self.revision.version());
        let mut head = format!(
            "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {version}\r\n"
        );
        if self.revision == Revision::PerRequest {
            head.push_str(&format!("Mcp-Method: {method}\r\n"));
            if let Some(name) = name {
                head.push_str(&format!("Mcp-Name: {name}\r\n"));
            }
        }
        if let Some(session) = &self.session {
            head.push_str(&format!("Mcp-Session-Id: {session}\r\n"));
        }
        head.into()
    }
}

/// One connection that sends one call after another.
struct Caller {
    connection: Connection,
    calls: Calls,
    body: Vec<u8>,
}

impl Caller {
    async fn drive(mut self, began: Instant, time: Duration) -> Result<Vec<Duration>, Error> {
        let mut latencies = Vec::new();
        let mut sent = Instant::now();
        while sent.duration_since(began) < time {
            self.call().await?;
            let now = Instant::now();
            latencies.push(now.duration_since(sent));
            sent = now;
        }
        Ok(latencies)
    }

    async fn call(&mut self) -> Result<(), Error> {
        self.body.clear();
        self.calls.write(&mut self.body);
        let response = self.connection.request(&self.body).await?;
        if wire::is_right(&response.body) { Ok(()) } else { Err(Error::wrong(&response.body)) }
    }
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    head: Arc<str>,
    sending: Vec<u8>,
    received: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr, head: Arc<str>) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, head, sending: Vec::new(), received: Vec::new() })
    }

    async fn request(&mut self, body: &[u8]) -> Result<Response, Error> {
        self.sending.clear();
        self.sending.extend_from_slice(self.head.as_bytes());
        self.sending
            .extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        self.sending.extend_from_slice(body);
        self.stream.write_all(&self.sending).await?;
        self.received.clear();
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(Error::Gone);
            }
            if let Some(response) = Response::read(&self.received)? {
                return Ok(response);
            }
        }
    }
}
