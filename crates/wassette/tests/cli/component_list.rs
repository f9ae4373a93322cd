//! `component list`.

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};
use wassette_testkit::rewrite_index;

use crate::{empty, with_guests};

#[test]
fn nothing_is_loaded() {
    assert_snapshot!(empty().run(["component", "list"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "components": [],
      "total": 0
    }
    "#);
    assert_snapshot!(empty().run(["component", "list", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    ID  TOOLS  SOURCE
    ");
}

#[test]
fn components_are_listed_in_every_shape() {
    let env = with_guests(&["strings", "add"]);
    assert_snapshot!(env.run(["component", "list", "--output", "table"]), @"
    exit code: 0
    ----- stdout -----
    ID       TOOLS  SOURCE
    add      1      file://[WORK]/add.wasm
    strings  2      file://[WORK]/strings.wasm
    ");
    assert_snapshot!(env.run(["component", "list", "--output-format", "yaml"]), @r#"
    exit code: 0
    ----- stdout -----
    components:
    - id: add
      source: file://[WORK]/add.wasm
      digest: sha256:[DIGEST]
      size: 144
      loaded_at: [MOMENT]
      origin:
        reference: file://[WORK]/add.wasm
      tools_count: 1
      tools:
      - name: add
        title: Add
        description: "`add(a: s32, b: s32) -> s32`"
        component: add
        input_schema:
          type: object
          properties:
            a:
              type: integer
              minimum: -2147483648
              maximum: 2147483647
            b:
              type: integer
              minimum: -2147483648
              maximum: 2147483647
          required:
          - a
          - b
          additionalProperties: false
        output_schema:
          type: object
          properties:
            result:
              type: integer
              minimum: -2147483648
              maximum: 2147483647
          required:
          - result
      imports: []
    - id: strings
      source: file://[WORK]/strings.wasm
      digest: sha256:[DIGEST]
      size: 615
      loaded_at: [MOMENT]
      origin:
        reference: file://[WORK]/strings.wasm
      tools_count: 2
      tools:
      - name: echo
        title: Echo
        description: "`echo(v: list<u8>) -> list<u8>`"
        component: strings
        input_schema:
          type: object
          properties:
            v:
              type: string
              contentEncoding: base64
          required:
          - v
          additionalProperties: false
        output_schema:
          type: object
          properties:
            result:
              type: string
              contentEncoding: base64
          required:
          - result
      - name: greet
        title: Greet
        description: "`greet(name: string) -> string`"
        component: strings
        input_schema:
          type: object
          properties:
            name:
              type: string
          required:
          - name
          additionalProperties: false
        output_schema:
          type: object
          properties:
            result:
              type: string
          required:
          - result
      imports: []
    total: 2
    "#);
    let listed = env.run(["component", "list"]).success().json();
    assert_eq!(listed["total"], 2);
    assert_eq!(listed["components"][0]["id"], "add");
    assert_eq!(listed["components"][0]["tools_count"], 1);
}

#[test]
fn the_store_is_where_the_flag_the_environment_or_the_configuration_say() {
    let env = empty();
    env.guest("add");
    env.configure("component_dir = \"configured\"");
    for (arguments, variable, place) in [
        (vec!["--component-dir", "flag"], Some("variable"), env.work_dir().join("flag")),
        (vec![], Some("variable"), env.work_dir().join("variable")),
        (vec![], None, env.home().join(".config/wassette/configured")),
    ] {
        let arguments = [vec!["component", "load", "add.wasm"], arguments].concat();
        let mut command = env.command(arguments);
        if let Some(variable) = variable {
            command.env("WASSETTE_COMPONENT_DIR", variable);
        }
        let _ = env.finish(&mut command).success();
        assert!(place.join("index.json").is_file(), "{}", place.display());
    }
    assert!(!env.store_dir().exists());
}

#[test]
fn a_store_that_others_can_write_to_is_refused() {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let env = empty();
        let store = env.write("store/file", "").parent().unwrap().to_owned();
        fs::set_permissions(&store, fs::Permissions::from_mode(0o777)).unwrap();
        assert_snapshot!(env.run(["component", "list", "--component-dir", "store"]), @"
        exit code: 1
        ----- stderr -----
        error: refused to use `[WORK]/store`: everybody may write to it (mode 777)
        hint: use a directory that belongs to you and that only you can write to (`chmod go-w`)
        ");
    }
}

#[test]
fn a_stored_component_that_cannot_be_served_is_listed_with_the_cure() {
    let env = with_guests(&["add", "strings"]);
    rewrite_index(&env.store_dir(), |text| {
        let mut stored: Value = serde_json::from_str(&text).unwrap();
        let entries = stored["components"].as_array_mut().unwrap();
        let add = entries.iter_mut().find(|entry| entry["id"] == "add").unwrap();
        add["metadata"] = json!("nonsense");
        serde_json::to_string_pretty(&stored).unwrap()
    });
    assert_snapshot!(env.run(["component", "list", "-o", "table"]), @r#"
    exit code: 0
    ----- stdout -----
    ID       TOOLS  SOURCE
    strings  2      file://[WORK]/strings.wasm

    PROBLEM  REASON                              CURE
    add      what is stored about it is damaged  load it again from
                                                 file://[WORK]/add.wasm
    ----- stderr -----
     WARN what is stored about it is damaged; load it again from file://[WORK]/add.wasm component="add"
    "#);
    assert_snapshot!(env.run(["component", "unload", "add"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "component unloaded successfully",
      "id": "add",
      "tools": []
    }
    ----- stderr -----
     WARN what is stored about it is damaged; load it again from file://[WORK]/add.wasm component="add"
    "#);
    assert_eq!(env.run(["tool", "read", "greet"]).success().stderr, "");
}
