//! Questions to the person at the terminal: `tool invoke`, `permission approve`, and `serve` for the
//! clients that cannot ask theirs.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::{Value, json};
use wassette_testkit::{TestEnv, built};

use crate::{empty, with_guests};

/// A terminal, seen from where the person sits.
pub(crate) struct Terminal {
    ours: File,
    path: String,
    shown: String,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let size = Winsize { ws_row: 25, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).unwrap();
        let path = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        Self { ours: File::from(ours), path, shown: String::new() }
    }

    /// Starts the program here; its standard output goes to the test.
    pub(crate) fn start(&self, env: &TestEnv, arguments: &[&str]) -> Child {
        let end = || File::options().read(true).write(true).open(&self.path).unwrap();
        let mut command = env.command(arguments);
        command
            .env("TERM", "xterm")
            .stdin(end())
            .stderr(end())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Waits until `text` has been shown, and forgets what was shown up to its end.
    pub(crate) fn shows(&mut self, text: &str) -> String {
        loop {
            if let Some(place) = self.shown.find(text) {
                let rest = self.shown.split_off(place + text.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            let mut bytes = [0; 1024];
            let read = self.ours.read(&mut bytes).unwrap();
            self.shown.push_str(&String::from_utf8_lossy(&bytes[..read]).replace("\r\n", "\n"));
        }
    }

    /// All that was shown, once nobody writes here any more.
    pub(crate) fn rest(mut self) -> String {
        let mut bytes = Vec::new();
        // Linux ends such a terminal with an error.
        let _ = self.ours.read_to_end(&mut bytes);
        self.shown + &String::from_utf8_lossy(&bytes)
    }

    pub(crate) fn types(&mut self, line: &str) {
        self.ours.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

fn policy(env: &TestEnv, id: &str) -> Value {
    env.run(["policy", "get", id]).success().json()
}

/// An environment with the guest `files` and a file that it may not read.
fn with_files() -> TestEnv {
    let env = empty();
    let _ = env.run(["component", "load", built("files").to_str().unwrap()]).success();
    env.write("data/in", "the input");
    env
}

/// Calls a tool that reads the file; the person types `answers`. The result, and what they saw.
fn read(env: &TestEnv, answers: &[&str]) -> (Option<Value>, String) {
    let mut terminal = Terminal::new();
    let call = ["tool", "invoke", "read-file", "--args", r#"{"path": "/workspace/data/in"}"#];
    let child = terminal.start(env, &call);
    let mut seen = String::new();
    for answer in answers {
        seen += &terminal.shows("1 to 4: ");
        terminal.types(answer);
    }
    let ended = child.wait_with_output().unwrap();
    seen += &terminal.rest();
    (serde_json::from_slice(&ended.stdout).ok(), seen)
}

#[test]
fn a_call_that_is_denied_something_asks_the_person_who_made_it() {
    let env = with_files();
    let (result, seen) = read(&env, &["1"]);
    assert_eq!(result, Some(json!({ "result": "the input" })), "{seen}");
    assert!(seen.contains("Allow the component `files` more?"), "{seen}");
    assert!(seen.contains("+ allow storage fs://workspace/data/in read"), "{seen}");
    assert!(
        seen.contains("  1  allow once\n  2  allow for one hour\n  3  allow always\n  4  deny\n"),
        "{seen}"
    );
    assert_eq!(policy(&env, "files")["status"], "no policy found", "once is for one call");

    let (result, seen) = read(&env, &["4"]);
    assert!(result.is_none() && seen.contains("declined"), "{seen}");
    let (result, seen) = read(&env, &["y", "", "0"]);
    assert!(result.is_none() && seen.contains("no answer"), "{seen}");
    assert_eq!(policy(&env, "files")["status"], "no policy found");

    let (result, seen) = read(&env, &["yes", "3"]);
    assert_eq!(result, Some(json!({ "result": "the input" })), "{seen}");
    assert_eq!(policy(&env, "files")["status"], "policy found");
    let (result, _) = read(&env, &[]);
    assert_eq!(result, Some(json!({ "result": "the input" })), "nothing is asked any more");
}

#[test]
fn who_wants_no_questions_at_need_gets_none() {
    let env = with_files();
    env.configure("approvals_at_need = false\n");
    let (result, seen) = read(&env, &[]);
    assert!(result.is_none() && seen.contains("denied"), "{seen}");
    assert!(!seen.contains("Allow the component"), "{seen}");
}

#[test]
fn a_request_that_waits_is_shown_before_it_is_approved() {
    let env = with_guests(&["add"]);
    crate::approvals::request(&env, "network: { allow: [{ host: api.example.com }] }");
    let approve = |answer: &str| {
        let mut terminal = Terminal::new();
        let child = terminal.start(&env, &["permission", "approve", "1", "--for", "1h"]);
        let seen = terminal.shows("approve it for 1h? [y/N] ");
        assert!(seen.contains("+ allow network api.example.com"), "{seen}");
        terminal.types(answer);
        child.wait_with_output().unwrap().status.success()
    };
    for answer in ["n", "", "yess"] {
        assert!(!approve(answer), "{answer}");
    }
    assert_eq!(policy(&env, "add")["status"], "no policy found");
    assert!(approve("y"));
    assert_eq!(policy(&env, "add")["status"], "policy found");
}

#[test]
fn a_server_that_was_started_by_hand_says_what_it_waits_for() {
    let env = with_guests(&["add"]);
    let mut terminal = Terminal::new();
    let child = terminal.start(&env, &["run"]);
    assert_eq!(terminal.shows("waiting for an MCP client"), "waiting for an MCP client");
    terminal.shows("claude mcp add wassette -- wassette run\n");
    assert!(crate::serve::terminate(&child).success());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "");
    assert!(terminal.rest().contains("Ctrl-C ends this"));
    // Who asked for quiet, and whoever is a program, is told nothing.
    let mut quiet = Terminal::new();
    let child = quiet.start(&env, &["run", "--quiet"]);
    // The end of what a person types is the end of input.
    quiet.types("\u{4}");
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(quiet.rest().replace("\r\n", ""), "");
    let piped = env.run_with_input(["run"], "");
    assert_eq!((piped.code, piped.stderr.as_str()), (Some(0), ""), "{piped}");
}

#[test]
fn the_command_line_loads_without_a_question() {
    let env = empty();
    env.guest("add");
    env.configure("approvals = \"deny\"\nlocked = true\n");
    let terminal = Terminal::new();
    let call = ["tool", "invoke", "load-component", "--args", r#"{"path": "./add.wasm"}"#];
    let ended = terminal.start(&env, &call).wait_with_output().unwrap();
    assert!(ended.status.success());
    assert_eq!(env.run(["component", "list"]).success().json()["total"], 1);
}

/// A client's request for `tool` over HTTP, whose client cannot put a question to its person.
fn call(address: &str, tool: &str, arguments: &Value) -> TcpStream {
    let params = wassette_testkit::with_meta(json!({ "name": tool, "arguments": arguments }));
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         MCP-Protocol-Version: {}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        wassette_testkit::MODERN,
        body.len()
    )
    .unwrap();
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_person_at_the_terminal_of_a_server_is_asked_for_its_clients() {
    let env = with_guests(&["add"]);
    env.guest("strings");
    let mut terminal = Terminal::new();
    let child = terminal.start(&env, &["serve", "--bind-address", "127.0.0.1:0"]);
    terminal.shows("http://");
    let address = terminal.shows("/mcp");
    let address = address.strip_suffix("/mcp").unwrap();

    let grant = json!({ "component_id": "add", "details": { "host": "api.example.com" } });
    let asked = call(address, "grant-network-permission", &grant);
    let seen = terminal.shows("1 to 5: ");
    assert!(seen.contains("+ allow network api.example.com"), "{seen}");
    terminal.types("5");
    let declined = answer(asked);
    assert!(declined.contains("declined"), "{declined}");
    assert_eq!(policy(&env, "add")["status"], "no policy found");

    // Two at once are asked one after the other; what is typed ahead answers nothing.
    let load = json!({ "path": "./strings.wasm" });
    let first = call(address, "load-component", &load);
    terminal.shows("1 to 2: ");
    let variable = json!({ "component_id": "add", "details": { "key": "API_KEY" } });
    let second = call(address, "grant-environment-variable-permission", &variable);
    terminal.types("1");
    let loaded = thread::spawn(move || answer(first));
    assert!(terminal.shows("1 to 5: ").contains("API_KEY"));
    let loaded = loaded.join().unwrap();
    assert!(loaded.contains("loaded successfully"), "{loaded}");
    terminal.types("4");
    let granted = answer(second);
    assert!(granted.contains("permission granted successfully"), "{granted}");
    assert_eq!(
        policy(&env, "add")["permissions"]["environment"]["allow"],
        json!([{ "key": "API_KEY" }])
    );

    // Whoever goes away takes the question back.
    let host = json!({ "component_id": "add", "details": { "host": "other.example.com" } });
    let gone = call(address, "grant-network-permission", &host);
    terminal.shows("1 to 5: ");
    drop(gone);
    terminal.shows("the question is withdrawn");

    assert!(crate::serve::terminate(&child).success());
    terminal.shows("stopped");
    assert!(child.wait_with_output().unwrap().status.success());
}
