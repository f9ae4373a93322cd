//! A lesson as it is shown, to people and as data.

use serde::Serialize;
use serde_json::Value;
use wassette_policy::{Denial, Policy};
use wassette_toolbox::{LearnedCall, Lesson, PolicyChange};

use crate::asks;
use crate::shell::quoted;

/// The one shape of it.
#[derive(Serialize)]
pub(super) struct LessonView<'a> {
    component_id: &'a str,
    rounds: u32,
    calls: &'a [LearnedCall],
    proposals: Vec<ProposalView<'a>>,
    refused: &'a [Denial],
    notes: &'a [String],
    /// The document that asks for all that is proposed.
    policy: Value,
    /// What was granted of it.
    changes: Vec<String>,
    #[serde(skip)]
    change: Option<PolicyChange>,
}

#[derive(Serialize)]
struct ProposalView<'a> {
    number: usize,
    lines: &'a [String],
    why: &'a [String],
    commands: Vec<String>,
}

impl<'a> LessonView<'a> {
    pub(super) fn new(lesson: &'a Lesson) -> Self {
        let proposals = (1..).zip(&lesson.proposals).map(|(number, proposal)| ProposalView {
            number,
            lines: &proposal.lines,
            why: &proposal.why,
            commands: asks::commands(&proposal.policy, &lesson.component).0,
        });
        let edits = lesson.proposals.iter().map(|proposal| proposal.edit.clone());
        Self {
            component_id: &lesson.component,
            rounds: lesson.rounds,
            calls: &lesson.calls,
            proposals: proposals.collect(),
            refused: &lesson.refused,
            notes: &lesson.notes,
            policy: Policy::asking(edits).unwrap_or_default().to_json(),
            changes: Vec::new(),
            change: None,
        }
    }

    /// The same, of which `change` was made.
    pub(super) fn accepted(self, change: Option<PolicyChange>) -> Self {
        let changes = change.iter().flat_map(|change| change.changes.clone()).collect();
        Self { changes, change, ..self }
    }

    /// The lesson for people.
    pub(super) fn text(&self) -> String {
        let calls = if self.calls.len() == 1 { "call" } else { "calls" };
        let times = if self.rounds == 1 { "time" } else { "times" };
        let mut text = format!(
            "{}: {} {calls}, made {} {times}\n",
            self.component_id,
            self.calls.len(),
            self.rounds
        );
        for call in self.calls {
            let end = if call.is_error { "failed" } else { "passed" };
            text.push_str(&format!("  {end}  {}: {}\n", call.tool, first_line(&call.text)));
        }
        if self.proposals.is_empty() {
            text.push_str("\nnothing is proposed\n");
        }
        for proposal in &self.proposals {
            text.push('\n');
            for (index, line) in proposal.lines.iter().enumerate() {
                match index {
                    0 => text.push_str(&format!("{:>3}  {line}\n", proposal.number)),
                    _ => text.push_str(&format!("     {line}\n")),
                }
            }
            for why in proposal.why {
                text.push_str(&format!("       without it, the component {why}\n"));
            }
            for command in &proposal.commands {
                text.push_str(&format!("       {command}\n"));
            }
        }
        if !self.refused.is_empty() {
            text.push_str("\nno grant would allow:\n");
        }
        for denial in self.refused {
            text.push_str(&format!("  the component {denial}: {}\n", denial.reason));
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        for note in self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text.push_str(&self.change.as_ref().map(granted).unwrap_or_default());
        text
    }
}

/// What was granted, and how to keep it so.
pub(super) fn granted(change: &PolicyChange) -> String {
    let mut text = format!("\ngranted to {}:\n", change.component);
    for line in &change.changes {
        text.push_str(&format!("  {line}\n"));
    }
    for note in &change.notes {
        text.push_str(&format!("  {note}\n"));
    }
    let id = quoted(&change.component);
    text.push_str(&format!(
        "\nto lock it: `wassette policy pin {id}` binds it to the component as it is now, and a \
         server with `--locked` lets no client change it\n"
    ));
    text
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
