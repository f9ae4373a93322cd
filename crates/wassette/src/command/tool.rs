//! `tool`: the tools themselves, without a server.

mod invoke;
mod list;
mod read;

use clap::Subcommand;

pub(crate) use self::invoke::arguments;
use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Subcommand)]
pub(crate) enum ToolCommand {
    /// List all tools, the built-in ones included
    List,
    /// Show what a tool does, takes and returns
    Read(read::ReadArgs),
    /// Call a tool
    Invoke(invoke::InvokeArgs),
}

pub(crate) async fn tool(context: &Context, command: ToolCommand) -> Result<(), CommandError> {
    match command {
        ToolCommand::List => list::list(context).await,
        ToolCommand::Read(args) => read::read(context, args).await,
        ToolCommand::Invoke(args) => invoke::invoke(context, args).await,
    }
}
