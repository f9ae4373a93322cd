//! The binary as a user meets it: standard output, standard error and exit code of every verb and
//! of what can go wrong with it.
#![cfg(test)]

mod approvals;
mod audit;
mod completion;
mod component_list;
mod component_load;
mod component_unload;
mod configuration;
mod demo;
mod help;
mod help_permissions;
mod inspect;
mod learn;
mod output;
mod permission;
mod permission_in_force;
mod pin;
mod policy;
mod policy_url;
mod run;
mod secret;
mod serve;
mod surroundings;
mod terminal;
mod tool_invoke;
mod tool_list;
mod tool_read;

use wassette_testkit::TestEnv;

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
