//! `secret list`: names; values only for a person who insists.

use clap::Args;
use serde::Serialize;

use crate::ask;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::table;

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// Show the values too, after a question
    #[arg(long)]
    show_values: bool,

    /// Show the values without the question
    #[arg(long, requires = "show_values")]
    yes: bool,
}

#[derive(Serialize)]
struct SecretsView<'a> {
    component_id: &'a str,
    secrets: Vec<SecretView<'a>>,
}

#[derive(Serialize)]
struct SecretView<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

pub(crate) async fn list(context: &Context, args: ListArgs) -> Result<(), CommandError> {
    if args.show_values { with_values(context, args).await } else { names(context, args).await }
}

async fn names(context: &Context, args: ListArgs) -> Result<(), CommandError> {
    let names = context.toolbox()?.secret_names(&args.id).await?;
    let secrets = names.iter().map(|key| SecretView { key, value: None }).collect();
    let view = SecretsView { component_id: &args.id, secrets };
    let described = || table(["KEY"], names.iter().map(|key| [key.clone()]));
    Ok(context.printer.data(&view, described)?)
}

async fn with_values(context: &Context, args: ListArgs) -> Result<(), CommandError> {
    let toolbox = context.toolbox()?;
    // An id that is wrong is said before anything is asked.
    toolbox.secret_names(&args.id).await?;
    let question = format!("show the values of the secrets of `{}`?", args.id);
    ask::confirm(&context.printer, &question, args.yes)?;
    let pairs = toolbox.secret_values(&args.id).await?;
    let secrets = pairs.iter().map(|(key, value)| SecretView { key, value: Some(value.as_str()) });
    let view = SecretsView { component_id: &args.id, secrets: secrets.collect() };
    let rows = pairs.iter().map(|(key, value)| [key.clone(), value.to_string()]);
    Ok(context.printer.data(&view, || table(["KEY", "VALUE"], rows))?)
}
