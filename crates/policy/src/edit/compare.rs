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
            || !self
                .environment
                .iter()
                .all(|rule| before.environment.iter().any(|other| other.covers(rule)))
            || self.limits.widen(&before.limits)
    }

    /// What is different from `before`, a line each: `- allow storage fs:///data read`. The values of
    /// variables, and what stands around the secrets in headers, are left out.
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        self.changes(before, |rule| rule.to_string())
    }

    /// What is different from `before`, a line each, with all that it says: for the person alone
    /// who decides whether it may be so.
    pub fn changes_in_full(&self, before: &Self) -> Vec<String> {
        self.changes(before, |rule| format!("{rule:#}"))
    }

    fn changes(&self, before: &Self, spell: Spell) -> Vec<String> {
        let mut list = Lines { spell, lines: Vec::new() };
        list.add("allow storage", &before.storage.allow, &self.storage.allow);
        list.add("deny storage", &before.storage.deny, &self.storage.deny);
        list.add("allow network", &before.network.allow, &self.network.allow);
        list.add("deny network", &before.network.deny, &self.network.deny);
        list.add("allow variable", &before.environment, &self.environment);
        let limits = |policy: &Self| -> Vec<String> {
            policy.limits.iter().map(|(name, setting)| format!("{name} {setting}")).collect()
        };
        list.add("limit", &limits(before), &limits(self));
        list.lines
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

/// How a rule is written into its line.
type Spell = fn(&dyn Display) -> String;

struct Lines {
    spell: Spell,
    lines: Vec<String>,
}

impl Lines {
    fn add<R: PartialEq + Display>(&mut self, what: &str, before: &[R], now: &[R]) {
        let spell = self.spell;
        let missing = |rules: &[R], rule: &R| !rules.contains(rule);
        for rule in before.iter().filter(|rule| missing(now, rule)) {
            self.lines.push(format!("- {what} {}", spell(rule)));
        }
        for rule in now.iter().filter(|rule| missing(before, rule)) {
            self.lines.push(format!("+ {what} {}", spell(rule)));
        }
    }
}
