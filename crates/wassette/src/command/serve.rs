//! `serve`: MCP over Streamable HTTP, for clients on this machine.

use std::net::SocketAddr;

use clap::Args;
use tokio_util::sync::CancellationToken;
use wassette_mcp::{BuiltIns, HttpError, HttpOptions, serve_http};

use crate::approvals::ApprovalArgs;
use crate::ask::approver::TerminalApprover;
use crate::context::Context;
use crate::error::CommandError;
use crate::provision::{Plan, ProvisionArgs};
use crate::runtime::until_asked_to_end;
use crate::surroundings::SurroundingsArgs;

const BIND_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9001);

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen; this machine only, port 0 for any [default: `bind_address` of the
    /// configuration, else 127.0.0.1:9001]
    #[arg(long, value_name = "ADDRESS:PORT")]
    bind_address: Option<SocketAddr>,

    /// A further value of the `Host` header to answer to, with or without a port
    #[arg(long = "allowed-host", value_name = "HOST")]
    allowed_hosts: Vec<String>,

    /// A further web page's origin to answer to, such as `http://example.com:8080`
    #[arg(long = "allowed-origin", value_name = "ORIGIN")]
    allowed_origins: Vec<String>,

    #[command(flatten)]
    surroundings: SurroundingsArgs,
    #[command(flatten)]
    approvals: ApprovalArgs,
    #[command(flatten)]
    built_ins: BuiltInArgs,
    #[command(flatten)]
    provision: ProvisionArgs,
}

/// What `run` and `serve` share.
#[derive(Debug, Args)]
pub(crate) struct BuiltInArgs {
    /// Neither list nor answer the built-in tools, which load and show components and ask for
    /// permissions
    #[arg(long)]
    disable_builtin_tools: bool,
}

impl BuiltInArgs {
    pub(crate) fn choice(&self) -> BuiltIns {
        if self.disable_builtin_tools { BuiltIns::Refuse } else { BuiltIns::Serve }
    }
}

pub(crate) async fn serve(context: &Context, args: ServeArgs) -> Result<(), CommandError> {
    let plan = args.provision.plan(context)?;
    let private = plan.as_ref().map(Plan::private_paths).unwrap_or_default();
    let approval = args.approvals.over(&context.config.approval);
    let toolbox = context.toolbox_with(&args.surroundings, approval, private)?;
    if let Some(plan) = plan {
        plan.provision(&context.printer, &toolbox).await?;
    }
    let address = args.bind_address.or(context.config.bind_address).unwrap_or(BIND_ADDRESS);
    let mut http = HttpOptions::new(wassette_mcp::bind(address).await?);
    http.allowed_hosts = chosen(args.allowed_hosts, &context.config.allowed_hosts);
    http.allowed_origins = chosen(args.allowed_origins, &context.config.allowed_origins);
    http.longest_call = context.config.limits.values().time.duration();
    let bound = http.listener.local_addr().map_err(HttpError::Address)?;
    let mut options = context.server_options(args.built_ins.choice());
    options.approver = TerminalApprover::of(&context.printer);
    context.printer.say(&format!("serving MCP on http://{bound}/mcp"));

    let shutdown = CancellationToken::new();
    let serving = serve_http(toolbox.clone(), options, http, shutdown.clone());
    until_asked_to_end(&toolbox, &shutdown, serving).await?;
    context.printer.say("stopped");
    Ok(())
}

/// The flags if there are any, else the configuration: lists replace each other.
fn chosen(flags: Vec<String>, configured: &[String]) -> Vec<String> {
    if flags.is_empty() { configured.to_vec() } else { flags }
}
