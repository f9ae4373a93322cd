//! An inquiry on a terminal: the question as the toolbox words it, a number for each choice, and
//! what an answer means. Nothing is taken for a yes but the number or the very words of a choice.

use std::fmt::Write as _;

use wassette_toolbox::{Choice, Inquiry, Verdict};

use super::{answer, forget_typed};
use crate::error::CommandError;
use crate::printer::Printer;

/// How often a question is put whose answers cannot be read.
pub(super) const TIMES: usize = 3;

/// `inquiry` and its `choices` for a person to read.
pub(super) fn text(inquiry: &Inquiry, choices: &[Choice]) -> String {
    let mut text = format!("\n{}\n", inquiry.text());
    for (number, choice) in (1..).zip(choices) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {number}  {choice}");
    }
    text
}

/// What is asked last, and asked again.
pub(super) fn prompt(choices: &[Choice]) -> String {
    format!("your decision, 1 to {}: ", choices.len())
}

/// The one of `choices` that `line` means.
pub(super) fn chosen(line: &str, choices: &[Choice]) -> Option<Choice> {
    let line = line.trim();
    let by_number = || {
        let index = line.parse::<usize>().ok()?.checked_sub(1)?;
        // `+1` and `01` are numbers too, and not what was offered.
        choices.get(index).copied().filter(|_| (index + 1).to_string() == line)
    };
    by_number().or_else(|| Choice::read(line).filter(|choice| choices.contains(choice)))
}

/// Asks the person at the terminal, who has this program for themselves; `choices` are those of the
/// inquiry that can be offered here.
pub(crate) fn decide(
    printer: &Printer,
    inquiry: &Inquiry,
    choices: &[Choice],
) -> Result<Verdict, CommandError> {
    printer.ask(&text(inquiry, choices));
    forget_typed();
    for _ in 0..TIMES {
        if let Some(choice) = chosen(&answer(printer, &prompt(choices))?, choices) {
            return Ok(Verdict::Chosen(choice));
        }
    }
    Ok(Verdict::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_offered_is_chosen() {
        let choices = [Choice::Once, Choice::Always, Choice::Deny];
        for (line, expected) in [
            ("1\n", Choice::Once),
            (" 2 \r\n", Choice::Always),
            ("3", Choice::Deny),
            ("allow always", Choice::Always),
            ("deny", Choice::Deny),
        ] {
            assert_eq!(chosen(line, &choices), Some(expected), "{line}");
        }
        for line in
            ["", "0", "4", "-1", "+1", "01", "1 2", "y", "yes", "allow", "allow for one hour", "１"]
        {
            assert_eq!(chosen(line, &choices), None, "{line}");
        }
    }
}
