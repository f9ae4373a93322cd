//! Which function gets which name. The first owner keeps a name; who comes later is told apart by
//! its component's id; and what was decided once is stored, so that it is the same after a restart
//! and whatever the order of loading. No component can take the name of a built-in tool, or one
//! that a hasty reader would take for it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use wassette_wit_json::{Function, FunctionId, ToolName, names, spellings};

use crate::error::LoadError;
use crate::record::Given;

/// The names that belong to Wassette, those of announced tools included: a component must not
/// stand where a built-in tool will be after an upgrade.
pub const BUILT_IN_NAMES: &[&str] = &[
    "call-tool",
    "get-policy",
    "grant-environment-variable-permission",
    "grant-memory-permission",
    "grant-network-permission",
    "grant-storage-permission",
    "inspect-component",
    "list-components",
    "load-component",
    "request-permission",
    "reset-permission",
    "revoke-environment-variable-permission",
    "revoke-network-permission",
    "revoke-storage-permission",
    "search-components",
    "search-tools",
    "unload-component",
];

/// What whoever loads a component wants its tools to be called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// Only these functions become tools, in any spelling; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Put before every name, with `_` between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Functions, in any spelling, with the names that their tools get.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rename: Vec<(String, String)>,
}

/// A tool that could not get the name that it wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renamed {
    /// The name that it would have had.
    pub wanted: String,
    /// The name that it has.
    pub given: String,
    /// Who has the wanted name: a component's id, or `wassette`.
    pub owner: String,
}

/// Names that are taken, each with its owner, compared as a hasty reader does.
#[derive(Default)]
pub(crate) struct Taken(HashMap<String, String>);

impl Taken {
    pub(crate) fn new() -> Self {
        let mut taken = Self::default();
        for name in BUILT_IN_NAMES {
            taken.add(name, "wassette");
        }
        taken
    }

    pub(crate) fn add(&mut self, name: &str, owner: &str) {
        self.0.entry(fold(name)).or_insert_with(|| owner.to_owned());
    }

    fn owner(&self, name: &str) -> Option<&str> {
        self.0.get(&fold(name)).map(String::as_str)
    }
}

/// Whether a hasty reader would take `name` for a built-in tool's.
pub(crate) fn is_built_in(name: &str) -> bool {
    let folded = fold(name);
    BUILT_IN_NAMES.iter().any(|built_in| *built_in == folded)
}

/// `Grant_Storage_Permission` reads as `grant-storage-permission`.
fn fold(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// The state of a component until now: its tools, and what was wanted of their names.
#[derive(Default)]
pub(crate) struct Before {
    pub(crate) tools: Vec<Given>,
    pub(crate) naming: Naming,
}

impl Before {
    /// The names that `functions` are to keep: agents and their people know them, whatever rule made
    /// them. A name that somebody chose, or chooses now, is no such name.
    fn kept<'a>(
        &self,
        functions: &'a [Function],
        naming: &Naming,
        limit: usize,
    ) -> Vec<(&'a FunctionId, ToolName)> {
        if self.naming.prefix != naming.prefix {
            return Vec::new();
        }
        let is_there = |id: &FunctionId| functions.iter().any(|function| function.id == *id);
        let given = |id: &FunctionId| {
            let exact = self.tools.iter().find(|given| given.function == *id);
            // The next version of an interface has the functions of the one before.
            exact.or_else(|| {
                let mut gone = self.tools.iter().filter(|given| !is_there(&given.function));
                gone.find(|given| given.function.is_version_of(id))
            })
        };
        let was_chosen = |id: &FunctionId| {
            let spellings = spellings(id);
            self.naming.rename.iter().any(|(function, _)| spellings.contains(function))
        };
        let ids = functions.iter().map(|function| &function.id).filter(|id| !was_chosen(id));
        let kept = ids.filter_map(|id| Some((id, given(id)?.name.clone())));
        kept.filter(|(_, name)| name.as_str().len() <= limit).collect()
    }
}

/// Gives a name to each of `functions`, all of component `id`. A function in `before` keeps its name,
/// unless `naming` says otherwise.
pub(crate) fn assign(
    functions: &[Function],
    naming: &Naming,
    id: &str,
    limit: usize,
    before: &Before,
    mut taken: Taken,
) -> Result<(Vec<Given>, Vec<Renamed>), LoadError> {
    let renames = resolve(functions, &naming.rename)?;
    // Names that somebody chose go first, whatever the order of the exports.
    let mut choices = HashMap::new();
    for (function, name) in &renames {
        let name = chosen(name, &taken)?;
        taken.add(name.as_str(), id);
        choices.insert(function, name);
    }
    for (function, name) in before.kept(functions, naming, limit) {
        if !choices.contains_key(function) && taken.owner(name.as_str()).is_none() {
            taken.add(name.as_str(), id);
            choices.insert(function, name);
        }
    }
    let mut assigned = Vec::new();
    let mut renamed = Vec::new();
    for (function, natural) in functions.iter().zip(names(functions, limit)) {
        let name = match choices.remove(&function.id) {
            Some(name) => name,
            None => {
                let wanted = match &naming.prefix {
                    Some(prefix) => natural.prefixed(prefix, &function.id, limit),
                    None => natural,
                };
                free(wanted, function, id, limit, &taken, &mut renamed)
            }
        };
        taken.add(name.as_str(), id);
        assigned.push(Given { function: function.id.clone(), name });
    }
    Ok((assigned, renamed))
}

/// `wanted` if nobody has it, else that behind the component's id, cut and hashed as long as
/// somebody has that.
fn free(
    wanted: ToolName,
    function: &Function,
    id: &str,
    limit: usize,
    taken: &Taken,
    renamed: &mut Vec<Renamed>,
) -> ToolName {
    let Some(owner) = taken.owner(wanted.as_str()) else { return wanted };
    let mut given = wanted.prefixed(id, &function.id, limit);
    while taken.owner(given.as_str()).is_some() {
        given = given.prefixed(id, &function.id, limit);
        if given.as_str().len() >= limit {
            let seed = FunctionId::new(function.id.interface.as_deref(), given.as_str());
            given = given.prefixed(id, &seed, limit);
        }
    }
    renamed.push(Renamed {
        wanted: wanted.to_string(),
        given: given.to_string(),
        owner: owner.to_owned(),
    });
    given
}

/// A name that somebody chose: it is given exactly, or the load is refused.
fn chosen(name: &str, taken: &Taken) -> Result<ToolName, LoadError> {
    let name = ToolName::try_from(name.to_owned())?;
    match taken.owner(name.as_str()) {
        Some(owner) => {
            Err(LoadError::NameTaken { name: name.to_string(), owner: owner.to_owned() })
        }
        None => Ok(name),
    }
}

/// The functions among `functions` that `only` names, all if it names none.
pub(crate) fn select(
    functions: Vec<Function>,
    only: &[String],
) -> Result<Vec<Function>, LoadError> {
    if only.is_empty() {
        return Ok(functions);
    }
    let wanted = only
        .iter()
        .map(|name| find(&functions, name).cloned())
        .collect::<Result<Vec<FunctionId>, _>>()?;
    Ok(functions.into_iter().filter(|function| wanted.contains(&function.id)).collect())
}

fn resolve<'a>(
    functions: &[Function],
    rename: &'a [(String, String)],
) -> Result<HashMap<FunctionId, &'a str>, LoadError> {
    rename
        .iter()
        .map(|(function, name)| Ok((find(functions, function)?.clone(), name.as_str())))
        .collect()
}

/// The one function that `name` means.
fn find<'a>(functions: &'a [Function], name: &str) -> Result<&'a FunctionId, LoadError> {
    let mut found =
        functions.iter().filter(|function| spellings(&function.id).iter().any(|s| s == name));
    match (found.next(), found.next()) {
        (Some(function), None) => Ok(&function.id),
        (first, _) => {
            let known: Vec<String> = functions.iter().map(|f| format!("`{}`", f.id)).collect();
            let name = name.to_owned();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err(match first {
                Some(_) => LoadError::AmbiguousFunction { name, known },
                None => LoadError::UnknownFunction { name, known },
            })
        }
    }
}
