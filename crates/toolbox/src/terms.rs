//! The operator's terms, under which a stored policy becomes what a component may do. Here alone
//! authorities are made. What is not changed keeps its authority, so that publishing stays cheap and
//! a call's place among the calls of its component is kept.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::Value;
use wassette_policy::{Document, Effective, OperatorLimits, Policy, StorageRule, UnknownWorkspace};
use wassette_sandbox::{
    Authority, AuthorityParts, Ceiling, Forbidden, Grants, Masker, Network, NetworkSettings, Pins,
    Proxy, Resolution, Roots, Workspace, Workspaces,
};
use wassette_store::{ComponentId, Entry, Misfit, Store, StoreError, StoredPolicy};

use crate::environment::{ComponentValues, EnvironmentSources, NamedValues};
use crate::error::OpenError;
use crate::manifest::Withheld;
use crate::options::{EgressOptions, Options, ProxyOption};
use crate::permissions::{Basis, Permissions, PolicyProblem};
use crate::temporary::{Addition, Temporary};
use crate::tool::Annotations;

/// How long what is only to be remembered waits for those who write to the store.
const PATIENCE: Duration = Duration::from_secs(1);

/// What holds for the permissions of all components.
pub(crate) struct Terms {
    store: Store,
    ceiling: Option<Arc<Policy>>,
    storage_ceiling: Option<Ceiling>,
    limits: OperatorLimits,
    workspaces: Workspaces,
    forbidden: Forbidden,
    environment: Arc<EnvironmentSources>,
    /// Where this server's manifest says that values lie.
    pub(crate) named: Arc<NamedValues>,
    network: Arc<Network>,
    pub(crate) temporary: Temporary,
    /// What the manifest of this server wants otherwise than it is.
    pub(crate) withheld: Withheld,
}

impl Terms {
    /// The terms that `options` say. Folders and certificates that they name are looked at once,
    /// here.
    pub(crate) fn new(options: &Options, store: &Store) -> Result<Self, OpenError> {
        let mut private = store.private_paths();
        private.extend(options.private_paths.iter().cloned());
        let workspaces = workspaces(options);
        let ceiling = options.ceiling.clone();
        Ok(Self {
            store: store.clone(),
            storage_ceiling: ceiling
                .as_ref()
                .map(|ceiling| Ceiling::resolve(&ceiling.storage, &workspaces))
                .inspect(tell_problems),
            ceiling,
            limits: options.limits.clone(),
            workspaces,
            forbidden: Forbidden::new(&private),
            environment: Arc::new(options.environment.clone()),
            named: Arc::default(),
            network: Arc::new(network(&options.egress)?),
            temporary: Temporary::default(),
            withheld: Withheld::default(),
        })
    }

    /// What the component of `entry` may do now. `before` is what it could do until now; it is
    /// given back where nothing has changed.
    pub(crate) fn permissions(
        &self,
        entry: &Entry,
        before: Option<&Arc<Permissions>>,
    ) -> Arc<Permissions> {
        let now = SystemTime::now();
        let mut stored = self.store.policy(&entry.id);
        let is_known = |basis: &Basis| {
            before.filter(|before| before.basis == *basis && !before.has_ended(now)).cloned()
        };
        let leased = self.temporary.session(entry, || granted(entry, &stored).ok());
        if let Some(before) = is_known(&Basis::new(entry, &stored, &leased)) {
            return before;
        }
        if self.pin(entry, &stored) {
            stored = self.store.policy(&entry.id);
        }
        let basis = Basis::new(entry, &stored, &leased);
        let granted = granted(entry, &stored).map(|granted| leased.onto(granted));
        Arc::new(self.resolve(entry, granted, basis, before))
    }

    /// What one call of the component of `entry` may do to which `addition` is given beside what all
    /// may do, which is `before`.
    pub(crate) fn once(
        &self,
        entry: &Entry,
        addition: &Addition,
        before: &Arc<Permissions>,
    ) -> Arc<Permissions> {
        let stored = self.store.policy(&entry.id);
        // Nothing is added to what cannot be read.
        let Ok(granted) = granted(entry, &stored) else { return before.clone() };
        if !addition.holds(entry, &granted) {
            return before.clone();
        }
        let leased = self.temporary.session(entry, || Some(granted.clone()));
        let all = addition.onto(leased.onto(granted.clone()));
        let permissions = Arc::new(self.resolve(entry, Ok(all), Basis::default(), Some(before)));
        self.temporary.runs(entry, &granted, &permissions);
        permissions
    }

    /// Remembers where the rules stand that a person wrote into the file: from now on they mean
    /// these very directories, like rules that were granted. What is remembered already stays.
    /// Whether there was something to remember.
    fn pin(&self, entry: &Entry, stored: &Result<Option<StoredPolicy>, StoreError>) -> bool {
        let (Ok(Some(policy)), Ok(granted)) = (stored, granted(entry, stored)) else {
            return false;
        };
        let found = self.storage(&granted.policy, &granted.pins).pins;
        if found.is_empty() || found == granted.pins {
            return false;
        }
        let Ok(pins) = serde_json::to_value(&found) else { return false };
        let kept = self.store.pin_policy(&entry.id, &entry.source, policy, pins, PATIENCE);
        if let Err(error) = &kept {
            tracing::warn!(
                component = %entry.id, %error,
                "cannot remember which directories its policy means: whoever replaces one of them \
                 before the next start decides what it may use then"
            );
        }
        kept.is_ok()
    }

    /// What the component of `entry` may do as long as nobody has granted it anything.
    pub(crate) fn nothing(&self, entry: &Entry) -> Arc<Permissions> {
        Arc::new(self.resolve(entry, Ok(Granted::default()), Basis::default(), None))
    }

    fn resolve(
        &self,
        entry: &Entry,
        granted: Result<Granted, PolicyProblem>,
        basis: Basis,
        before: Option<&Arc<Permissions>>,
    ) -> Permissions {
        let (Granted { policy, pins, ignored, .. }, problem) = match granted {
            Ok(granted) => (granted, None),
            Err(problem) => (Granted::default(), Some(problem)),
        };
        let now = SystemTime::now();
        let policy = Arc::new(policy.at(now));
        let effective = Effective::new(entry.id.as_str(), policy.clone(), self.ceiling.clone());
        let (limits, mut notes) = policy.limits.apply(&self.limits);
        let Resolution { grants, problems, .. } = self.storage(&policy, &pins);
        notes.extend(problems.iter().map(|problem| format!("{problem}; {}", problem.help)));
        notes.extend(self.beyond(&policy));
        notes.extend(ignored);
        for note in &notes {
            tracing::info!(component = %entry.id, "{note}");
        }
        let masker = Masker::default();
        let values = self.values(&entry.id, &entry.source, masker.clone());
        let authority = Authority::new(AuthorityParts {
            effective: effective.clone(),
            limits: limits.clone(),
            storage: grants.clone(),
            values: Arc::new(values),
            network: self.network.clone(),
        });
        let authority = match before {
            Some(before) => authority.following(&before.authority),
            None => authority,
        };
        Permissions {
            annotations: Annotations::of(&policy, self.ceiling.as_deref()),
            ends: policy.next_end(now),
            policy,
            problem,
            notes,
            limits,
            effective,
            grants,
            authority: Arc::new(authority),
            masker,
            basis,
        }
    }

    /// The values of variables and secrets for the component `id` from `source`.
    pub(crate) fn values(&self, id: &ComponentId, source: &str, masker: Masker) -> ComponentValues {
        ComponentValues::new(
            self.store.clone(),
            id.clone(),
            source.to_owned(),
            self.named.clone(),
            self.environment.clone(),
            masker,
        )
    }

    /// The way out that all components share.
    pub(crate) fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// What of `policy` may reach no further than the ceiling lets it, a sentence each.
    pub(crate) fn beyond(&self, policy: &Policy) -> Vec<String> {
        let mut beyond: Vec<_> =
            self.ceiling.iter().flat_map(|ceiling| policy.beyond(ceiling)).collect();
        if !policy.storage.allow.is_empty() {
            let problems = self.storage_ceiling.iter().flat_map(Ceiling::problems);
            beyond.extend(
                problems.map(|problem| format!("the ceiling: {problem}; {}", problem.help)),
            );
        }
        beyond
    }

    /// What is to be known of `policy`, which is not in force, as far as this server knows; a sentence
    /// each.
    pub(crate) fn remarks(&self, policy: &Policy) -> Vec<String> {
        let known: Vec<&str> = self.workspaces.keys().map(String::as_str).collect();
        let mut remarks = policy.without_workspaces(&known);
        remarks.extend(self.beyond(policy));
        remarks.extend(policy.cautions(SystemTime::now()));
        remarks
    }

    /// The first rule of `policy` of which nobody knows here what it denies, and why.
    pub(crate) fn unknown_denial<'a>(
        &self,
        policy: &'a Policy,
    ) -> Option<(&'a StorageRule, UnknownWorkspace)> {
        let known = || self.workspaces.keys().map(String::as_str);
        let unknown = |rule| Some((rule, UnknownWorkspace::of(rule, known())?));
        policy.storage.deny.iter().find_map(unknown)
    }

    /// Where the storage rules of `policy` stand. Those with a pin must still stand there.
    pub(crate) fn storage(&self, policy: &Policy, pins: &Pins) -> Resolution {
        let ceiling = self.storage_ceiling.as_ref();
        Grants::resolve(&policy.storage, ceiling, &self.workspaces, &self.forbidden, pins)
    }
}

/// What lies in the store for a component, understood.
#[derive(Debug, Clone, Default)]
pub(crate) struct Granted {
    pub(crate) policy: Policy,
    /// How often it was put there.
    pub(crate) edition: u64,
    /// Where its storage rules stood when they were granted.
    pub(crate) pins: Pins,
    /// What stands in it and has no effect, a sentence each.
    pub(crate) ignored: Vec<String>,
}

/// What is granted to the component of `entry`, or why nothing is although a policy is stored.
pub(crate) fn granted(
    entry: &Entry,
    stored: &Result<Option<StoredPolicy>, StoreError>,
) -> Result<Granted, PolicyProblem> {
    let misfit = match stored {
        Ok(Some(stored)) => stored.misfit(&entry.source, &entry.digest),
        _ => None,
    };
    match misfit {
        None => understood(entry, stored),
        Some(Misfit::Source { granted_to }) => Err(PolicyProblem {
            message: format!("its policy was granted to the component from {granted_to}"),
            help: Some(format!("grant anew what the one from {} may do", entry.source)),
            short: None,
        }),
        Some(Misfit::Digest { pinned }) => {
            let id = &entry.id;
            Err(PolicyProblem {
                message: format!(
                    "its policy is pinned to {pinned} and the component is another now"
                ),
                help: Some(format!(
                    "look at it with `wassette policy get {id}`, then `wassette policy pin {id}` \
                     grants the same to this one"
                )),
                short: None,
            })
        }
    }
}

/// What lies in the store for the component of `entry`, whomever it was granted to.
pub(crate) fn understood(
    entry: &Entry,
    stored: &Result<Option<StoredPolicy>, StoreError>,
) -> Result<Granted, PolicyProblem> {
    let stored = match stored {
        Ok(Some(stored)) => stored,
        Ok(None) => return Ok(Granted::default()),
        Err(error) => return Err(PolicyProblem::of(error)),
    };
    let file = stored.path.display();
    let document = Document::parse(&stored.text).map_err(|error| PolicyProblem {
        message: format!("its policy `{file}` cannot be read: {error}"),
        short: Some(format!(
            "its policy cannot be read (line {}, column {})",
            error.line, error.column
        )),
        ..PolicyProblem::of(&error)
    })?;
    let pins = match stored.binding.as_ref().map(|binding| &binding.pins) {
        None | Some(Value::Null) => Pins::default(),
        Some(pins) => Pins::deserialize(pins).map_err(|error| PolicyProblem {
            message: format!("what was remembered of its policy `{file}` is damaged: {error}"),
            help: Some(format!(
                "take everything back with `wassette permission reset {}` and grant it anew",
                entry.id
            )),
            short: Some("what was remembered of its policy is damaged".to_owned()),
        })?,
    };
    let edition = stored.binding.as_ref().map_or(0, |binding| binding.edition);
    let Document { policy, ignored } = document;
    let ignored = ignored.iter().map(ToString::to_string).collect();
    Ok(Granted { policy, edition, pins, ignored })
}

fn network(options: &EgressOptions) -> Result<Network, OpenError> {
    let mut settings = NetworkSettings::default();
    if let Some(bundle) = &options.ca_bundle {
        settings.roots = Roots::read(bundle)?;
    }
    settings.proxy = match &options.proxy {
        None => None,
        Some(ProxyOption::Url(url)) => Some(Proxy::parse(url)?),
        Some(ProxyOption::Environment) => Proxy::from_environment(|key| std::env::var(key).ok())?,
    };
    settings.resolve = options.resolve;
    Ok(Network::new(settings))
}

/// Tells whoever started this that the ceiling leaves no file open.
fn tell_problems(ceiling: &Ceiling) {
    for problem in ceiling.problems() {
        tracing::warn!("the ceiling: {problem}; {}", problem.help);
    }
}

/// The workspaces that there are. A rule that names another says so when it is resolved.
fn workspaces(options: &Options) -> Workspaces {
    let open = |(name, path): (&String, &std::path::PathBuf)| {
        let opened = Workspace::open(path).inspect_err(|error| {
            tracing::warn!(path = %path.display(), %error, "there is no workspace `{name}`");
        });
        Some((name.clone(), opened.ok()?))
    };
    options.workspaces.iter().filter_map(open).collect()
}
