//! `--env`, `--env-file` and `--workspace`.

use insta::assert_snapshot;
use wassette_testkit::{TestEnv, built};

use crate::{empty, with_guests};

fn with_env_guest(keys: &[&str]) -> TestEnv {
    let env = empty();
    let _ = env.run(["component", "load", built("env").to_str().unwrap()]).success();
    for key in keys {
        let grant = ["permission", "grant", "environment-variable", "env", key];
        let _ = env.run(grant).success();
    }
    env
}

fn value(env: &TestEnv, name: &str, flags: &[&str]) -> serde_json::Value {
    let arguments = serde_json::json!({ "name": name }).to_string();
    let call = ["tool", "invoke", "read-variable", "--args", &arguments];
    let mut command = env.command([&call[..], flags].concat());
    env.finish(command.env("A", "process")).success().json()["result"].clone()
}

#[test]
fn a_variable_comes_from_the_nearest_of_its_sources() {
    let env = with_env_guest(&["A"]);
    env.write("vars", "A=file\n");
    assert_eq!(value(&env, "A", &[]), "process");
    env.configure("[environment]\nA = \"configuration\"\n");
    assert_eq!(value(&env, "A", &[]), "configuration");
    assert_eq!(value(&env, "A", &["--env-file", "vars"]), "file");
    assert_eq!(value(&env, "A", &["--env-file", "vars", "--env", "A=flag"]), "flag");
    let _ = env.run(["secret", "set", "env", "A=secret-of-length"]).success();
    // The component sees the secret, and whoever reads its answer does not.
    let masked = value(&env, "A", &["--env", "A=flag"]);
    assert!(masked != "flag" && masked != "secret-of-length", "{masked}");
}

#[test]
fn denied_variables_that_no_policy_lists() {
    let env = with_env_guest(&["A"]);
    assert_eq!(value(&env, "B", &["--env", "B=1"]), serde_json::Value::Null);
    assert_eq!(value(&env, "PATH", &[]), serde_json::Value::Null);
}

#[test]
fn a_variable_that_was_given_for_nothing_is_told_with_the_grant() {
    let env = with_env_guest(&["A"]);
    let call = ["tool", "invoke", "read-variable", "--args", r#"{"name": "B"}"#];
    let flags = ["--env", "A=1", "--env", "B=canary", "-o", "table"];
    assert_snapshot!(env.run([&call[..], &flags].concat()), @"
    exit code: 0
    ----- stdout -----
    null
    ----- stderr -----
    warning: component `env` is not given `B`: no rule lists it
    hint: to give it: wassette permission grant environment-variable env B
    ");
}

#[test]
fn a_file_of_variables_that_cannot_be_read_is_refused_with_its_line() {
    let env = with_guests(&["add"]);
    let run = |text: &str| {
        env.write("vars", text);
        env.run(["run", "--env-file", "vars"])
    };
    assert_snapshot!(run("A=1\nCANARY\n"), @"
    exit code: 1
    ----- stderr -----
    error: `vars` line 2: there is no `=`
    hint: write `KEY=VALUE` on each line, without `export`; a line for people begins with `#`
    ");
    assert_snapshot!(run("A=1\n\nexport B=CANARY\n"), @"
    exit code: 1
    ----- stderr -----
    error: `vars` line 3: what stands before `=` is not the name of a variable
    hint: write `KEY=VALUE` on each line, without `export`; a line for people begins with `#`
    ");
    assert_snapshot!(run("A='CANARY\n"), @"
    exit code: 1
    ----- stderr -----
    error: `vars` line 1: the quote before the value is not closed behind it
    hint: write `KEY=VALUE` on each line, without `export`; a line for people begins with `#`
    ");
    assert_snapshot!(run("A=1\nA=CANARY\n"), @"
    exit code: 1
    ----- stderr -----
    error: `vars` line 2: the variable was set above already
    hint: write `KEY=VALUE` on each line, without `export`; a line for people begins with `#`
    ");
    assert_snapshot!(env.run(["serve", "--env-file", "missing"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot read the variables in `missing`
      caused by: No such file or directory (os error 2)
    ");
    assert_snapshot!(env.run(["tool", "invoke", "add", "--env", "CANARY"]), @"
    exit code: 2
    ----- stderr -----
    error: `--env` number 1 is not a variable: there is no `=`
    hint: write it as `--env KEY=VALUE`
    ");
}

#[test]
fn a_workspace_that_cannot_be_is_refused() {
    let env = with_guests(&["add"]);
    assert_snapshot!(env.run(["run", "--workspace", "a b=."]), @"
    exit code: 2
    ----- stderr -----
    error: `a b` is not a name for a workspace
    hint: a name is made of letters, digits, `-` and `_`, such as `--workspace docs=/srv/docs`; a path with `=` in it needs a name before it
    ");
    assert_snapshot!(env.run(["run", "--workspace", "docs=missing"]), @"
    exit code: 1
    ----- stderr -----
    error: the workspace `docs` cannot be `[WORK]/missing`
      caused by: No such file or directory (os error 2)
    hint: name a folder that is there
    ");
}
