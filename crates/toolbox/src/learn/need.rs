//! From what a component used to the smallest rules that allow it. Pure.

use std::collections::BTreeMap;

use wassette_policy::{Access, AnyRule, Edit, Grant, Policy, StorageRoot, StorageRule};
use wassette_sandbox::Manner;

/// More files of one folder than these become the folder.
const FILES: usize = 8;

/// The rules that are needed.
#[derive(Debug, PartialEq)]
pub(super) struct Need {
    /// A document with them alone.
    pub(super) policy: Policy,
    /// The folders that stand for many files, a sentence each.
    pub(super) folders: Vec<String>,
}

/// The rules under which all of `uses` are allowed that are not granted anyway. A rule for a folder
/// is not made if it `cannot_be`.
pub(super) fn needed(
    uses: &[(String, Access, Manner)],
    is_granted: impl Fn(&str, Access) -> bool,
    cannot_be: impl Fn(&str) -> bool,
) -> Need {
    let read = |(uri, access, manner): &(String, Access, Manner)| {
        rule(uri, &access.to_string()).map(|rule| (rule, *access, *manner))
    };
    let rules: Vec<_> = uses.iter().filter_map(read).collect();
    let mut policy = Policy::default();
    for (number, (rule, access, manner)) in rules.iter().enumerate() {
        // Who may use something may look at it, and at all on the way to it.
        let on_the_way = *manner == Manner::Look
            && rules.iter().enumerate().any(|(other, (further, ..))| {
                other != number
                    && further.uri.root() == rule.uri.root()
                    && further.uri.prefix().starts_with(rule.uri.prefix())
            });
        if !on_the_way && !is_granted(&rule.uri.to_string(), *access) {
            add(&mut policy, rule);
        }
    }
    let (policy, folders) = gathered(&policy, cannot_be);
    Need { policy, folders }
}

/// `policy` with a rule for each folder of which it names many files, and a sentence about each.
pub(super) fn gathered(policy: &Policy, cannot_be: impl Fn(&str) -> bool) -> (Policy, Vec<String>) {
    let mut folders: BTreeMap<(String, String), usize> = BTreeMap::new();
    for rule in policy.storage.allow.iter().filter(|rule| !rule.uri.is_glob()) {
        if let Some(folder) = folder(rule) {
            *folders.entry((folder, rule.access.to_string())).or_default() += 1;
        }
    }
    let mut gathered = policy.clone();
    let mut said = Vec::new();
    for ((folder, access), files) in folders {
        if files > FILES
            && let Some(rule) = rule(&folder, &access)
            && !cannot_be(&rule.to_string())
        {
            add(&mut gathered, &rule);
            said.push(format!(
                "{files} files of `{folder}` were used, so the rule is for all of it"
            ));
        }
    }
    (gathered, said)
}

/// The rule that a command with these words would write, if it says what they seem to say: a name
/// with a `*` in it would stand for others too.
fn rule(uri: &str, access: &str) -> Option<StorageRule> {
    match Grant::storage(uri, access)?.edit()? {
        Edit::Grant(AnyRule::Storage(rule)) => {
            (!rule.uri.is_glob() && rule.uri.to_string() == uri).then_some(rule)
        }
        _ => None,
    }
}

fn add(policy: &mut Policy, rule: &StorageRule) {
    let grant = Edit::Grant(AnyRule::Storage(rule.clone()));
    if let Ok(edited) = policy.edit(&grant) {
        *policy = edited.policy;
    }
}

/// The folder in which the file of a rule lies, if it is not the root of all.
fn folder(rule: &StorageRule) -> Option<String> {
    let (_, above) = rule.uri.prefix().split_last()?;
    let above: String = above.iter().map(|name| format!("/{name}")).collect();
    match rule.uri.root() {
        StorageRoot::Absolute if above.is_empty() => None,
        StorageRoot::Absolute => Some(format!("fs://{above}")),
        StorageRoot::Workspace(name) => Some(format!("fs://{name}{above}")),
    }
}

#[cfg(test)]
mod tests;
