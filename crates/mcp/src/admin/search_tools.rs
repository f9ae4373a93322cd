//! `search-tools`: the tools that fit some words, for clients that hold more tools than they show.

use serde_json::json;
use wassette_toolbox::{Annotations, JsonObject, Step, ToolView};

use super::arguments::{ArgumentError, Arguments};
use super::{BuiltIn, Context, Definition, Running, schema};
use crate::answer::Answer;

/// Tools answered with if nothing is said.
const USUAL: usize = 10;
/// Tools answered with at most.
const MOST: usize = 50;

pub(super) struct SearchTools;

struct Request {
    query: String,
    limit: usize,
}

impl BuiltIn for SearchTools {
    fn definition(&self) -> Definition {
        Definition {
            name: "search-tools",
            title: "Search tools",
            description: "Finds tools of loaded components by words in their names and \
                descriptions, best first, with their schemas. An empty query finds all. What is \
                found can be called by name, or with `call-tool`."
                .into(),
            input: json!({
                "type": "object",
                "properties": {
                    "query": { "type": "string", "description": "The words to look for." },
                    "limit": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": MOST,
                        "description": "How many tools to answer with at most; 10 if left out.",
                    },
                },
                "required": ["query"],
                "additionalProperties": false,
            }),
            output: Some(json!({
                "type": "object",
                "properties": { "tools": schema::tools(), "total": { "type": "integer" } },
                "required": ["tools", "total"],
            })),
            annotations: Annotations::CLOSED,
        }
    }

    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a> {
        Box::pin(async move { Step::Done(search(context, arguments).await) })
    }
}

async fn search(context: Context<'_>, arguments: JsonObject) -> Answer {
    let Request { query, limit } = match read(arguments) {
        Ok(request) => request,
        Err(error) => return Answer::failure(error.to_string()),
    };
    let catalog = context.toolbox.catalog().await;
    let tools: Vec<ToolView> =
        catalog.search(&query, limit).iter().map(|tool| ToolView::from(tool.as_ref())).collect();
    Answer::success(&json!({ "total": tools.len(), "tools": tools }))
}

fn read(arguments: JsonObject) -> Result<Request, ArgumentError> {
    let mut arguments = Arguments::new(arguments);
    let request = Request {
        query: arguments.text("query")?,
        limit: arguments.number("limit", USUAL, 1..=MOST)?,
    };
    arguments.finish()?;
    Ok(request)
}
