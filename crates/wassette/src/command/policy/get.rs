//! `policy get`: the permissions themselves.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use wassette_policy::Policy;
use wassette_toolbox::PermissionsView;

use crate::args::Format;
use crate::asks;
use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The component's id, as `component list` shows it
    id: String,
}

/// The spelling that scripts know.
#[derive(Serialize)]
struct PolicyView<'a> {
    status: &'static str,
    component_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned: Option<&'a str>,
    #[serde(flatten)]
    policy: Value,
}

pub(crate) async fn get(context: &Context, args: GetArgs) -> Result<(), CommandError> {
    let permissions = context.toolbox()?.permissions(&args.id).await?;
    let policy = shown(context, &permissions)?;
    match context.printer.format() {
        // The document as it is, which `policy set` takes.
        Format::Yaml => Ok(context.printer.text(&policy.to_yaml())?),
        Format::Table => {
            let text = asks::granted(policy, None);
            Ok(context.printer.text(text.trim_start_matches('\n'))?)
        }
        Format::Json => {
            let status = match (&permissions.withheld, policy.is_empty()) {
                (Some(_), _) => "policy not in force",
                (None, false) => "policy found",
                (None, true) => "no policy found",
            };
            let view = PolicyView {
                status,
                component_id: &permissions.component,
                pinned: permissions.pinned.as_deref(),
                policy: policy.to_json(),
            };
            Ok(context.printer.data(&view, String::new)?)
        }
    }
}

/// What is to be shown: the policy in force, or one that a pin withholds, with a warning.
fn shown<'a>(
    context: &Context,
    permissions: &'a PermissionsView,
) -> Result<&'a Policy, CommandError> {
    match (&permissions.problem, &permissions.withheld) {
        (None, _) => Ok(&permissions.policy),
        (Some(problem), Some(withheld)) => {
            let message = format!("this is not in force: {}", problem.message);
            let id = &permissions.component;
            let hint = format!("`wassette policy pin {id}` grants the same to this one");
            context.printer.warn(&message, Some(&hint));
            Ok(withheld)
        }
        (Some(problem), None) => Err(CommandError::BrokenPolicy {
            id: permissions.component.clone(),
            message: problem.message.clone(),
            help: problem.help.clone(),
        }),
    }
}
