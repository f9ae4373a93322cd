//! The project's own programs, for the chores that put them to work: building them, finding them,
//! and ending with them. It must never build less than the whole workspace: parts of it alone would
//! be built with other features, and everything anew.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error;

/// Why a program did not do its work.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum ProgramError {
    #[error("`{program}` can't be started: {source}")]
    Start { program: String, source: io::Error },
    #[error("`{program}` ended with {status}")]
    Failed { program: String, status: ExitStatus },
    #[error("the folder of this program is unknown: {0}")]
    Unknown(io::Error),
}

/// Builds all programs at `tree`, as the further `options` for cargo say.
pub(crate) fn build(tree: &Path, options: &[&str]) -> Result<(), ProgramError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--workspace", "--bins"]).args(options);
    finish(build.current_dir(tree))
}

/// Runs `command` to its end, which must be a good one.
pub(crate) fn finish(command: &mut Command) -> Result<(), ProgramError> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(ProgramError::Failed { program, status }),
        Err(source) => Err(ProgramError::Start { program, source }),
    }
}

/// The folder in which cargo puts what it builds in `profile`, `debug` or `release`. This program
/// lies in it, or in its neighbour.
pub(crate) fn folder(profile: &str) -> Result<PathBuf, ProgramError> {
    let this = std::env::current_exe().map_err(ProgramError::Unknown)?;
    let target = this.ancestors().nth(2).unwrap_or(Path::new("."));
    Ok(target.join(profile))
}

/// The path of the program `name` in `folder`.
pub(crate) fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Waits until somebody wants this program to end.
pub(crate) async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                Ok(()) = tokio::signal::ctrl_c() => return,
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can ask here: the time limit remains.
        tokio::time::sleep(Duration::MAX).await;
    }
}
