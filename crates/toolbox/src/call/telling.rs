//! What is told of a call beside its result: what was refused, how it ended, what it could not know.
//! A model reads it. Nothing in here may say what the component was not allowed to see, and what the
//! component itself says is marked as its words.

use miette::Diagnostic;
use wassette_policy::Grant;
use wassette_sandbox::CallError;
use wassette_wit_json::clean;

use super::ToolOutput;
use crate::catalog::Component;
use crate::permissions::PolicyProblem;
use crate::toolbox::Toolbox;

/// More denials than these are not told to a model; the log has the rest.
const TOLD: usize = 5;
/// How much of a component's own words is told, in bytes.
const WORDS: usize = 300;
/// What is said of an error without a value.
pub(crate) const SILENT: &str = "the tool reported failure without a message";

/// Adds what was refused to the text, in one block, and to the log.
pub(crate) fn tell_denials(
    component: &str,
    problem: Option<&PolicyProblem>,
    output: &mut ToolOutput,
) {
    if output.denials.is_empty() {
        return;
    }
    if problem.is_some() {
        // No grant would help: the policy as a whole is not in force.
        output.denials.iter_mut().for_each(|denial| denial.grant = None);
    }
    for denial in &output.denials {
        tracing::warn!(component, effect = denial.effect.name(), "{denial}: {}", denial.reason);
    }
    let mut told: Vec<String> =
        output.denials.iter().take(TOLD).map(|denial| denial.text(component)).collect();
    let untold = output.denials.len().saturating_sub(TOLD);
    if untold > 0 {
        told.push(format!("denied: {untold} more of its effects; the log has them"));
    }
    if let Some(problem) = problem {
        let problem = problem.for_models();
        told.push(format!("nothing is granted to component `{component}`: {problem}"));
    }
    output.text.push(told.join("\n"));
}

/// `output` of a call that ended with `error`, in which something `was_denied`, and at whose end the
/// component wrote `stderr`, in which every secret is masked.
pub(crate) fn ended(
    mut output: ToolOutput,
    error: &CallError,
    was_denied: bool,
    stderr: &str,
) -> ToolOutput {
    if !matches!(error, CallError::Trap { .. } | CallError::Exit { .. }) {
        return output;
    }
    let mut text = error.to_string();
    if let Some(words) = last_words(stderr) {
        text.push_str(&format!("\n  the component's own last words: {words}"));
    }
    let fault = error.help().map(|help| help.to_string()).unwrap_or_default();
    let hint = if was_denied {
        "it was denied something before, which may be why; the next call starts afresh"
    } else {
        &fault
    };
    text.push_str(&format!("\nhint: {hint}"));
    output.text = vec![text];
    output
}

/// The last line of `stderr` that says something. None where its end was dropped: what was kept does
/// not tell how it ended, and the cut may go through a secret, whose first half no masker knows.
fn last_words(stderr: &str) -> Option<String> {
    let mut lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).rev().peekable();
    if lines.peek().is_some_and(|line| line.ends_with(" more bytes were dropped]")) {
        return None;
    }
    // Rust's own advice after a panic says nothing of it.
    let line = lines.find(|line| !line.starts_with("note: run with `RUST_BACKTRACE="))?;
    Some(clean(line, WORDS)).filter(|line| !line.is_empty())
}

/// What a model is told where a component read all its variables, failed, and there are some that it
/// was not given. Their names are not for a model: the operator gave them to the server, for whatever
/// component they are meant.
pub(crate) fn variables(component: &str) -> String {
    let mut text =
        "the component asked for all its variables, and the server offers some that no rule \
                    lists"
            .to_owned();
    let command = Grant::variable("KEY").and_then(|grant| grant.command(component));
    if let Some(command) = command {
        text.push_str(&format!("\n  to give it one: {command}"));
    }
    text
}

impl Toolbox {
    /// Of the variables that were given when the program was started, the keys of those that no rule
    /// of the component with the tool `name` lists, and the component's id.
    pub async fn unlisted_variables(&self, name: &str) -> Option<(String, Vec<String>)> {
        let catalog = self.catalog().await;
        let component = catalog.component(&catalog.find(name).ok()?.component)?;
        let given = &self.shared.options.environment.given;
        let unlisted = self.unlisted(component).into_iter().filter(|key| given.contains_key(key));
        Some((component.id.clone(), unlisted.collect()))
    }

    /// The keys of all variables that the operator offers and no rule of `component` lists.
    pub(crate) fn unlisted(&self, component: &Component) -> Vec<String> {
        let listed = component.permissions.effective.variables();
        let offered = &self.shared.options.environment;
        let mut keys: Vec<_> = offered.given.keys().chain(offered.configured.keys()).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter().filter(|key| !listed.contains(key)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use wassette_policy::{Denial, Effect};

    use super::*;

    fn output(denials: usize) -> ToolOutput {
        let denial = |number: usize| {
            let key = format!("KEY_{number}");
            Denial::new(Effect::Variable, &key, "no rule lists it")
                .with_grant(Grant::variable(&key))
        };
        ToolOutput { denials: (0..denials).map(denial).collect(), ..ToolOutput::default() }
    }

    #[test]
    fn a_model_is_told_a_few_denials_and_how_many_there_were() {
        let mut few = output(TOLD);
        tell_denials("env", None, &mut few);
        let [few] = &few.text[..] else { panic!("{few:?}") };
        assert_eq!(few.matches("\n  to allow it: wassette ").count(), TOLD);
        let mut many = output(TOLD + 3);
        tell_denials("env", None, &mut many);
        let more = "denied: 3 more of its effects; the log has them";
        assert_eq!(many.text, [format!("{few}\n{more}")]);
    }

    #[test]
    fn no_command_is_offered_while_the_policy_is_broken() {
        let help = Some("mend it".to_owned());
        let message = "its policy is broken".to_owned();
        let mut problem = PolicyProblem { message, help, short: None };
        let mut output = output(1);
        tell_denials("env", Some(&problem), &mut output);
        assert!(!output.text.concat().contains("to allow it"));
        let told = output.text.last().unwrap();
        let end = "\nnothing is granted to component `env`: its policy is broken\n  hint: mend it";
        assert!(told.ends_with(end), "{told}");
        problem.short = Some("it is broken somewhere".to_owned());
        tell_denials("env", Some(&problem), &mut output);
        let told = output.text.last().unwrap();
        assert!(told.contains("broken somewhere") && !told.contains("mend it\n"), "{told}");
    }

    #[test]
    fn the_last_words_are_one_line_and_bounded() {
        let panic = "thread '<unnamed>' panicked at src/lib.rs:1:1:\nno such `file`\nnote: run with \
                     `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        assert_eq!(last_words(panic).as_deref(), Some("no such `file`"));
        let python = "Traceback (most recent call last):\n  File \"x.py\"\nKeyError: 'API_KEY'\n\n";
        assert_eq!(last_words(python).as_deref(), Some("KeyError: 'API_KEY'"));
        // What was cut off may be the other half of a secret.
        assert_eq!(last_words("first\nkey canary-sec\n[12 more bytes were dropped]"), None);
        assert_eq!(last_words(" \n\n"), None);
        assert!(last_words(&"x".repeat(10_000)).unwrap().len() <= WORDS);
        assert_eq!(last_words("a\u{1b}[2Jb").as_deref(), Some("a[2Jb"));
    }

    #[test]
    fn a_crash_after_a_denial_is_not_called_a_fault_of_the_component() {
        let trap = CallError::Trap { reason: "it gave up".to_owned() };
        let text = |was_denied, stderr| {
            ended(ToolOutput::default(), &trap, was_denied, stderr).text.concat()
        };
        assert!(text(false, "").contains("fault of the component"));
        let denied = text(true, "no key\n");
        assert!(!denied.contains("fault") && denied.contains("last words: no key\n"), "{denied}");
    }
}
