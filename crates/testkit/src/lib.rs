//! Development only: hermetic environments, built guests, servers on loopback and a scripted MCP
//! client.
//!
//! Everything here fails by panicking, for only tests and chores use it. It must never be a
//! dependency of what is shipped, and it must never reach the network or the developer's own home.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod certificates;
mod command_output;
mod guest;
mod index;
mod mcp_client;
mod registry;
mod sigstore;
mod soak;
mod socket_server;
mod test_env;
mod web_server;

pub use certificates::Certificates;
pub use command_output::{CommandOutput, filtered};
pub use guest::{built, compiled, example, padded, wat_text};
pub use index::rewrite_index;
pub use mcp_client::{CAPABILITIES, LEGACY, MODERN, McpClient, with_meta};
pub use registry::{
    Access, FakeRegistry, IMAGE_INDEX, IMAGE_MANIFEST, Layer, RealRegistry, RealRegistryOptions,
    Stored, WASM_CONFIG, digest_of,
};
pub use sigstore::{Fault, Sigstore};
pub use soak::{Soak, SoakReport};
pub use socket_server::{Manners, TcpServer, UdpServer};
pub use test_env::TestEnv;
pub use web_server::{Answer, Seen, WebServer};
