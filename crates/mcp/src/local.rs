//! A real client of the protocol in the same process, joined to the server by a pipe in memory: the
//! same messages go over it as over stdio. It must never reach round the protocol.

use rmcp::model::{CallToolRequestParams, Tool};
use rmcp::service::{RunningService, ServiceError};
use rmcp::{RoleClient, ServiceExt as _};
use tokio_util::sync::{CancellationToken, DropGuard};
use wassette_toolbox::{JsonObject, Toolbox};

use crate::answer::Answer;
use crate::error::LocalError;
use crate::options::ServerOptions;
use crate::stdio::serve_lines;

/// Bytes on their way in each direction.
const PIPE: usize = 64 * 1024;

/// A client in this process. Dropping it ends its server.
pub struct LocalClient {
    client: RunningService<RoleClient, ()>,
    _server: DropGuard,
}

/// A tool as the client sees it in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalTool {
    /// What to call it by.
    pub name: String,
    /// What to show people.
    pub title: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// The JSON Schema of its arguments.
    pub input_schema: JsonObject,
    /// The JSON Schema of its structured result, if it has one.
    pub output_schema: Option<JsonObject>,
}

impl LocalClient {
    /// Starts a server over `toolbox` and connects to it.
    ///
    /// # Errors
    /// If the handshake fails.
    pub async fn connect(toolbox: Toolbox, options: ServerOptions) -> Result<Self, LocalError> {
        let (near, far) = tokio::io::duplex(PIPE);
        let (reader, writer) = tokio::io::split(far);
        let shutdown = CancellationToken::new();
        tokio::spawn(serve_lines(toolbox, options, reader, writer, shutdown.clone()));
        let client = ().serve(near).await.map_err(|error| LocalError::Connect(error.to_string()))?;
        Ok(Self { client, _server: shutdown.drop_guard() })
    }

    /// The revision of the protocol that both sides speak, as `2025-11-25`.
    pub fn protocol_version(&self) -> String {
        let server = self.client.peer_info();
        server.map(|server| server.protocol_version.to_string()).unwrap_or_default()
    }

    /// Every tool, page by page, in the server's order.
    ///
    /// # Errors
    /// If the server refuses or does not answer.
    pub async fn list_tools(&self) -> Result<Vec<LocalTool>, LocalError> {
        let tools = self.client.list_all_tools().await.map_err(local_error)?;
        Ok(tools.into_iter().map(seen).collect())
    }

    /// Calls the tool `name`.
    ///
    /// # Errors
    /// If there is no such tool, or if the server does not answer. A tool's own failure is an
    /// [`Answer`].
    pub async fn call_tool(&self, name: &str, arguments: JsonObject) -> Result<Answer, LocalError> {
        let request = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        let result = self.client.call_tool(request).await.map_err(local_error)?;
        let text = result.content.iter().filter_map(|block| block.as_text());
        Ok(Answer {
            text: text.map(|text| text.text.clone()).collect(),
            structured: result.structured_content,
            is_error: result.is_error == Some(true),
        })
    }

    /// Ends the connection and its server.
    pub async fn close(self) {
        if let Err(error) = self.client.cancel().await {
            tracing::debug!(%error, "the client in this process had died");
        }
    }
}

fn seen(tool: Tool) -> LocalTool {
    LocalTool {
        name: tool.name.into_owned(),
        title: tool.title,
        description: tool.description.map(std::borrow::Cow::into_owned),
        input_schema: tool.input_schema.as_ref().clone(),
        output_schema: tool.output_schema.map(|schema| schema.as_ref().clone()),
    }
}

fn local_error(error: ServiceError) -> LocalError {
    match error {
        ServiceError::McpError(error) => {
            LocalError::Refused { code: error.code.0, message: error.message.into_owned() }
        }
        other => LocalError::Broken(other.to_string()),
    }
}
