//! Flags, environment and configuration file made into one set of settings, once, at the edge.
//! A flag beats the environment, which beats the file; lists replace each other.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use etcetera::BaseStrategy;
use wassette_mcp::{BuiltIns, GuestOutput, ServerOptions};
use wassette_sandbox::Compiler;
use wassette_toolbox::{Options, Toolbox};

use crate::args::GlobalArgs;
use crate::config::Config;
use crate::error::CommandError;
use crate::printer::Printer;

/// What a verb works with.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where it prints.
    pub(crate) printer: Printer,
    /// What the configuration file says.
    pub(crate) config: Config,
    /// The folder that relative paths are relative to.
    pub(crate) current_dir: PathBuf,
    store_dir: PathBuf,
}

impl Context {
    /// Reads the settings that `global` leaves open.
    pub(crate) fn new(global: &GlobalArgs, printer: &Printer) -> Result<Self, CommandError> {
        let current_dir =
            env::current_dir().map_err(|source| CommandError::CurrentDir { source })?;
        let config = configuration(global)?;
        let store_dir = match (&global.component_dir, &config.component_dir) {
            (Some(path), _) => current_dir.join(path),
            (None, Some(path)) => current_dir.join(path),
            (None, None) => wassette_store::default_dir()?,
        };
        Ok(Self { printer: printer.clone(), config, current_dir, store_dir })
    }

    /// Opens the component store. Must be called on the runtime.
    pub(crate) fn toolbox(&self) -> Result<Toolbox, CommandError> {
        let mut options = Options::new(self.store_dir.clone(), compiler()?);
        options.limits = self.config.limits.clone();
        options.overrides = self.config.components.clone();
        if let Some(limit) = self.config.tool_name_limit {
            options.tool_name_limit = limit;
        }
        Ok(Toolbox::open(options)?)
    }

    /// How tools are served, and how built-in tools behave on the command line.
    pub(crate) fn server_options(&self, built_ins: BuiltIns) -> ServerOptions {
        ServerOptions {
            built_ins,
            base: self.current_dir.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            guest_output: if self.config.show_output {
                GuestOutput::Show
            } else {
                GuestOutput::Hide
            },
        }
    }
}

/// What this program is started with, alone, to compile the component on its standard input.
pub(crate) const COMPILE_COMPONENT: &str = "compile-component";

/// The compiler of components: this program, started again under limits.
pub(crate) fn compiler() -> Result<Compiler, CommandError> {
    // By this name Linux finds the very program that runs, even if another has taken its place.
    let program = if cfg!(target_os = "linux") {
        PathBuf::from("/proc/self/exe")
    } else {
        env::current_exe().map_err(|source| CommandError::Start { source })?
    };
    Ok(Compiler::Child { program, arguments: vec![OsString::from(COMPILE_COMPONENT)] })
}

fn configuration(global: &GlobalArgs) -> Result<Config, CommandError> {
    // A file that was named must be there; the usual one need not.
    if let Some(path) = &global.config {
        return Ok(Config::read(path)?);
    }
    let Ok(strategy) = etcetera::choose_base_strategy() else { return Ok(Config::default()) };
    let path = strategy.config_dir().join("wassette/config.toml");
    if path.exists() { Ok(Config::read(&path)?) } else { Ok(Config::default()) }
}
