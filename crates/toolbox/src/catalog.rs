//! What is loaded: an immutable snapshot that answers every question. A change makes a new one and
//! never touches one that somebody may be reading.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use miette::Diagnostic;
use thiserror::Error;
use wassette_sandbox::Omission;
use wassette_store::{ComponentId, Digest, Entry, Index, Origin};
use wassette_wit_json::{Function, FunctionId, spellings, unfit};

use crate::changes::Difference;
use crate::error::PermissionError;
use crate::naming::is_built_in;
use crate::overrides::Override;
use crate::permissions::{Permissions, Requested};
use crate::record::Record;
use crate::search;
use crate::source::Verifier;
use crate::terms::Terms;
use crate::tool::Tool;

/// The operator's word on components, by their ids.
type Overrides = BTreeMap<String, Override>;

/// A loaded component.
#[derive(Debug)]
pub struct Component {
    /// Its name in the store.
    pub id: String,
    /// Where it came from, as a reference.
    pub source: String,
    /// `sha256:` and the digest of its bytes.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was loaded, in seconds since 1970.
    pub loaded_at: u64,
    /// Its tools, sorted by name.
    pub tools: Vec<Arc<Tool>>,
    /// What it exports and does not become a tool, with the reason.
    pub omitted: Vec<Omission>,
    /// The names of what it imports.
    pub imports: Vec<String>,
    /// What it may do.
    pub permissions: Arc<Permissions>,
    /// What would change if the version that waits took its place, if one waits.
    pub waiting: Option<Arc<Difference>>,
    pub(crate) content: Digest,
    pub(crate) record: Record,
    entry: Arc<Entry>,
}

impl Component {
    /// What was shipped with it and asks for permissions. It grants nothing.
    pub fn requested(&self) -> Option<Requested> {
        self.record.requested.as_ref().map(Requested::read)
    }

    /// How it came here, as far as that is known.
    pub fn origin(&self) -> Option<&Origin> {
        self.entry.origin.as_ref()
    }

    pub(crate) fn store_id(&self) -> &ComponentId {
        &self.entry.id
    }

    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }
}

/// Something stored that cannot be used: a component that is not served, or a policy that is not in
/// force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The component's id, or `store` where it is about the store as a whole.
    pub component: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// What is wrong, where `message` or `help` quotes what a person wrote: without those words.
    pub(crate) short: Option<String>,
}

/// Why no tool is meant by a name.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum UnknownTool {
    /// There is none.
    #[error("there is no tool `{name}`{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    #[diagnostic(help("list the tools that there are, or search them"))]
    Unknown {
        /// The name as it was written.
        name: String,
        /// A tool with a similar name.
        nearest: Option<String>,
    },
    /// A component exports it, and it is no tool.
    #[error("`{function}` of component `{component}` is not a tool: {reason}")]
    #[diagnostic(help("list the tools that there are, or search them"))]
    NoTool {
        /// The function, or what else the component exports under that name.
        function: String,
        /// The component's id.
        component: String,
        /// Why it is none.
        reason: String,
    },
    /// There is more than one.
    #[error("`{name}` means more than one tool: {}", candidates.join(", "))]
    #[diagnostic(help("call one of them by its full name"))]
    Ambiguous {
        /// The name as it was written.
        name: String,
        /// The names of the tools that it could mean.
        candidates: Vec<String>,
    },
}

/// In the place of a component's id, which it cannot be: what is wrong with the store itself.
pub(crate) const STORE: &str = "the store";

/// All that is loaded, at one moment.
#[derive(Default)]
pub struct Catalog {
    read: bool,
    revision: u64,
    tools: Vec<Arc<Tool>>,
    components: Vec<Arc<Component>>,
    problems: Vec<Problem>,
    names: HashMap<String, usize>,
    spellings: HashMap<String, Vec<usize>>,
}

impl Catalog {
    /// The catalog of what `index` holds. What did not change is taken over from `before`. What may
    /// less be done than before bites at once, also in calls that are under way. What `verifier` wants
    /// signed by others than it was is not served.
    pub(crate) fn new(
        index: &Index,
        before: &Self,
        overrides: &Overrides,
        terms: &Terms,
        verifier: &Verifier,
    ) -> Self {
        let mut components = Vec::new();
        let mut problems: Vec<Problem> = index
            .damage()
            .iter()
            .map(|damage| Problem {
                component: STORE.to_owned(),
                message: damage.clone(),
                help: Some(
                    match index.is_incomplete() {
                        true => "load the components again that are missing",
                        false => "nothing is lost; the next change of the store puts it right",
                    }
                    .to_owned(),
                ),
                short: None,
            })
            .collect();
        for entry in index.entries() {
            if let Some(reason) = terms.withheld.reason(&entry.id) {
                problems.push(withheld(entry, &reason));
                continue;
            }
            let signer = entry.origin.as_ref().and_then(|origin| origin.signer.as_deref());
            if !verifier.lets_serve(&entry.source, signer) {
                problems.push(unsigned(entry));
                continue;
            }
            let old = before.component(entry.id.as_str());
            let old = old.filter(|old| old.source == entry.source);
            let permissions = terms.permissions(entry, old.map(|old| &old.permissions));
            let known = old
                .filter(|old| old.entry == *entry && Arc::ptr_eq(&old.permissions, &permissions));
            match known
                .map(|known| Ok(known.clone()))
                .unwrap_or_else(|| read(entry, overrides.get(entry.id.as_str()), permissions))
            {
                Ok(component) => {
                    problems.extend(misnamed(&component, overrides));
                    problems.extend(unpermitted(&component));
                    components.push(component);
                }
                Err(message) => problems.push(Problem {
                    component: entry.id.to_string(),
                    message,
                    help: Some(format!("load it again from {}", entry.source)),
                    short: None,
                }),
            }
        }
        let catalog = Self::of(index.revision(), components, problems);
        before.give_way(&catalog);
        catalog
    }

    /// Tells the authorities of this catalog of those that follow them in `next`: calls that began
    /// under one ask the other as well. A component that is gone may do nothing any more.
    fn give_way(&self, next: &Self) {
        for old in &self.components {
            let new = next.component(&old.id).filter(|new| new.source == old.source);
            match new {
                Some(new) => old.permissions.give_way(&new.permissions),
                None => old.permissions.end(&old.id),
            }
        }
    }

    /// Whether `index` holds what this does, policies included.
    pub(crate) fn is_current(&self, other: &Self) -> bool {
        let same = |(a, b): (&Arc<Component>, &Arc<Component>)| Arc::ptr_eq(a, b);
        self.read
            && self.revision == other.revision
            && self.problems == other.problems
            && self.components.len() == other.components.len()
            && self.components.iter().zip(&other.components).all(same)
    }

    /// The catalog of a store that cannot be read.
    pub(crate) fn unreadable(message: String, help: Option<String>) -> Self {
        let problem = Problem { component: STORE.to_owned(), message, help, short: None };
        Self::of(0, Vec::new(), vec![problem])
    }

    fn of(revision: u64, components: Vec<Arc<Component>>, problems: Vec<Problem>) -> Self {
        let mut tools: Vec<Arc<Tool>> =
            components.iter().flat_map(|component| component.tools.iter().cloned()).collect();
        tools.sort_by(|a, b| a.name.cmp(&b.name));
        let mut names = HashMap::new();
        let mut written: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, tool) in tools.iter().enumerate() {
            names.insert(tool.name.clone(), index);
            let spellings = spellings(&tool.function.id);
            let qualified = spellings.iter().map(|s| format!("{}/{s}", tool.component));
            let own = format!("{}/{}", tool.component, tool.name);
            // Without its component's id no tool answers to the name of a built-in one, not even
            // where the built-in tools are off.
            let bare = spellings.iter().filter(|spelling| !is_built_in(spelling)).cloned();
            for spelling in qualified.chain([own]).chain(bare) {
                let meant = written.entry(spelling).or_default();
                if meant.last() != Some(&index) {
                    meant.push(index);
                }
            }
        }
        Self { read: true, revision, tools, components, problems, names, spellings: written }
    }

    /// Whether the store has been read at all.
    pub(crate) fn is_read(&self) -> bool {
        self.read
    }

    /// Counts the changes of the store.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// All tools, sorted by name.
    pub fn tools(&self) -> &[Arc<Tool>] {
        &self.tools
    }

    /// All components, sorted by id.
    pub fn components(&self) -> &[Arc<Component>] {
        &self.components
    }

    /// What is wrong with the store itself, and not with one component in it.
    pub fn damage(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.component == STORE)
    }

    /// What is stored and cannot be served.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The component `id`.
    pub fn component(&self, id: &str) -> Option<&Arc<Component>> {
        let found = self.components.binary_search_by(|component| component.id.as_str().cmp(id));
        self.components.get(found.ok()?)
    }

    /// The tool that `name` means: its advertised name, or any other spelling of its function that
    /// means no second one.
    pub fn find(&self, name: &str) -> Result<&Arc<Tool>, UnknownTool> {
        if let Some(tool) = self.names.get(name).and_then(|index| self.tools.get(*index)) {
            return Ok(tool);
        }
        let meant: Vec<&Arc<Tool>> = self
            .spellings
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|index| self.tools.get(*index))
            .collect();
        match meant.as_slice() {
            [tool] => Ok(tool),
            [] => Err(self.omitted(name).unwrap_or_else(|| UnknownTool::Unknown {
                name: wassette_wit_json::clean(name, 200),
                nearest: nearest(self.tools.iter().map(|tool| tool.name.as_str()), name),
            })),
            several => Err(UnknownTool::Ambiguous {
                name: wassette_wit_json::clean(name, 200),
                candidates: several.iter().map(|tool| tool.name.clone()).collect(),
            }),
        }
    }

    /// That `name` means what a component exports beside its tools, if it does.
    fn omitted(&self, name: &str) -> Option<UnknownTool> {
        let (owner, bare) =
            name.split_once('/').map_or((None, name), |(id, function)| match self.component(id) {
                Some(_) => (Some(id), function),
                None => (None, name),
            });
        let owners = self.components.iter().filter(|owned| owner.is_none_or(|id| id == owned.id));
        let mut omissions = owners.flat_map(|component| {
            component.omitted.iter().map(move |omission| (component, omission))
        });
        let (component, omission) = omissions.find(|(_, omission)| {
            let id = FunctionId::parse(&omission.function);
            spellings(&id).iter().any(|spelling| spelling == bare)
        })?;
        Some(UnknownTool::NoTool {
            function: omission.function.clone(),
            component: component.id.clone(),
            reason: omission.reason.clone(),
        })
    }

    /// The component `id`, or what might have been meant.
    pub(crate) fn known(&self, id: &str) -> Result<&Arc<Component>, PermissionError> {
        self.component(id).ok_or_else(|| {
            let names = self.components.iter().map(|component| component.id.as_str());
            PermissionError::Unknown {
                id: wassette_wit_json::clean(id, 200),
                nearest: nearest(names, id),
            }
        })
    }

    /// How long it takes from `now` until a rule of some component ends.
    pub(crate) fn next_end(&self, now: SystemTime) -> Option<Duration> {
        let ends = self.components.iter().filter_map(|component| component.permissions.ends);
        ends.map(|until| until.time().duration_since(now).unwrap_or_default()).min()
    }

    /// At most `limit` tools that fit the words of `query`, the best first. All words must occur
    /// somewhere; without words, all tools fit.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Arc<Tool>> {
        search::search(&self.tools, query, limit)
    }
}

/// The one of `names` that is most like `name`.
fn nearest<'a>(names: impl Iterator<Item = &'a str>, name: &str) -> Option<String> {
    // Nobody mistypes a name at this length, and comparing takes its square.
    if name.len() > 128 {
        return None;
    }
    let alike = names.map(|known| (strsim::jaro_winkler(known, name), known));
    let (closeness, best) = alike.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (closeness > 0.8).then(|| best.to_owned())
}

/// That the component of `entry` is not what the manifest of this server wants.
fn withheld(entry: &Entry, reason: &str) -> Problem {
    Problem {
        component: entry.id.to_string(),
        message: format!("it is not served, for it is not what the manifest wants: {reason}"),
        help: Some("mend what failed, and start the server again".to_owned()),
        short: None,
    }
}

/// That nobody signed the component of `entry` whose signature a rule demands by now.
fn unsigned(entry: &Entry) -> Problem {
    let reference = entry.origin.as_ref().map_or(&entry.source, |origin| &origin.reference);
    Problem {
        component: entry.id.to_string(),
        message: "it is not served, for it has no signature of those that a rule demands by now"
            .to_owned(),
        help: Some(format!(
            "load {reference} again, so that its signature is looked for; where `default` demands one, \
             a rule below `[verify.sources]` says whose"
        )),
        short: None,
    }
}

/// What is wrong with the policy of `component`.
fn unpermitted(component: &Component) -> Option<Problem> {
    let problem = component.permissions.problem.as_ref()?;
    Some(Problem {
        component: component.id.clone(),
        message: format!("nothing is granted to it: {}", problem.message),
        help: problem.help.clone(),
        short: problem.short.as_ref().map(|short| format!("nothing is granted to it: {short}")),
    })
}

/// What the operator says about `component` and does not fit it.
fn misnamed(component: &Component, overrides: &Overrides) -> Option<Problem> {
    let unused = overrides.get(&component.id)?.unused(&component.record.description.functions);
    (!unused.is_empty()).then(|| Problem {
        component: component.id.clone(),
        message: format!(
            "the configuration describes what the component does not export: {}",
            unused.join(", ")
        ),
        help: Some(format!("correct `[components.{}.descriptions]`", component.id)),
        short: None,
    })
}

/// What `entry` says about its component, and the operator over it, which may do what
/// `permissions` say.
pub(crate) fn read(
    entry: &Arc<Entry>,
    operator: Option<&Override>,
    permissions: Arc<Permissions>,
) -> Result<Arc<Component>, String> {
    let record = Record::read(entry)?;
    let id = entry.id.to_string();
    let mut tools = Vec::new();
    for given in &record.tools {
        let function = record.description.functions.iter().find(|f| f.id == given.function);
        let function = function.ok_or("what is stored about it is damaged")?;
        let tool = Tool::new(
            &given.name,
            &id,
            Arc::new(function.clone()),
            operator.and_then(|operator| operator.description(function)),
            permissions.annotations,
        );
        tools.push(Arc::new(tool.map_err(|error| error.to_string())?));
    }
    tools.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Arc::new(Component {
        omitted: omissions(&record),
        id,
        source: entry.source.clone(),
        digest: entry.digest.to_string(),
        size: entry.size,
        loaded_at: entry.loaded_at,
        tools,
        imports: record.description.imports.clone(),
        permissions,
        waiting: Difference::waiting(entry).map(Arc::new),
        content: entry.digest,
        record,
        entry: entry.clone(),
    }))
}

fn omissions(record: &Record) -> Vec<Omission> {
    let named =
        |function: &&Function| record.tools.iter().any(|given| given.function == function.id);
    let functions = record.description.functions.iter().filter(|function| !named(function));
    let mut omissions: Vec<Omission> = functions
        .map(|function| Omission {
            function: function.id.to_string(),
            reason: unfit(function)
                .unwrap_or_else(|| "it was not asked for when the component was loaded".to_owned()),
        })
        .collect();
    omissions.extend(record.description.others.iter().cloned());
    omissions
}
