//! `policy set`: a document in place of what was granted. A person sees what changes and says yes.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use wassette_policy::Document;
use wassette_toolbox::PolicyChange;

use super::document;
use crate::ask;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::Accent;

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// The document, in YAML or JSON: a file, or an `https://` URL
    #[arg(value_name = "FILE|URL")]
    document: PathBuf,

    /// Set it without the question
    #[arg(short, long)]
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
    let toolbox = context.toolbox()?;
    let Document { policy, ignored } =
        document::read(&args.document, || Ok(toolbox.clone())).await?;
    for warning in ignored {
        context.printer.warn(&warning.to_string(), None);
    }
    let preview = toolbox.preview_policy(&args.id, policy.clone()).await?;
    if preview.before != preview.after {
        // The question means nothing without them, so even a quiet command shows them.
        let mut label = format!("the policy of `{}` would change", args.id);
        if document::url(&args.document).is_some() {
            label.push_str(&format!(" to what `{}` says", document::shown(&args.document)));
        }
        let changes = format!("\n{}", in_full(&preview).join("\n"));
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

/// What changes, with the values of variables, which only a person is shown: with one, a document can
/// point a component at a server of its author's.
fn in_full(change: &PolicyChange) -> Vec<String> {
    let rules = change.after.changes_since(&change.before);
    let others = change.changes.iter().filter(|line| !rules.contains(line));
    let more = others.chain(&change.notes).cloned();
    change.after.changes_in_full(&change.before).into_iter().chain(more).collect()
}
