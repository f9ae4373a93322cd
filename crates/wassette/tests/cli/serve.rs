//! `serve`: Streamable HTTP on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};

use insta::assert_snapshot;

use crate::{empty, with_guests};

/// Asks `child` to end, as an operator's tools do.
pub(crate) fn terminate(child: &Child) -> ExitStatus {
    let kill = format!("kill -TERM {}", child.id());
    Command::new("/bin/sh").args(["-c", &kill]).status().unwrap()
}

#[test]
fn it_serves_until_it_is_asked_to_end() {
    let env = with_guests(&["add"]);
    let mut child = env
        .command(["serve", "--bind-address", "127.0.0.1:0", "--allowed-host", "wassette.test"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap());
    let address = address(&mut talk);

    let health = request(&address, "GET /health", &address, "");
    assert!(
        health.starts_with("HTTP/1.1 200") && health.ends_with(r#"{"status":"ok"}"#),
        "{health}"
    );
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;
    let foreign = request(&address, "POST /mcp", "example.com", list);
    assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
    let allowed = request(&address, "POST /mcp", "wassette.test", list);
    assert!(!allowed.starts_with("HTTP/1.1 403"), "{allowed}");

    assert!(terminate(&child).success());
    let mut rest = String::new();
    talk.read_to_string(&mut rest).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{rest}");
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "", "nothing but data on stdout");
}

/// Where the server listens, as it says in its `talk`.
fn address(talk: &mut impl BufRead) -> String {
    let mut said = String::new();
    loop {
        said.clear();
        assert_ne!(talk.read_line(&mut said).unwrap(), 0, "it ended before it served");
        if let Some((_, rest)) = said.split_once("http://") {
            return rest.split('/').next().unwrap().to_owned();
        }
    }
}

#[test]
fn what_its_manifest_says_is_there_when_it_listens() {
    let env = empty();
    env.guest("add");
    env.write("tools.yaml", "version: 1\ncomponents:\n  - uri: add.wasm\n    name: sums\n");
    let mut child = env
        .command(["serve", "--bind-address", "127.0.0.1:0", "--manifest", "tools.yaml"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap());
    address(&mut talk);
    let listed = env.run(["component", "list"]).success().json();
    assert_eq!(listed["components"][0]["id"], "sums");
    assert!(terminate(&child).success());
    let mut rest = String::new();
    talk.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success(), "{rest}");
}

#[test]
fn other_machines_are_refused_with_the_reason() {
    assert_snapshot!(empty().run(["serve", "--bind-address", "0.0.0.0:9001"]), @"
    exit code: 1
    ----- stderr -----
    error: refusing to listen on `0.0.0.0:9001`: whoever can reach it could call every tool
    hint: listen on a loopback address, as in `127.0.0.1:9001`; serving other machines needs authentication, which this version does not have
    ");
    assert_snapshot!(empty().run(["serve", "--bind-address", "9001"]), @"
    exit code: 2
    ----- stderr -----
    error: invalid value '9001' for '--bind-address <ADDRESS:PORT>': invalid socket address syntax

    For more information, try '--help'.
    ");
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let env = empty();
    env.configure(&format!("bind_address = \"{address}\"\n"));
    let output = env.run(["serve"]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains(&format!("cannot listen on `{address}`")), "{output}");
}

fn request(address: &str, line: &str, host: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
