//! What the store holds: one JSON file, read into an immutable snapshot.
//!
//! The file is the commit point of the store: what it names is there, what it does not name is
//! not. One entry that cannot be read must never hide the others, and a file of a later version
//! must never be taken for a damaged one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use serde::Deserialize;
use serde_json::Value;

use crate::{ComponentId, Digest, Entry, Lockfile, StoreError};

/// The version of the file that this program writes, and the latest that it reads.
const VERSION: u64 = 1;

/// An immutable snapshot of what the store holds. Cloning it is cheap.
#[derive(Debug, Clone, Default)]
pub struct Index(Arc<Contents>);

#[derive(Debug, Clone, Default)]
struct Contents {
    revision: u64,
    entries: BTreeMap<ComponentId, Arc<Entry>>,
    damage: Vec<String>,
    /// Whether there may have been more than the entries say.
    incomplete: bool,
}

impl Index {
    /// Counts the commits: a snapshot with another revision has other contents. A store that was
    /// never written has revision 0.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.0.revision
    }

    /// All entries, sorted by id.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Arc<Entry>> {
        self.0.entries.values()
    }

    /// The entry of the component `id`.
    #[must_use]
    pub fn find(&self, id: &ComponentId) -> Option<&Arc<Entry>> {
        self.0.entries.get(id)
    }

    /// How many components there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether there is no component.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// What could not be read and what became of it, a sentence each; empty for a sound index.
    ///
    /// A caller should show these. The next [`Writer`](crate::Writer) puts the damaged file aside and
    /// goes on with these entries.
    #[must_use]
    pub fn damage(&self) -> &[String] {
        &self.0.damage
    }

    /// Whether a damaged index may have named more than could be recovered.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.0.incomplete
    }

    /// Reads the text of an index file; `path` is for the error.
    ///
    /// Text that is no index at all gives an empty snapshot with [`damage`](Self::damage).
    ///
    /// # Errors
    /// Only [`StoreError::IndexTooNew`].
    pub(crate) fn parse(text: &[u8], path: &Path) -> Result<Self, StoreError> {
        let file: Value = match serde_json::from_slice(text) {
            Ok(file) => file,
            Err(error) => return Ok(Self::unreadable(error.to_string())),
        };
        match file.get("version").and_then(Value::as_u64) {
            Some(VERSION) => {}
            Some(version) if version > VERSION => {
                let path = path.to_owned();
                return Err(StoreError::IndexTooNew { path, version, supported: VERSION });
            }
            _ => return Ok(Self::unreadable("it has no known `version`".to_owned())),
        }
        match File::deserialize(file) {
            Ok(file) => Ok(Self::of_file(file)),
            Err(error) => Ok(Self::unreadable(error.to_string())),
        }
    }

    /// The index in the place of which something lies that is none.
    pub(crate) fn lost(cause: &str) -> Self {
        Self::unreadable(cause.to_owned())
    }

    /// What can be known in place of this damaged index: by its sound `copy`, if there is one, and by
    /// the lock file, which says what was loaded and no more.
    pub(crate) fn recovered(&self, copy: Option<&Self>, locked: Option<&Lockfile>) -> Self {
        let mut contents = Contents { incomplete: copy.is_none(), ..(*self.0).clone() };
        if let Some(copy) = copy {
            contents.entries = copy.0.entries.clone();
            contents.revision = contents.revision.max(copy.revision());
            let read = format!("its copy is used, with {}", components(copy.len()));
            contents.damage = vec![format!("{}; {read}", contents.damage.join("; "))];
        }
        for locked in locked.iter().flat_map(|file| &file.components) {
            let found = contents.entries.get(&locked.id);
            if found.is_some_and(|entry| entry.digest == locked.sha256) {
                continue;
            }
            let (id, source) = (&locked.id, &locked.source);
            contents.damage.push(format!("`{id}` was loaded from {source}, and is lost"));
            contents.incomplete = true;
        }
        Self(Arc::new(contents))
    }

    /// The text of the index file.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let entries: Vec<&Entry> = self.0.entries.values().map(AsRef::as_ref).collect();
        let components = serde_json::to_value(entries)?;
        let mut text = serde_json::to_vec_pretty(&serde_json::json!({
            "version": VERSION,
            "revision": self.0.revision,
            "sum": sum(self.0.revision, &components),
            "components": components,
        }))?;
        text.push(b'\n');
        Ok(text)
    }

    /// The next snapshot, with these entries and nothing damaged.
    pub(crate) fn successor(&self, entries: BTreeMap<ComponentId, Arc<Entry>>) -> Self {
        let revision = self.0.revision.saturating_add(1);
        Self(Arc::new(Contents { revision, entries, ..Contents::default() }))
    }

    /// A copy of the entries, to change.
    pub(crate) fn to_entries(&self) -> BTreeMap<ComponentId, Arc<Entry>> {
        self.0.entries.clone()
    }

    fn unreadable(cause: String) -> Self {
        let damage = vec![format!("the list of components cannot be read: {cause}")];
        // How far the count had come is lost, and it must not come by a number again that somebody
        // has seen. No store counts faster than one a second for long.
        let revision = UNIX_EPOCH.elapsed().map_or(0, |time| time.as_secs());
        Self(Arc::new(Contents { revision, damage, ..Contents::default() }))
    }

    fn of_file(file: File) -> Self {
        let mut contents = Contents { revision: file.revision, ..Contents::default() };
        // One that an older program wrote has none.
        let is_sound = file.sum.is_none_or(|said| {
            let components = Value::Array(file.components.clone());
            said == sum(file.revision, &components)
        });
        if !is_sound {
            contents.damage.push("the list of components is not as it was written".to_owned());
        }
        for (position, value) in file.components.into_iter().enumerate() {
            match Entry::deserialize(value) {
                Ok(entry) if contents.entries.contains_key(&entry.id) => {
                    contents.damage.push(format!("component `{}` is listed twice", entry.id));
                }
                Ok(entry) => {
                    contents.entries.insert(entry.id.clone(), Arc::new(entry));
                }
                Err(error) => {
                    contents.damage.push(format!("entry {} cannot be read: {error}", position + 1));
                }
            }
        }
        Self(Arc::new(contents))
    }
}

/// The file, with its entries still to be read one by one.
#[derive(Deserialize)]
struct File {
    revision: u64,
    sum: Option<String>,
    components: Vec<Value>,
}

/// What shows that nobody changed a bit of what the file says.
fn sum(revision: u64, components: &Value) -> String {
    Digest::of(format!("{revision} {components}").as_bytes()).to_string()
}

fn components(count: usize) -> String {
    format!("{count} component{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
