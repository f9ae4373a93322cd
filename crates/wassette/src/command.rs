//! The verbs, one file each, and the way from arguments to them.

pub(crate) mod audit;
pub(crate) mod completion;
pub(crate) mod component;
pub(crate) mod demo;
pub(crate) mod inspect;
pub(crate) mod learn;
pub(crate) mod manifest;
pub(crate) mod permission;
pub(crate) mod policy;
pub(crate) mod registry;
pub(crate) mod run;
pub(crate) mod secret;
pub(crate) mod serve;
pub(crate) mod tool;

use crate::args::{Arguments, Command};
use crate::context::Context;
use crate::error::CommandError;
use crate::logging::{self, Usual};
use crate::printer::Printer;
use crate::runtime::block_on;

/// The first sentence of a description, for lists.
fn first_sentence(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.split_once(". ").map_or(line, |(sentence, _)| sentence).trim_end_matches('.')
}

/// Does what `arguments` ask for.
pub(crate) fn execute(arguments: Arguments, printer: &Printer) -> Result<(), CommandError> {
    let Arguments { global, command } = arguments;
    let usual = match command {
        Command::Run(_) => Usual::ServerWarnings,
        Command::Serve(_) => Usual::Events,
        _ => Usual::Warnings,
    };
    logging::start(printer, usual);
    let context = || Context::new(&global, printer);
    match command {
        Command::Run(args) => block_on(run::run(&context()?, args)),
        Command::Serve(args) => block_on(serve::serve(&context()?, args)),
        Command::Component(command) => block_on(component::component(&context()?, command)),
        Command::Registry(command) => block_on(registry::registry(&context()?, command)),
        Command::Manifest(command) => block_on(manifest::manifest(&context()?, command)),
        Command::Inspect(args) => block_on(inspect::inspect(&context()?, args)),
        Command::Tool(command) => block_on(tool::tool(&context()?, command)),
        Command::Learn(args) => block_on(learn::learn(&context()?, args)),
        Command::Permission(command) => block_on(permission::permission(&context()?, command)),
        Command::Policy(command) => block_on(policy::policy(&context()?, command)),
        Command::Secret(command) => block_on(secret::secret(&context()?, command)),
        Command::Audit(command) => block_on(audit::audit(&context()?, command)),
        Command::Completion(args) => completion::completion(printer, &args),
        Command::Demo => block_on(demo::demo(printer)),
    }
}
