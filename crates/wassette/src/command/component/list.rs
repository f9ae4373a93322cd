//! `component list`.

use wassette_toolbox::ComponentsView;

use crate::context::Context;
use crate::error::CommandError;
use crate::printer::table;
use crate::shell::quoted;

pub(crate) async fn list(context: &Context) -> Result<(), CommandError> {
    let catalog = context.toolbox()?.catalog().await;
    let view = ComponentsView::from(&*catalog);
    context.printer.data(&view, || described(&view))?;
    CommandError::of_damage(&catalog)
}

fn described(view: &ComponentsView) -> String {
    let rows = view.components.iter().map(|component| {
        let origin = component.origin.as_ref();
        let mut from = origin.map_or(&component.source, |origin| &origin.reference).clone();
        if let Some(signer) = origin.and_then(|origin| origin.signer.as_ref()) {
            from.push_str(&format!("\nsigned by {signer}"));
        }
        [component.id.clone(), component.tools_count.to_string(), from]
    });
    let mut text = table(["ID", "TOOLS", "SOURCE"], rows);
    let waiting = view.components.iter().filter_map(|component| {
        let waiting = component.waiting.as_ref()?;
        let cure = format!("wassette component update {}", quoted(&component.id));
        Some([component.id.clone(), waiting.summary.clone(), cure])
    });
    let waiting: Vec<_> = waiting.collect();
    if !waiting.is_empty() {
        text.push_str(&format!("\n\n{}", table(["WAITING", "WHAT CHANGES", "TO DECIDE"], waiting)));
    }
    if !view.problems.is_empty() {
        let rows = view.problems.iter().map(|problem| {
            let help = problem.help.clone().unwrap_or_default();
            [problem.component.clone(), problem.message.clone(), help]
        });
        text.push_str(&format!("\n\n{}", table(["PROBLEM", "REASON", "CURE"], rows)));
    }
    text
}
