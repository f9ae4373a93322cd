//! What a tool answered, in the shape that MCP gives it but without the protocol's types, so that
//! the command line can show the same answer. It must never carry structured content on an error:
//! hosts that show only one of the two would show the wrong one.

use serde::Serialize;
use serde_json::{Value, json};
use wassette_toolbox::ToolOutput;

use crate::options::GuestOutput;

/// What a tool answered: a component's function or a built-in.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The text blocks, at least one. The first says all that `structured` says.
    pub text: Vec<String>,
    /// `{"result": …}`, fitting the tool's output schema. Always absent when `is_error` is set.
    pub structured: Option<Value>,
    /// Whether the tool failed. The text then says why, for the model to read.
    pub is_error: bool,
}

impl Answer {
    /// A result of ours: `{"result": value}`, and the same value as compact JSON.
    pub(crate) fn success(value: &impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => Self {
                text: vec![value.to_string()],
                structured: Some(json!({ "result": value })),
                is_error: false,
            },
            Err(error) => Self::failure(format!("the answer cannot be written as JSON: {error}")),
        }
    }

    /// A failure, in words that the model can act on.
    pub(crate) fn failure(text: impl Into<String>) -> Self {
        Self { text: vec![text.into()], structured: None, is_error: true }
    }

    /// A failure with its causes and its cure.
    pub(crate) fn diagnostic(error: &dyn miette::Diagnostic) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let words = error.to_string();
            // A transparent wrapper repeats what it wraps.
            if !text.ends_with(&words) {
                text.push_str(": ");
                text.push_str(&words);
            }
            cause = error.source();
        }
        if let Some(help) = error.help() {
            text.push_str("\nhint: ");
            text.push_str(&help.to_string());
        }
        Self::failure(text)
    }

    /// The result of a component's function, with what it printed where that is asked for.
    pub(crate) fn output(output: ToolOutput, guest_output: GuestOutput) -> Self {
        let ToolOutput { mut text, structured, is_error, stdout, stderr, .. } = output;
        if guest_output == GuestOutput::Show {
            for (stream, printed) in [("stdout", stdout), ("stderr", stderr)] {
                if !printed.is_empty() {
                    text.push(format!("{stream} of the component:\n{printed}"));
                }
            }
        }
        Self { text, structured: structured.filter(|_| !is_error), is_error }
    }
}
