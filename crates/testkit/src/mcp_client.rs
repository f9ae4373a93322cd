//! A scripted client of the protocol that knows nothing but lines of JSON: it sends what a test
//! tells it to, right or wrong, over any pair of pipes or to a child process, and keeps whatever
//! comes back until the test asks for it. No SDK stands between the test and the wire.
//!
//! Waiting is bounded by one generous limit, after which a test fails with what did come.

use std::collections::VecDeque;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a test waits for what must come.
const LIMIT: Duration = Duration::from_secs(60);

/// The revision whose requests describe themselves.
pub const MODERN: &str = "2026-07-28";

/// The newest revision that begins with a handshake.
pub const LEGACY: &str = "2025-11-25";

/// The client.
pub struct McpClient {
    writer: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    reader: BufReader<Box<dyn AsyncRead + Send + Unpin>>,
    /// Messages that came while the test waited for another, oldest first.
    inbox: VecDeque<Value>,
    last_id: i64,
    /// What it says that it can do.
    capabilities: Value,
    child: Option<Child>,
}

impl McpClient {
    /// A client of the server at the other end of `reader` and `writer`.
    pub fn over(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        Self {
            writer: Some(Box::new(writer)),
            reader: BufReader::new(Box::new(reader)),
            inbox: VecDeque::new(),
            last_id: 0,
            capabilities: json!({}),
            child: None,
        }
    }

    /// Starts `command` and talks to its stdin and stdout; its stderr is left as the command has it.
    /// The process is killed when the client is dropped.
    ///
    /// # Panics
    /// If the process cannot be started.
    pub fn spawn(command: std::process::Command) -> Self {
        let mut command = Command::from(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the server starts");
        let reader = child.stdout.take().expect("stdout is a pipe");
        let writer = child.stdin.take().expect("stdin is a pipe");
        Self { child: Some(child), ..Self::over(reader, writer) }
    }

    /// Says from now on that it can do what `capabilities` are, such as `{"elicitation": {}}`.
    pub fn declare(&mut self, capabilities: Value) {
        self.capabilities = capabilities;
    }

    /// The id of the next request.
    pub fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    /// Sends `bytes` and a line end, whatever they are.
    ///
    /// # Panics
    /// If the server no longer reads, or if the input was closed.
    pub async fn send_line(&mut self, bytes: &[u8]) {
        let writer = self.writer.as_mut().expect("the input is open");
        writer.write_all(bytes).await.expect("the server reads");
        writer.write_all(b"\n").await.expect("the server reads");
        writer.flush().await.expect("the server reads");
    }

    /// Sends `message`.
    pub async fn send(&mut self, message: &Value) {
        self.send_line(message.to_string().as_bytes()).await;
    }

    /// Sends a notification.
    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    /// Sends a request without waiting, and gives its id.
    pub async fn begin(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next_id();
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        id
    }

    /// Sends a request and waits for the whole answer, result or error.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params).await;
        self.response(id).await
    }

    /// Sends a request that describes itself as of [`MODERN`] and gives its id.
    pub async fn begin_modern(&mut self, method: &str, params: Value) -> i64 {
        let params = self.described(params);
        self.begin(method, params).await
    }

    /// Sends a request that describes itself as of [`MODERN`] and waits for the whole answer.
    pub async fn modern(&mut self, method: &str, params: Value) -> Value {
        let params = self.described(params);
        self.request(method, params).await
    }

    fn described(&self, mut params: Value) -> Value {
        let meta = params.as_object_mut().expect("parameters are an object").entry("_meta");
        let meta = meta.or_insert_with(|| json!({})).as_object_mut();
        let meta = meta.expect("`_meta` is an object");
        meta.entry(CAPABILITIES).or_insert_with(|| self.capabilities.clone());
        with_meta(params)
    }

    /// Does the handshake of `version` and gives the server's whole answer.
    pub async fn initialize(&mut self, version: &str) -> Value {
        let params = json!({
            "protocolVersion": version,
            "capabilities": self.capabilities,
            "clientInfo": { "name": "testkit", "version": "1" },
        });
        let answer = self.request("initialize", params).await;
        self.notify("notifications/initialized", json!({})).await;
        answer
    }

    /// Calls a tool and waits for the whole answer.
    pub async fn call(&mut self, name: &str, arguments: Value) -> Value {
        self.request("tools/call", json!({ "name": name, "arguments": arguments })).await
    }

    /// Calls a tool in the way of [`MODERN`] and waits for the whole answer.
    pub async fn call_modern(&mut self, name: &str, arguments: Value) -> Value {
        self.modern("tools/call", json!({ "name": name, "arguments": arguments })).await
    }

    /// The answer to the request `id`.
    pub async fn response(&mut self, id: impl Into<Value>) -> Value {
        let id = id.into();
        self.find(|message| {
            message.get("method").is_none() && message.get("id").is_some_and(|found| *found == id)
        })
        .await
    }

    /// The next request `method` of the server's to its client.
    pub async fn asked(&mut self, method: &str) -> Value {
        self.find(|message| {
            message.get("id").is_some()
                && message.get("method").is_some_and(|found| found == method)
        })
        .await
    }

    /// Answers the request `asked` of the server's with `result`.
    pub async fn reply(&mut self, asked: &Value, result: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result })).await;
    }

    /// The next error that belongs to no request.
    pub async fn orphan_error(&mut self) -> Value {
        self.find(|message| {
            message.get("error").is_some() && message.get("id").is_none_or(Value::is_null)
        })
        .await
    }

    /// The next notification `method`.
    pub async fn notification(&mut self, method: &str) -> Value {
        self.find(|message| message.get("method").is_some_and(|found| found == method)).await
    }

    /// What came and was not asked for, oldest first. Does not wait.
    pub fn unasked(&self) -> &VecDeque<Value> {
        &self.inbox
    }

    /// The next message, whatever it is.
    ///
    /// # Panics
    /// If none comes, or if a line is not JSON: nothing else may be on the wire.
    pub async fn message(&mut self) -> Value {
        match self.inbox.pop_front() {
            Some(message) => message,
            None => self.read().await.expect("the server says something before it ends"),
        }
    }

    /// Says that nothing more will be sent: the server reads the end of its input.
    pub async fn close_input(&mut self) {
        if let Some(mut writer) = self.writer.take() {
            // A server that has ended already is told nothing new.
            let _told = writer.shutdown().await;
        }
    }

    /// Waits until the server has closed its output, keeping what it still said.
    pub async fn end(&mut self) {
        while let Some(message) = self.read().await {
            self.inbox.push_back(message);
        }
    }

    /// Waits for the child process to end.
    ///
    /// # Panics
    /// If it does not, or if there is none.
    pub async fn exit(&mut self) -> std::process::ExitStatus {
        let child = self.child.as_mut().expect("the client has a child process");
        timeout(LIMIT, child.wait()).await.expect("the process ends").expect("its status is known")
    }

    /// The id of the child process, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    async fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(index) = self.inbox.iter().position(&wanted) {
            return self.inbox.remove(index).expect("it was just found");
        }
        loop {
            let message = self.read().await.unwrap_or_else(|| {
                panic!("the server ended without saying what was waited for: {:?}", self.inbox)
            });
            if wanted(&message) {
                return message;
            }
            self.inbox.push_back(message);
        }
    }

    async fn read(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = timeout(LIMIT, self.reader.read_line(&mut line)).await;
        let count = read
            .unwrap_or_else(|_| panic!("nothing came that was waited for: {:?}", self.inbox))
            .expect("the server's output can be read");
        if count == 0 {
            return None;
        }
        let message = serde_json::from_str(&line);
        Some(message.unwrap_or_else(|error| panic!("{error} on the wire: {line:?}")))
    }
}

/// Where a request of [`MODERN`] says what its client can do.
pub const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// `params` of a request that describes itself as of [`MODERN`], as far as it does not do so.
pub fn with_meta(mut params: Value) -> Value {
    let object = params.as_object_mut().expect("parameters are an object");
    let meta = object.entry("_meta").or_insert_with(|| json!({}));
    let meta = meta.as_object_mut().expect("`_meta` is an object");
    for (name, value) in [
        ("io.modelcontextprotocol/protocolVersion", json!(MODERN)),
        (CAPABILITIES, json!({})),
        ("io.modelcontextprotocol/clientInfo", json!({ "name": "testkit", "version": "1" })),
    ] {
        meta.entry(name).or_insert(value);
    }
    params
}
