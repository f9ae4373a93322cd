//! `component load` from a registry.

use std::process::Stdio;

use insta::assert_snapshot;
use wassette_testkit::{Access, Answer, FakeRegistry, compiled};

use crate::terminal::Terminal;
use crate::{empty, printed, with_registry};

#[test]
fn a_component_comes_from_a_registry_and_is_known_by_its_repository() {
    let registry = FakeRegistry::start();
    let manifest = registry.put_component("tools/add", "1.0.0", &compiled("add"));
    let env = with_registry(&registry);
    let reference = registry.reference("tools/add", "1.0.0");
    let loaded = env.run(["component", "load", &reference, "-o", "table"]);
    assert_snapshot!(printed(&loaded, &registry), @"
    exit code: 0
    ----- stdout -----
    component loaded successfully: add

    TOOL  FUNCTION
    add   add(a: s32, b: s32) -> s32
    ----- stderr -----
    warning: `oci://localhost:[PORT]/tools/add:1.0.0` is not verified: no rule says whose signature counts for it
    ");
    let listed = env.run(["component", "list"]).success().json();
    let component = &listed["components"][0];
    assert_eq!(component["source"], format!("oci://{}/tools/add", registry.host()));
    assert_eq!(component["origin"]["reference"], reference);
    assert_eq!(component["origin"]["manifest"], manifest.as_str());
    let five = env.run(["tool", "invoke", "add", "--args", r#"{"a": 2, "b": 3}"#]).success();
    assert_eq!(five.json()["result"], 5);

    // The second time the bytes are there already.
    let blobs = registry.count("GET", "/blobs/");
    let again = env.run(["component", "load", &reference, "-o", "table"]).success();
    assert!(again.stdout.starts_with("component already loaded: add"), "{again}");
    assert_eq!(registry.count("GET", "/blobs/"), blobs);
}

#[test]
fn a_name_and_a_digest_are_chosen() {
    let registry = FakeRegistry::start();
    let manifest = registry.put_component("tools/add", "latest", &compiled("add"));
    let env = with_registry(&registry);
    let reference = format!("oci://{}/tools/add", registry.host());
    let load = |digest: &str| {
        env.run(["component", "load", &reference, "--name", "sums", "--digest", digest])
    };
    let other = format!("sha256:{}", "0".repeat(64));
    let refused = load(&other);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains(&other) && refused.stderr.contains(&manifest), "{refused}");
    assert_eq!(env.run(["component", "list"]).success().json()["total"], 0);
    assert_eq!(load(&manifest).success().json()["id"], "sums");
    for wrong in [["--digest", "abc"], ["--name", "a/b"], ["--lock-file", "x"]] {
        let refused = env.run([&["component", "load", &reference][..], &wrong[..]].concat());
        assert_eq!(refused.code, Some(2), "{refused}");
    }
}

#[test]
fn a_package_is_found_by_the_configuration_of_wkg() {
    let registry = FakeRegistry::start();
    for tag in ["1.0.0", "1.1.0", "2.0.0-rc.1"] {
        registry.put_component("tools/add", tag, &compiled("add"));
    }
    let env = with_registry(&registry);
    let unknown = env.run(["component", "load", "tools:add"]);
    assert_eq!(unknown.code, Some(1), "{unknown}");
    let file = env.home().join(".config/wasm-pkg/config.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let text = format!("[namespace_registries]\ntools = \"{}\"\n", registry.host());
    std::fs::write(file, &text).unwrap();
    let reference = || {
        let listed = env.run(["component", "list"]).success().json();
        listed["components"][0]["origin"]["reference"].as_str().unwrap().to_owned()
    };
    let _ = env.run(["component", "load", "tools:add@1.0.0"]).success();
    assert!(reference().contains("1.0.0"), "{}", reference());
    let _ = env.run(["component", "load", "tools:add"]).success();
    assert_eq!(registry.count("GET", "/manifests/1.1.0"), 1);
    assert_eq!(registry.count("GET", "2.0.0-rc.1"), 0);

    let other = env.write("wkg.toml", "[namespace_registries]\n");
    let mut command = env.command(["component", "load", "tools:add"]);
    let unknown = env.finish(command.env("WKG_CONFIG_FILE", other));
    assert_eq!(unknown.code, Some(1), "{unknown}");
}

#[test]
fn a_reference_without_its_scheme_is_met_with_the_right_one() {
    let env = empty();
    let refused = env.run(["component", "load", "registry.example.com/tools/add:1.0.0"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("`oci://host/repository:tag`"), "{refused}");
}

#[test]
fn nothing_comes_without_tls_unless_somebody_says_so() {
    let registry = FakeRegistry::start();
    registry.put_component("tools/add", "latest", &compiled("add"));
    let env = empty();
    let reference = registry.reference("tools/add", "latest");
    let refused = env.run(["component", "load", &reference]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("needs `--plain-http`"), "{refused}");
    let _ = env.run(["component", "load", &reference, "--plain-http"]).success();
    env.configure("[load]\nplain_http = true\n");
    let _ = env.run(["component", "load", &reference]).success();
}

#[test]
fn who_waits_at_a_terminal_sees_how_it_goes_and_nobody_else_does() {
    let registry = FakeRegistry::start();
    registry.put_component("tools/add", "latest", &compiled("add"));
    let env = with_registry(&registry);
    let reference = registry.reference("tools/add", "latest");
    let mut terminal = Terminal::new();
    let child = terminal.start(&env, &["component", "load", &reference]);
    terminal.shows("fetching ");
    terminal.shows("compiling ");
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success());
    assert!(String::from_utf8_lossy(&ended.stdout).contains("loaded successfully"));
    // The line is gone when it is over.
    let seen = terminal.rest();
    let left = seen.rsplit("\u{1b}[2K").next().unwrap();
    assert!(!left.contains("compiling") && !left.contains("installing"), "{seen:?}");

    let terminal = Terminal::new();
    let child = terminal.start(&env, &["component", "update", "add", "--quiet"]);
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(terminal.rest(), "");
    let mut command = env.command(["component", "load", reference.as_str()]);
    let piped = env.finish(command.stdin(Stdio::null()));
    assert!(!piped.stderr.contains("fetching"), "{piped}");
}

#[test]
fn a_registry_that_says_no_is_told_of_in_its_own_words() {
    let registry = FakeRegistry::start();
    let env = with_registry(&registry);
    let reference = registry.reference("tools/add", "1.0.0");
    let missing = env.run(["component", "load", &reference]);
    assert_snapshot!(printed(&missing, &registry), @"
    exit code: 1
    ----- stderr -----
    error: `localhost:[PORT]` knows nothing of `tools/add:1.0.0`: a registry of a test says so (MANIFEST_UNKNOWN)
    hint: check the repository and the tag; what is private may be hidden from who has not logged in
    ");
    let said = |words: &str| {
        let refused = env.run(["component", "load", &reference]);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains(words), "{words}: {refused}");
    };
    registry.fail("/v2/", 100, Answer::Page { status: 403, headers: Vec::new(), body: Vec::new() });
    said("denies");
    registry.heal();
    registry.set_access(Access::basic("me", "x"));
    said("login");
    assert_eq!(env.run(["component", "list"]).success().json()["total"], 0);
}
