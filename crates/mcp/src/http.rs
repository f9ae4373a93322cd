//! Many clients over Streamable HTTP, on a loopback address: `/mcp` speaks the protocol and
//! `/health` says that the server lives. Whoever can reach the port can call every tool, so nothing
//! but loopback is ever listened on, and a web page of another origin is refused.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::routing::get;
use axum::{Json, Router, middleware};
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wassette_toolbox::Toolbox;

use crate::error::HttpError;
use crate::options::ServerOptions;
use crate::server::{Ending, Server};

mod accept;
mod connections;
mod cors;
mod guard;
mod sessions;

use connections::Connections;
use guard::Guard;
use sessions::Sessions;

/// Host names by which a loopback address is reached, with any port: it may be forwarded.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// How long streams have to end in the protocol's own way once the server is stopping.
const FAREWELL: Duration = Duration::from_millis(200);

/// A session of the older revisions lives at least this long without a word.
const IDLE_SESSION: Duration = Duration::from_secs(30 * 60);

/// Where and for whom to serve.
#[derive(Debug)]
#[non_exhaustive]
pub struct HttpOptions {
    /// The socket, bound to a loopback address; see [`bind`].
    pub listener: TcpListener,
    /// Names by which clients may reach the server, beside those of loopback: `host` for any port
    /// or `host:port`.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may reach the server, beside those of loopback:
    /// `https://example.com:443`, or `:*` for any port.
    pub allowed_origins: Vec<String>,
    /// The longest time that a call may take. A session is not ended for silence before.
    pub longest_call: Duration,
    /// Sessions of the older revisions at the same time; further ones are refused with 503.
    pub sessions: usize,
    /// Connections at the same time; further ones wait.
    pub connections: usize,
}

impl HttpOptions {
    /// Loopback names only; calls of 60 seconds, 512 sessions, 1024 connections.
    pub fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            longest_call: Duration::from_secs(60),
            sessions: 512,
            connections: 1024,
        }
    }
}

/// Binds `address`, which must be a loopback address. Port 0 takes any free port.
///
/// # Errors
/// If the address is not of loopback, or cannot be bound.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, HttpError> {
    refuse_others(address)?;
    TcpListener::bind(address).await.map_err(|source| HttpError::Bind { address, source })
}

/// Serves until `shutdown` is cancelled; then ends streams and sessions, stops running calls and
/// closes the toolbox.
///
/// # Errors
/// If the listener is bound to an address that other machines can reach.
pub async fn serve_http(
    toolbox: Toolbox,
    options: ServerOptions,
    http: HttpOptions,
    shutdown: CancellationToken,
) -> Result<(), HttpError> {
    refuse_others(http.listener.local_addr().map_err(HttpError::Address)?)?;
    let ending = Ending::default();
    let server = Server::new(toolbox.clone(), options, ending.clone());
    let stopping = CancellationToken::new();
    let router = router(server, &http, stopping.clone());
    let connections = Connections::new(http.connections);

    tokio::select! {
        () = connections.accept(http.listener, router) => {}
        () = shutdown.cancelled() => {}
    }
    ending.listening.cancel();
    ending.work.cancel();
    toolbox.close();
    // Streams say their last word before they are cut.
    tokio::time::sleep(FAREWELL).await;
    stopping.cancel();
    connections.close().await;
    Ok(())
}

fn refuse_others(address: SocketAddr) -> Result<(), HttpError> {
    if address.ip().is_loopback() { Ok(()) } else { Err(HttpError::NotLoopback { address }) }
}

fn router(server: Server, http: &HttpOptions, stopping: CancellationToken) -> Router {
    // A call can run, wait for a person and run again.
    let longest = http.longest_call.saturating_mul(2).saturating_add(server.question_time());
    let sessions = Arc::new(Sessions::new(http.sessions, IDLE_SESSION.max(longest)));
    let guard = Guard::new(sessions.clone());
    let service = StreamableHttpService::new(
        move || io::Result::Ok(server.connection()),
        sessions,
        config(http, stopping),
    );
    let protocol = Router::new()
        .route_service("/mcp", service)
        .layer(middleware::from_fn_with_state(guard, guard::check));
    let health = Router::new().route("/health", get(async || Json(json!({ "status": "ok" }))));
    health.merge(protocol)
}

fn config(http: &HttpOptions, stopping: CancellationToken) -> StreamableHttpServerConfig {
    let hosts = LOOPBACK.iter().map(|host| (*host).to_owned());
    let origins = LOOPBACK
        .iter()
        .flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:*")));
    StreamableHttpServerConfig::default()
        .with_json_response(true)
        .with_max_request_body_bytes(guard::LONGEST_BODY)
        .with_allowed_hosts(hosts.chain(http.allowed_hosts.iter().cloned()))
        .with_allowed_origins(origins.chain(http.allowed_origins.iter().cloned()))
        .enforce_origin_validation()
        .with_cancellation_token(stopping)
}
