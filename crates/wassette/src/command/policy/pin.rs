//! `policy pin` and `policy unpin`: whether what is granted counts for these very bytes alone.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use wassette_toolbox::Pinning;

use crate::asks;
use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct PinArgs {
    /// The component's id, as `component list` shows it
    id: String,
}

#[derive(Serialize)]
struct PinnedView<'a> {
    status: &'static str,
    component_id: &'a str,
    changes: &'a [String],
    #[serde(flatten)]
    policy: Value,
}

pub(crate) async fn pin(context: &Context, args: PinArgs) -> Result<(), CommandError> {
    bind(context, &args.id, Pinning::Pin, "policy pinned").await
}

pub(crate) async fn unpin(context: &Context, args: PinArgs) -> Result<(), CommandError> {
    bind(context, &args.id, Pinning::Unpin, "policy unpinned").await
}

async fn bind(
    context: &Context,
    id: &str,
    pinning: Pinning,
    status: &'static str,
) -> Result<(), CommandError> {
    let change = context.toolbox()?.edit_policy_with(id, Vec::new(), pinning).await?;
    let view = PinnedView {
        status,
        component_id: &change.component,
        changes: &change.changes,
        policy: change.after.to_json(),
    };
    // A pin can bring a whole policy back: whoever sets it sees what that is.
    let described = || {
        let said = crate::command::permission::said(&change.component, &change.changes);
        format!("{said}\n{}", asks::granted(&change.after, None))
    };
    Ok(context.printer.data(&view, described)?)
}
