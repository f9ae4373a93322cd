//! `component export` and `component import`.

use wassette_testkit::FakeRegistry;

use crate::{empty, with_guests, with_registry};

#[test]
fn a_component_is_carried_to_another_store_without_a_network() {
    let env = with_guests(&["add"]);
    let exported = env.run(["component", "export", "add", "add.tar", "-o", "table"]).success();
    assert_eq!(exported.stdout, "component exported successfully: add.tar\n");
    let again = env.run(["component", "export", "add", "add.tar"]);
    assert_eq!(again.code, Some(1), "{again}");
    let _ = env.run(["component", "export", "add", "add.tar", "--overwrite"]).success();

    let other = empty();
    other.write("carried.tar", std::fs::read(env.work_dir().join("add.tar")).unwrap());
    let imported = other.run(["component", "import", "carried.tar", "--name", "sums"]).success();
    assert_eq!(imported.json()["id"], "sums");
    let five = other.run(["tool", "invoke", "add", "--args", r#"{"a": 2, "b": 3}"#]).success();
    assert_eq!(five.json()["result"], 5);
}

#[test]
fn denied_the_source_that_an_archive_claims_without_a_signature() {
    let registry = FakeRegistry::start();
    registry.put_component("tools/add", "latest", &wassette_testkit::compiled("add"));
    let env = with_registry(&registry);
    let reference = registry.reference("tools/add", "latest");
    let _ = env.run(["component", "load", &reference]).success();
    let _ = env.run(["component", "export", "add", "add.tar"]).success();
    let other = empty();
    other.write("add.tar", std::fs::read(env.work_dir().join("add.tar")).unwrap());
    let _ = other.run(["component", "import", "add.tar"]).success();
    let listed = other.run(["component", "list"]).success().json();
    let source = listed["components"][0]["source"].as_str().unwrap();
    assert!(source.starts_with("file://") && source.ends_with("/add.tar"), "{source}");
}

#[test]
fn denied_an_archive_the_place_of_known_tools_unseen() {
    let env = with_guests(&["add", "strings"]);
    for id in ["add", "strings"] {
        let _ = env.run(["component", "export", id, &format!("{id}.tar")]).success();
    }
    let other = empty();
    let carry = |name: &str| {
        other.write("tool.tar", std::fs::read(env.work_dir().join(name)).unwrap());
    };
    carry("add.tar");
    let _ = other.run(["component", "import", "tool.tar"]).success();
    carry("strings.tar");
    let waits = other.run(["component", "import", "tool.tar"]);
    assert_eq!(waits.code, Some(1), "{waits}");
    assert!(waits.stderr.contains("tool removed: add"), "{waits}");
    let five = other.run(["tool", "invoke", "add", "--args", r#"{"a": 2, "b": 3}"#]).success();
    assert_eq!(five.json()["result"], 5);
    let _ = other.run(["component", "import", "tool.tar", "--accept-changes"]).success();
}

#[test]
fn what_is_no_archive_or_no_component_is_refused() {
    let env = empty();
    env.write("x.tar", "not one");
    for arguments in [["component", "import", "x.tar"], ["component", "import", "missing.tar"]] {
        let refused = env.run(arguments);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains(arguments[2]), "{refused}");
    }
    assert_eq!(env.run(["component", "export", "nothing", "x2.tar"]).code, Some(1));
    assert!(!env.work_dir().join("x2.tar").exists());
}
