//! `policy get`: the permissions themselves.

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::args::Format;
use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The component's id, as `component list` shows it
    id: String,
}

/// The spelling that scripts know.
#[derive(Serialize)]
struct PolicyView {
    status: &'static str,
    component_id: String,
    #[serde(flatten)]
    policy: Value,
}

pub(crate) async fn get(context: &Context, args: GetArgs) -> Result<(), CommandError> {
    let permissions = context.toolbox()?.permissions(&args.id).await?;
    if let Some(problem) = permissions.problem {
        return Err(CommandError::BrokenPolicy {
            id: permissions.component,
            message: problem.message,
            help: problem.help,
        });
    }
    // The document as it is, which `policy set` takes.
    if context.printer.format() != Format::Json {
        return Ok(context.printer.text(&permissions.policy.to_yaml())?);
    }
    let found = !permissions.policy.is_empty();
    let view = PolicyView {
        status: if found { "policy found" } else { "no policy found" },
        component_id: permissions.component,
        policy: permissions.policy.to_json(),
    };
    Ok(context.printer.data(&view, String::new)?)
}
