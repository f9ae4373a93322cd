//! `component check`: whether the store is whole.

use serde::Serialize;
use wassette_toolbox::Flaw;

use crate::context::Context;
use crate::error::CommandError;
use crate::printer::table;

#[derive(Serialize)]
struct CheckedView {
    status: &'static str,
    flaws: Vec<Flaw>,
}

pub(crate) async fn check(context: &Context) -> Result<(), CommandError> {
    let flaws = context.toolbox()?.check().await?;
    let whole = flaws.is_empty();
    let status = if whole { "store is whole" } else { "store is damaged" };
    let view = CheckedView { status, flaws };
    context.printer.data(&view, || described(&view))?;
    if whole { Ok(()) } else { Err(CommandError::Answered) }
}

fn described(view: &CheckedView) -> String {
    if view.flaws.is_empty() {
        return "the store is whole".to_owned();
    }
    table(["FLAW", "CURE"], view.flaws.iter().map(|flaw| [flaw.what.clone(), flaw.cure.clone()]))
}
