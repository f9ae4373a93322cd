//! `tool read`.

use clap::Args;
use serde_json::Value;
use wassette_toolbox::ToolView;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// The tool's name, as `tool list` shows it
    name: String,
}

pub(crate) async fn read(context: &Context, args: ReadArgs) -> Result<(), CommandError> {
    let built_in = wassette_mcp::built_in_tools().into_iter().find(|tool| tool.name == args.name);
    let view = match built_in {
        Some(view) => view,
        None => {
            let catalog = context.toolbox()?.catalog().await;
            ToolView::from(&**catalog.find(&args.name)?)
        }
    };
    Ok(context.printer.data(&view, || described(&view))?)
}

fn described(tool: &ToolView) -> String {
    let mut text = format!("{}\n\n{}\n", tool.name, tool.description);
    let mut part = |title: &str, value: Value| {
        text.push_str(&format!("\n{title}:\n{value:#}\n"));
    };
    part("input schema", Value::Object((*tool.input_schema).clone()));
    if let Some(schema) = &tool.output_schema {
        part("output schema", Value::Object((**schema).clone()));
    }
    text
}
