//! Policies as people find them elsewhere, written for other programs or from habit: each means what
//! its author meant, with a warning where it matters, or is refused with a reason and a cure.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use wassette_policy::{Document, Policy};

use crate::{empty, with_guests};

/// The documents, by their names.
fn documents() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let named = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut all: Vec<_> =
        files.map(|path| (named(&path), fs::read_to_string(&path).unwrap())).collect();
    all.sort();
    all
}

#[test]
fn each_is_read_as_it_was_meant_or_refused_with_a_cure() {
    let env = empty();
    let mut said = String::new();
    for (name, text) in documents() {
        env.write(&name, &text);
        let checked = env.run(["policy", "check", &name]);
        let verdict = if checked.code == Some(0) { "is read" } else { "is refused" };
        said.push_str(&format!("{name} {verdict}\n"));
        said.extend(checked.stderr.lines().map(|line| format!("  {line}\n")));
    }
    assert_snapshot!(said, @r#"
    bare.json is read
    clouds.yaml is read
      warning: `*.googleapis.com` allows more than its owner's hosts: others can get a name there too; name the hosts that are meant if you can
      warning: `*.amazonaws.com` allows more than its owner's hosts: others can get a name there too; name the hosts that are meant if you can
      warning: `*.blob.core.windows.net` allows more than its owner's hosts: others can get a name there too; name the hosts that are meant if you can
    defaults.yaml is refused
      error: `defaults.yaml` line 5, column 9: there is no key `defaults` here
      hint: a rule allows what it says and nothing by default: take `defaults` out
    docker-bare.yaml is read
      warning: line 4, column 1: `runtime` has no effect here: it is for other sandboxes, and every component runs in the one that there is here, without any privilege or capability of the system
    docker.yaml is read
      warning: line 6, column 3: `runtime` has no effect here: it is for other sandboxes, and every component runs in the one that there is here, without any privilege or capability of the system
    ended.yaml is read
      warning: `api.forecast.example until 2020-01-01T00:00:00Z` has ended, and allows nothing
    every-host.yaml is refused
      error: `every-host.yaml` line 5, column 15: the `host` of the rule cannot be read: `*` has a wildcard that stands for no subdomains
      hint: write `*.example.com` for every name below `example.com`; no rule stands for all hosts
    every-method.yaml is refused
      error: `every-method.yaml` line 9, column 18: `*` is no method for a rule
      hint: leave `methods` out to mean all of them
    every-site.yaml is refused
      error: `every-site.yaml` line 5, column 15: `*.co.uk` would allow names that anybody can register
      hint: name the host, or the part that one owner has: `*.example.com`
    generated-bare.yaml is read
    generated.json is read
    generated.yaml is read
    ipc.yaml is refused
      error: `ipc.yaml` line 3, column 3: there is no key `ipc` here
      hint: components have no way to speak with one another: take `ipc` out
    limits.yaml is read
    methods-in-one.yaml is refused
      error: `methods-in-one.yaml` line 6, column 18: `methods` is a list, not a text
      hint: write `methods: ["GET", "HEAD"]`
    misspelled-method.yaml is read
      warning: `DELET` is a method that few servers know; did you mean `DELETE`?
    older-resources.yaml is refused
      error: `older-resources.yaml` line 4, column 5: there is no key `memory` here
      hint: a number without a unit could be MB or MiB: write `limits: { memory: "512Mi" }`
    other-workspace.yaml is read
      warning: `fs://project/out`: there is no workspace `project` here, so the rule allows nothing; start the server with `--workspace project=PATH`
      warning: `fs://Workspace/sec/id.pem`: there is no workspace `Workspace` here, so nobody knows what it denies, and no file is open; did you mean `fs://workspace/…`? Else start the server with `--workspace Workspace=PATH`
    pages.yaml is read
      warning: `*.github.io` allows more than its owner's hosts: others can get a name there too; name the hosts that are meant if you can
    plain-path.yaml is refused
      error: `plain-path.yaml` line 5, column 14: `/tmp/cache` does not begin with `fs://`
      hint: write `fs:///tmp/cache`
    schema-at-the-end.yaml is read
    texts.yaml is refused
      error: `texts.yaml` line 5, column 9: a rule of `allow` is a map, not a text
      hint: write `- host: "api.forecast.example"`
    value-from.yaml is refused
      error: `value-from.yaml` line 6, column 9: there is no key `value_from` here
      hint: a policy does not say where values lie: set the value with `wassette secret set`, or write `value_from` in a manifest
    variables-denied.yaml is refused
      error: `variables-denied.yaml` line 5, column 5: there is no key `deny` here
      hint: no variable is passed but those of `allow`: take `deny` out
    version-1.1.yaml is read
    yes.yaml is refused
      error: `yes.yaml` line 6, column 18: `private` is `true` or `false`, not a text
      hint: write `true`
    "#);
}

/// What is set is printed without what has no effect, and is the same policy again.
#[test]
fn what_is_set_is_printed_as_a_policy_of_ours() {
    let env = with_guests(&["add"]);
    for (name, text) in documents() {
        let Ok(policy) = Policy::parse(&text) else { continue };
        env.write(&name, &text);
        let set = env.run(["policy", "set", "add", &name, "--yes"]);
        assert_eq!(set.code, Some(0), "{name}: {set}");
        let printed = env.run(["policy", "get", "add", "-o", "yaml"]).success().stdout;
        assert!(!printed.contains("schema") && !printed.contains("docker"), "{name}: {printed}");
        let now = std::time::SystemTime::now();
        assert_eq!(Policy::parse(&printed), Ok(policy.at(now)), "{name}");
        let ignored = Document::parse(&text).unwrap().ignored;
        assert_eq!(set.stderr.matches("warning: ").count(), ignored.len(), "{name}: {set}");
    }
}

/// What comes beside a component for other programs is asked for, and told about, when it is loaded.
#[test]
fn a_sidecar_of_others_is_told_about() {
    let env = empty();
    env.guest("add");
    env.write(
        "add.policy.yaml",
        "$schema: x\nversion: \"1.1\"\npermissions:\n  network:\n    allow:\n      - host: \"*.github.io\"\n  runtime:\n    docker: {}\n",
    );
    let loaded = env.run(["component", "load", "add.wasm"]).success();
    assert_snapshot!(loaded.stderr, @"
    warning: in what it asks for: line 7, column 3: `runtime` has no effect here: it is for other sandboxes, and every component runs in the one that there is here, without any privilege or capability of the system
    warning: in what it asks for: `*.github.io` allows more than its owner's hosts: others can get a name there too; name the hosts that are meant if you can
    nothing is granted to it; what it asks for can be granted with:
      wassette permission grant network add '*.github.io'
    ");
    let listed = env.run(["permission", "list", "add", "-o", "table"]).success();
    let (_, asks) = listed.stdout.split_once("ASKS FOR").unwrap();
    assert_snapshot!(asks, @"
      RULE
    network   *.github.io

    warning: line 7, column 3: `runtime` has no effect here: it is for other sandboxes, and every component runs in the one that there is here, without any privilege or capability of the system
    warning: `*.github.io` allows more than its owner's hosts: others can get a name there too; name the hosts that are meant if you can

    to grant it:
      wassette permission grant network add '*.github.io'
    ");
}

/// A ceiling is for every server: one that cannot be kept to starts none.
#[test]
fn denied_a_ceiling_that_cannot_be_kept_to() {
    let env = with_guests(&["add"]);
    env.write("ceiling.yaml", "storage: { deny: [{ uri: fs://Workspace/private }] }\n");
    env.write("config.toml", "ceiling = \"ceiling.yaml\"\n");
    let config = ["--config", "config.toml"];
    assert_snapshot!(env.run([&config[..], &["run"]].concat()), @"
    exit code: 1
    ----- stderr -----
    error: the ceiling denies `fs://Workspace/private`, and there is no workspace `Workspace`
    hint: did you mean `fs://workspace/…`? Else start the server with `--workspace Workspace=PATH`, or name it under `[workspaces]` in the configuration
    ");
    let there = ["run", "--workspace", "Workspace=."];
    assert_eq!(env.run([&config[..], &there].concat()).code, Some(0));
    // Who looks at the store is not kept from it.
    let _ = env.run([&config[..], &["component", "list"]].concat()).success();
}

#[test]
fn denied_grants_that_would_do_nothing_or_could_not_be_read_again() {
    let env = with_guests(&["add"]);
    let grant = |words: &[&str]| env.run([&["permission", "grant"][..], words].concat());
    assert_snapshot!(grant(&["network", "add", "a.example", "--methods", "*"]), @"
    exit code: 2
    ----- stderr -----
    error: `*` is no method for a rule
    hint: leave `methods` out to mean all of them
    ");
    assert_snapshot!(grant(&["network", "add", "a.example", "--ports", "90-80"]), @"
    exit code: 2
    ----- stderr -----
    error: `90-80` is no port
    hint: a range begins with its lower port
    ");
    assert_snapshot!(grant(&["network", "add", "a.example", "--paths", "v1/**"]), @"
    exit code: 2
    ----- stderr -----
    error: `v1/**` is no path for a rule
    hint: a path begins with `/`
    ");
    assert_snapshot!(grant(&["storage", "add", "fs:///usr ", "--access", "read"]), @"
    exit code: 2
    ----- stderr -----
    error: `fs:///usr ` has a blank where a name begins or ends
    hint: take it out; in a name that really has it, `?` stands for that character
    ");
    assert_snapshot!(grant(&["environment-variable", "add", "KEY", "--value", "${TOKEN}"]), @"
    exit code: 2
    ----- stderr -----
    error: the value holds a `${`, which nothing replaces here
    hint: leave `value` out: the component's secret of that name is its value, or the operator's
    ");
    assert_eq!(env.run(["policy", "get", "add"]).success().json()["status"], "no policy found");
    assert_snapshot!(grant(&["network", "add", "*.googleapis.com"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "permission granted successfully",
      "component_id": "add",
      "permission_type": "network",
      "details": {
        "host": "*.googleapis.com",
        "rule": "*.googleapis.com"
      },
      "changes": [
        "+ allow network *.googleapis.com"
      ]
    }
    ----- stderr -----
    warning: `*.googleapis.com` allows more than its owner's hosts: others can get a name there too; name the hosts that are meant if you can
    "#);
    assert_snapshot!(grant(&["network", "add", "b.example", "--methods", "DELET"]).stderr, @"warning: `DELET` is a method that few servers know; did you mean `DELETE`?");
}
