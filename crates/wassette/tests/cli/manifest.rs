//! `manifest check`, `manifest lock`, and servers that are started with a manifest.

use insta::assert_snapshot;
use serde_json::json;
use wassette_testkit::{FakeRegistry, built, compiled};

use crate::run::Session;
use crate::{empty, with_registry};

const GOOD: &str = "version: 1\ncomponents:\n  - uri: add.wasm\n    permissions: {}\n";

#[test]
fn a_manifest_is_checked_without_any_network() {
    let env = empty();
    env.guest("add");
    env.write("tools.yaml", format!("{GOOD}  - uri: missing.wasm\n"));
    assert_snapshot!(env.run(["manifest", "check", "tools.yaml", "-o", "table"]), @"
    exit code: 1
    ----- stdout -----
    ID       URI           PERMISSIONS
    add      add.wasm      none
    missing  missing.wasm  as they are
    ----- stderr -----
    error: `missing.wasm`: no such file: `[WORK]/missing.wasm`
    error: `tools.yaml` cannot be enforced as it stands; problems: 1
    ");
    env.write("bad.yaml", "version: 1\ncomponents:\n  - url: add.wasm\n");
    assert_snapshot!(env.run(["manifest", "check", "bad.yaml"]), @"
    exit code: 1
    ----- stderr -----
    error: `bad.yaml` line 3, column 5: the key `url` is not known here
    hint: where it lies is its `uri`
    ");
    assert_eq!(env.run(["manifest", "check", "missing.yaml"]).code, Some(1));
}

#[test]
fn a_manifest_is_locked_and_then_kept_to() {
    let registry = FakeRegistry::start();
    registry.put_component("tools/add", "latest", &compiled("add"));
    let env = with_registry(&registry);
    let uri = registry.reference("tools/add", "latest");
    env.write("tools.yaml", format!("version: 1\ncomponents:\n  - uri: {uri}\n"));
    let _ = env.run(["manifest", "lock", "tools.yaml"]).success();
    assert!(env.work_dir().join("wassette.lock").exists());
    registry.put_component("tools/add", "latest", &compiled("strings"));
    let refused = env.run(["run", "--manifest", "tools.yaml"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused}");
    assert!(refused.stderr.contains(&uri), "{refused}");
}

#[test]
fn a_server_has_what_its_manifest_says_before_it_answers() {
    let env = empty();
    env.guest("add");
    env.write("tools.yaml", GOOD);
    let mut session = Session::start(&env, &["--manifest", "tools.yaml"]);
    let sum = json!({ "name": "add", "arguments": { "a": 2, "b": 3 } });
    let answer = session.ask("tools/call", sum);
    assert_eq!(answer["result"]["structuredContent"], json!({ "result": 5 }), "{answer}");
}

#[test]
fn denied_to_serve_less_than_the_manifest_says() {
    let env = empty();
    env.guest("add");
    let text = format!("{GOOD}  - uri: missing.wasm\n  - uri: gone.wasm\n");
    env.write("tools.yaml", text);
    for verb in [&["run"][..], &["serve", "--bind-address", "127.0.0.1:0"]] {
        let refused = env.run([verb, &["--manifest", "tools.yaml"]].concat());
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused}");
        assert!(refused.stderr.contains("missing.wasm"), "{refused}");
        assert!(refused.stderr.contains("gone.wasm"), "{refused}");
    }
    let go_on = ["run", "--manifest", "tools.yaml", "--continue-on-provisioning-failure"];
    let served = env.run_with_input(go_on, "").success();
    assert!(served.stderr.contains("missing.wasm"), "{served}");
    let alone = env.run(["run", "--continue-on-provisioning-failure"]);
    assert_eq!(alone.code, Some(2), "{alone}");
}

#[test]
fn denied_the_manifest_of_the_server_to_a_component_that_it_grants_it_to() {
    let env = empty();
    env.write("data/in", "the input");
    let rule = |path: &str| format!("{{ uri: 'fs://workspace/{path}', access: [read, write] }}");
    env.write(
        "tools.yaml",
        format!(
            "version: 1\ncomponents:\n  - uri: {}\n    permissions:\n      storage:\n        \
             allow: [{}, {}, {}]\n",
            built("files").display(),
            rule("tools.yaml"),
            rule("wassette.lock"),
            rule("data"),
        ),
    );
    let mut session = Session::start(&env, &["--manifest", "tools.yaml"]);
    let mut read = |path: &str| {
        let arguments = json!({ "path": format!("/workspace/{path}") });
        session.ask("tools/call", json!({ "name": "read-file", "arguments": arguments }))
    };
    let input = read("data/in");
    assert_eq!(input["result"]["structuredContent"]["result"], "the input", "{input}");
    for path in ["tools.yaml", "wassette.lock"] {
        let answer = read(path);
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert!(answer.to_string().contains("denied:"), "{answer}");
    }
}

/// Whoever reads the file has the value, and under another name than that of a secret.
#[test]
fn denied_the_file_of_a_value_to_every_component() {
    let env = empty();
    env.write("keys/token", "canary-5b1e77\n");
    env.write("data/in", "the input");
    let rule = |path: &str| format!("{{ uri: 'fs://workspace/{path}', access: [read] }}");
    env.write(
        "tools.yaml",
        format!(
            "version: 1\ncomponents:\n  - uri: {}\n    permissions:\n      storage:\n        \
             allow: [{}, {}, {}]\n      environment:\n        allow: [{{ key: TOKEN, value_from: \
             {{ file: keys/token }} }}]\n",
            built("files").display(),
            rule("keys/token"),
            rule("keys"),
            rule("data"),
        ),
    );
    let mut session = Session::start(&env, &["--manifest", "tools.yaml"]);
    for (path, is_error) in [("data/in", false), ("keys/token", true)] {
        let arguments = json!({ "path": format!("/workspace/{path}") });
        let read = json!({ "name": "read-file", "arguments": arguments });
        let answer = session.ask("tools/call", read);
        assert_eq!(answer["result"]["isError"], is_error, "{answer}");
        assert!(!answer.to_string().contains("canary"), "{answer}");
    }
}

#[test]
fn a_value_that_is_not_there_is_told_with_its_cure() {
    let env = empty();
    env.guest("add");
    env.write(
        "tools.yaml",
        "version: 1\ncomponents:\n  - uri: add.wasm\n    permissions:\n      environment:\n        \
         allow: [{ key: TOKEN, value_from: NOT_THERE_5b1e }]\n      runtime: { docker: {} }\n",
    );
    let refused = env.run(["run", "--manifest", "tools.yaml"]);
    // Before it stands a line of the log, with its time.
    let (_, told) = refused.stderr.split_once("error: ").unwrap();
    assert_eq!(refused.code, Some(1));
    assert_snapshot!(told, @"
    `add.wasm`: the variable `TOKEN` has no value: there is no value in the variable `NOT_THERE_5b1e` of the server
    hint: start the server with `NOT_THERE_5b1e` in its environment, or `--env NOT_THERE_5b1e=…`
    error: 1 of 1 components of `tools.yaml` could not be had, so nothing is served
    hint: `--continue-on-provisioning-failure` serves the others
    ");
    assert_snapshot!(env.run(["manifest", "check", "tools.yaml", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    ID   URI       PERMISSIONS
    add  add.wasm  + allow variable TOKEN
    ----- stderr -----
    warning: `add.wasm`: line 5: `runtime` has no effect here: it is for other sandboxes, and every component runs in the one that there is here, without any privilege or capability of the system
    warning: `add.wasm`: the variable `TOKEN` has no value: there is no value in the variable `NOT_THERE_5b1e` of the server; start the server with `NOT_THERE_5b1e` in its environment, or `--env NOT_THERE_5b1e=…`
    ");
    let started = env.run(["run", "--manifest", "tools.yaml", "--env", "NOT_THERE_5b1e=x"]);
    assert_eq!(started.code, Some(0), "{started}");
    assert!(started.stderr.contains("`runtime` has no effect here"), "{started}");
}
