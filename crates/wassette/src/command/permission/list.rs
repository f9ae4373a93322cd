//! `permission list`: what a component may do now, and what it asks for.

use clap::Args;
use wassette_toolbox::PermissionsView;

use crate::asks;
use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The component's id, as `component list` shows it
    id: String,
}

pub(crate) async fn list(context: &Context, args: ListArgs) -> Result<(), CommandError> {
    let permissions = context.toolbox()?.permissions(&args.id).await?;
    let view = permissions.to_json();
    Ok(context.printer.data(&view, || described(&permissions))?)
}

fn described(view: &PermissionsView) -> String {
    let mut text =
        format!("{}\n  source  {}\n  digest  {}\n", view.component, view.source, view.digest);
    match &view.pinned {
        Some(pinned) if *pinned == view.digest => text.push_str("  pinned  to this digest\n"),
        Some(pinned) => text.push_str(&format!("  pinned  to {pinned}, which it has no more\n")),
        None => {}
    }
    text.push_str(&asks::granted(&view.policy, view.problem.as_ref()));
    if let Some(withheld) = &view.withheld {
        text.push_str(&asks::withheld(withheld));
    }
    for note in &view.notes {
        text.push_str(&format!("  {note}\n"));
    }
    if view.ceiling.is_some() {
        text.push_str("\nof which only what the operator's ceiling allows as well\n");
    }
    if let Some(requested) = &view.requested {
        text.push_str(&asks::described(requested, &view.component));
    }
    text
}
