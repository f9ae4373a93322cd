//! `component import`.

use std::path::PathBuf;

use clap::Args;
use wassette_store::ComponentId;
use wassette_toolbox::{Changes, LoadRequest, Replace};

use super::load;
use crate::args::parsed;
use crate::context::Context;
use crate::error::CommandError;
use crate::progress::Progress;

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The archive: an OCI image layout as a tar file, such as `component export` writes
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The id that it gets here [default: made of its source]
    #[arg(long, value_name = "ID", value_parser = parsed::<ComponentId>)]
    name: Option<ComponentId>,

    /// Replace a component of the same id that came from elsewhere
    #[arg(long)]
    replace: bool,

    /// Put a version in force whose tools are not those that are known, without looking at it first
    #[arg(long)]
    accept_changes: bool,
}

pub(crate) async fn import(context: &Context, args: ImportArgs) -> Result<(), CommandError> {
    let toolbox = context.toolbox()?;
    let file = args.file.display().to_string();
    let mut request = LoadRequest::new(file.clone(), context.current_dir.clone());
    request.id = args.name;
    request.replace = if args.replace { Replace::Allow } else { Replace::Refuse };
    // The file is the operator's, and what somebody signed in it may be any of their versions.
    request.changes = if args.accept_changes { Changes::Accept } else { Changes::Quarantine };
    let progress = Progress::new(&context.printer, &file);
    let loaded = toolbox.import(request, progress.listener()).await;
    drop(progress);
    load::tell(context, &loaded?, false)
}
