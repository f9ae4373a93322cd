//! `permission`.

use std::fs;

use insta::assert_snapshot;

use crate::with_guests;

#[test]
fn each_kind_is_granted() {
    let env = with_guests(&["add"]);
    env.write("data/notes.txt", "");
    let grant = |arguments: &[&str]| env.run([&["permission", "grant"], arguments].concat());
    assert_snapshot!(grant(&["storage", "add", "./data", "--access", "write,read"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "permission granted successfully",
      "component_id": "add",
      "permission_type": "storage",
      "details": {
        "uri": "fs://[WORK]/data",
        "access": [
          "read",
          "write"
        ]
      },
      "changes": [
        "+ allow storage fs://[WORK]/data read,write"
      ]
    }
    "#);
    assert_snapshot!(
        grant(&["network", "add", "https://api.example.com", "--methods", "get,HEAD", "--paths", "/v1/**"]),
        @r#"
        exit code: 0
        ----- stdout -----
        {
          "status": "permission granted successfully",
          "component_id": "add",
          "permission_type": "network",
          "details": {
            "host": "https://api.example.com",
            "rule": "https://api.example.com methods=GET,HEAD paths=/v1/**"
          },
          "changes": [
            "+ allow network https://api.example.com methods=GET,HEAD paths=/v1/**"
          ]
        }
        "#
    );
    assert_snapshot!(grant(&["environment-variable", "add", "API_KEY"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "permission granted successfully",
      "component_id": "add",
      "permission_type": "environment",
      "details": {
        "key": "API_KEY"
      },
      "changes": [
        "+ allow variable API_KEY"
      ]
    }
    "#);
    assert_snapshot!(grant(&["memory", "add", "512Mi"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "permission granted successfully",
      "component_id": "add",
      "permission_type": "memory",
      "details": {
        "name": "memory",
        "amount": "512Mi"
      },
      "changes": [
        "+ limit memory 512Mi"
      ]
    }
    "#);
    assert_snapshot!(grant(&["limit", "add", "requests", "5"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "permission granted successfully",
      "component_id": "add",
      "permission_type": "limit",
      "details": {
        "name": "requests",
        "amount": "5"
      },
      "changes": [
        "+ limit requests 5"
      ]
    }
    "#);
    assert_snapshot!(env.run(["permission", "list", "add"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "component": "add",
      "source": "file://[WORK]/add.wasm",
      "digest": "sha256:[DIGEST]",
      "policy": {
        "version": "1.0",
        "permissions": {
          "storage": {
            "allow": [
              {
                "uri": "fs://[WORK]/data",
                "access": [
                  "read",
                  "write"
                ]
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
                  "GET",
                  "HEAD"
                ],
                "paths": [
                  "/v1/**"
                ]
              }
            ]
          },
          "environment": {
            "allow": [
              {
                "key": "API_KEY"
              }
            ]
          },
          "resources": {
            "limits": {
              "memory": "512Mi",
              "requests": 5
            }
          }
        }
      },
      "limits": {
        "memory": "512Mi",
        "cpu": "10s",
        "time": "60s",
        "concurrency": 32,
        "calls-per-minute": 6000,
        "requests": 5,
        "requests-in-flight": 16,
        "response-bytes": "16Mi",
        "write-bytes": "64Mi",
        "argument-bytes": "4Mi",
        "result-bytes": "1Mi",
        "output-bytes": "256Ki",
        "table-elements": 200000,
        "instances": 100,
        "handles": 2000,
        "host-call-bytes": "64Mi"
      },
      "wants": []
    }
    "#);
}

#[test]
fn a_person_sees_what_changed() {
    let env = with_guests(&["add"]);
    env.write("data/notes.txt", "");
    let storage = |access| {
        let place = "fs://workspace/data";
        env.run(["permission", "grant", "storage", "add", place, "--access", access, "-o", "table"])
    };
    assert_snapshot!(storage("read"), @"
    exit code: 0
    ----- stdout -----
    add:
      + allow storage fs://workspace/data read
    ");
    assert_snapshot!(storage("write"), @"
    exit code: 0
    ----- stdout -----
    add:
      - allow storage fs://workspace/data read
      + allow storage fs://workspace/data read,write
      `fs://workspace/data read` is part of `fs://workspace/data read,write` now
    ");
    assert_snapshot!(storage("read"), @"
    exit code: 0
    ----- stdout -----
    add:
      nothing changes: `fs://workspace/data read,write` is allowed already
    ");
    let socket = ["permission", "grant", "network", "add", "tcp://localhost:5432", "--private"];
    assert_snapshot!(env.run([&socket[..], &["-o", "table"]].concat()), @"
    exit code: 0
    ----- stdout -----
    add:
      + allow network tcp://localhost:5432 private
    ");
    let limit = ["permission", "grant", "limit", "add", "requests", "5"];
    let _ = env.run(limit).success();
    let value = ["permission", "grant", "environment-variable", "add", "MODE", "--value", "quick"];
    let _ = env.run(value).success();
    assert_snapshot!(env.run(["permission", "list", "add", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    add
      source  file://[WORK]/add.wasm
      digest  sha256:[DIGEST]

    GRANTED      RULE
    storage      fs://workspace/data read,write
    network      tcp://localhost:5432 private
    environment  MODE = quick
    limit        requests 5
    ");
}

#[test]
fn what_is_not_there_cannot_be_granted() {
    let env = with_guests(&["add"]);
    let grant = ["permission", "grant", "storage", "add", "./later", "--access", "read"];
    assert_snapshot!(env.run([&grant[..], &["-o", "table"]].concat()), @"
    exit code: 1
    ----- stderr -----
    error: the storage rule `fs://[WORK]/later` is void: `[WORK]/later` does not exist
    hint: create it first, or write the rule for a directory that exists
    ");
}

#[test]
fn each_kind_is_revoked() {
    let env = with_guests(&["add"]);
    env.write("data/notes.txt", "");
    for arguments in [
        &["storage", "add", "./data", "--access", "read,write"][..],
        &["network", "add", "api.example.com"],
        &["environment-variable", "add", "API_KEY", "--value", "1"],
        &["memory", "add", "64Mi"],
        &["limit", "add", "time", "5s"],
    ] {
        let _ = env.run([&["permission", "grant"], arguments].concat()).success();
    }
    let revoke = |arguments: &[&str]| env.run([&["permission", "revoke"], arguments].concat());
    assert_snapshot!(revoke(&["storage", "add", "./data"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "permission revoked successfully",
      "component_id": "add",
      "uri": "fs://[WORK]/data",
      "message": "nothing is granted for fs://[WORK]/data any more",
      "changes": [
        "- allow storage fs://[WORK]/data read,write"
      ]
    }
    "#);
    assert_snapshot!(revoke(&["network", "add", "api.example.com"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "permission revoked",
      "component_id": "add",
      "permission_type": "network",
      "details": {
        "host": "api.example.com"
      },
      "changes": [
        "- allow network api.example.com"
      ]
    }
    "#);
    assert_snapshot!(revoke(&["environment-variable", "add", "API_KEY"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "permission revoked",
      "component_id": "add",
      "permission_type": "environment",
      "details": {
        "key": "API_KEY"
      },
      "changes": [
        "- allow variable API_KEY with a fixed value"
      ]
    }
    "#);
    assert_snapshot!(revoke(&["memory", "add"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "permission revoked",
      "component_id": "add",
      "permission_type": "memory",
      "details": {
        "name": "memory"
      },
      "changes": [
        "- limit memory 64Mi"
      ]
    }
    "#);
    assert_snapshot!(revoke(&["limit", "add", "time"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "permission revoked",
      "component_id": "add",
      "permission_type": "limit",
      "details": {
        "name": "time"
      },
      "changes": [
        "- limit time 5s"
      ]
    }
    "#);
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "no policy found");
    // The spelling of other programs.
    let _ = env.run(["permission", "grant", "memory", "add", "64Mi"]).success();
    assert_eq!(revoke(&["resource", "add"]).code, Some(2));
    let _ = revoke(&["resource", "add", "--memory"]).success();
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "no policy found");
}

#[test]
fn what_was_not_granted_cannot_be_revoked() {
    let env = with_guests(&["add"]);
    let grant = ["permission", "grant", "network", "add", "api.example.com"];
    let _ = env.run(grant).success();
    assert_snapshot!(env.run(["permission", "revoke", "network", "add", "api.exmaple.com"]), @"
    exit code: 1
    ----- stderr -----
    error: the policy allows no network `api.exmaple.com`
    hint: the nearest that it allows is `api.example.com`; what a server granted until it stops is taken back
    ");
    assert_snapshot!(env.run(["permission", "revoke", "memory", "add"]), @"
    exit code: 1
    ----- stderr -----
    error: the policy sets no limit `memory`
    hint: the operator's value holds already
    ");
}

#[test]
fn all_is_taken_back_at_once() {
    let env = with_guests(&["add"]);
    let _ = env.run(["permission", "grant", "network", "add", "api.example.com"]).success();
    assert_snapshot!(env.run(["permission", "reset", "add"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "permissions reset successfully",
      "component_id": "add",
      "changes": [
        "- allow network api.example.com"
      ]
    }
    "#);
    assert_snapshot!(env.run(["permission", "list", "add", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    add
      source  file://[WORK]/add.wasm
      digest  sha256:[DIGEST]

    nothing is granted to it
    ");
}

/// The row P07 of the battery: a component that is not there is granted nothing, by no verb.
#[test]
fn denied_p07_permissions_for_a_component_that_is_not_loaded() {
    let env = with_guests(&["add"]);
    env.write("policy.yaml", "storage: {}\n");
    for arguments in [
        &["permission", "grant", "storage", "ad", "/data", "--access", "read"][..],
        &["permission", "grant", "network", "ad", "api.example.com"],
        &["permission", "grant", "environment-variable", "ad", "API_KEY"],
        &["permission", "grant", "memory", "ad", "64Mi"],
        &["permission", "grant", "limit", "ad", "time", "5s"],
        &["permission", "revoke", "network", "ad", "api.example.com"],
        &["permission", "reset", "ad"],
        &["permission", "list", "ad"],
        &["policy", "get", "ad"],
        &["policy", "set", "ad", "policy.yaml", "--yes"],
        &["policy", "explain", "ad", "read", "/data"],
        &["secret", "set", "ad", "A=1"],
        &["secret", "list", "ad"],
        &["secret", "delete", "ad", "A"],
    ] {
        let output = env.run(arguments);
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{arguments:?} {output}");
        assert!(output.stderr.contains("no component `ad`"), "{arguments:?} {output}");
    }
    assert_snapshot!(env.run(["permission", "reset", "ad"]), @"
    exit code: 1
    ----- stderr -----
    error: no component `ad` is loaded; did you mean `add`?
    hint: `wassette component list` shows what is loaded
    ");
    assert_snapshot!(env.run(["permission", "reset", "../add"]), @"
    exit code: 1
    ----- stderr -----
    error: no component `../add` is loaded
    hint: `wassette component list` shows what is loaded
    ");
    // Nor does a component inherit what another of its name was granted.
    let _ = env.run(["permission", "grant", "network", "add", "api.example.com"]).success();
    let _ = env.run(["secret", "set", "add", "A=1"]).success();
    let _ = env.run(["component", "unload", "add"]).success();
    env.write("elsewhere/add.wasm", wassette_testkit::compiled("strings"));
    let _ = env.run(["component", "load", "elsewhere/add.wasm"]).success();
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "no policy found");
    assert_eq!(
        env.run(["secret", "list", "add"]).success().json()["secrets"],
        serde_json::json!([])
    );
    for folder in ["policies", "secrets"] {
        let left = fs::read_dir(env.store_dir().join(folder)).map(Iterator::count).unwrap_or(0);
        assert_eq!(left, 0, "{folder}");
    }
}

#[test]
fn a_place_that_cannot_be_a_rule_is_refused_with_the_spelling_to_use() {
    let env = with_guests(&["add"]);
    let storage =
        |uri: &str| env.run(["permission", "grant", "storage", "add", uri, "--access", "read"]);
    assert_snapshot!(storage("~/data"), @"
    exit code: 2
    ----- stderr -----
    error: `~/data` does not begin with `fs://`
    hint: write `fs:///` and a path from the root, or `fs://workspace/` and a path below it
    ");
    assert_snapshot!(storage("data"), @"
    exit code: 2
    ----- stderr -----
    error: `data` does not begin with `fs://`
    hint: write `fs:///` and a path from the root, or `fs://workspace/` and a path below it
    ");
    assert_snapshot!(storage("file:///data"), @"
    exit code: 2
    ----- stderr -----
    error: `file:///data` does not begin with `fs://`
    hint: write `fs:///data`
    ");
    assert_snapshot!(storage("./a/../../b"), @"
    exit code: 2
    ----- stderr -----
    error: `fs://[WORK]/a/../../b` holds `..`
    hint: write the directory that is meant, without `..`
    ");
    assert_snapshot!(storage("fs:///da**ta"), @"
    exit code: 2
    ----- stderr -----
    error: `fs:///da**ta` has `**` inside a name
    hint: `**` stands alone between two `/`; within a name write `*`
    ");
    let wrong = ["permission", "grant", "storage", "add", "/data", "--access", "execute"];
    assert_snapshot!(env.run(wrong), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'execute' for '--access <ACCESS>': write `read`, `write` or `read,write`

    For more information, try '--help'.
    ");
}

#[test]
fn denied_s04_grants_of_places_that_belong_to_the_host() {
    let env = with_guests(&["add"]);
    env.configure("# ours\n");
    let storage =
        |uri: &str| env.run(["permission", "grant", "storage", "add", uri, "--access", "read"]);
    let store = env.store_dir();
    assert_snapshot!(storage("/proc/self"), @"
    exit code: 1
    ----- stderr -----
    error: the storage rule `fs:///proc/self` is void: `/proc` is open to no component
    hint: write the rule for a directory that holds only what the component needs
    ");
    assert_snapshot!(storage(store.to_str().unwrap()), @"
    exit code: 1
    ----- stderr -----
    error: the storage rule `fs://[HOME]/.local/share/wassette/components` is void: `[HOME]/.local/share/wassette/components` is open to no component
    hint: write the rule for a directory that holds only what the component needs
    ");
    let config = env.home().join(".config/wassette");
    for path in [store.join("index.json"), store.join("secrets"), env.home(), config.clone()] {
        let output = storage(path.to_str().unwrap());
        assert_eq!(output.code, Some(1), "{output}");
    }
    for path in ["/", "/dev", "/sys/kernel", "/run", "fs:///**/*.md"] {
        assert_eq!(storage(path).code, Some(1), "{path}");
    }
    std::os::unix::fs::symlink(config, env.work_dir().join("innocent")).unwrap();
    assert_eq!(storage("./innocent").code, Some(1));
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "no policy found");
}

#[test]
fn a_host_that_cannot_be_a_rule_is_refused_with_the_spelling_to_use() {
    let env = with_guests(&["add"]);
    let network = |arguments: &[&str]| {
        env.run([&["permission", "grant", "network", "add"], arguments].concat())
    };
    assert_snapshot!(network(&["*"]), @"
    exit code: 2
    ----- stderr -----
    error: the `host` of the rule cannot be read: `*` has a wildcard that stands for no subdomains
    hint: write `*.example.com` for every name below `example.com`; no rule stands for all hosts
    ");
    assert_snapshot!(network(&["*.com"]), @"
    exit code: 2
    ----- stderr -----
    error: `*.com` would allow names that anybody can register
    hint: name the host, or the part that one owner has: `*.example.com`
    ");
    assert_snapshot!(network(&["https://me:secret@api.example.com"]), @"
    exit code: 2
    ----- stderr -----
    error: the `host` of the rule cannot be read: the host has a user's name before an `@`
    hint: write the host alone: what stands before `@` is not part of it
    ");
    assert_snapshot!(network(&["tcp://db.internal"]), @"
    exit code: 2
    ----- stderr -----
    error: `db.internal` names no port
    hint: write it behind the host, such as `db.internal:5432`
    ");
    assert_snapshot!(network(&["tcp://db.internal:5432", "--methods", "GET"]), @"
    exit code: 2
    ----- stderr -----
    error: `methods` means nothing for raw sockets, which know no HTTP
    hint: leave `methods` out
    ");
    assert_snapshot!(network(&["api.example.com:8443", "--ports", "443"]), @"
    exit code: 2
    ----- stderr -----
    error: `ports` stands in the rule, and `host` says it already
    hint: say it in one place: in the URL or under `ports`
    ");
    assert_snapshot!(network(&["api.example.com", "--ports", "0-70000"]), @"
    exit code: 2
    ----- stderr -----
    error: `0-70000` is no port
    hint: a port is a number from 1 to 65535, a range of them is `8000-8080`
    ");
}

#[test]
fn an_amount_that_cannot_be_is_refused() {
    let env = with_guests(&["add"]);
    assert_snapshot!(env.run(["permission", "grant", "memory", "add", "5Gi"]), @"
    exit code: 2
    ----- stderr -----
    error: the limit `memory` cannot be `5Gi`
    hint: expected at most `4Gi`
    ");
    assert_snapshot!(env.run(["permission", "grant", "memory", "add", "lots"]), @"
    exit code: 2
    ----- stderr -----
    error: the limit `memory` cannot be set: `lots` is not an amount of memory
    hint: write a whole number with a unit of Kubernetes, such as `512Ki`, `256Mi` or `1Gi`
    ");
    assert_snapshot!(env.run(["permission", "grant", "limit", "add", "requets", "5"]), @"
    exit code: 2
    ----- stderr -----
    error: there is no limit `requets`
    hint: the limits are: memory, cpu, time, concurrency, calls-per-minute, requests, requests-in-flight, response-bytes, write-bytes, argument-bytes, result-bytes, output-bytes, table-elements, instances, handles, host-call-bytes
    ");
    let key = ["permission", "grant", "environment-variable", "add", "API_*"];
    assert_snapshot!(env.run(key), @"
    exit code: 2
    ----- stderr -----
    error: `API_*` is not the key of a variable
    hint: a key is exact, without blanks, `=`, `*`, `$` or quotes: list each variable by its name
    ");
}
