//! What the command of a denial does, as an edit of the policy, so that a person who agrees need not
//! copy it.
//!
//! The words are read by the readers of the command line and by no others: what is agreed to is what
//! the command says.

use super::Grant;
use crate::network::{NetworkRule, NetworkRuleText};
use crate::storage::{Access, Accesses, RuleKind, StorageRule};
use crate::{AnyRule, Edit, LimitRules, Setting, VariableRule};

impl Grant {
    /// The edit that the command makes; none if its words are not those of a command.
    pub fn edit(&self) -> Option<Edit> {
        let (kind, rest) = self.arguments.split_first()?;
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let rule = match (kind.as_str(), rest.as_slice()) {
            ("storage", [uri, "--access", access]) => AnyRule::Storage(storage(uri, access)?),
            ("network", [target, options @ ..]) => AnyRule::Network(network(target, options)?),
            ("environment-variable", [key]) => {
                VariableRule::check_key(key).ok()?;
                AnyRule::Variable(VariableRule::new(*key, None))
            }
            ("limit", [name, amount]) => {
                let setting = Setting::from(*amount);
                LimitRules::default().set(name, setting.clone()).ok()?;
                return Some(Edit::Limit((*name).to_owned(), setting));
            }
            _ => return None,
        };
        Some(Edit::Grant(rule))
    }
}

fn storage(uri: &str, access: &str) -> Option<StorageRule> {
    let accesses: Vec<Access> = access.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(StorageRule::new(uri.parse().ok()?, Accesses::of(accesses)?))
}

fn network(target: &str, options: &[&str]) -> Option<NetworkRule> {
    let (methods, rest) = match options {
        ["--methods", methods, rest @ ..] => (Some(*methods), rest),
        rest => (None, rest),
    };
    let (path, rest) = match rest {
        ["--paths", path, rest @ ..] => (Some(*path), rest),
        rest => (None, rest),
    };
    let private = match rest {
        [] => false,
        ["--private"] => true,
        _ => return None,
    };
    let methods = methods.map(|methods| methods.split(',').map(str::to_owned).collect());
    let paths = path.map(|path| vec![path.to_owned()]);
    let text = NetworkRuleText { methods, paths, private, ..NetworkRuleText::target(target) };
    NetworkRule::read(&text, RuleKind::Allow).ok()
}

#[cfg(test)]
mod tests;
