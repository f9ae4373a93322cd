//! What one component may do: what was granted to it, as far as the operator's ceiling allows.
//!
//! Everything that is enforced is decided here and nowhere else, and `policy explain` asks here too.
//! An effect is allowed only where both documents allow it; what neither speaks of is denied.

mod files;
mod network;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use files::FileRules;

use crate::VariableRule;
use crate::denial::{Denial, Effect, Grant};
use crate::document::Policy;
use crate::network::{NetworkRule, Protocol};
use crate::permit::Permit;
use crate::storage::RuleKind;
use crate::template::Inject;

/// The effective policy of one component. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Effective(Arc<Documents>);

#[derive(Debug)]
struct Documents {
    component: String,
    granted: Arc<Policy>,
    ceiling: Option<Arc<Policy>>,
}

/// Which document an answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tier {
    Granted,
    Ceiling,
}

/// Why a document does not allow something.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refusal {
    /// A rule denies it, so that no grant would help.
    Denied(String),
    /// No rule allows it.
    Unmatched(String),
    /// Rules allow other paths of the host.
    OtherPath(String),
    /// Rules allow the host, or some of its paths alone, but not the address that it stands for.
    NotPublic { reason: String, only_paths: bool },
    /// No rule allows it, and none that could be written should.
    Hopeless(String),
}

impl Effective {
    /// What `granted` allows to `component`, as far as `ceiling` does; without a ceiling, all of it.
    /// No clock is asked here: both must be as they are now, without rules that have ended, which is
    /// what [`Policy::at`] gives.
    pub fn new(component: &str, granted: Arc<Policy>, ceiling: Option<Arc<Policy>>) -> Self {
        Self(Arc::new(Documents { component: component.to_owned(), granted, ceiling }))
    }

    /// Nothing at all.
    pub fn none(component: &str) -> Self {
        Self::new(component, Arc::default(), None)
    }

    /// The component's id.
    pub fn component(&self) -> &str {
        &self.0.component
    }

    fn granted(&self) -> &Policy {
        &self.0.granted
    }

    /// The documents that have to allow an effect. The ceiling comes first: where it refuses, no
    /// grant would help, and none must be offered.
    fn tiers(&self) -> impl Iterator<Item = (Tier, &Policy)> {
        let ceiling = self.0.ceiling.as_deref().map(|policy| (Tier::Ceiling, policy));
        ceiling.into_iter().chain([(Tier::Granted, self.granted())])
    }

    /// The variable `key`.
    ///
    /// # Errors
    /// A [`Denial`] if the granted policy does not list the key, or the ceiling does not, or they
    /// give it different values.
    pub fn variable(&self, key: &str) -> Result<Permit<String>, Denial> {
        let refuse = |tier, reason: String| {
            let grant = VariableRule::check_key(key).ok().and_then(|()| Grant::variable(key));
            Err(Refusal::Unmatched(reason).denial(tier, Effect::Variable, key, grant))
        };
        let unlisted = || format!("no rule lists the key `{key}`");
        let granted = listed(self.granted(), key);
        if let Some(ceiling) = &self.0.ceiling {
            match (listed(ceiling, key), granted) {
                (None, _) => return refuse(Tier::Ceiling, unlisted()),
                (Some(Some(only)), Some(Some(value))) if only != value => {
                    return refuse(Tier::Ceiling, format!("it gives `{key}` another value"));
                }
                _ => {}
            }
        }
        match granted {
            None => refuse(Tier::Granted, unlisted()),
            Some(_) => Ok(Permit::new(key.to_owned(), key.to_owned(), self.clone())),
        }
    }

    /// The keys of all variables that the component may see, sorted.
    pub fn variables(&self) -> Vec<String> {
        let keys: BTreeSet<&str> =
            self.granted().environment.iter().map(|rule| rule.key.as_str()).collect();
        keys.into_iter().filter(|key| self.variable(key).is_ok()).map(str::to_owned).collect()
    }

    /// The value that a rule fixes for a permitted variable.
    pub(crate) fn fixed_value(&self, key: &str) -> Option<&str> {
        let ceiling = || self.0.ceiling.as_deref().and_then(|policy| listed(policy, key)).flatten();
        listed(self.granted(), key).flatten().or_else(ceiling)
    }

    /// Whether any rule of both documents allows something of this protocol, so that it is worth
    /// being enabled. Each effect is judged by itself all the same.
    pub fn speaks(&self, protocol: Protocol) -> bool {
        let allows = |rule: &NetworkRule| rule.speaks(RuleKind::Allow, protocol);
        self.tiers().all(|(_, policy)| policy.network.allow.iter().any(allows))
    }

    /// The names of all secrets that a granted rule adds to requests.
    pub fn injected(&self) -> BTreeSet<String> {
        let rules = self.granted().network.allow.iter();
        rules
            .flat_map(|rule| rule.injects())
            .map(Inject::value)
            .flat_map(|value| value.secrets())
            .map(str::to_owned)
            .collect()
    }
}

/// Whether `policy` lists `key`, and the value it fixes for it.
fn listed<'a>(policy: &'a Policy, key: &str) -> Option<Option<&'a str>> {
    policy.environment.iter().find(|rule| rule.key == key).map(|rule| rule.value.as_deref())
}

impl Refusal {
    /// The denial in words, with the grant that would allow it where one would.
    fn denial(self, tier: Tier, effect: Effect, target: &str, grant: Option<Grant>) -> Denial {
        let (reason, grant) = match (tier, self) {
            (
                Tier::Granted,
                Self::Unmatched(reason) | Self::OtherPath(reason) | Self::NotPublic { reason, .. },
            ) => (reason, grant),
            (Tier::Granted, Self::Hopeless(reason)) => (reason, None),
            (Tier::Granted, Self::Denied(reason)) => {
                (format!("{reason}; a deny wins until it is taken out of the policy"), None)
            }
            (
                Tier::Ceiling,
                Self::Denied(why)
                | Self::Unmatched(why)
                | Self::OtherPath(why)
                | Self::NotPublic { reason: why, .. }
                | Self::Hopeless(why),
            ) => {
                let reason = "the operator's ceiling does not allow it";
                (format!("{reason}: {why}; only the operator can widen it"), None)
            }
        };
        Denial::new(effect, target, &reason).with_grant(grant)
    }
}

#[cfg(test)]
mod tests;
