//! `tool list`.

use insta::assert_snapshot;

use crate::{empty, with_guests};

#[test]
fn built_in_tools_are_always_there() {
    assert_snapshot!(empty().run(["tool", "list", "--built-in", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    NAME                                    COMPONENT  DESCRIPTION
    call-tool                               wassette   Calls a tool of a loaded component that is not
                                                       in your list of tools, as after
                                                       `load-component` or `search-tools`
    get-policy                              wassette   Shows what a component may do: the rules that
                                                       hold for all of its calls, for good or for a
                                                       while, and the limits of its calls
    grant-environment-variable-permission   wassette   Asks that a component may read an environment
                                                       variable
    grant-memory-permission                 wassette   Asks that a call of a component may use more or
                                                       less memory
    grant-network-permission                wassette   Asks that a component may send requests to a
                                                       host
    grant-storage-permission                wassette   Asks that a component may read or write a file,
                                                       or a folder and all below it
    inspect-component                       wassette   Shows a component's functions with their
                                                       signatures and schemas, the functions that are
                                                       not callable with the reason, what it imports
                                                       and what its author asks to be granted
    list-components                         wassette   Lists the loaded components with their tools,
                                                       and the stored ones that cannot be served with
                                                       the reason
    load-component                          wassette   Loads a WebAssembly component and makes its
                                                       functions tools, for this and every other
                                                       client
    request-permission                      wassette   Asks for several permissions of a component in
                                                       one question: ask for all that a task needs,
                                                       and for no more
    reset-permission                        wassette   Takes everything out of a component's policy:
                                                       it may do nothing outside its sandbox then
    revoke-environment-variable-permission  wassette   Takes a variable out of a component's policy,
                                                       and ends what was granted to it for a while
    revoke-network-permission               wassette   Takes the rules for a host out of a component's
                                                       policy, and ends what was granted to it for a
                                                       while
    revoke-storage-permission               wassette   Takes all rules for exactly these files out of
                                                       a component's policy, and ends what was granted
                                                       to it for a while
    search-components                       wassette   Finds components that could be loaded by words
                                                       in their names, descriptions and keywords, best
                                                       first, in the catalogues that the operator
                                                       chose
    search-tools                            wassette   Finds tools of loaded components by words in
                                                       their names and descriptions, best first, with
                                                       their schemas
    unload-component                        wassette   Removes a component and all its tools, for this
                                                       and every other client
    ");
}

#[test]
fn the_tools_that_somebody_loaded_are_listed_alone() {
    assert_snapshot!(with_guests(&["strings", "add"]).run(["tool", "list", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    NAME   COMPONENT  DESCRIPTION
    add    add        `add(a: s32, b: s32) -> s32`
    echo   strings    `echo(v: list<u8>) -> list<u8>`
    greet  strings    `greet(name: string) -> string`
    ");
    assert_snapshot!(empty().run(["tool", "list"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "tools": []
    }
    ----- stderr -----
    there are no tools yet: load a component with `wassette component load REF`; `wassette tool list --built-in` shows those that Wassette brings itself
    "#);
}

#[test]
fn a_tool_is_listed_with_its_schemas() {
    let env = with_guests(&["strings"]);
    let tools = env.run(["tool", "list"]).success().json()["tools"].clone();
    let tools = tools.as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"greet") && names.contains(&"echo"), "{names:?}");
    assert!(names.is_sorted(), "{names:?}");
    let greet = tools.iter().find(|tool| tool["name"] == "greet").unwrap();
    assert_snapshot!(serde_json::to_string_pretty(greet).unwrap(), @r#"
    {
      "name": "greet",
      "title": "Greet",
      "description": "`greet(name: string) -> string`",
      "component": "strings",
      "input_schema": {
        "type": "object",
        "properties": {
          "name": {
            "type": "string"
          }
        },
        "required": [
          "name"
        ],
        "additionalProperties": false
      },
      "output_schema": {
        "type": "object",
        "properties": {
          "result": {
            "type": "string"
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
fn the_list_is_the_same_in_yaml() {
    let output = with_guests(&["add"]).run(["tool", "list", "-o", "yaml"]).success();
    assert!(output.stdout.starts_with("tools:\n"), "{output}");
    assert!(output.stdout.contains("- name: add\n"), "{output}");
}
