//! `load-component`: a component from a file, a server or a registry becomes tools for every client of this store. It grants
//! the component nothing, and a person decides on it unless the operator has.

use serde_json::json;
use wassette_toolbox::{
    Annotations, JsonObject, LoadRequest, LoadStage, LoadedView, Replace, Step,
};

use super::arguments::{ArgumentError, Arguments};
use super::{BuiltIn, Context, Definition, Running, schema};
use crate::answer::Answer;

pub(super) struct LoadComponent;

struct Request {
    path: String,
    replace: bool,
}

impl BuiltIn for LoadComponent {
    fn definition(&self) -> Definition {
        Definition {
            name: "load-component",
            title: "Load component",
            description: "Loads a WebAssembly component and makes its functions tools, for this \
                and every other client. Answers with the new tools' names and schemas; if they do \
                not appear in the list of tools, call them with `call-tool`. A person is asked \
                first, unless the operator allows the place it comes from. A new version that \
                changes known tools waits until a person has accepted it on the command line."
                .into(),
            input: json!({
                "type": "object",
                "properties": {
                    "path": {
                        "type": "string",
                        "description": "Where the component is: a path, a file://, https:// or \
                            oci:// reference, or the name of a package such as ns:name@1.0.0.",
                    },
                    "replace": {
                        "type": "boolean",
                        "description": "Whether to take the place of a component with the same id \
                            that was loaded from elsewhere. Such a load is refused otherwise.",
                    },
                },
                "required": ["path"],
                "additionalProperties": false,
            }),
            output: Some(json!({
                "type": "object",
                "properties": {
                    "status": { "type": "string" },
                    "id": { "type": "string", "description": "The component's id." },
                    "digest": schema::digest(),
                    "signer": { "type": "string", "description": "Who signed it, if that was verified." },
                    "unverified": { "type": "string", "description": "Why nobody vouches for it." },
                    "waiting": schema::waiting(),
                    "hint": { "type": "string", "description": "What a person has to do." },
                    "tools": schema::tools(),
                    "omitted": schema::omitted(),
                    "renamed": {
                        "type": "array",
                        "description": "Tools that could not have the name they wanted.",
                        "items": {
                            "type": "object",
                            "properties": {
                                "wanted": { "type": "string" },
                                "given": { "type": "string" },
                                "owner": {
                                    "type": "string",
                                    "description": "The component whose tool has that name.",
                                },
                            },
                            "required": ["wanted", "given"],
                        },
                    },
                },
                "required": ["status", "id", "tools"],
            })),
            // Whatever a component does comes from outside, and it may take another's place.
            annotations: Annotations {
                read_only: false,
                destructive: true,
                idempotent: true,
                open_world: true,
            },
        }
    }

    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a> {
        Box::pin(async move {
            let Request { path, replace } = match read(arguments) {
                Ok(request) => request,
                Err(error) => return Step::Done(Answer::failure(error.to_string())),
            };
            let mut request = LoadRequest::new(path, context.options.base.clone());
            request.replace = if replace { Replace::Allow } else { Replace::Refuse };
            let Context { toolbox, stage, answered, .. } = context;
            let enter = |to: LoadStage| stage.enter(to.to_string());
            match toolbox.request_load(request, answered, enter).await {
                Ok(step) => step.map(|loaded| Answer::success(&LoadedView::from(&loaded))),
                Err(error) if error.wants_replace() => Step::Done(Answer::failure(format!(
                    "{error}\nhint: if the person wants it in the place of that one, call \
                     `load-component` with `replace: true`"
                ))),
                Err(error) => Step::Done(Answer::diagnostic(&error)),
            }
        })
    }
}

fn read(arguments: JsonObject) -> Result<Request, ArgumentError> {
    let mut arguments = Arguments::new(arguments);
    let request = Request { path: arguments.text("path")?, replace: arguments.flag("replace")? };
    arguments.finish()?;
    Ok(request)
}
