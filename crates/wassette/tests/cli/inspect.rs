//! `inspect`.

use insta::assert_snapshot;
use wassette_testkit::example;

use crate::{empty, with_guests};

#[test]
fn a_loaded_component_is_shown() {
    let env = with_guests(&["strings"]);
    assert_snapshot!(env.run(["inspect", "strings", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    strings
      source     file://[WORK]/strings.wasm
      digest     sha256:[DIGEST]
      size       615 bytes
      loaded     yes

    TOOL   FUNCTION
    echo   echo(v: list<u8>) -> list<u8>
    greet  greet(name: string) -> string

    nothing is granted to it
    ");
    let shown = env.run(["inspect", "strings"]).success().json();
    assert_eq!(shown["loaded"], true);
    assert_eq!(shown["tools"][0]["input_schema"]["type"], "object");
}

#[test]
fn a_file_is_shown_without_loading_it() {
    let env = empty();
    env.guest("odd-exports");
    assert_snapshot!(env.run(["inspect", "./odd-exports.wasm", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    odd-exports
      source     file://[WORK]/odd-exports.wasm
      digest     sha256:[DIGEST]
      size       156 bytes
      loaded     no

    It cannot be loaded: it has no tools: none of its exports can be one: `a-module` (it is a core module, and only functions become tools)
      hint: export functions that take and return plain values

    NO TOOL   REASON
    a-module  it is a core module, and only functions become tools
    ");
    let fetch = example("fetch").display().to_string();
    assert_snapshot!(env.run(["inspect", &fetch]).success().json()["signatures"], @r#"
    ["fetch(url: string) -> result<string, string>"]
    "#);
    assert_eq!(env.run(["component", "list"]).success().json()["total"], 0);
}

#[test]
fn what_is_neither_is_refused() {
    let env = with_guests(&["add"]);
    assert_snapshot!(env.run(["inspect", "nobody"]), @"
    exit code: 1
    ----- stderr -----
    error: no component `nobody` is loaded, and there is no such file
    hint: give the id of a loaded component or the path of a component's file
    ");
    env.guest("core-module");
    assert_snapshot!(env.run(["inspect", "core-module.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot load `core-module.wasm`
      caused by: this is a core WebAssembly module, not a WebAssembly component
    hint: it does not say what its functions take: describe them in WIT, then make a component of it: `wasm-tools component embed world.wit module.wasm -o embedded.wasm`, `wasm-tools component new embedded.wasm -o component.wasm`
    ");
}
