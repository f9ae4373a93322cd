//! `--for` and `--pin` of `permission grant`, `policy pin` and `policy unpin`.

use insta::assert_snapshot;
use serde_json::{Value, json};
use wassette_testkit::{CommandOutput, TestEnv, compiled};

use crate::with_guests;

fn grant(env: &TestEnv, arguments: &[&str]) -> CommandOutput {
    env.run([&["permission", "grant"], arguments].concat())
}

fn permissions(env: &TestEnv) -> Value {
    env.run(["permission", "list", "add"]).success().json()
}

#[test]
fn a_grant_for_a_while_has_an_end() {
    let env = with_guests(&["add"]);
    env.write("data/notes.txt", "");
    for arguments in [
        &["storage", "add", "./data", "--access", "read", "--for", "1h"][..],
        &["network", "add", "api.example.com", "--for", "30min"],
        &["environment-variable", "add", "API_KEY", "--for", "7d"],
    ] {
        let granted = grant(&env, arguments).success().json();
        let change = granted["changes"][0].as_str().unwrap();
        assert!(change.contains(" until 2"), "{change}");
    }
    let policy = &permissions(&env)["policy"]["permissions"];
    for kind in ["storage", "network", "environment"] {
        assert!(policy[kind]["allow"][0]["until"].is_string(), "{kind}: {policy}");
    }
    // What is granted for good says so, and what ends earlier adds nothing to it.
    let _ = grant(&env, &["network", "add", "api.example.com", "--for", "always"]).success();
    let again = grant(&env, &["network", "add", "api.example.com", "--for", "1h"]).success();
    assert!(again.stdout.contains("allowed already"), "{again}");
    assert_eq!(
        permissions(&env)["policy"]["permissions"]["network"]["allow"],
        json!([{ "host": "api.example.com" }])
    );
}

#[test]
fn a_limit_has_no_end_and_a_time_must_be_one() {
    let env = with_guests(&["add"]);
    assert_snapshot!(grant(&env, &["memory", "add", "512Mi", "--for", "1h"]), @"
    exit code: 2
    ----- stderr -----
    error: unexpected argument '--for' found

      tip: to pass '--for' as a value, use '-- --for'

    Usage: wassette permission grant memory <ID> <AMOUNT>

    For more information, try '--help'.
    ");
    assert_snapshot!(grant(&env, &["network", "add", "api.example.com", "--for", "soon"]), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'soon' for '--for <TIME>': `soon` is no length of time up to a year; write one such as `30min`, `1h` or `7d`, or `always`

    For more information, try '--help'.
    ");
}

#[test]
fn denied_a_pinned_policy_to_other_bytes() {
    let env = with_guests(&["add"]);
    let network = ["network", "add", "api.example.com", "--pin"];
    assert_snapshot!(grant(&env, &[&network[..], &["-o", "table"]].concat()), @"
    exit code: 0
    ----- stdout -----
    add:
      + allow network api.example.com
      the policy counts for sha256:[DIGEST] alone
    ");
    assert_eq!(permissions(&env)["pinned"], permissions(&env)["digest"]);
    assert_snapshot!(env.run(["permission", "list", "add", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    add
      source  file://[WORK]/add.wasm
      digest  sha256:[DIGEST]
      pinned  to this digest

    GRANTED  RULE
    network  api.example.com
    ");

    env.write("add.wasm", compiled("strings"));
    let _ = env.run(["component", "load", "add.wasm"]).success();
    let now = permissions(&env);
    assert_eq!(now["policy"]["permissions"], json!({}), "{now}");
    assert_eq!(now["withheld"]["permissions"]["network"]["allow"][0]["host"], "api.example.com");
    assert_ne!(now["pinned"], now["digest"]);
    assert_snapshot!(env.run(["permission", "list", "add", "-o", "table", "-q"]), @"
    exit code: 0
    ----- stdout -----
    add
      source  file://[WORK]/add.wasm
      digest  sha256:[DIGEST]
      pinned  to sha256:[DIGEST], which it has no more

    nothing is granted to it: its policy is pinned to sha256:[DIGEST] and the component is another now
      look at it with `wassette policy get add`, then `wassette policy pin add` grants the same to this one

    NOT IN FORCE  RULE
    network       api.example.com
    ");
    assert_snapshot!(env.run(["policy", "get", "add", "-o", "yaml"]), @r#"
    exit code: 0
    ----- stdout -----
    version: "1.0"
    permissions:
      network:
        allow:
          - host: "api.example.com"
    ----- stderr -----
     WARN nothing is granted to it: its policy is pinned to sha256:[DIGEST] and the component is another now; look at it with `wassette policy get add`, then `wassette policy pin add` grants the same to this one component="add"
    warning: this is not in force: its policy is pinned to sha256:[DIGEST] and the component is another now
    hint: `wassette policy pin add` grants the same to this one
    "#);
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "policy not in force");
    let explained = env.run(["policy", "explain", "add", "GET", "https://api.example.com/"]);
    assert_eq!(explained.code, Some(1), "{explained}");
    // Whoever grants more must not bring back the rest without a look at it.
    assert_snapshot!(grant(&env, &["network", "add", "other.example.com"]), @r#"
    exit code: 1
    ----- stderr -----
     WARN nothing is granted to it: its policy is pinned to sha256:[DIGEST] and the component is another now; look at it with `wassette policy get add`, then `wassette policy pin add` grants the same to this one component="add"
    error: the policy of `add` is not changed: it is pinned to sha256:[DIGEST] and the component is another now
    hint: look at it with `wassette policy get add`, then `wassette policy pin add` grants the same to this one
    "#);

    assert_snapshot!(env.run(["policy", "pin", "add", "-o", "table"]), @r#"
    exit code: 0
    ----- stdout -----
    add:
      the policy counts for sha256:[DIGEST] alone

    GRANTED  RULE
    network  api.example.com
    ----- stderr -----
     WARN nothing is granted to it: its policy is pinned to sha256:[DIGEST] and the component is another now; look at it with `wassette policy get add`, then `wassette policy pin add` grants the same to this one component="add"
    "#);
    let now = permissions(&env);
    assert_eq!(now["pinned"], now["digest"]);
    let explained = env.run(["policy", "explain", "add", "GET", "https://api.example.com/"]);
    assert_eq!(explained.code, Some(0), "{explained}");
}

#[test]
fn a_pin_stays_until_it_is_taken_away() {
    let env = with_guests(&["add"]);
    let _ = grant(&env, &["memory", "add", "512Mi", "--pin"]).success();
    let _ = grant(&env, &["network", "add", "api.example.com"]).success();
    assert_eq!(permissions(&env)["pinned"], permissions(&env)["digest"]);
    assert_snapshot!(env.run(["policy", "unpin", "add"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "policy unpinned",
      "component_id": "add",
      "changes": [
        "the policy counts for all that comes from file://[WORK]/add.wasm"
      ],
      "version": "1.0",
      "permissions": {
        "network": {
          "allow": [
            {
              "host": "api.example.com"
            }
          ]
        },
        "resources": {
          "limits": {
            "memory": "512Mi"
          }
        }
      }
    }
    "#);
    assert!(permissions(&env).get("pinned").is_none());
    env.write("add.wasm", compiled("strings"));
    let _ = env.run(["component", "load", "add.wasm"]).success();
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "policy found");

    let _ = env.run(["policy", "pin", "add"]).success();
    let _ = env.run(["permission", "reset", "add"]).success();
    assert!(permissions(&env).get("pinned").is_none(), "a reset begins anew");
    assert_eq!(env.run(["policy", "pin", "ad"]).code, Some(1));
}
