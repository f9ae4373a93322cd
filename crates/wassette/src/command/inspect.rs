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
    /// The id of a component that is loaded, or where one is: whatever `component load` takes
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
    context.printer.data(&data, || described(&inspection, &view))?;
    if let Some(unverified) = &view.unverified {
        context.printer.warn(unverified, None);
    }
    Ok(())
}

fn described(inspection: &Inspection, view: &InspectionView) -> String {
    let mut text = format!("{}\n", view.id);
    for (what, value) in facts(view) {
        if let Some(value) = value {
            text.push_str(&format!("  {what:9}  {value}\n"));
        }
    }
    for fault in &view.faults {
        let help = fault.help.as_ref().map(|help| format!("\n  hint: {help}"));
        let help = help.unwrap_or_default();
        text.push_str(&format!("\nIt cannot be loaded: {}{help}\n", fault.message));
    }
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
    if !view.referrers.is_empty() {
        let rows = view.referrers.iter().map(|referrer| {
            [referrer.kind.clone(), referrer.digest.clone(), referrer.size.to_string()]
        });
        text.push_str(&format!("\n{}\n", table(["BESIDE IT", "DIGEST", "BYTES"], rows)));
    }
    text.push_str(&permissions(inspection));
    text
}

fn facts(view: &InspectionView) -> [(&'static str, Option<String>); 8] {
    let origin = view.origin.as_ref();
    let reference = origin.map(|origin| origin.reference.clone());
    [
        ("source", Some(view.source.clone())),
        ("reference", reference.filter(|reference| *reference != view.source)),
        ("manifest", origin.and_then(|origin| origin.manifest.clone())),
        ("signed by", origin.and_then(|origin| origin.signer.clone())),
        ("digest", Some(view.digest.clone())),
        ("size", Some(format!("{} bytes", view.size))),
        ("loaded", Some(if view.loaded { "yes" } else { "no" }.to_owned())),
        ("waiting", view.waiting.as_ref().map(|waiting| waiting.summary.clone())),
    ]
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
