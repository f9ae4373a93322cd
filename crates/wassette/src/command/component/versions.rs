//! `component accept`, `reject` and `rollback`: which of the versions that are here is in force.

use clap::Args;
use serde::Serialize;
use wassette_store::Digest;

use super::load;
use crate::args::parsed;
use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// The component's id, as `component list` shows it
    id: String,
}

#[derive(Serialize)]
struct RejectedView {
    status: &'static str,
    id: String,
}

#[derive(Debug, Args)]
pub(crate) struct AcceptArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// Accept it only if its bytes have this digest, as they were shown
    #[arg(long, value_name = "DIGEST", value_parser = parsed::<Digest>)]
    digest: Option<Digest>,
}

pub(crate) async fn accept(context: &Context, args: AcceptArgs) -> Result<(), CommandError> {
    let loaded = context.toolbox()?.accept_update(&args.id, args.digest).await?;
    load::tell(context, &loaded, false)
}

pub(crate) async fn reject(context: &Context, args: VersionArgs) -> Result<(), CommandError> {
    context.toolbox()?.reject_update(&args.id).await?;
    let view = RejectedView { status: "update rejected successfully", id: args.id };
    Ok(context.printer.data(&view, || format!("{}: {}", view.status, view.id))?)
}

pub(crate) async fn rollback(context: &Context, args: VersionArgs) -> Result<(), CommandError> {
    let loaded = context.toolbox()?.rollback(&args.id).await?;
    load::tell(context, &loaded, false)
}
