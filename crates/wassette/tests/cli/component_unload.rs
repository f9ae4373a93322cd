//! `component unload`.

use insta::assert_snapshot;

use crate::with_guests;

#[test]
fn a_component_is_unloaded_with_its_tools() {
    let env = with_guests(&["add"]);
    assert_snapshot!(env.run(["component", "unload", "add"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "component unloaded successfully",
      "id": "add",
      "tools": [
        "add"
      ]
    }
    "#);
    assert_eq!(env.run(["component", "list"]).success().json()["total"], 0);
    assert_eq!(env.run(["tool", "invoke", "add"]).code, Some(1));
}

#[test]
fn an_unknown_id_is_refused() {
    let env = with_guests(&["add"]);
    assert_snapshot!(env.run(["component", "unload", "ad"]), @"
    exit code: 1
    ----- stderr -----
    error: no component `ad` is loaded
    hint: `wassette component list` shows what is loaded
    ");
    assert_snapshot!(env.run(["component", "unload", "../add"]), @"
    exit code: 1
    ----- stderr -----
    error: `../add` is not a component id
    hint: an id starts with a lower-case letter or a digit and goes on with those, `.`, `_` and `-`, 64 at most, for example `add`
    ");
}
