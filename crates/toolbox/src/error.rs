//! Why the toolbox did not do what it was asked.

mod load;

use miette::Diagnostic;
use thiserror::Error;
use wassette_policy::{AdditionError, EditError, RequestError, UntilError};
use wassette_registry::{CatalogueError, SettingsError};
use wassette_sandbox::{EngineError, ProxyError, RootsError, StorageProblem};
use wassette_store::{Digest, IdError, SecretError, StoreError};

use crate::audit::Unrecordable;
use crate::catalog::UnknownTool;
use crate::source::VerifyRuleError;

pub use load::LoadError;

/// Why there is no toolbox.
#[derive(Debug, Error, Diagnostic)]
pub enum OpenError {
    /// The store cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// Nothing can be run here.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(#[from] EngineError),
    /// The certificates that are to be trusted cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Roots(#[from] RootsError),
    /// The proxy cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Proxy(#[from] ProxyError),
    /// What is set for registries cannot be obeyed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Registries(#[from] SettingsError),
    /// The rules about signatures cannot be applied.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Verify(#[from] VerifyRuleError),
    /// A catalogue that is to be searched is none.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Catalogue(#[from] CatalogueError),
}

/// Why a component was not unloaded.
#[derive(Debug, Error, Diagnostic)]
pub enum UnloadError {
    /// No component can have that id.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Id(#[from] IdError),
    /// The store did not give it up.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// A background task of ours ended early.
    #[error("the server is shutting down")]
    Stopped,
}

/// Why there is nothing to show.
#[derive(Debug, Error, Diagnostic)]
pub enum InspectError {
    /// It is neither loaded nor a file.
    #[error("no component `{target}` is loaded, and there is no such file")]
    #[diagnostic(help("give the id of a loaded component or the path of a component's file"))]
    Unknown {
        /// What was asked for.
        target: String,
    },
    /// It lies elsewhere.
    #[error("`{target}` is not loaded, and nothing is fetched to look at it")]
    #[diagnostic(help("load it first with `load-component`, which a person has to allow"))]
    Remote {
        /// What was asked for.
        target: String,
    },
    /// It is a file that cannot be loaded.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
}

/// Why a call was not even tried. Whatever goes wrong later is an output with `is_error`.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum CallRefused {
    /// No tool is meant by the name.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unknown(#[from] UnknownTool),
    /// The toolbox was closed.
    #[error("the server is shutting down")]
    Closed,
}

/// Why permissions were neither shown nor changed. What is stored is as it was before.
#[derive(Debug, Error, Diagnostic)]
pub enum PermissionError {
    /// No such component is loaded.
    #[error("no component `{id}` is loaded{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    #[diagnostic(help("`wassette component list` shows what is loaded"))]
    Unknown {
        /// The id as it was written.
        id: String,
        /// A component with a similar id.
        nearest: Option<String>,
    },
    /// The policy that is to be changed cannot be read, and what stands in it is not to be lost.
    #[error("the policy of `{id}` is not changed, for nobody knows what it says")]
    #[diagnostic(help(
        "correct the file by hand, or begin anew with `wassette permission reset {id}`"
    ))]
    Broken {
        /// The component's id.
        id: String,
        /// What is wrong with it. It may quote what a person wrote, and is for people alone.
        problem: String,
    },
    /// The policy that is to be changed is pinned to other bytes than the component has now.
    #[error(
        "the policy of `{id}` is not changed: it is pinned to {pinned} and the component is another \
         now"
    )]
    #[diagnostic(help(
        "look at it with `wassette policy get {id}`, then `wassette policy pin {id}` grants the same \
         to this one"
    ))]
    Pinned {
        /// The component's id.
        id: String,
        /// The digest of the bytes for which the policy counts.
        pinned: Digest,
    },
    /// There is nothing to revoke in what is stored.
    #[error("{0}")]
    #[diagnostic(help(
        "{}; what a server granted until it stops is taken back",
        .0.help().map(|help| help.to_string()).unwrap_or_default()
    ))]
    NotStored(EditError),
    /// The component, or its policy, is another than the one that was looked at.
    #[error("nothing is changed: `{id}` or its policy is another than a moment ago")]
    #[diagnostic(help("look at it with `wassette inspect {id}`, then say it again"))]
    Replaced {
        /// The component's id.
        id: String,
    },
    /// The operator wants all changes recorded, and this one cannot be.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unrecordable(#[from] Unrecordable),
    /// The change cannot be made.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Edit(#[from] EditError),
    /// A rule names a place that is not there, or that no component may reach.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Place(#[from] StorageProblem),
    /// The question names nothing that a component could reach.
    #[error("`{question}` cannot be asked")]
    Question {
        /// The question as it was understood.
        question: String,
        /// What is wrong with it.
        #[source]
        #[diagnostic_source]
        cause: RequestError,
    },
    /// The secrets cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Secret(#[from] SecretError),
    /// The store refused.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// A background task of ours ended early.
    #[error("the server is shutting down")]
    Stopped,
}

/// Why what a model asked for was not done. Nothing has changed.
#[derive(Debug, Error, Diagnostic)]
pub enum ApprovalError {
    /// The operator lets nothing be changed through a server.
    #[error("this server is locked: nothing is loaded, unloaded, granted or revoked through it")]
    #[diagnostic(help("the person who runs it can do so on the command line"))]
    Locked,
    /// The operator lets models change nothing.
    #[error("the operator refuses all such requests of models")]
    #[diagnostic(help(
        "the person who runs the server can do it on the command line: `wassette permission --help`"
    ))]
    NoApprovals,
    /// A person said no.
    #[error("the person who was asked declined; nothing has changed")]
    #[diagnostic(help(
        "go on without it; do not ask for the same again unless the person says so"
    ))]
    Declined,
    /// A person put the question away.
    #[error("the question was put away without an answer; nothing has changed")]
    #[diagnostic(help(
        "go on without it; do not ask for the same again unless the person says so"
    ))]
    Cancelled,
    /// Nobody answered.
    #[error("nobody answered in time; nothing has changed")]
    #[diagnostic(help("ask the person in your own words whether to try again"))]
    Unanswered,
    /// What came back is no answer.
    #[error("what came back is no answer to the question; nothing has changed")]
    #[diagnostic(help("the answer is one of the choices that were offered"))]
    Invalid,
    /// The same, or so much that it is enough, was refused a moment ago.
    #[error("the same, or much else, was refused less than a minute ago; nobody was asked again")]
    #[diagnostic(help(
        "go on without it; do not ask for the same again unless the person says so"
    ))]
    JustRefused,
    /// It is not what was asked about any more.
    #[error("what was asked about has changed meanwhile, so nothing was done")]
    #[diagnostic(help("make the request again"))]
    Changed,
    /// A person would not see all of it.
    #[error("the request is too long to be shown to a person as a whole; nothing has changed")]
    #[diagnostic(help("ask for less at once, with shorter rules"))]
    TooMuch,
    /// Too much waits already.
    #[error("{limit} such requests wait already; this one is not kept")]
    #[diagnostic(help(
        "the person decides on them with `wassette permission pending`, `approve` and `deny`"
    ))]
    TooManyWait {
        /// How many may wait.
        limit: usize,
    },
    /// Too much lies in memory for one component.
    #[error("too many grants for a while are waiting for this component")]
    #[diagnostic(help("use those that there are, or let one be granted for good"))]
    TooMany,
    /// The file is something else.
    #[error("`{reference}` is no WebAssembly component; nobody was asked about it")]
    #[diagnostic(help(
        "give the file of a component; a core module has to be made into one first"
    ))]
    NoComponent {
        /// Where it is.
        reference: String,
    },
    /// The request is none.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Additions(AdditionError),
    /// The policy could not be changed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Permission(#[from] PermissionError),
    /// The component could not be loaded.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
    /// The component could not be unloaded.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unload(#[from] UnloadError),
    /// A request that waits cannot be used.
    #[error("what waits under number {number} cannot be read: {problem}")]
    #[diagnostic(help("throw it away with `wassette permission deny {number}`"))]
    Waiting {
        /// The number.
        number: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A length of time for what has none.
    #[error("neither what is loaded nor a limit ends by itself")]
    #[diagnostic(help("approve it without `--for`"))]
    NoTerm,
    /// The end cannot be written down.
    #[error(transparent)]
    #[diagnostic(transparent)]
    End(UntilError),
    /// The store refused.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// The operator wants all decisions recorded, and this one cannot be.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unrecordable(#[from] Unrecordable),
}

impl ApprovalError {
    /// Whether the same load would go on if it were to replace what is there.
    pub const fn wants_replace(&self) -> bool {
        matches!(self, Self::Load(LoadError::Store(StoreError::OtherSource { .. })))
    }
}

/// Why the decision log cannot be read.
#[derive(Debug, Error, Diagnostic)]
pub enum AuditError {
    /// The files cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Log(#[from] wassette_store::audit::AuditError),
    /// A background task of ours ended early.
    #[error("the server is shutting down")]
    Stopped,
}
