//! Killed at any moment, the store holds the old state or the new.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use wassette_testkit::{FakeRegistry, TestEnv, compiled, digest_of};

use crate::env;

/// How many updates are killed: 30, or as many as `CRASH_ROUNDS` says.
fn rounds() -> u32 {
    std::env::var("CRASH_ROUNDS").map_or(30, |rounds| rounds.parse().unwrap())
}

#[test]
fn a_load_that_is_killed_leaves_the_old_or_the_new() {
    let env = env();
    env.guest("add");
    let _ = env.run(["component", "load", "add.wasm"]).success();
    let (one, two) = (compiled("strings"), compiled("scalars"));
    let mut loaded = 0;
    for round in 0..40_u64 {
        env.write("other.wasm", if round % 2 == 0 { &one } else { &two });
        let mut child = env
            .command(["component", "load", "other.wasm"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if round < 39 {
            std::thread::sleep(Duration::from_millis(round * 3));
            // It may have ended by itself.
            let _ = child.kill();
        }
        child.wait().unwrap();
        let list = env.run(["component", "list", "-o", "json"]).success().json();
        assert!(list.get("problems").is_none(), "{list}");
        let components = list["components"].as_array().unwrap();
        assert!(components.iter().any(|component| component["id"] == "add"), "{list}");
        loaded = loaded.max(components.len());
        let _ = env.run(["tool", "invoke", "add", "--args", r#"{"a":1,"b":2}"#]).success();
    }
    assert_eq!(loaded, 2, "the load that was left to finish did not");
    let left = std::fs::read_dir(env.store_dir().join("tmp")).unwrap().count();
    let _ = env.run(["component", "unload", "add"]).success();
    let after = std::fs::read_dir(env.store_dir().join("tmp")).unwrap().count();
    assert_eq!(after, 0, "{left} temporary files were left and not cleaned up");
}

/// What is loaded, as the lock file says it.
fn locked(env: &TestEnv) -> Value {
    env.run(["component", "lock"]).success().json()
}

/// The digest of the component `x`.
fn digest_of_x(env: &TestEnv) -> String {
    let lock = locked(env);
    let components = lock["components"].as_array().unwrap();
    let found = components.iter().find(|component| component["id"] == "x");
    found.unwrap_or_else(|| panic!("no `x` in {lock}"))["sha256"].as_str().unwrap().to_owned()
}

#[test]
fn an_update_from_a_registry_that_is_killed_leaves_the_old_or_the_new() {
    let (env, registry) = (env(), FakeRegistry::start());
    let states = [compiled("strings"), compiled("scalars")];
    let names = states.each_ref().map(|bytes| digest_of(bytes));
    env.guest("add");
    let _ = env.run(["component", "load", "add.wasm"]).success();
    registry.put_component("team/x", "1", &states[0]);
    let reference = registry.reference("team/x", "1");
    let _ = env.run(["component", "load", &reference, "--plain-http"]).success();
    let update = ["component", "update", "x", "--yes", "--plain-http"];

    // One that is left alone shows how long there is something to interrupt.
    registry.put_component("team/x", "1", &states[1]);
    let begin = Instant::now();
    let _ = env.run(update).success();
    let whole = begin.elapsed().max(Duration::from_millis(10));
    assert_eq!(digest_of_x(&env), names[1]);

    for round in 0..rounds() {
        let is = digest_of_x(&env);
        let next = usize::from(is == names[0]);
        registry.put_component("team/x", "1", &states[next]);
        let mut command = env.command(update);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * round / rounds());
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();

        let found = digest_of_x(&env);
        assert!(found == is || found == names[next], "{found} is neither {is} nor the next");
        let list = env.run(["component", "list", "-o", "json"]).success().json();
        assert!(list.get("problems").is_none(), "{list}");
        let _ = env.run(["tool", "invoke", "add", "--args", r#"{"a":1,"b":2}"#]).success();
    }

    let _ = env.run(update).success();
    let written = std::fs::read(env.store_dir().join("wassette.lock")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), locked(&env));
    assert_eq!(std::fs::read_dir(env.store_dir().join("tmp")).unwrap().count(), 0);
}

#[test]
fn a_load_from_a_registry_that_is_killed_leaves_nothing_or_all() {
    let (env, registry) = (env(), FakeRegistry::start());
    registry.put_component("team/x", "1", &compiled("add"));
    let reference = registry.reference("team/x", "1");
    let load = ["component", "load", &reference, "--plain-http"];
    let components = || {
        let list = env.run(["component", "list", "-o", "json"]).success().json();
        assert!(list.get("problems").is_none(), "{list}");
        list["components"].as_array().unwrap().clone()
    };

    // One that is left alone shows how long there is something to interrupt.
    let begin = Instant::now();
    let _ = env.run(load).success();
    let whole = begin.elapsed().max(Duration::from_millis(10));
    for round in 0..rounds() {
        if !components().is_empty() {
            let _ = env.run(["component", "unload", "x"]).success();
        }
        let mut command = env.command(load);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * round / rounds());
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
        match &components()[..] {
            [] => {}
            [one] => {
                assert_eq!(one["digest"], digest_of(&compiled("add")));
                let _ = env.run(["tool", "invoke", "add", "--args", r#"{"a":1,"b":2}"#]).success();
            }
            more => panic!("{more:?}"),
        }
    }
    let _ = env.run(load).success();
    assert_eq!(std::fs::read_dir(env.store_dir().join("tmp")).unwrap().count(), 0);
}
