//! `secret`.

use insta::assert_snapshot;
use wassette_testkit::{TestEnv, built};

use crate::{empty, with_guests};

fn with_env_guest() -> TestEnv {
    let env = empty();
    let _ = env.run(["component", "load", built("env").to_str().unwrap()]).success();
    env
}

#[test]
fn secrets_are_set_listed_and_deleted() {
    let env = with_guests(&["add"]);
    assert_snapshot!(env.run(["secret", "set", "add", "A=1", "B="]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "success",
      "component_id": "add",
      "message": "2 secrets set"
    }
    "#);
    assert_snapshot!(env.run(["secret", "list", "add"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "component_id": "add",
      "secrets": [
        {
          "key": "A"
        },
        {
          "key": "B"
        }
      ]
    }
    "#);
    assert_snapshot!(env.run(["secret", "list", "add", "--show-values", "--yes"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "component_id": "add",
      "secrets": [
        {
          "key": "A",
          "value": "1"
        },
        {
          "key": "B",
          "value": ""
        }
      ]
    }
    "#);
    assert_snapshot!(env.run(["secret", "list", "add", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    KEY
    A
    B
    ");
    assert_snapshot!(env.run(["secret", "delete", "add", "A", "C"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "success",
      "component_id": "add",
      "message": "1 secret deleted"
    }
    ----- stderr -----
    warning: `add` has no secret `C`
    "#);
    assert_snapshot!(env.run(["secret", "list", "add"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "component_id": "add",
      "secrets": [
        {
          "key": "B"
        }
      ]
    }
    "#);
}

#[test]
fn secrets_come_from_standard_input_too() {
    let env = with_guests(&["add"]);
    let input = "# keys\nA=1\n\nB=\"two words\"\n";
    let output = env.run_with_input(["secret", "set", "add", "--stdin"], input).success();
    assert_eq!(output.json()["message"], "2 secrets set");
    let list = env.run(["secret", "list", "add", "--show-values", "--yes"]).success().json();
    assert_eq!(list["secrets"][1]["value"], "two words");
    let both = env.run_with_input(["secret", "set", "add", "A=1", "--stdin"], input);
    assert_eq!(both.code, Some(2), "{both}");
}

#[test]
fn denied_secret_values_to_whoever_is_not_a_person() {
    let env = with_guests(&["add"]);
    let _ = env.run(["secret", "set", "add", "A=CANARY"]).success();
    let shown = env.run_with_input(["secret", "list", "add", "--show-values"], "y\n");
    assert_snapshot!(shown, @"
    exit code: 1
    ----- stderr -----
    error: nobody is there to be asked: show the values of the secrets of `add`?
    hint: run it on a terminal, or say `--yes`
    ");
}

#[test]
fn what_is_no_secret_is_refused_and_not_shown() {
    let env = with_guests(&["add"]);
    assert_snapshot!(env.run(["secret", "set", "add", "A=1", "CANARY"]), @"
    exit code: 2
    ----- stderr -----
    error: the secret number 2 cannot be taken: there is no `=`
    hint: write `KEY=VALUE`, or give `--stdin` and a `KEY=VALUE` on each line of standard input
    ");
    assert_snapshot!(env.run(["secret", "set", "add", "=CANARY"]), @"
    exit code: 2
    ----- stderr -----
    error: the secret number 1 cannot be taken: there is no name before `=`
    hint: write `KEY=VALUE`, or give `--stdin` and a `KEY=VALUE` on each line of standard input
    ");
    let stdin = |input: &str| env.run_with_input(["secret", "set", "add", "--stdin"], input);
    assert_snapshot!(stdin("A=1\nCANARY\n"), @"
    exit code: 2
    ----- stderr -----
    error: the secret on line 2 of standard input cannot be taken: there is no `=`
    hint: write `KEY=VALUE`, or give `--stdin` and a `KEY=VALUE` on each line of standard input
    ");
    assert_snapshot!(stdin("A=\"CANARY\n"), @"
    exit code: 2
    ----- stderr -----
    error: the secret on line 1 of standard input cannot be taken: the quote before the value is not closed behind it
    hint: write `KEY=VALUE`, or give `--stdin` and a `KEY=VALUE` on each line of standard input
    ");
    assert_snapshot!(stdin("\n"), @"
    exit code: 2
    ----- stderr -----
    error: the secret on standard input cannot be taken: there is none
    hint: write `KEY=VALUE`, or give `--stdin` and a `KEY=VALUE` on each line of standard input
    ");
    assert_eq!(
        env.run(["secret", "list", "add"]).success().json()["secrets"],
        serde_json::json!([])
    );
}

/// The row E03 of the battery, at the command line: a value goes in and never comes out, whatever
/// is asked, however loudly it is logged.
#[test]
fn denied_e03_secret_values_in_every_output() {
    let env = with_env_guest();
    env.configure("[audit]\nlevel = \"all\"\n");
    let mut said = Vec::new();
    said.push(env.run(["secret", "set", "env", "TOKEN=CANARY-4711", "-v"]).success());
    said.push(
        env.run(["permission", "grant", "environment-variable", "env", "TOKEN", "-v"]).success(),
    );
    for arguments in [
        &["secret", "list", "env"][..],
        &["secret", "list", "env", "-o", "table"],
        &["permission", "list", "env"],
        &["permission", "list", "env", "-o", "table"],
        &["policy", "get", "env"],
        &["policy", "get", "env", "-o", "yaml"],
        &["policy", "explain", "env", "variable", "TOKEN"],
        &["inspect", "env"],
        &["component", "list"],
        &["tool", "list"],
        &["secret", "set", "env", "CANARY-4711"],
        &["secret", "delete", "env", "OTHER"],
        &["tool", "invoke", "list-variables"],
        &["tool", "invoke", "read-variable", "--args", r#"{"name": "TOKEN"}"#],
        &["audit", "show"],
        &["audit", "show", "-o", "table"],
    ] {
        let mut command = env.command([arguments, &["-v"]].concat());
        said.push(env.finish(command.env("RUST_LOG", "trace,wasmtime=off,cranelift_codegen=off")));
    }
    let told = env.run(["tool", "invoke", "list-variables", "-o", "table"]).success();
    assert!(told.stdout.contains("TOKEN"), "the component sees the variable: {told}");
    for output in &said {
        assert!(!output.stdout.contains("4711"), "{output}");
        assert!(!output.stderr.contains("4711"), "{output}");
    }
}
