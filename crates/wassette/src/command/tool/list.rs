//! `tool list`: the tools that somebody loaded, or those that are always there.

use clap::Args;
use serde::Serialize;
use wassette_toolbox::ToolView;

use crate::command::first_sentence;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::table;

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// List Wassette's own tools instead, which manage components and permissions
    #[arg(long)]
    built_in: bool,
}

#[derive(Serialize)]
struct ToolsView {
    tools: Vec<ToolView>,
}

pub(crate) async fn list(context: &Context, args: ListArgs) -> Result<(), CommandError> {
    let catalog = match args.built_in {
        true => None,
        false => Some(context.toolbox()?.catalog().await),
    };
    let mut tools: Vec<ToolView> = match &catalog {
        None => wassette_mcp::built_in_tools(),
        Some(catalog) => catalog.tools().iter().map(|tool| ToolView::from(&**tool)).collect(),
    };
    tools.sort_by(|one, other| one.name.cmp(&other.name));
    if tools.is_empty() && catalog.as_ref().is_none_or(|catalog| catalog.damage().next().is_none())
    {
        context.printer.say(
            "there are no tools yet: load a component with `wassette component load REF`; \
             `wassette tool list --built-in` shows those that Wassette brings itself",
        );
    }
    let view = ToolsView { tools };
    let described = || {
        let rows = view.tools.iter().map(|tool| {
            let purpose = first_sentence(&tool.description).to_owned();
            [tool.name.clone(), tool.component.clone(), purpose]
        });
        table(["NAME", "COMPONENT", "DESCRIPTION"], rows)
    };
    context.printer.data(&view, described)?;
    catalog.map_or(Ok(()), |catalog| CommandError::of_damage(&catalog))
}
