//! The way from nothing known to the smallest policy that was seen to be enough: round after round,
//! each with what was refused in the one before, then once more under what is to be proposed.

use std::collections::BTreeMap;
use std::sync::Arc;

use wassette_policy::{AnyRule, Denial, Edit, Grant, Policy, StorageRule};
use wassette_sandbox::{Pins, is_of_the_system};

use super::need::{self, Need, needed};
use super::round::Round;
use super::{LearnError, LearnStage, Lesson};
use crate::catalog::Component;
use crate::code::blocking;
use crate::tool::{JsonObject, Tool};
use crate::toolbox::Toolbox;

/// A rule that cannot be.
pub(super) struct Void {
    pub(super) rule: StorageRule,
    pub(super) why: String,
}

/// One lesson, under way.
pub(super) struct Learner {
    pub(super) toolbox: Toolbox,
    pub(super) component: Arc<Component>,
    pub(super) calls: Vec<(Arc<Tool>, JsonObject)>,
    /// What is granted, and where its rules stand.
    pub(super) base: Policy,
    pub(super) pins: Pins,
    pub(super) rounds: u32,
    pub(super) overlay: bool,
    /// Rules that cannot be, as they are spelled, and why. A file that is not there can be written
    /// and not be read.
    pub(super) void: BTreeMap<String, Void>,
    /// All that was refused, in all rounds.
    pub(super) denials: Vec<Denial>,
    pub(super) made: u32,
}

impl Learner {
    /// Goes from round to round, and then tries what it found.
    pub(super) async fn learn(
        mut self,
        progress: &(dyn Fn(LearnStage) + Sync),
    ) -> Result<Lesson, LearnError> {
        let mut asked = Policy::default();
        let mut notes = Vec::new();
        let (mut last, is_complete) = loop {
            progress(LearnStage::Round(self.made + 1));
            let void = self.void.len();
            let round = self.round(&asked).await?;
            asked.storage.allow.retain(|rule| !self.void.contains_key(&rule.to_string()));
            let more = self.more(&asked, &round);
            // A rule that turned out to be void stood for what lies in its place, too.
            if more == asked && self.void.len() == void {
                break (round, true);
            }
            asked = more;
            if self.made >= self.rounds {
                notes.push(format!(
                    "after {} rounds there was still something new: accept what is right of this, \
                     and learn again",
                    self.made
                ));
                break (round, false);
            }
        };
        let mut files = Policy { limits: Default::default(), ..asked.clone() };
        if self.overlay && is_complete {
            let Need { policy, folders } = self.needed(&last).await?;
            let exact = Policy { limits: asked.limits.clone(), ..policy.clone() };
            let suffices = exact == asked || {
                progress(LearnStage::Trial);
                let void = self.void.len();
                let trial = self.round(&exact).await?;
                let suffices = self.void.len() == void && self.more(&exact, &trial) == exact;
                if suffices {
                    last = trial;
                }
                suffices
            };
            if suffices {
                files = policy;
                notes.extend(folders);
            }
        }
        let wanted = Policy { limits: asked.limits, ..files };
        Ok(self.lesson(wanted, last, notes))
    }

    /// Fails once the component, or what is granted to it, is another than when the lesson began.
    pub(super) fn unchanged(&self) -> Result<(), LearnError> {
        let Component { id, content, permissions, .. } = &*self.component;
        let catalog = self.toolbox.shared.current();
        let is_there = catalog.component(id).is_some_and(|now| now.content == *content);
        if is_there && !permissions.authority.is_superseded() {
            Ok(())
        } else {
            Err(LearnError::Changed { id: id.clone() })
        }
    }

    /// What is asked for after `round`, whose refusals were made under `asked`.
    fn more(&self, asked: &Policy, round: &Round) -> Policy {
        let mut more = asked.clone();
        for edit in round.denials.iter().filter_map(|denial| self.wish(denial)) {
            let helps = match &edit {
                Edit::Grant(AnyRule::Storage(_)) => self.overlay,
                Edit::Limit(name, _) => !self.stays(name),
                _ => false,
            };
            if helps {
                more = self.with(more, &edit);
            }
        }
        let (gathered, _) = need::gathered(&more, |rule| self.void.contains_key(rule));
        gathered
    }

    /// `edit`, or the same path from the root, where it is of the workspace and cannot be: a guest's
    /// path may be either, and what is refused is named as one that begins at the workspace.
    pub(super) fn rooted(&self, edit: Edit) -> Edit {
        let Edit::Grant(AnyRule::Storage(rule)) = &edit else { return edit };
        let is_void = self.void.contains_key(&rule.to_string());
        let uri = rule.uri.to_string();
        // What begins like a folder of the system was named so because it is of the workspace.
        let is_plain = |path: &&str| !is_of_the_system(path.split('/').next().unwrap_or_default());
        let path = uri.strip_prefix("fs://workspace/").filter(|_| is_void).filter(is_plain);
        let other = path.and_then(|path| {
            Grant::storage(&format!("fs:///{path}"), &rule.access.to_string())?.edit()
        });
        other.unwrap_or(edit)
    }

    /// `policy` after `edit`, or as it is if that makes a rule that cannot be.
    pub(super) fn with(&self, policy: Policy, edit: &Edit) -> Policy {
        let is_void = |rule: &StorageRule| self.void.contains_key(&rule.to_string());
        match policy.edit(edit) {
            Ok(edited) if !edited.policy.storage.allow.iter().any(is_void) => edited.policy,
            _ => policy,
        }
    }

    /// The smallest rules for files under which the last round could have been.
    async fn needed(&self, last: &Round) -> Result<Need, LearnError> {
        let (uses, granted) = (last.uses.clone(), self.component.permissions.grants.clone());
        let void: Vec<String> = self.void.keys().cloned().collect();
        // Where a path leads is found out on the disk.
        Ok(blocking(move || {
            let is_granted = |uri: &str, access| granted.explain(uri, access).is_ok();
            needed(&uses, is_granted, |rule| void.iter().any(|void| void == rule))
        })
        .await?)
    }

    /// Whether the limit stays as it is while learning: what goes out, in number too; what is written
    /// where that is real; how often there are calls; and time, of which nobody knows whether more
    /// would be enough.
    pub(super) fn stays(&self, limit: &str) -> bool {
        match limit {
            "requests" | "requests-in-flight" | "response-bytes" => true,
            "calls-per-minute" | "concurrency" | "cpu" | "time" => true,
            "write-bytes" => !self.overlay,
            _ => false,
        }
    }
}
