//! `permission reset`: the way back to nothing, also from a policy that cannot be read.

use clap::Args;
use wassette_policy::Edit;

use super::{ChangedView, lines};
use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    /// The component's id, as `component list` shows it
    id: String,
}

pub(crate) async fn reset(context: &Context, args: ResetArgs) -> Result<(), CommandError> {
    let change = context.toolbox()?.edit_policy(&args.id, vec![Edit::Reset]).await?;
    let view = ChangedView {
        status: "permissions reset successfully",
        component_id: &change.component,
        permission_type: None,
        uri: None,
        details: None,
        message: None,
        changes: &change.changes,
    };
    Ok(context.printer.data(&view, || lines(&change))?)
}
