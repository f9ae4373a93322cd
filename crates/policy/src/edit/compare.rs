//! What is different between two policies, and whether the later one allows more.

use std::fmt::Display;

use crate::document::Rules;
use crate::storage::RuleKind;
use crate::{NetworkRule, Policy, StorageRule};

impl Policy {
    /// Whether this policy may permit something that `before` refuses. It is `true` also where that
    /// cannot be told, such as for a limit that is the operator's now.
    pub fn widens(&self, before: &Self) -> bool {
        let files = |_, wide: &StorageRule, narrow: &StorageRule| wide.covers(narrow);
        !narrows(&self.storage, &before.storage, files)
            || !narrows(&self.network, &before.network, |kind, wide: &NetworkRule, narrow| {
                wide.covers(kind, narrow)
            })
            || !self.environment.iter().all(|rule| before.environment.contains(rule))
            || self.limits.widen(&before.limits)
    }

    /// What is different from `before`, a line each: `- allow storage fs:///data read`.
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        list(&mut changes, "allow storage", &before.storage.allow, &self.storage.allow);
        list(&mut changes, "deny storage", &before.storage.deny, &self.storage.deny);
        list(&mut changes, "allow network", &before.network.allow, &self.network.allow);
        list(&mut changes, "deny network", &before.network.deny, &self.network.deny);
        list(&mut changes, "allow variable", &before.environment, &self.environment);
        let limits = |policy: &Self| -> Vec<String> {
            policy.limits.iter().map(|(name, setting)| format!("{name} {setting}")).collect()
        };
        list(&mut changes, "limit", &limits(before), &limits(self));
        changes
    }
}

/// Whether every rule that allows was there, within one, and every rule that denies still is.
fn narrows<R>(
    now: &Rules<R>,
    before: &Rules<R>,
    covers: impl Fn(RuleKind, &R, &R) -> bool,
) -> bool {
    let within = |kind: RuleKind, wide: &[R], narrow: &[R]| {
        narrow.iter().all(|narrow| wide.iter().any(|wide| covers(kind, wide, narrow)))
    };
    within(RuleKind::Allow, &before.allow, &now.allow)
        && within(RuleKind::Deny, &now.deny, &before.deny)
}

fn list<R: PartialEq + Display>(changes: &mut Vec<String>, what: &str, before: &[R], now: &[R]) {
    let missing = |rules: &[R], rule: &R| !rules.contains(rule);
    for rule in before.iter().filter(|rule| missing(now, rule)) {
        changes.push(format!("- {what} {rule}"));
    }
    for rule in now.iter().filter(|rule| missing(before, rule)) {
        changes.push(format!("+ {what} {rule}"));
    }
}
