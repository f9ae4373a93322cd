//! What can go wrong while servers are measured. An error must name the server that it is about.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error;

use crate::programs::ProgramError;

/// Why there are no figures.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum Error {
    #[error("`{program}` can't be started: {source}")]
    Start { program: String, source: io::Error },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Program(#[from] ProgramError),
    #[error("`{}` can't be made into a component: {reason}", path.display())]
    Guest { path: PathBuf, reason: String },
    #[error("the component can't be loaded:\n{output}")]
    Load { output: String },
    #[error("`{server}` did not say where it listens")]
    NoAddress { server: &'static str },
    #[error("the server closed the connection")]
    Gone,
    #[error("the server gave a wrong answer: {answer}")]
    Wrong { answer: String },
    #[error("`{server}` over {transport}: {source}")]
    Lane { server: &'static str, transport: String, source: Box<Error> },
    #[error("the figures did not come within {} s", limit.as_secs())]
    #[diagnostic(help("a server hangs, or the machine is busy with something else"))]
    TooLong { limit: Duration },
    #[error("stopped before there were any figures")]
    Interrupted,
    #[error("the connection can't be used: {0}")]
    Io(#[from] io::Error),
}

impl Error {
    /// The error of an answer that is not what was asked for.
    pub(super) fn wrong(answer: &[u8]) -> Self {
        let answer = String::from_utf8_lossy(answer);
        Self::Wrong { answer: answer.chars().take(500).collect() }
    }
}
