//! What a toolbox is opened with.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use wassette_policy::{OperatorLimits, Policy};
use wassette_registry::{DockerConfig, Settings};
use wassette_sandbox::{CompileLimits, Compiler, Resolve};
use wassette_signature::Identity;
use wassette_store::{DEFAULT_MAX_BYTES, Keyring};

use crate::approval::ApprovalOptions;
use crate::audit::AuditOptions;
use crate::environment::EnvironmentSources;
use crate::overrides::Override;

/// Settings of a [`Toolbox`](crate::Toolbox), decided once by whoever opens it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory of the store.
    pub store_dir: PathBuf,
    /// What each call may use, and how far a policy may raise it.
    pub limits: OperatorLimits,
    /// What may at most be granted to any component; everything, where there is none.
    pub ceiling: Option<Arc<Policy>>,
    /// Values of variables, for the components whose policies list their keys.
    pub environment: EnvironmentSources,
    /// The folders that `fs://NAME/…` means, by name; absolute.
    pub workspaces: BTreeMap<String, PathBuf>,
    /// How requests leave this machine.
    pub egress: EgressOptions,
    /// How long servers may take to give a component.
    pub fetch: FetchOptions,
    /// Whether components may come without TLS from servers of this machine, in every load.
    pub plain_http: bool,
    /// How registries are reached.
    pub registries: RegistryOptions,
    /// Whose signatures components need.
    pub verify: VerifyOptions,
    /// Where components are looked for, as references to catalogues.
    pub catalogues: Vec<String>,
    /// What is written down of what components do.
    pub audit: AuditOptions,
    /// How requests of models are decided on.
    pub approval: ApprovalOptions,
    /// Where the values of secrets are put; into files of the store, where there is none.
    pub keyring: Option<Arc<dyn Keyring>>,
    /// What no rule may open to a component besides the store: the configuration and the like.
    pub private_paths: Vec<PathBuf>,
    /// What the operator says about components, by their ids.
    pub overrides: BTreeMap<String, Override>,
    /// The longest name of a tool, in characters.
    pub tool_name_limit: usize,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// What one compilation may take.
    pub compile_limits: CompileLimits,
    /// The largest component that is loaded, in bytes.
    pub component_bytes: u64,
}

impl Options {
    /// The defaults, for the store in `store_dir`. There are no workspaces.
    pub fn new(store_dir: PathBuf, compiler: Compiler) -> Self {
        Self {
            store_dir,
            limits: OperatorLimits::default(),
            ceiling: None,
            environment: EnvironmentSources::default(),
            workspaces: BTreeMap::new(),
            egress: EgressOptions::default(),
            fetch: FetchOptions::default(),
            plain_http: false,
            registries: RegistryOptions::default(),
            verify: VerifyOptions::default(),
            catalogues: Vec::new(),
            audit: AuditOptions::default(),
            approval: ApprovalOptions::default(),
            keyring: None,
            private_paths: Vec::new(),
            overrides: BTreeMap::new(),
            tool_name_limit: 48,
            compiler,
            compile_limits: CompileLimits::default(),
            component_bytes: DEFAULT_MAX_BYTES,
        }
    }
}

/// How requests leave this machine. By default straight to their hosts, whose certificates are held
/// against the platform's roots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressOptions {
    /// The proxy that all requests go through, if there is one.
    pub proxy: Option<ProxyOption>,
    /// Who resolves the names that components may reach through the proxy. What the operator fetches
    /// is asked of the proxy by name in any case.
    pub resolve: Resolve,
    /// A file with certificates in PEM that are trusted in place of the platform's roots.
    pub ca_bundle: Option<PathBuf>,
}

/// How long servers may take to give a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchOptions {
    /// In all.
    pub time: Duration,
    /// Without anything that comes.
    pub idle: Duration,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self { time: Duration::from_secs(300), idle: Duration::from_secs(30) }
    }
}

/// How registries are reached, and who we are there.
#[derive(Debug, Clone, Default)]
pub struct RegistryOptions {
    /// What is particular about single registries, and how often a request is tried.
    pub settings: Settings,
    /// Where other programs keep the credentials for registries.
    pub logins: DockerConfig,
    /// The configuration of `wkg`, which says where packages lie. It is read when a package is
    /// asked for; where there is no such file, what is well known counts.
    pub packages: Option<PathBuf>,
}

/// Whose signatures components need, by where they come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    /// What holds for single sources.
    pub rules: Vec<VerifyRule>,
    /// What holds for all others that are not files of this machine.
    pub unmatched: Unmatched,
    /// A file with the roots of trust that identities are held against, in the form of Sigstore's
    /// `trusted_root.json`.
    pub trust_root: Option<PathBuf>,
}

/// What holds for a source that no rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unmatched {
    /// It needs no signature.
    Allow,
    /// It needs no signature, and whoever loads it is told so.
    #[default]
    Warn,
    /// It is refused.
    Require,
}

/// Whose signature a component from one source needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyRule {
    /// The source: `host`, `host/namespace` or `host/namespace/repository`, and all below it. Of
    /// several that fit, the longest counts.
    pub source: String,
    /// Whether it is refused without a good signature; else whoever loads it is told.
    pub require: bool,
    /// Files with public keys in PEM, one of which may have signed.
    pub keys: Vec<PathBuf>,
    /// Those who may have signed with a certificate.
    pub identities: Vec<Identity>,
}

/// Which proxy requests go through.
#[derive(Clone, PartialEq, Eq)]
pub enum ProxyOption {
    /// The one with this `http://` URL.
    Url(String),
    /// The one that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name.
    Environment,
}

impl fmt::Debug for ProxyOption {
    /// Without the URL: a password may stand in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url(_) => "Url",
            Self::Environment => "Environment",
        })
    }
}
