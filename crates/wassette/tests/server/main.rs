//! The program as its users meet it: a process that speaks MCP over stdio, with guests that try to
//! break it, and the compiler as a process of its own.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod battery_loads;
mod compiler;
mod crash;
mod damage;
mod hostile;
#[cfg(target_os = "linux")]
mod memory;
mod processes;
mod secrets;
mod spellings;

use serde_json::{Value, json};
use wassette_testkit::{LEGACY, McpClient, TestEnv, built};

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_wassette"))
}

/// A client of `wassette run`, its handshake done.
async fn server(env: &TestEnv) -> McpClient {
    let mut client = McpClient::spawn(env.command(["run"]));
    client.initialize(LEGACY).await;
    client
}

/// A client of a server with the guest `chaos` loaded, under limits that are soon met.
async fn chaos(env: &TestEnv) -> McpClient {
    env.configure(
        "[limits]\nmemory = \"64Mi\"\ncpu = \"300ms\"\ntime = \"1s\"\nhandles = 500\nresult-bytes = \"64Ki\"\noutput-bytes = \"4Ki\"\n",
    );
    let path = built("chaos");
    let _ = env.run(["component", "load", &path.to_string_lossy()]).success();
    server(env).await
}

/// The text of a tool's answer, and whether it is an error.
fn answer(response: &Value) -> (bool, &str) {
    let result = &response["result"];
    let text = result["content"][0]["text"].as_str();
    (result["isError"] == json!(true), text.unwrap_or_else(|| panic!("no text in {response}")))
}
