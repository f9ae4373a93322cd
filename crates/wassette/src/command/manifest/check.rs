//! `manifest check`: what a manifest says, and what is wrong with it as far as this machine knows.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use wassette_toolbox::Checked;

use crate::context::Context;
use crate::error::CommandError;
use crate::printer::{Accent, table};
use crate::provision;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The manifest, in YAML
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) async fn check(context: &Context, args: CheckArgs) -> Result<(), CommandError> {
    let shown = args.file.display().to_string();
    let manifest = provision::read(&context.current_dir.join(&args.file), &shown)?;
    let checked = context.toolbox()?.check_manifest(&manifest).await?;
    let view = json!({ "components": checked, "locked": manifest.lock.is_some() });
    context.printer.data(&view, || described(&checked))?;
    let mut problems = 0;
    for component in &checked {
        for problem in &component.problems {
            let message = format!("`{}`: {problem}", component.uri);
            context.printer.labelled(Accent::Error, "error", &message);
            problems += 1;
        }
        for note in &component.notes {
            context.printer.warn(&format!("`{}`: {note}", component.uri), None);
        }
    }
    match problems {
        0 => Ok(()),
        _ => Err(CommandError::ManifestProblems { path: shown, problems }),
    }
}

fn described(checked: &[Checked]) -> String {
    let rows = checked.iter().map(|component| {
        let permissions = match &component.permissions {
            None => "as they are".to_owned(),
            Some(lines) if lines.is_empty() => "none".to_owned(),
            Some(lines) => lines.join("\n"),
        };
        [component.id.clone(), component.uri.clone(), permissions]
    });
    table(["ID", "URI", "PERMISSIONS"], rows)
}
