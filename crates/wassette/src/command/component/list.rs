//! `component list`.

use wassette_toolbox::ComponentsView;

use crate::context::Context;
use crate::error::CommandError;
use crate::printer::table;

pub(crate) async fn list(context: &Context) -> Result<(), CommandError> {
    let catalog = context.toolbox()?.catalog().await;
    let view = ComponentsView::from(&*catalog);
    Ok(context.printer.data(&view, || described(&view))?)
}

fn described(view: &ComponentsView) -> String {
    let rows = view.components.iter().map(|component| {
        [component.id.clone(), component.tools_count.to_string(), component.source.clone()]
    });
    let mut text = table(["ID", "TOOLS", "SOURCE"], rows);
    if !view.problems.is_empty() {
        let rows = view.problems.iter().map(|problem| {
            let help = problem.help.clone().unwrap_or_default();
            [problem.component.clone(), problem.message.clone(), help]
        });
        text.push_str(&format!("\n\n{}", table(["PROBLEM", "REASON", "CURE"], rows)));
    }
    text
}
