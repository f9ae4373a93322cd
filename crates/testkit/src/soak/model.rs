//! What must be in the store: one command line's idea of it, changed only by what it has done.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde_json::Value;

use super::server::Origin;

/// How many variables a command line grants to its own component.
pub(super) const OWN_KEYS: u64 = 8;

/// How many variables a command line grants to the component that all share.
pub(super) const SHARED_KEYS: u64 = 80;

/// What one command line has brought about.
#[derive(Debug, Default, Clone)]
pub(super) struct Model {
    pub(super) number: u64,
    /// Variables that its own component may read.
    pub(super) keys: BTreeSet<String>,
    /// Folders that its own component may read.
    pub(super) folders: BTreeSet<String>,
    /// Secrets of its own component.
    pub(super) secrets: BTreeSet<String>,
    /// Variables that the component of all may read because of this one.
    pub(super) shared: BTreeSet<String>,
}

impl Model {
    /// The id of its own component.
    pub(super) fn own(&self) -> String {
        format!("own-{}", self.number)
    }

    /// The variable `index` of its own component.
    pub(super) fn own_key(index: u64) -> String {
        format!("OWN_{index}")
    }

    /// The variable `index` that only this one grants to the component of all.
    pub(super) fn shared_key(number: u64, index: impl Display) -> String {
        format!("SHARED_{number}_{index}")
    }

    /// What its own component must see.
    pub(super) fn shown(&self) -> BTreeMap<String, Origin> {
        let origin = |key| if self.secrets.contains(key) { Origin::Secret } else { Origin::Given };
        self.keys.iter().map(|key| (key.clone(), origin(key))).collect()
    }

    /// Whether `shown` of the component of all has, of what only this one grants, what it must.
    pub(super) fn is_shared_right(&self, shown: &BTreeMap<String, Origin>) -> bool {
        let prefix = Self::shared_key(self.number, "");
        let found = shown.keys().filter(|key| key.starts_with(&prefix));
        found.eq(self.shared.iter())
    }

    /// Forgets what goes with the policy of its own component.
    pub(super) fn reset(&mut self) {
        self.keys.clear();
        self.folders.clear();
    }
}

/// The keys that `policy`, as `policy get` prints it, allows.
pub(super) fn keys(policy: &Value) -> BTreeSet<String> {
    allowed(policy, "environment", "key")
}

/// The places that `policy`, as `policy get` prints it, allows.
pub(super) fn folders(policy: &Value) -> BTreeSet<String> {
    allowed(policy, "storage", "uri")
}

fn allowed(policy: &Value, family: &str, target: &str) -> BTreeSet<String> {
    let rules = policy.pointer(&format!("/permissions/{family}/allow")).and_then(Value::as_array);
    let targets = rules.into_iter().flatten().filter_map(|rule| rule.get(target)?.as_str());
    targets.map(str::to_owned).collect()
}
