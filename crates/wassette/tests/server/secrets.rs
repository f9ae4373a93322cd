//! Rows E03 and E05: where a secret may never be seen, and who may use what is kept.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use wassette_testkit::{Answer, LEGACY, McpClient, TestEnv, WebServer, built};

use crate::env;

const CANARY: &str = "canary-7f3a91";

fn loaded(guest: &str) -> TestEnv {
    let env = env();
    let _ = env.run(["component", "load", &built(guest).to_string_lossy()]).success();
    env
}

/// Every file below `folder`, with its content.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            found.push((path.clone(), fs::read(path).unwrap()))
        }
    }
    found
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A secret is set, used, sent, echoed, and the call that holds it crashes, with everything logged:
/// it is in no output, in no log and in no file but its own.
#[tokio::test]
async fn denied_e03_a_secret_is_nowhere_but_in_its_own_file() {
    let env = loaded("requests");
    let web = WebServer::start(|seen| {
        Answer::text(seen.header("authorization").unwrap_or_default().to_owned())
    });
    env.configure("[audit]\nlevel = \"all\"\n");
    let _ = env
        .run_with_input(["secret", "set", "requests", "--stdin"], &format!("TOKEN={CANARY}\n"))
        .success();
    let policy = env.write(
        "policy.yaml",
        format!(
            "network:\n  allow:\n    - host: \"http://127.0.0.1:{}\"\n      private: true\n      inject: {{ header: Authorization, value: \"Bearer ${{secret:TOKEN}}\" }}\nenvironment:\n  allow: [{{ key: TOKEN }}]\n",
            web.port()
        ),
    );
    let _ = env.run(["policy", "set", "requests", &policy.to_string_lossy(), "--yes"]).success();

    let log = env.work_dir().join("log");
    let mut command = env.command(["run", "-v"]);
    command.env("RUST_LOG", "trace").stderr(Stdio::from(fs::File::create(&log).unwrap()));
    let mut client = McpClient::spawn(command);
    client.initialize(LEGACY).await;
    let mut said = vec![client.request("tools/list", json!({})).await];
    for url in [web.url("127.0.0.1", "/"), web.url("127.0.0.2", "/")] {
        said.push(client.call("send-variable", json!({ "url": url, "variable": "TOKEN" })).await);
    }
    said.push(client.call("get-policy", json!({ "component_id": "requests" })).await);
    said.push(client.call("inspect-component", json!({ "id": "requests" })).await);
    said.extend(client.unasked().iter().cloned());
    assert_eq!(web.seen()[0].header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    for said in said {
        assert!(!said.to_string().contains(CANARY), "{said}");
    }
    drop(client);

    for arguments in [
        &["secret", "list", "requests"][..],
        &["permission", "list", "requests"],
        &["policy", "get", "requests"],
        &["audit", "show"],
        &["inspect", "requests"],
        &["component", "list"],
        &["secret", "set", "nobody", &format!("X={CANARY}")],
        &["secret", "set", "requests", &format!("={CANARY}")],
    ] {
        let mut command = env.command(arguments);
        let output = env.finish(command.env("RUST_LOG", "trace"));
        assert!(
            !format!("{}{}", output.stdout, output.stderr).contains(CANARY),
            "{arguments:?}: {output}"
        );
    }
    let log = fs::read(log).unwrap();
    assert!(!log.is_empty() && !holds(&log, CANARY));
    let holding: Vec<PathBuf> = files(&env.home())
        .into_iter()
        .filter(|(_, bytes)| holds(bytes, CANARY))
        .map(|(path, _)| path)
        .collect();
    let [own] = &holding[..] else { panic!("{holding:?}") };
    assert_eq!(fs::metadata(own).unwrap().permissions().mode() & 0o777, 0o600);
}

/// With a umask that takes nothing away, nobody else can read or write what we keep.
#[test]
fn denied_e05_what_is_kept_is_for_nobody_else_whatever_the_umask() {
    let env = env();
    let run = |arguments: &str| {
        let program = env.command([""; 0]).get_program().to_owned();
        let mut shell = std::process::Command::new("/bin/sh");
        let line = format!("umask 000; exec '{}' {arguments}", Path::new(&program).display());
        let command = env.command([""; 0]);
        shell.args(["-c", &line]).current_dir(env.work_dir()).env_clear().stdin(Stdio::null());
        shell.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
        env.finish(&mut shell).success()
    };
    env.write("env.wasm", fs::read(built("env")).unwrap());
    for arguments in [
        "component load env.wasm",
        "permission grant environment-variable env KEY",
        "secret set env KEY=value",
        "tool invoke list-variables",
    ] {
        let _ = run(arguments);
    }
    let store = env.store_dir();
    let mut ahead = vec![store.clone()];
    let mut seen = 0;
    while let Some(path) = ahead.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, expected, "{}", path.display());
        seen += 1;
        if metadata.is_dir() {
            ahead.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(seen > 5, "{seen}");
}
