//! `learn`.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::process::Stdio;

use insta::assert_snapshot;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use wassette_testkit::{CommandOutput, TestEnv, built};

use crate::empty;

/// An environment with the guest `files` and a folder of data.
fn with_files() -> TestEnv {
    let env = empty();
    env.write("files.wasm", fs::read(built("files")).unwrap());
    let _ = env.run(["component", "load", "files.wasm"]).success();
    env.write("data/in", "the input");
    env.write("data/log", "the log");
    env
}

const READ: &str = r#"{"path": "/workspace/data/in"}"#;
const WRITE: &str = r#"{"path": "/workspace/data/log", "content": "x"}"#;

fn granted(env: &TestEnv) -> String {
    env.run(["policy", "get", "files", "-o", "yaml"]).success().stdout
}

#[test]
fn what_is_proposed_is_shown_with_the_commands_and_not_granted() {
    let env = with_files();
    let before = granted(&env);
    let shown = env.run(["learn", "files", "files/read-file", "--args", READ, "-o", "table"]);
    assert_snapshot!(shown, @"
    exit code: 0
    ----- stdout -----
    files: 1 call, made 2 times
      passed  test_files_files_read_file: the input

      1  + allow storage fs://workspace/data/in read
           without it, the component may not read fs://workspace/data/in
           wassette permission grant storage files fs://workspace/data/in --access read
    ----- stderr -----
    nothing was granted; `--accept all`, or such as `--accept 1,3`, grants it
    ");
    assert_snapshot!(env.run(["learn", "files", "files/write-file", "--args", WRITE]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "component_id": "files",
      "rounds": 2,
      "calls": [
        {
          "tool": "test_files_files_write_file",
          "is_error": false,
          "text": "1"
        }
      ],
      "proposals": [
        {
          "number": 1,
          "lines": [
            "+ allow storage fs://workspace/data/log write"
          ],
          "why": [
            "may not write fs://workspace/data/log"
          ],
          "commands": [
            "wassette permission grant storage files fs://workspace/data/log --access write"
          ]
        }
      ],
      "refused": [],
      "notes": [],
      "policy": {
        "version": "1.0",
        "permissions": {
          "storage": {
            "allow": [
              {
                "uri": "fs://workspace/data/log",
                "access": [
                  "write"
                ]
              }
            ]
          }
        }
      },
      "changes": []
    }
    ----- stderr -----
    nothing was granted; `--accept all`, or such as `--accept 1,3`, grants it
    "#);
    assert_eq!(granted(&env), before);
    assert_eq!(fs::read_to_string(env.work_dir().join("data/log")).unwrap(), "the log");
}

#[test]
fn what_is_accepted_is_granted_in_parts() {
    let env = with_files();
    let line = |tool: &str, arguments: &str| {
        format!("{{\"name\": \"files/{tool}\", \"arguments\": {arguments}}}\n")
    };
    let calls = line("read-file", READ) + "\n" + &line("write-file", WRITE);
    env.write("calls.jsonl", calls);
    let learn = ["learn", "files", "--calls", "calls.jsonl"];
    let none = env.run(learn.into_iter().chain(["--accept", "none"])).success();
    assert!(none.stdout.contains("\"changes\": []"), "{none}");
    let two = learn.into_iter().chain(["--accept", "2", "-o", "table"]);
    assert_snapshot!(env.run(two), @"
    exit code: 0
    ----- stdout -----
    files: 2 calls, made 2 times
      passed  test_files_files_read_file: the input
      passed  test_files_files_write_file: 1

      1  + allow storage fs://workspace/data/in read
           without it, the component may not read fs://workspace/data/in
           wassette permission grant storage files fs://workspace/data/in --access read

      2  + allow storage fs://workspace/data/log write
           without it, the component may not write fs://workspace/data/log
           wassette permission grant storage files fs://workspace/data/log --access write

    granted to files:
      + allow storage fs://workspace/data/log write

    to lock it: `wassette policy pin files` binds it to the component as it is now, and a server with `--locked` lets no client change it
    ");
    let _ = env.run(["tool", "invoke", "files/write-file", "--args", WRITE]).success();
    assert_eq!(env.run(["tool", "invoke", "files/read-file", "--args", READ]).code, Some(1));
    let _ = env.run(learn.into_iter().chain(["--accept", "all"])).success();
    let _ = env.run(["tool", "invoke", "files/read-file", "--args", READ]).success();
    let done = env.run(learn.into_iter().chain(["-o", "table"]));
    assert_snapshot!(done, @"
    exit code: 0
    ----- stdout -----
    files: 2 calls, made 1 time
      passed  test_files_files_read_file: the input
      passed  test_files_files_write_file: 1

    nothing is proposed
    ");
}

#[test]
fn what_cannot_be_learned_says_why() {
    let env = with_files();
    assert_snapshot!(env.run(["learn", "files"]), @"
    exit code: 2
    ----- stderr -----
    error: the following required arguments were not provided:
      <TOOL>

    Usage: wassette learn <ID> <TOOL>

    For more information, try '--help'.
    ");
    assert_snapshot!(env.run(["learn", "files", "files/stat", "--accept", "some"]), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'some' for '--accept <WHICH>': write `all`, `none`, or numbers such as `1,3`

    For more information, try '--help'.
    ");
    let args = ["learn", "files", "files/read-file", "--args", READ, "--accept", "1,7"];
    assert_snapshot!(env.run(args), @"
    exit code: 2
    ----- stderr -----
    error: there is no number 7, so nothing was done
    hint: there is only number 1
    ");
    env.write("calls.jsonl", "{\"name\": \"files/stat\"}\n{\"name\": 1}\n");
    assert_snapshot!(env.run(["learn", "files", "--calls", "calls.jsonl"]), @r#"
    exit code: 2
    ----- stderr -----
    error: line 2 of `calls.jsonl` is not a call: invalid type: integer `1`, expected a string at line 1 column 10
    hint: write one call a line, such as `{"name": "files/read-file", "arguments": {"path": "/x"}}`
    "#);
    assert_snapshot!(env.run(["learn", "files", "--calls", "none.jsonl"]), @"
    exit code: 1
    ----- stderr -----
    error: cannot read the calls in `none.jsonl`
      caused by: No such file or directory (os error 2)
    ");
    assert_snapshot!(env.run(["learn", "nobody", "files/stat"]), @"
    exit code: 1
    ----- stderr -----
    error: no component `nobody` is loaded
    hint: `wassette component list` shows what is loaded
    ");
    assert_eq!(granted(&env), granted(&with_files()));
}

/// Learns on a terminal, where somebody types `answer`.
fn on_a_terminal(env: &TestEnv, answer: &str) -> CommandOutput {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let end = || File::options().read(true).write(true).open(&name).unwrap();
    let arguments = ["learn", "files", "files/read-file", "--args", READ, "-o", "table"];
    let child = env
        .command(arguments)
        .stdin(Stdio::from(end()))
        .stderr(Stdio::from(end()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut terminal = File::from(terminal);
    let mut asked = Vec::new();
    while !String::from_utf8_lossy(&asked).contains("1,3]") {
        let mut bytes = [0; 256];
        let read = terminal.read(&mut bytes).unwrap();
        asked.extend(&bytes[..read]);
    }
    terminal.write_all(format!("{answer}\n").as_bytes()).unwrap();
    CommandOutput::new(&child.wait_with_output().unwrap(), Vec::new())
}

#[test]
fn a_person_is_asked_which_rules_to_accept() {
    let env = with_files();
    let before = granted(&env);
    for answer in ["", "none", "perhaps", "2"] {
        let output = on_a_terminal(&env, answer);
        assert!(output.code == Some(1) || output.code == Some(2), "{answer}: {output}");
        assert_eq!(granted(&env), before, "{answer}");
    }
    let output = on_a_terminal(&env, "1");
    assert!(output.stdout.contains("granted to files:"), "{output}");
    assert_ne!(granted(&env), before);
}

#[test]
fn an_interrupt_leaves_no_copy_behind() {
    let env = empty();
    env.write("chaos.wasm", fs::read(built("chaos")).unwrap());
    let _ = env.run(["component", "load", "chaos.wasm"]).success();
    let temporary = env.work_dir().join("temporary");
    fs::create_dir(&temporary).unwrap();
    let entries = || fs::read_dir(&temporary).unwrap().count();
    let mut child = env
        .command(["learn", "chaos", "sleep-forever"])
        .env("TMPDIR", &temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while entries() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let output = CommandOutput::new(&child.wait_with_output().unwrap(), Vec::new());
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("the calls were stopped"), "{output}");
    assert_eq!(entries(), 0);
}
