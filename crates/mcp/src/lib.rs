//! The toolbox as an MCP server, over stdio and Streamable HTTP.
//!
//! This is the only crate that knows the protocol and its SDK. It turns requests into questions to
//! the [`Toolbox`](wassette_toolbox::Toolbox) and answers into results, and it must never hold logic
//! of its own about components: what may load, what a tool is called, what a call may do. Nothing
//! here prints: on stdio, stdout carries the protocol and nothing else.

mod admin;
mod answer;
mod caught;
mod consent;
mod convert;
mod envelope;
mod error;
mod http;
mod lines;
mod local;
mod notify;
mod options;
mod page;
mod progress;
mod repair;
mod server;
mod shape;
mod stdio;
mod streams;

pub use admin::{built_in_tools, call_built_in};
pub use answer::Answer;
pub use error::{HttpError, LocalError, StdioError};
pub use http::{HttpOptions, bind, serve_http};
pub use local::{LocalClient, LocalTool};
pub use options::{BuiltIns, GuestOutput, ServerOptions};
pub use stdio::{serve_lines, serve_stdio};
