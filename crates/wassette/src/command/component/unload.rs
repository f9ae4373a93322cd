//! `component unload`.

use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct UnloadArgs {
    /// The component's id, as `component list` shows it
    id: String,
}

/// The spelling that scripts know.
#[derive(Serialize)]
struct UnloadedView {
    status: &'static str,
    id: String,
    tools: Vec<String>,
}

pub(crate) async fn unload(context: &Context, args: UnloadArgs) -> Result<(), CommandError> {
    let unloaded = context.toolbox()?.unload(&args.id).await?;
    let view = UnloadedView {
        status: "component unloaded successfully",
        id: unloaded.id,
        tools: unloaded.tools,
    };
    let described = || format!("{}: {}", view.status, view.id);
    Ok(context.printer.data(&view, described)?)
}
