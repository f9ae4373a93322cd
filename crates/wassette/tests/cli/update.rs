//! `component update`, `accept`, `reject`, `rollback`, `lock`: which version is in force.

use insta::assert_snapshot;
use serde_json::{Value, json};
use wassette_testkit::{FakeRegistry, TestEnv, compiled};

use crate::terminal::Terminal;
use crate::{printed, with_registry};

/// A registry with `tools/thing`, and an environment in which it is loaded.
fn with_thing() -> (TestEnv, FakeRegistry, String) {
    let registry = FakeRegistry::start();
    registry.put_component("tools/thing", "latest", &compiled("add"));
    let env = with_registry(&registry);
    let reference = registry.reference("tools/thing", "latest");
    let _ = env.run(["component", "load", &reference]).success();
    (env, registry, reference)
}

fn publish(registry: &FakeRegistry, guest: &str) {
    registry.put_component("tools/thing", "latest", &compiled(guest));
}

fn component(env: &TestEnv) -> Value {
    env.run(["component", "list"]).success().json()["components"][0].clone()
}

fn tools(env: &TestEnv) -> Vec<String> {
    let component = component(env);
    let tools = component["tools"].as_array().unwrap().iter();
    tools.map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_not_newer_is_left_alone() {
    let (env, _registry, _) = with_thing();
    assert_snapshot!(env.run(["component", "update", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    ID     UPDATE      NEW DIGEST
    thing  up to date
    ");
    assert_eq!(env.run(["component", "update", "nothing"]).code, Some(1));
}

#[test]
fn a_look_changes_nothing() {
    let (env, registry, _) = with_thing();
    publish(&registry, "strings");
    let before = component(&env);
    let look = env.run(["component", "update", "--check", "-o", "table"]);
    assert_snapshot!(printed(&look, &registry), @"
    exit code: 0
    ----- stdout -----
    ID     UPDATE         NEW DIGEST
    thing  a new version  sha256:[DIGEST]
    ----- stderr -----
    a new version of `thing`:
      digest: sha256:[DIGEST] → sha256:[DIGEST]
      tool removed: add
      tool added: echo
      tool added: greet
      no longer exports: add
      now exports: echo
      now exports: greet
    warning: `oci://localhost:[PORT]/tools/thing:latest` is not verified: no rule says whose signature counts for it
    ");
    assert_eq!(component(&env), before);
    assert_eq!(env.run(["component", "accept", "thing"]).code, Some(1), "nothing waits");
}

#[test]
fn a_yes_puts_it_in_force_and_back_again() {
    let (env, registry, _) = with_thing();
    publish(&registry, "strings");
    let updated = env.run(["component", "update", "--yes"]).success();
    assert!(!updated.stderr.contains("tool added"), "it is told once: {updated}");
    let updated = &updated.json()["components"][0];
    assert_eq!(updated["status"], "updated");
    assert_eq!(updated["difference"]["tools_added"], json!(["echo", "greet"]));
    assert_eq!(tools(&env), ["echo", "greet"]);
    let back = env.run(["component", "rollback", "thing", "-o", "table"]).success();
    assert!(back.stdout.contains("add(a: s32, b: s32) -> s32"), "{back}");
    assert_eq!(tools(&env), ["add"]);
}

#[test]
fn where_nobody_can_be_asked_it_waits() {
    let (env, registry, _) = with_thing();
    publish(&registry, "strings");
    let waits = env.run(["component", "update", "thing", "-o", "table"]);
    assert_snapshot!(printed(&waits, &registry), @"
    exit code: 1
    ----- stdout -----
    ID     UPDATE   NEW DIGEST
    thing  waiting  sha256:[DIGEST]
    ----- stderr -----
    a new version of `thing`:
      digest: sha256:[DIGEST] → sha256:[DIGEST]
      tool removed: add
      tool added: echo
      tool added: greet
      no longer exports: add
      now exports: echo
      now exports: greet
    warning: `oci://localhost:[PORT]/tools/thing:latest` is not verified: no rule says whose signature counts for it
    error: new versions wait: `thing`
    hint: `wassette component accept ID` puts one in force, `wassette component reject ID` throws it away; `--yes` accepts them all
    ");
    assert_eq!(tools(&env), ["add"]);
    assert!(component(&env).get("waiting").is_some(), "{}", component(&env));
    let table = env.run(["component", "list", "-o", "table"]).success();
    assert!(table.stdout.contains("\n\nWAITING"), "{table}");
    assert!(table.stdout.contains("wassette component update thing"), "{table}");
    let digest = format!("sha256:{}", "0".repeat(64));
    let other = env.run(["component", "accept", "thing", "--digest", &digest]);
    assert_eq!(other.code, Some(1), "{other}");
    assert_eq!(tools(&env), ["add"]);
    let _ = env.run(["component", "accept", "thing"]).success();
    assert_eq!(tools(&env), ["echo", "greet"]);
}

#[test]
fn a_person_at_a_terminal_is_shown_it_and_asked() {
    let (env, registry, _) = with_thing();
    publish(&registry, "strings");
    for (answer, code, after) in [("n", true, vec!["add"]), ("y", true, vec!["echo", "greet"])] {
        let mut terminal = Terminal::new();
        let child = terminal.start(&env, &["component", "update", "thing"]);
        let seen = terminal.shows("put this version of `thing` in force? [y/N] ");
        assert!(seen.contains("tool removed: add"), "{seen}");
        terminal.types(answer);
        assert_eq!(child.wait_with_output().unwrap().status.success(), code);
        assert_eq!(tools(&env), after);
    }
    assert!(component(&env).get("waiting").is_none());
}

#[test]
fn denied_a_load_that_changes_known_tools_until_a_person_accepts_it() {
    let (env, registry, reference) = with_thing();
    publish(&registry, "strings");
    let waits = env.run(["component", "load", &reference, "-o", "table"]);
    assert_snapshot!(printed(&waits, &registry), @"
    exit code: 1
    ----- stdout -----
    new version waits to be accepted: thing
    ----- stderr -----
    warning: `oci://localhost:[PORT]/tools/thing:latest` is not verified: no rule says whose signature counts for it
    error: a new version of `thing` waits until somebody has looked at it, and the old one serves
      digest: sha256:[DIGEST] → sha256:[DIGEST]
      tool removed: add
      tool added: echo
      tool added: greet
      no longer exports: add
      now exports: echo
      now exports: greet
    hint: `wassette component accept thing --digest sha256:[DIGEST]` puts it in force, `wassette component reject thing` throws it away
    ");
    assert_eq!(tools(&env), ["add"]);
    let rejected = env.run(["component", "reject", "thing", "-o", "table"]).success();
    assert_eq!(rejected.stdout, "update rejected successfully: thing\n");
    assert_eq!(env.run(["component", "accept", "thing"]).code, Some(1));
    let _ = env.run(["component", "load", &reference, "--accept-changes"]).success();
    assert_eq!(tools(&env), ["echo", "greet"]);
}

#[test]
fn denied_r09_a_tag_that_moved_since_it_was_locked() {
    let (env, registry, reference) = with_thing();
    let printed = env.run(["component", "lock"]).success();
    let _ = env.run(["component", "lock", "--export", "project.lock"]).success();
    let written = std::fs::read_to_string(env.work_dir().join("project.lock")).unwrap();
    assert_eq!(printed.stdout, written);
    let locked = ["component", "load", &reference, "--locked"];
    let with_file = [&locked[..], &["--lock-file", "project.lock"]].concat();
    let _ = env.run(locked).success();
    let _ = env.run(&with_file).success();

    let old: Value = serde_json::from_str(&written).unwrap();
    let old = old["components"][0]["resolved"].as_str().unwrap().to_owned();
    let new = registry.put_component("tools/thing", "latest", &compiled("strings"));
    for arguments in [&locked[..], &with_file[..]] {
        let refused = env.run([arguments, &["--accept-changes"]].concat());
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains(&old) && refused.stderr.contains(&new), "{refused}");
        assert_eq!(tools(&env), ["add"]);
    }
    env.write("broken.lock", "{}");
    let broken =
        env.run(["component", "load", &reference, "--locked", "--lock-file", "broken.lock"]);
    assert_eq!(broken.code, Some(1), "{broken}");
}

#[test]
fn one_source_that_is_down_does_not_hold_the_others_up() {
    let (env, registry, _) = with_thing();
    let other = FakeRegistry::start();
    other.put_component("tools/other", "latest", &compiled("strings"));
    let reference = other.reference("tools/other", "latest");
    let _ = env.run(["component", "load", &reference, "--plain-http"]).success();
    drop(registry);
    env.configure("[load]\nattempts = 1\n");
    let updated = env.run(["component", "update", "--plain-http"]);
    assert_eq!(updated.code, Some(1), "{updated}");
    let components = updated.json()["components"].clone();
    assert_eq!(components[0]["status"], "up-to-date");
    assert_eq!(components[1]["status"], "failed");
    assert!(updated.stderr.contains("`thing`"), "{updated}");
}
