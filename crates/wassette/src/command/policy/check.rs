//! `policy check`: whether a document can be a policy, without a component.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use wassette_policy::Document;

use super::document;
use crate::context::Context;
use crate::error::CommandError;
use crate::surroundings::SurroundingsArgs;

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
    let Document { policy, ignored } = document::read(&args.document, || context.toolbox()).await?;
    let mut warnings: Vec<String> = ignored.iter().map(ToString::to_string).collect();
    warnings.extend(policy.cautions(SystemTime::now()));
    let workspaces =
        SurroundingsArgs::default().workspaces(&context.config, &context.current_dir)?;
    let known: Vec<&str> = workspaces.keys().map(String::as_str).collect();
    warnings.extend(policy.without_workspaces(&known));
    let view = CheckedView {
        status: "policy is valid",
        file: document::shown(&args.document),
        policy: policy.to_json(),
    };
    let described = || format!("`{}` is a policy:\n\n{}", view.file, policy.to_yaml());
    context.printer.data(&view, described)?;
    for warning in warnings {
        context.printer.warn(&warning, None);
    }
    Ok(())
}
