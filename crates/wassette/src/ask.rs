//! A question that only a person may answer. Where nobody sits at a terminal, the answer is no.

use std::io::{self, BufRead, IsTerminal};

use crate::error::CommandError;
use crate::printer::Printer;

/// Asks `question`, and does not return well unless a person says yes. `yes` is the flag by which
/// the answer was given before.
pub(crate) fn confirm(printer: &Printer, question: &str, yes: bool) -> Result<(), CommandError> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(CommandError::NobodyToAsk { question: question.to_owned() });
    }
    printer.ask(&format!("{question} [y/N] "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|source| CommandError::Start { source })?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(CommandError::Declined),
    }
}
