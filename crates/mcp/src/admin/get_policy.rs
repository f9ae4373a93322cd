//! `get-policy`: what a component may do now. The values that a policy gives to variables stay out of
//! it: a model has no need to know them.

use serde_json::json;
use wassette_toolbox::{Annotations, JsonObject, PermissionsView, Step};

use super::arguments::{ArgumentError, Arguments};
use super::{BuiltIn, Context, Definition, Running, schema};
use crate::answer::Answer;

pub(super) struct GetPolicy;

impl BuiltIn for GetPolicy {
    fn definition(&self) -> Definition {
        Definition {
            name: "get-policy",
            title: "Get policy",
            description: "Shows what a component may do: the rules that hold for all of its \
                calls, for good or for a while, and the limits of its calls. What no rule allows is denied."
                .into(),
            input: json!({
                "type": "object",
                "properties": {
                    "component_id": {
                        "type": "string",
                        "description": "The component's id, as `list-components` shows it.",
                    },
                },
                "required": ["component_id"],
                "additionalProperties": false,
            }),
            output: Some(json!({
                "type": "object",
                "properties": {
                    "status": {
                        "type": "string",
                        "description": "`policy found` or `no policy found`.",
                    },
                    "component_id": { "type": "string" },
                    "policy": schema::any_object("The policy; values of variables are hidden."),
                    "limits": schema::any_object("What each of its calls may use."),
                    "problem": {
                        "type": "string",
                        "description": "Why nothing of its policy is in force.",
                    },
                    "notes": {
                        "type": "array",
                        "items": { "type": "string" },
                        "description": "Rules that reach nothing as things are.",
                    },
                },
                "required": ["status", "component_id"],
            })),
            annotations: Annotations::CLOSED,
        }
    }

    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a> {
        Box::pin(async move { Step::Done(policy(context, arguments).await) })
    }
}

async fn policy(context: Context<'_>, arguments: JsonObject) -> Answer {
    let id = match read(arguments) {
        Ok(id) => id,
        Err(error) => return Answer::failure(error.to_string()),
    };
    match context.toolbox.permissions(&id).await {
        Ok(view) => Answer::success(&shown(&view)),
        Err(error) => Answer::diagnostic(&error),
    }
}

fn shown(view: &PermissionsView) -> JsonObject {
    let is_there = !view.policy.is_empty() || view.problem.is_some();
    let status = if is_there { "policy found" } else { "no policy found" };
    let mut shown = schema::object_of(json!({
        "status": status,
        "component_id": view.component,
        "limits": view.limits,
    }));
    if is_there {
        shown.insert("policy".to_owned(), view.policy.to_json_for_models());
    }
    if let Some(problem) = &view.problem {
        shown.insert("problem".to_owned(), json!(problem.for_models().message));
    }
    if !view.notes.is_empty() {
        shown.insert("notes".to_owned(), json!(view.notes));
    }
    shown
}

fn read(arguments: JsonObject) -> Result<String, ArgumentError> {
    let mut arguments = Arguments::new(arguments);
    let id = arguments.text("component_id")?;
    arguments.finish()?;
    Ok(id)
}
