//! How an error reaches a person: what failed, why, and what helps, on standard error.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use miette::Diagnostic;

use crate::error::CommandError;
use crate::printer::{Accent, Printer};

/// Prints `error`, its causes and its cure, and returns its exit code. Whoever closed the pipe that
/// we write to has seen enough: that is no failure.
pub(crate) fn failure(printer: &Printer, error: &CommandError) -> ExitCode {
    if error.is_broken_pipe() {
        return ExitCode::SUCCESS;
    }
    if error.is_said() {
        return ExitCode::from(error.exit_code());
    }
    printer.labelled(Accent::Error, "error", &error.to_string());
    for cause in causes(error) {
        printer.labelled(Accent::Dim, "  caused by", &cause);
    }
    if let Some(help) = error.help() {
        printer.labelled(Accent::Hint, "hint", &help.to_string());
    }
    ExitCode::from(error.exit_code())
}

/// Prints what the parser of the command line has to say: help on standard output, a fault on
/// standard error.
pub(crate) fn usage(message: &clap::Error) -> ExitCode {
    match message.print() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::from(u8::try_from(message.exit_code()).unwrap_or(2)),
    }
}

/// The words of every cause below `error`, without what the line above has already said.
fn causes(error: &dyn Error) -> Vec<String> {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !said.contains(&words) {
            causes.push(words.clone());
            said = words;
        }
        next = cause.source();
    }
    causes
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::causes;

    #[derive(Debug, Error)]
    #[error("{words}")]
    struct Layer {
        words: &'static str,
        source: Option<Box<Layer>>,
    }

    #[test]
    fn every_cause_is_said_once() {
        let bottom = Layer { words: "no such file", source: None };
        let echo = Layer { words: "no such file", source: Some(Box::new(bottom)) };
        let middle = Layer { words: "cannot read `x`", source: Some(Box::new(echo)) };
        let top = Layer { words: "cannot load", source: Some(Box::new(middle)) };
        assert_eq!(causes(&top), ["cannot read `x`", "no such file"]);
    }
}
