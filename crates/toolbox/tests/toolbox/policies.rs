//! Policies as they are kept: edited, written by hand, broken, and left behind by others.

use std::fs;
use std::time::Duration;

use serde_json::json;
use wassette_policy::{AnyRule, Edit, Policy, VariableRule};
use wassette_store::{ComponentId, Digest, Store};
use wassette_toolbox::{PermissionError, Toolbox};

use crate::{Workshop, policy};

fn variable(key: &str) -> Edit {
    let rule = VariableRule::new(key, Some("x".to_owned()));
    Edit::Grant(AnyRule::Variable(rule))
}

async fn keys(toolbox: &Toolbox, id: &str) -> Vec<String> {
    let policy = toolbox.permissions(id).await.unwrap().policy;
    let mut keys: Vec<_> = policy.environment.iter().map(|rule| rule.key.clone()).collect();
    keys.sort();
    keys
}

/// How many variables the guest `env` sees.
async fn seen(workshop: &Workshop) -> usize {
    let output = workshop.call("env/list-variables", json!({})).await;
    output.structured.unwrap()["result"].as_array().unwrap().len()
}

#[tokio::test]
async fn an_edit_is_in_force_at_once_and_kept() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    assert_eq!(seen(&workshop).await, 0);
    let edits = vec![variable("B"), variable("A")];
    let change = workshop.toolbox.edit_policy("env", edits.clone()).await.unwrap();
    assert!(change.before.is_empty() && change.widens);
    assert_eq!(change.changes.len(), 2, "{:?}", change.changes);
    assert_eq!(seen(&workshop).await, 2);
    assert_eq!(keys(&workshop.second(), "env").await, ["A", "B"]);

    let before = workshop.toolbox.catalog().await.revision();
    let again = workshop.toolbox.edit_policy("env", edits).await.unwrap();
    assert!(again.before == again.after && !again.widens);
    assert_eq!(workshop.toolbox.catalog().await.revision(), before, "nothing was written");

    let reset = workshop.toolbox.edit_policy("env", vec![Edit::Reset]).await.unwrap();
    assert!(reset.after.is_empty() && !reset.widens);
    assert_eq!(seen(&workshop).await, 0);
}

#[tokio::test]
async fn what_an_edit_puts_in_order_is_told_although_the_rules_stay() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    let folder = workshop.folder.path().join("data");
    fs::create_dir(&folder).unwrap();
    let text =
        format!("storage: {{ allow: [{{ uri: \"fs://{}\", access: [read] }}] }}", folder.display());
    let grant = || Edit::Grant(AnyRule::Storage(policy(&text).storage.allow.remove(0)));
    workshop.toolbox.edit_policy("env", vec![grant()]).await.unwrap();
    fs::rename(&folder, workshop.folder.path().join("moved")).unwrap();
    fs::create_dir(&folder).unwrap();
    let again = workshop.toolbox.edit_policy("env", vec![grant()]).await.unwrap();
    assert!(again.before == again.after && again.widens);
    assert_eq!(again.changes, ["the same is granted anew, for what stands there now"]);

    workshop.write_by_hand("env", "storage: {").await;
    let reset = workshop.toolbox.edit_policy("env", vec![Edit::Reset]).await.unwrap();
    assert_eq!(reset.changes, ["what was stored, and granted nothing, is replaced"]);
    let nothing = workshop.toolbox.edit_policy("env", vec![Edit::Reset]).await.unwrap();
    assert!(nothing.changes.is_empty());
}

#[tokio::test]
async fn edits_are_made_together_or_not_at_all() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    let missing = workshop.folder.path().join("missing");
    let text = format!(
        "storage: {{ allow: [{{ uri: \"fs://{}\", access: [read] }}] }}",
        missing.display()
    );
    let rule = policy(&text).storage.allow.remove(0);
    let edits = vec![variable("A"), Edit::Grant(AnyRule::Storage(rule))];
    let refused = workshop.toolbox.edit_policy("env", edits).await.unwrap_err();
    assert!(matches!(refused, PermissionError::Place(_)), "{refused}");
    assert!(keys(&workshop.toolbox, "env").await.is_empty());
    assert!(!workshop.policy_file("env").exists());
}

#[tokio::test]
async fn a_preview_writes_nothing() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    let wanted = policy("environment: { allow: [{ key: A, value: x }] }");
    let change = workshop.toolbox.preview_policy("env", wanted.clone()).await.unwrap();
    assert!(change.widens && change.after == wanted && change.changes.len() == 1, "{change:?}");
    assert!(!workshop.policy_file("env").exists());
    let set = workshop.toolbox.set_policy("env", wanted).await.unwrap();
    assert_eq!(set, change);
    assert_eq!(seen(&workshop).await, 1);
}

#[tokio::test]
async fn two_processes_lose_no_edit() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    let second = workshop.second();
    let mut edits = Vec::new();
    for number in 0..12 {
        let toolbox = if number % 2 == 0 { workshop.toolbox.clone() } else { second.clone() };
        let edit = variable(&format!("KEY_{number}"));
        edits.push(tokio::spawn(async move { toolbox.edit_policy("env", vec![edit]).await }));
    }
    for edit in edits {
        edit.await.unwrap().unwrap();
    }
    assert_eq!(keys(&workshop.second(), "env").await.len(), 12);
}

#[tokio::test]
async fn a_policy_that_was_edited_by_hand_is_in_force_and_what_an_edit_begins_with() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    workshop.toolbox.edit_policy("env", vec![variable("A")]).await.unwrap();
    workshop
        .write_by_hand(
            "env",
            "environment: { allow: [{ key: B, value: x }, { key: C, value: x }] }",
        )
        .await;
    assert_eq!(seen(&workshop).await, 2);
    workshop.toolbox.edit_policy("env", vec![variable("D")]).await.unwrap();
    assert_eq!(keys(&workshop.toolbox, "env").await, ["B", "C", "D"]);
}

#[tokio::test]
async fn denied_p03_everything_from_the_moment_a_policy_breaks_until_it_is_mended() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    workshop.wat("add").await;
    let sound = "environment: { allow: [{ key: A, value: x }] }";
    workshop.write_by_hand("env", sound).await;
    assert_eq!(seen(&workshop).await, 1);

    let catalog = workshop.write_by_hand("env", "environment: { alow: [{ key: A }] }").await;
    assert_eq!(seen(&workshop).await, 0);
    let problem = catalog.problems().iter().find(|problem| problem.component == "env").unwrap();
    assert!(problem.message.starts_with("nothing is granted to it: its policy `"), "{problem:?}");
    assert!(problem.message.contains("line 1") && problem.message.contains("alow"), "{problem:?}");
    let output =
        workshop.call("read-configuration", json!({ "under": "store-draft", "key": "A" })).await;
    let told = output.text.last().unwrap();
    let words = "nothing is granted to component `env`: its policy cannot be read (line 1, column ";
    assert!(told.contains(words) && !told.contains("alow"), "{told}");
    assert!(!output.text.join("\n").contains("to allow it"), "{:?}", output.text);
    let added = workshop.call("add", crate::two_and_three()).await;
    assert_eq!(added.text, ["5"], "others are not touched");

    workshop.write_by_hand("env", sound).await;
    assert_eq!(seen(&workshop).await, 1);
    assert!(workshop.toolbox.catalog().await.problems().is_empty());
}

#[tokio::test]
async fn denied_p01_everything_under_a_policy_that_cannot_be_read() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    workshop.wat("add").await;
    let sound = "environment: { allow: [{ key: A, value: x }] }";
    let rule = "\nenvironment: { allow: [{ key: A, value: x }] }\n";
    for (what, text) in [
        ("garbage", "}{".to_owned()),
        ("a NUL", format!("{rule}\0")),
        ("10 MiB", format!("{rule}#{}", "x".repeat(10 << 20))),
        ("an unknown key", format!("{rule}limts: {{}}")),
        ("a key twice", format!("{rule}{rule}")),
        ("two documents", format!("{rule}---{rule}")),
        ("another version", format!("version: \"9.0\"\npermissions:{{{sound}}}")),
        ("many brackets", "[".repeat(60_000)),
        ("aliases", format!("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n{sound}")),
    ] {
        workshop.write_by_hand("env", sound).await;
        assert_eq!(seen(&workshop).await, 1, "{what}");
        let catalog = workshop.write_by_hand("env", &text).await;
        assert_eq!(seen(&workshop).await, 0, "{what}");
        assert_eq!(catalog.problems().len(), 1, "{what}");
        let view = workshop.toolbox.permissions("env").await.unwrap();
        assert!(view.policy.is_empty() && view.problem.is_some(), "{what}");
        // The same after a restart.
        let again = workshop.second().permissions("env").await.unwrap();
        assert_eq!(again.problem, view.problem, "{what}");
    }
    assert_eq!(workshop.call("add", crate::two_and_three()).await.text, ["5"]);
}

#[tokio::test]
async fn a_broken_policy_is_not_written_over_unless_someone_says_so() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    workshop.write_by_hand("env", "environment: [").await;
    let refused = workshop.toolbox.edit_policy("env", vec![variable("A")]).await.unwrap_err();
    assert!(matches!(refused, PermissionError::Broken { .. }), "{refused}");
    assert_eq!(fs::read_to_string(workshop.policy_file("env")).unwrap(), "environment: [");
    let reset = vec![Edit::Reset, variable("B")];
    workshop.toolbox.edit_policy("env", reset).await.unwrap();
    assert_eq!(keys(&workshop.toolbox, "env").await, ["B"]);
    workshop.write_by_hand("env", "environment: [").await;
    workshop.toolbox.set_policy("env", Policy::default()).await.unwrap();
    assert!(workshop.toolbox.permissions("env").await.unwrap().problem.is_none());
}

#[tokio::test]
async fn denied_p07_what_was_granted_to_a_component_from_another_source() {
    let workshop = Workshop::new();
    let bytes = fs::read(wassette_testkit::built("env")).unwrap();
    workshop.put("one/env.wasm", &bytes).put("two/env.wasm", &bytes);
    workshop.load("one/env.wasm").await.unwrap();
    workshop.toolbox.edit_policy("env", vec![variable("A")]).await.unwrap();
    assert_eq!(seen(&workshop).await, 1);
    workshop.replace("two/env.wasm").await.unwrap();
    assert_eq!(seen(&workshop).await, 0);
    assert_eq!(
        workshop.toolbox.edit_policy("env", vec![variable("B")]).await.unwrap().before.environment,
        []
    );
    assert_eq!(keys(&workshop.toolbox, "env").await, ["B"]);

    // The same source keeps what it has when it is loaded again.
    workshop.load("two/env.wasm").await.unwrap();
    assert_eq!(seen(&workshop).await, 1);
}

#[tokio::test]
async fn denied_p07_what_is_pinned_to_other_bytes_of_the_component() {
    let workshop = Workshop::new();
    let bytes = fs::read(wassette_testkit::built("env")).unwrap();
    let others = [bytes.as_slice(), &[0, 2, 1, b'x']].concat();
    workshop.put("env.wasm", &bytes).load("env.wasm").await.unwrap();
    workshop.toolbox.edit_policy("env", vec![variable("A")]).await.unwrap();
    let (id, pinned) = (ComponentId::parse("env").unwrap(), Digest::of(&bytes));
    let store = Store::open(&workshop.store()).unwrap();
    let stored = store.policy(&id).unwrap().unwrap();
    let mut writer = store.write(Duration::from_secs(10)).unwrap();
    let pins = stored.binding.unwrap().pins;
    writer.put_policy(&id, &stored.text, pins, Some(pinned)).unwrap();
    writer.commit().unwrap();

    workshop.put("env.wasm", &others).load("env.wasm").await.unwrap();
    assert_eq!(seen(&workshop).await, 0);
    let problem = workshop.toolbox.permissions("env").await.unwrap().problem.clone().unwrap();
    assert!(problem.message.contains(&format!("pinned to {pinned}")), "{problem}");
    assert!(problem.help.clone().unwrap().contains("`wassette policy pin env`"), "{problem}");
    let again = workshop.second().permissions("env").await.unwrap();
    assert_eq!(again.problem, Some(problem));
    let refused = workshop.toolbox.edit_policy("env", vec![variable("B")]).await.unwrap_err();
    assert!(matches!(refused, PermissionError::Pinned { .. }), "{refused}");

    // The bytes that it is pinned to have it again, and what is granted now stays pinned to them.
    workshop.put("env.wasm", &bytes).load("env.wasm").await.unwrap();
    assert_eq!(seen(&workshop).await, 1);
    workshop.toolbox.edit_policy("env", vec![variable("B")]).await.unwrap();
    assert_eq!(seen(&workshop).await, 2);
    workshop.put("env.wasm", &others).load("env.wasm").await.unwrap();
    assert_eq!(seen(&workshop).await, 0);
    // A reset takes back the pin as well.
    workshop.toolbox.edit_policy("env", vec![Edit::Reset, variable("C")]).await.unwrap();
    assert_eq!(keys(&workshop.toolbox, "env").await, ["C"]);
    workshop.put("env.wasm", &bytes).load("env.wasm").await.unwrap();
    assert_eq!(keys(&workshop.toolbox, "env").await, ["C"]);
}

#[tokio::test]
async fn denied_p07_what_was_granted_before_a_component_was_unloaded() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    workshop.toolbox.edit_policy("env", vec![variable("A")]).await.unwrap();
    workshop.toolbox.unload("env").await.unwrap();
    let refused = workshop.toolbox.edit_policy("env", vec![variable("A")]).await.unwrap_err();
    assert!(matches!(refused, PermissionError::Unknown { .. }), "{refused}");
    workshop.built("env").await;
    assert_eq!(seen(&workshop).await, 0);
}

#[tokio::test]
async fn denied_p07_a_grant_to_a_component_that_is_not_there() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    let refused = workshop.toolbox.edit_policy("enf", vec![variable("A")]).await.unwrap_err();
    assert_eq!(refused.to_string(), "no component `enf` is loaded; did you mean `env`?");
    let refused = workshop.toolbox.set_policy("../env", Policy::default()).await.unwrap_err();
    assert!(matches!(refused, PermissionError::Unknown { .. }), "{refused}");
}

#[tokio::test]
async fn denied_r17_what_a_component_asks_for_itself() {
    let workshop = Workshop::new();
    let bytes = fs::read(wassette_testkit::built("env")).unwrap();
    workshop.put("env.wasm", &bytes);
    workshop.put("env.policy.yaml", b"environment: { allow: [{ key: A, value: x }] }");
    workshop.load("env.wasm").await.unwrap();
    assert_eq!(seen(&workshop).await, 0);
    let view = workshop.toolbox.permissions("env").await.unwrap();
    assert!(view.policy.is_empty());
    let asked = view.requested.unwrap().to_json();
    assert_eq!(asked["policy"]["permissions"]["environment"]["allow"][0]["key"], "A", "{asked}");

    workshop.put("env.policy.yaml", b"environment: [");
    workshop.load("env.wasm").await.unwrap();
    let view = workshop.toolbox.permissions("env").await.unwrap();
    assert!(view.requested.unwrap().to_json()["unreadable"].is_string());
}
