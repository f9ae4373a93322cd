//! `policy set`: a document in place of what was granted. A person sees what changes and says yes.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::file;
use crate::ask;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::Accent;

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// The document, in YAML or JSON
    file: PathBuf,

    /// Set it without the question
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
struct SetView<'a> {
    status: &'static str,
    component_id: &'a str,
    changes: &'a [String],
    #[serde(flatten)]
    policy: Value,
}

pub(crate) async fn set(context: &Context, args: SetArgs) -> Result<(), CommandError> {
    let policy = file::read(&args.file)?;
    let toolbox = context.toolbox()?;
    let preview = toolbox.preview_policy(&args.id, policy.clone()).await?;
    if preview.before != preview.after {
        // The question means nothing without them, so even a quiet command shows them.
        let label = format!("the policy of `{}` would change", args.id);
        let changes = format!("\n{}", preview.changes.join("\n"));
        context.printer.labelled(Accent::Strong, &label, &changes);
        let question = format!("change the policy of `{}` so?", args.id);
        ask::confirm(&context.printer, &question, args.yes)?;
    }
    let change = toolbox.set_policy(&args.id, policy).await?;
    let view = SetView {
        status: "policy set successfully",
        component_id: &change.component,
        changes: &change.changes,
        policy: change.after.to_json(),
    };
    Ok(context.printer.data(&view, || format!("{}: the policy is set", view.component_id))?)
}
