//! The server over HTTP: what it serves, whom it refuses, and how it ends.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use wassette_mcp::{HttpError, HttpOptions, ServerOptions, bind, serve_http};
use wassette_testkit::{LEGACY, MODERN, with_meta};
use wassette_toolbox::Toolbox;

use crate::http_client::{Ask, Got};
use crate::support::{code, folder, options, toolbox};

pub(crate) struct Web {
    pub(crate) address: SocketAddr,
    server: JoinHandle<Result<(), HttpError>>,
    shutdown: DropGuard,
    _folder: TempDir,
}

pub(crate) async fn serve() -> Web {
    serve_with(|_| {}).await
}

async fn serve_with(change: impl FnOnce(&mut HttpOptions)) -> Web {
    let folder = folder();
    let (toolbox, options) = (toolbox(folder.path()), options(folder.path()));
    serve_toolbox(toolbox, folder, options, change).await
}

pub(crate) async fn serve_toolbox(
    toolbox: Toolbox,
    folder: TempDir,
    options: ServerOptions,
    change: impl FnOnce(&mut HttpOptions),
) -> Web {
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut http = HttpOptions::new(listener);
    change(&mut http);
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(serve_http(toolbox, options, http, shutdown.clone()));
    Web { address, server, shutdown: shutdown.drop_guard(), _folder: folder }
}

impl Web {
    /// A request of the newest revision with the headers that it wants.
    pub(crate) fn modern(&self, method: &str, params: Value) -> Ask {
        let name = params.get("name").and_then(Value::as_str).map(str::to_owned);
        let ask = Ask::post(self.address, &request(method, with_meta(params)))
            .with("MCP-Protocol-Version", MODERN)
            .with("Mcp-Method", method);
        match name {
            Some(name) => ask.with("Mcp-Name", &name),
            None => ask,
        }
    }

    async fn call(&self, name: &str, arguments: Value) -> Got {
        let params = json!({ "name": name, "arguments": arguments });
        self.modern("tools/call", params).send(self.address).await
    }

    pub(crate) async fn load(&self, name: &str) {
        let got = self.call("load-component", json!({ "path": format!("{name}.wasm") })).await;
        assert_eq!(got.message()["result"]["isError"], false, "{got:?}");
    }

    async fn lives(&self) {
        let got = self.modern("server/discover", json!({})).send(self.address).await;
        assert_eq!(got.status, 200, "{got:?}");
    }

    /// Opens a session of an older revision.
    pub(crate) async fn hello(&self) -> Got {
        self.hello_with(json!({})).await
    }

    /// The same for a page of `origin`.
    pub(crate) async fn hello_from(&self, origin: &str) -> Got {
        self.greeting(json!({})).with("Origin", origin).send(self.address).await
    }

    /// The same for a client with `capabilities`.
    pub(crate) async fn hello_with(&self, capabilities: Value) -> Got {
        self.greeting(capabilities).send(self.address).await
    }

    fn greeting(&self, capabilities: Value) -> Ask {
        let params = json!({
            "protocolVersion": LEGACY,
            "capabilities": capabilities,
            "clientInfo": { "name": "test", "version": "1" },
        });
        Ask::post(self.address, &request("initialize", params))
    }

    /// A session of an older revision, its handshake done.
    pub(crate) async fn session(&self) -> String {
        let session = self.hello().await.header("mcp-session-id").unwrap().to_owned();
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let ready = self.in_session(Ask::post(self.address, &ready), &session);
        assert_eq!(ready.send(self.address).await.status, 202);
        session
    }

    pub(crate) fn in_session(&self, ask: Ask, session: &str) -> Ask {
        ask.with("Mcp-Session-Id", session).with("MCP-Protocol-Version", LEGACY)
    }
}

pub(crate) fn request(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

#[tokio::test]
async fn one_message_is_answered_as_json() {
    let web = serve().await;
    web.load("add").await;
    let got = web.call("add", json!({ "a": 2, "b": 3 })).await;
    assert_eq!(got.status, 200);
    assert_eq!(got.header("content-type"), Some("application/json"));
    assert_eq!(got.message()["result"]["structuredContent"], json!({ "result": 5 }));
    let unknown = web.call("no-such-tool", json!({})).await;
    assert_eq!(code(&unknown.message()), -32602);
    let missing = web.modern("prompts/list", json!({})).send(web.address).await;
    assert_eq!((missing.status, code(&missing.message())), (404, -32601));
}

#[tokio::test]
async fn the_health_page_says_that_the_server_lives() {
    let web = serve().await;
    let got = Ask::bare(web.address, "GET", "/health").send(web.address).await;
    assert_eq!((got.status, got.message()), (200, json!({ "status": "ok" })));
    let got = Ask::bare(web.address, "GET", "/no-such-page").send(web.address).await;
    assert_eq!(got.status, 404);
}

#[tokio::test]
async fn a_session_of_an_older_revision_lives_until_its_client_ends_it() {
    let web = serve().await;
    let hello = web.hello().await;
    assert_eq!(hello.message()["result"]["protocolVersion"], LEGACY);
    let session = hello.header("mcp-session-id").unwrap().to_owned();
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let ready = web.in_session(Ask::post(web.address, &ready), &session).send(web.address).await;
    assert_eq!(ready.status, 202);
    // The stream of what is said unasked.
    let mut stream =
        web.in_session(Ask::bare(web.address, "GET", "/mcp"), &session).begin(web.address).await;
    assert_eq!(stream.status, 200);
    let load = request(
        "tools/call",
        json!({ "name": "load-component", "arguments": { "path": "add.wasm" } }),
    );
    let load = web.in_session(Ask::post(web.address, &load), &session).send(web.address).await;
    assert_eq!(load.message()["result"]["isError"], false);
    assert_eq!(stream.event().await["method"], "notifications/tools/list_changed");
    let end = web.in_session(Ask::bare(web.address, "DELETE", "/mcp"), &session);
    assert!(matches!(end.send(web.address).await.status, 200..300));
    let ping = web.in_session(Ask::post(web.address, &request("ping", json!({}))), &session);
    assert_eq!(ping.send(web.address).await.status, 404);
}

#[tokio::test]
async fn methods_without_a_session_are_refused() {
    let web = serve().await;
    let ping = Ask::post(web.address, &request("ping", json!({})));
    assert_eq!(ping.send(web.address).await.status, 400);
    let ping = ping.with("Mcp-Session-Id", "no-such-session");
    assert_eq!(ping.send(web.address).await.status, 404);
    for method in ["GET", "DELETE"] {
        let ask = Ask::bare(web.address, method, "/mcp");
        assert_eq!(ask.send(web.address).await.status, 400, "{method}");
        let ask = Ask::bare(web.address, method, "/mcp").with("MCP-Protocol-Version", MODERN);
        assert_eq!(ask.send(web.address).await.status, 405, "{method}");
    }
    assert_eq!(Ask::bare(web.address, "PUT", "/mcp").send(web.address).await.status, 405);
    web.lives().await;
}

#[tokio::test]
async fn whoever_comes_by_another_name_or_from_another_origin_is_refused() {
    let web = serve_with(|http| {
        http.allowed_hosts.push("tools.example:8443".to_owned());
        http.allowed_origins.push("https://app.example:443".to_owned());
    })
    .await;
    let port = web.address.port();
    let discover = || web.modern("server/discover", json!({}));
    for (host, expected) in [
        ("localhost".to_owned(), 200),
        (format!("localhost:{port}"), 200),
        ("127.0.0.1:1".to_owned(), 200),
        ("[::1]:9000".to_owned(), 200),
        ("tools.example:8443".to_owned(), 200),
        ("tools.example".to_owned(), 403),
        ("evil.example".to_owned(), 403),
        (format!("evil.example:{port}"), 403),
        (format!("127.0.0.1.evil.example:{port}"), 403),
        (format!("127.0.0.1@evil.example:{port}"), 403),
        ("not a host".to_owned(), 400),
    ] {
        let ask = discover().without("Host").with("Host", &host);
        assert_eq!(ask.send(web.address).await.status, expected, "Host: {host}");
    }
    for (origin, expected) in [
        ("http://localhost:6274".to_owned(), 200),
        ("http://127.0.0.1".to_owned(), 200),
        ("https://[::1]:3000".to_owned(), 200),
        ("https://app.example".to_owned(), 200),
        ("http://app.example".to_owned(), 403),
        ("https://app.example:444".to_owned(), 403),
        (format!("http://evil.example:{port}"), 403),
        ("http://localhost.evil.example".to_owned(), 403),
        ("null".to_owned(), 403),
        ("localhost".to_owned(), 403),
    ] {
        let ask = discover().with("Origin", &origin);
        assert_eq!(ask.send(web.address).await.status, expected, "Origin: {origin}");
    }
    let no_host = discover().without("Host");
    assert_eq!(no_host.send(web.address).await.status, 400);
    let two_hosts = discover().with("Host", "evil.example");
    assert_eq!(two_hosts.send(web.address).await.status, 400);
    let two_origins = discover().with("Origin", "http://localhost").with("Origin", "null");
    assert_eq!(two_origins.send(web.address).await.status, 400);
    web.lives().await;
}

#[tokio::test]
async fn a_body_that_is_no_message_is_answered_in_the_protocols_words() {
    let web = serve().await;
    for (body, expected) in [
        (&b"hello"[..], -32700),
        (b"", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", -32700),
        (b"{}", -32600),
        (b"[]", -32600),
        (br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
    ] {
        let got = Ask::raw(web.address, body.to_vec()).send(web.address).await;
        assert_eq!((got.status, code(&got.message())), (400, expected), "{got:?}");
    }
    let got =
        Ask::raw(web.address, br#"{"id":7,"method":"ping"}"#.to_vec()).send(web.address).await;
    assert_eq!((got.status, &got.message()["id"]), (400, &json!(7)));
    let other = Ask::raw(web.address, b"{}".to_vec()).without("Content-Type");
    assert_eq!(other.with("Content-Type", "text/plain").send(web.address).await.status, 415);
    web.lives().await;
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_and_the_next_is_served() {
    let web = serve().await;
    let body = json!({ "filler": "x".repeat(5 << 20) });
    let got = Ask::post(web.address, &body).send(web.address).await;
    assert_eq!(got.status, 413);
    web.lives().await;
}

#[tokio::test]
async fn sessions_are_bounded() {
    let web = serve_with(|http| http.sessions = 2).await;
    let first = web.hello().await;
    assert_eq!(web.hello().await.status, 200);
    let third = web.hello().await;
    assert_eq!((third.status, code(&third.message())), (503, -32603), "{third:?}");
    assert!(third.header("retry-after").is_some());
    // The newest revision has no sessions.
    web.lives().await;
    let session = first.header("mcp-session-id").unwrap();
    let end = web.in_session(Ask::bare(web.address, "DELETE", "/mcp"), session);
    end.send(web.address).await;
    assert_eq!(web.hello().await.status, 200);
}

#[tokio::test]
async fn connections_are_bounded_and_those_that_found_no_room_wait() {
    let web = serve_with(|http| http.connections = 1).await;
    let idle = TcpStream::connect(web.address).await.unwrap();
    let ask = web.modern("server/discover", json!({}));
    let mut asking = Box::pin(ask.send(web.address));
    let waited = tokio::time::timeout(Duration::from_millis(50), &mut asking).await;
    assert!(waited.is_err(), "{waited:?}");
    drop(idle);
    assert_eq!(asking.await.status, 200);
}

#[tokio::test]
async fn addresses_that_others_can_reach_are_refused() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let error = bind(address.parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, HttpError::NotLoopback { .. }), "{error}");
    }
    let folder = folder();
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let (toolbox, options) = (toolbox(folder.path()), options(folder.path()));
    let served =
        serve_http(toolbox, options, HttpOptions::new(listener), CancellationToken::new()).await;
    assert!(matches!(served, Err(HttpError::NotLoopback { .. })));
}

#[tokio::test]
async fn a_taken_address_is_an_error() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let error = bind(listener.local_addr().unwrap()).await.unwrap_err();
    assert!(matches!(error, HttpError::Bind { .. }), "{error}");
}

#[tokio::test]
async fn a_listening_client_is_told_of_changes_and_of_the_end() {
    let web = serve().await;
    let wanted = json!({ "notifications": { "toolsListChanged": true } });
    let mut stream = web.modern("subscriptions/listen", wanted).begin(web.address).await;
    let first = stream.event().await;
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    web.load("add").await;
    assert_eq!(stream.event().await["method"], "notifications/tools/list_changed");
    drop(web.shutdown);
    assert_eq!(stream.event().await["result"]["resultType"], "complete");
    web.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn shutting_down_ends_calls_and_idle_connections() {
    let web = serve().await;
    web.load("spins").await;
    let idle = TcpStream::connect(web.address).await.unwrap();
    let spin = web.modern("tools/call", json!({ "name": "spin" }));
    let calling = tokio::spawn(async move { spin.send(web.address).await });
    let discover = Ask::bare(web.address, "GET", "/health");
    discover.send(web.address).await;
    drop(web.shutdown);
    web.server.await.unwrap().unwrap();
    drop(calling.await);
    drop(idle);
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_call_with_it_and_the_next_is_served() {
    let web = serve().await;
    web.load("spins").await;
    web.load("add").await;
    for _ in 0..4 {
        let spin = web.modern("tools/call", json!({ "name": "spin" }));
        let mut stream = TcpStream::connect(web.address).await.unwrap();
        let body = String::from_utf8(spin.body.clone()).unwrap();
        let headers: String =
            spin.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let text = format!("POST /mcp HTTP/1.1\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        stream.write_all(text.as_bytes()).await.unwrap();
        drop(stream);
    }
    let got = web.call("add", json!({ "a": 1, "b": 1 })).await;
    assert_eq!(got.message()["result"]["structuredContent"]["result"], 2);
}

#[tokio::test]
async fn a_connection_that_is_kept_open_serves_one_request_after_another() {
    let web = serve().await;
    let mut stream = TcpStream::connect(web.address).await.unwrap();
    for _ in 0..3 {
        let text = format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", web.address);
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut bytes = vec![0; 15];
        stream.read_exact(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"HTTP/1.1 200 OK");
        // To the end of the body.
        let mut seen = Vec::new();
        while !seen.ends_with(b"{\"status\":\"ok\"}") {
            seen.push(stream.read_u8().await.unwrap());
        }
    }
}
