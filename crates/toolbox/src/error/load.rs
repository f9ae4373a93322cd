//! Why a component was not loaded.

use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error;
use wassette_registry::{PackageError, RegistryError};
use wassette_sandbox::{CodeError, CompileError};
use wassette_signature::VerifyError;
use wassette_store::{Digest, IdError, ReferenceError, SourceError, StoreError};
use wassette_wit_json::InvalidToolName;

use crate::audit::Unrecordable;
use crate::lock::LockError;
use crate::source::VerifyRuleError;
use crate::update::UpdateError;

/// Why a component was not loaded. The store is as it was before.
#[derive(Debug, Error, Diagnostic)]
pub enum LoadError {
    /// The reference cannot be understood.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Reference(#[from] ReferenceError),
    /// No component can have that id.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Id(#[from] IdError),
    /// There is nothing to load there.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Source(#[from] SourceError),
    /// What is there is no component that can run here.
    #[error("cannot load `{reference}`")]
    #[diagnostic(help("{}", help(.cause)))]
    Compile {
        /// The reference as it was written.
        reference: String,
        /// Why.
        #[source]
        cause: CompileError,
    },
    /// None of its functions becomes a tool.
    #[error("`{reference}` has no tools, so nothing was added: {what}")]
    #[diagnostic(help("{cure}"))]
    NoTools {
        /// The reference as it was written.
        reference: String,
        /// What it is instead.
        what: String,
        /// What to do about it.
        cure: String,
    },
    /// The engine does not take what the compiler made.
    #[error("cannot load `{reference}`")]
    #[diagnostic(help(
        "the component asks for more instances, memories or tables than can be held ready here"
    ))]
    Code {
        /// The reference as it was written.
        reference: String,
        /// Why.
        #[source]
        cause: CodeError,
    },
    /// A registry or another server did not give it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Registry(#[from] RegistryError),
    /// It cannot be told in which registry a package lies.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Package(#[from] PackageError),
    /// A server cannot be reached whose component is loaded.
    #[error("{cause}; what is loaded as `{id}` goes on as it is")]
    #[diagnostic(help("{}", help(cause.as_ref())))]
    Stays {
        /// The component's id.
        id: String,
        /// Why nothing came.
        cause: Box<LoadError>,
    },
    /// It would come without TLS, and nobody has allowed that.
    #[error("refused to load `{url}`: it would come without TLS")]
    #[diagnostic(help(
        "only from this machine, and only with `--plain-http` or `plain_http` under `[load]`"
    ))]
    PlainHttp {
        /// Where it lies.
        url: String,
    },
    /// None of the signatures that were found is one that counts.
    #[error("refused to load `{reference}`: {cause}")]
    #[diagnostic(help("{}", help(.cause)))]
    Unsigned {
        /// What was asked for.
        reference: String,
        /// Why.
        cause: VerifyError,
    },
    /// Signatures are needed, and nobody knows which there are.
    #[error("refused to load `{reference}`: its signatures cannot be read: {reason}")]
    #[diagnostic(help("a rule under `[verify]` demands a signature; try again later"))]
    UnreadSignatures {
        /// What was asked for.
        reference: String,
        /// What went wrong.
        reason: String,
    },
    /// A signature is needed, and nobody said whose.
    #[error("refused to load `{reference}`: no rule says whose signature counts for it")]
    #[diagnostic(help(
        "everything needs a signature here: name the source under `[verify.sources]` with a `key`, \
         or with an `identity` and its `issuer`"
    ))]
    NoRule {
        /// What was asked for.
        reference: String,
    },
    /// A signature is needed, and there can be none.
    #[error(
        "refused to load `{reference}`: it needs a signature, and only what lies in a registry can \
         have one"
    )]
    #[diagnostic(help("load it from a registry, or as a file after you have looked at it"))]
    Unsignable {
        /// What was asked for.
        reference: String,
    },
    /// It took too long.
    #[error("`{reference}` was not there within {} s", time.as_secs_f32())]
    #[diagnostic(help("try again later, or raise `time` under `[load]`"))]
    Late {
        /// What was asked for.
        reference: String,
        /// How long was waited.
        time: Duration,
    },
    /// A rule that came with the request cannot be applied.
    #[error(transparent)]
    #[diagnostic(transparent)]
    VerifyRule(#[from] VerifyRuleError),
    /// What the registry says about the component is about another one.
    #[error("the configuration of `{reference}` cannot be right: {reason}")]
    #[diagnostic(help("ask its publisher to push it anew"))]
    Configuration {
        /// The image.
        reference: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is not what somebody wrote down.
    #[error(
        "`{reference}` is not {wanted}: its manifest is {manifest}, and its component {found}; \
         nothing is loaded"
    )]
    #[diagnostic(help("if it is meant to be another now, give the digest of that one"))]
    OtherDigest {
        /// The reference as it was written.
        reference: String,
        /// The digest that it should have had.
        wanted: Digest,
        /// The digest of its image's manifest.
        manifest: Digest,
        /// The digest of the component.
        found: Digest,
    },
    /// It is not what was locked.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(#[from] LockError),
    /// There is no version to change to.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Update(#[from] UpdateError),
    /// The operator wants all changes recorded, and this one cannot be.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unrecordable(#[from] Unrecordable),
    /// A server gave nothing.
    #[error("`{url}` is empty")]
    #[diagnostic(help("build the component again, and put it there anew"))]
    Nothing {
        /// Where nothing was.
        url: String,
    },
    /// The store did not take it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// A name for a tool that cannot be one.
    #[error(transparent)]
    #[diagnostic(transparent)]
    ToolName(#[from] InvalidToolName),
    /// A name that was chosen for a tool is another's.
    #[error("the tool name `{name}` is taken by `{owner}`")]
    #[diagnostic(help("choose another name"))]
    NameTaken {
        /// The name.
        name: String,
        /// A component's id, or `wassette`.
        owner: String,
    },
    /// A function was named that the component does not export.
    #[error("the component exports no function `{name}`")]
    #[diagnostic(help("its functions are: {known}"))]
    UnknownFunction {
        /// The name as it was written.
        name: String,
        /// What it exports.
        known: String,
    },
    /// A name means more than one function of the component.
    #[error("`{name}` means more than one function of the component")]
    #[diagnostic(help("its functions are: {known}"))]
    AmbiguousFunction {
        /// The name as it was written.
        name: String,
        /// What it exports.
        known: String,
    },
    /// The tools would make the list longer than any client should have to read.
    #[error("the tools of `{id}` take {bytes} bytes in the list of tools, and {limit} are left")]
    #[diagnostic(help("load fewer of its functions with `--only`, or unload other components"))]
    ListTooLong {
        /// The component's id.
        id: String,
        /// What its tools take.
        bytes: usize,
        /// What they may take.
        limit: usize,
    },
    /// It takes too much to remember what it exports.
    #[error("what `{id}` exports takes {bytes} bytes to describe, more than {limit}")]
    #[diagnostic(help("export fewer functions, or functions with simpler types"))]
    RecordTooLong {
        /// The component's id.
        id: String,
        /// What it takes.
        bytes: usize,
        /// What it may take.
        limit: usize,
    },
    /// The bytes are not those that somebody was shown.
    #[error("what is at `{reference}` now is not what was shown; nothing is loaded")]
    #[diagnostic(help("make the request again"))]
    Another {
        /// The reference as it was written.
        reference: String,
    },
    /// What it exports cannot be listed.
    #[error("`{id}` cannot be served: {reason}")]
    #[diagnostic(help("this is a fault of ours or of the component's types; please report it"))]
    Unservable {
        /// The component's id.
        id: String,
        /// Why.
        reason: String,
    },
    /// What is known about the component cannot be written down.
    #[error("cannot describe `{id}`")]
    Record {
        /// The component's id.
        id: String,
        /// Why.
        #[source]
        cause: serde_json::Error,
    },
    /// A background task of ours ended early.
    #[error("the server is shutting down")]
    Stopped,
}

impl LoadError {
    /// Whether a server could not be reached, or could not answer.
    pub(crate) fn is_out_of_reach(&self) -> bool {
        match self {
            Self::Registry(error) | Self::Package(PackageError::Asked(error)) => {
                error.passing() || matches!(error, RegistryError::Unreachable { .. })
            }
            Self::Late { .. } => true,
            _ => false,
        }
    }
}

/// The help of the error behind `error`.
fn help(error: &impl Diagnostic) -> String {
    error.help().map(|help| help.to_string()).unwrap_or_default()
}
