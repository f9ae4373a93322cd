//! What is written is what other tools read, with the very reader that they have, and nothing else of a component changes.

use std::fs;

use tempfile::TempDir;
use wasmparser::{Parser, Payload};

use super::*;
use crate::guests::recipe::GUESTS;
use crate::source_tree;

const WIT: &str = "
    /// A package.
    package a:b@1.2.3;

    /// Not exported.
    interface others {
      unused: func();
    }

    /// Of files.
    interface files {
      /// Reads it.
      say: func();
    }

    /// A world.
    world w {
      /// Nobody calls it.
      import unused: func();
      /// Nobody uses it.
      import others;
      /// Says it.
      export say: func();
      /// Beside the word.
      export files;
      export inline: interface {
        /// Says it inline.
        say: func();
      }
    }
";
const COMPONENT: &str = r#"(component
    (core module $m (func (export "say")))
    (core instance $i (instantiate $m))
    (func $say (canon lift (core func $i "say")))
    (export "say" (func $say))
    (instance $sayer (export "say" (func $say)))
    (export "a:b/files@1.2.3" (instance $sayer))
    (export "inline" (instance $sayer))
    (@custom "other" "stays"))"#;

fn folder(wit: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("w.wit"), wit).unwrap();
    folder
}

/// The sections that the text format does not write by itself.
fn sections(component: &[u8]) -> Vec<(String, String)> {
    let payloads = Parser::new(0).parse_all(component).map(Result::unwrap);
    let sections = payloads.filter_map(|payload| match payload {
        Payload::CustomSection(section) if !section.name().ends_with("name") => {
            let data = String::from_utf8_lossy(section.data()).into_owned();
            Some((section.name().to_owned(), data))
        }
        _ => None,
    });
    sections.collect()
}

#[test]
fn what_is_written_is_about_the_finished_component() {
    let component = wat::parse_str(COMPONENT).unwrap();
    let documented = document(&component, folder(WIT).path()).unwrap();

    assert!(documented.starts_with(&component), "nothing else is changed");
    let written = [
        ("other", "stays"),
        (
            "interface-docs",
            "\u{1}{\"interfaces\":{\"others\":{\"docs\":\"Not exported.\"},\
             \"files\":{\"docs\":\"Of files.\",\"funcs\":{\"say\":{\"docs\":\"Reads it.\"}}}}}",
        ),
        (
            "package-docs",
            "\u{1}{\"docs\":\"A package.\",\"worlds\":{\"root\":{\"docs\":\"A world.\",\
             \"interface_exports\":{\"inline\":{\"funcs\":{\"say\":{\"docs\":\"Says it inline.\"}}}},\
             \"func_exports\":{\"say\":{\"docs\":\"Says it.\"}}}}}",
        ),
    ];
    let written = written.map(|(name, data)| (name.to_owned(), data.to_owned()));
    assert_eq!(sections(&documented), written);
    let DecodedWasm::Component(resolve, root) = decode(&documented).unwrap() else { panic!() };
    assert_eq!(resolve.worlds[root].docs.contents.as_deref(), Some("A world."));

    // Once more changes nothing, and what others put in is replaced.
    assert_eq!(document(&documented, folder(WIT).path()).unwrap(), documented);
    let mut foreign = component;
    let data = Cow::Borrowed(&b"\x01{\"worlds\":{\"w\":{\"docs\":\"Old.\"}}}"[..]);
    CustomSection { name: Cow::Borrowed(WORLD), data }.append_to_component(&mut foreign);
    assert_eq!(decode(&foreign).err().unwrap().to_string(), "missing world \"w\"");
    assert_eq!(document(&foreign, folder(WIT).path()).unwrap(), documented);
}

#[test]
fn where_nothing_is_documented_nothing_is_written() {
    let component = wat::parse_str("(component)").unwrap();
    let documented = document(&component, folder("package a:b; world w {}").path()).unwrap();
    assert_eq!(documented, component);
}

#[test]
fn what_does_not_fit_is_refused() {
    let wit = "package a:b; world w { export inline: interface {\n/// Gone.\ngone: func(); } }";
    let folder = folder(wit);
    let component = wat::parse_str(COMPONENT).unwrap();
    let error = document(&component, folder.path()).unwrap_err().to_string();
    let expected = "does not fit the component: missing func \"gone\"";
    assert!(error.ends_with(expected), "{error}");
    for broken in [&b""[..], b"\0asm", &component[..component.len() - 1]] {
        let error = document(broken, folder.path()).unwrap_err().to_string();
        assert!(error.contains("does not fit the component: "), "{error}");
    }
}

/// `wasm-tools component wit` and `wkg oci push` begin so.
#[test]
fn committed_components_are_read_by_other_tools_and_say_what_their_wit_says() {
    let tree = source_tree();
    for guest in GUESTS {
        let Some(committed) = guest.committed else { continue };
        let component = fs::read(tree.join(committed)).unwrap();
        let decoded = decode(&component).unwrap();
        assert!(matches!(decoded, DecodedWasm::Component(..)), "{committed}");
        let written = document(&component, &tree.join(guest.source).join("wit")).unwrap();
        assert!(written == component, "{committed}: run `cargo xtask guests --docs`");
    }
}
