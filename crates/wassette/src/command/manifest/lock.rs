//! `manifest lock`: what a manifest leads to today, written beside it, for every start to be held to.

use std::path::PathBuf;

use clap::Args;

use crate::context::Context;
use crate::error::CommandError;
use crate::printer::Accent;
use crate::progress::Progress;
use crate::provision;

#[derive(Debug, Args)]
pub(crate) struct LockArgs {
    /// The manifest, in YAML
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) async fn lock(context: &Context, args: LockArgs) -> Result<(), CommandError> {
    let printer = &context.printer;
    let shown = args.file.display().to_string();
    let manifest = provision::read(&context.current_dir.join(&args.file), &shown)?;
    let toolbox = context.toolbox()?;
    let progress = Progress::new(printer, &shown);
    let locked = toolbox.lock_manifest(&manifest, progress.listener_of_many()).await;
    drop(progress);
    for (id, reason) in &locked.failed {
        printer.labelled(Accent::Error, "error", &format!("`{id}`: {reason}"));
    }
    if !locked.failed.is_empty() {
        return Err(CommandError::NotLocked { path: shown, failed: locked.failed.len() });
    }
    let path = manifest.lock_path();
    let written = manifest.write_lock(&locked.lock);
    written.map_err(|source| CommandError::Write { path: path.display().to_string(), source })?;
    Ok(printer.text(&locked.lock.to_text())?)
}
