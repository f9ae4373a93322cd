//! `policy check`: whether a file can be a policy, without a component.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::file;
use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The document, in YAML or JSON
    file: PathBuf,
}

#[derive(Serialize)]
struct CheckedView {
    status: &'static str,
    file: String,
    policy: Value,
}

pub(crate) fn check(context: &Context, args: &CheckArgs) -> Result<(), CommandError> {
    let policy = file::read(&args.file)?;
    let view = CheckedView {
        status: "policy is valid",
        file: args.file.display().to_string(),
        policy: policy.to_json(),
    };
    let described = || format!("`{}` is a policy:\n\n{}", view.file, policy.to_yaml());
    Ok(context.printer.data(&view, described)?)
}
