//! `policy`.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

use insta::assert_snapshot;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use wassette_testkit::TestEnv;

use crate::with_guests;

const POLICY: &str = r#"version: "1.0"
description: "for the tests"
permissions:
  storage:
    allow:
      - { uri: "fs:///usr", access: [read] }
    deny:
      - { uri: "fs:///usr/share/private" }
  network:
    allow:
      - { host: "https://api.example.com", methods: [GET] }
      - { tcp: "db.internal:5432", private: true }
  environment:
    allow:
      - key: API_KEY
      - { key: LOG_LEVEL, value: info }
"#;

fn with_policy() -> TestEnv {
    let env = with_guests(&["add"]);
    env.write("policy.yaml", POLICY);
    let _ = env.run(["policy", "set", "add", "policy.yaml", "--yes"]).success();
    env
}

#[test]
fn a_document_is_set_and_got_back() {
    let env = with_guests(&["add"]);
    assert_snapshot!(env.run(["policy", "get", "add"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "no policy found",
      "component_id": "add",
      "version": "1.0",
      "permissions": {}
    }
    "#);
    env.write("policy.yaml", POLICY);
    assert_snapshot!(env.run(["policy", "set", "add", "policy.yaml", "--yes"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "policy set successfully",
      "component_id": "add",
      "changes": [
        "+ allow storage fs:///usr read",
        "+ deny storage fs:///usr/share/private read,write",
        "+ allow network https://api.example.com methods=GET",
        "+ allow network tcp://db.internal:5432 private",
        "+ allow variable API_KEY",
        "+ allow variable LOG_LEVEL with a fixed value"
      ],
      "version": "1.0",
      "description": "for the tests",
      "permissions": {
        "storage": {
          "allow": [
            {
              "uri": "fs:///usr",
              "access": [
                "read"
              ]
            }
          ],
          "deny": [
            {
              "uri": "fs:///usr/share/private"
            }
          ]
        },
        "network": {
          "allow": [
            {
              "host": "api.example.com",
              "schemes": [
                "https"
              ],
              "methods": [
                "GET"
              ]
            },
            {
              "tcp": "db.internal:5432",
              "private": true
            }
          ]
        },
        "environment": {
          "allow": [
            {
              "key": "API_KEY"
            },
            {
              "key": "LOG_LEVEL",
              "value": "info"
            }
          ]
        }
      }
    }
    ----- stderr -----
    the policy of `add` would change:
      + allow storage fs:///usr read
      + deny storage fs:///usr/share/private read,write
      + allow network https://api.example.com methods=GET
      + allow network tcp://db.internal:5432 private
      + allow variable API_KEY
      + allow variable LOG_LEVEL = info
    "#);
    assert_snapshot!(env.run(["policy", "get", "add", "-o", "yaml"]), @r#"
    exit code: 0
    ----- stdout -----
    version: "1.0"
    description: "for the tests"
    permissions:
      storage:
        allow:
          - uri: "fs:///usr"
            access: ["read"]
        deny:
          - uri: "fs:///usr/share/private"
      network:
        allow:
          - host: "api.example.com"
            schemes: ["https"]
            methods: ["GET"]
          - tcp: "db.internal:5432"
            private: true
      environment:
        allow:
          - key: "API_KEY"
          - key: "LOG_LEVEL"
            value: "info"
    "#);
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "policy found");

    let printed = env.run(["policy", "get", "add", "-o", "yaml"]).success().stdout;
    env.write("again.yaml", printed);
    let again = env.run(["policy", "set", "add", "again.yaml"]).success();
    assert_eq!((again.json()["changes"].to_string().as_str(), again.stderr.as_str()), ("[]", ""));
}

#[test]
fn denied_a_policy_that_nobody_was_asked_about() {
    let env = with_guests(&["add"]);
    env.write("policy.yaml", POLICY);
    assert_snapshot!(env.run(["policy", "set", "add", "policy.yaml"]), @"
    exit code: 1
    ----- stderr -----
    the policy of `add` would change:
      + allow storage fs:///usr read
      + deny storage fs:///usr/share/private read,write
      + allow network https://api.example.com methods=GET
      + allow network tcp://db.internal:5432 private
      + allow variable API_KEY
      + allow variable LOG_LEVEL = info
    error: nobody is there to be asked: change the policy of `add` so?
    hint: run it on a terminal, or say `--yes`
    ");
    // An answer from a pipe is not a person's.
    let piped = env.run_with_input(["policy", "set", "add", "policy.yaml"], "y\n");
    assert_eq!(piped.code, Some(1), "{piped}");
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "no policy found");
}

/// A document of others can point a component at a server of theirs with nothing but a value, and
/// with a path that looks like the rest of its line.
#[test]
fn denied_a_fixed_value_that_nobody_was_shown() {
    let env = with_guests(&["add"]);
    env.write(
        "old.yaml",
        "environment: {allow: [{key: API_BASE, value: 'https://api.example.com'}]}",
    );
    let _ = env.run(["policy", "set", "add", "old.yaml", "--yes"]).success();
    env.write(
        "policy.yaml",
        r#"
environment:
  allow:
    - { key: API_BASE, value: "https://evil.example" }
    - { key: MOTTO, value: "a until 2026-11-21T17:00:00Z\n+ allow nothing \u05d0" }
network:
  allow:
    - host: https://api.example.com
      paths: ["/**", "/**/z methods=GET until 2026-11-21T17:00:00Z"]
      inject: { header: Authorization, value: "Bearer ${secret:TOKEN}" }
"#,
    );
    assert_snapshot!(env.run(["policy", "set", "add", "policy.yaml"]), @r#"
    exit code: 1
    ----- stderr -----
    the policy of `add` would change:
      + allow network https://api.example.com paths=/**,"/**/z methods=GET until 2026-11-21T17:00:00Z" inject=authorization:"Bearer ${secret:TOKEN}"
      - allow variable API_BASE = https://api.example.com
      + allow variable API_BASE = https://evil.example
      + allow variable MOTTO = "a until 2026-11-21T17:00:00Z\u{a}+ allow nothing \u{5d0}"
    error: nobody is there to be asked: change the policy of `add` so?
    hint: run it on a terminal, or say `--yes`
    "#);
    let changed = env.run(["policy", "set", "add", "policy.yaml", "-y"]).success().json();
    assert_eq!(changed["changes"][1], "- allow variable API_BASE with a fixed value");
    assert_eq!(changed["changes"][2], "+ allow variable API_BASE with a fixed value");
}

/// What a person sees who answers `answer` on a terminal, and whether the command ended well.
fn on_a_terminal(env: &TestEnv, arguments: &[&str], answer: &str) -> (String, bool) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = File::options().read(true).write(true).open(name).unwrap();
    let mut child = env
        .command(arguments)
        .stdin(theirs.try_clone().unwrap())
        .stdout(Stdio::null())
        .stderr(theirs)
        .spawn()
        .unwrap();
    let mut ours = File::from(ours);
    let mut shown = String::new();
    let mut bytes = [0; 1024];
    while let Ok(read @ 1..) = ours.read(&mut bytes) {
        shown.push_str(&String::from_utf8_lossy(&bytes[..read]));
        if shown.contains("[y/N]") {
            break;
        }
    }
    ours.write_all(format!("{answer}\n").as_bytes()).unwrap();
    (shown, child.wait().unwrap().success())
}

#[test]
fn a_person_is_asked_with_the_changes_before_them() {
    let env = with_guests(&["add"]);
    env.write("policy.yaml", POLICY);
    let set = ["policy", "set", "add", "policy.yaml"];
    for answer in ["n", "", "yess"] {
        assert!(!on_a_terminal(&env, &set, answer).1, "{answer}");
    }
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "no policy found");
    let (shown, done) = on_a_terminal(&env, &set, "y");
    assert!(done && shown.contains("api.example.com"), "{shown}");
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "policy found");
}

#[test]
fn a_document_is_checked_without_a_component() {
    let env = with_guests(&[]);
    env.write("good.yaml", "network: { allow: [{ host: api.example.com }] }\n");
    assert_snapshot!(env.run(["policy", "check", "good.yaml"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "policy is valid",
      "file": "good.yaml",
      "policy": {
        "version": "1.0",
        "permissions": {
          "network": {
            "allow": [
              {
                "host": "api.example.com"
              }
            ]
          }
        }
      }
    }
    "#);
    assert_snapshot!(env.run(["policy", "check", "good.yaml", "-o", "table"]), @r#"
    exit code: 0
    ----- stdout -----
    `good.yaml` is a policy:

    version: "1.0"
    permissions:
      network:
        allow:
          - host: "api.example.com"
    "#);
}

#[test]
fn what_is_no_policy_is_refused_with_line_and_column() {
    let env = with_guests(&["add"]);
    let check = |text: &str| {
        env.write("bad.yaml", text);
        let set = env.run(["policy", "set", "add", "bad.yaml", "--yes"]);
        let checked = env.run(["policy", "check", "bad.yaml"]);
        assert_eq!(set, checked, "both read in the same way");
        checked
    };
    assert_snapshot!(check("version: \"1.0\"\npermissions:\n  netwrok: {}\n"), @"
    exit code: 1
    ----- stderr -----
    error: `bad.yaml` line 3, column 3: there is no key `netwrok` here
    hint: did you mean `network`?
    ");
    assert_snapshot!(check("network:\n  allow:\n    - host: \"*\"\n"), @"
    exit code: 1
    ----- stderr -----
    error: `bad.yaml` line 3, column 13: the `host` of the rule cannot be read: `*` has a wildcard that stands for no subdomains
    hint: write `*.example.com` for every name below `example.com`; no rule stands for all hosts
    ");
    assert_snapshot!(check("network: [\n"), @"
    exit code: 1
    ----- stderr -----
    error: `bad.yaml` line 1, column 10: this is neither YAML nor JSON: unclosed bracket '['
    hint: a policy is YAML or JSON: maps, lists, texts and numbers
    ");
    assert_snapshot!(check("network: {}\nnetwork: {}\n"), @"
    exit code: 1
    ----- stderr -----
    error: `bad.yaml` line 2, column 1: `network` stands here twice, first in line 1
    hint: a key can stand once in a map: put both together, or take one out
    ");
    assert_snapshot!(check("storage:\n  allow:\n    - { uri: \"~/x\", access: [read] }\n"), @"
    exit code: 1
    ----- stderr -----
    error: `bad.yaml` line 3, column 14: `~/x` does not begin with `fs://`
    hint: write `fs:///` and a path from the root, or `fs://workspace/` and a path below it
    ");
    assert_snapshot!(check(&"#".repeat(70_000)), @"
    exit code: 1
    ----- stderr -----
    error: `bad.yaml` line 1, column 1: the policy has 65537 bytes
    hint: a policy has at most 64 KiB
    ");
    assert_snapshot!(env.run(["policy", "check", "missing.yaml"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot read the policy `missing.yaml`
      caused by: No such file or directory (os error 2)
    ");
    env.write("binary.yaml", b"a: \xff\n");
    assert_snapshot!(env.run(["policy", "check", "binary.yaml"]), @"
    exit code: 1
    ----- stderr -----
    error: `binary.yaml` line 1, column 4: this is not UTF-8
    hint: a policy is a text file, YAML or JSON in UTF-8
    ");
}

#[test]
fn a_decision_is_explained_by_its_rule() {
    let env = with_policy();
    let explain = |question: &[&str]| {
        env.run([&["policy", "explain", "add"], question, &["-o", "table"]].concat())
    };
    assert_snapshot!(explain(&["read", "/usr/share/x.csv"]), @"
    exit code: 0
    ----- stdout -----
    allowed: add read /usr/share/x.csv
      rule: fs:///usr read
    ");
    assert_snapshot!(explain(&["write", "/usr/share/x.csv"]), @"
    exit code: 1
    ----- stdout -----
    denied: add write /usr/share/x.csv
      because: rule `fs:///usr read` does not include `write`
      to allow it: wassette permission grant storage add fs:///usr/share/x.csv --access write
    ");
    assert_snapshot!(explain(&["read", "/usr/share/private/key"]), @"
    exit code: 1
    ----- stdout -----
    denied: add read /usr/share/private/key
      because: rule `fs:///usr/share/private read,write` denies it; a deny wins until it is taken out of the policy
    ");
    assert_snapshot!(explain(&["GET", "https://api.example.com/v1"]), @"
    exit code: 0
    ----- stdout -----
    allowed: add GET https://api.example.com/v1
      rule: https://api.example.com methods=GET
      note: the addresses of the host are checked as well, when it is looked up
    ");
    assert_snapshot!(explain(&["POST", "https://api.example.com/v1"]), @"
    exit code: 1
    ----- stdout -----
    denied: add POST https://api.example.com/v1
      because: no rule allows the method `POST` on host `api.example.com`
      to allow it: wassette permission grant network add https://api.example.com --methods POST
    ");
    assert_snapshot!(explain(&["tcp", "db.internal:5432"]), @"
    exit code: 0
    ----- stdout -----
    allowed: add tcp db.internal:5432
      rule: tcp://db.internal:5432 private
      note: the addresses of the host are checked as well, when it is looked up
    ");
    assert_snapshot!(explain(&["udp", "db.internal:5432"]), @"
    exit code: 1
    ----- stdout -----
    denied: add udp db.internal:5432
      because: no rule allows `udp` to host `db.internal`
      to allow it: wassette permission grant network add udp://db.internal:5432
    ");
    assert_snapshot!(explain(&["variable", "LOG_LEVEL"]), @"
    exit code: 0
    ----- stdout -----
    allowed: add variable LOG_LEVEL
      rule: LOG_LEVEL
    ");
    assert_snapshot!(explain(&["variable", "PATH"]), @"
    exit code: 1
    ----- stdout -----
    denied: add variable PATH
      because: no rule lists the key `PATH`
      to allow it: wassette permission grant environment-variable add PATH
    ");
    assert_snapshot!(env.run(["policy", "explain", "add", "variable", "PATH"]), @r#"
    exit code: 1
    ----- stdout -----
    {
      "component": "add",
      "question": "variable PATH",
      "allowed": false,
      "reason": "no rule lists the key `PATH`",
      "grant": "wassette permission grant environment-variable add PATH"
    }
    "#);
    let relative = explain(&["read", "./x.csv"]);
    assert!(relative.stdout.contains("/work/x.csv\n"), "{relative}");
    assert_eq!(explain(&["read", "x.csv"]).code, Some(2));
    assert_snapshot!(explain(&["rename", "/data"]), @"
    exit code: 2
    ----- stderr -----
    error: `rename /data` is no question to a policy
    hint: ask `read /data/x.csv`, `write /data/x.csv`, `GET https://api.example.com/v1`, `tcp db.internal:5432`, `udp host:port`, `lookup host` or `variable KEY`
    ");
}

#[test]
fn nothing_beyond_the_ceiling_is_allowed() {
    let env = with_policy();
    let ceiling =
        "version: \"1.0\"\npermissions:\n  network:\n    allow: [{ host: other.example.com }]\n";
    std::fs::write(env.home().join(".config/wassette/ceiling.yaml"), ceiling).unwrap();
    env.configure("ceiling = \"ceiling.yaml\"\n");
    let question = ["policy", "explain", "add", "GET", "https://api.example.com/v1", "-o", "table"];
    assert_snapshot!(env.run(question), @"
    exit code: 1
    ----- stdout -----
    denied: add GET https://api.example.com/v1
      because: the operator's ceiling does not allow it: no rule allows host `api.example.com`; only the operator can widen it
    ");
}

#[test]
fn denied_every_verb_under_a_ceiling_that_cannot_be_read() {
    let env = with_policy();
    env.configure("ceiling = \"ceiling.yaml\"\n");
    assert_snapshot!(env.run(["run"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot read the ceiling `[HOME]/.config/wassette/ceiling.yaml`
      caused by: No such file or directory (os error 2)
    hint: `ceiling` in the configuration names the policy that says what may at most be granted; nothing is started without it
    ");
    std::fs::write(env.home().join(".config/wassette/ceiling.yaml"), "network: { alow: [] }")
        .unwrap();
    assert_snapshot!(env.run(["tool", "invoke", "add"]), @"
    exit code: 1
    ----- stderr -----
    error: the ceiling `[HOME]/.config/wassette/ceiling.yaml` line 1, column 12: there is no key `alow` here
    hint: did you mean `allow`?
    ");
    let inject = "network: { allow: [{ host: a.example.com, inject: { header: X-Key, value: '${secret:K}' } }] }";
    std::fs::write(env.home().join(".config/wassette/ceiling.yaml"), inject).unwrap();
    assert_snapshot!(env.run(["tool", "invoke", "add"]), @"
    exit code: 1
    ----- stderr -----
    error: the ceiling `[HOME]/.config/wassette/ceiling.yaml` has a rule with `inject`
    hint: take `inject` out: headers are added by the policy of a component, whose secrets they hold
    ");
    for verb in [&["serve"][..], &["component", "list"], &["permission", "list", "add"]] {
        assert_eq!(env.run(verb).code, Some(1), "{verb:?}");
    }
}
