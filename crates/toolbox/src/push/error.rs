//! Why nothing was published. A message must never hold a key or a password.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;
use wassette_policy::PolicyError;
use wassette_registry::{PublicationError, RegistryError};
use wassette_signature::KeyError;
use wassette_store::{Digest, ReferenceError};

use crate::code::CodeFault;
use crate::error::LoadError;

/// Why a component was not pushed.
#[derive(Debug, Error, Diagnostic)]
pub enum PushError {
    /// The reference cannot be understood.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Reference(#[from] ReferenceError),
    /// The reference leads to no registry.
    #[error("`{reference}` is no place in a registry")]
    #[diagnostic(help("write `oci://host/repository:tag`"))]
    NoRegistry {
        /// What was written.
        reference: String,
    },
    /// What is to be pushed is not what the reference names.
    #[error("what is to be pushed has the digest {found}, and the reference names another")]
    #[diagnostic(help("push to a tag"))]
    OtherDigest {
        /// The digest of what is to be pushed.
        found: Digest,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`", path.display())]
    #[diagnostic(help("give the path of a file that this user may read"))]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The policy is none.
    #[error("`{}` is no policy", path.display())]
    #[diagnostic(help("{}", cause.help))]
    Policy {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        cause: Box<PolicyError>,
    },
    /// The key cannot be used.
    #[error("cannot sign with `{}`", path.display())]
    #[diagnostic(help("{}", cause.help().map(|help| help.to_string()).unwrap_or_default()))]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: KeyError,
    },
    /// The signature cannot be made.
    #[error("cannot sign what was pushed")]
    #[diagnostic(help("{}", cause.help().map(|help| help.to_string()).unwrap_or_default()))]
    Signing {
        /// Why.
        #[source]
        cause: KeyError,
    },
    /// It cannot be described.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Publication(#[from] PublicationError),
    /// It is no component.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
    /// The registry does not take it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Registry(#[from] RegistryError),
}

impl From<CodeFault> for PushError {
    fn from(fault: CodeFault) -> Self {
        Self::Load(fault.into())
    }
}
