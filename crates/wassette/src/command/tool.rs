//! `tool`: the tools themselves, without a server.

mod invoke;
mod list;
mod pairs;
mod read;

use clap::Subcommand;

pub(crate) use self::invoke::arguments;
pub(crate) use self::pairs::PairError;
use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Subcommand)]
pub(crate) enum ToolCommand {
    /// List the tools of the components that are loaded
    List(list::ListArgs),
    /// Show what a tool does, takes and returns
    Read(read::ReadArgs),
    /// Call a tool
    Invoke(invoke::InvokeArgs),
}

pub(crate) async fn tool(context: &Context, command: ToolCommand) -> Result<(), CommandError> {
    match command {
        ToolCommand::List(args) => list::list(context, args).await,
        ToolCommand::Read(args) => read::read(context, args).await,
        ToolCommand::Invoke(args) => invoke::invoke(context, args).await,
    }
}
