//! What is loaded: an immutable snapshot that answers every question. A change makes a new one and
//! never touches one that somebody may be reading.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;
use wassette_sandbox::Omission;
use wassette_store::{Digest, Entry, Index};
use wassette_wit_json::{Bounds, Function, input_schema, omitted, output_schema, spellings};

use crate::naming::is_built_in;
use crate::overrides::Override;
use crate::record::Record;
use crate::search;
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
    pub(crate) content: Digest,
    pub(crate) record: Record,
    entry: Arc<Entry>,
}

/// A component that is stored and cannot be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The component's id, or `store` where it is about the store as a whole.
    pub component: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
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
    /// The catalog of what `index` holds. Components that did not change are taken over from
    /// `before`.
    pub(crate) fn new(index: &Index, before: &Self, overrides: &Overrides) -> Self {
        let mut components = Vec::new();
        let mut problems: Vec<Problem> = index
            .damage()
            .iter()
            .map(|damage| Problem {
                component: "store".to_owned(),
                message: damage.clone(),
                help: Some("load the components again that are missing".to_owned()),
            })
            .collect();
        for entry in index.entries() {
            let known = before.components.iter().find(|component| component.entry == *entry);
            match known
                .map(|known| Ok(known.clone()))
                .unwrap_or_else(|| read(entry, overrides.get(entry.id.as_str())))
            {
                Ok(component) => {
                    problems.extend(misnamed(&component, overrides));
                    components.push(component);
                }
                Err(message) => problems.push(Problem {
                    component: entry.id.to_string(),
                    message,
                    help: Some(format!("load it again from {}", entry.source)),
                }),
            }
        }
        Self::of(index.revision(), components, problems)
    }

    /// The catalog of a store that cannot be read.
    pub(crate) fn unreadable(message: String, help: Option<String>) -> Self {
        let problem = Problem { component: "store".to_owned(), message, help };
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

    /// What is stored and cannot be served.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The component `id`.
    pub fn component(&self, id: &str) -> Option<&Arc<Component>> {
        self.components.iter().find(|component| component.id == id)
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
            [] => Err(UnknownTool::Unknown {
                name: wassette_wit_json::clean(name, 200),
                nearest: self.nearest(name),
            }),
            several => Err(UnknownTool::Ambiguous {
                name: wassette_wit_json::clean(name, 200),
                candidates: several.iter().map(|tool| tool.name.clone()).collect(),
            }),
        }
    }

    /// At most `limit` tools that fit the words of `query`, the best first. All words must occur
    /// somewhere; without words, all tools fit.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Arc<Tool>> {
        search::search(&self.tools, query, limit)
    }

    fn nearest(&self, name: &str) -> Option<String> {
        // Nobody mistypes a name at this length, and comparing takes its square.
        if name.len() > 128 {
            return None;
        }
        let alike = self.tools.iter().map(|tool| (strsim::jaro_winkler(&tool.name, name), tool));
        let (closeness, best) = alike.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
        (closeness > 0.8).then(|| best.name.clone())
    }
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
    })
}

/// What `entry` says about its component, and the operator over it.
pub(crate) fn read(
    entry: &Arc<Entry>,
    operator: Option<&Override>,
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
        content: entry.digest,
        record,
        entry: entry.clone(),
    }))
}

/// Why a function cannot or should not be a tool.
pub(crate) fn unfit(function: &Function) -> Option<String> {
    if let Some(omitted) = omitted(function) {
        return Some(omitted.to_string());
    }
    // The schemas have bounds of their own, which a callable function can still exceed.
    let fits = function.callable().and_then(|()| {
        input_schema(function, Bounds::SCHEMA)?;
        output_schema(function, Bounds::SCHEMA)
    });
    fits.err().map(|reason| reason.to_string())
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
