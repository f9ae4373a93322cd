//! The configuration file.

use insta::assert_snapshot;

use crate::{empty, with_guests};

#[test]
fn a_bad_file_is_refused_with_line_column_and_cure() {
    let env = empty();
    env.configure("component_dri = \"x\"\n");
    assert_snapshot!(env.run(["tool", "list"]), @"
    exit code: 1
    ----- stderr -----
    error: `[HOME]/.config/wassette/config.toml` line 1, column 1: there is no key `component_dri`
    hint: did you mean `component_dir`?
    ");
    env.configure("show_output = true\n\n[limits]\n  memory = \"256 MB\"\n");
    assert_snapshot!(env.run(["tool", "list"]), @"
    exit code: 1
    ----- stderr -----
    error: `[HOME]/.config/wassette/config.toml` line 4, column 12: the limit `memory` cannot be set
    hint: `256 MB` is not an amount of memory: write a whole number with a unit of Kubernetes, such as `512Ki`, `256Mi` or `1Gi`
    ");
    env.configure("[limits\n");
    assert_snapshot!(env.run(["run"]), @r#"
    exit code: 1
    ----- stderr -----
    error: `[HOME]/.config/wassette/config.toml` line 1, column 8: unclosed table, expected `]`
    hint: the file is written in TOML, such as `bind_address = "127.0.0.1:9001"`
    "#);
}

#[test]
fn a_ceiling_that_would_end_is_refused() {
    let env = empty();
    env.configure("ceiling = \"ceiling.yaml\"\n");
    let ceiling = env.home().join(".config/wassette/ceiling.yaml");
    for rules in [
        "storage: { allow: [{ uri: 'fs:///usr', access: [read], until: 2026-11-21T18:00:00Z }] }",
        "network: { allow: [{ host: a.example.com, until: 2199-11-21T18:00:00Z }] }",
        "environment: { allow: [{ key: A, until: 2199-11-21T18:00:00Z }] }",
    ] {
        std::fs::write(&ceiling, rules).unwrap();
        let refused = env.run(["tool", "list"]);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains("has a rule with `until`\nhint: take"), "{refused}");
    }
}

/// Were it passed over, secrets would lie in files of which their owner knows nothing.
#[cfg(not(feature = "keyring"))]
#[test]
fn a_keyring_that_this_build_does_not_know_is_refused() {
    let env = empty();
    env.configure("[secrets]\nstore = \"keyring\"\n");
    assert_snapshot!(env.run(["run"]), @r#"
    exit code: 1
    ----- stderr -----
    error: this build of Wassette knows no keyring, where `secrets.store` wants the secrets
    hint: build it with `--features keyring`, or write `store = "file"` in the configuration
    "#);
    let refused = env.run(["secret", "set", "weather", "KEY=x"]);
    assert!(refused.stderr.contains("knows no keyring"), "{refused}");
    env.configure("[secrets]\nstore = \"file\"\n");
    let _ = env.run(["tool", "list"]).success();
}

#[test]
fn a_file_that_is_named_must_be_there() {
    assert_snapshot!(empty().run(["tool", "list", "--config", "missing.toml"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot read the configuration `missing.toml`
      caused by: No such file or directory (os error 2)
    hint: `--config` and `WASSETTE_CONFIG_FILE` name the file that is read
    ");
}

#[test]
fn a_file_can_be_named_by_flag_and_by_variable() {
    let env = empty();
    let file = env.write("settings.toml", "limits = 1");
    let named = env.run(["tool", "list", "--config", "settings.toml"]);
    assert_eq!(named.code, Some(1), "{named}");
    let mut command = env.command(["tool", "list"]);
    let named = env.finish(command.env("WASSETTE_CONFIG_FILE", file));
    assert_eq!(named.code, Some(1), "{named}");
}

#[test]
fn the_verbs_that_need_no_settings_read_none() {
    let env = empty();
    env.configure("nonsense");
    let _ = env.run(["completion", "bash"]).success();
    let _ = env.run(["--version"]).success();
}

#[test]
fn a_limit_of_the_file_holds_for_calls() {
    let env = with_guests(&["strings"]);
    env.configure("[limits]\nargument-bytes = \"16\"\n");
    let long = format!(r#"{{"name": "{}"}}"#, "x".repeat(64));
    assert_snapshot!(env.run(["tool", "invoke", "greet", "--args", &long]), @"
    exit code: 1
    ----- stderr -----
    error: arguments.name: expected at most 16 bytes in all arguments, found more
    ");
}

#[test]
fn the_limit_of_names_holds_for_components_that_are_loaded() {
    let env = empty();
    env.configure("tool_name_limit = 16\n");
    let files = wassette_testkit::example("filesystem");
    let loaded = env.run(["component", "load", files.to_str().unwrap()]).success().json();
    for tool in loaded["tools"].as_array().unwrap() {
        assert!(tool["name"].as_str().unwrap().len() <= 16, "{tool}");
    }
}
