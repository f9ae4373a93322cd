//! A document as a request: what it asks for, edit by edit, and back.
//!
//! Only what adds can be asked for. A document that also takes something away is refused: granted in
//! part, it would allow more than its author wrote.

use std::time::SystemTime;

use miette::Diagnostic;
use thiserror::Error;

use crate::until::{Until, earlier};
use crate::{AnyRule, Edit, EditError, Policy};

/// Why something is no request for permissions.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum AdditionError {
    /// Neither a rule nor a limit.
    #[error("it asks for nothing")]
    #[diagnostic(help("name at least one rule under `allow`, or a limit"))]
    Nothing,
    /// A rule that denies.
    #[error("it has rules under `deny`, which are nothing to ask for")]
    #[diagnostic(help(
        "ask only for what is to be allowed; `wassette policy set` puts a whole policy in force, \
         with what it denies"
    ))]
    Denies,
    /// Limits that should end.
    #[error("it sets limits, and a limit is set for good")]
    #[diagnostic(help("ask for the limits by themselves, without an end"))]
    Limits,
    /// A change that takes something away.
    #[error("a request adds permissions, and neither revokes nor resets any")]
    #[diagnostic(help("make that change by itself"))]
    TakesAway,
    /// The parts do not go together.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Edit(#[from] EditError),
}

impl Policy {
    /// What the policy would add to another: a grant for each rule that allows, in their order, and
    /// each limit.
    ///
    /// # Errors
    ///
    /// If it denies something, or asks for nothing.
    pub fn additions(&self) -> Result<Vec<Edit>, AdditionError> {
        if !self.storage.deny.is_empty() || !self.network.deny.is_empty() {
            return Err(AdditionError::Denies);
        }
        let storage = self.storage.allow.iter().cloned().map(AnyRule::Storage);
        let network = self.network.allow.iter().cloned().map(AnyRule::Network);
        let variables = self.environment.iter().cloned().map(AnyRule::Variable);
        let limits = self.limits.iter();
        let limits = limits.map(|(name, setting)| Edit::Limit(name.to_owned(), setting.clone()));
        let grants = storage.chain(network).chain(variables).map(Edit::Grant);
        let additions: Vec<_> = grants.chain(limits).collect();
        if additions.is_empty() { Err(AdditionError::Nothing) } else { Ok(additions) }
    }

    /// The smallest policy that asks for what `edits` add: what another covers is left out, and
    /// rules of one target are joined as grants are. For one limit, the last setting counts.
    ///
    /// # Errors
    ///
    /// If an edit takes something away, if there is none, or if they do not go together.
    pub fn asking(edits: impl IntoIterator<Item = Edit>) -> Result<Self, AdditionError> {
        let asked = edits.into_iter().try_fold(Self::default(), |policy, edit| match edit {
            Edit::Grant(_) | Edit::Limit(..) => Ok(policy.edit(&edit)?.policy),
            Edit::Revoke(_) | Edit::Reset => Err(AdditionError::TakesAway),
        })?;
        if asked.is_empty() { Err(AdditionError::Nothing) } else { Ok(asked) }
    }

    /// The same request, all of whose rules end at `until`, or earlier if they say so.
    ///
    /// # Errors
    ///
    /// If it sets limits, which do not end, and those of [`Policy::additions`].
    pub fn ending(self, until: Until) -> Result<Self, AdditionError> {
        let additions = self.additions()?;
        if !self.limits.is_empty() {
            return Err(AdditionError::Limits);
        }
        // Granted anew, for a rule can be a part of another once both end together.
        let ending = additions.into_iter().map(|edit| match edit {
            Edit::Grant(rule) => Edit::Grant(rule.ending(until)),
            other => other,
        });
        Ok(Self { description: self.description, ..Self::asking(ending)? })
    }

    /// The policy as it is at `now`, without the rules that have ended. What is enforced is always
    /// this.
    #[must_use]
    pub fn at(&self, now: SystemTime) -> Self {
        let there = |until: Option<Until>| until.is_none_or(|until| !until.is_past(now));
        let mut policy = self.clone();
        policy.storage.allow.retain(|rule| there(rule.until));
        policy.network.allow.retain(|rule| there(rule.until()));
        policy.environment.retain(|rule| there(rule.until));
        policy
    }

    /// The next moment after `now` at which a rule ends, and so the policy changes by itself.
    pub fn next_end(&self, now: SystemTime) -> Option<Until> {
        let storage = self.storage.allow.iter().filter_map(|rule| rule.until);
        let network = self.network.allow.iter().filter_map(|rule| rule.until());
        let variables = self.environment.iter().filter_map(|rule| rule.until);
        storage.chain(network).chain(variables).filter(|until| !until.is_past(now)).min()
    }
}

impl AnyRule {
    /// The rule, which allows, until then at the latest.
    fn ending(self, until: Until) -> Self {
        match self {
            Self::Storage(mut rule) => {
                rule.until = earlier(rule.until, until);
                Self::Storage(rule)
            }
            Self::Network(rule) => Self::Network(rule.ending(until)),
            Self::Variable(mut rule) => {
                rule.until = earlier(rule.until, until);
                Self::Variable(rule)
            }
        }
    }
}

#[cfg(test)]
mod tests;
