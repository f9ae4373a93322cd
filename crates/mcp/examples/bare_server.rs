//! The floor of the benchmark: the least that rmcp can do to serve a native `add`, for
//! `cargo xtask bench` to set beside Wassette. Over stdio without arguments; with `http ADDRESS`,
//! over Streamable HTTP in rmcp's fastest settings. It must answer what Wassette answers, and must
//! never use any of our own code: what is ours would not be measured.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use axum::serve::ListenerExt as _;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{RoleServer, ServiceExt as _};
use serde_json::{Value, json};

#[derive(Clone)]
struct Adder;

impl ServerHandler for Adder {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let integer = json!({ "type": "integer" });
        let schema = JsonObject::from_iter([
            ("type".to_owned(), json!("object")),
            ("properties".to_owned(), json!({ "a": integer, "b": integer })),
        ]);
        let tool = Tool::new("add", "The sum of two numbers", Arc::new(schema));
        Ok(ListToolsResult::with_all_items(vec![tool]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let number = |name| arguments.get(name).and_then(Value::as_i64);
        let sum = number("a").zip(number("b")).and_then(|(a, b)| a.checked_add(b));
        let sum = sum.ok_or_else(|| ErrorData::invalid_params("two numbers are wanted", None))?;
        let mut result = CallToolResult::success(vec![ContentBlock::text(sum.to_string())]);
        result.structured_content = Some(json!({ "result": sum }));
        Ok(result.into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => {
            Adder.serve(rmcp::transport::io::stdio_pipes()).await?.waiting().await?;
            Ok(())
        }
        (Some("http"), Some(address)) => serve_http(&address).await,
        _ => Err("the arguments are none, or `http ADDRESS`".into()),
    }
}

async fn serve_http(address: &str) -> Result<(), Box<dyn Error>> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(|| Ok(Adder), sessions, config);
    let router = axum::Router::new().route_service("/mcp", service);
    let listener = tokio::net::TcpListener::bind(address).await?;
    writeln!(std::io::stderr(), "serving MCP on http://{}/mcp", listener.local_addr()?)?;
    // Without this, answers wait for the client's acknowledgements: 40 ms a call.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}
