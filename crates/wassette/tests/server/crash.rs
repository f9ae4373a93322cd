//! Killed at any moment, the store holds the old state or the new.

use std::process::Stdio;
use std::time::Duration;

use wassette_testkit::compiled;

use crate::env;

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
