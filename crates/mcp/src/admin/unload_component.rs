//! `unload-component`: a component and its tools go, for every client. Calls that run finish.

use serde_json::json;
use wassette_toolbox::{Annotations, JsonObject, Step};

use super::arguments::{ArgumentError, Arguments};
use super::{BuiltIn, Context, Definition, Running};
use crate::answer::Answer;

pub(super) struct UnloadComponent;

impl BuiltIn for UnloadComponent {
    fn definition(&self) -> Definition {
        Definition {
            name: "unload-component",
            title: "Unload component",
            description: "Removes a component and all its tools, for this and every other client. \
                Calls that are running still finish. If a person set up permissions or secrets \
                for it, that person is asked first."
                .into(),
            input: json!({
                "type": "object",
                "properties": {
                    "id": {
                        "type": "string",
                        "description": "The component's id, as list-components shows it.",
                    },
                },
                "required": ["id"],
                "additionalProperties": false,
            }),
            output: Some(json!({
                "type": "object",
                "properties": {
                    "status": { "type": "string" },
                    "id": { "type": "string" },
                    "tools": {
                        "type": "array",
                        "items": { "type": "string" },
                        "description": "The names of the tools that are gone.",
                    },
                },
                "required": ["status", "id", "tools"],
            })),
            annotations: Annotations {
                read_only: false,
                destructive: true,
                idempotent: true,
                open_world: false,
            },
        }
    }

    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a> {
        Box::pin(async move {
            let id = match read(arguments) {
                Ok(id) => id,
                Err(error) => return Step::Done(Answer::failure(error.to_string())),
            };
            match context.toolbox.request_unload(&id, context.answered).await {
                Ok(step) => step.map(|unloaded| {
                    Answer::success(&json!({
                        "status": "component unloaded successfully",
                        "id": unloaded.id,
                        "tools": unloaded.tools,
                    }))
                }),
                Err(error) => Step::Done(Answer::diagnostic(&error)),
            }
        })
    }
}

fn read(arguments: JsonObject) -> Result<String, ArgumentError> {
    let mut arguments = Arguments::new(arguments);
    let id = arguments.text("id")?;
    arguments.finish()?;
    Ok(id)
}
