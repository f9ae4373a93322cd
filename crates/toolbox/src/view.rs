//! The one JSON shape of each thing, for every tongue that answers in JSON.

use std::sync::Arc;

use miette::Diagnostic;
use serde::Serialize;
use serde_json::Value;
use wassette_policy::visible;
use wassette_registry::Descriptor;
use wassette_sandbox::{CompileError, Omission};
use wassette_store::Origin;

use crate::catalog::{Catalog, Component};
use crate::changes::Difference;
use crate::inspect::Inspection;
use crate::load::{Loaded, Status};
use crate::naming::Renamed;
use crate::permissions::MENDED_BY_A_PERSON;
use crate::tool::{JsonObject, Tool};
use crate::wants::{Want, wants};

/// The most that is shown of a text that others chose, in characters.
const SHOWN: usize = 1000;

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

/// How a component came here.
#[derive(Debug, Clone, Serialize)]
pub struct OriginView {
    /// What was loaded, with its tag.
    pub reference: String,
    /// The digest of the image's manifest, where a registry gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Who signed it; nothing if that was not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
}

impl From<&Origin> for OriginView {
    fn from(origin: &Origin) -> Self {
        let shown = |text: &String| visible(text, SHOWN);
        Self {
            reference: shown(&origin.reference),
            manifest: origin.manifest.map(|digest| digest.to_string()),
            signer: origin.signer.as_ref().map(shown),
        }
    }
}

/// A version that waits until a person accepts it.
#[derive(Debug, Clone, Serialize)]
pub struct WaitingView {
    /// The digest of the component.
    pub digest: String,
    /// What would change, in none of its author's words.
    pub summary: String,
}

impl From<&Difference> for WaitingView {
    fn from(difference: &Difference) -> Self {
        Self { digest: difference.digest.after.clone(), summary: difference.summary() }
    }
}

/// Something in a registry that refers to a component.
#[derive(Debug, Clone, Serialize)]
pub struct ReferrerView {
    /// What kind of thing it is, by its publisher.
    #[serde(rename = "type")]
    pub kind: String,
    /// The digest of its manifest.
    pub digest: String,
    /// The size of its manifest, in bytes.
    pub size: u64,
}

impl From<&Descriptor> for ReferrerView {
    fn from(referrer: &Descriptor) -> Self {
        let kind = referrer.artifact_type.as_ref().unwrap_or(&referrer.media_type);
        let (digest, size) = (referrer.digest.to_string(), referrer.size);
        Self { kind: visible(kind, SHOWN), digest, size }
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
    /// How it came here, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginView>,
    /// The version that waits to be accepted, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingView>,
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
            origin: component.origin().map(OriginView::from),
            waiting: component.waiting.as_deref().map(WaitingView::from),
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
    /// Who signed it; nothing if that was not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// Why nobody vouches for it, where the operator wants to be told so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unverified: Option<String>,
    /// The version that was loaded and waits until a person accepts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingView>,
    /// How to accept it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Its tools, as they serve now.
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
        let is_waiting = loaded.status == Status::Quarantined;
        let waiting = loaded.difference.as_ref().filter(|_| is_waiting).map(WaitingView::from);
        let hint = waiting.as_ref().map(|WaitingView { digest, .. }| {
            let id = &loaded.component.id;
            format!(
                "the version before serves on: a person has to look at this one, and \
                 accepts it with `wassette component accept {id} --digest {digest}`, or throws it \
                 away with `wassette component reject {id}`"
            )
        });
        Self {
            signer: loaded.signer.as_ref().map(|signer| visible(signer, SHOWN)),
            unverified: loaded.unverified.as_ref().map(|words| visible(words, SHOWN)),
            waiting,
            hint,
            status: match loaded.status {
                Status::Loaded => "component loaded successfully",
                Status::Reloaded => "component reloaded successfully",
                Status::Unchanged => "component already loaded",
                Status::Quarantined => "new version waits to be accepted",
            },
            id: loaded.component.id.clone(),
            digest: loaded.component.digest.clone(),
            tools: tools(&loaded.component.tools),
            renamed: loaded.renamed.clone(),
            omitted: loaded.component.omitted.clone(),
        }
    }
}

/// Why a component cannot be loaded.
#[derive(Debug, Clone, Serialize)]
pub struct FaultView {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl From<&CompileError> for FaultView {
    fn from(fault: &CompileError) -> Self {
        Self { message: fault.to_string(), help: fault.help().map(|help| help.to_string()) }
    }
}

/// A component that was looked at, loaded or not.
#[derive(Debug, Clone, Serialize)]
pub struct InspectionView {
    /// Whether it is loaded.
    pub loaded: bool,
    /// Why it cannot be loaded here, if it cannot.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultView>,
    /// Its name in the store, or the one that it would get.
    pub id: String,
    /// Where it is.
    pub source: String,
    /// Its digest.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
    /// How it came here, or would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginView>,
    /// Why nobody vouches for it, where the operator wants to be told so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unverified: Option<String>,
    /// What else refers to it in its registry, and was not looked into.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub referrers: Vec<ReferrerView>,
    /// The version that waits to be accepted, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingView>,
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
            faults: inspection.faults.iter().map(FaultView::from).collect(),
            id: component.id,
            source: component.source,
            digest: component.digest,
            size: component.size,
            origin: component.origin,
            unverified: inspection.unverified.as_ref().map(|words| visible(words, SHOWN)),
            referrers: inspection.referrers.iter().map(ReferrerView::from).collect(),
            waiting: component.waiting,
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
