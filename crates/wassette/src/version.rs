//! The versions that a report of a fault needs.

/// What `--version` prints after the program's name.
pub(crate) const SUMMARY: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (wasmtime 48.0.8, rmcp 3.9.0)");

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn the_versions_are_those_that_are_built_in() {
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
        let lock: toml::Table = fs::read_to_string(lock).unwrap().parse().unwrap();
        let locked = |name: &str| {
            let packages = lock["package"].as_array().unwrap().iter();
            let mut found = packages.filter(|package| package["name"].as_str() == Some(name));
            let version = found.next().unwrap()["version"].as_str().unwrap().to_owned();
            assert!(found.next().is_none(), "two versions of {name}");
            version
        };
        let expected = format!(
            "{} (wasmtime {}, rmcp {})",
            env!("CARGO_PKG_VERSION"),
            locked("wasmtime"),
            locked("rmcp")
        );
        assert_eq!(super::SUMMARY, expected);
    }
}
