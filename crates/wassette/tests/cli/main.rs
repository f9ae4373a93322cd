//! The binary as a user meets it: standard output, standard error and exit code of every verb and
//! of what can go wrong with it.
#![cfg(test)]

mod approvals;
mod archive;
mod audit;
mod completion;
mod component_list;
mod component_load;
mod component_unload;
mod configuration;
mod demo;
mod foreign_policies;
mod help;
mod help_permissions;
mod help_sources;
mod inspect;
mod learn;
mod manifest;
mod output;
mod permission;
mod permission_in_force;
mod pin;
mod policy;
mod policy_url;
mod registry;
mod registry_access;
mod run;
mod search;
mod secret;
mod serve;
mod surroundings;
mod terminal;
mod tool_invoke;
mod tool_list;
mod tool_read;
mod update;
mod verify;

use wassette_testkit::{CommandOutput, FakeRegistry, TestEnv};

/// An environment in which nothing is loaded.
fn empty() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_wassette"))
}

/// An environment in which the guests `names` are loaded.
fn with_guests(names: &[&str]) -> TestEnv {
    let env = empty();
    for name in names {
        env.guest(name);
        let file = format!("{name}.wasm");
        let _ = env.run(["component", "load", &file]).success();
    }
    env
}

/// An environment that may speak to `registry` without TLS.
fn with_registry(registry: &FakeRegistry) -> TestEnv {
    let env = empty();
    env.configure(&without_tls(registry));
    env
}

/// The configuration that lets `registry` be spoken to without TLS.
fn without_tls(registry: &FakeRegistry) -> String {
    format!("[registries.\"{}\"]\ninsecure = true\n", registry.host())
}

/// What was printed, wherever the registry listens.
fn printed(output: &CommandOutput, registry: &FakeRegistry) -> String {
    output.to_string().replace(&registry.host(), "localhost:[PORT]")
}
