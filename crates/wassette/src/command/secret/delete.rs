//! `secret delete`.

use clap::Args;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// The names of the secrets
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
}

pub(crate) async fn delete(context: &Context, args: DeleteArgs) -> Result<(), CommandError> {
    let mut keys = args.keys;
    keys.sort();
    keys.dedup();
    let count = keys.len();
    let missing = context.toolbox()?.delete_secrets(&args.id, keys).await?;
    for key in &missing {
        context.printer.warn(&format!("`{}` has no secret `{key}`", args.id), None);
    }
    super::changed(context, &args.id, count.saturating_sub(missing.len()), "deleted")
}
