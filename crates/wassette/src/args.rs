//! What a user can write on the command line, and nothing else: each doc comment here is help text.
//! It must never read a file or decide what a flag does.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};
use miette::Diagnostic;

use crate::command::audit::AuditCommand;
use crate::command::completion::CompletionArgs;
use crate::command::component::ComponentCommand;
use crate::command::inspect::InspectArgs;
use crate::command::learn::LearnArgs;
use crate::command::manifest::ManifestCommand;
use crate::command::permission::PermissionCommand;
use crate::command::policy::PolicyCommand;
use crate::command::registry::RegistryCommand;
use crate::command::run::RunArgs;
use crate::command::secret::SecretCommand;
use crate::command::serve::ServeArgs;
use crate::command::tool::ToolCommand;
use crate::version::SUMMARY;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Runs WebAssembly Components as MCP tools, in a sandbox that denies by default
#[derive(Debug, Parser)]
#[command(
    name = "wassette",
    version = SUMMARY,
    styles = STYLES,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    propagate_version = false,
    infer_long_args = false
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What holds for every verb.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// The folder of the component store [default: `component_dir` of the configuration, else the
    /// platform's data folder]
    #[arg(long, global = true, value_name = "PATH", env = "WASSETTE_COMPONENT_DIR")]
    #[arg(hide_env_values = true)]
    pub(crate) component_dir: Option<PathBuf>,

    /// The configuration file [default: `wassette/config.toml` in the platform's configuration
    /// folder]
    #[arg(long, global = true, value_name = "FILE", env = "WASSETTE_CONFIG_FILE")]
    #[arg(hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,

    /// How data is printed [default: table on a terminal, json elsewhere]
    #[arg(short, long, global = true, value_name = "FORMAT", alias = "output-format")]
    pub(crate) output: Option<Format>,

    /// Print errors and data only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Print what is being done
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,

    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value_t, hide_possible_values = false)]
    pub(crate) color: ColorChoice,
}

/// The shapes that data can be printed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Yaml,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the tools over MCP on standard input and output, for a client that starts this program
    Run(RunArgs),
    /// Serve the tools over MCP on Streamable HTTP, on this machine only
    Serve(ServeArgs),
    /// Load, unload, list, update, carry and publish components
    #[command(subcommand, arg_required_else_help = true)]
    Component(ComponentCommand),
    /// Look for components in catalogues
    #[command(subcommand, arg_required_else_help = true)]
    Registry(RegistryCommand),
    /// Check and lock a file that says which components a server serves
    #[command(subcommand, arg_required_else_help = true)]
    Manifest(ManifestCommand),
    /// Show what a component exports and imports, whether or not it is loaded
    Inspect(InspectArgs),
    /// List, read and call tools, without a server
    #[command(subcommand, arg_required_else_help = true)]
    Tool(ToolCommand),
    /// Try calls of a component, see what they need, and grant that
    #[command(after_help = crate::command::learn::HOW)]
    Learn(LearnArgs),
    /// Grant, revoke and list what a component may do, rule by rule
    #[command(subcommand, arg_required_else_help = true)]
    Permission(PermissionCommand),
    /// Show, set, check and question what a component may do, as one document
    #[command(subcommand, arg_required_else_help = true)]
    Policy(PolicyCommand),
    /// Keep values that only their component, or what it may call, should see
    #[command(subcommand, arg_required_else_help = true)]
    Secret(SecretCommand),
    /// Show what components did and were denied, and verify that record
    #[command(subcommand, arg_required_else_help = true)]
    Audit(AuditCommand),
    /// Print the completion script of a shell
    #[command(alias = "autocomplete")]
    Completion(CompletionArgs),
    /// Show the main job on components that come with this program
    Demo,
}

/// Reads the value of an argument, and says what helps where that fails: clap knows no help of values.
pub(crate) fn parsed<T: FromStr<Err: Diagnostic>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| match error.help() {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_verb_and_every_argument_has_help() {
        fn check(command: &clap::Command) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "`{name}` has no help");
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "`{name} {}` has no help",
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(check);
        }
        let mut command = Arguments::command();
        command.build();
        check(&command);
    }
}
