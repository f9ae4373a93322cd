//! `secret`: values that a component may be given, or that are sent for it, and that nobody else
//! should see.

mod delete;
mod list;
mod set;

use clap::Subcommand;
use serde::Serialize;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Set secrets of a component; running servers use them at once
    Set(set::SetArgs),
    /// List the names of a component's secrets
    List(list::ListArgs),
    /// Delete secrets of a component
    Delete(delete::DeleteArgs),
}

/// What became of secrets, in the spelling that scripts know.
#[derive(Serialize)]
struct ChangedView<'a> {
    status: &'static str,
    component_id: &'a str,
    message: String,
}

pub(crate) async fn secret(context: &Context, command: SecretCommand) -> Result<(), CommandError> {
    match command {
        SecretCommand::Set(args) => set::set(context, args).await,
        SecretCommand::List(args) => list::list(context, args).await,
        SecretCommand::Delete(args) => delete::delete(context, args).await,
    }
}

/// Says that `count` secrets were `done`.
fn changed(context: &Context, id: &str, count: usize, done: &str) -> Result<(), CommandError> {
    let message = match count {
        1 => format!("1 secret {done}"),
        count => format!("{count} secrets {done}"),
    };
    let view = ChangedView { status: "success", component_id: id, message };
    Ok(context.printer.data(&view, || format!("{id}: {}", view.message))?)
}
