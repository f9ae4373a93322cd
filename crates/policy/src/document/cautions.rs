//! What whoever relies on a policy should know, though it is one: rules that hold for more than they
//! seem to, for nothing any more, or for what there is not here. Decides nothing.

use std::time::SystemTime;

use miette::Diagnostic;
use thiserror::Error;

use super::Policy;
use super::keys::nearest;
use crate::storage::{RuleKind, StorageRoot, StorageRule};
use crate::until::Until;
use crate::visible::word;
use crate::{Bytes, NetworkRule, VariableRule};

/// There is no workspace of the name with which a rule begins.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("there is no workspace `{name}`")]
#[diagnostic(help("{help}"))]
pub struct UnknownWorkspace {
    /// The name.
    pub name: String,
    /// The nearest name that there is, and how to make this one.
    pub help: String,
}

impl UnknownWorkspace {
    /// The error for `name`, where there are the workspaces `known`.
    pub fn new<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let start = format!("start the server with `--workspace {name}=PATH`");
        let help = match nearest(name, &known) {
            Some(near) => format!("did you mean `fs://{near}/…`? Else {start}"),
            None => start,
        };
        Self { name: name.to_owned(), help }
    }

    /// The error for `rule`, if it begins with none of the workspaces `known`.
    pub fn of<'a>(rule: &StorageRule, known: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let StorageRoot::Workspace(name) = rule.uri.root() else { return None };
        let known: Vec<&str> = known.into_iter().collect();
        (!known.contains(&name.as_str())).then(|| Self::new(name, known))
    }
}

impl Policy {
    /// What is to be known of the rules at `now`, a sentence each.
    pub fn cautions(&self, now: SystemTime) -> Vec<String> {
        self.cautions_since(&Self::default(), now)
    }

    /// What is to be known of the rules that `before` does not have.
    pub fn cautions_since(&self, before: &Self, now: SystemTime) -> Vec<String> {
        let allow = new(&self.network.allow, &before.network.allow);
        let deny = new(&self.network.deny, &before.network.deny);
        let ended = |rule: &dyn std::fmt::Display, until: Option<Until>| {
            let is_past = until.is_some_and(|until| until.is_past(now));
            is_past.then(|| format!("`{rule}` has ended, and allows nothing"))
        };
        let storage = new(&self.storage.allow, &before.storage.allow);
        let variables = new(&self.environment, &before.environment);
        let mut cautions: Vec<String> = allow
            .clone()
            .flat_map(|rule: &NetworkRule| rule.cautions(RuleKind::Allow))
            .chain(deny.flat_map(|rule| rule.cautions(RuleKind::Deny)))
            .chain(storage.filter_map(|rule| ended(rule, rule.until)))
            .chain(allow.filter_map(|rule| ended(rule, rule.until())))
            .chain(variables.filter_map(|rule: &VariableRule| ended(rule, rule.until)))
            .chain(self.little_memory(before))
            .collect();
        let mut seen = std::collections::HashSet::new();
        cautions.retain(|caution| seen.insert(caution.clone()));
        cautions
    }

    /// A number without a unit is bytes here, and megabytes for others.
    fn little_memory(&self, before: &Self) -> Option<String> {
        const PAGE: u64 = 64 * 1024;
        let memory =
            self.limits.get("memory").filter(|now| before.limits.get("memory") != Some(now))?;
        let bytes: Bytes =
            memory.to_string().parse().ok().filter(|it: &Bytes| it.count() < PAGE)?;
        Some(format!(
            "the limit `memory` of {} bytes is less than any component needs; write a unit, \
             such as `\"256Mi\"`",
            bytes.count()
        ))
    }

    /// What comes of the rules on files that begin with none of the workspaces `known`, a sentence
    /// each. A server may have others.
    pub fn without_workspaces(&self, known: &[&str]) -> Vec<String> {
        let unknown = |rules: &[StorageRule], comes: &str| -> Vec<String> {
            let said = |rule: &StorageRule| {
                let UnknownWorkspace { name, help } =
                    UnknownWorkspace::of(rule, known.iter().copied())?;
                let uri = rule.uri.to_string();
                Some(format!(
                    "`{}`: there is no workspace `{name}` here, so {comes}; {help}",
                    word(&uri)
                ))
            };
            rules.iter().filter_map(said).collect()
        };
        let mut all = unknown(&self.storage.allow, "the rule allows nothing");
        all.extend(unknown(&self.storage.deny, "nobody knows what it denies, and no file is open"));
        all
    }
}

/// The rules that were not there before.
fn new<'a, R: PartialEq>(rules: &'a [R], before: &'a [R]) -> impl Iterator<Item = &'a R> + Clone {
    rules.iter().filter(move |rule| !before.contains(rule))
}
