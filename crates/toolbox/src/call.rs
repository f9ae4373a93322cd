//! Call: JSON object → tool → values → sandbox → values → output. Whatever a model can mend comes
//! back as an output with `is_error`, in words for the model.

mod telling;

use std::sync::Arc;
use std::time::Duration;

use miette::Diagnostic;
use serde_json::{Map, Value};
use wassette_policy::{Denial, Effect, Grant, Limits, OperatorLimits};
use wassette_sandbox::{Authority, Call, CallError, Masker, Outcome};
use wassette_wit_json::{Bounds, Reply, clean, encode, reply};

use self::telling::tell_denials;
use crate::audit::Occasion;
use crate::catalog::Component;
use crate::code::{CodeFault, blocking};
use crate::error::CallRefused;
use crate::masking;
use crate::permissions::Permissions;
use crate::temporary::Addition;
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
    /// Whether the call did nothing that would happen a second time if it ran again.
    pub is_repeatable: bool,
    /// Whether the component asked for all its variables at once, and so named none that it misses.
    pub asked_for_all_variables: bool,
    /// The name of the limit at which the call was stopped.
    pub limit: Option<&'static str>,
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

/// Under what a call is made.
#[derive(Clone, Copy)]
pub(crate) struct Under<'a> {
    pub(crate) authority: &'a Arc<Authority>,
    pub(crate) limits: &'a Limits,
    /// Knows each secret that is handed out under the authority.
    pub(crate) masker: &'a Masker,
    pub(crate) occasion: Occasion,
}

impl<'a> Under<'a> {
    /// What is granted.
    fn of(permissions: &'a Permissions) -> Self {
        let Permissions { authority, limits, masker, .. } = permissions;
        Self { authority, limits, masker, occasion: Occasion::Call }
    }
}

impl Toolbox {
    /// Calls the tool that `name` means. Dropping the future stops the guest; so does
    /// [`close`](Toolbox::close).
    pub async fn call(&self, name: &str, arguments: JsonObject) -> Result<ToolOutput, CallRefused> {
        self.call_with(name, arguments, None).await
    }

    /// Calls the tool that `name` means, with `addition` to what it may do, for this call alone.
    pub(crate) async fn call_with(
        &self,
        name: &str,
        arguments: JsonObject,
        addition: Option<Addition>,
    ) -> Result<ToolOutput, CallRefused> {
        let closed = &self.shared.closed;
        if closed.is_cancelled() {
            return Err(CallRefused::Closed);
        }
        // The call keeps the catalog's tool: unloading it meanwhile does no harm.
        let catalog = self.catalog().await;
        let tool = catalog.find(name)?;
        let component = catalog.component(&tool.component).ok_or(CallRefused::Closed)?;
        let addition = addition.or_else(|| self.shared.terms.temporary.take(component.entry()));
        let permissions = match addition {
            None => component.permissions.clone(),
            Some(addition) => {
                let (toolbox, component) = (self.clone(), component.clone());
                let resolve = move || {
                    let terms = &toolbox.shared.terms;
                    terms.once(component.entry(), &addition, &component.permissions)
                };
                blocking(resolve).await.map_err(|_| CallRefused::Closed)?
            }
        };
        tokio::select! {
            biased;
            output = self.run(tool, component, &arguments, Under::of(&permissions)) => Ok(output),
            () = closed.cancelled() => Err(CallRefused::Closed),
        }
    }

    pub(crate) async fn run(
        &self,
        tool: &Arc<Tool>,
        component: &Arc<Component>,
        arguments: &JsonObject,
        under: Under<'_>,
    ) -> ToolOutput {
        let limits = under.limits;
        let bounds = Bounds { bytes: limits.argument_bytes.size(), ..Bounds::ARGUMENTS };
        let values = match encode(&tool.function, arguments, bounds) {
            Ok(values) => values,
            Err(error) => return failed(&error),
        };
        let codes = &self.shared.codes;
        let ready = match codes.component(component.content).await {
            Ok(ready) => ready,
            Err(CodeFault::Store(error)) => return failed(&error),
            Err(CodeFault::Compile(error)) => return failed(&error),
            Err(CodeFault::Code(error)) => return failed(&error),
            Err(CodeFault::Stopped) => return failed(&CallRefused::Closed),
        };
        let recording = match self.shared.audit.begin(component, tool, under) {
            Ok(recording) => recording,
            Err(unrecorded) => return failed(&unrecorded),
        };
        let call = Call {
            component: ready,
            authority: under.authority.clone(),
            observer: recording.as_ref().map(|recording| recording.observer()),
            function: tool.function.clone(),
            arguments: values,
        };
        let mut outcome = codes.engine.call(call).await;
        for denial in &mut outcome.denials {
            offer_more(denial, limits, &self.shared.options.limits);
        }
        let bounds = Bounds { bytes: limits.result_bytes.size(), ..Bounds::RESULT };
        let mut output = report(tool, component, under.masker, outcome, bounds);
        if output.is_error && output.asked_for_all_variables && !self.unlisted(component).is_empty()
        {
            output.text.push(telling::variables(&tool.component));
        }
        if let Some(recording) = &recording {
            recording.end(&output);
        }
        output
    }
}

/// What the outcome of a call is to a client. Nothing leaves here with a secret in it.
fn report(
    tool: &Tool,
    component: &Component,
    masker: &Masker,
    outcome: Outcome,
    bounds: Bounds,
) -> ToolOutput {
    let limit = outcome.result.as_ref().err().and_then(CallError::limit);
    // Cleaned first: what was between two halves of a secret could be gone afterwards.
    let printed = |text: &str| masker.text(&clean(text, usize::MAX)).into_owned();
    let (stdout, stderr) = (printed(&outcome.stdout), printed(&outcome.stderr));
    let result = match outcome.result {
        Err(error) => {
            let was_denied = !outcome.denials.is_empty();
            Err(telling::ended(failed(&error), &error, was_denied, &stderr))
        }
        Ok(value) => reply(&tool.function, value.as_ref(), bounds).map_err(|error| failed(&error)),
    };
    let mut output = match result {
        Ok(Reply::Ok(result)) => {
            answered(tool, result.map(|result| masking::value(masker, result)))
        }
        Ok(Reply::Err(error)) => ToolOutput {
            text: vec![match error {
                Value::Null => telling::SILENT.to_owned(),
                error => text(&masking::value(masker, error)),
            }],
            is_error: true,
            ..ToolOutput::default()
        },
        Err(mut failed) => {
            failed.text.iter_mut().for_each(|text| *text = masker.text(text).into_owned());
            failed
        }
    };
    let usage = outcome.usage;
    output.limit = limit;
    output.denials =
        outcome.denials.into_iter().map(|denial| masking::denial(masker, denial)).collect();
    output.is_repeatable = outcome.is_repeatable;
    output.usage = Usage { duration: usage.time, cpu: usage.cpu, memory: usage.memory };
    output.asked_for_all_variables = outcome.asked_for_all_variables;
    (output.stdout, output.stderr) = (stdout, stderr);
    tell_denials(&tool.component, component.permissions.problem.as_ref(), &mut output);
    output
}

/// Adds to `denial` of what is beyond a limit the command that raises it, or that nobody but the
/// operator can.
pub(crate) fn offer_more(denial: &mut Denial, limits: &Limits, operator: &OperatorLimits) {
    if denial.effect != Effect::Limit {
        return;
    }
    match operator.more(&denial.target, limits) {
        Some(more) => denial.grant = Grant::limit(&denial.target, &more),
        None => denial.reason.push_str("; the operator allows no more"),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_raised_as_far_as_the_operator_goes() {
        let (limits, operator) = (Limits::default(), OperatorLimits::default());
        let mut denial = Denial::new(Effect::Limit, "requests", "the limit is reached");
        offer_more(&mut denial, &limits, &operator);
        assert!(denial.text("c").ends_with("wassette permission grant limit c requests 200"));

        let mut lowest = wassette_policy::LimitRules::default();
        lowest.set("requests", wassette_policy::Setting::Number(100)).unwrap();
        let mut denial = Denial::new(Effect::Limit, "requests", "the limit is reached");
        offer_more(&mut denial, &limits, &operator.within(&lowest));
        let text = denial.text("c");
        assert!(text.ends_with("the limit is reached; the operator allows no more"), "{text}");
    }
}
