//! What a load is asked for, what it tells on its way, and what it answers.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use wassette_sandbox::Reach;
use wassette_store::{ComponentId, Digest, Lockfile, Reference};

use crate::catalog::Component;
use crate::changes::Difference;
use crate::naming::{Naming, Renamed};
use crate::options::VerifyRule;

pub use wassette_store::Replace;

/// What to load, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadRequest {
    /// Where it is: a path, a `file://`, `https://` or `oci://` reference, or the name of a package.
    pub reference: String,
    /// The absolute directory from which a relative reference starts.
    pub base: PathBuf,
    /// Its name in the store; one that follows from the reference, where nobody chose another.
    pub id: Option<ComponentId>,
    /// Whether it may take the id of a component from another source.
    pub replace: Replace,
    /// What becomes of a version whose tools are not those that are known.
    pub changes: Changes,
    /// What its tools are called.
    pub naming: Naming,
    /// The digest that somebody wrote down or was shown before: of the component, or of its image's
    /// manifest. Nothing else is loaded.
    pub digest: Option<Digest>,
    /// What was loaded when somebody locked it. Nothing else is loaded.
    pub lock: Option<Arc<Lockfile>>,
    /// Whose signature it needs, beside what the configuration wants.
    pub verify: Option<VerifyRule>,
    /// How far a reference may lead.
    pub reach: Reach,
    /// Whether it may come without TLS from a server of this machine.
    pub plain_http: bool,
    /// Whether it is a model's wish that nobody was asked about. Then it is not for it to say where
    /// updates of what is there already are looked for.
    pub unasked: bool,
}

/// What becomes of a version that changes a tool which is known, or takes one away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changes {
    /// It takes the place of the one before.
    Accept,
    /// It waits beside the one before until somebody has accepted it.
    Quarantine,
}

impl LoadRequest {
    /// Loads `reference` as it is. Changed tools are accepted in files of this machine alone.
    pub fn new(reference: impl Into<String>, base: PathBuf) -> Self {
        let reference = reference.into();
        let changes = match Reference::parse_in(&reference, &base) {
            Ok(Reference::File(_)) => Changes::Accept,
            _ => Changes::Quarantine,
        };
        Self {
            reference,
            base,
            id: None,
            replace: Replace::Refuse,
            changes,
            naming: Naming::default(),
            digest: None,
            lock: None,
            verify: None,
            reach: Reach::Anywhere,
            plain_http: false,
            unasked: false,
        }
    }
}

/// What a load is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadStage {
    /// Finding out what the reference leads to.
    Resolving,
    /// Finding out who signed it.
    Verifying,
    /// Getting the bytes.
    Fetching {
        /// How many have come.
        received: u64,
        /// How many will, if anybody said so.
        total: Option<u64>,
    },
    /// Making code of them: seconds for a component with a language runtime inside.
    Compiling,
    /// Writing to the store.
    Installing,
}

impl fmt::Display for LoadStage {
    /// In a word, and with bytes where some are on their way: `fetching 3.1 of 12.0 MB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Resolving => f.write_str("resolving"),
            Self::Verifying => f.write_str("verifying"),
            Self::Fetching { received: 0, total: None } => f.write_str("fetching"),
            Self::Fetching { received, total: None } => {
                write!(f, "fetching {} MB", Megabytes(received))
            }
            Self::Fetching { received, total: Some(total) } => {
                write!(f, "fetching {} of {} MB", Megabytes(received), Megabytes(total))
            }
            Self::Compiling => f.write_str("compiling"),
            Self::Installing => f.write_str("installing"),
        }
    }
}

/// Bytes as millions of them, with one place after the point.
struct Megabytes(u64);

impl fmt::Display for Megabytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.saturating_add(50_000) / 100_000;
        write!(f, "{}.{}", tenths / 10, tenths % 10)
    }
}

/// Who hears of the stages of a load.
pub(crate) type Progress<'a> = &'a (dyn Fn(LoadStage) + Send + Sync);

/// What a load changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The component is new.
    Loaded,
    /// It took the place of another state of it, or of another component.
    Reloaded,
    /// It was there already, just so.
    Unchanged,
    /// It changes tools that are known, and waits beside the version that goes on serving until
    /// somebody accepts it.
    Quarantined,
}

/// What came of a load.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The component, as it serves now.
    pub component: Arc<Component>,
    /// What changed.
    pub status: Status,
    /// Its tools that could not get the name that they wanted.
    pub renamed: Vec<Renamed>,
    /// Who signed what was loaded, as far as that was verified.
    pub signer: Option<String>,
    /// Why nobody vouches for what was loaded, where the operator wants to be told so.
    pub unverified: Option<String>,
    /// What is different from the version that served before, if one did.
    pub difference: Option<Difference>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_told_with_what_has_come() {
        let fetching = |received, total| LoadStage::Fetching { received, total }.to_string();
        assert_eq!(fetching(0, None), "fetching");
        assert_eq!(fetching(1_250_000, None), "fetching 1.3 MB");
        assert_eq!(fetching(3_100_000, Some(12_000_000)), "fetching 3.1 of 12.0 MB");
        assert_eq!(fetching(u64::MAX, Some(0)), "fetching 18446744073709.5 of 0.0 MB");
        assert_eq!(LoadStage::Verifying.to_string(), "verifying");
    }

    #[test]
    fn changed_tools_are_accepted_in_files_alone() {
        let changes = |reference: &str| LoadRequest::new(reference, "/".into()).changes;
        assert_eq!(changes("./a.wasm"), Changes::Accept);
        assert_eq!(changes("file:///a.wasm"), Changes::Accept);
        for reference in ["https://example.com/a.wasm", "oci://example.com/a:1", "ns:a@1.0.0"] {
            assert_eq!(changes(reference), Changes::Quarantine, "{reference}");
        }
    }
}
