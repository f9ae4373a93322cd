//! `component lock`: the lock file, printed or written for a project to keep.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

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
    let text = lock.to_text();
    let Some(path) = args.export else {
        return Ok(context.printer.text(&text)?);
    };
    write(&context.current_dir.join(&path), &text)
        .map_err(|source| CommandError::Write { path: path.display().to_string(), source })
}

/// Puts `text` at `path` in one step, so that a lock file is never half there.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new()
        .permissions(PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
