//! The built-in tools: the toolbox, offered to a model as tools beside those of the components. One
//! type a tool holds its name, its words, its schemas and what it does, and serves MCP and the
//! command line alike. None may hold logic of its own: each is one question to the toolbox.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

use rmcp::model::Tool as ProtocolTool;
use serde_json::Value;
use wassette_toolbox::{
    Annotations, Answered, CallRefused, Choice, Inquiry, JsonObject, Step, ToolOutput, ToolView,
    Toolbox, Verdict,
};

use crate::answer::Answer;
use crate::convert;
use crate::options::{BuiltIns, ServerOptions};
use crate::progress::Stage;

mod arguments;
mod call_tool;
mod get_policy;
mod grant;
mod inspect_component;
mod list_components;
mod load_component;
mod permission;
mod request_permission;
mod revoke;
mod schema;
mod search_components;
mod search_tools;
mod unload_component;

/// Every built-in tool, sorted by name.
pub(crate) const ALL: &[&'static dyn BuiltIn] = &[
    &call_tool::CallTool,
    &get_policy::GetPolicy,
    &grant::Grant::Variable,
    &grant::Grant::Memory,
    &grant::Grant::Network,
    &grant::Grant::Storage,
    &inspect_component::InspectComponent,
    &list_components::ListComponents,
    &load_component::LoadComponent,
    &request_permission::RequestPermission,
    &revoke::Revoke::Everything,
    &revoke::Revoke::Variable,
    &revoke::Revoke::Network,
    &revoke::Revoke::Storage,
    &search_components::SearchComponents,
    &search_tools::SearchTools,
    &unload_component::UnloadComponent,
];

/// One built-in tool.
pub(crate) trait BuiltIn: Sync {
    /// What clients and people are told of it.
    fn definition(&self) -> Definition;

    /// Does it, or gives the question that must be put first. A wrong argument is an answer, too.
    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a>;

    /// Whether it changes neither what is loaded nor what may be done: such a tool is served under
    /// lock and key, too.
    fn changes_nothing(&self) -> bool {
        self.definition().annotations.read_only
    }
}

/// A built-in tool at work.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Step<Answer>> + Send + 'a>>;

/// What a built-in tool is given beside its arguments.
pub(crate) struct Context<'a> {
    pub(crate) toolbox: &'a Toolbox,
    pub(crate) options: &'a ServerOptions,
    pub(crate) stage: &'a Stage,
    /// What a person said to the question that this very request gave before.
    pub(crate) answered: Option<Answered>,
    /// Whether a person can be asked when a call is denied something.
    pub(crate) asks: bool,
}

/// Calls a component's tool. Where a person can be asked, what the call was denied is a question.
pub(crate) async fn call(
    toolbox: &Toolbox,
    name: &str,
    arguments: JsonObject,
    answered: Option<Answered>,
    asks: bool,
) -> Result<Step<ToolOutput>, CallRefused> {
    if asks || answered.is_some() {
        toolbox.call_or_ask(name, arguments, answered).await
    } else {
        toolbox.call(name, arguments).await.map(Step::Done)
    }
}

/// What clients and people are told of a built-in tool.
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) description: Cow<'static, str>,
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
    let mut listed = ProtocolTool::new(
        definition.name,
        definition.description.clone(),
        definition.input_schema(),
    )
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
                description: definition.description.to_string(),
                component: "wassette".to_owned(),
                input_schema: definition.input_schema(),
                output_schema: definition.output_schema(),
            }
        })
        .collect()
}

/// Runs the built-in tool `name` for the operator, through the type that serves it over MCP. `None`
/// if there is no such built-in, or if `options` refuse them all. A failure, wrong arguments
/// included, is an [`Answer`] with `is_error`. The operator is not asked: who says it, wants it.
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
    let context = |answered| Context { toolbox, options, stage: &stage, answered, asks: false };
    let mut step = tool.run(context(None), arguments.clone()).await;
    if let Step::Ask(inquiry) = step {
        step = tool.run(context(Some(granted(*inquiry))), arguments).await;
    }
    match step {
        Step::Done(answer) => Some(answer),
        Step::Ask(_) => Some(Answer::failure("what this is about has just changed; try again")),
    }
}

/// The yes of whoever runs the command line, for good where there is something that lasts.
fn granted(inquiry: Inquiry) -> Answered {
    let lasting = [Choice::Always, Choice::Allow];
    let choice = lasting.into_iter().find(|choice| inquiry.choices().contains(choice));
    let verdict = choice.map_or(Verdict::Unanswered, Verdict::Chosen);
    Answered { inquiry, verdict, by: "command line" }
}

#[cfg(test)]
mod tests;
