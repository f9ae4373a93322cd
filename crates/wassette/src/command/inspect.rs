//! `inspect`: what a component is, whether it is loaded or not.

use clap::Args;
use wassette_toolbox::InspectionView;

use crate::context::Context;
use crate::error::CommandError;
use crate::printer::table;

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The id of a component that is loaded, or a path
    #[arg(value_name = "ID|FILE")]
    target: String,
}

pub(crate) async fn inspect(context: &Context, args: InspectArgs) -> Result<(), CommandError> {
    let inspection = context.toolbox()?.inspect(&args.target, &context.current_dir).await?;
    let view = InspectionView::from(&inspection);
    Ok(context.printer.data(&view, || described(&view))?)
}

fn described(view: &InspectionView) -> String {
    let mut text = format!(
        "{}\n  source  {}\n  digest  {}\n  size    {} bytes\n  loaded  {}\n",
        view.id,
        view.source,
        view.digest,
        view.size,
        if view.loaded { "yes" } else { "no" },
    );
    if !view.tools.is_empty() {
        let tools = view.tools.iter().zip(&view.signatures);
        let rows = tools.map(|(tool, signature)| [tool.name.clone(), signature.clone()]);
        text.push_str(&format!("\n{}\n", table(["TOOL", "FUNCTION"], rows)));
    }
    if !view.omitted.is_empty() {
        let rows = view.omitted.iter().map(|left| [left.function.clone(), left.reason.clone()]);
        text.push_str(&format!("\n{}\n", table(["NO TOOL", "REASON"], rows)));
    }
    if !view.imports.is_empty() {
        let rows = view.imports.iter().map(|import| [import.clone()]);
        text.push_str(&format!("\n{}\n", table(["IMPORTS"], rows)));
    }
    text
}
