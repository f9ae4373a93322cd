//! Everything that a verb can fail with, and the exit code of each. The one translation table
//! between the libraries' errors and what a shell sees.

use std::io;

use miette::Diagnostic;
use thiserror::Error;
use wassette_mcp::{HttpError, LocalError, StdioError};
use wassette_policy::{PolicyError, UnknownWorkspace};
use wassette_store::{LockfileError, StoreError};
use wassette_toolbox::{
    ApprovalError, AuditError, CallRefused, Catalog, ExportError, FetchError, ImportError,
    InspectError, LearnError, LoadError, ManifestError, OpenError, PermissionError, PushError,
    QuestionError, UnknownTool, UnloadError,
};

use crate::command::tool::PairError;
use crate::config::ConfigError;
use crate::keyring::KeyringError;
use crate::surroundings::SurroundingsError;

/// Why a verb did not do what it was asked.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum CommandError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Keyring(#[from] KeyringError),
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

    #[error(transparent)]
    #[diagnostic(transparent)]
    Surroundings(#[from] SurroundingsError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Permission(PermissionError),
    /// A policy that cannot be read. Only a person at the command line is told its words.
    #[error("the policy of `{id}` is not changed, for nobody knows what it says: {problem}")]
    #[diagnostic(help(
        "correct the file by hand, or begin anew with `wassette permission reset {id}`"
    ))]
    NotChanged { id: String, problem: String },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Approval(#[from] ApprovalError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Question(#[from] QuestionError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Audit(#[from] AuditError),

    #[error(transparent)]
    #[diagnostic(transparent)]
    Learn(#[from] LearnError),

    #[error(transparent)]
    #[diagnostic(transparent)]
    Lockfile(#[from] LockfileError),

    /// A version waits, where one was to be in force.
    #[error(
        "a new version of `{id}` waits until somebody has looked at it, and the old one serves\n{difference}"
    )]
    #[diagnostic(help(
        "`wassette component accept {id} --digest {digest}` puts it in force, `wassette component \
         reject {id}` throws it away"
    ))]
    Waiting { id: String, digest: String, difference: String },
    /// Versions wait.
    #[error("new versions wait: `{ids}`")]
    #[diagnostic(help(
        "`wassette component accept ID` puts one in force, `wassette component reject ID` throws it \
         away; `--yes` accepts them all"
    ))]
    UpdatesWait { ids: String },
    /// Some could not be asked about.
    #[error("not all could be updated: `{ids}`")]
    #[diagnostic(help("the reasons stand above; what is loaded goes on serving"))]
    NotUpdated { ids: String },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Push(#[from] PushError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Import(#[from] ImportError),
    /// There is nowhere to look.
    #[error("no catalogue is configured, so there is nothing to search")]
    #[diagnostic(help(
        "name one under `[search]` in the configuration, such as `catalogues = \
         [\"https://example.com/catalogue.json\"]`"
    ))]
    NoCatalogue,
    /// Nobody knows what there is.
    #[error("nothing was found, and not all catalogues could be read; unread: {failed}")]
    #[diagnostic(help("the reasons stand above"))]
    NotSearched { failed: usize },
    /// It is in no catalogue.
    #[error("no catalogue has a component `{name}`")]
    #[diagnostic(help("`wassette registry search` finds components by words"))]
    NotListed { name: String },
    /// A manifest is none.
    #[error("`{path}` {source}")]
    #[diagnostic(help("{}", source.help().map(|help| help.to_string()).unwrap_or_default()))]
    Manifest { path: String, source: Box<ManifestError> },
    /// A manifest, or the lock file beside it, cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    ManifestFile(Box<ManifestError>),
    /// A manifest could not be enforced as it stands.
    #[error("`{path}` cannot be enforced as it stands; problems: {problems}")]
    ManifestProblems { path: String, problems: usize },
    /// Not all of a manifest was found.
    #[error("`{path}` is not locked: {failed} of its components could not be had")]
    #[diagnostic(help("the lock file is as it was"))]
    NotLocked { path: String, failed: usize },
    /// Not all of a manifest is there.
    #[error("{failed} of {all} components of `{path}` could not be had, so nothing is served")]
    #[diagnostic(help("`--continue-on-provisioning-failure` serves the others"))]
    NotProvisioned { path: String, failed: usize, all: usize },
    /// Nobody knows what the ceiling denies.
    #[error("the ceiling denies `{rule}`, and {source}")]
    #[diagnostic(help("{}, or name it under `[workspaces]` in the configuration", source.help))]
    CeilingWorkspace { rule: String, source: UnknownWorkspace },
    /// A file cannot be written.
    #[error("cannot write `{path}`")]
    Write { path: String, source: io::Error },
    /// A file of recorded calls cannot be read.
    #[error("cannot read the calls in `{path}`")]
    CallsRead { path: String, source: io::Error },
    /// A line of it is no call.
    #[error("line {line} of `{path}` is not a call: {fault}")]
    #[diagnostic(help(
        "write one call a line, such as `{{\"name\": \"files/read-file\", \"arguments\": {{\"path\": \"/x\"}}}}`"
    ))]
    CallsLine { path: String, line: usize, fault: String },
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
    /// An argument is none that the tool takes.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pair(#[from] PairError),
    /// What was written is no secret with a name. It is not shown.
    #[error("the secret {place} cannot be taken: {fault}")]
    #[diagnostic(help(
        "write `KEY=VALUE`, or give `--stdin` and a `KEY=VALUE` on each line of standard input"
    ))]
    Secret { place: String, fault: &'static str },
    /// A rule on the command line is none that could be enforced.
    #[error("{fault}")]
    Rule {
        fault: String,
        #[help]
        help: Option<String>,
    },
    /// A file that should hold a policy cannot be read.
    #[error("cannot read the policy `{path}`")]
    PolicyRead { path: String, source: io::Error },
    /// What should be a policy is none.
    #[error("`{path}` {source}")]
    #[diagnostic(help("{}", source.help))]
    PolicyFile { path: String, source: Box<PolicyError> },
    /// A component's policy cannot be read, so that nothing is granted to it.
    #[error("the policy of `{id}` cannot be read, so nothing is granted to it: {message}")]
    BrokenPolicy {
        id: String,
        message: String,
        #[help]
        help: Option<String>,
    },
    /// A question that only a person may answer, where there is none.
    #[error("nobody is there to be asked: {question}")]
    #[diagnostic(help("run it on a terminal, or say `--yes`"))]
    NobodyToAsk { question: String },
    /// The person said no.
    #[error("nothing was done")]
    Declined,
    /// The store is not as it was left. What could be read of it was printed.
    #[error("the store is damaged: {damage}")]
    #[diagnostic(help("{help}; `wassette component check` examines all of it"))]
    Damaged { damage: String, help: String },
    /// The answer was printed, and it is no.
    #[error("no")]
    Answered,
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

impl From<PermissionError> for CommandError {
    fn from(error: PermissionError) -> Self {
        match error {
            PermissionError::Broken { id, problem } => Self::NotChanged { id, problem },
            other => Self::Permission(other),
        }
    }
}

impl CommandError {
    /// 1 for what was refused or failed, 2 for what cannot be read as a command.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Arguments { .. }
            | Self::Pair(_)
            | Self::CallsLine { .. }
            | Self::Secret { .. }
            | Self::Rule { .. }
            | Self::Question(_)
            | Self::Surroundings(
                SurroundingsError::Variable { .. } | SurroundingsError::WorkspaceName { .. },
            ) => 2,
            _ => 1,
        }
    }

    /// Refuses a store that is not as it was left.
    pub(crate) fn of_damage(catalog: &Catalog) -> Result<(), Self> {
        match catalog.damage().next() {
            None => Ok(()),
            Some(problem) => Err(Self::Damaged {
                damage: problem.message.clone(),
                help: problem.help.clone().unwrap_or_default(),
            }),
        }
    }

    /// Whether all has been said on standard output.
    pub(crate) fn is_said(&self) -> bool {
        matches!(self, Self::Answered)
    }

    /// Whether whoever read our output has seen enough, as `head` has.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Print(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
