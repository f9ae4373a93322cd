//! `component export`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use wassette_toolbox::ExportRequest;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// The archive to write: an OCI image layout as a tar file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Write it in the place of a file that is there
    #[arg(long)]
    overwrite: bool,

    /// Let a registry of this machine give what the store does not have without TLS
    #[arg(long)]
    plain_http: bool,
}

#[derive(Serialize)]
struct ExportedView {
    status: &'static str,
    id: String,
    file: String,
    /// The digest of the image's manifest in it.
    digest: String,
    /// The digest of the component in it.
    component: String,
    /// How many signatures are in it.
    signatures: usize,
}

pub(crate) async fn export(context: &Context, args: ExportArgs) -> Result<(), CommandError> {
    let request = ExportRequest {
        id: args.id.clone(),
        path: context.current_dir.join(&args.file),
        overwrite: args.overwrite,
        plain_http: args.plain_http,
    };
    let exported = context.toolbox()?.export(&request).await?;
    let view = ExportedView {
        status: "component exported successfully",
        id: args.id,
        file: args.file.display().to_string(),
        digest: exported.manifest.to_string(),
        component: exported.component.to_string(),
        signatures: exported.signatures,
    };
    Ok(context.printer.data(&view, || format!("{}: {}", view.status, view.file))?)
}
