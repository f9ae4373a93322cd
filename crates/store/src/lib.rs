//! Where components come from and where they rest.
//!
//! A [`Reference`] is what a user wrote, an [`Artifact`] is the bytes that it led to, and a
//! [`Store`] is the directory in which the bytes and what is known of them survive. The crate
//! knows nothing of WebAssembly: a component is bytes with a digest, and what the application
//! remembers of it is JSON that is opaque here.
//!
//! All functions that touch the disk block; an asynchronous caller runs them on a blocking thread.
//! Only [`Watch::changed`] is asynchronous.

pub mod audit;
mod cache;
mod check;
mod digest;
mod durable;
mod entry;
mod error;
mod id;
mod image;
mod index;
mod layout;
mod lock;
mod lockfile;
mod package;
mod pending;
mod policies;
mod private;
mod reference;
mod requested;
mod secrets;
mod source;
mod store;
mod watch;
mod writer;

pub use check::Flaw;
pub use digest::{Digest, DigestError};
pub use entry::{
    Companion, CompanionRole, Entry, MAX_COMPANION_BYTES, MAX_COMPANIONS, MAX_PREVIOUS, Origin,
    Version,
};
pub use error::StoreError;
pub use id::{ComponentId, IdError};
pub use image::Image;
pub use index::Index;
pub use layout::default_dir;
pub use lockfile::{Locked, Lockfile, LockfileError, MAX_LOCKFILE_BYTES};
pub use package::Package;
pub use pending::{MAX_PENDING, MAX_PENDING_BYTES, Pending};
pub use policies::{Binding, MAX_POLICY_BYTES, Misfit, StoredPolicy};
pub use reference::{Reference, ReferenceError};
pub use requested::Requested;
#[cfg(feature = "keyring")]
pub use secrets::PlatformKeyring;
pub use secrets::{Keyring, MAX_SECRET_BYTES, SecretError, Secrets};
pub use source::{Artifact, DEFAULT_MAX_BYTES, SourceError, read_file};
pub use store::Store;
pub use watch::Watch;
pub use writer::{Change, Replace, Writer};
