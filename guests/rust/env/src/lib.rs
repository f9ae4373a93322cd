//! Tells what the host lets a component know of its surroundings: without a permission, nothing.
//! It must never answer from anything but the host.

wit_bindgen::generate!({ path: "wit", world: "env", generate_all });

use wasi::config0_2_0_draft::{runtime, store as draft};
use wasi::config0_2_0_rc_1::store as candidate;

struct Env;

fn say(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Guest for Env {
    fn read_variable(name: String) -> Option<String> {
        std::env::var(name).ok()
    }
    fn list_variables() -> Vec<(String, String)> {
        std::env::vars().collect()
    }
    fn list_arguments() -> Vec<String> {
        std::env::args().collect()
    }
    fn working_directory() -> Option<String> {
        // Not `std::env::current_dir`: where the host gives none, libc makes one up.
        wasip2::cli::environment::initial_cwd()
    }
    fn read_configuration(under: Name, key: String) -> Result<Option<String>, String> {
        match under {
            Name::StoreCandidate => candidate::get(&key).map_err(say),
            Name::StoreDraft => draft::get(&key).map_err(say),
            Name::RuntimeDraft => runtime::get(&key).map_err(say),
        }
    }
    fn list_configuration(under: Name) -> Result<Vec<(String, String)>, String> {
        match under {
            Name::StoreCandidate => candidate::get_all().map_err(say),
            Name::StoreDraft => draft::get_all().map_err(say),
            Name::RuntimeDraft => runtime::get_all().map_err(say),
        }
    }
}

export!(Env);
