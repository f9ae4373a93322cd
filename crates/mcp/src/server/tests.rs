//! What cannot be provoked from outside: a handler of ours that panics.

use serde_json::{Value, json};
use wassette_sandbox::Compiler;
use wassette_testkit::McpClient;
use wassette_toolbox::{Annotations, JsonObject, Options};

use super::*;
use crate::admin::{Context, Definition, Running};
use crate::lines::Lines;

struct Panics;

impl BuiltIn for Panics {
    fn definition(&self) -> Definition {
        Definition {
            name: "panics",
            title: "Panics",
            description: "Panics after a wait.".into(),
            input: json!({ "type": "object", "properties": {} }),
            output: None,
            annotations: Annotations {
                read_only: true,
                destructive: false,
                idempotent: true,
                open_world: false,
            },
        }
    }

    fn run<'a>(&'a self, _context: Context<'a>, _arguments: JsonObject) -> Running<'a> {
        Box::pin(async {
            tokio::task::yield_now().await;
            panic!("as planned")
        })
    }
}

#[tokio::test]
async fn a_panic_is_answered_and_the_next_request_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let toolbox = Toolbox::open(Options::new(folder.path().into(), Compiler::InProcess)).unwrap();
    let options = ServerOptions::new(folder.path(), "0.0.0");
    let server = Server::with_built_ins(toolbox, options, Ending::default(), &[&Panics]);
    let (near, far) = tokio::io::duplex(1 << 16);
    let (reader, writer) = tokio::io::split(far);
    let _service = rmcp::service::serve_directly(server, Lines::new(reader, writer), None);
    let (reader, writer) = tokio::io::split(near);
    let mut client = McpClient::over(reader, writer);
    for _ in 0..3 {
        let answer = client.call_modern("panics", json!({})).await;
        assert_eq!(answer["error"]["code"], -32603, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(!message.contains("as planned"), "{message}");
    }
    let list: Value = client.modern("tools/list", json!({})).await;
    assert_eq!(list["result"]["tools"][0]["name"], "panics");
}
