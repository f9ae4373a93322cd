//! `tool list`.

use serde::Serialize;
use wassette_toolbox::ToolView;

use crate::command::first_sentence;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::table;

#[derive(Serialize)]
struct ToolsView {
    tools: Vec<ToolView>,
}

pub(crate) async fn list(context: &Context) -> Result<(), CommandError> {
    let catalog = context.toolbox()?.catalog().await;
    let mut tools = wassette_mcp::built_in_tools();
    tools.extend(catalog.tools().iter().map(|tool| ToolView::from(&**tool)));
    tools.sort_by(|one, other| one.name.cmp(&other.name));
    let view = ToolsView { tools };
    let described = || {
        let rows = view.tools.iter().map(|tool| {
            let purpose = first_sentence(&tool.description).to_owned();
            [tool.name.clone(), tool.component.clone(), purpose]
        });
        table(["NAME", "COMPONENT", "DESCRIPTION"], rows)
    };
    Ok(context.printer.data(&view, described)?)
}
