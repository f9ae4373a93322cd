//! A question that only a person may answer. Where nobody sits at a terminal, the answer is no.

pub(crate) mod approver;
pub(crate) mod inquiry;

use std::io::{self, BufRead, IsTerminal};

use rustix::termios::{QueueSelector, tcflush};

use crate::error::CommandError;
use crate::printer::Printer;

/// Asks `question`, and does not return well unless a person says yes. `yes` is the flag by which
/// the answer was given before.
pub(crate) fn confirm(printer: &Printer, question: &str, yes: bool) -> Result<(), CommandError> {
    if yes {
        return Ok(());
    }
    if !is_there() {
        return Err(CommandError::NobodyToAsk { question: question.to_owned() });
    }
    match answer(printer, &format!("{question} [y/N] "))?.as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(CommandError::Declined),
    }
}

/// Whether a person can be asked.
pub(crate) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Forgets what was typed until now, so that it does not answer what is asked next.
fn forget_typed() {
    // What is no terminal has nothing to forget.
    let _ = tcflush(io::stdin(), QueueSelector::IFlush);
}

/// What the person who is there answers to `question`, in lower case.
pub(crate) fn answer(printer: &Printer, question: &str) -> Result<String, CommandError> {
    printer.ask(question);
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|source| CommandError::Start { source })?;
    Ok(answer.trim().to_lowercase())
}
