//! Documentation comes in, names of machines and registries go out, and the component stays one.

use std::fs;

use wasmparser::{Parser, Payload, Validator};

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
fn a_finished_component_is_valid_and_has_the_documentation_of_its_wit() {
    let tree = tempfile::tempdir().unwrap();
    let tools = Tools::in_folder(&tree.path().join("tools"), tree.path()).unwrap();
    fs::create_dir_all(tree.path().join("guest/wit")).unwrap();
    let wit = "package a:b;\nworld w {\n  /// Says it.\n  export say: func();\n}\n";
    fs::write(tree.path().join("guest/wit/w.wit"), wit).unwrap();
    let guest =
        Guest { name: "guest", source: "guest", language: Language::Python, committed: None };

    let finished =
        finish(wat::parse_str("(component)").unwrap(), &guest, tree.path(), &tools).unwrap();

    Validator::new().validate_all(&finished).unwrap();
    let documentation =
        Parser::new(0).parse_all(&finished).find_map(|payload| match payload.unwrap() {
            Payload::CustomSection(section) if section.name() == "package-docs" => {
                Some(section.data().to_vec())
            }
            _ => None,
        });
    assert!(String::from_utf8_lossy(&documentation.unwrap()).contains("Says it."));
}

#[test]
fn broken_wit_and_a_module_without_a_world_are_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("w.wit"), "package").unwrap();
    assert!(documentation(folder.path()).unwrap_err().to_string().starts_with("the WIT in "));
    let error = component(b"no wasm", "guest").unwrap_err().to_string();
    assert!(error.starts_with("the module of `guest` can't be made a component: "), "{error}");
}
