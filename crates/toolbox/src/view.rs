//! The one JSON shape of each thing, for every tongue that answers in JSON.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use wassette_sandbox::Omission;

use crate::catalog::{Catalog, Component};
use crate::inspect::Inspection;
use crate::load::{Loaded, Status};
use crate::naming::Renamed;
use crate::permissions::MENDED_BY_A_PERSON;
use crate::tool::{JsonObject, Tool};
use crate::wants::{Want, wants};

/// A tool.
#[derive(Debug, Clone, Serialize)]
pub struct ToolView {
    /// The name to call.
    pub name: String,
    /// The name in words.
    pub title: String,
    /// What it does, by its author.
    pub description: String,
    /// The component's id.
    pub component: String,
    /// The schema of the arguments.
    pub input_schema: Arc<JsonObject>,
    /// The schema of the structured result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Arc<JsonObject>>,
}

impl From<&Tool> for ToolView {
    fn from(tool: &Tool) -> Self {
        Self {
            name: tool.name.clone(),
            title: tool.title.clone(),
            description: tool.description.clone(),
            component: tool.component.clone(),
            input_schema: tool.input_schema.clone(),
            output_schema: tool.output_schema.clone(),
        }
    }
}

/// A loaded component.
#[derive(Debug, Clone, Serialize)]
pub struct ComponentView {
    /// Its name in the store.
    pub id: String,
    /// Where it came from.
    pub source: String,
    /// Its digest.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was loaded, in seconds since 1970.
    pub loaded_at: u64,
    /// How many tools it has.
    pub tools_count: usize,
    /// Its tools.
    pub tools: Vec<ToolView>,
    /// What does not become a tool, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub omitted: Vec<Omission>,
    /// What it imports.
    pub imports: Vec<String>,
}

impl From<&Component> for ComponentView {
    fn from(component: &Component) -> Self {
        Self {
            id: component.id.clone(),
            source: component.source.clone(),
            digest: component.digest.clone(),
            size: component.size,
            loaded_at: component.loaded_at,
            tools_count: component.tools.len(),
            tools: tools(&component.tools),
            omitted: component.omitted.clone(),
            imports: component.imports.clone(),
        }
    }
}

/// All that is loaded.
#[derive(Debug, Clone, Serialize)]
pub struct ComponentsView {
    /// The components, sorted by id.
    pub components: Vec<ComponentView>,
    /// How many they are.
    pub total: usize,
    /// What is stored and cannot be used: components that are not served, and policies that are not
    /// in force.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<ProblemView>,
}

impl ComponentsView {
    /// All of `catalog`, without words of policies that cannot be read: what a person wrote in the
    /// wrong place may be a secret.
    pub fn for_models(catalog: &Catalog) -> Self {
        let mut view = Self::from(catalog);
        for (shown, problem) in view.problems.iter_mut().zip(catalog.problems()) {
            if let Some(short) = &problem.short {
                shown.message.clone_from(short);
                shown.help = Some(MENDED_BY_A_PERSON.to_owned());
            }
        }
        view
    }
}

impl From<&Catalog> for ComponentsView {
    fn from(catalog: &Catalog) -> Self {
        let components: Vec<ComponentView> =
            catalog.components().iter().map(|component| (&**component).into()).collect();
        let problems = catalog.problems().iter().map(|problem| ProblemView {
            component: problem.component.clone(),
            message: problem.message.clone(),
            help: problem.help.clone(),
        });
        Self { total: components.len(), components, problems: problems.collect() }
    }
}

/// Something that is stored and cannot be used.
#[derive(Debug, Clone, Serialize)]
pub struct ProblemView {
    /// The component's id, or `store`.
    pub component: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What came of a load.
#[derive(Debug, Clone, Serialize)]
pub struct LoadedView {
    /// What happened, in words.
    pub status: &'static str,
    /// The component's id.
    pub id: String,
    /// Its digest.
    pub digest: String,
    /// Its tools.
    pub tools: Vec<ToolView>,
    /// Tools that could not get the name that they wanted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<Renamed>,
    /// What does not become a tool, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub omitted: Vec<Omission>,
}

impl From<&Loaded> for LoadedView {
    fn from(loaded: &Loaded) -> Self {
        Self {
            status: match loaded.status {
                Status::Loaded => "component loaded successfully",
                Status::Reloaded => "component reloaded successfully",
                Status::Unchanged => "component already loaded",
            },
            id: loaded.component.id.clone(),
            digest: loaded.component.digest.clone(),
            tools: tools(&loaded.component.tools),
            renamed: loaded.renamed.clone(),
            omitted: loaded.component.omitted.clone(),
        }
    }
}

/// A component that was looked at, loaded or not.
#[derive(Debug, Clone, Serialize)]
pub struct InspectionView {
    /// Whether it is loaded.
    pub loaded: bool,
    /// Its name in the store, or the one that it would get.
    pub id: String,
    /// Where it is.
    pub source: String,
    /// Its digest.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its tools.
    pub tools: Vec<ToolView>,
    /// The tools' functions as WIT has them, in the order of `tools`.
    pub signatures: Vec<String>,
    /// What does not become a tool, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub omitted: Vec<Omission>,
    /// What it imports.
    pub imports: Vec<String>,
    /// What its imports tell that it could want.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wants: Vec<Want>,
    /// The policy that was shipped with it, or why that is none. It grants nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<Value>,
}

impl From<&Inspection> for InspectionView {
    fn from(inspection: &Inspection) -> Self {
        let component = ComponentView::from(&*inspection.component);
        let functions = inspection.component.tools.iter().map(|tool| &tool.function);
        Self {
            loaded: inspection.loaded,
            id: component.id,
            source: component.source,
            digest: component.digest,
            size: component.size,
            signatures: functions.map(|function| function.signature()).collect(),
            tools: component.tools,
            omitted: component.omitted,
            wants: wants(&component.imports),
            imports: component.imports,
            requested: inspection.component.requested().map(|requested| requested.to_json()),
        }
    }
}

fn tools(tools: &[Arc<Tool>]) -> Vec<ToolView> {
    tools.iter().map(|tool| ToolView::from(&**tool)).collect()
}
