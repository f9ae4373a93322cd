//! `inspect`: what a component is and what it could want, whether it is loaded or not.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use wassette_toolbox::{Inspection, InspectionView, wants};

use crate::asks;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::table;

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The id of a component that is loaded, or where one is: a path, `file:///…` or `https://…`
    #[arg(value_name = "ID|REF")]
    target: String,
}

/// What was found, and what is granted to it if it is loaded.
#[derive(Serialize)]
struct InspectedView<'a> {
    #[serde(flatten)]
    inspection: &'a InspectionView,
    #[serde(skip_serializing_if = "Option::is_none")]
    granted: Option<Value>,
}

pub(crate) async fn inspect(context: &Context, args: InspectArgs) -> Result<(), CommandError> {
    let inspection = context.toolbox()?.inspect(&args.target, &context.current_dir, true).await?;
    let view = InspectionView::from(&inspection);
    let policy = &inspection.component.permissions.policy;
    let granted = inspection.loaded.then(|| policy.to_json());
    let data = InspectedView { inspection: &view, granted };
    Ok(context.printer.data(&data, || described(&inspection, &view))?)
}

fn described(inspection: &Inspection, view: &InspectionView) -> String {
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
    text.push_str(&permissions(inspection));
    text
}

/// What it could want, what it asks for, and what it has.
fn permissions(inspection: &Inspection) -> String {
    let component = &inspection.component;
    let wants = wants(&component.imports);
    let mut text = String::new();
    if !wants.is_empty() {
        let rows = wants.into_iter().map(|want| [want.what.to_owned(), want.words.to_string()]);
        text.push_str(&format!("\n{}\n", table(["COULD WANT", "WHICH MEANS"], rows)));
    }
    if let Some(requested) = component.requested() {
        text.push_str(&asks::described(&requested, &component.id));
    }
    if inspection.loaded {
        let permissions = &component.permissions;
        text.push_str(&asks::granted(&permissions.policy, permissions.problem.as_ref()));
    }
    text
}
