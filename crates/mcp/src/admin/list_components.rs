//! `list-components`: what is loaded, and what lies in the store but cannot be served.

use serde_json::json;
use wassette_toolbox::{Annotations, ComponentsView, JsonObject, Step};

use super::arguments::Arguments;
use super::{BuiltIn, Context, Definition, Running, schema};
use crate::answer::Answer;

pub(super) struct ListComponents;

impl BuiltIn for ListComponents {
    fn definition(&self) -> Definition {
        Definition {
            name: "list-components",
            title: "List components",
            description: "Lists the loaded components with their tools, and the stored ones that \
                cannot be served with the reason."
                .into(),
            input: json!({ "type": "object", "properties": {}, "additionalProperties": false }),
            output: Some(json!({
                "type": "object",
                "properties": {
                    "components": { "type": "array", "items": schema::component() },
                    "total": { "type": "integer" },
                    "problems": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "component": { "type": "string" },
                                "message": { "type": "string" },
                                "help": { "type": "string" },
                            },
                            "required": ["component", "message"],
                        },
                    },
                },
                "required": ["components", "total"],
            })),
            annotations: Annotations::CLOSED,
        }
    }

    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a> {
        Box::pin(async move { Step::Done(list(context, arguments).await) })
    }
}

async fn list(context: Context<'_>, arguments: JsonObject) -> Answer {
    if let Err(error) = Arguments::new(arguments).finish() {
        return Answer::failure(error.to_string());
    }
    let catalog = context.toolbox.catalog().await;
    Answer::success(&ComponentsView::for_models(&catalog))
}
