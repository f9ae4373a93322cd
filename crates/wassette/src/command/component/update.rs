//! `component update`: what the sources have now, what is different about it, and a person's word on
//! whether it takes the place of what serves.

use clap::Args;
use miette::Diagnostic;
use serde::Serialize;
use wassette_toolbox::{Difference, LoadError, Staged, Toolbox, UpdateRequest, Waiting};

use crate::args::Format;
use crate::ask;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::{Accent, table};
use crate::progress::Progress;

#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// The component's id, as `component list` shows it [default: all that are loaded]
    id: Option<String>,

    /// Put new versions in force without the question
    #[arg(short, long)]
    yes: bool,

    /// Show what is new and change nothing
    #[arg(long, conflicts_with = "yes")]
    check: bool,

    /// Let a server of this machine give it without TLS
    #[arg(long)]
    plain_http: bool,
}

/// What came of one component.
#[derive(Serialize)]
struct UpdatedView {
    id: String,
    status: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Difference>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    UpToDate,
    /// There is a new version, and nobody wants it yet.
    Available,
    Updated,
    /// It waits to be accepted.
    Waiting,
    Rejected,
    Failed,
}

impl Outcome {
    fn words(self) -> &'static str {
        match self {
            Self::UpToDate => "up to date",
            Self::Available => "a new version",
            Self::Updated => "updated",
            Self::Waiting => "waiting",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

pub(crate) async fn update(context: &Context, args: UpdateArgs) -> Result<(), CommandError> {
    let toolbox = context.toolbox()?;
    let ids = match &args.id {
        Some(id) => vec![id.clone()],
        // Also those that are not served, for want of a signature: a new version may have one.
        None => {
            let loaded = toolbox.lockfile().await?.components;
            loaded.into_iter().map(|component| component.id.to_string()).collect()
        }
    };
    let mut views = Vec::new();
    for id in ids {
        let view = match updated(context, &toolbox, &id, &args).await {
            Ok(view) => view,
            // The others are asked, too; who asks for one is told of it as of any error.
            Err(CommandError::Load(error)) if args.id.is_none() => failed(context, id, &error),
            Err(other) => return Err(other),
        };
        views.push(view);
    }
    context.printer.data(&serde_json::json!({ "components": views }), || described(&views))?;
    outcome(&views)
}

async fn updated(
    context: &Context,
    toolbox: &Toolbox,
    id: &str,
    args: &UpdateArgs,
) -> Result<UpdatedView, CommandError> {
    let request = UpdateRequest { plain_http: args.plain_http, check: args.check };
    let progress = Progress::new(&context.printer, id);
    let staged = toolbox.stage_update(id, &request, progress.listener()).await;
    drop(progress);
    let (status, difference) = match staged? {
        Staged::Current { .. } => (Outcome::UpToDate, None),
        Staged::Waiting(waiting) => {
            show(context, id, &waiting, args);
            let status = decided(context, toolbox, id, &waiting, args).await?;
            (status, Some(Difference::clone(&waiting.difference)))
        }
    };
    Ok(UpdatedView { id: id.to_owned(), status, difference, reason: None })
}

/// The decision means nothing without the difference, so even a quiet command shows it. Where nobody
/// is asked and a program reads the answer, that has it.
fn show(context: &Context, id: &str, waiting: &Waiting, args: &UpdateArgs) {
    let asks = ask::is_there() && !args.check && !args.yes;
    if asks || context.printer.format() == Format::Table {
        let lines = waiting.difference.lines().join("\n");
        let label = format!("a new version of `{id}`");
        context.printer.labelled(Accent::Strong, &label, &format!("\n{lines}"));
    }
    if let Some(unverified) = &waiting.unverified {
        context.printer.warn(unverified, None);
    }
}

/// Does what the flags or the person say.
async fn decided(
    context: &Context,
    toolbox: &Toolbox,
    id: &str,
    waiting: &Waiting,
    args: &UpdateArgs,
) -> Result<Outcome, CommandError> {
    if args.check {
        return Ok(Outcome::Available);
    }
    if !args.yes && !ask::is_there() {
        return Ok(Outcome::Waiting);
    }
    match ask::confirm(&context.printer, &format!("put this version of `{id}` in force?"), args.yes)
    {
        Ok(()) => {
            toolbox.accept_update(id, Some(waiting.digest)).await?;
            Ok(Outcome::Updated)
        }
        Err(CommandError::Declined) => {
            toolbox.reject_update(id).await?;
            Ok(Outcome::Rejected)
        }
        Err(other) => Err(other),
    }
}

fn failed(context: &Context, id: String, error: &LoadError) -> UpdatedView {
    let reason = error.to_string();
    let help = error.help().map(|help| help.to_string());
    context.printer.labelled(Accent::Error, &format!("`{id}`"), &reason);
    if let Some(help) = &help {
        context.printer.labelled(Accent::Hint, "hint", help);
    }
    UpdatedView { id, status: Outcome::Failed, difference: None, reason: Some(reason) }
}

/// A failure where something still waits or could not be asked.
fn outcome(views: &[UpdatedView]) -> Result<(), CommandError> {
    let of = |status| {
        let views = views.iter().filter(move |view| view.status == status);
        views.map(|view| view.id.clone()).collect::<Vec<_>>()
    };
    match (of(Outcome::Waiting), of(Outcome::Failed)) {
        (waiting, _) if !waiting.is_empty() => {
            Err(CommandError::UpdatesWait { ids: waiting.join("`, `") })
        }
        (_, failed) if !failed.is_empty() => {
            Err(CommandError::NotUpdated { ids: failed.join("`, `") })
        }
        _ => Ok(()),
    }
}

fn described(views: &[UpdatedView]) -> String {
    let rows = views.iter().map(|view| {
        let digest = view.difference.as_ref().map(|difference| difference.digest.after.clone());
        [view.id.clone(), view.status.words().to_owned(), digest.unwrap_or_default()]
    });
    table(["ID", "UPDATE", "NEW DIGEST"], rows)
}
