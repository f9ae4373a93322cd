//! Flags, environment and configuration file made into one set of settings, once, at the edge.
//! A flag beats the environment, which beats the file; lists replace each other.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::BaseStrategy;
use wassette_mcp::{BuiltIns, GuestOutput, ServerOptions};
use wassette_policy::{Document, Ignored, Policy, UnknownWorkspace};
use wassette_sandbox::Compiler;
use wassette_store::Keyring;
use wassette_toolbox::{ApprovalOptions, Options, RegistryOptions, Toolbox};

use crate::args::GlobalArgs;
use crate::config::{Config, SecretStore};
use crate::error::CommandError;
use crate::keyring;
use crate::printer::Printer;
use crate::registries;
use crate::surroundings::SurroundingsArgs;

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
    ceiling: Option<Arc<Policy>>,
    /// What stands in the ceiling and has no effect.
    ceiling_ignored: Vec<Ignored>,
    keyring: Option<Arc<dyn Keyring>>,
    registries: RegistryOptions,
    private_paths: Vec<PathBuf>,
}

impl Context {
    /// Reads the settings that `global` leaves open. Must not be called on the runtime.
    pub(crate) fn new(global: &GlobalArgs, printer: &Printer) -> Result<Self, CommandError> {
        let current_dir =
            env::current_dir().map_err(|source| CommandError::CurrentDir { source })?;
        let (config, mut private_paths) = configuration(global, &current_dir)?;
        let registries = registries::options(&config);
        private_paths.extend(registries::private_paths(&config, &registries));
        let (ceiling, ceiling_ignored) = match config.ceiling()? {
            None => (None, Vec::new()),
            Some(Document { policy, ignored }) => (Some(Arc::new(policy)), ignored),
        };
        let keyring = match config.secrets {
            SecretStore::File => None,
            SecretStore::Keyring => Some(keyring::platform()?),
        };
        let store_dir = match (&global.component_dir, &config.component_dir) {
            (Some(path), _) => current_dir.join(path),
            (None, Some(path)) => current_dir.join(path),
            (None, None) => wassette_store::default_dir()?,
        };
        Ok(Self {
            printer: printer.clone(),
            config,
            current_dir,
            store_dir,
            ceiling,
            ceiling_ignored,
            keyring,
            registries,
            private_paths,
        })
    }

    /// Opens the component store. Must be called on the runtime.
    pub(crate) fn toolbox(&self) -> Result<Toolbox, CommandError> {
        self.toolbox_in(&SurroundingsArgs::default())
    }

    /// Opens the component store for calls that find `surroundings` around them. Whoever runs a
    /// command is the operator: neither `locked` nor `approvals` is for them.
    pub(crate) fn toolbox_in(
        &self,
        surroundings: &SurroundingsArgs,
    ) -> Result<Toolbox, CommandError> {
        let at_need = self.config.approval.at_need;
        let approval = ApprovalOptions { at_need, ..ApprovalOptions::default() };
        self.open(surroundings, approval, Vec::new())
    }

    /// Opens the component store for clients, whose requests are decided on as `approval` says.
    /// No component is granted what is `private`. A ceiling that cannot be kept to is refused.
    pub(crate) fn toolbox_with(
        &self,
        surroundings: &SurroundingsArgs,
        approval: ApprovalOptions,
        private: Vec<PathBuf>,
    ) -> Result<Toolbox, CommandError> {
        if let Some(ceiling) = &self.ceiling {
            let workspaces = surroundings.workspaces(&self.config, &self.current_dir)?;
            let known = || workspaces.keys().map(String::as_str);
            let unknown = |rule| Some((rule, UnknownWorkspace::of(rule, known())?));
            if let Some((rule, source)) = ceiling.storage.deny.iter().find_map(unknown) {
                return Err(CommandError::CeilingWorkspace { rule: rule.uri.to_string(), source });
            }
        }
        for ignored in &self.ceiling_ignored {
            self.printer.warn(&format!("in the ceiling, {ignored}"), None);
        }
        self.open(surroundings, approval, private)
    }

    fn open(
        &self,
        surroundings: &SurroundingsArgs,
        approval: ApprovalOptions,
        private: Vec<PathBuf>,
    ) -> Result<Toolbox, CommandError> {
        let mut options = Options::new(self.store_dir.clone(), compiler()?);
        options.limits = self.config.limits.clone();
        options.ceiling = self.ceiling.clone();
        options.environment = surroundings.environment(&self.config, &self.current_dir)?;
        options.workspaces = surroundings.workspaces(&self.config, &self.current_dir)?;
        options.egress = self.config.egress.clone();
        options.fetch = self.config.load.fetch;
        options.plain_http = self.config.load.plain_http;
        options.registries = self.registries.clone();
        options.verify = self.config.verify.clone();
        options.catalogues = self.config.catalogues.clone();
        options.audit = self.config.audit;
        options.approval = approval;
        options.keyring = self.keyring.clone();
        options.private_paths = self.private_paths.clone();
        options.private_paths.extend(private);
        options.private_paths.extend(surroundings.private_paths(&self.current_dir));
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
            guest_output: if self.config.show_output {
                GuestOutput::Show
            } else {
                GuestOutput::Hide
            },
            ..ServerOptions::new(self.current_dir.clone(), env!("CARGO_PKG_VERSION"))
        }
    }
}

/// The name of the configuration file.
const FILE: &str = "config.toml";

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

/// The configuration, and what of it no component may be granted: the file, its folder if that is
/// ours, and the ceiling.
fn configuration(
    global: &GlobalArgs,
    current_dir: &Path,
) -> Result<(Config, Vec<PathBuf>), CommandError> {
    let usual =
        etcetera::choose_base_strategy().ok().map(|base| base.config_dir().join("wassette"));
    // A file that was named must be there; the usual one need not.
    let config = match (&global.config, &usual) {
        (Some(path), _) => Config::read(path)?,
        (None, Some(folder)) if folder.join(FILE).exists() => Config::read(&folder.join(FILE))?,
        (None, _) => Config::default(),
    };
    let named = global.config.iter().map(|path| current_dir.join(path));
    let private = usual.into_iter().chain(named).chain(config.ceiling.clone());
    let private = private.collect();
    Ok((config, private))
}
