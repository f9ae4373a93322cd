//! What the tools that change permissions have in common: a component, a wish and a reason go to the
//! toolbox, which decides whether a person is asked, and what came of it goes back.

use serde_json::{Value, json};
use wassette_toolbox::{JsonObject, Step, Wish};

use super::Context;
use super::arguments::ArgumentError;
use super::schema;
use crate::answer::Answer;

/// What is said of a tool that widens.
pub(super) const DECIDES: &str = "A person decides, and may grant it for one call, for a while, for \
    good or not at all. If the answer is no, go on without it and do not ask again.";

/// A change that a model asks for.
pub(super) struct Request {
    pub(super) component: String,
    pub(super) reason: Option<String>,
    pub(super) wish: Wish,
    /// What the answer says beside what is different, should it be done.
    pub(super) says: JsonObject,
}

/// Asks the toolbox for it.
pub(super) async fn request(
    context: Context<'_>,
    request: Result<Request, ArgumentError>,
) -> Step<Answer> {
    let Request { component, reason, wish, mut says } = match request {
        Ok(request) => request,
        Err(error) => return Step::Done(Answer::failure(error.to_string())),
    };
    let edits = match wish.edits() {
        Ok(edits) => edits,
        Err(error) => return Step::Done(Answer::diagnostic(&error)),
    };
    let Context { toolbox, answered, .. } = context;
    match toolbox.request_edits(&component, edits, reason.as_deref(), answered).await {
        Ok(step) => step.map(|granted| {
            says.insert("component_id".to_owned(), json!(granted.change.component));
            says.insert("changes".to_owned(), json!(granted.change.changes));
            if !granted.change.notes.is_empty() {
                says.insert("notes".to_owned(), json!(granted.change.notes));
            }
            says.insert("lasting".to_owned(), json!(granted.lasting.words()));
            Answer::success(&says)
        }),
        Err(error) => Step::Done(Answer::diagnostic(&error)),
    }
}

/// The schema of the arguments: those of every such tool, and `more`, all required.
pub(super) fn input(more: &[(&str, Value)]) -> Value {
    let mut properties = schema::object_of(json!({
        "component_id": {
            "type": "string",
            "description": "The component's id, as `list-components` shows it.",
        },
    }));
    let mut required = vec!["component_id"];
    for (name, schema) in more {
        properties.insert((*name).to_owned(), schema.clone());
        required.push(name);
    }
    properties.insert(
        "reason".to_owned(),
        json!({
            "type": "string",
            "description": "Why it is needed, in a sentence that the person will read.",
        }),
    );
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A closed object of `properties`, of which those that are named must be there.
pub(super) fn details(properties: Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// An array of strings.
pub(super) fn texts(description: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": description })
}

/// The schema of the answer.
pub(super) fn output() -> Value {
    json!({
        "type": "object",
        "properties": {
            "status": { "type": "string" },
            "component_id": { "type": "string" },
            "permission_type": { "type": "string" },
            "details": schema::any_object("What was asked for."),
            "uri": { "type": "string" },
            "message": { "type": "string" },
            "changes": {
                "type": "array",
                "items": { "type": "string" },
                "description": "What is different in the component's policy, a line each.",
            },
            "notes": {
                "type": "array",
                "items": { "type": "string" },
                "description": "What is to be known about it, such as a folder that is not there.",
            },
            "lasting": { "type": "string", "description": "For how long it is so." },
        },
        "required": ["status", "component_id", "changes", "lasting"],
    })
}
