//! `learn`: what calls of a component need, shown rule by rule, and granted as far as a person
//! accepts it.

mod calls;
mod lesson;
mod which;

use std::path::PathBuf;

use clap::Args;
use wassette_policy::Edit;
use wassette_toolbox::{LearnCall, LearnRequest, LearnStage, Lesson, PolicyChange, Toolbox};

use self::lesson::LessonView;
use self::which::Which;
use crate::args::Format;
use crate::ask;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::Talk;
use crate::runtime::unless_asked_to_end;
use crate::surroundings::SurroundingsArgs;

/// What the long help says after the arguments.
pub(crate) const HOW: &str = "\
The calls are made again and again until nothing new is refused. Files are read and written on a \
private copy that is removed in the end, also those that are granted already: no real file changes. \
Requests and variables that are not granted stay refused, and are noted. Requests that are granted \
are really sent, but none any more once the component may use files that are not granted to it.

What a component finds out only with an answer that it did not get is not seen: accept what is right \
and learn again. A component that reads its variables all at once does not tell which it looks for.";

#[derive(Debug, Args)]
pub(crate) struct LearnArgs {
    /// The component's id, as `component list` shows it
    id: String,

    /// The tool to call, as `tool list` shows it
    #[arg(required_unless_present = "calls", conflicts_with = "calls")]
    tool: Option<String>,

    /// The arguments of a call, one JSON object; may be repeated for more calls
    #[arg(long, value_name = "JSON", allow_hyphen_values = true, conflicts_with = "calls")]
    args: Vec<String>,

    /// Make the calls of a file, each a line: `{"name": TOOL, "arguments": {…}}`
    #[arg(long, value_name = "FILE")]
    calls: Option<PathBuf>,

    /// Grant of what is proposed `all`, `none`, or these numbers, such as `1,3` [default: ask on a
    /// terminal, else none]
    #[arg(long, value_name = "WHICH")]
    accept: Option<Which>,

    /// Work on the real files: what is granted happens, what is not granted stays refused
    #[arg(long)]
    no_overlay: bool,

    /// How often the calls are made at most, before the proposal is tried
    #[arg(long, value_name = "COUNT", default_value_t = LearnRequest::ROUNDS)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,

    #[command(flatten)]
    surroundings: SurroundingsArgs,
}

pub(crate) async fn learn(context: &Context, args: LearnArgs) -> Result<(), CommandError> {
    let request = request(&args)?;
    let toolbox = context.toolbox_in(&args.surroundings)?;
    let printer = &context.printer;
    let progress = |stage| {
        if printer.talk() == Talk::Verbose {
            printer.say(&match stage {
                LearnStage::Round(number) => format!("round {number}"),
                LearnStage::Trial => "trying what is to be proposed".to_owned(),
            });
        }
    };
    let lesson = unless_asked_to_end(&toolbox, toolbox.learn(request, progress)).await?;

    let asks = args.accept.is_none()
        && printer.format() == Format::Table
        && !lesson.proposals.is_empty()
        && ask::is_there();
    let view = LessonView::new(&lesson);
    if !asks {
        let accepted = args.accept.unwrap_or(Which::None);
        let change = accept(&toolbox, &lesson, &accepted).await?;
        let is_open = change.is_none() && !lesson.proposals.is_empty();
        let view = view.accepted(change);
        printer.data(&view, || view.text())?;
        if is_open {
            printer
                .say("nothing was granted; `--accept all`, or such as `--accept 1,3`, grants it");
        }
        return Ok(());
    }
    printer.text(&view.text())?;
    let accepted: Which = ask::answer(printer, "accept which? [all, none, 1,3] ")?
        .parse()
        .map_err(|fault| CommandError::Rule { fault, help: None })?;
    match accept(&toolbox, &lesson, &accepted).await? {
        None => Err(CommandError::Declined),
        Some(change) => Ok(printer.text(&lesson::granted(&change))?),
    }
}

fn request(args: &LearnArgs) -> Result<LearnRequest, CommandError> {
    let calls = match (&args.tool, &args.calls) {
        (_, Some(path)) => calls::read(path)?,
        (Some(tool), None) => {
            let none = ["{}".to_owned()];
            let all = if args.args.is_empty() { &none[..] } else { &args.args[..] };
            let call = |text: &String| {
                let arguments = super::tool::arguments(text)?;
                Ok(LearnCall { tool: tool.clone(), arguments })
            };
            all.iter().map(call).collect::<Result<_, CommandError>>()?
        }
        (None, None) => Vec::new(),
    };
    Ok(LearnRequest {
        component: args.id.clone(),
        calls,
        rounds: args.rounds,
        overlay: !args.no_overlay,
    })
}

/// Grants what was accepted, in one step.
async fn accept(
    toolbox: &Toolbox,
    lesson: &Lesson,
    which: &Which,
) -> Result<Option<PolicyChange>, CommandError> {
    let edits: Vec<Edit> =
        which.of(&lesson.proposals)?.into_iter().map(|proposal| proposal.edit.clone()).collect();
    if edits.is_empty() {
        return Ok(None);
    }
    Ok(Some(toolbox.accept(lesson, edits).await?))
}
