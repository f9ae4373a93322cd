//! `policy explain`: the decision and the rule behind it, by the function that enforces.

use clap::Args;
use wassette_toolbox::{Explanation, Question};

use crate::context::Context;
use crate::error::CommandError;
use crate::surroundings::SurroundingsArgs;
use crate::target::seen_by_a_component;

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// `read PATH`, `write PATH`, `GET URL` or another method, `tcp HOST:PORT`, `udp HOST:PORT`,
    /// `lookup HOST`, or `variable KEY`
    #[arg(value_name = "QUESTION", num_args = 2, required = true)]
    question: Vec<String>,

    #[command(flatten)]
    surroundings: SurroundingsArgs,
}

pub(crate) async fn explain(context: &Context, args: ExplainArgs) -> Result<(), CommandError> {
    let question = match Question::parse(&args.question)? {
        Question::Read(path) => Question::Read(seen_by_a_component(&path, &context.current_dir)?),
        Question::Write(path) => Question::Write(seen_by_a_component(&path, &context.current_dir)?),
        other => other,
    };
    let toolbox = context.toolbox_in(&args.surroundings)?;
    let explanation = toolbox.explain(&args.id, question).await?;
    context.printer.data(&explanation, || described(&explanation))?;
    if explanation.allowed { Ok(()) } else { Err(CommandError::Answered) }
}

fn described(explanation: &Explanation) -> String {
    let (decision, reason) = match explanation.allowed {
        true => ("allowed", "note"),
        false => ("denied", "because"),
    };
    let mut text = format!("{decision}: {} {}", explanation.component, explanation.question);
    let parts = [
        ("rule", &explanation.rule),
        (reason, &explanation.reason),
        ("to allow it", &explanation.grant),
    ];
    for (name, part) in parts {
        if let Some(part) = part {
            text.push_str(&format!("\n  {name}: {part}"));
        }
    }
    text
}
