//! What is told of a call beside its result: relative paths, the last words of a crash, variables that
//! nobody listed.

use std::fs;

use serde_json::{Value, json};
use wassette_testkit::example;
use wassette_toolbox::{LearnCall, LearnRequest, Lesson, Options, ToolOutput};
use zeroize::Zeroizing;

use crate::{Workshop, object};

/// A workshop whose folder `ws` is the workspace.
fn with_workspace(files: &[&str]) -> Workshop {
    let workshop = Workshop::with(|options| {
        let here = options.store_dir.parent().unwrap().join("ws");
        fs::create_dir_all(&here).unwrap();
        options.workspaces.insert("workspace".to_owned(), here);
    });
    for file in files {
        workshop.put(&format!("ws/{file}"), file.as_bytes());
    }
    workshop
}

async fn learn(workshop: &Workshop, tool: &str, arguments: Value) -> Lesson {
    let component = tool.split("/").next().unwrap().to_owned();
    let call = LearnCall { tool: tool.to_owned(), arguments: object(arguments) };
    let request =
        LearnRequest { component, calls: vec![call], rounds: LearnRequest::ROUNDS, overlay: true };
    workshop.toolbox.learn(request, |_| {}).await.unwrap()
}

fn targets(output: &ToolOutput) -> Vec<&str> {
    output.denials.iter().map(|denial| denial.target.as_str()).collect()
}

#[tokio::test]
async fn a_relative_path_works_under_a_rule_for_the_workspace() {
    let workshop = with_workspace(&["data/notes.txt", "data/sub/x"]);
    workshop.load(&example("filesystem").to_string_lossy()).await.unwrap();
    workshop.built("files").await;
    let path = json!({ "path": "data/notes.txt" });
    for tool in ["filesystem/read-file", "files/read-file"] {
        let output = workshop.call(tool, path.clone()).await;
        assert!(output.is_error);
        assert_eq!(targets(&output), ["fs://workspace/data/notes.txt"], "{tool}");
        let lesson = learn(&workshop, tool, path.clone()).await;
        let lines: Vec<_> = lesson.proposals.iter().flat_map(|it| it.lines.clone()).collect();
        assert_eq!(lines, ["+ allow storage fs://workspace/data/notes.txt read"], "{lesson:?}");
        let edits = lesson.proposals.iter().map(|it| it.edit.clone()).collect();
        workshop.toolbox.accept(&lesson, edits).await.unwrap();
        for path in [
            "data/notes.txt",
            "./data/notes.txt",
            "/workspace/data/notes.txt",
            "data/../data/notes.txt",
        ] {
            let output = workshop.call(tool, json!({ "path": path })).await;
            assert_eq!(output.text, ["data/notes.txt"], "{tool} {path}");
        }
    }
    let rule = json!({ "uri": "fs://workspace", "access": ["read"] });
    workshop.grant("files", &json!({ "storage": { "allow": [rule] } }).to_string()).await;
    let output = workshop.call("files/list-directory", json!({ "path": "." })).await;
    assert_eq!(output.structured.unwrap()["result"][0]["name"], "data");
    let output = workshop.call("files/directories", json!({})).await;
    assert_eq!(output.structured.unwrap()["result"], json!([".", "/", ".", "/workspace"]));
}

#[tokio::test]
async fn a_path_may_leave_a_granted_folder_and_come_back() {
    let workshop = with_workspace(&["data/notes.txt", "secret.txt"]);
    workshop.built("files").await;
    let rule = json!({ "uri": "fs://workspace/data", "access": ["read"] });
    workshop.grant("files", &json!({ "storage": { "allow": [rule] } }).to_string()).await;
    for path in ["/workspace/data/../data/notes.txt", "/workspace/../workspace/data/notes.txt"] {
        let output = workshop.call("files/read-file", json!({ "path": path })).await;
        assert_eq!(output.text, ["data/notes.txt"], "{path}");
    }
    let out = json!({ "path": "/workspace/data/../secret.txt" });
    let output = workshop.call("files/read-file", out).await;
    assert!(output.is_error);
    assert_eq!(targets(&output), ["fs://workspace/secret.txt"]);
}

/// Neither in the workspace nor from the root.
#[tokio::test]
async fn what_is_nowhere_is_told_and_not_proposed() {
    let workshop = with_workspace(&["x"]);
    workshop.built("files").await;
    let lesson =
        learn(&workshop, "files/read-file", json!({ "path": "nowhere/to/be/found" })).await;
    assert!(lesson.proposals.is_empty(), "{lesson:?}");
    assert!(lesson.notes.iter().any(|note| note.contains("does not exist")), "{lesson:?}");
}

#[tokio::test]
async fn what_is_denied_is_told_in_one_block() {
    let workshop = with_workspace(&["x"]);
    workshop.built("files").await;
    let from = json!({ "old-path": "a", "new-path": "b" });
    let output = workshop.call("files/rename", from).await;
    let output_stat = workshop.call("files/stat", json!({ "path": "python" })).await;
    assert_eq!(output.text.len(), 2, "{output:?}");
    assert!(output_stat.is_error && output_stat.denials.is_empty(), "{output_stat:?}");
}

#[tokio::test]
async fn denied_a_secret_in_the_last_words_of_a_crash() {
    let workshop = Workshop::new();
    workshop.built("chaos").await;
    let secret = "canary-of-a-crash-91";
    let pairs = vec![("TOKEN".to_owned(), Zeroizing::new(secret.to_owned()))];
    workshop.toolbox.set_secrets("chaos", pairs).await.unwrap();
    workshop.grant("chaos", r#"{ "environment": { "allow": [{ "key": "TOKEN" }] } }"#).await;
    let message = format!("\u{1b}[31mbad {secret} \u{202e}{}", "x".repeat(5000));
    let output = workshop.call("panic", json!({ "message": message })).await;
    let text = output.text.concat();
    assert!(text.contains("own last words: ") && text.contains("bad"), "{text}");
    assert!(!text.contains(secret) && text.len() < 700, "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
}

/// What is kept of standard error ends anywhere, and half of a secret is not known for one.
#[tokio::test]
async fn denied_half_of_a_secret_in_the_last_words_of_a_crash() {
    let workshop = Workshop::new();
    workshop.built("chaos").await;
    let secret = "canary-of-a-crash-92";
    let pairs = vec![("TOKEN".to_owned(), Zeroizing::new(secret.to_owned()))];
    workshop.toolbox.set_secrets("chaos", pairs).await.unwrap();
    let policy = r#"{
        "environment": { "allow": [{ "key": "TOKEN" }] },
        "resources": { "limits": { "output-bytes": "1Ki" } }
    }"#;
    workshop.grant("chaos", policy).await;
    let mut cuts = 0;
    for filling in 900..1024 {
        let message = format!("{}\nbad {secret} rejected", "x".repeat(filling));
        let output = workshop.call("panic", json!({ "message": message })).await;
        let text = output.text.concat();
        assert!(output.is_error && !text.contains("canary"), "{filling}: {text}");
        cuts += usize::from(output.stderr.contains("canary"));
    }
    // Where the cut goes is not ours to say, but it did go through the secret.
    assert!(cuts > 0);
}

fn offering(options: &mut Options) {
    let pair = ("OFFERED_KEY".to_owned(), "canary-offered".to_owned());
    options.environment.given.extend([pair]);
}

/// The guest reads all its variables when it panics, so none is refused.
#[tokio::test]
async fn a_variable_that_nobody_listed_is_told_without_its_name() {
    let workshop = Workshop::with(offering);
    workshop.built("chaos").await;
    let call = || workshop.call("panic", json!({ "message": "no key" }));
    let output = call().await;
    assert!(output.asked_for_all_variables, "{output:?}");
    let told = output.text.last().unwrap();
    assert!(told.contains("wassette permission grant environment-variable chaos KEY"), "{told}");
    assert!(!output.text.concat().contains("OFFERED_KEY"), "{output:?}");
    let unlisted = workshop.toolbox.unlisted_variables("panic").await.unwrap();
    assert_eq!(unlisted, ("chaos".to_owned(), vec!["OFFERED_KEY".to_owned()]));

    workshop.grant("chaos", r#"{ "environment": { "allow": [{ "key": "OFFERED_KEY" }] } }"#).await;
    assert_eq!(call().await.text.len(), 1);
    assert!(workshop.toolbox.unlisted_variables("panic").await.unwrap().1.is_empty());
}

#[tokio::test]
async fn learning_gives_hints_of_variables_and_proposes_none() {
    let workshop = Workshop::with(offering);
    workshop.built("chaos").await;
    let message = json!({ "message": "WEATHER_API_KEY is not set" });
    let lesson = learn(&workshop, "chaos/panic", message).await;
    assert!(lesson.proposals.is_empty(), "{lesson:?}");
    let command = "wassette permission grant environment-variable chaos WEATHER_API_KEY";
    assert!(lesson.notes.iter().any(|note| note.ends_with(command)), "{lesson:?}");
    assert!(!lesson.notes.concat().contains("OFFERED_KEY"), "{lesson:?}");
}
