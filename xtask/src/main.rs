//! The project's chores: `cargo xtask CHORE`. One module a chore, and no chore's work here.
//! Nothing in this crate may be needed to build, test or run Wassette itself.

mod bench;
mod docs;
mod guests;
mod programs;
mod soak;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use miette::Diagnostic;

/// Chores of the project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Measure calls of a small tool, beside a server that does nothing but the protocol.
    Bench(bench::Arguments),
    /// Write the pages of the documentation that are made from the code, or check the committed ones.
    Docs(docs::Arguments),
    /// Build the components of the tests and of the examples, or check the committed ones.
    Guests(guests::Arguments),
    /// Use one store from two servers and three command lines, and see that nothing is lost or late.
    Soak(soak::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            if let Some(help) = error.help() {
                say(&format!("hint: {help}"));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<(), Box<dyn Diagnostic + Send + Sync>> {
    let tree = source_tree();
    match chore {
        Chore::Bench(arguments) => bench::run(&arguments, &tree)?,
        Chore::Docs(arguments) => docs::run(&arguments, &tree)?,
        Chore::Guests(arguments) => guests::run(&arguments, &tree)?,
        Chore::Soak(arguments) => soak::run(&arguments, &tree)?,
    }
    Ok(())
}

/// The folder of the project's sources.
fn source_tree() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// One line for the person at the terminal; there is nobody to tell if it can't be written.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
