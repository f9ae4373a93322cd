//! Development only: hermetic environments, built guests and a scripted MCP client.
//!
//! Everything here fails by panicking, for only tests use it. It must never be a dependency of what
//! is shipped, and it must never reach the network or the developer's own home.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod command_output;
mod guest;
mod mcp_client;
mod test_env;

pub use command_output::{CommandOutput, filtered};
pub use guest::{built, compiled, example, wat_text};
pub use mcp_client::{LEGACY, MODERN, McpClient, with_meta};
pub use test_env::TestEnv;
