//! `permission`: what a component may do, changed rule by rule.

mod approve;
mod deny;
mod grant;
mod list;
mod pending;
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
    /// Show what clients asked for while nobody could be asked
    Pending,
    /// Do what a client asked for, after a question
    Approve(approve::ApproveArgs),
    /// Refuse what a client asked for
    Deny(deny::DenyArgs),
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
        PermissionCommand::Pending => pending::pending(context).await,
        PermissionCommand::Approve(args) => approve::approve(context, args).await,
        PermissionCommand::Deny(args) => deny::deny(context, args).await,
    }
}

fn lines(change: &PolicyChange) -> String {
    said(&change.component, &change.changes)
}

/// What changed for `component`, a line each.
pub(crate) fn said(component: &str, changes: &[String]) -> String {
    let mut text = format!("{component}:");
    if changes.is_empty() {
        text.push_str(" nothing changes");
    }
    for line in changes {
        text.push_str(&format!("\n  {line}"));
    }
    text
}
