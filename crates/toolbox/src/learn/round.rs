//! One round: all calls, one after the other, under what is granted and what is asked for, with
//! files on a copy that lives as long as the round.

use std::sync::Arc;

use wassette_policy::{Access, Denial, Effect, Effective, Policy};
use wassette_sandbox::{Manner, Overlay, OverlayLimits};
use wassette_wit_json::clean;

use super::learner::{Learner, Void};
use super::{LearnError, LearnedCall};
use crate::audit::Occasion;
use crate::call::{Under, offer_more};
use crate::code::blocking;

/// How much of an answer is shown.
const ANSWER: usize = 200;

/// What a round showed.
pub(super) struct Round {
    pub(super) calls: Vec<LearnedCall>,
    /// What was refused, each once.
    pub(super) denials: Vec<Denial>,
    /// What the component said in calls that failed and in which it asked for all its variables.
    pub(super) complaints: Vec<String>,
    /// Which files were used; empty without a copy.
    pub(super) uses: Vec<(String, Access, Manner)>,
    /// What could not be copied, a sentence each.
    pub(super) shortages: Vec<String>,
}

/// A copy that is gone with the round, also if it is stopped while a guest works on it.
struct OneRound(Overlay);

impl Drop for OneRound {
    fn drop(&mut self) {
        self.0.remove();
    }
}

impl Learner {
    /// Makes the calls, with what `asked` asks for.
    pub(super) async fn round(&mut self, asked: &Policy) -> Result<Round, LearnError> {
        self.made += 1;
        let mut policy = self.base.clone();
        // What does not fit beside what is granted is refused again, and told in the end.
        for edit in asked.additions().unwrap_or_default() {
            policy = policy.edit(&edit).map_or(policy, |edited| edited.policy);
        }
        let options = &self.toolbox.shared.options;
        let (limits, _) = policy.limits.apply(&options.limits);
        let (policy, overlay) = (Arc::new(policy), self.overlay);
        let (toolbox, pins, rules) = (self.toolbox.clone(), self.pins.clone(), policy.clone());
        let (resolution, overlay) = blocking(move || {
            let new = || Overlay::new(OverlayLimits::default()).map(OneRound);
            let overlay = overlay.then(new).transpose();
            (toolbox.shared.terms.storage(&rules, &pins), overlay)
        })
        .await?;
        let overlay = overlay.map_err(|source| LearnError::Copy { source })?;
        for problem in resolution.problems {
            let mut rules = asked.storage.allow.iter();
            if let Some(rule) = rules.find(|rule| rule.uri.to_string() == problem.rule) {
                let void = Void { rule: rule.clone(), why: format!("{problem}; {}", problem.help) };
                self.void.insert(rule.to_string(), void);
            }
        }
        let storage = match &overlay {
            Some(overlay) => resolution.grants.within(&overlay.0),
            None => resolution.grants,
        };
        let component = self.component.clone();
        let effective = Effective::new(&component.id, policy, options.ceiling.clone());
        let authority = &component.permissions.authority;
        let mut authority = authority.instead(effective, limits.clone(), storage);
        if !asked.storage.allow.is_empty() {
            // What it reads there nobody has granted it, and it must not get it out.
            authority = authority.silenced();
        }
        let authority = Arc::new(authority);
        let masker = &component.permissions.masker;
        let under =
            Under { authority: &authority, limits: &limits, masker, occasion: Occasion::Learning };

        let mut round = Round {
            calls: vec![],
            denials: vec![],
            complaints: vec![],
            uses: vec![],
            shortages: vec![],
        };
        for (tool, arguments) in &self.calls {
            self.unchanged()?;
            let output = self.toolbox.run(tool, &component, arguments, under).await;
            let mut denials = output.denials;
            if let Some(limit) = output.limit {
                let mut denial = Denial::new(Effect::Limit, limit, "the call was stopped there");
                offer_more(&mut denial, &limits, &options.limits);
                denials.push(denial);
            }
            for denial in denials {
                for all in [&mut round.denials, &mut self.denials] {
                    if !all.contains(&denial) {
                        all.push(denial.clone());
                    }
                }
            }
            if output.is_error && output.asked_for_all_variables {
                round.complaints.extend(output.text.first().cloned());
                round.complaints.push(output.stderr);
            }
            let text = output.text.first().map(|text| clean(text, ANSWER)).unwrap_or_default();
            let tool = tool.name.clone();
            round.calls.push(LearnedCall { tool, is_error: output.is_error, text });
        }
        self.unchanged()?;
        if let Some(overlay) = overlay {
            round.uses = overlay.0.uses();
            round.shortages = overlay.0.shortages();
            blocking(move || drop(overlay)).await?;
        }
        Ok(round)
    }
}
