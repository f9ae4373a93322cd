//! The storage rights of one component, resolved: where each rule stands on this machine, and
//! through which directories a guest gets there. Immutable; whoever asks gets the same answer.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use wassette_policy::{
    Access, Denial, Effect, FileRules, FileTarget, Grant, Permit, Placed, RuleKind, Rules,
    StorageMap, StorageRoot, StorageRule, StorageUri,
};

use super::disk::Id;
use super::forbidden::Forbidden;
use super::overlay::Overlay;
use super::place::{Pins, Place, Problem, Workspaces, canonical, taken_away};
use super::rules::{Beginning, Segments, borrowed, path, placed, segments};

/// What the operator lets any component have of the file system, resolved once when the server
/// starts.
#[derive(Clone)]
pub struct Ceiling {
    map: StorageMap,
    begins: Vec<Beginning>,
    problems: Vec<Problem>,
}

impl Ceiling {
    /// The ceiling that `rules` describe. A path that does not exist is kept as it is written. Where
    /// nobody knows what one of them denies, none of them allows anything.
    pub fn resolve(rules: &Rules<StorageRule>, workspaces: &Workspaces) -> Self {
        let of = |rules: &[StorageRule], kind| {
            let everywhere = |rule: &StorageRule| {
                let places = taken_away(rule, workspaces);
                // An allow rule stands at one place only, the one that its links lead to.
                let most = if kind == RuleKind::Allow { 1 } else { places.len() };
                let rule = rule.clone();
                places.into_iter().take(most).map(move |at| placed(&rule, at, kind))
            };
            rules.iter().flat_map(everywhere).collect::<Vec<_>>()
        };
        let problems = unplaced(&rules.deny, workspaces);
        let mut all = Vec::new();
        if problems.is_empty() {
            all = of(&rules.allow, RuleKind::Allow);
            all.extend(of(&rules.deny, RuleKind::Deny));
        }
        Self { begins: beginnings(&all), map: StorageMap::new(all), problems }
    }

    /// Why it lets no file be open to any component, if it does not.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// The problems of the rules of `deny` that stand nowhere.
fn unplaced(deny: &[StorageRule], workspaces: &Workspaces) -> Vec<Problem> {
    let stands_nowhere = |rule: &&StorageRule| taken_away(rule, workspaces).is_empty();
    deny.iter().filter(stands_nowhere).map(|rule| Problem::of_deny(rule, workspaces)).collect()
}

/// A directory through which a guest gets to what it may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    /// The path under which the guest finds it.
    pub(super) shown: Segments,
    /// Its canonical path.
    pub(super) at: Segments,
    pub(super) id: Id,
}

/// What [`Grants::resolve`] found.
pub struct Resolution {
    /// The rights.
    pub grants: Grants,
    /// Where the rules stand, to be kept beside the policy.
    pub pins: Pins,
    /// The rules that are void, each with its reason.
    pub problems: Vec<Problem>,
}

/// The storage rights of one component. Clones share them; the default is to have none.
#[derive(Clone, Default)]
pub struct Grants {
    resolved: Option<Arc<Resolved>>,
    overlay: Option<Overlay>,
}

struct Resolved {
    rules: FileRules,
    begins: Vec<Beginning>,
    roots: Vec<Root>,
    /// Where void rules would stand for the guest, and why they are void.
    void: Vec<(Segments, String)>,
    workspaces: BTreeSet<String>,
    /// What is open to no component.
    forbidden: HashSet<Id>,
}

impl Grants {
    /// Resolves the rules that were `granted`. Rules with a pin must still stand where it says;
    /// those without get one. A rule that cannot be resolved, or that would open a `forbidden` place,
    /// is void alone; where nobody knows what a rule denies, all are. Blocks for some system calls a
    /// rule.
    pub fn resolve(
        granted: &Rules<StorageRule>,
        ceiling: Option<&Ceiling>,
        workspaces: &Workspaces,
        forbidden: &Forbidden,
        pins: &Pins,
    ) -> Resolution {
        let mut found = Pins::default();
        let mut problems = unplaced(&granted.deny, workspaces);
        let closed = problems.first().cloned();
        let mut all = vec![];
        let mut roots = vec![];
        let mut void = vec![];
        for rule in &granted.allow {
            let uri = rule.uri.to_string();
            let pin = pins.allow.get(&uri);
            // A void rule keeps its pin: what was granted does not change because it is gone.
            found.allow.extend(pin.map(|pin| (uri.clone(), pin.clone())));
            let place = named(rule)
                .map_or(Ok(()), |at| permissible(rule, &at, forbidden))
                .and_then(|()| Place::find(rule, pin, workspaces))
                .and_then(|place| permissible(rule, &place.at(), forbidden).map(|()| place))
                .and_then(|place| visible(rule, place, &roots));
            if let (Ok((place, _)), StorageRoot::Absolute) = (&place, rule.uri.root()) {
                found.allow.entry(uri).or_insert_with(|| place.pin());
            }
            match (place, &closed) {
                (Ok((place, root)), None) => {
                    all.push(placed(rule, place.at(), RuleKind::Allow));
                    roots.push(root);
                }
                (Ok(_), Some(closed)) => void.push((shown(rule), closed.to_string())),
                (Err(problem), _) => {
                    void.push((shown(rule), problem.reason.clone()));
                    problems.push(problem);
                }
            }
        }
        for rule in &granted.deny {
            let uri = rule.uri.to_string();
            let mut places = taken_away(rule, workspaces);
            if *rule.uri.root() == StorageRoot::Absolute {
                let first = places.first().map(|at| path(at));
                if let Some(pinned) = pins.deny.get(&uri).cloned().or(first) {
                    places.extend(segments(pinned.as_ref()));
                    found.deny.insert(uri, pinned);
                }
            }
            all.extend(places.into_iter().map(|at| placed(rule, at, RuleKind::Deny)));
        }
        let mut begins = beginnings(&all);
        begins.extend(ceiling.iter().flat_map(|ceiling| ceiling.begins.iter().cloned()));
        let resolved = Resolved {
            rules: FileRules::new(StorageMap::new(all), ceiling.map(|ceiling| ceiling.map.clone())),
            begins,
            roots: outermost(roots),
            void,
            workspaces: workspaces.keys().cloned().collect(),
            forbidden: forbidden.identities().clone(),
        };
        let grants = Self { resolved: Some(Arc::new(resolved)), overlay: None };
        Resolution { grants, pins: found, problems }
    }

    /// The same rights in a private copy: what a guest reads and writes under them is `overlay`'s.
    #[must_use]
    pub fn within(self, overlay: &Overlay) -> Self {
        Self { overlay: Some(overlay.clone()), ..self }
    }

    /// The copy in which the rights hold, if it is not the disk itself.
    pub(super) fn overlay(&self) -> Option<&Overlay> {
        self.overlay.as_ref()
    }

    pub(super) fn roots(&self) -> &[Root] {
        self.resolved.as_ref().map_or(&[], |resolved| &resolved.roots)
    }

    /// Whether the operator gave a folder this name.
    pub(super) fn knows_workspace(&self, name: &str) -> bool {
        self.resolved.as_ref().is_some_and(|resolved| resolved.workspaces.contains(name))
    }

    /// Where rules begin, those of the ceiling among them.
    pub(super) fn begins(&self) -> &[Beginning] {
        self.resolved.as_ref().map_or(&[], |resolved| &resolved.begins)
    }

    /// Whether that file or directory is open to no component.
    pub(super) fn forbids(&self, id: Id) -> bool {
        self.resolved.as_ref().is_some_and(|resolved| resolved.forbidden.contains(&id))
    }

    /// Whether something that is allowed may lie at the canonical path `at` or below it.
    pub(super) fn leads(&self, at: &[String]) -> bool {
        self.resolved.as_ref().is_some_and(|resolved| resolved.rules.leads(&borrowed(at)))
    }

    /// Whether `access` to the canonical path `at` is allowed.
    pub(super) fn allows(&self, at: &[String], access: Access) -> bool {
        self.resolved.as_ref().is_some_and(|resolved| resolved.rules.allows(&borrowed(at), access))
    }

    /// Permission for `access` to the canonical path `at`, which the guest knows as `shown`.
    pub(super) fn permit(
        &self,
        at: &[String],
        shown: &[String],
        access: Access,
    ) -> Result<Permit<FileTarget>, Denial> {
        match &self.resolved {
            None => Err(self.unmatched(shown, access)),
            Some(resolved) => {
                let denied = resolved.rules.permit(&borrowed(at), &self.spelled(shown), access);
                denied.map_err(|denial| self.with_void(shown, denial))
            }
        }
    }

    /// The denial of `access` to a place that no rule speaks of.
    pub(super) fn unmatched(&self, shown: &[String], access: Access) -> Denial {
        let uri = self.spelled(shown);
        let grant = uri.parse().ok().and_then(|exact: StorageUri| {
            // The root of all is open to no component.
            let plain = !shown.is_empty() && !exact.is_glob() && exact.to_string() == uri;
            plain.then(|| Grant::storage(&uri, &access.to_string())).flatten()
        });
        let denial = Denial::new(effect(access), &uri, "no rule allows this path");
        self.with_void(shown, denial.with_grant(grant))
    }

    /// A denial for a reason that no rule could change.
    pub(super) fn fixed(&self, shown: &[String], access: Access, reason: &str) -> Denial {
        Denial::new(effect(access), &self.spelled(shown), reason)
    }

    /// `denial`, unless a rule would speak of the path and is void: then that is the reason.
    fn with_void(&self, shown: &[String], denial: Denial) -> Denial {
        let mut void = self.resolved.iter().flat_map(|resolved| &resolved.void);
        match void.find(|(at, _)| shown.starts_with(at)) {
            Some((_, reason)) if denial.grant.is_some() => {
                Denial::new(denial.effect, &denial.target, reason)
            }
            _ => denial,
        }
    }

    /// How a rule spells a path that the guest knows.
    pub(super) fn spelled(&self, shown: &[String]) -> String {
        let workspaces = self.resolved.as_ref().map(|resolved| &resolved.workspaces);
        match shown {
            [name, rest @ ..] if workspaces.is_some_and(|known| known.contains(name)) => {
                let rest = if rest.is_empty() { String::new() } else { path(rest) };
                format!("fs://{name}{rest}")
            }
            _ => format!("fs://{}", path(shown)),
        }
    }
}

fn beginnings(all: &[Placed]) -> Vec<Beginning> {
    all.iter().map(Beginning::of).collect()
}

/// The effect that `access` is.
pub(super) fn effect(access: Access) -> Effect {
    match access {
        Access::Read => Effect::Read,
        Access::Write => Effect::Write,
    }
}

/// What an absolute rule names now, whether or not it can be opened.
fn named(rule: &StorageRule) -> Option<Segments> {
    let absolute = *rule.uri.root() == StorageRoot::Absolute;
    absolute.then(|| canonical(path(rule.uri.prefix()).as_ref())).flatten()
}

fn permissible(rule: &StorageRule, at: &Segments, forbidden: &Forbidden) -> Result<(), Problem> {
    match forbidden.objection(at) {
        None => Ok(()),
        Some(reason) => {
            let help = "write the rule for a directory that holds only what the component needs";
            Err(Problem::new(rule, reason, help))
        }
    }
}

/// The root through which the guest gets to `place`, if no other one has its name.
fn visible(rule: &StorageRule, place: Place, roots: &[Root]) -> Result<(Place, Root), Problem> {
    let root = root(rule, place.clone());
    if roots.iter().any(|other| other.shown == root.shown && other.at != root.at) {
        let reason =
            format!("another rule's directory is `{}` for the component", path(&root.shown));
        return Err(Problem::new(rule, reason, "name the workspace otherwise"));
    }
    Ok((place, root))
}

/// The path under which the guest finds what the rule begins with.
fn shown(rule: &StorageRule) -> Segments {
    let name = match rule.uri.root() {
        StorageRoot::Absolute => None,
        StorageRoot::Workspace(name) => Some(name),
    };
    name.into_iter().chain(rule.uri.prefix()).cloned().collect()
}

fn root(rule: &StorageRule, place: Place) -> Root {
    let mut shown = shown(rule);
    if place.file.is_some() {
        shown.pop();
    }
    Root { shown, at: place.root, id: place.id }
}

/// The roots without those that are reached through another one just as well. Decisions are made by
/// path, so an outer root widens nothing.
fn outermost(mut roots: Vec<Root>) -> Vec<Root> {
    roots.sort_by(|a, b| a.shown.cmp(&b.shown));
    let mut kept: Vec<Root> = vec![];
    for root in roots {
        let within = |outer: &Root| {
            let shown = root.shown.strip_prefix(outer.shown.as_slice());
            shown.is_some() && shown == root.at.strip_prefix(outer.at.as_slice())
        };
        if !kept.iter().any(within) {
            kept.push(root);
        }
    }
    kept
}
