//! The built-in tools: the toolbox, offered to a model as tools beside those of the components. One
//! type a tool holds its name, its words, its schemas and what it does, and serves MCP and the
//! command line alike. None may hold logic of its own: each is one question to the toolbox.

use std::pin::Pin;
use std::sync::Arc;

use rmcp::model::Tool as ProtocolTool;
use serde_json::Value;
use wassette_toolbox::{Annotations, JsonObject, ToolView, Toolbox};

use crate::answer::Answer;
use crate::convert;
use crate::options::{BuiltIns, ServerOptions};
use crate::progress::Stage;

mod arguments;
mod call_tool;
mod inspect_component;
mod list_components;
mod load_component;
mod schema;
mod search_tools;
mod unload_component;

/// Every built-in tool, sorted by name.
pub(crate) const ALL: &[&'static dyn BuiltIn] = &[
    &call_tool::CallTool,
    &inspect_component::InspectComponent,
    &list_components::ListComponents,
    &load_component::LoadComponent,
    &search_tools::SearchTools,
    &unload_component::UnloadComponent,
];

/// One built-in tool.
pub(crate) trait BuiltIn: Sync {
    /// What clients and people are told of it.
    fn definition(&self) -> Definition;

    /// Does it. A wrong argument is an answer, too.
    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a>;
}

/// A built-in tool at work.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// What a built-in tool is given beside its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) toolbox: &'a Toolbox,
    pub(crate) options: &'a ServerOptions,
    pub(crate) stage: &'a Stage,
}

/// What clients and people are told of a built-in tool.
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    /// A JSON Schema with an object at its root.
    pub(crate) input: Value,
    /// The schema of the result, which the listed schema wraps as `{"result": …}`; `None` where the
    /// result is whatever another tool answers.
    pub(crate) output: Option<Value>,
    pub(crate) annotations: Annotations,
}

impl Definition {
    fn input_schema(&self) -> Arc<JsonObject> {
        Arc::new(schema::object_of(self.input.clone()))
    }

    fn output_schema(&self) -> Option<Arc<JsonObject>> {
        self.output.clone().map(|output| Arc::new(schema::wrapped(output)))
    }
}

/// `tool` as the protocol lists it.
pub(crate) fn listed(tool: &dyn BuiltIn) -> ProtocolTool {
    let definition = tool.definition();
    let mut listed =
        ProtocolTool::new(definition.name, definition.description, definition.input_schema())
            .with_title(definition.title)
            .with_annotations(convert::annotations(definition.annotations));
    listed.output_schema = definition.output_schema();
    listed
}

/// The built-in tools' definitions, sorted by name; their `component` is `wassette`.
pub fn built_in_tools() -> Vec<ToolView> {
    ALL.iter()
        .map(|tool| {
            let definition = tool.definition();
            ToolView {
                name: definition.name.to_owned(),
                title: definition.title.to_owned(),
                description: definition.description.to_owned(),
                component: "wassette".to_owned(),
                input_schema: definition.input_schema(),
                output_schema: definition.output_schema(),
            }
        })
        .collect()
}

/// Runs the built-in tool `name`, through the type that serves it over MCP. `None` if there is no
/// such built-in, or if `options` refuse them all. A failure, wrong arguments included, is an
/// [`Answer`] with `is_error`.
pub async fn call_built_in(
    toolbox: &Toolbox,
    options: &ServerOptions,
    name: &str,
    arguments: JsonObject,
) -> Option<Answer> {
    if options.built_ins == BuiltIns::Refuse {
        return None;
    }
    let tool = ALL.iter().find(|tool| tool.definition().name == name)?;
    let stage = Stage::new();
    Some(tool.run(Context { toolbox, options, stage: &stage }, arguments).await)
}

#[cfg(test)]
mod tests;
