//! A server over a fresh store, and a client of it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wassette_mcp::{ServerOptions, StdioError, serve_lines};
use wassette_sandbox::Compiler;
use wassette_testkit::McpClient;
use wassette_toolbox::{Approvals, Options, Toolbox};

/// One client of a server over pipes in memory.
pub(crate) struct Served {
    pub(crate) client: McpClient,
    pub(crate) toolbox: Toolbox,
    pub(crate) shutdown: CancellationToken,
    server: JoinHandle<Result<(), StdioError>>,
    pub(crate) folder: TempDir,
}

impl Served {
    /// Waits for the server to end of itself.
    pub(crate) async fn end(mut self) -> McpClient {
        self.client.end().await;
        self.server.await.unwrap().unwrap();
        self.client
    }

    /// Loads the guest `name` by the built-in tool.
    pub(crate) async fn load(&mut self, name: &str) {
        let path = json!({ "path": format!("{name}.wasm") });
        let answer = self.client.call_modern("load-component", path).await;
        assert_eq!(answer["result"]["isError"], false, "{answer}");
    }
}

/// A folder with a store and with the guests' components, by name.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["add", "spins", "strings"] {
        write(folder.path(), name, &wassette_testkit::compiled(name));
    }
    write(folder.path(), "zoo", &std::fs::read(wassette_testkit::built("zoo")).unwrap());
    folder
}

/// Writes a component of `count` functions into `folder`.
pub(crate) fn write_many(folder: &Path, count: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::from(
        r#"(component
          (core module $m (func (export "f") (result i32) (i32.const 1)))
          (core instance $i (instantiate $m))
          (func $f (result u32) (canon lift (core func $i "f")))"#,
    );
    for number in 0..count {
        writeln!(text, r#"(export "f{number:04}" (func $f))"#).unwrap();
    }
    text.push(')');
    let name = format!("many-{count}");
    write(folder, &name, &wat::parse_str(text).unwrap());
    name
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    fs::write(folder.join(format!("{name}.wasm")), bytes).unwrap();
}

/// A toolbox whose store is in `folder`, and which asks nobody.
pub(crate) fn toolbox(folder: &Path) -> Toolbox {
    toolbox_with(folder, |options| options.approval.approvals = Approvals::Allow)
}

/// A toolbox whose store is in `folder`, with options changed by `change`.
pub(crate) fn toolbox_with(folder: &Path, change: impl FnOnce(&mut Options)) -> Toolbox {
    let mut options = Options::new(folder.join("store"), Compiler::InProcess);
    change(&mut options);
    Toolbox::open(options).unwrap()
}

/// Options for a server whose relative paths are in `folder`.
pub(crate) fn options(folder: &Path) -> ServerOptions {
    ServerOptions::new(folder, "1.2.3")
}

/// A server with the usual options over an empty store.
pub(crate) fn serve() -> Served {
    serve_with(folder(), |_| {})
}

/// A server over the store in `folder`, with options changed by `change`.
pub(crate) fn serve_with(folder: TempDir, change: impl FnOnce(&mut ServerOptions)) -> Served {
    let toolbox = toolbox(folder.path());
    serve_toolbox(toolbox, folder, change)
}

/// A server over `toolbox` and the store in `folder`, with options changed by `change`.
pub(crate) fn serve_toolbox(
    toolbox: Toolbox,
    folder: TempDir,
    change: impl FnOnce(&mut ServerOptions),
) -> Served {
    let mut options = options(folder.path());
    change(&mut options);
    let shutdown = CancellationToken::new();
    let (client, server) = connect(&toolbox, options, &shutdown);
    Served { client, toolbox, shutdown, server, folder }
}

/// Another client's server over the same toolbox.
pub(crate) fn connect(
    toolbox: &Toolbox,
    options: ServerOptions,
    shutdown: &CancellationToken,
) -> (McpClient, JoinHandle<Result<(), StdioError>>) {
    let (near_reader, far_writer) = tokio::io::simplex(1 << 16);
    let (far_reader, near_writer) = tokio::io::simplex(1 << 16);
    let serving = serve_lines(toolbox.clone(), options, far_reader, far_writer, shutdown.clone());
    (McpClient::over(near_reader, near_writer), tokio::spawn(serving))
}

/// The code of the error in `answer`.
pub(crate) fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error in {answer}"))
}

/// The names of the tools in a list's answer.
pub(crate) fn names(answer: &Value) -> Vec<String> {
    let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}
