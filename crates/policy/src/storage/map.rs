//! What the rules of one document say about a path that has been resolved.
//!
//! The paths here are canonical: absolute, without links, without `.` and `..`. Whoever asks about
//! another path gets an answer about another file.

use crate::storage::{Access, Accesses, RuleKind, StorageRule};

/// A rule with the place at which its prefix lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The rule.
    pub rule: StorageRule,
    /// The canonical segments of the rule's prefix.
    pub at: Vec<String>,
    /// Whether it allows or denies.
    pub kind: RuleKind,
}

/// What the rules say about one access to one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'a> {
    /// This rule allows it and none denies it.
    Allowed(&'a StorageRule),
    /// This rule denies it.
    Denied(&'a StorageRule),
    /// No rule speaks of it, so it is denied.
    Unmatched,
}

impl Decision<'_> {
    /// Whether it may be done.
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

/// The placed rules of one document.
#[derive(Debug, Clone, Default)]
pub struct StorageMap {
    allow: Vec<Placed>,
    deny: Vec<Placed>,
}

impl StorageMap {
    /// A map of `placed` rules, in any order.
    pub fn new(placed: Vec<Placed>) -> Self {
        let (allow, deny) = placed.into_iter().partition(|rule| rule.kind == RuleKind::Allow);
        Self { allow, deny }
    }

    /// Whether `access` to `path` is allowed, and by which rule.
    pub fn decide(&self, path: &[&str], access: Access) -> Decision<'_> {
        let speaks = |placed: &&Placed| placed.rule.access.contains(access) && placed.matches(path);
        match (self.deny.iter().find(speaks), self.allow.iter().find(speaks)) {
            (Some(placed), _) => Decision::Denied(&placed.rule),
            (None, Some(placed)) => Decision::Allowed(&placed.rule),
            (None, None) => Decision::Unmatched,
        }
    }

    /// Whether the directory `path` must be passable and visible, for something that is allowed may
    /// lie in it or below.
    pub fn leads(&self, path: &[&str]) -> bool {
        // What a deny rule matches it denies below too, so nothing can be allowed there any more.
        let denied = Accesses::of(
            self.deny
                .iter()
                .filter(|deny| deny.matches(path))
                .flat_map(|deny| deny.rule.access.iter()),
        );
        self.allow
            .iter()
            .filter(|allow| denied.is_none_or(|denied| !denied.covers(allow.rule.access)))
            .any(|allow| allow.leads(path))
    }
}

impl Placed {
    fn matches(&self, path: &[&str]) -> bool {
        self.tail(path).is_some_and(|tail| self.rule.uri.reach(self.kind, tail).matches)
    }

    fn leads(&self, path: &[&str]) -> bool {
        match self.tail(path) {
            Some(tail) => self.rule.uri.reach(self.kind, tail).leads,
            None => path.len() < self.at.len() && path.iter().zip(&self.at).all(|(a, b)| a == b),
        }
    }

    /// The part of `path` below the place of this rule.
    fn tail<'a, 'b>(&self, path: &'a [&'b str]) -> Option<&'a [&'b str]> {
        let (head, tail) = path.split_at_checked(self.at.len())?;
        head.iter().zip(&self.at).all(|(a, b)| a == b).then_some(tail)
    }
}
