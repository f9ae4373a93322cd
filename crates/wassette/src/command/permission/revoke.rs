//! `permission revoke`: one rule less.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wassette_policy::{Edit, Target};

use super::{ChangedView, lines};
use crate::context::Context;
use crate::error::CommandError;
use crate::target::{self, refused};

#[derive(Debug, Subcommand)]
pub(crate) enum RevokeCommand {
    /// Take back what was granted for a place, reading and writing alike
    Storage(StorageArgs),
    /// Take back what was granted for a host, a range of addresses or a raw socket
    Network(NetworkArgs),
    /// Take back a variable
    EnvironmentVariable(VariableArgs),
    /// Go back to the configuration's limit on memory
    Memory(MemoryArgs),
    /// Go back to the configuration's limit
    Limit(LimitArgs),
    /// Go back to the configuration's limit on memory, as other programs spell it
    #[command(hide = true)]
    Resource(ResourceArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StorageArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// The path or rule, as it was granted
    #[arg(value_name = "PATH|URI")]
    uri: String,
}

#[derive(Debug, Args)]
pub(crate) struct NetworkArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// The host, URL, addresses or raw socket, as it was granted
    #[arg(value_name = "HOST|URL|CIDR|SOCKET")]
    target: String,
}

#[derive(Debug, Args)]
pub(crate) struct VariableArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// The variable's name
    key: String,
}

#[derive(Debug, Args)]
pub(crate) struct MemoryArgs {
    /// The component's id, as `component list` shows it
    id: String,
}

#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// The limit's name, such as `time`
    name: String,
}

#[derive(Debug, Args)]
pub(crate) struct ResourceArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// The limit on memory
    #[arg(long, required = true)]
    memory: bool,
}

pub(crate) async fn revoke(context: &Context, command: RevokeCommand) -> Result<(), CommandError> {
    match command {
        RevokeCommand::Storage(args) => storage(context, args).await,
        RevokeCommand::Network(args) => {
            let target = Target::network(&args.target).map_err(refused)?;
            let details = json!({ "host": args.target });
            other(context, "network", &args.id, target, details).await
        }
        RevokeCommand::EnvironmentVariable(args) => {
            let details = json!({ "key": args.key });
            let target = Target::Variable(args.key);
            other(context, "environment", &args.id, target, details).await
        }
        RevokeCommand::Memory(MemoryArgs { id })
        | RevokeCommand::Resource(ResourceArgs { id, memory: _ }) => {
            let target = Target::Limit("memory".to_owned());
            other(context, "memory", &id, target, json!({ "name": "memory" })).await
        }
        RevokeCommand::Limit(args) => {
            let details = json!({ "name": args.name });
            other(context, "limit", &args.id, Target::Limit(args.name), details).await
        }
    }
}

/// Scripts know another shape here than for all the others.
async fn storage(context: &Context, args: StorageArgs) -> Result<(), CommandError> {
    let uri = target::storage(&args.uri, &context.current_dir)?;
    let edits = vec![Edit::Revoke(Target::Storage(uri.clone()))];
    let change = context.toolbox()?.edit_policy(&args.id, edits).await?;
    let view = ChangedView {
        status: "permission revoked successfully",
        component_id: &change.component,
        permission_type: None,
        uri: Some(uri.to_string()),
        details: None,
        message: Some(format!("nothing is granted for {uri} any more")),
        changes: &change.changes,
    };
    Ok(context.printer.data(&view, || lines(&change))?)
}

async fn other(
    context: &Context,
    kind: &'static str,
    id: &str,
    target: Target,
    details: Value,
) -> Result<(), CommandError> {
    let change = context.toolbox()?.edit_policy(id, vec![Edit::Revoke(target)]).await?;
    let view = ChangedView {
        status: "permission revoked",
        component_id: &change.component,
        permission_type: Some(kind),
        uri: None,
        details: Some(details),
        message: None,
        changes: &change.changes,
    };
    Ok(context.printer.data(&view, || lines(&change))?)
}
