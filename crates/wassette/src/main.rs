//! The binary `wassette`: words, colours and exit codes over the toolbox and its MCP server.
//!
//! Only this crate knows a command line and prints. It must hold no logic that another tongue of
//! the toolbox would need too.

use std::process::ExitCode;

use clap::Parser;

mod approvals;
mod args;
mod ask;
mod asks;
mod command;
mod config;
mod context;
mod error;
mod keyring;
mod logging;
mod printer;
mod progress;
mod provision;
mod registries;
mod report;
mod runtime;
mod shell;
mod surroundings;
mod target;
mod terminal;
mod variables;
mod version;

use crate::args::Arguments;
use crate::context::COMPILE_COMPONENT;
use crate::printer::Printer;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|verb| verb == COMPILE_COMPONENT) {
        // This program started itself, under limits: nothing of the user's settings is read.
        return wassette_sandbox::compile_child();
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(message) => return report::usage(&message),
    };
    let printer = Printer::new(&arguments.global);
    match command::execute(arguments, &printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report::failure(&printer, &error),
    }
}
