//! `call-tool`: calls a component's tool by name, for clients that took the list of tools once and
//! never again. It reaches components' tools only, so that what a host lets a model do with the
//! built-in tools cannot be reached round about.

use serde_json::json;
use wassette_toolbox::{Annotations, CallRefused, JsonObject, Step};

use super::arguments::{ArgumentError, Arguments};
use super::{BuiltIn, Context, Definition, Running, schema};
use crate::answer::Answer;

pub(super) struct CallTool;

struct Request {
    name: String,
    arguments: JsonObject,
}

impl BuiltIn for CallTool {
    fn definition(&self) -> Definition {
        Definition {
            name: "call-tool",
            title: "Call tool",
            description: "Calls a tool of a loaded component that is not in your list of tools, \
                as after `load-component` or `search-tools`. The answer is that tool's own."
                .into(),
            input: json!({
                "type": "object",
                "properties": {
                    "name": { "type": "string", "description": "The tool's name." },
                    "arguments": schema::any_object(
                        "The tool's arguments, as its input schema wants them."
                    ),
                },
                "required": ["name"],
                "additionalProperties": false,
            }),
            output: None,
            // Nothing is known of the tool that will be called.
            annotations: Annotations {
                read_only: false,
                destructive: true,
                idempotent: false,
                open_world: true,
            },
        }
    }

    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a> {
        Box::pin(async move {
            let Request { name, arguments } = match read(arguments) {
                Ok(request) => request,
                Err(error) => return Step::Done(Answer::failure(error.to_string())),
            };
            let Context { toolbox, options, answered, asks, .. } = context;
            match super::call(toolbox, &name, arguments, answered, asks).await {
                Ok(step) => step.map(|output| Answer::output(output, options.guest_output)),
                // Here the tool's name is an argument, which the model can correct.
                Err(CallRefused::Unknown(unknown)) => Step::Done(Answer::diagnostic(&unknown)),
                Err(refused) => Step::Done(Answer::diagnostic(&refused)),
            }
        })
    }

    /// What the other tool may do is that tool's matter.
    fn changes_nothing(&self) -> bool {
        true
    }
}

fn read(arguments: JsonObject) -> Result<Request, ArgumentError> {
    let mut arguments = Arguments::new(arguments);
    let request =
        Request { name: arguments.text("name")?, arguments: arguments.object("arguments")? };
    arguments.finish()?;
    Ok(request)
}
