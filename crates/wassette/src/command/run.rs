//! `run`: MCP over standard input and output. Nothing but the protocol may be written to stdout.

use clap::Args;
use tokio_util::sync::CancellationToken;
use wassette_mcp::serve_stdio;

use crate::approvals::ApprovalArgs;
use crate::command::serve::BuiltInArgs;
use crate::context::Context;
use crate::error::CommandError;
use crate::runtime::until_asked_to_end;
use crate::surroundings::SurroundingsArgs;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    surroundings: SurroundingsArgs,
    #[command(flatten)]
    approvals: ApprovalArgs,
    #[command(flatten)]
    built_ins: BuiltInArgs,
}

pub(crate) async fn run(context: &Context, args: RunArgs) -> Result<(), CommandError> {
    let approval = args.approvals.over(&context.config.approval);
    let toolbox = context.toolbox_with(&args.surroundings, approval)?;
    let options = context.server_options(args.built_ins.choice());
    let shutdown = CancellationToken::new();
    let serving = serve_stdio(toolbox.clone(), options, shutdown.clone());
    Ok(until_asked_to_end(&toolbox, &shutdown, serving).await?)
}
