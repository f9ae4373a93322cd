//! What holds for the output of every verb.

use std::process::Stdio;

use crate::{empty, with_guests};

#[test]
fn whoever_closes_the_pipe_has_seen_enough() {
    let env = with_guests(&["add"]);
    for arguments in [vec!["tool", "list"], vec!["--help"], vec!["completion", "zsh"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = env
            .command(&arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn a_pipe_gets_json_and_no_colours() {
    let output = empty().run(["component", "list"]).success();
    assert_eq!(output.json()["total"], 0);
    let output = empty().run(["tool", "read", "nothing-like-it"]);
    assert!(!output.stderr.contains('\u{1b}'), "{output}");
    let output = empty().run(["tool", "read", "nothing-like-it", "--color", "always"]);
    assert!(output.stderr.contains("\u{1b}["), "{output}");
}

#[test]
fn quiet_leaves_data_and_errors() {
    let env = with_guests(&["add"]);
    env.write("sum.wasm", wassette_testkit::compiled("add"));
    let output = env.run(["component", "load", "sum.wasm", "--quiet"]).success();
    assert_eq!(output.stderr, "");
    let output = env.run(["tool", "read", "nothing-like-it", "-q"]);
    assert!(output.stderr.starts_with("error: "), "{output}");
}

#[test]
fn a_name_cannot_steer_the_terminal_through_an_error() {
    let output = empty().run(["tool", "read", "\u{1b}[2Jgone\u{202e}"]);
    assert!(!output.stderr.contains(['\u{1b}', '\u{202e}']), "{output}");
    assert!(output.stderr.contains("gone"), "{output}");
}
