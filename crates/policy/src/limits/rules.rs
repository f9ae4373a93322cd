//! Limits as a policy or an operator writes them, and how both come together.
//!
//! What comes out is always finite and never more than the operator allows.

use std::collections::BTreeMap;

use super::{Amount, LimitError, Limits, Setting, Wanted};
use crate::quantity::Span;

/// The limits that a document names, as they were written; each was read and can be held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitRules(BTreeMap<&'static str, Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    written: Setting,
    wanted: Wanted,
}

impl LimitRules {
    /// Names the limit `name`, and gives back what was written for it before.
    pub fn set(&mut self, name: &str, setting: Setting) -> Result<Option<Setting>, LimitError> {
        let wanted = Limits::read(name, &setting)?;
        let known = Limits::NAMES.into_iter().find(|known| *known == name);
        let before = known.and_then(|name| self.0.insert(name, Rule { written: setting, wanted }));
        Ok(before.map(|rule| rule.written))
    }

    /// Leaves the limit `name` to the operator again, and gives back what was written for it.
    pub fn remove(&mut self, name: &str) -> Option<Setting> {
        self.0.remove(name).map(|rule| rule.written)
    }

    /// What is written for the limit `name`.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.0.get(name).map(|rule| &rule.written)
    }

    /// What is written, in the order of [`Limits::NAMES`].
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Setting)> {
        Limits::NAMES.into_iter().filter_map(|name| Some((name, self.get(name)?)))
    }

    /// Whether no limit is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The limits of a component whose policy names these: what it does not name is the operator's
    /// value, and nothing is beyond the operator's ceiling. Says in words what was lowered to it.
    pub fn apply(&self, operator: &OperatorLimits) -> (Limits, Vec<String>) {
        let mut limits = operator.values.clone();
        let mut lowered = Vec::new();
        for name in by_dependence() {
            let Some(rule) = self.0.get(name) else { continue };
            let wanted = rule.wanted.amount(limits.time);
            let Some(most) = operator.ceiling.amount(name) else { continue };
            if wanted > most {
                let written = &rule.written;
                lowered.push(format!(
                    "the limit `{name}` is {most}, not {written}: the operator allows no more"
                ));
            }
            limits.put(name, wanted.min(most));
        }
        (limits, lowered)
    }

    /// Whether some operator's limits under these rules are more than under `before`.
    pub(crate) fn widen(&self, before: &Self) -> bool {
        let defaults = Limits::default();
        Limits::NAMES.into_iter().any(|name| match (before.0.get(name), self.0.get(name)) {
            (None, None) => false,
            // The operator's value takes over, and may be more.
            (Some(_), None) => true,
            // An operator who names a limit caps it with the very value that was in force.
            (None, Some(now)) => match now.wanted {
                Wanted::Amount(amount) => Some(amount) > defaults.amount(name),
                Wanted::Share(_) => true,
            },
            (Some(before), Some(now)) => match (before.wanted, now.wanted) {
                (Wanted::Amount(before), Wanted::Amount(now)) => now > before,
                (Wanted::Share(before), Wanted::Share(now)) => now > before,
                _ => true,
            },
        })
    }
}

/// What an operator allows: the value of each limit for whoever names none, and the ceiling for
/// whoever does. What the operator names is both; what the operator does not name is the default,
/// up to the most that the sandbox can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorLimits {
    values: Limits,
    ceiling: Limits,
}

impl OperatorLimits {
    /// The limits of an operator who wrote `rules`.
    pub fn new(rules: &LimitRules) -> Self {
        let (mut values, mut ceiling) = (Limits::default(), Limits::most());
        for name in by_dependence() {
            if let Some(rule) = rules.0.get(name) {
                let amount = rule.wanted.amount(values.time);
                let amount = Limits::most().amount(name).map_or(amount, |most| amount.min(most));
                values.put(name, amount);
                ceiling.put(name, amount);
            }
        }
        Self { values, ceiling }
    }

    /// These, as far as `ceiling` lets them be: what it names is lowered to it and never raised.
    #[must_use]
    pub fn within(mut self, ceiling: &LimitRules) -> Self {
        for name in by_dependence() {
            let Some(rule) = ceiling.0.get(name) else { continue };
            let most = rule.wanted.amount(self.values.time);
            for limits in [&mut self.values, &mut self.ceiling] {
                if limits.amount(name).is_some_and(|amount| amount > most) {
                    limits.put(name, most);
                }
            }
        }
        self
    }

    /// Twice of what `limits` have of `name`, as far as no policy goes beyond, as it is spelled;
    /// none where they have all that there may be.
    pub fn more(&self, name: &str, limits: &Limits) -> Option<String> {
        let (now, most) = (limits.amount(name)?, self.ceiling.amount(name)?);
        (now < most).then(|| now.doubled().min(most).to_string())
    }

    /// The limits of a component whose policy names none.
    pub fn values(&self) -> &Limits {
        &self.values
    }

    /// What no policy goes beyond.
    pub fn ceiling(&self) -> &Limits {
        &self.ceiling
    }
}

impl Default for OperatorLimits {
    fn default() -> Self {
        Self::new(&LimitRules::default())
    }
}

impl Wanted {
    fn amount(self, time: Span) -> Amount {
        match self {
            Self::Amount(amount) => amount,
            Self::Share(share) => Amount::Span(share.of(time)),
        }
    }
}

/// All names; `cpu` last, for it may be a share of the time.
fn by_dependence() -> impl Iterator<Item = &'static str> {
    Limits::NAMES.into_iter().filter(|name| *name != "cpu").chain(["cpu"])
}
