//! `run`: the protocol on standard input and output. What it says is tested in the crate of the
//! protocol; here it is that the binary serves it and ends.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};
use wassette_testkit::TestEnv;

use crate::with_guests;

pub(crate) struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    pub(crate) fn start(env: &TestEnv, flags: &[&str]) -> Self {
        let mut child = env
            .command([&["run"], flags].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut session = Self { child, input, output };
        let hello = session.ask(
            "initialize",
            json!({
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": { "name": "test", "version": "1" },
            }),
        );
        assert_eq!(hello["result"]["serverInfo"]["name"], "wassette", "{hello}");
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        writeln!(session.input, "{ready}").unwrap();
        session
    }

    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        writeln!(self.input, "{request}").unwrap();
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            let message: Value = serde_json::from_str(&line).expect("only JSON on stdout");
            if message.get("id").is_some() {
                return message;
            }
        }
    }
}

#[test]
fn tools_are_called_and_the_end_of_input_is_the_end() {
    let env = with_guests(&["add"]);
    let mut session = Session::start(&env, &[]);
    let call = json!({ "name": "add", "arguments": { "a": 2, "b": 3 } });
    let answer = session.ask("tools/call", call);
    assert_eq!(answer["result"]["structuredContent"], json!({ "result": 5 }), "{answer}");
    let Session { child, input, .. } = session;
    drop(input);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn built_in_tools_can_be_disabled() {
    let env = with_guests(&["add"]);
    let mut session = Session::start(&env, &["--disable-builtin-tools"]);
    let listed = session.ask("tools/list", json!({}));
    let tools = listed["result"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 1, "{listed}");
    assert_eq!(tools[0]["name"], "add");
    let refused = session.ask("tools/call", json!({ "name": "list-components" }));
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
}

#[cfg(unix)]
#[test]
fn a_polite_termination_ends_it_well() {
    let env = with_guests(&["add"]);
    let session = Session::start(&env, &[]);
    let status = crate::serve::terminate(&session.child);
    assert!(status.success());
    let Session { child, input, .. } = session;
    let ended = child.wait_with_output().unwrap();
    drop(input);
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
}
