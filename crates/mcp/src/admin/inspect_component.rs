//! `inspect-component`: everything about one component, loaded or lying in a file. It changes
//! nothing and runs nothing of the component.

use serde_json::{Value, json};
use wassette_toolbox::{Annotations, InspectionView, JsonObject, Step};

use super::arguments::{ArgumentError, Arguments};
use super::{BuiltIn, Context, Definition, Running, schema};
use crate::answer::Answer;

pub(super) struct InspectComponent;

impl BuiltIn for InspectComponent {
    fn definition(&self) -> Definition {
        Definition {
            name: "inspect-component",
            title: "Inspect component",
            description: "Shows a component's functions with their signatures and schemas, the \
                functions that are not callable with the reason, what it imports and what its \
                author asks to be granted. Takes the id of a loaded component, or the path of one \
                that need not be loaded."
                .into(),
            input: json!({
                "type": "object",
                "properties": {
                    "id": {
                        "type": "string",
                        "description": "A component's id, or the path of a component's file.",
                    },
                },
                "required": ["id"],
                "additionalProperties": false,
            }),
            output: Some(json!({
                "type": "object",
                "properties": properties(),
                "required": ["id", "loaded", "tools"],
            })),
            annotations: Annotations::CLOSED,
        }
    }

    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a> {
        Box::pin(async move { Step::Done(inspect(context, arguments).await) })
    }
}

async fn inspect(context: Context<'_>, arguments: JsonObject) -> Answer {
    let id = match read(arguments) {
        Ok(id) => id,
        Err(error) => return Answer::failure(error.to_string()),
    };
    match context.toolbox.inspect(&id, &context.options.base, false).await {
        Ok(inspection) => Answer::success(&InspectionView::from(&inspection)),
        Err(error) => Answer::diagnostic(&error),
    }
}

fn properties() -> Value {
    let mut properties = schema::object_of(schema::component_properties());
    properties.extend(schema::object_of(json!({
        "loaded": { "type": "boolean", "description": "Whether its tools can be called." },
        "unverified": { "type": "string", "description": "Why nobody vouches for it." },
        "referrers": {
            "type": "array",
            "description": "What else its registry keeps beside it, such as a list of its parts.",
            "items": {
                "type": "object",
                "properties": {
                    "type": { "type": "string" },
                    "digest": { "type": "string" },
                    "size": { "type": "integer" },
                },
                "required": ["type", "digest", "size"],
            },
        },
        "wants": {
            "type": "array",
            "description": "What its imports tell that it could make use of, if it is granted.",
            "items": {
                "type": "object",
                "properties": {
                    "what": { "type": "string" },
                    "words": { "type": "string" },
                    "interfaces": { "type": "array", "items": { "type": "string" } },
                },
                "required": ["what", "words"],
            },
        },
        "requested": schema::any_object(
            "The policy that its author shipped with it. It grants nothing."
        ),
        "signatures": {
            "type": "array",
            "items": { "type": "string" },
            "description": "The tools' functions as WIT has them, in the order of `tools`.",
        },
    })));
    Value::Object(properties)
}

fn read(arguments: JsonObject) -> Result<String, ArgumentError> {
    let mut arguments = Arguments::new(arguments);
    let id = arguments.text("id")?;
    arguments.finish()?;
    Ok(id)
}
