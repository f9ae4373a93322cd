//! A web server on loopback, with TLS or without, that keeps each request and answers as a test
//! wants it to, well or badly. It must never answer anything that no test asked for.

mod request;

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificates::Certificates;
use crate::socket_server::Accepting;

pub use request::Seen;

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A page; `content-length` is added.
    Page {
        /// The status code.
        status: u16,
        /// Header fields, name first.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// These bytes, as they are, and then the end of the connection.
    Bytes(Vec<u8>),
    /// Nothing, for as long as the client waits.
    Silence,
    /// A head of which one byte comes each time, for as long as the client waits.
    DrippingHead(Duration),
    /// A body of which one byte comes each time, for as long as the client waits.
    DrippingBody(Duration),
    /// A body without end, as fast as the client takes it.
    EndlessBody,
}

impl Answer {
    /// A page with status 200 and `body`.
    pub fn text(body: impl Into<String>) -> Self {
        Self::Page { status: 200, headers: Vec::new(), body: body.into().into_bytes() }
    }

    /// A page with status 302 that points to `location`.
    pub fn redirect(location: impl Into<String>) -> Self {
        let headers = vec![("location", location.into())];
        Self::Page { status: 302, headers, body: Vec::new() }
    }

    /// An empty page with `status`.
    pub fn status(status: u16) -> Self {
        Self::Page { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A page with status 200 whose head promises `length` bytes of which only `body` comes before
    /// the connection ends.
    pub fn cut(length: u64, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        Self::Bytes([head.as_bytes(), body].concat())
    }

    /// The same page with one header field more. Answers that are no pages stay as they are.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Page { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

type Answers = Arc<dyn Fn(&Seen) -> Answer + Send + Sync>;

/// A web server.
pub struct WebServer {
    accepting: Accepting,
    scheme: &'static str,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl WebServer {
    /// A server for `http:` at a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is no port to be had.
    pub fn start(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), answer)
    }

    /// A server for `http:` at `address`.
    ///
    /// # Panics
    /// If the address is not to be had, or is not loopback.
    pub fn start_at(
        address: SocketAddr,
        answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::run(address, None, Arc::new(answer))
    }

    /// A server for `https:` at a free port of 127.0.0.1, which `certificates` knows under `names`.
    ///
    /// # Panics
    /// If there is no port to be had.
    pub fn start_tls(
        certificates: &Certificates,
        names: &[&str],
        answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        Self::run(address, Some(certificates.server(names)), Arc::new(answer))
    }

    fn run(address: SocketAddr, tls: Option<Arc<ServerConfig>>, answers: Answers) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        let accepting = Accepting::start(address, move |stream| {
            // A client that goes away in the middle is part of many a test.
            let _ = serve(stream, tls.clone(), &answers, &kept);
        });
        Self { accepting, scheme, seen }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.accepting.address.port()
    }

    /// `path` at `host`, which is to be a name or an address of 127.0.0.1.
    pub fn url(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme, self.port())
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.accepting.connections()
    }

    /// The requests that have come, in their order.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for WebServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebServer({}://{})", self.scheme, self.accepting.address)
    }
}

fn serve(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    answers: &Answers,
    kept: &Mutex<Vec<Seen>>,
) -> io::Result<()> {
    match tls {
        None => exchange(stream, false, answers, kept),
        Some(config) => {
            let connection = ServerConnection::new(config).map_err(io::Error::other)?;
            exchange(StreamOwned::new(connection, stream), true, answers, kept)
        }
    }
}

fn exchange(
    mut stream: impl Read + Write,
    encrypted: bool,
    answers: &Answers,
    kept: &Mutex<Vec<Seen>>,
) -> io::Result<()> {
    while let Some(mut seen) = Seen::read(&mut stream)? {
        seen.encrypted = encrypted;
        let answer = answers(&seen);
        let bodiless = seen.method == "HEAD";
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
        match answer {
            Answer::Page { status, headers, body } => {
                page(&mut stream, status, &headers, &body, bodiless)?;
            }
            Answer::Bytes(bytes) => {
                stream.write_all(&bytes)?;
                return stream.flush();
            }
            Answer::Silence => {
                while stream.read(&mut [0; 1024])? > 0 {}
                return Ok(());
            }
            Answer::DrippingHead(pause) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nx-drip: ")?;
                drip(&mut stream, pause)?;
            }
            Answer::DrippingBody(pause) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")?;
                drip(&mut stream, pause)?;
            }
            Answer::EndlessBody => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                loop {
                    stream.write_all(&[b'e'; 64 * 1024])?;
                }
            }
        }
    }
    Ok(())
}

fn page(
    stream: &mut impl Write,
    status: u16,
    headers: &[(&str, String)],
    body: &[u8],
    bodiless: bool,
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = if bodiless { &[] } else { body };
    stream.write_all(&[head.as_bytes(), b"\r\n", body].concat())?;
    stream.flush()
}

fn drip(stream: &mut impl Write, pause: Duration) -> io::Result<()> {
    loop {
        stream.write_all(b"d")?;
        stream.flush()?;
        thread::sleep(pause);
    }
}

#[cfg(test)]
mod tests;
