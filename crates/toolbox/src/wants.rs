//! What a component could want, told from the names of its imports. It is a guess for a person who
//! decides, and must never become a permission: toolchains import much that a component never uses.

use serde::Serialize;

/// A kind of permission that a component could make use of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Want {
    /// The kind: `storage`, `network`, `sockets` or `environment`.
    pub what: &'static str,
    /// What it means, in words.
    pub words: &'static str,
    /// The imports that tell of it.
    pub interfaces: Vec<String>,
}

/// Each kind with its words and with what the names of its interfaces begin with.
const KINDS: [(&str, &str, &[&str]); 4] = [
    (
        "storage",
        "it could read and write files, where a storage rule allows it",
        &["wasi:filesystem/"],
    ),
    (
        "network",
        "it could send HTTP requests, where a network rule names the host",
        &["wasi:http/outgoing-handler"],
    ),
    (
        "sockets",
        "it could speak TCP or UDP, where a `tcp` or `udp` rule names the host and the port",
        &["wasi:sockets/"],
    ),
    (
        "environment",
        "it could read variables, where the policy lists their keys",
        &["wasi:cli/environment", "wasi:config/"],
    ),
];

/// What a component with these imports could want, by kind. What needs no permission, such as a
/// clock, is left out.
pub fn wants(imports: &[String]) -> Vec<Want> {
    let wanted = KINDS.iter().map(|(what, words, prefixes)| Want {
        what,
        words,
        interfaces: imports
            .iter()
            .filter(|import| prefixes.iter().any(|prefix| import.starts_with(prefix)))
            .cloned()
            .collect(),
    });
    wanted.filter(|want| !want.interfaces.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_tell_what_a_component_could_want() {
        let imports = [
            "wasi:cli/environment@0.2.3",
            "wasi:clocks/wall-clock@0.2.3",
            "wasi:config/store@0.2.0-draft",
            "wasi:filesystem/preopens@0.2.3",
            "wasi:filesystem/types@0.2.3",
            "wasi:http/types@0.2.3",
        ];
        let wants = wants(&imports.map(str::to_owned));
        let told: Vec<_> = wants.iter().map(|want| (want.what, want.interfaces.len())).collect();
        assert_eq!(told, [("storage", 2), ("environment", 2)]);
        assert!(super::wants(&["wasi:random/random@0.2.0".to_owned()]).is_empty());
    }
}
