//! What is granted is in force, and nothing beside it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;

use insta::assert_snapshot;
use wassette_testkit::{TestEnv, example};

use crate::{empty, with_guests};

/// An environment with the example `filesystem` loaded, and files in two folders.
fn with_files() -> TestEnv {
    let env = empty();
    env.write("data/notes.txt", "remember the milk");
    env.write("data/other.txt", "other");
    env.write("private/key.txt", "CANARY");
    let _ = env.run(["component", "load", example("filesystem").to_str().unwrap()]).success();
    env
}

fn read(env: &TestEnv, path: &str) -> wassette_testkit::CommandOutput {
    let arguments = serde_json::json!({ "path": path }).to_string();
    env.run(["tool", "invoke", "read-file", "--args", &arguments, "-o", "table"])
}

#[test]
fn a_granted_file_is_read_and_no_other() {
    let env = with_files();
    let notes = env.work_dir().join("data/notes.txt").canonicalize().unwrap();
    let other = env.work_dir().join("data/other.txt").canonicalize().unwrap();
    let grant = ["permission", "grant", "storage", "filesystem", "./data/notes.txt"];
    let _ = env.run([&grant[..], &["--access", "read"]].concat()).success();
    assert_eq!(read(&env, notes.to_str().unwrap()).success().stdout, "remember the milk\n");
    assert_snapshot!(read(&env, other.to_str().unwrap()), @"
    exit code: 1
    ----- stderr -----
    error: `[WORK]/data/other.txt` may not be read by this component
      denied: component `filesystem` may not read fs://[WORK]/data/other.txt
        no rule allows this path
        to allow it: wassette permission grant storage filesystem fs://[WORK]/data/other.txt --access read
    ");
    let revoke = ["permission", "revoke", "storage", "filesystem", "./data/notes.txt"];
    let _ = env.run(revoke).success();
    assert_eq!(read(&env, notes.to_str().unwrap()).code, Some(1));
}

/// A server of this machine that answers everything with `hello`, and its port.
fn server() -> u16 {
    let listener = TcpListener::bind("localhost:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let _read = connection.read(&mut request).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
            connection.write_all(answer).unwrap();
        }
    });
    port
}

#[test]
fn a_granted_host_is_reached_and_no_other() {
    let env = empty();
    let _ = env.run(["component", "load", example("fetch").to_str().unwrap()]).success();
    let (port, other) = (server(), server());
    let fetch = |port: u16, path: &str| {
        let url = format!("http://localhost:{port}{path}");
        let arguments = serde_json::json!({ "url": url }).to_string();
        env.run(["tool", "invoke", "fetch", "--args", &arguments, "-o", "table"])
    };
    let host = format!("http://localhost:{port}");
    let grant = ["permission", "grant", "network", "fetch", &host, "--methods", "GET"];
    let _ = env.run([&grant[..], &["--paths", "/v1/**"]].concat()).success();
    // The name stands for this machine, and nobody said that it may.
    assert_eq!(fetch(port, "/v1/x").code, Some(1));
    let _ = env.run([&grant[..], &["--paths", "/v1/**", "--private"]].concat()).success();
    assert_eq!(fetch(port, "/v1/x").success().stdout, "hello\n");
    assert_eq!(fetch(port, "/v2").code, Some(1));
    assert_eq!(fetch(other, "/v1/x").code, Some(1));
    let _ = env.run(["permission", "revoke", "network", "fetch", &host]).success();
    assert_eq!(fetch(port, "/v1/x").code, Some(1));
}

#[test]
fn a_workspace_is_where_the_command_is_run_or_where_a_flag_says() {
    let env = with_files();
    let grant = ["permission", "grant", "storage", "filesystem", "fs://workspace/notes.txt"];
    let _ = env.run([&grant[..], &["--access", "read"]].concat()).success();
    let call = ["tool", "invoke", "read-file", "--args", r#"{"path": "/workspace/notes.txt"}"#];
    assert_eq!(env.run(call).code, Some(1));
    let output = env.run([&call[..], &["--workspace", "data"]].concat()).success();
    assert_eq!(output.json()["result"], "remember the milk");
    env.configure(&format!("[workspaces]\nworkspace = \"{}/data\"\n", env.work_dir().display()));
    assert_eq!(env.run(call).success().json()["result"], "remember the milk");
}

#[test]
fn a_component_says_what_it_asks_for_and_is_granted_nothing() {
    let env = empty();
    env.guest("add");
    env.write(
        "add.policy.yaml",
        "network: { allow: [{ host: api.example.com, methods: [GET] }] }\n\
         storage: { allow: [{ uri: 'fs:///usr/my notes', access: [read] }] }\n",
    );
    let loaded = env.run(["component", "load", "add.wasm", "-o", "table"]);
    assert_snapshot!(loaded, @"
    exit code: 0
    ----- stdout -----
    component loaded successfully: add

    TOOL  FUNCTION
    add   add(a: s32, b: s32) -> s32
    ----- stderr -----
    nothing is granted to it; what it asks for can be granted with:
      wassette permission grant storage add 'fs:///usr/my notes' --access read
      wassette permission grant network add api.example.com --methods GET
    ");
    assert_snapshot!(env.run(["inspect", "add", "-o", "table"]), @r#"
    exit code: 0
    ----- stdout -----
    add
      source     file://[WORK]/add.wasm
      digest     sha256:[DIGEST]
      size       144 bytes
      loaded     yes

    TOOL  FUNCTION
    add   add(a: s32, b: s32) -> s32

    ASKS FOR  RULE
    storage   "fs:///usr/my notes" read
    network   api.example.com methods=GET

    to grant it:
      wassette permission grant storage add 'fs:///usr/my notes' --access read
      wassette permission grant network add api.example.com --methods GET

    nothing is granted to it
    "#);
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "no policy found");

    env.write("add.policy.yaml", "network: { alow: [] }\n");
    let loaded = env.run(["component", "load", "add.wasm", "-o", "table"]);
    assert_snapshot!(loaded, @"
    exit code: 0
    ----- stdout -----
    component reloaded successfully: add

    TOOL  FUNCTION
    add   add(a: s32, b: s32) -> s32
    ----- stderr -----
    warning: what it asks for cannot be read: line 1, column 12: there is no key `alow` here
    ");
}

#[test]
fn a_policy_that_cannot_be_read_grants_nothing_and_is_shown() {
    let env = with_guests(&["add"]);
    let _ = env.run(["permission", "grant", "network", "add", "api.example.com"]).success();
    let folder = fs::read_dir(env.store_dir().join("policies")).unwrap();
    let files = folder.map(|entry| entry.unwrap().path());
    let yaml = files.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let [path] = yaml.collect::<Vec<_>>().try_into().unwrap();
    fs::write(&path, "version: \"1.0\"\npermissions:\n  netwrok: {}\n").unwrap();
    let listed = env.run(["component", "list"]).success().json();
    assert_eq!(listed["total"], 1);
    let problem = &listed["problems"][0];
    assert_eq!(problem["component"], "add");
    let message = problem["message"].as_str().unwrap();
    assert!(message.contains("line 3, column 3: there is no key `netwrok`"), "{message}");
    assert_snapshot!(env.run(["policy", "get", "add"]), @r#"
    exit code: 1
    ----- stderr -----
     WARN nothing is granted to it: its policy `[HOME]/.local/share/wassette/components/policies/add.yaml` cannot be read: line 3, column 3: there is no key `netwrok` here; did you mean `network`? component="add"
    error: the policy of `add` cannot be read, so nothing is granted to it: its policy `[HOME]/.local/share/wassette/components/policies/add.yaml` cannot be read: line 3, column 3: there is no key `netwrok` here
    hint: did you mean `network`?
    "#);
    assert_snapshot!(env.run(["permission", "grant", "network", "add", "api.example.com"]), @r#"
    exit code: 1
    ----- stderr -----
     WARN nothing is granted to it: its policy `[HOME]/.local/share/wassette/components/policies/add.yaml` cannot be read: line 3, column 3: there is no key `netwrok` here; did you mean `network`? component="add"
    error: the policy of `add` is not changed, for nobody knows what it says: its policy `[HOME]/.local/share/wassette/components/policies/add.yaml` cannot be read: line 3, column 3: there is no key `netwrok` here
    hint: correct the file by hand, or begin anew with `wassette permission reset add`
    "#);
    let _ = env.run(["permission", "reset", "add"]).success();
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "no policy found");
}
