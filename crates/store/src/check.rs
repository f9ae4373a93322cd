//! An examination of everything that a store keeps: what is damaged, and what puts it right. It must
//! never change anything, and one thing that cannot be read must not hide another.

use std::path::Path;

use miette::Diagnostic;
use serde::Serialize;

use crate::lockfile::LockfileError;
use crate::{Digest, Index, Lockfile, Store, StoreError, audit, durable};

/// Something in a store that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// What is wrong, as a sentence that names the file or the component.
    pub what: String,
    /// What puts it right.
    pub cure: String,
}

impl Flaw {
    fn new(what: impl ToString, cure: &str) -> Self {
        Self { what: what.to_string(), cure: cure.to_owned() }
    }

    fn of(error: &dyn Diagnostic) -> Self {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        let cure = error.help().map(|help| help.to_string());
        let cure = cure.unwrap_or_else(|| "make it readable, or restore it from a copy".to_owned());
        Self { what: format!("{error}{cause}"), cure }
    }
}

/// What the next change of the store does by itself.
const BY_ITSELF: &str = "nothing is lost; the next change of the store puts it right";

impl Store {
    /// Everything in the store that is damaged. Compiled code is left out: it is made again. It reads all
    /// bytes of all components.
    #[must_use]
    pub fn check(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        match self.index() {
            Ok(index) => {
                self.check_index(&index, &mut flaws);
                self.check_components(&index, &mut flaws);
            }
            Err(error) => flaws.push(Flaw::of(&error)),
        }
        if let Err(error) = self.read_key() {
            flaws.push(Flaw::of(&error));
        }
        if let Err(error) = self.pending() {
            flaws.push(Flaw::of(&error));
        }
        match audit::verify(&self.audit_dir()) {
            Ok(report) => flaws.extend(report.problem.map(|problem| {
                let what = format!("`{}`: {}", problem.file.display(), problem.what);
                Flaw::new(
                    what,
                    "`wassette audit verify` says more; what is gone cannot be restored",
                )
            })),
            Err(error) => flaws.push(Flaw::of(&error)),
        }
        flaws
    }

    fn check_index(&self, index: &Index, flaws: &mut Vec<Flaw>) {
        let cure = match index.is_incomplete() {
            true => "load again what is missing",
            false => BY_ITSELF,
        };
        flaws.extend(index.damage().iter().map(|damage| Flaw::new(damage, cure)));
        match self.layout.has_quarantined_index() {
            Ok(true) => flaws.push(Flaw::new(
                format!("a damaged index was put aside in `{}`", self.dir().display()),
                "load again what is missing, then delete `index.corrupt-…`",
            )),
            // Until then both may say more than the index.
            Ok(false) if index.damage().is_empty() && index.revision() > 0 => {
                self.check_records(index, flaws);
            }
            Ok(false) => {}
            Err(error) => flaws.push(Flaw::of(&error)),
        }
    }

    /// The copy of the index, and the lock file.
    fn check_records(&self, index: &Index, flaws: &mut Vec<Flaw>) {
        let path = self.layout.index_copy();
        let copy = durable::read(&path).ok().flatten();
        if copy.is_none() || copy != index.to_json().ok() {
            flaws.push(Flaw::new(unlike(&path), BY_ITSELF));
        }
        let path = self.layout.lockfile();
        match (Lockfile::read(&path), self.lockfile_of(index)) {
            (Ok(there), Ok(current)) if there == current => {}
            // A policy that a person has edited since is no flaw.
            (Ok(there), Ok(current)) if without_policies(&there) == without_policies(&current) => {}
            (Err(error @ LockfileError::TooNew { .. }), _) => flaws.push(Flaw::of(&error)),
            _ => flaws.push(Flaw::new(unlike(&path), BY_ITSELF)),
        }
    }

    fn check_components(&self, index: &Index, flaws: &mut Vec<Flaw>) {
        for entry in index.entries() {
            for digest in entry.named() {
                if let Err(error) = self.examine(&digest) {
                    let Flaw { what, cure } = Flaw::of(&error);
                    flaws.push(Flaw { what: format!("component `{}`: {what}", entry.id), cure });
                }
            }
            if let Err(error) = self.policy(&entry.id) {
                flaws.push(Flaw::of(&error));
            }
            if let Err(error) = self.secrets(&entry.id, &entry.source) {
                flaws.push(Flaw::of(&error));
            }
        }
    }

    /// Compares the bytes of a blob with its name, a piece at a time.
    fn examine(&self, digest: &Digest) -> Result<(), StoreError> {
        let path = self.layout.blob(digest);
        let file = match durable::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::BlobMissing { digest: *digest, path });
            }
            Err(error) => return Err(StoreError::reading(&path)(error)),
        };
        match Digest::of_reader(file).map_err(StoreError::reading(&path))? {
            found if found == *digest => Ok(()),
            found => Err(StoreError::BlobDamaged { digest: *digest, found, path }),
        }
    }
}

fn unlike(path: &Path) -> String {
    format!("`{}` is not what was written last", path.display())
}

fn without_policies(file: &Lockfile) -> Lockfile {
    let mut file = file.clone();
    file.components.iter_mut().for_each(|locked| locked.policy = None);
    file
}
