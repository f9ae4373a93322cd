//! `audit`: what components did and were denied, as it was written down.

mod show;
mod verify;

use clap::Subcommand;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show what was written down, the newest last
    Show(show::ShowArgs),
    /// Say whether anything of it was changed or is missing; exit code 0 if all is there, 1 if not
    Verify,
}

pub(crate) async fn audit(context: &Context, command: AuditCommand) -> Result<(), CommandError> {
    match command {
        AuditCommand::Show(args) => show::show(context, args).await,
        AuditCommand::Verify => verify::verify(context).await,
    }
}
