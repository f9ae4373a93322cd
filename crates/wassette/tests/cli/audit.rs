//! `audit`.

use std::fs;

use insta::assert_snapshot;
use wassette_testkit::{TestEnv, example};

use crate::empty;

fn with_a_denial() -> TestEnv {
    let env = empty();
    let _ = env.run(["component", "load", example("fetch").to_str().unwrap()]).success();
    let url = r#"{"url": "https://example.com/"}"#;
    assert_eq!(env.run(["tool", "invoke", "fetch", "--args", url]).code, Some(1));
    env
}

#[test]
fn what_was_denied_is_shown() {
    let env = with_a_denial();
    let shown = env.run(["audit", "show"]).success().json();
    let records = shown["records"].as_array().unwrap();
    assert_eq!(records.len(), 1, "{shown}");
    assert_eq!(records[0]["component"], "fetch");
    assert_eq!(records[0]["decision"], "denied");
    assert_eq!(records[0]["target"], "GET https://example.com/");
    let call = records[0]["call"].as_str().unwrap();
    let count = |arguments: &[&str]| {
        let shown = env.run([&["audit", "show"], arguments].concat()).success().json();
        shown["records"].as_array().unwrap().len()
    };
    assert_eq!(count(&["--component", "fetch", "--call", call, "--denied", "--since", "1h"]), 1);
    assert_eq!(count(&["--component", "other"]), 0);
    assert_eq!(count(&["--call", "other"]), 0);
    assert_eq!(count(&["-n", "0"]), 0);
    let table = env.run(["audit", "show", "-o", "table"]).success().stdout;
    assert!(table.starts_with("TIME ") && table.contains("example.com"), "{table}");
}

#[test]
fn what_is_written_down_is_what_the_configuration_says() {
    let env = with_a_denial();
    env.configure("[audit]\nlevel = \"off\"\n");
    let url = r#"{"url": "https://example.com/"}"#;
    let _denied = env.run(["tool", "invoke", "fetch", "--args", url]);
    let records = |env: &TestEnv| {
        env.run(["audit", "show"]).success().json()["records"].as_array().unwrap().len()
    };
    assert_eq!(records(&env), 1);
    env.configure("[audit]\nlevel = \"all\"\n");
    let _denied = env.run(["tool", "invoke", "fetch", "--args", url]);
    assert!(records(&env) >= 4, "begun, denied, ended: {}", records(&env));
}

#[test]
fn the_record_is_verified() {
    let env = with_a_denial();
    assert_snapshot!(env.run(["audit", "verify"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "audit log is whole",
      "files": 1,
      "records": 1,
      "torn": 0,
      "problem": null
    }
    "#);
    assert_snapshot!(env.run(["audit", "verify", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    all is as it was written; records: 1, files: 1
    ");
    let folder = fs::read_dir(env.store_dir().join("audit")).unwrap();
    let files = folder.map(|entry| entry.unwrap().path());
    let lines = files.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    let [path] = lines.collect::<Vec<_>>().try_into().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("example.com", "example.org")).unwrap();
    assert_snapshot!(env.run(["audit", "verify", "-o", "table"]), @"
    exit code: 1
    ----- stdout -----
    `[HOME]/.local/share/wassette/components/audit/log-000000000001.jsonl` line 1: the record was changed: `head.json` names another
    all before it is as it was written; records: 0
    ");
}

#[test]
fn a_store_without_a_record_has_nothing_to_show() {
    assert_snapshot!(empty().run(["audit", "show"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "records": []
    }
    "#);
    assert_snapshot!(empty().run(["audit", "verify", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    all is as it was written; records: 0, files: 0
    ");
    assert_snapshot!(empty().run(["audit", "show", "--since", "yesterday"]), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'yesterday' for '--since <TIME>': write a length of time up to a year, such as `30m` or `1h`

    For more information, try '--help'.
    ");
}
