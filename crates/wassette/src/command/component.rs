//! `component`: what is in the store.

mod check;
mod export;
mod import;
mod list;
mod load;
mod lock;
mod push;
mod unload;
mod update;
mod versions;

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
    /// Examine everything that is stored, byte by byte, and say what is damaged and how to mend it
    Check,
    /// Look for new versions, show what is different about them, and put them in force after a
    /// question
    Update(update::UpdateArgs),
    /// Put the version that waits in force
    Accept(versions::AcceptArgs),
    /// Throw the version that waits away
    Reject(versions::VersionArgs),
    /// Put the version before the present one in force again
    Rollback(versions::VersionArgs),
    /// Print the lock file: what is loaded, from where, with which digests and rights
    Lock(lock::LockArgs),
    /// Write a component with its signatures into an archive that can be carried elsewhere
    Export(export::ExportArgs),
    /// Load a component from an archive, without any network
    Import(import::ImportArgs),
    /// Publish the file of a component in a registry
    Push(push::PushArgs),
}

pub(crate) async fn component(
    context: &Context,
    command: ComponentCommand,
) -> Result<(), CommandError> {
    match command {
        ComponentCommand::Load(args) => load::load(context, args).await,
        ComponentCommand::Unload(args) => unload::unload(context, args).await,
        ComponentCommand::List => list::list(context).await,
        ComponentCommand::Check => check::check(context).await,
        ComponentCommand::Update(args) => update::update(context, args).await,
        ComponentCommand::Accept(args) => versions::accept(context, args).await,
        ComponentCommand::Reject(args) => versions::reject(context, args).await,
        ComponentCommand::Rollback(args) => versions::rollback(context, args).await,
        ComponentCommand::Lock(args) => lock::lock(context, args).await,
        ComponentCommand::Export(args) => export::export(context, args).await,
        ComponentCommand::Import(args) => import::import(context, args).await,
        ComponentCommand::Push(args) => push::push(context, args).await,
    }
}
