//! What a loaded component may do, as the catalog holds it: its policy, the limits that follow, and
//! the authority that its calls carry. A policy that cannot be read, or that was granted to another
//! component, gives nothing and is reported; it must never be taken for a part of itself or for the
//! one that stood there before.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wassette_policy::{Document, Effective, Limits, Policy, Until};
use wassette_sandbox::{Authority, Grants, Masker};
use wassette_store::{Digest, Entry, Misfit, StoreError, StoredPolicy};
use wassette_wit_json::clean;

use crate::error::PermissionError;
use crate::temporary::Addition;
use crate::terms::understood;
use crate::tool::Annotations;
use crate::toolbox::Toolbox;
use crate::wants::{Want, wants};

/// The longest description of a policy that is shown, in bytes.
const DESCRIPTION: usize = 2048;

/// What a model can do about a policy that cannot be read.
pub(crate) const MENDED_BY_A_PERSON: &str =
    "tell the person: `wassette permission list` says what is wrong, and how to mend it";

/// What one component may do, at one moment.
pub struct Permissions {
    /// What is granted; empty where nothing is, or where the policy is broken.
    pub policy: Arc<Policy>,
    /// Why the policy in the store is not the one above.
    pub problem: Option<PolicyProblem>,
    /// Rules that reach nothing now, such as one for a folder that is not there; a sentence each.
    pub notes: Vec<String>,
    /// What each of its calls may use.
    pub limits: Limits,
    /// When the next of its rules ends.
    pub(crate) ends: Option<Until>,
    pub(crate) annotations: Annotations,
    pub(crate) effective: Effective,
    pub(crate) grants: Grants,
    pub(crate) authority: Arc<Authority>,
    /// Knows each secret that was handed out under the authority.
    pub(crate) masker: Masker,
    pub(crate) basis: Basis,
}

/// What permissions were made from. The same basis makes the same permissions.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Basis {
    source: String,
    stored: Option<StoredPolicy>,
    /// Other bytes have what is stored no more, or again.
    misfit: Option<Misfit>,
    fault: Option<String>,
    /// What is granted beside it for as long as the server runs.
    leased: Addition,
}

impl Basis {
    pub(crate) fn new(
        entry: &Entry,
        stored: &Result<Option<StoredPolicy>, StoreError>,
        leased: &Addition,
    ) -> Self {
        let found = stored.as_ref().ok().cloned().flatten();
        Self {
            source: entry.source.clone(),
            misfit: found.as_ref().and_then(|found| found.misfit(&entry.source, &entry.digest)),
            stored: found,
            fault: stored.as_ref().err().map(|error| error.to_string()),
            leased: leased.clone(),
        }
    }

    /// The only bytes for which what is stored counts.
    pub(crate) fn pinned(&self) -> Option<Digest> {
        let is_anothers = matches!(self.misfit, Some(Misfit::Source { .. }));
        self.stored.as_ref()?.binding.as_ref()?.digest.filter(|_| !is_anothers)
    }

    /// What is stored for the component of `entry` and pinned to other bytes, as far as it can be
    /// read.
    fn withheld(&self, entry: &Entry) -> Option<Policy> {
        let Some(Misfit::Digest { .. }) = self.misfit else { return None };
        Some(understood(entry, &Ok(self.stored.clone())).ok()?.policy)
    }
}

impl Permissions {
    /// From now on calls under these ask `next` as well.
    pub(crate) fn give_way(&self, next: &Self) {
        if !Arc::ptr_eq(&self.authority, &next.authority) {
            self.authority.supersede(next.authority.clone());
        }
    }

    /// Whether a rule has come to its end since these were made.
    pub(crate) fn has_ended(&self, now: SystemTime) -> bool {
        self.ends.is_some_and(|ends| ends.is_past(now))
    }

    /// From now on calls under these may do nothing.
    pub(crate) fn end(&self, component: &str) {
        self.authority.supersede(Arc::new(Authority::none(component, self.limits.clone())));
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permissions")
            .field("policy", &self.policy)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}

/// Why a component keeps nothing although a policy is stored for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyProblem {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What is wrong, where `message` or `help` quotes what a person wrote: without those words.
    #[serde(skip)]
    pub(crate) short: Option<String>,
}

impl PolicyProblem {
    pub(crate) fn of(error: &dyn Diagnostic) -> Self {
        let help = error.help().map(|help| help.to_string());
        Self { message: error.to_string(), help, short: None }
    }

    /// The problem as a model hears of it: where a person wrote a value in the wrong place, its
    /// words are not for others.
    pub fn for_models(&self) -> Self {
        match &self.short {
            None => self.clone(),
            Some(short) => {
                let help = Some(MENDED_BY_A_PERSON.to_owned());
                Self { message: short.clone(), help, short: None }
            }
        }
    }
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "\n  hint: {help}"))
    }
}

/// What a component asks for, by what was shipped with it. It grants nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Requested {
    /// A policy, and what whoever would grant it should know, a sentence each.
    Policy(Box<Policy>, Vec<String>),
    /// Something that is no policy, and why.
    Unreadable(String),
}

/// What was shipped with a component, as the store remembers it: the text that stands there, or why
/// it cannot be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shipped {
    Text(String),
    Unreadable(String),
}

impl From<&wassette_store::Requested> for Shipped {
    fn from(requested: &wassette_store::Requested) -> Self {
        match requested {
            wassette_store::Requested::Text { text, .. } => Self::Text(text.clone()),
            wassette_store::Requested::Unreadable { reason, .. } => {
                Self::Unreadable(reason.clone())
            }
        }
    }
}

impl Requested {
    pub(crate) fn read(shipped: &Shipped) -> Self {
        match shipped {
            Shipped::Unreadable(reason) => Self::Unreadable(reason.clone()),
            Shipped::Text(text) => match Document::parse(text) {
                Ok(Document { mut policy, ignored }) => {
                    let mut warnings: Vec<_> = ignored.iter().map(ToString::to_string).collect();
                    // Its author's words, which people and models will read.
                    policy.description = policy.description.map(|words| clean(&words, DESCRIPTION));
                    warnings.extend(policy.cautions(SystemTime::now()));
                    Self::Policy(Box::new(policy), warnings)
                }
                Err(error) => Self::Unreadable(error.to_string()),
            },
        }
    }

    /// As an object with `policy` and perhaps `warnings`, or with `unreadable` and the reason.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Policy(policy, warnings) if warnings.is_empty() => {
                json!({ "policy": policy.to_json() })
            }
            Self::Policy(policy, warnings) => {
                json!({ "policy": policy.to_json(), "warnings": warnings })
            }
            Self::Unreadable(reason) => json!({ "unreadable": reason }),
        }
    }
}

/// All that is to be said about what a component may do.
#[derive(Debug, Clone)]
pub struct PermissionsView {
    /// The component's id.
    pub component: String,
    /// Where it came from.
    pub source: String,
    /// `sha256:` and the digest of its bytes.
    pub digest: String,
    /// What is granted; empty where nothing is, or where the policy is broken.
    pub policy: Arc<Policy>,
    /// Why the policy in the store is not the one above.
    pub problem: Option<PolicyProblem>,
    /// The digest of the only bytes for which the policy in the store counts, if it is pinned.
    pub pinned: Option<String>,
    /// What is stored and not in force, for it is pinned to other bytes.
    pub withheld: Option<Box<Policy>>,
    /// Rules that reach nothing now, such as one for a folder that is not there; a sentence each.
    pub notes: Vec<String>,
    /// What each of its calls may use.
    pub limits: Limits,
    /// What the operator lets be granted at most; everything, where there is none.
    pub ceiling: Option<Arc<Policy>>,
    /// What was shipped with the component and grants nothing.
    pub requested: Option<Requested>,
    /// What its imports tell that it could want.
    pub wants: Vec<Want>,
}

impl PermissionsView {
    /// The one JSON shape of this.
    pub fn to_json(&self) -> Value {
        let mut view = json!({
            "component": self.component,
            "source": self.source,
            "digest": self.digest,
            "policy": self.policy.to_json(),
            "limits": self.limits,
            "wants": self.wants,
        });
        let optional = [
            ("problem", self.problem.as_ref().map(|problem| json!(problem))),
            ("pinned", self.pinned.as_ref().map(|digest| json!(digest))),
            ("withheld", self.withheld.as_ref().map(|policy| policy.to_json())),
            ("notes", (!self.notes.is_empty()).then(|| json!(self.notes))),
            ("ceiling", self.ceiling.as_ref().map(|ceiling| ceiling.to_json())),
            ("requested", self.requested.as_ref().map(Requested::to_json)),
        ];
        if let Value::Object(view) = &mut view {
            for (key, value) in optional {
                view.extend(value.map(|value| (key.to_owned(), value)));
            }
        }
        view
    }
}

impl Toolbox {
    /// What the component `id` may do, and what it asks for.
    ///
    /// # Errors
    /// [`PermissionError::Unknown`].
    pub async fn permissions(&self, id: &str) -> Result<PermissionsView, PermissionError> {
        let catalog = self.catalog().await;
        let component = catalog.known(id)?;
        let permissions = &component.permissions;
        Ok(PermissionsView {
            component: component.id.clone(),
            source: component.source.clone(),
            digest: component.digest.clone(),
            policy: permissions.policy.clone(),
            problem: permissions.problem.clone(),
            pinned: permissions.basis.pinned().map(|digest| digest.to_string()),
            withheld: permissions.basis.withheld(component.entry()).map(Box::new),
            notes: permissions.notes.clone(),
            limits: permissions.limits.clone(),
            ceiling: self.shared.options.ceiling.clone(),
            requested: component.requested(),
            wants: wants(&component.imports),
        })
    }
}
