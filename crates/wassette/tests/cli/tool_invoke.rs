//! `tool invoke`.

use insta::assert_snapshot;
use wassette_testkit::{built, example};

use crate::{empty, with_guests};

#[test]
fn a_tool_is_called_in_every_shape() {
    let env = with_guests(&["add"]);
    let call = ["tool", "invoke", "add", "--args", r#"{"a": 2, "b": 40}"#];
    assert_snapshot!(env.run(call), @r#"
    exit code: 0
    ----- stdout -----
    {
      "result": 42
    }
    "#);
    assert_snapshot!(env.run([&call[..], &["-o", "table"]].concat()), @"
    exit code: 0
    ----- stdout -----
    42
    ");
    assert_snapshot!(env.run([&call[..], &["-o", "yaml"]].concat()), @"
    exit code: 0
    ----- stdout -----
    result: 42
    ");
}

#[test]
fn arguments_are_typed_as_the_tool_wants_them() {
    let env = with_guests(&["add", "strings"]);
    let call = |arguments: &[&str]| {
        env.run([&["tool", "invoke"], arguments, &["-o", "table"]].concat()).success().stdout
    };
    assert_eq!(call(&["add", "a=2", "b=40"]), "42\n");
    assert_eq!(call(&["add", "b:=40", "a=-2", "--args", r#"{"a": 1000}"#]), "38\n");
    assert_eq!(call(&["greet", "name=to be or not"]), "Hello, to be or not!\n");
    assert_eq!(call(&["greet", "name=42"]), "Hello, 42!\n");
    env.write("name.txt", "Ada");
    assert_eq!(call(&["greet", "name=@name.txt"]), "Hello, Ada!\n");
    assert_eq!(call(&["greet", r"name=\@name.txt"]), "Hello, @name.txt!\n");
    assert_eq!(call(&["echo", "v=@name.txt"]), "QWRh\n");
    let typed = ["tool", "invoke", "greet", "name=@-", "-o", "table"];
    assert_eq!(env.run_with_input(typed, "Grace").success().stdout, "Hello, Grace!\n");
    // Built-in tools take theirs in the same way.
    let found = env.run(["tool", "invoke", "search-tools", "query=greet", "limit=1"]).success();
    assert_eq!(found.json()["result"]["tools"][0]["name"], "greet", "{found}");
}

#[test]
fn arguments_that_the_tool_does_not_take_are_a_usage_error() {
    let env = with_guests(&["add", "strings"]);
    let call = |arguments: &[&str]| env.run([&["tool", "invoke"], arguments].concat());
    assert_snapshot!(call(&["greet", "nam=Ada"]), @"
    exit code: 2
    ----- stderr -----
    error: the tool has no argument `nam`; did you mean `name`?
    hint: its arguments are `name`
    ");
    assert_snapshot!(call(&["add", "a=two", "b=1"]), @"
    exit code: 2
    ----- stderr -----
    error: `a` takes a whole number, and `two` is none
    hint: `wassette tool read NAME` shows what the tool takes
    ");
    assert_snapshot!(call(&["greet", "Ada"]), @"
    exit code: 2
    ----- stderr -----
    error: `Ada` is not an argument
    hint: write `name=value`, `name=@FILE` for what is in a file, or `name:=JSON` for what is not a text, a number or a list of them
    ");
    assert_snapshot!(call(&["greet", "name=@nowhere"]), @r"
    exit code: 2
    ----- stderr -----
    error: `nowhere`, for `name`, cannot be read: No such file or directory (os error 2)
    hint: a value that begins with `@` itself is written with `\@`
    ");
    let both = env.run_with_input(["tool", "invoke", "add", "a=@-", "--args", "-"], "{}");
    assert!(both.stderr.contains("standard input has been read already"), "{both}");
    // What is unknown is said before anything is read.
    assert!(call(&["gret", "name=@nowhere"]).stderr.contains("did you mean `greet`"));
}

#[test]
fn a_text_is_printed_bare_in_a_table() {
    let env = with_guests(&["strings"]);
    let call = ["tool", "invoke", "greet", "--args", r#"{"name": "Ada\u001b[0m"}"#];
    let output = env.run([&call[..], &["-o", "table"]].concat()).success();
    assert_eq!(output.stdout, "Hello, Ada\u{1b}[0m!\n", "a pipe gets the data as it is");
    assert_eq!(env.run(call).success().json()["result"], "Hello, Ada\u{1b}[0m!");
}

#[test]
fn arguments_come_from_standard_input_too() {
    let env = with_guests(&["add"]);
    let call = ["tool", "invoke", "add", "--args", "-", "-o", "table"];
    assert_eq!(env.run_with_input(call, r#"{"a": 1, "b": -3}"#).success().stdout, "-2\n");
    assert_snapshot!(env.run_with_input(call, "{"), @r#"
    exit code: 2
    ----- stderr -----
    error: the arguments are not a JSON object: EOF while parsing an object at line 1 column 1
    hint: write them as `--args '{"name": "value"}'`, or as `--args -` to read them from standard input; `wassette tool read NAME` shows what the tool takes
    "#);
}

#[test]
fn arguments_that_are_no_object_are_a_usage_error() {
    let env = empty();
    for arguments in ["[1]", "null", "true", "1", "\"a\""] {
        let output = env.run(["tool", "invoke", "add", "--args", arguments]);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output}");
    }
    assert_snapshot!(env.run(["tool", "invoke", "add", "--args", "[1]"]), @r#"
    exit code: 2
    ----- stderr -----
    error: the arguments are not a JSON object: found an array
    hint: write them as `--args '{"name": "value"}'`, or as `--args -` to read them from standard input; `wassette tool read NAME` shows what the tool takes
    "#);
    assert_snapshot!(env.run(["tool", "invoke", "add", "--args", "{a: 1}"]), @r#"
    exit code: 2
    ----- stderr -----
    error: the arguments are not a JSON object: key must be a string at line 1 column 2
    hint: write them as `--args '{"name": "value"}'`, or as `--args -` to read them from standard input; `wassette tool read NAME` shows what the tool takes
    "#);
}

#[test]
fn arguments_that_do_not_fit_are_refused_by_path() {
    let env = with_guests(&["add"]);
    let call = |arguments| env.run(["tool", "invoke", "add", "--args", arguments]);
    assert_snapshot!(call(r#"{"a": "two", "b": 1}"#), @r#"
    exit code: 1
    ----- stderr -----
    error: arguments.a: expected integer from -2147483648 to 2147483647, found string "two"
    "#);
    assert_snapshot!(call(r#"{"a": 1}"#), @"
    exit code: 1
    ----- stderr -----
    error: arguments.b: expected integer from -2147483648 to 2147483647, found nothing
    ");
    assert_snapshot!(call(r#"{"a": 1, "b": 2, "c": 3}"#), @"
    exit code: 1
    ----- stderr -----
    error: arguments: expected only `a`, `b`, found unknown argument `c`
    ");
}

#[test]
fn an_unknown_tool_is_refused_with_the_nearest() {
    assert_snapshot!(with_guests(&["strings"]).run(["tool", "invoke", "gret"]), @"
    exit code: 1
    ----- stderr -----
    error: there is no tool `gret`; did you mean `greet`?
    hint: list the tools that there are, or search them
    ");
}

#[test]
fn a_trap_is_an_error_and_not_a_result() {
    let env = with_guests(&["traps"]);
    assert_snapshot!(env.run(["tool", "invoke", "unreachable"]), @"
    exit code: 1
    ----- stderr -----
    error: the component crashed: it gave up (a panic, an abort or an assertion)
      hint: this is a fault of the component; the next call starts afresh
    ");
    let divide = ["tool", "invoke", "divide", "--args", r#"{"a": 1, "b": 0}"#];
    assert_snapshot!(env.run(divide), @"
    exit code: 1
    ----- stderr -----
    error: the component crashed: it divided by zero
      hint: this is a fault of the component; the next call starts afresh
    ");
}

#[test]
fn a_guest_that_never_ends_is_stopped() {
    let env = with_guests(&["spins"]);
    env.configure("[limits]\ncpu = \"50ms\"\n");
    let tools = env.run(["component", "list"]).success().json();
    let spin = tools["components"][0]["tools"][0]["name"].as_str().unwrap().to_owned();
    assert_snapshot!(env.run(["tool", "invoke", &spin]), @"
    exit code: 1
    ----- stderr -----
    error: the call was stopped at its limit of 50ms of processor time
      hint: ask for less at once, or raise `cpu` with `wassette permission grant limit`, as far as `[limits]` in the configuration goes
    ");
}

#[test]
fn a_denial_names_the_component_the_effect_and_the_target() {
    let env = empty();
    let _ = env.run(["component", "load", example("fetch").to_str().unwrap()]).success();
    let url = r#"{"url": "https://example.com/"}"#;
    assert_snapshot!(env.run(["tool", "invoke", "fetch", "--args", url]), @"
    exit code: 1
    ----- stderr -----
    error: `https://example.com/` can't be reached: it is not permitted
      denied: component `fetch` may not GET https://example.com/
        no rule allows host `example.com`
        to allow it: wassette permission grant network fetch https://example.com --methods GET
    ");
}

#[test]
fn what_a_component_was_denied_and_keeps_quiet_about_is_told_beside_the_result() {
    let env = empty();
    let _ = env.run(["component", "load", built("requests").to_str().unwrap()]).success();
    let arguments = r#"{"url": "https://example.com/", "count": 1}"#;
    let call = ["tool", "invoke", "requests/request-many", "--args", arguments, "-o"];
    assert_snapshot!(env.run(call.into_iter().chain(["json"])), @r#"
    exit code: 0
    ----- stdout -----
    {
      "result": 0
    }
    ----- stderr -----
    warning: denied: component `requests` may not GET https://example.com/
        no rule allows host `example.com`
        to allow it: wassette permission grant network requests https://example.com --methods GET
    "#);
    assert_snapshot!(env.run(call.into_iter().chain(["table"])), @"
    exit code: 0
    ----- stdout -----
    0
    ----- stderr -----
    warning: denied: component `requests` may not GET https://example.com/
        no rule allows host `example.com`
        to allow it: wassette permission grant network requests https://example.com --methods GET
    ");
}

#[test]
fn what_a_component_writes_is_shown_only_where_that_is_asked_for() {
    let env = empty();
    let _ = env.run(["component", "load", built("chaos").to_str().unwrap()]).success();
    let call = ["tool", "invoke", "write-stdout", "--args", r#"{"text": "one\ntwo"}"#];
    assert_snapshot!(env.run(call), @r#"
    exit code: 0
    ----- stdout -----
    {
      "result": null
    }
    "#);
    env.configure("show_output = true\n");
    assert_snapshot!(env.run(call), @r#"
    exit code: 0
    ----- stdout -----
    {
      "result": null
    }
    ----- stderr -----
    stdout of the component: one
      two
    "#);
}

#[test]
fn built_in_tools_work_without_a_server() {
    let env = empty();
    env.guest("add");
    let load = ["tool", "invoke", "load-component", "--args", r#"{"path": "add.wasm"}"#];
    assert_eq!(env.run(load).success().json()["result"]["id"], "add");
    let again = r#"{"name": "add", "arguments": {"a": 1, "b": 2}}"#;
    let output = env.run(["tool", "invoke", "call-tool", "--args", again, "-o", "table"]);
    assert_snapshot!(output, @"
    exit code: 0
    ----- stdout -----
    3
    ");
    assert_snapshot!(env.run(["tool", "invoke", "unload-component"]), @"
    exit code: 1
    ----- stderr -----
    error: arguments.id: expected string, found nothing
    ");
}
