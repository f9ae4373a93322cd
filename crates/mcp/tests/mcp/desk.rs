//! A server that asks, a client with a person behind it, a component that works on files, and a file
//! that it may not read.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wassette_mcp::ServerOptions;
use wassette_testkit::{LEGACY, McpClient, built};
use wassette_toolbox::{AuditFilter, Options, Toolbox};

use crate::support::{Served, folder, serve_toolbox, toolbox_with};

/// The word that the file holds.
pub(crate) const WORD: &str = "hello";

pub(crate) struct Desk {
    pub(crate) served: Served,
    pub(crate) file: PathBuf,
}

impl Desk {
    /// With a client that can ask its person.
    pub(crate) async fn new() -> Self {
        let mut desk = Self::with(|_| {}, |_| {}).await;
        desk.client().declare(json!({ "elicitation": {} }));
        desk
    }

    /// The same in a revision with a handshake.
    pub(crate) async fn legacy() -> Self {
        let mut desk = Self::new().await;
        desk.client().initialize(LEGACY).await;
        desk
    }

    /// With a client that cannot ask anybody.
    pub(crate) async fn with(
        toolbox: impl FnOnce(&mut Options),
        server: impl FnOnce(&mut ServerOptions),
    ) -> Self {
        let folder = folder();
        let toolbox = toolbox_with(folder.path(), toolbox);
        let (path, file) = furnish(folder.path());
        load(&toolbox, &path).await;
        let served = serve_toolbox(toolbox, folder, server);
        Self { served, file }
    }

    pub(crate) fn client(&mut self) -> &mut McpClient {
        &mut self.served.client
    }

    /// The arguments with which the tool reads the file.
    pub(crate) fn reading(&self) -> Value {
        json!({ "path": self.file })
    }

    /// A call for the rule that lets the file be read.
    pub(crate) fn wish(&self) -> Value {
        json!({
            "component_id": "files",
            "details": { "uri": format!("fs://{}", self.file.display()), "access": ["read"] },
            "reason": "to read it",
        })
    }

    pub(crate) fn policy(&self) -> Option<String> {
        let store = self.served.folder.path().join("store");
        fs::read_to_string(store.join("policies/files.yaml")).ok()
    }

    /// What the decision log says of decisions: what about, and what was said.
    pub(crate) async fn verdicts(&self) -> Vec<(String, String)> {
        verdicts(&self.served.toolbox).await
    }
}

/// Puts the component and the file into `folder`.
pub(crate) fn furnish(folder: &Path) -> (PathBuf, PathBuf) {
    let path = folder.join("files.wasm");
    fs::copy(built("files"), &path).unwrap();
    let data = folder.canonicalize().unwrap().join("data");
    fs::create_dir(&data).unwrap();
    let file = data.join("a.txt");
    fs::write(&file, WORD).unwrap();
    (path, file)
}

pub(crate) async fn verdicts(toolbox: &Toolbox) -> Vec<(String, String)> {
    let records = toolbox.audit_records(AuditFilter::default()).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let verdict = |record: &wassette_toolbox::JsonObject| {
        Some((text(&record["effect"]), text(record.get("verdict")?)))
    };
    records.iter().filter_map(verdict).collect()
}

/// What the operator loads is loaded unasked.
async fn load(toolbox: &Toolbox, path: &Path) {
    let reference = path.to_str().unwrap().to_owned();
    let request = wassette_toolbox::LoadRequest::new(reference, "/".into());
    toolbox.load(request, |_| {}).await.unwrap();
}

/// The question in an answer of 2026-07-28, and what comes back with its own answer.
pub(crate) fn question(answer: &Value) -> (Value, String) {
    let result = &answer["result"];
    assert_eq!(result["resultType"], "input_required", "{answer}");
    assert_eq!(result.get("content"), None, "{answer}");
    let requests = result["inputRequests"].as_object().unwrap();
    assert_eq!(requests.len(), 1);
    let request = requests["decision"].clone();
    assert_eq!(request["method"], "elicitation/create", "{answer}");
    (request["params"].clone(), result["requestState"].as_str().unwrap().to_owned())
}

/// What a person says with one of the words.
pub(crate) fn accept(word: &str) -> Value {
    json!({ "action": "accept", "content": { "decision": word } })
}

/// The parameters of a call that brings `said` back.
pub(crate) fn answering(name: &str, arguments: &Value, state: &str, said: &Value) -> Value {
    json!({
        "name": name,
        "arguments": arguments,
        "requestState": state,
        "inputResponses": { "decision": said },
    })
}

/// The text of an answer, and whether it is an error.
pub(crate) fn told(answer: &Value) -> (bool, String) {
    let result = &answer["result"];
    let content = result["content"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let text: Vec<_> = content.iter().map(|block| block["text"].as_str().unwrap()).collect();
    (result["isError"] == true, text.join("\n"))
}

pub(crate) fn works(answer: &Value) {
    assert!(!told(answer).0, "{answer}");
}

/// Asserts that `answer` is an error that has `words`.
pub(crate) fn fails(answer: &Value, words: &str) {
    let (is_error, text) = told(answer);
    assert!(is_error && text.contains(words), "no `{words}` in {answer}");
}
