//! Tells what the host lets a component know of its surroundings: without a permission, nothing.
//! It must never answer from anything but the host.

wit_bindgen::generate!({ path: "wit", world: "env" });

struct Env;

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
}

export!(Env);
