//! From the last round to what is shown of it: the proposals, and what else a person has to know.

use wassette_policy::{AnyRule, Denial, Edit, Policy, RuleKind, StorageRule};
use wassette_sandbox::Authority;

use super::learner::{Learner, Void};
use super::round::Round;
use super::{Lesson, Proposal};

/// More refusals than these are not shown.
const SHOWN: usize = 20;

const UNTRIED: &str = "requests, variables, time and bytes of real files beyond what is granted stay \
                       refused while learning: with them, the calls may ask for more, so learn \
                       again then";
const SILENCED: &str = "requests that are granted were not sent any more once the component could \
                        use files that are not: accept the files first, then learn again";

impl Learner {
    /// The lesson that `last` is, in which `wanted` was allowed.
    pub(super) fn lesson(self, mut wanted: Policy, last: Round, mut notes: Vec<String>) -> Lesson {
        for edit in last.denials.iter().filter_map(|denial| self.wish(denial)) {
            wanted = self.with(wanted, &edit);
        }
        let edits = wanted.additions().unwrap_or_default();
        if edits.iter().any(|edit| self.is_untried(edit)) {
            notes.push(UNTRIED.to_owned());
        }
        let is_silenced = |denial: &Denial| denial.reason == Authority::SILENCED;
        if self.denials.iter().any(is_silenced) {
            notes.push(SILENCED.to_owned());
        }
        let is_met = |denial: &Denial| {
            self.wish(denial).is_some_and(|wish| edits.iter().any(|edit| covers(edit, &wish)))
        };
        // Of what cannot be granted a note tells, with what to do.
        let void = self.unmet(&wanted);
        let is_told = |denial: &Denial| {
            is_silenced(denial)
                || void.iter().any(|void| void.rule.uri.to_string() == denial.target)
        };
        let is_last = |denial: &Denial| last.denials.iter().any(|other| is_same(other, denial));
        let rest = self.denials.iter().filter(|denial| !is_met(denial) && !is_told(denial));
        let (now, earlier): (Vec<_>, Vec<_>) = rest.partition(|denial| is_last(denial));
        let earlier = earlier.into_iter().filter(|denial| denial.grant.is_some()).take(SHOWN);
        notes.extend(earlier.map(|denial| {
            format!("only in an earlier round, before it got the rest: the component {denial}")
        }));
        notes.extend(void.iter().map(|void| void.why.clone()));
        notes.extend(self.hints(&last));
        notes.extend(last.shortages);
        let refused = now.into_iter().filter(|denial| denial.grant.is_none()).take(SHOWN);
        Lesson {
            component: self.component.id.clone(),
            rounds: self.made,
            calls: last.calls,
            proposals: edits.iter().filter_map(|edit| self.proposal(edit)).collect(),
            refused: refused.cloned().collect(),
            notes,
            about: self.component,
        }
    }

    /// The rules that cannot be, and for which `wanted` has no other.
    fn unmet(&self, wanted: &Policy) -> Vec<&Void> {
        let covered = |rule: &StorageRule| wanted.storage.allow.iter().any(|has| has.covers(rule));
        let is_met = |void: &&Void| {
            let meant = self.rooted(Edit::Grant(AnyRule::Storage(void.rule.clone())));
            matches!(meant, Edit::Grant(AnyRule::Storage(meant)) if covered(&meant))
        };
        self.void.values().filter(|void| !is_met(void)).collect()
    }

    /// Whether it was not seen what the calls do with `edit`.
    fn is_untried(&self, edit: &Edit) -> bool {
        match edit {
            Edit::Grant(AnyRule::Network(_) | AnyRule::Variable(_)) => true,
            Edit::Limit(name, _) => self.stays(name),
            _ => false,
        }
    }

    /// The change that `denial` speaks of.
    pub(super) fn wish(&self, denial: &Denial) -> Option<Edit> {
        Some(self.rooted(denial.grant.as_ref()?.edit()?))
    }

    /// `edit` as it would change what is granted; none if it would change nothing.
    fn proposal(&self, edit: &Edit) -> Option<Proposal> {
        let edited = self.base.edit(edit).ok()?;
        if edited.policy == self.base {
            return None;
        }
        let is_for = |denial: &&Denial| self.wish(denial).is_some_and(|wish| covers(edit, &wish));
        let why = self.denials.iter().filter(is_for).take(SHOWN).map(ToString::to_string);
        Some(Proposal {
            edit: edit.clone(),
            policy: Policy::asking([edit.clone()]).ok()?,
            lines: edited.changes,
            why: why.collect(),
        })
    }
}

/// Whether both refuse the same, for whatever reason.
fn is_same(one: &Denial, other: &Denial) -> bool {
    (one.effect, &one.target) == (other.effect, &other.target)
}

/// Whether `wish` comes true with `edit`.
fn covers(edit: &Edit, wish: &Edit) -> bool {
    match (edit, wish) {
        (Edit::Grant(AnyRule::Storage(one)), Edit::Grant(AnyRule::Storage(other))) => {
            one.covers(other)
        }
        (Edit::Grant(AnyRule::Network(one)), Edit::Grant(AnyRule::Network(other))) => {
            one.covers(RuleKind::Allow, other)
        }
        (Edit::Grant(AnyRule::Variable(one)), Edit::Grant(AnyRule::Variable(other))) => {
            one.key == other.key
        }
        // The later amount is the larger.
        (Edit::Limit(one, _), Edit::Limit(other, _)) => one == other,
        _ => false,
    }
}
