//! `manifest`: the file that says which components a server serves.

mod check;
mod lock;

use clap::Subcommand;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Subcommand)]
pub(crate) enum ManifestCommand {
    /// Say whether a file is a manifest, and where it is not; no network is used
    Check(check::CheckArgs),
    /// Find out what a manifest leads to, and write it into `wassette.lock` beside it
    Lock(lock::LockArgs),
}

pub(crate) async fn manifest(
    context: &Context,
    command: ManifestCommand,
) -> Result<(), CommandError> {
    match command {
        ManifestCommand::Check(args) => check::check(context, args).await,
        ManifestCommand::Lock(args) => lock::lock(context, args).await,
    }
}
