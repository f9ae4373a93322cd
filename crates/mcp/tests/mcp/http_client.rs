//! A client of HTTP that sends what a test tells it to, right or wrong, one request a connection.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a test waits for what must come.
const LIMIT: Duration = Duration::from_secs(60);

/// A request.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    /// A POST of `body` to `/mcp` with the headers that a right request has.
    pub(crate) fn post(address: SocketAddr, body: &Value) -> Self {
        Self::raw(address, body.to_string().into_bytes())
    }

    /// The same with a body of any bytes.
    pub(crate) fn raw(address: SocketAddr, body: Vec<u8>) -> Self {
        let ask = Self { method: "POST", path: "/mcp", headers: Vec::new(), body };
        ask.with("Host", &address.to_string())
            .with("Content-Type", "application/json")
            .with("Accept", "application/json, text/event-stream")
    }

    /// A request of another method without a body.
    pub(crate) fn bare(address: SocketAddr, method: &'static str, path: &'static str) -> Self {
        let ask = Self { method, path, headers: Vec::new(), body: Vec::new() };
        ask.with("Host", &address.to_string()).with("Accept", "text/event-stream")
    }

    /// One header more.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without the header `name`.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(found, _)| found != name);
        self
    }

    /// Sends the request and gives the connection, the head of the answer read.
    pub(crate) async fn begin(&self, address: SocketAddr) -> Answering {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut head = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that has refused already may not read the rest.
        let _sent = stream.write_all(&self.body).await;
        Answering::read(BufReader::new(stream)).await
    }

    /// Sends the request and gives the whole answer.
    pub(crate) async fn send(&self, address: SocketAddr) -> Got {
        self.begin(address).await.finish().await
    }
}

/// An answer whose body is still coming.
pub(crate) struct Answering {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    stream: BufReader<TcpStream>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answering {
    async fn read(mut stream: BufReader<TcpStream>) -> Self {
        let first = line(&mut stream).await;
        let status = first.split(' ').nth(1).unwrap_or_else(|| panic!("{first:?}"));
        let status = status.parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = line(&mut stream).await;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                return Self { status, headers, stream };
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// The next message of an event stream.
    pub(crate) async fn event(&mut self) -> Value {
        loop {
            let line = line(&mut self.stream).await;
            assert!(!line.is_empty(), "the stream ended");
            if let Some(message) = message(&line) {
                return message;
            }
        }
    }

    /// Whatever else comes, until the server closes the connection.
    pub(crate) async fn finish(mut self) -> Got {
        let mut bytes = Vec::new();
        timeout(LIMIT, self.stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Got { status: self.status, headers: self.headers, body }
    }
}

impl Got {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The one message of the body, be it JSON or an event stream.
    pub(crate) fn message(&self) -> Value {
        serde_json::from_str(&self.body)
            .ok()
            .or_else(|| self.body.lines().filter_map(message).next_back())
            .unwrap_or_else(|| panic!("no message in {self:?}"))
    }
}

fn message(line: &str) -> Option<Value> {
    serde_json::from_str(line.trim_end().strip_prefix("data:")?).ok()
}

async fn line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    timeout(LIMIT, stream.read_line(&mut line)).await.unwrap().unwrap();
    line
}
