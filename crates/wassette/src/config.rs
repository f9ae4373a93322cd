//! The configuration file: TOML whose every key takes effect.
//!
//! It is read once, at the edge. A key that means nothing here is refused with its place and the
//! nearest key that does, for a limit that is misspelled must not pass for a limit that is set.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use wassette_policy::{Document, LimitError, OperatorLimits, Policy, PolicyError};
use wassette_toolbox::{
    ApprovalOptions, AuditOptions, EgressOptions, FetchOptions, Override, VerifyOptions,
};

mod approvals;
mod audit;
mod components;
mod egress;
mod limits;
mod registries;
mod secrets;
mod surroundings;
mod verify;

#[cfg(test)]
use self::registries::LoginConfig;
pub(crate) use self::registries::RegistryConfig;

/// The settings of a configuration file; what it does not say is `None`, empty or the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// The folder of the component store; relative to the file's folder.
    pub(crate) component_dir: Option<PathBuf>,
    /// Where `serve` listens.
    pub(crate) bind_address: Option<SocketAddr>,
    /// Further values of the `Host` header that `serve` answers to.
    pub(crate) allowed_hosts: Vec<String>,
    /// Further values of the `Origin` header that `serve` answers to.
    pub(crate) allowed_origins: Vec<String>,
    /// The longest name that a tool is given, in characters.
    pub(crate) tool_name_limit: Option<usize>,
    /// Whether a result carries what the component wrote to its standard output and error.
    pub(crate) show_output: bool,
    /// Who decides on what clients ask for.
    pub(crate) approval: ApprovalOptions,
    /// The limits of every call, beyond which no policy leads.
    pub(crate) limits: OperatorLimits,
    /// The policy that says what may at most be granted to any component; relative to the file's
    /// folder.
    pub(crate) ceiling: Option<PathBuf>,
    /// Variables on offer to the components whose policies list them.
    pub(crate) environment: BTreeMap<String, String>,
    /// What `fs://NAME/…` means in policies; relative to the file's folder.
    pub(crate) workspaces: BTreeMap<String, PathBuf>,
    /// How requests leave this machine.
    pub(crate) egress: EgressOptions,
    /// How servers are asked for components.
    pub(crate) load: LoadConfig,
    /// What is to know about registries, by `host[:port]`.
    pub(crate) registries: BTreeMap<String, RegistryConfig>,
    /// Whose signatures components need.
    pub(crate) verify: VerifyOptions,
    /// Where components are looked for.
    pub(crate) catalogues: Vec<String>,
    /// What is written down of what components do.
    pub(crate) audit: AuditOptions,
    /// Where the values of secrets are kept.
    pub(crate) secrets: SecretStore,
    /// What the operator says about components, by their ids.
    pub(crate) components: BTreeMap<String, Override>,
}

/// How servers are asked for components.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LoadConfig {
    /// How long they may take.
    pub(crate) fetch: FetchOptions,
    /// How often one is asked at most, if the default does not do.
    pub(crate) attempts: Option<u32>,
    /// Whether this machine's own servers may be asked without TLS.
    pub(crate) plain_http: bool,
}

/// Where the values of secrets are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SecretStore {
    /// In files of the component store.
    #[default]
    File,
    /// In the platform's keyring, and nowhere else.
    Keyring,
}

/// Why a configuration file is refused.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration `{path}`")]
    #[diagnostic(help("`--config` and `WASSETTE_CONFIG_FILE` name the file that is read"))]
    Read { path: String, source: io::Error },
    /// The ceiling cannot be read.
    #[error("cannot read the ceiling `{path}`")]
    #[diagnostic(help(
        "`ceiling` in the configuration names the policy that says what may at most be granted; \
         nothing is started without it"
    ))]
    CeilingRead { path: String, source: io::Error },
    /// The ceiling is no policy.
    #[error("the ceiling `{path}` {source}")]
    #[diagnostic(help("{}", source.help))]
    Ceiling { path: String, source: Box<PolicyError> },
    /// The ceiling says what has an effect in a component's own policy alone.
    #[error("the ceiling `{path}` has a rule with `inject`")]
    #[diagnostic(help(
        "take `inject` out: headers are added by the policy of a component, whose secrets they hold"
    ))]
    CeilingInject { path: String },
    /// The ceiling would be another after a while, and it is read once.
    #[error("the ceiling `{path}` has a rule with `until`")]
    #[diagnostic(help("take `until` out: what may at most be granted does not end by itself"))]
    CeilingUntil { path: String },
    /// Something in the file is wrong.
    #[error("`{path}` line {line}, column {column}: {fault}")]
    Fault {
        path: String,
        line: usize,
        column: usize,
        fault: Box<Fault>,
        #[help]
        help: String,
    },
}

/// What is wrong at one place of the file.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    #[error("{0}")]
    Syntax(String),
    #[error("there is no key `{0}`")]
    UnknownKey(String),
    #[error("`{key}` is {expected}, not {found}")]
    Kind { key: String, expected: &'static str, found: &'static str },
    #[error("`{key}` cannot be `{found}`")]
    Value { key: String, found: String },
    /// The value is not shown.
    #[error("`{0}` holds a NUL")]
    Nul(String),
    #[error("{0}")]
    Unfit(String),
    #[error(transparent)]
    Limit(LimitError),
}

/// What is wrong, where (in bytes), and the cure.
struct Refusal {
    fault: Box<Fault>,
    place: Range<usize>,
    help: String,
}

impl Config {
    /// The keys of the top level, in the order that the documentation has.
    const KEYS: [&'static str; 21] = [
        "component_dir",
        "bind_address",
        "allowed_hosts",
        "allowed_origins",
        "tool_name_limit",
        "show_output",
        "ceiling",
        "approvals",
        "approvals_at_need",
        "locked",
        "load",
        "registries",
        "verify",
        "search",
        "limits",
        "environment",
        "workspaces",
        "egress",
        "audit",
        "secrets",
        "components",
    ];
    /// A shorter limit leaves no room for a cut name's hash; a longer name fits no client.
    const TOOL_NAME_LIMITS: std::ops::RangeInclusive<usize> = 16..=64;

    /// Reads the file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: shown.clone(), source })?;
        // Paths in the file start from its folder, wherever this process is.
        let whole = std::path::absolute(path)
            .map_err(|source| ConfigError::Read { path: shown.clone(), source })?;
        Self::parse(&text, whole.parent().unwrap_or(Path::new(""))).map_err(|refusal| {
            let (line, column) = line_and_column(&text, refusal.place.start);
            let Refusal { fault, help, .. } = refusal;
            ConfigError::Fault { path: shown, line, column, fault, help }
        })
    }

    /// The policy that `ceiling` names, if it does.
    pub(crate) fn ceiling(&self) -> Result<Option<Document>, ConfigError> {
        let Some(path) = &self.ceiling else { return Ok(None) };
        let shown = path.display().to_string();
        let bytes = fs::read(path)
            .map_err(|source| ConfigError::CeilingRead { path: shown.clone(), source })?;
        let document = Document::parse_bytes(&bytes).map_err(|source| ConfigError::Ceiling {
            path: shown.clone(),
            source: Box::new(source),
        })?;
        let policy = &document.policy;
        if policy.network.allow.iter().any(|rule| !rule.written().inject.is_empty()) {
            return Err(ConfigError::CeilingInject { path: shown });
        }
        if ends(policy) {
            return Err(ConfigError::CeilingUntil { path: shown });
        }
        Ok(Some(document))
    }

    fn parse(text: &str, folder: &Path) -> Result<Self, Refusal> {
        let document = DeTable::parse(text).map_err(|error| Refusal {
            fault: Box::new(Fault::Syntax(error.message().replace('\n', ", "))),
            place: error.span().unwrap_or(0..0),
            help: "the file is written in TOML, such as `bind_address = \"127.0.0.1:9001\"`".into(),
        })?;
        let mut config = Self::default();
        for (key, value) in document.get_ref() {
            let entry = Entry { key: key.get_ref(), value };
            match entry.key {
                "component_dir" => config.component_dir = Some(entry.path(folder)?),
                "bind_address" => config.bind_address = Some(entry.address()?),
                "allowed_hosts" => config.allowed_hosts = entry.texts()?,
                "allowed_origins" => config.allowed_origins = entry.texts()?,
                "tool_name_limit" => config.tool_name_limit = Some(entry.tool_name_limit()?),
                "show_output" => config.show_output = entry.boolean()?,
                "ceiling" => config.ceiling = Some(entry.path(folder)?),
                "approvals" => config.approval.approvals = entry.approvals()?,
                "approvals_at_need" => config.approval.at_need = entry.boolean()?,
                "locked" => config.approval.locked = entry.boolean()?,
                "load" => (config.approval.load_allow, config.load) = entry.load()?,
                "registries" => config.registries = entry.registries(folder)?,
                "verify" => config.verify = entry.verify(folder)?,
                "search" => config.catalogues = entry.search()?,
                "limits" => config.limits = entry.limits()?,
                "environment" => config.environment = entry.environment()?,
                "workspaces" => config.workspaces = entry.workspaces(folder)?,
                "egress" => config.egress = entry.egress(folder)?,
                "audit" => config.audit = entry.audit()?,
                "secrets" => config.secrets = entry.secrets()?,
                "components" => config.components = entry.components()?,
                unknown => return Err(unknown_key(unknown, unknown, key.span(), &Self::KEYS)),
            }
        }
        Ok(config)
    }
}

/// Whether a rule of `policy` ends by itself.
fn ends(policy: &Policy) -> bool {
    policy.storage.allow.iter().any(|rule| rule.until.is_some())
        || policy.network.allow.iter().any(|rule| rule.until().is_some())
        || policy.environment.iter().any(|rule| rule.until.is_some())
}

/// One `key = value` of the top level.
struct Entry<'a> {
    key: &'a str,
    value: &'a Spanned<DeValue<'a>>,
}

impl Entry<'_> {
    fn text(&self) -> Result<&str, Refusal> {
        self.value.get_ref().as_str().ok_or_else(|| self.kind("a text", self.value))
    }

    fn boolean(&self) -> Result<bool, Refusal> {
        let value = self.value.get_ref().as_bool();
        value.ok_or_else(|| self.kind("`true` or `false`", self.value))
    }

    fn texts(&self) -> Result<Vec<String>, Refusal> {
        const EXPECTED: &str = "a list of texts";
        let list = self.value.get_ref().as_array();
        let list = list.ok_or_else(|| self.kind(EXPECTED, self.value))?;
        let texts = list.iter().map(|item| {
            let text = item.get_ref().as_str().ok_or_else(|| self.kind(EXPECTED, item))?;
            if text.trim().is_empty() {
                return Err(self.value_at(item, text, "leave the entry out"));
            }
            Ok(text.to_owned())
        });
        texts.collect()
    }

    fn path(&self, folder: &Path) -> Result<PathBuf, Refusal> {
        let text = self.text()?;
        if text.is_empty() || text.starts_with('~') {
            return Err(self.wrong(text, "write the path in full, such as `/home/me/components`"));
        }
        Ok(folder.join(text))
    }

    fn address(&self) -> Result<SocketAddr, Refusal> {
        let text = self.text()?;
        text.parse()
            .map_err(|_| self.wrong(text, "write an address and a port, such as `127.0.0.1:9001`"))
    }

    fn tool_name_limit(&self) -> Result<usize, Refusal> {
        let value = self.value.get_ref().as_integer();
        let text = value.ok_or_else(|| self.kind("a whole number", self.value))?.to_string();
        let number = text.parse().ok().filter(|limit| Config::TOOL_NAME_LIMITS.contains(limit));
        number.ok_or_else(|| self.wrong(&text, "write a whole number from 16 to 64"))
    }

    fn kind(&self, expected: &'static str, found: &Spanned<DeValue<'_>>) -> Refusal {
        Refusal {
            fault: Box::new(Fault::Kind {
                key: self.key.to_owned(),
                expected,
                found: found.get_ref().type_str(),
            }),
            place: found.span(),
            help: format!("leave `{}` out to keep its default", self.key),
        }
    }

    fn wrong(&self, found: &str, help: &str) -> Refusal {
        self.value_at(self.value, found, help)
    }

    /// What is wrong with a table as a whole.
    fn unfit(&self, fault: &str, help: &str) -> Refusal {
        Refusal {
            fault: Box::new(Fault::Unfit(format!("`{}`: {fault}", self.key))),
            place: self.value.span(),
            help: help.to_owned(),
        }
    }

    fn value_at(&self, place: &Spanned<DeValue<'_>>, found: &str, help: &str) -> Refusal {
        Refusal {
            fault: Box::new(Fault::Value { key: self.key.to_owned(), found: found.to_owned() }),
            place: place.span(),
            help: help.to_owned(),
        }
    }
}

/// What is said of the key `written`, whose last part is `name` and stands at `place`.
fn unknown_key(written: &str, name: &str, place: Range<usize>, known: &[&str]) -> Refusal {
    Refusal {
        fault: Box::new(Fault::UnknownKey(written.to_owned())),
        place,
        help: nearest(name, known),
    }
}

fn nearest(unknown: &str, known: &[&str]) -> String {
    let alike = known.iter().copied().map(|key| {
        let folded = unknown.to_lowercase().replace('-', "_");
        (strsim::damerau_levenshtein(&folded, &key.replace('-', "_")), key)
    });
    match alike.min() {
        Some((distance, key)) if distance <= 3.min(unknown.chars().count() / 2) => {
            format!("did you mean `{key}`?")
        }
        _ => format!("the keys are: {}", known.join(", ")),
    }
}

/// The line and the column of `offset` in `text`, both from 1; columns count characters.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests;
