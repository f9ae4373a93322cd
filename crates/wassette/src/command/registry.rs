//! `registry`: what catalogues have to offer.

mod get;
mod search;

use clap::Subcommand;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// Find components by words in their names, descriptions and keywords, best first
    Search(search::SearchArgs),
    /// Show all that the catalogues say about one component
    Get(get::GetArgs),
}

pub(crate) async fn registry(
    context: &Context,
    command: RegistryCommand,
) -> Result<(), CommandError> {
    match command {
        RegistryCommand::Search(args) => search::search(context, args).await,
        RegistryCommand::Get(args) => get::get(context, args).await,
    }
}
