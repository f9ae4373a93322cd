//! One of the servers, with the client that asks it: over stdio with a handshake, or over HTTP with
//! requests that describe themselves.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::Fault;
use crate::mcp_client::{LEGACY, MODERN, McpClient, with_meta};
use crate::test_env::TestEnv;

/// How long anything may take that must come.
const LIMIT: Duration = Duration::from_secs(60);

/// The code of the protocol's error for a tool that is not there.
const INVALID_PARAMS: i64 = -32602;

/// What a server may log: a tool that was asked for while its component was not loaded, and a
/// variable that was revoked in the middle of a call.
const KNOWN: [&str; 2] = ["there is no tool `list-own-", "no rule lists the key `"];

/// Where the value of a variable comes from that a component sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// From the configuration.
    Given,
    /// From a secret, which the answer hides.
    Secret,
}

/// The variables that a component sees, as a server shows them; `None` where there is no such
/// component.
pub(super) type Shown = Option<BTreeMap<String, Origin>>;

/// A server.
pub(super) struct Server {
    pub(super) name: &'static str,
    wire: Wire,
    log: PathBuf,
    questions: AtomicU64,
}

enum Wire {
    Lines(Mutex<McpClient>),
    Http { address: SocketAddr, process: Mutex<Child> },
}

impl Server {
    /// Starts `wassette run` in `env`.
    pub(super) async fn run(env: &TestEnv) -> Self {
        let log = env.work_dir().join("run.log");
        let mut command = env.command(["run"]);
        command.stderr(File::create(&log).expect("a log"));
        let mut client = McpClient::spawn(command);
        client.initialize(LEGACY).await;
        Self {
            name: "run",
            wire: Wire::Lines(Mutex::new(client)),
            log,
            questions: AtomicU64::new(0),
        }
    }

    /// Starts `wassette serve` in `env`, on any free port.
    pub(super) async fn serve(env: &TestEnv) -> Self {
        let log = env.work_dir().join("serve.log");
        let mut command = env.command(["serve", "--bind-address", "127.0.0.1:0"]);
        command.stdout(Stdio::null()).stderr(File::create(&log).expect("a log"));
        let process = Command::from(command).kill_on_drop(true).spawn().expect("the server starts");
        let address = async {
            loop {
                let said = fs::read_to_string(&log).expect("the log");
                match said.lines().find_map(address_in) {
                    Some(address) => break address,
                    None => sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let address = timeout(LIMIT, address).await.expect("the server says where it listens");
        let wire = Wire::Http { address, process: Mutex::new(process) };
        Self { name: "serve", wire, log, questions: AtomicU64::new(0) }
    }

    /// How often it has been asked.
    pub(super) fn questions(&self) -> u64 {
        self.questions.load(Ordering::Relaxed)
    }

    /// What `component` sees.
    pub(super) async fn variables(&self, component: &str) -> Result<Shown, Fault> {
        let answer = self.call(&format!("list-{component}"), json!({})).await?;
        if answer.pointer("/error/code") == Some(&json!(INVALID_PARAMS)) {
            return Ok(None);
        }
        let pairs = answer.pointer("/result/structuredContent/result").cloned();
        let pairs = serde_json::from_value::<Vec<(String, String)>>(pairs.unwrap_or_default());
        let pair = |(key, value): (String, String)| Some((key.clone(), origin(&key, &value)?));
        let origins = pairs.ok().and_then(|pairs| pairs.into_iter().map(pair).collect());
        origins
            .map(Some)
            .ok_or_else(|| format!("{}: the variables of {component}: {answer}", self.name))
    }

    /// Calls a tool, and gives the whole answer.
    pub(super) async fn call(&self, name: &str, arguments: Value) -> Result<Value, Fault> {
        let number = self.questions.fetch_add(1, Ordering::Relaxed);
        match &self.wire {
            Wire::Lines(client) => Ok(client.lock().await.call(name, arguments).await),
            Wire::Http { address, .. } => {
                let params = with_meta(json!({ "name": name, "arguments": arguments }));
                let message = json!({
                    "jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params,
                });
                let answer = timeout(LIMIT, post(*address, name, &message.to_string())).await;
                answer
                    .map_err(|_| "no answer".to_owned())
                    .and_then(|answer| answer.map_err(|error| error.to_string()))
                    .and_then(|answer| message_in(&answer))
                    .map_err(|fault| format!("{}: {name}: {fault}", self.name))
            }
        }
    }

    /// Asks it to end as clients and operators do, and gives what was wrong: how it ended, and what
    /// it logged.
    pub(super) async fn close(&self) -> Vec<Fault> {
        let status = match &self.wire {
            Wire::Lines(client) => {
                let mut client = client.lock().await;
                client.close_input().await;
                client.exit().await
            }
            Wire::Http { process, .. } => {
                let mut process = process.lock().await;
                if let Some(id) = process.id() {
                    let kill = format!("kill -TERM {id}");
                    let _ = Command::new("/bin/sh").args(["-c", &kill]).status().await;
                }
                let ended = timeout(LIMIT, process.wait()).await;
                ended.expect("the server ends").expect("its status is known")
            }
        };
        let mut faults = Vec::new();
        if !status.success() {
            faults.push(format!("{} ended with {status}", self.name));
        }
        let log = fs::read_to_string(&self.log).expect("the log");
        let is_known = |line: &&str| KNOWN.iter().any(|known| line.contains(known));
        let bad = log.lines().filter(|line| is_trouble(line) && !is_known(line)).take(10);
        faults.extend(bad.map(|line| format!("{} logged: {line}", self.name)));
        faults
    }
}

/// Whether a line that a process wrote for people is there because something is wrong.
pub(super) fn is_trouble(line: &str) -> bool {
    ["error:", "warning:", "ERROR", "WARN", "panicked"].iter().any(|mark| line.contains(mark))
}

/// The value of the variable `key` in the configuration.
pub(super) fn given(key: &str) -> String {
    format!("given as {key}")
}

fn origin(key: &str, value: &str) -> Option<Origin> {
    match value {
        _ if value == given(key) => Some(Origin::Given),
        _ if value.chars().all(|c| c == '*') => Some(Origin::Secret),
        _ => None,
    }
}

/// One request a connection; the answer is everything that comes.
async fn post(address: SocketAddr, tool: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {MODERN}\r\n\
         Mcp-Method: tools/call\r\nMcp-Name: {tool}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The one message of an answer, be it JSON or an event.
fn message_in(answer: &str) -> Result<Value, Fault> {
    let messages = answer.lines().map(|line| line.strip_prefix("data:").unwrap_or(line));
    let mut messages = messages.filter_map(|line| serde_json::from_str(line.trim()).ok());
    messages.find(Value::is_object).ok_or_else(|| format!("no message in {answer:?}"))
}

/// The address in a line like `serving MCP on http://127.0.0.1:9001/mcp`.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    rest.split_once("/mcp")?.0.parse().ok()
}
