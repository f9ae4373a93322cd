//! `policy`: all that a component may do, as one document.

mod check;
mod document;
mod explain;
mod get;
mod pin;
mod set;

use clap::Subcommand;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show a component's policy; `-o yaml` prints the document
    Get(get::GetArgs),
    /// Put a document in the place of a component's policy, after a question
    Set(set::SetArgs),
    /// Let a component's policy count for the bytes that it has now, and for no others
    Pin(pin::PinArgs),
    /// Let a component's policy count for whatever comes from its source
    Unpin(pin::PinArgs),
    /// Say whether a document is a policy, and where it is not
    Check(check::CheckArgs),
    /// Ask whether a component may do something, and by which rule; exit code 0 if it may, 1 if not
    Explain(explain::ExplainArgs),
}

pub(crate) async fn policy(context: &Context, command: PolicyCommand) -> Result<(), CommandError> {
    match command {
        PolicyCommand::Get(args) => get::get(context, args).await,
        PolicyCommand::Set(args) => set::set(context, args).await,
        PolicyCommand::Pin(args) => pin::pin(context, args).await,
        PolicyCommand::Unpin(args) => pin::unpin(context, args).await,
        PolicyCommand::Check(args) => check::check(context, &args).await,
        PolicyCommand::Explain(args) => explain::explain(context, args).await,
    }
}
