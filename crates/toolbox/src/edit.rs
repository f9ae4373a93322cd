//! Changing what a component may do. An edit begins at what lies in the store at that moment, even
//! if a person wrote it there by hand a second ago; it is checked as a whole, written in one step
//! and in force when this returns, also for calls that are under way.

use serde_json::Value;
use wassette_policy::{AnyRule, Edit, EditError, Policy, StorageRoot, StorageRule};
use wassette_sandbox::StorageProblem;
use wassette_store::Entry;

use crate::catalog::Component;
use crate::code::{blocking, in_turn};
use crate::error::PermissionError;
use crate::load::PATIENCE;
use crate::terms::{Granted, granted};
use crate::toolbox::Toolbox;

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
    /// Rules that reach nothing as things are, a sentence each.
    pub notes: Vec<String>,
}

/// How a policy is to be changed.
enum Change {
    Edits(Vec<Edit>),
    Whole(Box<Policy>),
}

impl Change {
    /// Whether it does not matter what the policy was before.
    fn starts_anew(&self) -> bool {
        match self {
            Self::Edits(edits) => matches!(edits.first(), Some(Edit::Reset)),
            Self::Whole(_) => true,
        }
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
        Ok(PolicyChange { component, before, after, changes, widens, notes: Vec::new() })
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
        self.change(id, Change::Edits(edits)).await
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
        self.change(id, Change::Whole(Box::new(policy))).await
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
        blocking(move || Ok(toolbox.draft(component.entry(), change)?.change)).await?
    }

    async fn change(&self, id: &str, change: Change) -> Result<PolicyChange, PermissionError> {
        let catalog = self.catalog().await;
        let component = catalog.known(id)?.clone();
        let toolbox = self.clone();
        in_turn(&self.shared.writing, move || toolbox.rewrite(&component, change)).await?
    }

    /// The part under the store's lock.
    fn rewrite(
        &self,
        component: &Component,
        change: Change,
    ) -> Result<PolicyChange, PermissionError> {
        let mut writer = self.shared.store.write(PATIENCE)?;
        let id = component.store_id();
        let entry = writer
            .index()
            .find(id)
            .cloned()
            .ok_or_else(|| PermissionError::Unknown { id: id.to_string(), nearest: None })?;
        let draft = self.draft(&entry, change)?;
        if draft.is_stored {
            return Ok(draft.change);
        }
        writer.put_policy(id, &draft.change.after.to_yaml(), draft.pins)?;
        let index = writer.commit()?;
        self.shared.publish(&index);
        Ok(draft.change)
    }

    /// What `change` makes of what is stored for the component of `entry`.
    fn draft(&self, entry: &Entry, change: Change) -> Result<Draft, PermissionError> {
        let stored = self.shared.store.policy(&entry.id);
        let is_anothers = matches!(&stored, Ok(Some(stored)) if !stored.is_for(&entry.source));
        let (granted, is_sound) = match granted(entry, &stored) {
            Ok(granted) => (granted, true),
            // What was granted to another is not where this one begins.
            Err(_) if is_anothers || change.starts_anew() => (Granted::default(), false),
            Err(problem) => {
                let id = entry.id.to_string();
                return Err(PermissionError::Broken { id, problem: problem.message });
            }
        };
        let Granted { policy: before, pins } = granted;
        let mut known = pins.clone();
        // A rule that is granted again stands where its path leads now.
        change.granted_again().for_each(|uri| known.forget(&uri));
        let mut change = change.apply(entry.id.as_str(), before)?;
        let resolution = self.shared.terms.storage(&change.after, &known);
        for problem in resolution.problems {
            if is_fault_of(&problem, &change) {
                return Err(PermissionError::Place(problem));
            }
            change.notes.push(format!("{problem}; {}", problem.help));
        }
        let ceiling = self.shared.options.ceiling.iter();
        change.notes.extend(ceiling.flat_map(|ceiling| change.after.beyond(ceiling)));
        let is_same = change.before == change.after;
        let is_stored = is_sound && is_same && resolution.pins == pins;
        if is_same && !is_stored {
            // What stands there now may be something else.
            change.widens |= is_sound;
            let said = if is_sound {
                "the same is granted anew, for what stands there now"
            } else {
                "what was stored, and granted nothing, is replaced"
            };
            change.changes = vec![said.to_owned()];
        }
        let pins = serde_json::to_value(&resolution.pins).map_err(|_| PermissionError::Stopped)?;
        Ok(Draft { change, pins, is_stored })
    }
}

/// A policy that may be written.
struct Draft {
    change: PolicyChange,
    pins: Value,
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
