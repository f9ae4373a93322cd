//! Call: JSON object → tool → values → sandbox → values → output. Whatever a model can mend comes
//! back as an output with `is_error`, in words for the model.

use std::time::Duration;

use miette::Diagnostic;
use serde_json::{Map, Value};
use wassette_policy::Denial;
use wassette_sandbox::{Call, Outcome};
use wassette_wit_json::{Bounds, Reply, encode, reply};

use crate::catalog::Component;
use crate::code::CodeFault;
use crate::error::CallRefused;
use crate::tool::{JsonObject, Tool};
use crate::toolbox::Toolbox;

/// What a tool answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ToolOutput {
    /// Blocks of text, at least one.
    pub text: Vec<String>,
    /// `{"result": …}` as the tool's output schema says; `None` on errors and without a result.
    pub structured: Option<Value>,
    /// Whether the text says what went wrong.
    pub is_error: bool,
    /// What the sandbox refused.
    pub denials: Vec<Denial>,
    /// What the call used.
    pub usage: Usage,
    /// What the component printed, for the log.
    pub stdout: String,
    /// What the component complained, for the log.
    pub stderr: String,
}

/// What a call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Time on the clock.
    pub duration: Duration,
    /// Processor time.
    pub cpu: Duration,
    /// The most bytes of memory at one time.
    pub memory: u64,
}

impl Toolbox {
    /// Calls the tool that `name` means. Dropping the future stops the guest; so does
    /// [`close`](Toolbox::close).
    pub async fn call(&self, name: &str, arguments: JsonObject) -> Result<ToolOutput, CallRefused> {
        let closed = &self.shared.closed;
        if closed.is_cancelled() {
            return Err(CallRefused::Closed);
        }
        // The call keeps the catalog's tool: unloading it meanwhile does no harm.
        let catalog = self.catalog().await;
        let tool = catalog.find(name)?;
        let component = catalog.component(&tool.component).ok_or(CallRefused::Closed)?;
        tokio::select! {
            biased;
            output = self.run(tool, component, &arguments) => Ok(output),
            () = closed.cancelled() => Err(CallRefused::Closed),
        }
    }

    async fn run(&self, tool: &Tool, component: &Component, arguments: &JsonObject) -> ToolOutput {
        let limits = &self.shared.options.limits;
        let bounds = Bounds { bytes: limits.argument_bytes.size(), ..Bounds::ARGUMENTS };
        let values = match encode(&tool.function, arguments, bounds) {
            Ok(values) => values,
            Err(error) => return failed(&error),
        };
        let codes = &self.shared.codes;
        let ready = codes.component(component.content).await;
        let ready = match ready {
            Ok(ready) => ready,
            Err(CodeFault::Store(error)) => return failed(&error),
            Err(CodeFault::Compile(error)) => return failed(&error),
            Err(CodeFault::Code(error)) => return failed(&error),
            Err(CodeFault::Stopped) => return failed(&CallRefused::Closed),
        };
        let call = Call { component: ready, function: tool.function.clone(), arguments: values };
        let outcome = codes.engine.call(call).await;
        let bounds = Bounds { bytes: limits.result_bytes.size(), ..Bounds::RESULT };
        report(tool, outcome, bounds)
    }
}

/// What the outcome of a call is to a client.
fn report(tool: &Tool, outcome: Outcome, bounds: Bounds) -> ToolOutput {
    let mut output = match &outcome.result {
        Err(error) => failed(error),
        Ok(value) => match reply(&tool.function, value.as_ref(), bounds) {
            Ok(Reply::Ok(result)) => answered(tool, result),
            Ok(Reply::Err(error)) => {
                ToolOutput { text: vec![text(&error)], is_error: true, ..ToolOutput::default() }
            }
            Err(error) => failed(&error),
        },
    };
    for denial in &outcome.denials {
        output.text.push(format!(
            "denied: component `{}` {denial}\n  nothing outside its sandbox is open to it, and this version has no way to grant it",
            tool.component
        ));
    }
    let usage = outcome.usage;
    output.denials = outcome.denials;
    output.usage = Usage { duration: usage.time, cpu: usage.cpu, memory: usage.memory };
    output.stdout = outcome.stdout;
    output.stderr = outcome.stderr;
    output
}

fn answered(tool: &Tool, result: Option<Value>) -> ToolOutput {
    let Some(result) = result.or_else(|| tool.output_schema.is_some().then_some(Value::Null))
    else {
        return ToolOutput { text: vec!["done".to_owned()], ..ToolOutput::default() };
    };
    ToolOutput {
        text: vec![text(&result)],
        structured: Some(Value::Object(Map::from_iter([("result".to_owned(), result)]))),
        ..ToolOutput::default()
    }
}

/// A string as it is, everything else as compact JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// An error for the model: what, why, and what to do.
fn failed(error: &dyn Diagnostic) -> ToolOutput {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    if let Some(help) = error.help() {
        text.push_str(&format!("\nhint: {help}"));
    }
    ToolOutput { text: vec![text], is_error: true, ..ToolOutput::default() }
}
