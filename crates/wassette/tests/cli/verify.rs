//! `component push --sign-key` and `[verify]`: signatures, from the key to the refusal.

use rcgen::KeyPair;
use wassette_testkit::{FakeRegistry, TestEnv};

use crate::{empty, without_tls};

/// An environment with a component, a key in `key.pem` and a rule that its signature is needed.
fn with_rule(registry: &FakeRegistry) -> TestEnv {
    let env = empty();
    env.guest("add");
    let key = KeyPair::generate().unwrap();
    env.write("key.pem", key.serialize_pem());
    env.write("other.pem", KeyPair::generate().unwrap().serialize_pem());
    let public = env.write("key.pub", key.public_key_pem());
    env.configure(&format!(
        "{}\n[verify.sources.\"{}/tools\"]\nkey = \"{}\"\n",
        without_tls(registry),
        registry.host(),
        public.display()
    ));
    env
}

#[test]
fn what_is_pushed_and_signed_is_loaded_where_that_is_required() {
    let registry = FakeRegistry::start();
    let env = with_rule(&registry);
    let reference = registry.reference("tools/add", "1.0.0");
    let push = ["component", "push", "add.wasm", &reference, "--sign-key", "key.pem"];
    let pushed = env.run(push).success().json();
    assert!(pushed["signer"].as_str().unwrap().starts_with("key sha256:"), "{pushed}");
    let loaded = env.run(["component", "load", &reference]).success();
    assert!(!loaded.stderr.contains("warning"), "{loaded}");
    let listed = env.run(["component", "list"]).success().json();
    assert_eq!(listed["components"][0]["origin"]["signer"], pushed["signer"]);
    let table = env.run(["inspect", "add", "-o", "table"]).success();
    assert!(table.stdout.contains("key sha256:"), "{table}");
}

#[test]
fn denied_r16_what_nobody_or_somebody_else_signed() {
    let registry = FakeRegistry::start();
    let env = with_rule(&registry);
    let reference = registry.reference("tools/add", "1.0.0");
    let load = || {
        let refused = env.run(["component", "load", &reference]);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert_eq!(env.run(["component", "list"]).success().json()["total"], 0);
        refused.stderr
    };
    let _ = env.run(["component", "push", "add.wasm", &reference]).success();
    let unsigned = load();
    let push = ["component", "push", "add.wasm", &reference, "--sign-key", "other.pem"];
    let _ = env.run(push).success();
    let another = load();
    assert!(unsigned.starts_with("error: ") && another.starts_with("error: "), "{unsigned}");
    assert_ne!(unsigned, another);
}

#[test]
fn what_no_rule_is_about_is_warned_of_allowed_or_refused() {
    let registry = FakeRegistry::start();
    let env = with_rule(&registry);
    let reference = registry.reference("others/add", "1.0.0");
    let _ = env.run(["component", "push", "add.wasm", &reference]).success();
    let load = |default: &str| {
        env.configure(&format!("{}\n[verify]\ndefault = \"{default}\"\n", without_tls(&registry)));
        env.run(["component", "load", &reference])
    };
    let refused = load("require");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(load("warn").success().stderr.contains("warning: "));
    assert!(!load("allow").success().stderr.contains("warning: "));
}

#[test]
fn a_key_that_is_none_is_refused_before_anything_is_sent() {
    let registry = FakeRegistry::start();
    let env = with_rule(&registry);
    let reference = registry.reference("tools/add", "1.0.0");
    for key in ["key.pub", "missing.pem", "add.wasm"] {
        let refused = env.run(["component", "push", "add.wasm", &reference, "--sign-key", key]);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains(key), "{refused}");
    }
    assert_eq!(registry.tags("tools/add"), [] as [&str; 0]);
    env.configure("[verify.sources.\"registry.example.com\"]\nkey = \"missing.pub\"\n");
    let refused = env.run(["component", "list"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("missing.pub"), "{refused}");
}
