//! `component`: what is in the store.

mod list;
mod load;
mod unload;

use clap::Subcommand;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Subcommand)]
pub(crate) enum ComponentCommand {
    /// Load a component, or a new version of it: its functions become tools
    Load(load::LoadArgs),
    /// Unload a component: its tools go
    Unload(unload::UnloadArgs),
    /// List the components that are loaded
    List,
}

pub(crate) async fn component(
    context: &Context,
    command: ComponentCommand,
) -> Result<(), CommandError> {
    match command {
        ComponentCommand::Load(args) => load::load(context, args).await,
        ComponentCommand::Unload(args) => unload::unload(context, args).await,
        ComponentCommand::List => list::list(context).await,
    }
}
