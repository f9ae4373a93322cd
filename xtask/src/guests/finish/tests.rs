//! Names of machines and registries go out, and what is broken is named.

use std::fs;

use super::*;

#[test]
fn registries_are_struck_out_and_nothing_else() {
    let mut bytes =
        b"\0/home/x/.cargo/registry/src/some.host-0123/crate/src/lib.rs\0/registry/src/".to_vec();
    hide_registries(&mut bytes);
    assert_eq!(
        bytes,
        b"\0/home/x/.cargo/registry/src/--------------/crate/src/lib.rs\0/registry/src/".to_vec()
    );
}

#[test]
fn a_path_of_this_machine_is_refused() {
    let error = refuse_paths(b"..at /a/b/src/lib.rs", "zoo", &[Path::new("/c"), Path::new("/a/b")]);
    assert_eq!(error.unwrap_err().to_string(), "`zoo` holds the path `/a/b` of this machine");
    refuse_paths(b"/a", "zoo", &[Path::new("/a/b")]).unwrap();
}

#[test]
fn broken_wit_and_a_module_without_a_world_are_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("w.wit"), "package").unwrap();
    let documented = document(b"", folder.path()).unwrap_err().to_string();
    assert!(documented.starts_with("the WIT in "), "{documented}");
    let error = component(b"no wasm", "guest").unwrap_err().to_string();
    assert!(error.starts_with("the module of `guest` can't be made a component: "), "{error}");
}
