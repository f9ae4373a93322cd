//! `tool read`.

use insta::assert_snapshot;

use crate::with_guests;

#[test]
fn a_tool_is_shown_with_its_schemas() {
    let env = with_guests(&["add"]);
    assert_snapshot!(env.run(["tool", "read", "add", "-o", "table"]), @r#"
    exit code: 0
    ----- stdout -----
    add

    `add(a: s32, b: s32) -> s32`

    input schema:
    {
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
    }

    output schema:
    {
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
    "#);
    assert_snapshot!(env.run(["tool", "read", "add"]), @r#"
    exit code: 0
    ----- stdout -----
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
    "#);
}

#[test]
fn a_built_in_tool_is_shown_too() {
    let shown = with_guests(&[]).run(["tool", "read", "load-component"]).success().json();
    assert_eq!(shown["name"], "load-component");
    assert_eq!(shown["input_schema"]["required"][0], "path");
}

#[test]
fn an_unknown_tool_is_refused_with_the_nearest() {
    let env = with_guests(&["strings"]);
    assert_snapshot!(env.run(["tool", "read", "gret"]), @"
    exit code: 1
    ----- stderr -----
    error: there is no tool `gret`; did you mean `greet`?
    hint: list the tools that there are, or search them
    ");
    assert_snapshot!(env.run(["tool", "read", "something-else"]), @"
    exit code: 1
    ----- stderr -----
    error: there is no tool `something-else`
    hint: list the tools that there are, or search them
    ");
}
