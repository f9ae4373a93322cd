//! Changes of a policy: grants, their revocation, limits, and starting anew.
//!
//! An edit makes a new policy and never changes one. Whether it widens what a component may do is
//! said on the safe side: it may be `true` without need, and is never `false` while a refusal turns
//! into a permission.

mod compare;

use miette::Diagnostic;
use thiserror::Error;

use crate::document::nearest_to;
use crate::network::{NetworkRuleError, NetworkRuleText, contradiction};
use crate::storage::RuleKind;
use crate::until::lasts;
use crate::{
    LimitError, LimitRules, NetworkRule, Policy, PolicyError, Setting, StorageRule, StorageUri,
    VariableError, VariableRule,
};

/// One change of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Allow what the rule says, beside what is allowed already.
    Grant(AnyRule),
    /// Take an allowed target, or a limit, out.
    Revoke(Target),
    /// Set the limit of this name.
    Limit(String, Setting),
    /// Leave nothing: the empty policy.
    Reset,
}

/// A rule of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyRule {
    /// Files.
    Storage(StorageRule),
    /// Hosts.
    Network(NetworkRule),
    /// A variable.
    Variable(VariableRule),
}

/// What is revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// All rules for exactly these files, whatever their end.
    Storage(StorageUri),
    /// All rules for this host or range which have a scheme and a port in common with this rule, and
    /// all rules for it if the rule names neither; whatever their end.
    Network(NetworkRule),
    /// The variable of this name.
    Variable(String),
    /// The limit of this name; the operator's value holds again.
    Limit(String),
}

impl Target {
    /// The target of a network rule as the command line has it: `example.com`, `example.com:8080`,
    /// `https://example.com`, `tcp://db:5432`, `10.1.0.0/16`.
    ///
    /// # Errors
    ///
    /// If `word` names no target.
    pub fn network(word: &str) -> Result<Self, NetworkRuleError> {
        NetworkRule::read(&NetworkRuleText::target(word), RuleKind::Allow).map(Self::Network)
    }
}

/// A policy after an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The policy as it is now.
    pub policy: Policy,
    /// Whether something that was refused may be permitted now.
    pub widens: bool,
    /// What is different, a line each: `+ allow storage fs:///data read`, and what is to be known
    /// about it. Empty or only remarks if nothing is different.
    pub changes: Vec<String>,
}

/// Why a policy cannot be edited so.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum EditError {
    /// There is nothing to revoke.
    #[error("the policy allows no {kind} `{target}`")]
    #[diagnostic(help("{help}"))]
    NotThere {
        /// `storage`, `network`, `variable`.
        kind: &'static str,
        /// What was to be revoked.
        target: String,
        /// What there is.
        help: String,
    },
    /// The policy does not name the limit.
    #[error("the policy sets no limit `{name}`")]
    #[diagnostic(help("the operator's value holds already"))]
    NoLimit {
        /// The limit.
        name: String,
    },
    /// The limit cannot be set.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Limit(#[from] LimitError),
    /// Two values for one header.
    #[error("`{first}` and `{second}` add one header with two values")]
    #[diagnostic(help("revoke the first rule, or give the header one value"))]
    Contradiction {
        /// A rule.
        first: String,
        /// The other rule.
        second: String,
    },
    /// A variable of another value that is there for longer.
    #[error(
        "`{there}` would take the place of the same variable with another value, and end first"
    )]
    #[diagnostic(help("revoke the variable first, or grant it for as long"))]
    Sooner {
        /// The rule that was to be granted.
        there: String,
    },
    /// A variable that no document could name.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Variable(#[from] VariableError),
    /// What no document can say would be lost with the next reading of it.
    #[error("the policy could not be read again: {what}")]
    Unreadable {
        /// What is wrong.
        what: String,
        /// What to write instead.
        #[help]
        help: String,
    },
    /// More than a document can hold.
    #[error("the policy would have more than 64 KiB, or than 1000 rules of a kind")]
    #[diagnostic(help("revoke what is not needed, or allow directories instead of files"))]
    TooLarge,
}

impl Policy {
    /// The policy after `edit`. A grant joins with others of the same target and the same end, and
    /// takes the place of those which it covers; one which is covered changes nothing.
    ///
    /// # Errors
    ///
    /// If there is nothing to revoke, or if what comes out is no policy.
    pub fn edit(&self, edit: &Edit) -> Result<Edited, EditError> {
        let mut policy = self.clone();
        let mut remarks = match edit {
            Edit::Grant(AnyRule::Storage(rule)) => policy.grant_files(rule),
            Edit::Grant(AnyRule::Network(rule)) => policy.grant_host(rule)?,
            Edit::Grant(AnyRule::Variable(rule)) => policy.grant_variable(rule)?,
            Edit::Revoke(target) => policy.revoke(target)?,
            Edit::Limit(name, setting) => {
                policy.limits.set(name, setting.clone())?;
                Vec::new()
            }
            Edit::Reset => {
                policy = Self::default();
                Vec::new()
            }
        };
        if !policy.fits() {
            return Err(EditError::TooLarge);
        }
        if let Err(PolicyError { what, help, .. }) = Self::parse(&policy.to_yaml()) {
            return Err(EditError::Unreadable { what, help });
        }
        let mut changes = policy.changes_since(self);
        changes.append(&mut remarks);
        Ok(Edited { widens: policy.widens(self), policy, changes })
    }

    fn grant_files(&mut self, rule: &StorageRule) -> Vec<String> {
        let allow = &mut self.storage.allow;
        if let Some(wide) = allow.iter().find(|wide| wide.covers(rule)) {
            return vec![already(wide)];
        }
        let joined =
            allow.iter().find_map(|other| other.merge(rule)).unwrap_or_else(|| rule.clone());
        let mut remarks = take_place(allow, joined, |wide, narrow| wide.covers(narrow));
        let deny =
            |deny: &&StorageRule| deny.covers(&StorageRule::new(rule.uri.clone(), deny.access));
        remarks.extend(self.storage.deny.iter().filter(deny).map(denied));
        remarks
    }

    fn grant_host(&mut self, rule: &NetworkRule) -> Result<Vec<String>, EditError> {
        let allow = &mut self.network.allow;
        if let Some(wide) = allow.iter().find(|wide| wide.covers(RuleKind::Allow, rule)) {
            return Ok(vec![already(wide)]);
        }
        let joined = allow.iter().find_map(|other| other.merge(RuleKind::Allow, rule));
        let joined = joined.unwrap_or_else(|| rule.clone());
        let mut remarks =
            take_place(allow, joined, |wide, narrow| wide.covers(RuleKind::Allow, narrow));
        if let Some((first, second)) = contradiction(allow) {
            return Err(EditError::Contradiction {
                first: first.to_string(),
                second: second.to_string(),
            });
        }
        let deny = |deny: &&NetworkRule| deny.target().covers(rule.target());
        remarks.extend(self.network.deny.iter().filter(deny).map(denied));
        Ok(remarks)
    }

    /// A variable has one value, so its rule is replaced; but not by one that ends before it, for a
    /// grant takes nothing away.
    fn grant_variable(&mut self, rule: &VariableRule) -> Result<Vec<String>, EditError> {
        rule.check()?;
        match self.environment.iter_mut().find(|other| other.key == rule.key) {
            Some(other) if other.covers(rule) => return Ok(vec![already(other)]),
            Some(other) if !lasts(rule.until, other.until) => {
                return Err(EditError::Sooner { there: rule.to_string() });
            }
            Some(other) => *other = rule.clone(),
            None => self.environment.push(rule.clone()),
        }
        Ok(Vec::new())
    }

    fn revoke(&mut self, target: &Target) -> Result<Vec<String>, EditError> {
        match target {
            Target::Storage(uri) => {
                let spell = |rule: &StorageRule| rule.uri.to_string();
                let allow = &mut self.storage.allow;
                take_out(allow, "storage", &uri.to_string(), spell, |rule| rule.uri == *uri)?;
                let wide = |wide: &&StorageRule| {
                    wide.covers(&StorageRule { uri: uri.clone(), ..(*wide).clone() })
                };
                Ok(allow.iter().filter(wide).map(still).collect())
            }
            Target::Network(rule) => {
                let spell = |rule: &NetworkRule| rule.target().to_string();
                let allow = &mut self.network.allow;
                take_out(allow, "network", &rule.target().to_string(), spell, |own| {
                    own.meets(rule)
                })?;
                let wide = |wide: &&NetworkRule| wide.target().covers(rule.target());
                Ok(allow.iter().filter(wide).map(still).collect())
            }
            Target::Variable(key) => {
                let spell = |rule: &VariableRule| rule.key.clone();
                take_out(&mut self.environment, "variable", key, spell, |rule| rule.key == *key)?;
                Ok(Vec::new())
            }
            Target::Limit(name) => match self.limits.remove(name) {
                Some(_) => Ok(Vec::new()),
                // An unknown name is told as such.
                None => match LimitRules::default().set(name, Setting::Number(1)) {
                    Err(error @ LimitError::Unknown { .. }) => Err(error.into()),
                    _ => Err(EditError::NoLimit { name: name.clone() }),
                },
            },
        }
    }
}

/// Puts `rule` into `rules`, where the first rule which it covers stood, and takes all others out
/// which it covers. Names those which were about something narrower.
fn take_place<R: Clone + std::fmt::Display>(
    rules: &mut Vec<R>,
    rule: R,
    covers: impl Fn(&R, &R) -> bool,
) -> Vec<String> {
    let place = rules.iter().position(|other| covers(&rule, other));
    let covered = |other: &&R| covers(&rule, other);
    let remarks = rules
        .iter()
        .filter(covered)
        .map(|other| format!("`{other}` is part of `{rule}` now"))
        .collect();
    match place.and_then(|place| rules.get_mut(place)) {
        Some(other) => *other = rule.clone(),
        None => rules.push(rule.clone()),
    }
    let mut kept = false;
    rules.retain(|other| !covers(&rule, other) || !std::mem::replace(&mut kept, true));
    remarks
}

/// Takes the rules out that `matches` finds; at least one.
fn take_out<R>(
    rules: &mut Vec<R>,
    kind: &'static str,
    target: &str,
    spell: impl Fn(&R) -> String,
    matches: impl Fn(&R) -> bool,
) -> Result<(), EditError> {
    let before = rules.len();
    let there: Vec<String> = rules.iter().map(spell).collect();
    rules.retain(|rule| !matches(rule));
    if rules.len() < before {
        return Ok(());
    }
    let known: Vec<&str> = there.iter().map(String::as_str).collect();
    let help = match nearest_to(target, &known) {
        Some(near) => format!("the nearest that it allows is `{near}`"),
        None => "`wassette permission list` shows what it allows".to_owned(),
    };
    Err(EditError::NotThere { kind, target: target.to_owned(), help })
}

fn already(rule: &impl std::fmt::Display) -> String {
    format!("nothing changes: `{rule}` is allowed already")
}

fn denied(rule: &impl std::fmt::Display) -> String {
    format!("the rule `{rule}` under `deny` still wins")
}

fn still(rule: &impl std::fmt::Display) -> String {
    format!("`{rule}` is still allowed and includes it")
}

#[cfg(test)]
pub(crate) mod tests;
