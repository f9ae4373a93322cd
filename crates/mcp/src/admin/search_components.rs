//! `search-components`: what the operator's catalogues offer, before anything of it is loaded. It
//! asks the servers that the operator listed and no others, and loads nothing.

use serde_json::json;
use wassette_toolbox::{Annotations, JsonObject, SearchRequest, Step};

use super::arguments::{ArgumentError, Arguments};
use super::{BuiltIn, Context, Definition, Running};
use crate::answer::Answer;

/// Components answered with if nothing is said.
const USUAL: usize = 10;
/// Components answered with at most.
const MOST: usize = 100;
/// The last place in a list that can be asked for: no catalogue has more.
const LAST: usize = 1_000_000;

pub(super) struct SearchComponents;

impl BuiltIn for SearchComponents {
    fn definition(&self) -> Definition {
        Definition {
            name: "search-components",
            title: "Search components",
            description: "Finds components that could be loaded by words in their names, \
                descriptions and keywords, best first, in the catalogues that the operator chose. \
                An empty query finds all. `load-component` loads what is found by its `reference`. \
                The words are their authors' and nobody vouches for them."
                .into(),
            input: json!({
                "type": "object",
                "properties": {
                    "query": { "type": "string", "description": "The words to look for." },
                    "offset": {
                        "type": "integer",
                        "minimum": 0,
                        "maximum": LAST,
                        "description": "How many of the best to leave out; 0 if left out.",
                    },
                    "limit": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": MOST,
                        "description": "How many components to answer with at most; 10 if left out.",
                    },
                },
                "required": ["query"],
                "additionalProperties": false,
            }),
            output: Some(json!({
                "type": "object",
                "properties": {
                    "components": { "type": "array", "items": found() },
                    "total": { "type": "integer", "description": "How many fit in all." },
                    "failed": {
                        "type": "array",
                        "description": "The catalogues that could not be read, and why.",
                        "items": {
                            "type": "object",
                            "properties": {
                                "catalogue": { "type": "string" },
                                "message": { "type": "string" },
                                "help": { "type": "string" },
                            },
                            "required": ["catalogue", "message"],
                        },
                    },
                },
                "required": ["components", "total"],
            })),
            // It changes nothing, and what it answers comes from outside.
            annotations: Annotations {
                read_only: true,
                destructive: false,
                idempotent: true,
                open_world: true,
            },
        }
    }

    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a> {
        Box::pin(async move { Step::Done(search(context, arguments).await) })
    }
}

fn found() -> serde_json::Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "description": { "type": "string" },
            "reference": { "type": "string", "description": "What `load-component` takes." },
            "digest": { "type": "string", "description": "What the catalogue says it should be." },
            "keywords": { "type": "array", "items": { "type": "string" } },
            "licence": { "type": "string" },
            "homepage": { "type": "string" },
            "tags": { "type": "array", "items": { "type": "string" } },
            "catalogue": { "type": "string", "description": "Which catalogue says so." },
        },
        "required": ["name", "reference"],
    })
}

async fn search(context: Context<'_>, arguments: JsonObject) -> Answer {
    let request = match read(arguments) {
        Ok(request) => request,
        Err(error) => return Answer::failure(error.to_string()),
    };
    context.stage.enter("searching");
    if !context.toolbox.has_catalogues() {
        return Answer::failure(
            "the operator chose no catalogue, so there is nothing to search\nhint: a person names \
             catalogues under `[search]` in the configuration",
        );
    }
    Answer::success(&context.toolbox.search_components(&request).await)
}

fn read(arguments: JsonObject) -> Result<SearchRequest, ArgumentError> {
    let mut arguments = Arguments::new(arguments);
    let request = SearchRequest {
        query: arguments.text("query")?,
        offset: arguments.number("offset", 0, 0..=LAST)?,
        limit: arguments.number("limit", USUAL, 1..=MOST)?,
    };
    arguments.finish()?;
    Ok(request)
}
