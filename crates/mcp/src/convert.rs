//! The toolbox's words in the protocol's types, and nothing else: no lookups, no decisions about
//! components. Both eras get the same tools and the same results; what a revision does not know is
//! left out here or by the SDK.

use rmcp::model::{
    CallToolResult, ContentBlock, ErrorData, MetaObject, Tool as ProtocolTool, ToolAnnotations,
};
use serde_json::json;
use wassette_toolbox::{Annotations, CallRefused, Tool, UnknownTool};

use crate::answer::Answer;

/// A component's function as the protocol lists it.
pub(crate) fn tool(tool: &Tool) -> ProtocolTool {
    let mut listed =
        ProtocolTool::new(tool.name.clone(), tool.description.clone(), tool.input_schema.clone())
            .with_title(tool.title.clone())
            .with_annotations(annotations(tool.annotations));
    listed.output_schema = tool.output_schema.clone();
    listed
}

/// Every hint is said: the protocol's defaults are the worst case.
pub(crate) fn annotations(annotations: Annotations) -> ToolAnnotations {
    let Annotations { read_only, destructive, idempotent, open_world } = annotations;
    ToolAnnotations::new()
        .read_only(read_only)
        .destructive(destructive)
        .idempotent(idempotent)
        .open_world(open_world)
}

/// An answer as the protocol's result. `stamp` is the `_meta` that results carry in the revision
/// that is spoken, if any.
pub(crate) fn result(answer: Answer, stamp: Option<MetaObject>) -> CallToolResult {
    let content = answer.text.into_iter().map(ContentBlock::text).collect();
    let mut result = if answer.is_error {
        CallToolResult::error(content)
    } else {
        CallToolResult::success(content)
    };
    result.structured_content = answer.structured;
    result.meta = stamp;
    result
}

/// A call that found no tool is a protocol error, with what might have been meant.
pub(crate) fn refusal(refused: &CallRefused) -> ErrorData {
    let unknown = match refused {
        CallRefused::Unknown(unknown) => unknown,
        refused => return ErrorData::internal_error(refused.to_string(), None),
    };
    let data = match unknown {
        UnknownTool::Unknown { nearest: Some(nearest), .. } => Some(json!({ "nearest": nearest })),
        UnknownTool::Ambiguous { candidates, .. } => Some(json!({ "candidates": candidates })),
        _ => None,
    };
    let Answer { text, .. } = Answer::diagnostic(unknown);
    ErrorData::invalid_params(text.join("\n"), data)
}
