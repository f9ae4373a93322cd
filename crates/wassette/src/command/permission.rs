//! `permission`: what a component may do, changed rule by rule.

mod grant;
mod list;
mod reset;
mod revoke;

use clap::Subcommand;
use serde::Serialize;
use serde_json::Value;
use wassette_toolbox::PolicyChange;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Subcommand)]
pub(crate) enum PermissionCommand {
    /// Let a component do something; running servers know at once
    #[command(subcommand, arg_required_else_help = true)]
    Grant(grant::GrantCommand),
    /// Take a permission back; also calls that run lose it
    #[command(subcommand, arg_required_else_help = true)]
    Revoke(revoke::RevokeCommand),
    /// Take all permissions back
    Reset(reset::ResetArgs),
    /// Show what a component may do, and what it asks for
    List(list::ListArgs),
}

/// What became of a permission, in the spelling that scripts know.
#[derive(Serialize)]
struct ChangedView<'a> {
    status: &'static str,
    component_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission_type: Option<&'static str>,
    /// What a revoked storage permission was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    changes: &'a [String],
}

pub(crate) async fn permission(
    context: &Context,
    command: PermissionCommand,
) -> Result<(), CommandError> {
    match command {
        PermissionCommand::Grant(command) => grant::grant(context, command).await,
        PermissionCommand::Revoke(command) => revoke::revoke(context, command).await,
        PermissionCommand::Reset(args) => reset::reset(context, args).await,
        PermissionCommand::List(args) => list::list(context, args).await,
    }
}

/// What changed, a line each.
fn lines(change: &PolicyChange) -> String {
    let mut text = format!("{}:", change.component);
    if change.changes.is_empty() {
        text.push_str(" nothing changes");
    }
    for line in &change.changes {
        text.push_str(&format!("\n  {line}"));
    }
    text
}
