//! `component load`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use wassette_store::{ComponentId, Digest, Lockfile};
use wassette_toolbox::{
    Changes, Component, LoadRequest, Loaded, LoadedView, Naming, Replace, Requested, Status,
    Toolbox,
};

use crate::args::parsed;
use crate::asks;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::table;
use crate::progress::Progress;
use crate::shell::quoted;

/// The most commands that are shown unasked.
const MOST: usize = 8;

#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// Where the component is: a path, `file:///…`, `https://…`, `oci://HOST/REPOSITORY[:TAG]` or
    /// the name of a package, `NAMESPACE:NAME[@VERSION]`
    #[arg(value_name = "REF")]
    reference: String,

    /// The id that it gets here [default: made of the reference's last part]
    #[arg(long, value_name = "ID", value_parser = parsed::<ComponentId>)]
    name: Option<ComponentId>,

    /// Load these very bytes or nothing: `sha256:…` of the component, or of its image's manifest
    #[arg(long, value_name = "DIGEST", value_parser = parsed::<Digest>)]
    digest: Option<Digest>,

    /// Load what the lock file says or nothing: same digests, signer, tools and policy
    #[arg(long)]
    locked: bool,

    /// The lock file that `--locked` reads [default: what is loaded now]
    #[arg(long, value_name = "FILE", requires = "locked")]
    lock_file: Option<PathBuf>,

    /// Put a version in force whose tools are not those that are known, without looking at it first
    #[arg(long)]
    accept_changes: bool,

    /// Let a server of this machine give it without TLS
    #[arg(long)]
    plain_http: bool,

    /// Replace a component of the same id that came from elsewhere
    #[arg(long)]
    replace: bool,

    /// Make a tool of this function only; may be repeated, or be a list with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,

    /// Begin the name of every tool with this and `_`
    #[arg(long)]
    prefix: Option<String>,

    /// Give the tool of a function another name; may be repeated
    #[arg(long, value_name = "FUNCTION=TOOL", value_parser = renaming)]
    rename: Vec<(String, String)>,
}

pub(crate) async fn load(context: &Context, args: LoadArgs) -> Result<(), CommandError> {
    let toolbox = context.toolbox()?;
    let chooses = !args.only.is_empty();
    let mut request = LoadRequest::new(args.reference.clone(), context.current_dir.clone());
    request.id = args.name;
    request.digest = args.digest;
    request.replace = if args.replace { Replace::Allow } else { Replace::Refuse };
    request.naming = Naming { only: args.only, prefix: args.prefix, rename: args.rename };
    request.plain_http = args.plain_http;
    if args.accept_changes {
        request.changes = Changes::Accept;
    }
    if args.locked {
        request.lock = Some(Arc::new(lock(&toolbox, args.lock_file).await?));
    }

    let progress = Progress::new(&context.printer, &args.reference);
    let loaded = toolbox.load(request, progress.listener()).await;
    drop(progress);
    tell(context, &loaded?, chooses)
}

/// What is locked: by the file that was named, else what is loaded now.
async fn lock(toolbox: &Toolbox, file: Option<PathBuf>) -> Result<Lockfile, CommandError> {
    match file {
        Some(path) => Ok(Lockfile::read(&path)?),
        None => Ok(toolbox.lockfile().await?),
    }
}

/// Prints what came of a load, and says what somebody should know of it. A version that waits is a
/// failure: what was asked for is not in force. Who `chooses` functions need not hear of the others.
pub(super) fn tell(context: &Context, loaded: &Loaded, chooses: bool) -> Result<(), CommandError> {
    let printer = &context.printer;
    let view = LoadedView::from(loaded);
    printer.data(&view, || described(loaded, &view))?;
    if let Some(unverified) = &loaded.unverified {
        printer.warn(unverified, None);
    }
    if loaded.status == Status::Quarantined {
        let difference = loaded.difference.as_ref().map(|difference| difference.lines());
        return Err(CommandError::Waiting {
            id: view.id,
            // Another could wait by the time that a person has read what is different about this one.
            digest: view.waiting.map(|waiting| waiting.digest).unwrap_or_default(),
            difference: difference.unwrap_or_default().join("\n"),
        });
    }
    for renamed in &loaded.renamed {
        let (wanted, given, owner) = (&renamed.wanted, &renamed.given, &renamed.owner);
        let message = format!("`{wanted}` is a tool of `{owner}` already, so this is `{given}`");
        printer.warn(&message, None);
    }
    for omission in loaded.component.omitted.iter().filter(|_| !chooses) {
        let (function, reason) = (&omission.function, &omission.reason);
        printer.say(&format!("`{function}` is not a tool: {reason}"));
    }
    tell_what_it_asks_for(context, &loaded.component);
    Ok(())
}

/// Says that nothing is granted to a component which came with a policy, and how to grant it.
fn tell_what_it_asks_for(context: &Context, component: &Component) {
    let printer = &context.printer;
    if component.permissions.problem.is_some() || !component.permissions.policy.is_empty() {
        return;
    }
    match component.requested() {
        None => {}
        Some(Requested::Unreadable(reason)) => {
            let message = format!("what it asks for cannot be read: {reason}");
            printer.warn(&message, None);
        }
        Some(Requested::Policy(policy, _)) if policy.is_empty() => {}
        Some(Requested::Policy(policy, warnings)) => {
            for warning in warnings {
                printer.warn(&format!("in what it asks for: {warning}"), None);
            }
            let (mut lines, beyond) = asks::commands(&policy, &component.id);
            let more = lines.len().saturating_sub(MOST) + usize::from(beyond);
            lines.truncate(MOST);
            if more > 0 {
                let id = quoted(&component.id);
                lines.push(format!("and {more} more: wassette permission list {id} -o table"));
            }
            let lines: String = lines.iter().map(|line| format!("\n  {line}")).collect();
            printer.say(&format!(
                "nothing is granted to it; what it asks for can be granted with:{lines}"
            ));
        }
    }
}

fn described(loaded: &Loaded, view: &LoadedView) -> String {
    if loaded.status == Status::Quarantined {
        return format!("{}: {}", view.status, view.id);
    }
    let tools = loaded.component.tools.iter();
    let rows = tools.map(|tool| [tool.name.clone(), tool.function.signature()]);
    format!("{}: {}\n\n{}", view.status, view.id, table(["TOOL", "FUNCTION"], rows))
}

fn renaming(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((function, tool)) if !function.is_empty() && !tool.is_empty() => {
            Ok((function.to_owned(), tool.to_owned()))
        }
        _ => Err("write the function's name, `=` and the tool's name".to_owned()),
    }
}
