//! `permission deny`: a person's no to what waits; also the way to be rid of what cannot be read.

use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct DenyArgs {
    /// The request's number, as `permission pending` shows it
    number: u64,
}

#[derive(Serialize)]
struct DeniedView<'a> {
    status: &'static str,
    number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    component_id: Option<&'a str>,
}

pub(crate) async fn deny(context: &Context, args: DenyArgs) -> Result<(), CommandError> {
    let denied = context.toolbox()?.deny_pending(args.number).await?;
    let component_id = denied.inquiry.as_ref().ok().map(|inquiry| inquiry.component());
    let view = DeniedView { status: "request denied", number: denied.number, component_id };
    let said = || format!("request {} is denied; nothing has changed", view.number);
    Ok(context.printer.data(&view, said)?)
}
