//! `component load`.

use clap::Args;
use wassette_toolbox::{Component, LoadRequest, Loaded, LoadedView, Naming, Replace, Requested};

use crate::asks;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::table;
use crate::progress;
use crate::shell::quoted;

/// The most commands that are shown unasked.
const MOST: usize = 8;

#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// Where the component is: a path, `file:///…` or `https://…`
    #[arg(value_name = "REF")]
    reference: String,

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
    request.replace = if args.replace { Replace::Allow } else { Replace::Refuse };
    request.naming = Naming { only: args.only, prefix: args.prefix, rename: args.rename };

    let loaded = progress::shown(&context.printer, &args.reference, |stages| {
        toolbox.load(request, move |stage| {
            stages.send_replace(stage);
        })
    })
    .await?;

    let view = LoadedView::from(&loaded);
    context.printer.data(&view, || described(&loaded, &view))?;
    for renamed in &loaded.renamed {
        let (wanted, given, owner) = (&renamed.wanted, &renamed.given, &renamed.owner);
        let message = format!("`{wanted}` is a tool of `{owner}` already, so this is `{given}`");
        context.printer.warn(&message, None);
    }
    // Who chooses functions need not hear of those that were not chosen.
    for omission in loaded.component.omitted.iter().filter(|_| !chooses) {
        let (function, reason) = (&omission.function, &omission.reason);
        context.printer.say(&format!("`{function}` is not a tool: {reason}"));
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
        Some(Requested::Policy(policy)) if policy.is_empty() => {}
        Some(Requested::Policy(policy)) => {
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
