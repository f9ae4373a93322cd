//! `run`: MCP over standard input and output. Nothing but the protocol may be written to stdout.

use std::io::{self, IsTerminal};

use clap::Args;
use tokio_util::sync::CancellationToken;
use wassette_mcp::serve_stdio;

use crate::approvals::ApprovalArgs;
use crate::command::serve::BuiltInArgs;
use crate::context::Context;
use crate::error::CommandError;
use crate::provision::{Plan, ProvisionArgs};
use crate::runtime::until_asked_to_end;
use crate::surroundings::SurroundingsArgs;

/// What a person is told who started this by hand. A client starts it with a pipe.
const WAITS: &str = "waiting for an MCP client on standard input; an agent starts this program by itself, \
once it is told to:
  Claude Code      claude mcp add wassette -- wassette run
  VS Code, Cursor  { \"command\": \"wassette\", \"args\": [\"run\"] } in their mcp.json
`wassette serve` listens for clients over HTTP, `wassette tool invoke` calls a tool from here; Ctrl-C \
ends this";

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    surroundings: SurroundingsArgs,
    #[command(flatten)]
    approvals: ApprovalArgs,
    #[command(flatten)]
    built_ins: BuiltInArgs,
    #[command(flatten)]
    provision: ProvisionArgs,
}

pub(crate) async fn run(context: &Context, args: RunArgs) -> Result<(), CommandError> {
    let plan = args.provision.plan(context)?;
    let private = plan.as_ref().map(Plan::private_paths).unwrap_or_default();
    let approval = args.approvals.over(&context.config.approval);
    let toolbox = context.toolbox_with(&args.surroundings, approval, private)?;
    if let Some(plan) = plan {
        // A client that is answered before could ask for tools that are not there yet.
        plan.provision(&context.printer, &toolbox).await?;
    }
    if io::stdin().is_terminal() {
        context.printer.say(WAITS);
    }
    let options = context.server_options(args.built_ins.choice());
    let shutdown = CancellationToken::new();
    let serving = serve_stdio(toolbox.clone(), options, shutdown.clone());
    Ok(until_asked_to_end(&toolbox, &shutdown, serving).await?)
}
