//! `tool invoke`: one call. Standard output carries the result and only the result.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};
use wassette_mcp::{BuiltIns, call_built_in};
use wassette_policy::Grant;
use wassette_toolbox::{Answered, Choice, JsonObject, Step, ToolOutput, Toolbox};

use super::pairs;
use crate::ask;
use crate::context::Context;
use crate::error::CommandError;
use crate::printer::{Accent, Talk};
use crate::surroundings::SurroundingsArgs;

/// Of more variables than these that were given for nothing only the number is said.
const UNLISTED: usize = 5;

#[derive(Debug, Args)]
pub(crate) struct InvokeArgs {
    /// The tool's name, as `tool list` shows it
    name: String,

    /// Its arguments: `name=value`, which is read as the tool wants it, `name=@FILE` (`@-` is standard
    /// input) or `name:=JSON`; repeat one that is a list
    #[arg(value_name = "NAME=VALUE")]
    pairs: Vec<String>,

    /// All arguments as one JSON object; `-` reads it from standard input. Single arguments go
    /// before what it says
    #[arg(long, value_name = "JSON", default_value = "{}", allow_hyphen_values = true)]
    args: String,

    #[command(flatten)]
    surroundings: SurroundingsArgs,
}

pub(crate) async fn invoke(context: &Context, args: InvokeArgs) -> Result<(), CommandError> {
    let mut arguments = arguments(&args.args)?;
    let toolbox = context.toolbox_in(&args.surroundings)?;
    if !args.pairs.is_empty() {
        let schema = input_schema(&toolbox, &args.name).await?;
        let mut files = Files { folder: &context.current_dir, input_read: args.args == "-" };
        pairs::put(&mut arguments, &args.pairs, &schema, &mut |path| files.read(path))?;
    }
    let options = context.server_options(BuiltIns::Serve);
    let built_in = call_built_in(&toolbox, &options, &args.name, arguments.clone()).await;
    if let Some(answer) = built_in {
        return show(context, &answer.text, answer.structured, answer.is_error);
    }
    let output = if ask::is_there() {
        call_or_ask(context, &toolbox, &args.name, &arguments).await?
    } else {
        toolbox.call(&args.name, arguments).await?
    };
    tell_the_rest(context, &output);
    if let Some((component, keys)) = toolbox.unlisted_variables(&args.name).await {
        tell_of_variables(context, &component, &keys);
    }
    // An answer is one text; what was denied follows it.
    let text = if output.is_error { &output.text[..] } else { output.text.get(..1).unwrap_or(&[]) };
    show(context, text, output.structured, output.is_error)
}

/// What the tool `name` takes.
async fn input_schema(toolbox: &Toolbox, name: &str) -> Result<Arc<JsonObject>, CommandError> {
    let built_in = wassette_mcp::built_in_tools().into_iter().find(|tool| tool.name == name);
    match built_in {
        Some(tool) => Ok(tool.input_schema),
        None => Ok(toolbox.catalog().await.find(name)?.input_schema.clone()),
    }
}

/// The files that arguments name.
struct Files<'a> {
    folder: &'a Path,
    /// Whether standard input has been read, which can be done once.
    input_read: bool,
}

impl Files<'_> {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        if path != "-" {
            return std::fs::read(self.folder.join(path)).map_err(|error| error.to_string());
        }
        if std::mem::replace(&mut self.input_read, true) {
            return Err("standard input has been read already".to_owned());
        }
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map(|_| bytes).map_err(|error| error.to_string())
    }
}

/// Calls the tool, and asks the person at the terminal where it was denied something.
async fn call_or_ask(
    context: &Context,
    toolbox: &Toolbox,
    name: &str,
    arguments: &JsonObject,
) -> Result<ToolOutput, CommandError> {
    let mut answered = None;
    loop {
        let inquiry = match toolbox.call_or_ask(name, arguments.clone(), answered).await? {
            Step::Done(output) => return Ok(output),
            Step::Ask(inquiry) => *inquiry,
        };
        // This program ends with the call.
        let mut choices = inquiry.choices();
        choices.retain(|choice| *choice != Choice::Session);
        let verdict = ask::inquiry::decide(&context.printer, &inquiry, &choices)?;
        answered = Some(Answered { inquiry, verdict, by: "terminal" });
    }
}

fn show(
    context: &Context,
    text: &[String],
    structured: Option<Value>,
    is_error: bool,
) -> Result<(), CommandError> {
    let text = text.join("\n");
    if is_error {
        return Err(CommandError::Tool { text });
    }
    // A function without a result has answered too.
    let value = structured.unwrap_or_else(|| json!({ "result": null }));
    Ok(context.printer.data(&value, || text)?)
}

/// Says what a result does not: what the component wrote, where that is asked for, and what it was
/// denied, even when it swallowed the denial.
fn tell_the_rest(context: &Context, output: &ToolOutput) {
    let printer = &context.printer;
    if context.config.show_output || printer.talk() == Talk::Verbose {
        for (name, written) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if !written.is_empty() {
                printer.labelled(Accent::Dim, &format!("{name} of the component"), written);
            }
        }
    }
    let told = if output.is_error { &[] } else { output.text.get(1..).unwrap_or(&[]) };
    for denial in told {
        printer.warn(denial, None);
    }
    for denial in output.denials.iter().map(ToString::to_string) {
        if !output.text.iter().any(|text| text.contains(&denial)) {
            printer.warn(&format!("the component {denial}"), None);
        }
    }
}

/// Says which variables were given for nothing: a component sees those alone that its policy lists.
fn tell_of_variables(context: &Context, component: &str, keys: &[String]) {
    for key in keys.iter().take(UNLISTED) {
        let command = Grant::variable(key).and_then(|grant| grant.command(component));
        let message = format!("component `{component}` is not given `{key}`: no rule lists it");
        let hint = command.map(|command| format!("to give it: {command}"));
        context.printer.warn(&message, hint.as_deref());
    }
    if let Some(more) = keys.len().checked_sub(UNLISTED).filter(|more| *more > 0) {
        context.printer.warn(&format!("nor {more} more of the variables that were given"), None);
    }
}

/// The arguments that `text` is, or for `-` those on standard input.
pub(crate) fn arguments(text: &str) -> Result<JsonObject, CommandError> {
    let wrong = |fault: String| CommandError::Arguments { fault };
    let mut input = String::new();
    let text = if text == "-" {
        let read = std::io::stdin().lock().read_to_string(&mut input);
        read.map_err(|error| wrong(format!("standard input cannot be read: {error}")))?;
        input.as_str()
    } else {
        text
    };
    match serde_json::from_str(text).map_err(|error| wrong(error.to_string()))? {
        Value::Object(arguments) => Ok(arguments),
        Value::Null => Err(wrong("found null".to_owned())),
        Value::Bool(_) => Err(wrong("found a boolean".to_owned())),
        Value::Number(_) => Err(wrong("found a number".to_owned())),
        Value::String(_) => Err(wrong("found a string".to_owned())),
        Value::Array(_) => Err(wrong("found an array".to_owned())),
    }
}
