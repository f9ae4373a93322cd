//! `policy check`: whether a document can be a policy, without a component.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::document;
use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The document, in YAML or JSON: a file, or an `https://` URL
    #[arg(value_name = "FILE|URL")]
    document: PathBuf,
}

#[derive(Serialize)]
struct CheckedView {
    status: &'static str,
    file: String,
    policy: Value,
}

pub(crate) async fn check(context: &Context, args: &CheckArgs) -> Result<(), CommandError> {
    let policy = document::read(&args.document, || context.toolbox()).await?;
    let view = CheckedView {
        status: "policy is valid",
        file: document::shown(&args.document),
        policy: policy.to_json(),
    };
    let described = || format!("`{}` is a policy:\n\n{}", view.file, policy.to_yaml());
    Ok(context.printer.data(&view, described)?)
}
