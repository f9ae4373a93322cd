//! Changing what a component may do. An edit begins at what lies in the store at that moment, even
//! if a person wrote it there by hand a second ago; it is checked as a whole, written in one step
//! and in force when this returns, also for calls that are under way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use wassette_policy::{AnyRule, Edit, EditError, Policy, StorageRoot, StorageRule, word};
use wassette_sandbox::{Pins, Stand, StorageProblem};
use wassette_store::{Digest, Entry, Misfit, Writer};

use crate::audit::Decision;
use crate::catalog::Component;
use crate::code::{blocking, in_turn};
use crate::error::PermissionError;
use crate::load::PATIENCE;
use crate::terms::{Granted, granted, understood};
use crate::toolbox::Toolbox;

/// On whose word a policy is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum By {
    /// The operator's, who is never asked. It goes into the log here.
    Operator,
    /// A model's, which may only narrow.
    Model,
    /// That of a person who was shown this.
    Person(Shown),
}

/// What a change must still come to when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Its lines, unless it is the same rules with an end.
    pub(crate) lines: Option<Vec<String>>,
    /// Where the rules on files that it grants stand.
    pub(crate) places: Vec<String>,
}

impl Shown {
    /// Whether `change` is what was shown.
    pub(crate) fn is(&self, change: &PolicyChange) -> bool {
        self.places == change.places
            && self.lines.as_ref().is_none_or(|lines| *lines == change.lines())
    }
}

/// What an edit changed, or would change.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyChange {
    /// The component's id.
    pub component: String,
    /// The policy that was in force.
    pub before: Policy,
    /// The policy that is in force from now on, or would be.
    pub after: Policy,
    /// What changed, a line each, and what is to be known about it.
    pub changes: Vec<String>,
    /// Whether the component may do something that it could not do before.
    pub widens: bool,
    /// What is to be known about its rules, a sentence each: those that reach nothing as things are,
    /// and those that do not stand where they say.
    pub notes: Vec<String>,
    /// Where the rules on files stand that are granted: the rule, its place, and what no other
    /// directory has.
    pub(crate) places: Vec<String>,
}

impl PolicyChange {
    /// What changes, and what is to be known about it, as a person is shown it.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.changes.iter().chain(&self.notes).cloned().collect()
    }

    /// Notes where the rules stand by `pins` that are new, or that are granted `again`.
    fn place(&mut self, again: &[String], pins: &Pins) {
        let before = &self.before.storage.allow;
        let new = self.after.storage.allow.iter().filter(|rule| !before.contains(rule));
        let rules: BTreeSet<String> =
            new.map(|rule| rule.uri.to_string()).chain(again.iter().cloned()).collect();
        for uri in &rules {
            let Some(Stand { path, identity }) = pins.stand(uri) else { continue };
            let named = uri.strip_prefix("fs://").unwrap_or(uri);
            let is_there = named.strip_prefix(path.trim_end_matches('/'));
            if !is_there.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                self.notes.push(format!("{} leads to {}", word(uri), word(&path)));
            }
            self.places.push(format!("{uri} {path} {identity}"));
        }
    }

    /// Whether it takes something out that holds a later grant back. A policy that allows nothing is
    /// no wider without it, but the next grant would be.
    pub(crate) fn loosens(&self) -> bool {
        let (before, after) = (&self.before, &self.after);
        let limits = before.limits != after.limits && !before.limits.is_empty();
        let storage = before.storage.deny.iter().any(|rule| !after.storage.deny.contains(rule));
        let network = before.network.deny.iter().any(|rule| !after.network.deny.contains(rule));
        limits || storage || network
    }
}

/// Whether a policy counts for the very bytes alone that the component has now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pinning {
    /// As before; a policy that is new, or that begins anew, is not pinned.
    #[default]
    Keep,
    /// For these bytes alone.
    Pin,
    /// For any bytes from the component's source.
    Unpin,
}

/// How a policy is to be changed.
pub(crate) enum Change {
    Edits(Vec<Edit>),
    Whole(Box<Policy>),
}

impl Change {
    /// Whether it takes back all that there was, also that it was pinned.
    fn is_reset(&self) -> bool {
        matches!(self, Self::Edits(edits) if matches!(edits.first(), Some(Edit::Reset)))
    }

    /// Whether it only takes rules away.
    fn is_revocation(&self) -> bool {
        let revokes = |edit: &Edit| matches!(edit, Edit::Revoke(_));
        matches!(self, Self::Edits(edits) if !edits.is_empty() && edits.iter().all(revokes))
    }

    /// Whether it does not matter what the policy was before.
    fn starts_anew(&self) -> bool {
        self.is_reset() || matches!(self, Self::Whole(_))
    }

    /// The storage rules that a person names by hand.
    fn granted_again(&self) -> impl Iterator<Item = String> {
        let edits = match self {
            Self::Edits(edits) => edits.as_slice(),
            Self::Whole(_) => &[],
        };
        edits.iter().filter_map(|edit| match edit {
            Edit::Grant(AnyRule::Storage(rule)) => Some(rule.uri.to_string()),
            _ => None,
        })
    }

    /// What it makes of `before`.
    fn apply(&self, component: &str, before: Policy) -> Result<PolicyChange, EditError> {
        let (after, changes, widens) = match self {
            Self::Whole(policy) => {
                (Policy::clone(policy), policy.changes_since(&before), policy.widens(&before))
            }
            Self::Edits(edits) => {
                let (mut policy, mut changes, mut widens) = (before.clone(), Vec::new(), false);
                for edit in edits {
                    let edited = policy.edit(edit)?;
                    policy = edited.policy;
                    changes.extend(edited.changes);
                    widens |= edited.widens;
                }
                (policy, changes, widens)
            }
        };
        let component = component.to_owned();
        Ok(PolicyChange {
            component,
            before,
            after,
            changes,
            widens,
            notes: Vec::new(),
            places: Vec::new(),
        })
    }
}

impl Toolbox {
    /// Changes the policy of the component `id` by `edits`, one after the other: all of them or
    /// none.
    ///
    /// # Errors
    /// All of [`PermissionError`] but those of questions and secrets. A policy that cannot be read
    /// is not changed, unless the first edit is [`Edit::Reset`].
    pub async fn edit_policy(
        &self,
        id: &str,
        edits: Vec<Edit>,
    ) -> Result<PolicyChange, PermissionError> {
        self.edit_policy_with(id, edits, Pinning::Keep).await
    }

    /// Does what [`edit_policy`](Self::edit_policy) does, and pins the policy or takes the pin away.
    /// Without edits that is all. A policy that is pinned to other bytes counts for the present ones
    /// if it is pinned anew.
    ///
    /// # Errors
    /// Those of [`edit_policy`](Self::edit_policy).
    pub async fn edit_policy_with(
        &self,
        id: &str,
        edits: Vec<Edit>,
        pinning: Pinning,
    ) -> Result<PolicyChange, PermissionError> {
        let catalog = self.catalog().await;
        let component = catalog.known(id)?.clone();
        self.change(&component, Change::Edits(edits), pinning, By::Operator).await
    }

    /// Puts `policy` in the place of the policy of the component `id`.
    ///
    /// # Errors
    /// All of [`PermissionError`] but those of questions and secrets.
    pub async fn set_policy(
        &self,
        id: &str,
        policy: Policy,
    ) -> Result<PolicyChange, PermissionError> {
        let catalog = self.catalog().await;
        let component = catalog.known(id)?.clone();
        let change = Change::Whole(Box::new(policy));
        self.change(&component, change, Pinning::Keep, By::Operator).await
    }

    /// What [`set_policy`](Self::set_policy) would do now. Nothing is written.
    ///
    /// # Errors
    /// Those of [`set_policy`](Self::set_policy).
    pub async fn preview_policy(
        &self,
        id: &str,
        policy: Policy,
    ) -> Result<PolicyChange, PermissionError> {
        let catalog = self.catalog().await;
        let component = catalog.known(id)?.clone();
        let toolbox = self.clone();
        let change = Change::Whole(Box::new(policy));
        let draft = move || toolbox.draft(component.entry(), change, Pinning::Keep);
        Ok(blocking(draft).await??.change)
    }

    /// Changes the policy of `component`, which must still be the one that it was when whoever
    /// wants this looked at it.
    pub(crate) async fn change(
        &self,
        component: &Arc<Component>,
        change: Change,
        pinning: Pinning,
        by: By,
    ) -> Result<PolicyChange, PermissionError> {
        let (toolbox, component) = (self.clone(), component.clone());
        let rewrite = move || toolbox.rewrite(&component, change, pinning, &by);
        in_turn(&self.shared.writing, rewrite).await?
    }

    /// The part under the store's lock.
    fn rewrite(
        &self,
        component: &Component,
        change: Change,
        pinning: Pinning,
        by: &By,
    ) -> Result<PolicyChange, PermissionError> {
        let mut writer = self.shared.store.write(PATIENCE)?;
        let id = component.store_id();
        let entry = writer
            .index()
            .find(id)
            .cloned()
            .ok_or_else(|| PermissionError::Unknown { id: id.to_string(), nearest: None })?;
        if entry.digest != component.content || entry.source != component.source {
            return Err(PermissionError::Replaced { id: id.to_string() });
        }
        // Whoever begins anew wants nothing to be left, also of what lies in no file.
        let must_write = change.is_reset();
        let is_revocation = *by == By::Operator && change.is_revocation();
        let draft = match self.draft(&entry, change, pinning) {
            // What a server was granted until it stops stands in no file: it ends when the policy
            // is put again.
            Err(PermissionError::Edit(gone @ EditError::NotThere { .. })) if is_revocation => {
                self.put_again(writer, &entry)?;
                return Err(PermissionError::NotStored(gone));
            }
            draft => draft?,
        };
        // What was found harmless, or was shown, may be another change by now.
        let is_meant = match by {
            By::Operator => true,
            By::Model => !draft.change.widens && !draft.change.loosens(),
            By::Person(shown) => shown.is(&draft.change),
        };
        if !is_meant {
            return Err(PermissionError::Replaced { id: id.to_string() });
        }
        if draft.is_stored && !must_write {
            return Ok(draft.change);
        }
        if *by == By::Operator {
            self.shared.audit.decided(&Decision {
                kind: if draft.change.widens { "grant" } else { "change" },
                component: id.as_str(),
                digest: Some(&component.digest),
                lines: &draft.change.changes,
                is_yes: true,
                verdict: "decided",
                by: "operator",
                reason: None,
            })?;
        }
        writer.put_policy(id, &draft.change.after.to_yaml(), draft.pins, draft.pin)?;
        let index = writer.commit()?;
        self.shared.publish(&index);
        Ok(draft.change)
    }

    /// Puts the policy of `entry` as it is, which ends what servers granted beside it.
    fn put_again(&self, mut writer: Writer, entry: &Entry) -> Result<(), PermissionError> {
        let same = self.draft(entry, Change::Edits(Vec::new()), Pinning::Keep)?;
        writer.put_policy(&entry.id, &same.change.after.to_yaml(), same.pins, same.pin)?;
        self.shared.publish(&writer.commit()?);
        Ok(())
    }

    /// What `change` makes of what is stored for the component of `entry`.
    pub(crate) fn draft(
        &self,
        entry: &Entry,
        change: Change,
        pinning: Pinning,
    ) -> Result<Draft, PermissionError> {
        let stored = self.shared.store.policy(&entry.id);
        let found = stored.as_ref().ok().and_then(Option::as_ref);
        let misfit = found.and_then(|found| found.misfit(&entry.source, &entry.digest));
        let is_anothers = matches!(misfit, Some(Misfit::Source { .. }));
        let pinned = found.and_then(|found| found.binding.as_ref()?.digest);
        // What is written anew for a component whose bytes have changed counts for these.
        let is_pinned = match pinning {
            Pinning::Keep => pinned.is_some() && !is_anothers && !change.is_reset(),
            Pinning::Pin => true,
            Pinning::Unpin => false,
        };
        let pin = is_pinned.then_some(entry.digest);
        let understood = match misfit {
            // Somebody wants what was granted to other bytes for these.
            Some(Misfit::Digest { .. }) if pinning != Pinning::Keep => understood(entry, &stored),
            _ => granted(entry, &stored),
        };
        let (granted, is_sound) = match understood {
            Ok(granted) => (granted, true),
            // What was granted to another is not where this one begins.
            Err(_) if is_anothers || change.starts_anew() => (Granted::default(), false),
            Err(problem) => {
                let id = entry.id.to_string();
                return Err(match misfit {
                    Some(Misfit::Digest { pinned }) => PermissionError::Pinned { id, pinned },
                    _ => PermissionError::Broken { id, problem: problem.message },
                });
            }
        };
        let Granted { policy: before, pins, .. } = granted;
        // What has ended is not worth keeping.
        let before = before.at(SystemTime::now());
        let mut known = pins.clone();
        // A rule that is granted again stands where its path leads now.
        let again: Vec<String> = change.granted_again().collect();
        again.iter().for_each(|uri| known.forget(uri));
        let mut change = change.apply(entry.id.as_str(), before)?;
        let resolution = self.shared.terms.storage(&change.after, &known);
        for problem in resolution.problems {
            if is_fault_of(&problem, &change) {
                return Err(PermissionError::Place(problem));
            }
            change.notes.push(format!("{problem}; {}", problem.help));
        }
        change.place(&again, &resolution.pins);
        change.notes.extend(self.shared.terms.beyond(&change.after));
        change.notes.extend(change.after.cautions_since(&change.before, SystemTime::now()));
        let is_same = change.before == change.after;
        if !is_same && pinned.is_some() && pin.is_none() {
            change.widens = true;
            change.changes.push(counts_for_all(entry));
        }
        if let (false, Some(pin)) = (is_same, pin.filter(|pin| Some(*pin) != pinned)) {
            change.changes.push(counts_for(&pin));
        }
        let is_stored = is_sound && is_same && resolution.pins == pins && pin == pinned;
        if is_same && !is_stored {
            // What stands there now may be something else.
            change.widens |= is_sound;
            let said = match pin {
                Some(pin) if is_sound && Some(pin) != pinned => counts_for(&pin),
                None if is_sound && pinned.is_some() => counts_for_all(entry),
                _ if is_sound => "the same is granted anew, for what stands there now".to_owned(),
                _ => "what was stored, and granted nothing, is replaced".to_owned(),
            };
            change.changes = vec![said];
        }
        let pins = serde_json::to_value(&resolution.pins).map_err(|_| PermissionError::Stopped)?;
        Ok(Draft { change, pins, pin, is_stored, resolved: resolution.pins })
    }
}

fn counts_for(pin: &Digest) -> String {
    format!("the policy counts for {pin} alone")
}

fn counts_for_all(entry: &Entry) -> String {
    format!("the policy counts for all that comes from {}", entry.source)
}

/// A policy that may be written.
pub(crate) struct Draft {
    pub(crate) change: PolicyChange,
    /// Where its storage rules stand.
    pub(crate) resolved: Pins,
    pins: Value,
    /// The only bytes that it counts for, if it is pinned.
    pin: Option<Digest>,
    /// Whether it is what is stored already.
    is_stored: bool,
}

/// Whether `change` brings a rule that cannot be: one that was there before may have lost its place
/// since, and a workspace is wherever the server says that is started later.
fn is_fault_of(problem: &StorageProblem, change: &PolicyChange) -> bool {
    let names = |rule: &&StorageRule| rule.uri.to_string() == problem.rule;
    let was_there = change.before.storage.allow.iter().any(|rule| names(&rule));
    let mut rules = change.after.storage.allow.iter().filter(names);
    !was_there && rules.any(|rule| *rule.uri.root() == StorageRoot::Absolute)
}
