//! `component lock`: the lock file, printed or written for a project to keep.

use std::path::PathBuf;

use clap::Args;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct LockArgs {
    /// Write it to this file, in the place of what is there, and print nothing
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

pub(crate) async fn lock(context: &Context, args: LockArgs) -> Result<(), CommandError> {
    let lock = context.toolbox()?.lockfile().await?;
    let Some(path) = args.export else {
        return Ok(context.printer.text(&lock.to_text())?);
    };
    lock.write(&context.current_dir.join(&path))
        .map_err(|source| CommandError::Write { path: path.display().to_string(), source })
}
