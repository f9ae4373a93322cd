//! `permission approve`: a person's yes to what waits, after they saw all of it.

use clap::Args;
use serde::Serialize;
use wassette_toolbox::Term;

use crate::ask;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::Accent;
use crate::progress::Progress;

#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The request's number, as `permission pending` shows it
    number: u64,

    /// Grant it for so long, such as `30min`, `1h` or `7d`, or `always`
    #[arg(long = "for", value_name = "TIME", default_value_t)]
    term: Term,

    /// Approve it without the question
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct ApprovedView<'a> {
    status: &'static str,
    number: u64,
    component_id: &'a str,
    changes: Vec<String>,
}

pub(crate) async fn approve(context: &Context, args: ApproveArgs) -> Result<(), CommandError> {
    let ApproveArgs { number, term, yes } = args;
    let toolbox = context.toolbox()?;
    let printer = &context.printer;
    let inquiry = toolbox.waiting(number).await?;
    // The decision means nothing without it, so even a quiet command shows it.
    let label = format!("request {number}");
    printer.labelled(Accent::Strong, &label, &format!("\n{}", inquiry.text()));
    let is_load = inquiry.kind() == "load";
    let question = match term {
        Term::For(span) if !is_load => format!("approve it for {span}?"),
        _ => "approve it?".to_owned(),
    };
    ask::confirm(printer, &question, yes)?;
    let progress = is_load.then(|| Progress::new(printer, inquiry.source()));
    let listener = progress.as_ref().map(Progress::listener);
    let enter = move |stage| listener.iter().for_each(|listener| listener(stage));
    let changes = toolbox.approve_pending(number, &inquiry, term, enter).await?;
    drop(progress);
    let component_id = inquiry.component();
    let view = ApprovedView { status: "request approved", number, component_id, changes };
    Ok(printer.data(&view, || super::said(view.component_id, &view.changes))?)
}
