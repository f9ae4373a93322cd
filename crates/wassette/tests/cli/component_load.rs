//! `component load`.

use insta::assert_snapshot;
use wassette_testkit::{Answer, Certificates, WebServer, compiled};

use crate::{empty, with_guests};

#[test]
fn a_url_is_loaded_and_known_by_it() {
    let certificates = Certificates::new();
    let server = WebServer::start_tls(&certificates, &["127.0.0.1"], |seen| {
        let status = if seen.target == "/tools/add.wasm" { 200 } else { 404 };
        Answer::Page { status, headers: Vec::new(), body: compiled("add") }
    });
    let env = empty();
    std::fs::create_dir_all(env.home().join(".config/wassette")).unwrap();
    std::fs::write(env.home().join(".config/wassette/ca.pem"), certificates.pem()).unwrap();
    env.configure("[egress]\nca_bundle = \"ca.pem\"\n");
    let url = server.url("127.0.0.1", "/tools/add.wasm");
    let loaded = env.run(["component", "load", &url]).success().json();
    assert_eq!(loaded["id"], "add");
    let listed = env.run(["component", "list"]).success().json();
    assert_eq!(listed["components"][0]["source"], url.as_str());
    assert_eq!(env.run(["inspect", &url]).success().json()["id"], "add");
    let missing = env.run(["component", "load", &server.url("127.0.0.1", "/x.wasm")]).to_string();
    assert_snapshot!(missing.replace(&format!(":{}", server.port()), ":[PORT]"), @"
    exit code: 1
    ----- stderr -----
    error: `127.0.0.1:[PORT]` knows nothing of `/x.wasm`
    hint: check the URL: it must lead to the bytes themselves
    ");
}

#[test]
fn a_path_is_loaded() {
    let env = empty();
    env.guest("add");
    assert_snapshot!(env.run(["component", "load", "./add.wasm"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "component loaded successfully",
      "id": "add",
      "digest": "sha256:[DIGEST]",
      "tools": [
        {
          "name": "add",
          "title": "Add",
          "description": "`add(a: s32, b: s32) -> s32`",
          "component": "add",
          "input_schema": {
            "type": "object",
            "properties": {
              "a": {
                "type": "integer",
                "minimum": -2147483648,
                "maximum": 2147483647
              },
              "b": {
                "type": "integer",
                "minimum": -2147483648,
                "maximum": 2147483647
              }
            },
            "required": [
              "a",
              "b"
            ],
            "additionalProperties": false
          },
          "output_schema": {
            "type": "object",
            "properties": {
              "result": {
                "type": "integer",
                "minimum": -2147483648,
                "maximum": 2147483647
              }
            },
            "required": [
              "result"
            ]
          }
        }
      ]
    }
    "#);
    assert_snapshot!(env.run(["component", "load", "add.wasm", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    component already loaded: add

    TOOL  FUNCTION
    add   add(a: s32, b: s32) -> s32
    ");
}

#[test]
fn a_file_uri_is_loaded() {
    let env = empty();
    let uri = format!("file://{}", env.guest("add").display());
    let loaded = env.run(["component", "load", &uri]).success();
    assert_eq!(loaded.json()["id"], "add");
}

#[test]
fn a_new_version_takes_the_place_of_the_old_one() {
    let env = with_guests(&["add"]);
    env.write("add.wasm", compiled("strings"));
    assert_snapshot!(env.run(["component", "load", "add.wasm", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    component reloaded successfully: add

    TOOL   FUNCTION
    echo   echo(v: list<u8>) -> list<u8>
    greet  greet(name: string) -> string
    ");
}

#[test]
fn tools_are_chosen_and_named() {
    let env = empty();
    env.guest("strings");
    let load = ["component", "load", "strings.wasm", "-o", "table"];
    assert_snapshot!(env.run(
        [&load[..], &["--only", "greet", "--rename", "greet=say-hello"]].concat()
    ), @"
    exit code: 0
    ----- stdout -----
    component loaded successfully: strings

    TOOL       FUNCTION
    say-hello  greet(name: string) -> string
    ");
    assert_snapshot!(env.run([&load[..], &["--prefix", "my"]].concat()), @"
    exit code: 0
    ----- stdout -----
    component reloaded successfully: strings

    TOOL      FUNCTION
    my_echo   echo(v: list<u8>) -> list<u8>
    my_greet  greet(name: string) -> string
    ");
    assert_snapshot!(env.run([&load[..], &["--only", "gret"]].concat()), @"
    exit code: 1
    ----- stderr -----
    error: the component exports no function `gret`
    hint: its functions are: `greet`, `echo`
    ");
    assert_snapshot!(env.run([&load[..], &["--rename", "greet=load-component"]].concat()), @"
    exit code: 1
    ----- stderr -----
    error: the tool name `load-component` is taken by `wassette`
    hint: choose another name
    ");
    assert_snapshot!(env.run([&load[..], &["--rename", "greet=not a name"]].concat()), @"
    exit code: 1
    ----- stderr -----
    error: `not a name` is not a tool name
    hint: use a letter or `_` first, then letters, digits, `_` and `-`, at most 64 in all
    ");
    assert_snapshot!(env.run([&load[..], &["--rename", "greet"]].concat()), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'greet' for '--rename <FUNCTION=TOOL>': write the function's name, `=` and the tool's name

    For more information, try '--help'.
    ");
}

#[test]
fn a_name_that_is_taken_is_given_another_and_said() {
    let env = with_guests(&["add"]);
    env.write("sum.wasm", compiled("add"));
    assert_snapshot!(env.run(["component", "load", "sum.wasm", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    component loaded successfully: sum

    TOOL     FUNCTION
    sum_add  add(a: s32, b: s32) -> s32
    ----- stderr -----
    warning: `add` is a tool of `add` already, so this is `sum_add`
    ");
}

#[test]
fn the_same_id_from_another_source_is_refused_unless_asked_for() {
    let env = with_guests(&["add"]);
    env.write("other/add.wasm", compiled("strings"));
    assert_snapshot!(env.run(["component", "load", "other/add.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: component `add` is already loaded from `file://[WORK]/add.wasm`, refused to load it from `file://[WORK]/other/add.wasm`
    hint: unload `add` first, or put the new one in its place with `--replace`
    ");
    let replaced = env.run(["component", "load", "other/add.wasm", "--replace"]).success();
    assert_eq!(replaced.json()["status"], "component reloaded successfully");
}

#[test]
fn what_is_no_reference_is_refused() {
    let env = empty();
    assert_snapshot!(env.run(["component", "load", "nowhere.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: no such file: `[WORK]/nowhere.wasm`
    hint: a relative path is looked up from the folder that wassette was started in
    ");
    assert_snapshot!(env.run(["component", "load", "."]), @"
    exit code: 1
    ----- stderr -----
    error: `[WORK]` is a directory, not a file
    hint: give the path of a WebAssembly component
    ");
    assert_snapshot!(env.run(["component", "load", "ftp://example.com/x.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: `ftp://example.com/x.wasm` has an unknown scheme
    hint: use a path (`./component.wasm`), `file://`, `https://` or `oci://host/repository:tag`
    ");
    assert_snapshot!(env.run(["component", "load", "oci://team/x:1"]), @"
    exit code: 1
    ----- stderr -----
    error: `oci://team/x:1` is no image of a registry: it does not begin with the host of a registry
    hint: write the whole of it, such as `oci://docker.io/team/x:1`
    ");
    assert_snapshot!(env.run(["component", "load", "team:x@1"]), @"
    exit code: 1
    ----- stderr -----
    error: `team:x@1` is no package: its version is not one such as `1.2.3`
    hint: write `namespace:name@1.2.3`; for a file of this name write `./` before it
    ");
    assert_snapshot!(env.run(["component", "load", "https://me:pass@example.com/x.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: `example.com/x.wasm` is no URL of a component: it holds a user's name or a password
    hint: write `https://host/path`, without a user's name or a password
    ");
    assert_snapshot!(env.run(["component", "load", ""]), @"
    exit code: 1
    ----- stderr -----
    error: the path of the component is empty
    hint: give a path such as `./component.wasm` or `file:///srv/component.wasm`
    ");
}

#[test]
fn what_is_no_component_is_refused_with_the_reason() {
    let env = empty();
    env.guest("core-module");
    env.write("text.wasm", "(component)");
    env.write("empty-file.wasm", "");
    let whole = compiled("strings");
    env.write("truncated.wasm", &whole[..whole.len() / 2]);
    // How a file begins that Wasmtime compiled: an ELF object.
    env.write("compiled.cwasm", b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00");
    for name in ["unknown-import", "unknown-function-import", "huge-memory", "start-traps"] {
        env.guest(name);
    }
    assert_snapshot!(env.run(["component", "load", "core-module.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot load `core-module.wasm`
      caused by: this is a core WebAssembly module, not a WebAssembly component
    hint: it does not say what its functions take: describe them in WIT, then make a component of it: `wasm-tools component embed world.wit module.wasm -o embedded.wasm`, `wasm-tools component new embedded.wasm -o component.wasm`
    ");
    assert_snapshot!(env.run(["component", "load", "text.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot load `text.wasm`
      caused by: this is a component in text form, not a WebAssembly component
    hint: make a binary of it: `wasm-tools parse component.wat -o component.wasm`
    ");
    assert_snapshot!(env.run(["component", "load", "empty-file.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: `[WORK]/empty-file.wasm` is empty
    hint: build or download the component again
    ");
    assert_snapshot!(env.run(["component", "load", "truncated.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot load `truncated.wasm`
      caused by: the component is not valid: it ends within one of its parts
    hint: the file seems to be cut off: was the build or the download interrupted?
    ");
    assert_snapshot!(env.run(["component", "load", "compiled.cwasm"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot load `compiled.cwasm`
      caused by: this is a native program, not a WebAssembly component
    hint: compiled code is never loaded, as it could do anything; load the component's `.wasm` file
    ");
    assert_snapshot!(env.run(["component", "load", "unknown-import.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot load `unknown-import.wasm`
      caused by: nothing here provides the import `nobody:knows/this@1.0.0`
    hint: what is not of WASI must come from another component: compose the two, such as with `wac plug`
    ");
    assert_snapshot!(env.run(["component", "load", "unknown-function-import.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot load `unknown-function-import.wasm`
      caused by: nothing here provides the import `host-log`
    hint: what is not of WASI must come from another component: compose the two, such as with `wac plug`
    ");
    assert_snapshot!(env.run(["component", "load", "huge-memory.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot load `huge-memory.wasm`
      caused by: the component declares a memory of 4Gi, and the limit is 256Mi
    hint: raise `memory` under `[limits]` in the configuration, or rebuild the component to ask for less
    ");
    let listed = env.run(["component", "list"]).success();
    assert_eq!(listed.json()["total"], 0, "a refused component left something behind");
}

#[test]
fn a_component_without_tools_is_said_to_be_what_it_is() {
    let env = with_guests(&["add"]);
    env.component("command", COMMAND);
    env.component("throws", THROWS);
    env.guest("empty");
    assert_snapshot!(env.run(["component", "load", "command.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: `command.wasm` has no tools, so nothing was added: it is a command, which exports `wasi:cli/run@0.2.0` to be run as a program
    hint: run it with a WebAssembly runtime, such as `wasmtime run`; for tools, export functions of an interface of your own
    ");
    assert_snapshot!(env.run(["component", "load", "empty.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: `empty.wasm` has no tools, so nothing was added: it exports nothing
    hint: export the functions that are to be tools
    ");
    assert_snapshot!(env.run(["component", "load", "throws.wasm"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot load `throws.wasm`
      caused by: this build does not support what the component uses: exception handling
    hint: build without exceptions: `-fno-exceptions` (C++), `-C panic=abort` (Rust)
    ");
    assert_eq!(env.run(["component", "list"]).success().json()["total"], 1);
    assert_snapshot!(env.run(["inspect", "throws.wasm", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    throws
      source     file://[WORK]/throws.wasm
      digest     sha256:[DIGEST]
      size       141 bytes
      loaded     no

    It cannot be loaded: this build does not support what the component uses: exception handling
      hint: build without exceptions: `-fno-exceptions` (C++), `-C panic=abort` (Rust)

    TOOL  FUNCTION
    f     f() -> u32
    ");
    let shown = env.run(["inspect", "command.wasm"]).success().json();
    assert_eq!(shown["faults"].as_array().unwrap().len(), 1, "{shown}");
}

#[test]
fn a_malformed_digest_or_id_is_met_with_the_right_shape() {
    let env = empty();
    for (flag, value, help) in [
        ("--digest", "sha256:00", "64 lower-case hexadecimal digits"),
        ("--name", "My Tool", "for example `my-tool`"),
    ] {
        let refused = env.run(["component", "load", "add.wasm", flag, value]);
        assert_eq!(refused.code, Some(2), "{refused}");
        assert!(refused.stderr.contains(help), "{refused}");
    }
}

/// What `wasmtime run` runs.
const COMMAND: &str = "(component
  (core module $m (func (export \"run\") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i \"run\")))
  (instance $run (export \"run\" (func $run)))
  (export \"wasi:cli/run@0.2.0\" (instance $run)))";

/// What uses a part of WebAssembly that is switched off.
const THROWS: &str = "(component
  (core module $m (tag $e) (func (export \"f\") (result i32) (throw $e)))
  (core instance $i (instantiate $m))
  (func (export \"f\") (result u32) (canon lift (core func $i \"f\"))))";
