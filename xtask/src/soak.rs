//! `cargo xtask soak`: two servers and three command lines on one store, for minutes. Nothing may be
//! lost, and what a command changes must soon be live in both servers.
//! It must never talk to anything but the servers that it started, and never leave one behind.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use miette::Diagnostic;
use thiserror::Error;
use wassette_testkit::{Soak, SoakReport};

use crate::programs::{self, ProgramError};
use crate::say;

/// How soon what a command changed must be live in every server.
const BOUND: Duration = Duration::from_secs(1);

/// What the chore is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How long the store is used.
    #[arg(long, value_name = "N", default_value_t = 300)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// The build of Wassette to be used; without it, the sources are built.
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
}

/// What was wrong.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum SoakError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Program(#[from] ProgramError),
    #[error("the store or a server is not what the commands made of it")]
    Wrong,
    #[error("a change was live after {} ms only", .0.as_millis())]
    #[diagnostic(help("the bound is {} ms; see that the machine has nothing else to do", BOUND.as_millis()))]
    Late(Duration),
    #[error("nobody works any more, and nothing ended")]
    Stuck,
    #[error("stopped before the time was over")]
    Interrupted,
    #[error("cannot run or report: {0}")]
    Io(#[from] io::Error),
}

/// Does it with the program that is named, or with one that is built from the sources at `tree`.
pub(crate) fn run(arguments: &Arguments, tree: &Path) -> Result<(), SoakError> {
    let program = match &arguments.program {
        Some(program) => program.canonicalize()?,
        None => {
            say("building");
            programs::build(tree, &[])?;
            programs::program(&programs::folder("debug")?, "wassette")
        }
    };
    let soak = Soak { program, time: Duration::from_secs(u64::from(arguments.seconds)) };
    say(&format!("two servers and three command lines, for {} s", arguments.seconds));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        // Whatever ends this drops the servers, and so kills them.
        tokio::select! {
            report = tokio::time::timeout(soak.time * 2 + Duration::from_secs(120), soak.run()) => {
                report.map_err(|_| SoakError::Stuck)
            }
            () = programs::asked_to_end() => Err(SoakError::Interrupted),
        }
    })?;
    io::stdout().write_all(report.to_string().as_bytes())?;
    judged(&report)
}

fn judged(report: &SoakReport) -> Result<(), SoakError> {
    match report.latest() {
        _ if !report.faults.is_empty() => Err(SoakError::Wrong),
        latest if latest > BOUND => Err(SoakError::Late(latest)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_and_what_came_late_are_failures() {
        let mut report = SoakReport { live_after: vec![BOUND], ..SoakReport::default() };
        assert!(judged(&report).is_ok());
        report.live_after.push(BOUND + Duration::from_millis(1));
        assert!(matches!(judged(&report), Err(SoakError::Late(latest)) if latest > BOUND));
        report.faults.push("lost".to_owned());
        assert!(matches!(judged(&report), Err(SoakError::Wrong)));
    }
}
