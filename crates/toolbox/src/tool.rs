//! A tool: one function of one component, as a client sees it.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};
use wassette_policy::{Access, NetworkRule, Policy};
use wassette_wit_json::{Bounds, Function, NotCallable, ToolName, input_schema, output_schema};

/// A JSON object.
pub type JsonObject = Map<String, Value>;

/// One function of a loaded component.
#[derive(Debug)]
pub struct Tool {
    /// The name that clients call; unique in the store and the same after a restart.
    pub name: String,
    /// The function's name in words.
    pub title: String,
    /// What a model reads about it, at most 2 KB, cleaned of control characters. Written by the
    /// component's author: it is never to be shown as ours.
    pub description: String,
    /// The id of its component.
    pub component: String,
    /// The function.
    pub function: Arc<Function>,
    /// The JSON Schema of its arguments: always an object.
    pub input_schema: Arc<JsonObject>,
    /// The JSON Schema of `{"result": …}`, where the function has a result.
    pub output_schema: Option<Arc<JsonObject>>,
    /// What the sandbox makes true of it.
    pub annotations: Annotations,
    pub(crate) listed_bytes: usize,
}

/// What a client may believe about a tool, because the sandbox sees to it. No author's claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Annotations {
    /// It cannot change anything outside itself.
    pub read_only: bool,
    /// It may destroy something.
    pub destructive: bool,
    /// A second call changes no more than the first.
    pub idempotent: bool,
    /// It can reach the world outside this machine.
    pub open_world: bool,
}

impl Annotations {
    /// Of what reaches nothing and changes nothing, such as a component that no policy grants
    /// anything, or a look at what is loaded.
    pub const CLOSED: Self =
        Self { read_only: true, destructive: false, idempotent: true, open_world: false };

    /// Of a component that may do what `granted` and `ceiling` both allow. Where it may change
    /// something, nobody knows whether it destroys, or whether a second call changes more: the
    /// worst is said.
    pub(crate) fn of(granted: &Policy, ceiling: Option<&Policy>) -> Self {
        let both = |may: fn(&Policy) -> bool| may(granted) && ceiling.is_none_or(may);
        let changes = both(may_write) || both(may_send);
        Self {
            read_only: !changes,
            destructive: changes,
            idempotent: !changes,
            open_world: both(|policy| !policy.network.allow.is_empty()),
        }
    }
}

fn may_write(policy: &Policy) -> bool {
    policy.storage.allow.iter().any(|rule| rule.access.contains(Access::Write))
}

/// Whether it may send anything but questions.
fn may_send(policy: &Policy) -> bool {
    policy.network.allow.iter().any(|rule| !only_asks(rule))
}

/// Whether all that `rule` allows is requests that change nothing by the rules of HTTP.
fn only_asks(rule: &NetworkRule) -> bool {
    let rule = rule.written();
    let asks = |method: &String| method == "GET" || method == "HEAD";
    let sockets = rule.tcp.is_some() || rule.udp.is_some();
    !sockets && rule.methods.is_some_and(|methods| methods.iter().all(asks))
}

impl Tool {
    /// The tool `name` for `function`, unless its types cannot cross. `description` replaces its
    /// own; `annotations` are its component's.
    pub(crate) fn new(
        name: &ToolName,
        component: &str,
        function: Arc<Function>,
        description: Option<String>,
        annotations: Annotations,
    ) -> Result<Self, NotCallable> {
        let input_schema = input_schema(&function, Bounds::SCHEMA)?;
        let output_schema = output_schema(&function, Bounds::SCHEMA)?;
        let description = description.unwrap_or_else(|| function.description());
        Ok(Self {
            listed_bytes: listed_bytes(name, &description, &input_schema, output_schema.as_ref()),
            name: name.to_string(),
            title: function.title(),
            description,
            component: component.to_owned(),
            function,
            input_schema: Arc::new(input_schema),
            output_schema: output_schema.map(Arc::new),
            annotations,
        })
    }
}

/// About how many bytes a tool takes in a client's list.
fn listed_bytes(
    name: &ToolName,
    description: &str,
    input: &JsonObject,
    output: Option<&JsonObject>,
) -> usize {
    let schema = |schema: &JsonObject| serde_json::to_string(schema).map_or(0, |text| text.len());
    name.as_str().len() + description.len() + schema(input) + output.map_or(0, schema)
}
