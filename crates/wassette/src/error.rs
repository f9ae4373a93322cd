//! Everything that a verb can fail with, and the exit code of each. The one translation table
//! between the libraries' errors and what a shell sees.

use std::io;

use miette::Diagnostic;
use thiserror::Error;
use wassette_mcp::{HttpError, LocalError, StdioError};
use wassette_store::StoreError;
use wassette_toolbox::{CallRefused, InspectError, LoadError, OpenError, UnknownTool, UnloadError};

use crate::config::ConfigError;

/// Why a verb did not do what it was asked.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum CommandError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unload(#[from] UnloadError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Inspect(#[from] InspectError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unknown(#[from] UnknownTool),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Call(#[from] CallRefused),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Stdio(#[from] StdioError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Local(#[from] LocalError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),

    /// The tool ran, or was refused, and its answer is an error.
    #[error("{text}")]
    Tool { text: String },
    /// The arguments of a tool are not an object of JSON.
    #[error("the arguments are not a JSON object: {fault}")]
    #[diagnostic(help(
        "write them as `--args '{{\"name\": \"value\"}}'`, or as `--args -` to read them from \
         standard input; `wassette tool read NAME` shows what the tool takes"
    ))]
    Arguments { fault: String },
    /// The folder that the command runs in is gone.
    #[error("cannot tell the current folder")]
    CurrentDir { source: io::Error },
    /// The threads and files that every verb needs cannot be had.
    #[error("cannot start")]
    Start { source: io::Error },
    /// The demo cannot be shown.
    #[error("cannot show the demo: {fault}")]
    Demo { fault: String },
    /// What was asked for cannot be printed.
    #[error("cannot write to standard output")]
    Print(#[from] io::Error),
}

impl CommandError {
    /// 1 for what was refused or failed, 2 for what cannot be read as a command.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Arguments { .. } => 2,
            _ => 1,
        }
    }

    /// Whether whoever read our output has seen enough, as `head` has.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Print(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
