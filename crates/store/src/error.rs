//! Why the store refused. Every error names the path it is about and, where there is one, the cure.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::entry::{MAX_COMPANION_BYTES, MAX_COMPANIONS};
use crate::{ComponentId, Digest};

/// Why the store refused.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum StoreError {
    /// Somebody else could change what is in the directory.
    #[error("refused to use `{}`: {reason}", path.display())]
    #[diagnostic(code(store::not_private), help("{}", private_help(path)))]
    NotPrivate {
        /// The directory or file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// The platform tells no folder for data.
    #[error("found no folder for data: the home directory is unknown")]
    #[diagnostic(
        code(store::no_home),
        help("set `HOME`, or name a directory with `--component-dir`")
    )]
    NoHome,

    /// Another process is writing.
    #[error(
        "waited {} ms for another process that is writing to `{}`{}",
        waited.as_millis(), path.display(), holder.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    #[diagnostic(
        code(store::busy),
        help("try again; if that process is stopped or stuck, end it: its lock goes with it")
    )]
    Busy {
        /// The store's directory.
        path: PathBuf,
        /// Who holds the lock, as far as it is known.
        holder: Option<u32>,
        /// How long was waited.
        waited: Duration,
    },

    /// The file system has no locks.
    #[error("the file system of `{}` cannot lock files", path.display())]
    #[diagnostic(
        code(store::no_locks),
        help("put the component directory on a local disk (`--component-dir`)")
    )]
    NoLocks {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The store may be read only.
    #[error("cannot write to `{}`: it is read-only for this user", path.display())]
    #[diagnostic(
        code(store::read_only),
        help("make it writable, or name another directory with `--component-dir`")
    )]
    ReadOnly {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// Writing failed; what was there before still is.
    #[error("cannot write `{}`", path.display())]
    #[diagnostic(code(store::write))]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// Reading failed.
    #[error("cannot read `{}`", path.display())]
    #[diagnostic(code(store::read))]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A later version of this program wrote the index.
    #[error("`{}` has version {version}, this program knows up to {supported}", path.display())]
    #[diagnostic(
        code(store::index_too_new),
        help("update wassette, or name another directory with `--component-dir`")
    )]
    IndexTooNew {
        /// The index file.
        path: PathBuf,
        /// Its version.
        version: u64,
        /// The latest version that can be read.
        supported: u64,
    },

    /// A policy has more bytes than are allowed.
    #[error("the policy `{}` has more than {limit} bytes", path.display())]
    #[diagnostic(
        code(store::policy_too_large),
        help("write fewer and wider rules, such as a directory in place of its files")
    )]
    PolicyTooLarge {
        /// Where it is, or was to be.
        path: PathBuf,
        /// How many bytes were allowed.
        limit: usize,
    },

    /// A policy is not text.
    #[error("the policy `{}` is not text in UTF-8", path.display())]
    #[diagnostic(code(store::policy_not_text), help("save it as UTF-8, or write it again"))]
    PolicyNotText {
        /// The policy.
        path: PathBuf,
    },

    /// What a policy was granted to cannot be read.
    #[error("`{}` is damaged: {reason}", path.display())]
    #[diagnostic(
        code(store::binding_damaged),
        help("delete it; look at the policy beside it, and grant it again")
    )]
    BindingDamaged {
        /// The file beside the policy.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// What a policy was granted to takes too much to say.
    #[error("what is to be remembered of the policy of `{id}` has more than {limit} bytes")]
    #[diagnostic(code(store::binding_too_large), help("grant fewer places"))]
    BindingTooLarge {
        /// The component.
        id: ComponentId,
        /// How many bytes were allowed.
        limit: usize,
    },

    /// There is no request with this number that waits for a person.
    #[error("no request {number} waits")]
    #[diagnostic(
        code(store::no_such_pending),
        help("`wassette permission pending` shows what waits; a request waits for a day at most")
    )]
    NoSuchPending {
        /// The number that was asked for.
        number: u64,
    },

    /// More requests may not wait.
    #[error("{limit} requests wait for a person already")]
    #[diagnostic(
        code(store::pending_full),
        help(
            "`wassette permission pending` shows them; answer each with `wassette permission \
             approve N` or `wassette permission deny N`"
        )
    )]
    PendingFull {
        /// How many may wait.
        limit: usize,
    },

    /// A request is not one that can wait.
    #[error("the request cannot be kept for a person: {reason}")]
    #[diagnostic(code(store::pending_refused), help("ask for less at once"))]
    PendingRefused {
        /// What is wrong with it.
        reason: String,
    },

    /// A file of those that wait is not what was written, or others could have written it.
    #[error("refused to use `{}`: {reason}", path.display())]
    #[diagnostic(
        code(store::pending_damaged),
        help("delete it; who made the request can make it again")
    )]
    PendingDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// The bytes of a component are not there.
    #[error("the bytes of `{digest}` are not in the store")]
    #[diagnostic(code(store::blob_missing), help("load the component again"))]
    BlobMissing {
        /// What they are called.
        digest: Digest,
        /// Where they should be.
        path: PathBuf,
    },

    /// The bytes of a component are not those that were stored.
    #[error("`{}` is damaged: its digest is `{found}`", path.display())]
    #[diagnostic(code(store::blob_damaged), help("load the component again"))]
    BlobDamaged {
        /// The digest that the bytes should have.
        digest: Digest,
        /// The digest that they have.
        found: Digest,
        /// Where they are.
        path: PathBuf,
    },

    /// More came with a component than is kept beside it.
    #[error("component `{id}` comes with {count} companions of {bytes} bytes")]
    #[diagnostic(
        code(store::too_many_companions),
        help(
            "{} with {} bytes together are kept: manifests, configurations and signatures; publish \
             it with fewer signatures or layers",
            MAX_COMPANIONS,
            MAX_COMPANION_BYTES
        )
    )]
    TooManyCompanions {
        /// The component.
        id: ComponentId,
        /// How many there are.
        count: usize,
        /// How many bytes they have together.
        bytes: u64,
    },

    /// The id belongs to a component from another source.
    #[error(
        "component `{id}` is already loaded from `{loaded}`, refused to load it from `{refused}`"
    )]
    #[diagnostic(
        code(store::other_source),
        help("unload `{id}` first, or put the new one in its place with `--replace`")
    )]
    OtherSource {
        /// The id that both want.
        id: ComponentId,
        /// Where the loaded component came from.
        loaded: String,
        /// Where the refused one comes from.
        refused: String,
    },

    /// There is no component with this id.
    #[error("no component `{id}` is loaded")]
    #[diagnostic(code(store::not_loaded), help("`wassette component list` shows what is loaded"))]
    NotLoaded {
        /// The id that was asked for.
        id: ComponentId,
    },

    /// Others can use the key of the cache, or could.
    #[error("others can use the key `{}` (mode {mode:03o})", path.display())]
    #[diagnostic(
        code(store::key_exposed),
        help("delete it: a new one is made, and components are compiled again")
    )]
    KeyExposed {
        /// The key file.
        path: PathBuf,
        /// The bits of its mode.
        mode: u32,
    },

    /// The key of the cache has the wrong length.
    #[error("the key `{}` is damaged", path.display())]
    #[diagnostic(
        code(store::key_damaged),
        help("delete it: a new one is made, and components are compiled again")
    )]
    KeyDamaged {
        /// The key file.
        path: PathBuf,
    },

    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    #[diagnostic(code(store::random))]
    Random {
        /// What the system said.
        source: getrandom::Error,
    },

    /// A name that no cached file may have.
    #[error("`{name}` cannot name a cached file")]
    #[diagnostic(
        code(store::cache_name),
        help("use lower-case letters, digits and `-`, 200 at most")
    )]
    CacheName {
        /// What was given.
        name: String,
    },
}

/// The cure for what others may change.
fn private_help(path: &Path) -> &'static str {
    if path.is_file() {
        "it must be yours, and only you may write to it (`chmod go-w`); look at what is in it first"
    } else {
        "use a directory that belongs to you and that only you can write to (`chmod go-w`)"
    }
}

impl StoreError {
    /// Turns what the system said about reading `path` into an error.
    pub(crate) fn reading(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Read { path: path.to_owned(), source }
    }

    /// Turns what the system said about writing `path` into an error.
    pub(crate) fn writing(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| {
            let path = path.to_owned();
            match source.kind() {
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                    Self::ReadOnly { path, source }
                }
                _ => Self::Write { path, source },
            }
        }
    }
}
