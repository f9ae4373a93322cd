//! A workshop with a component that wants something, and a person who answers.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use wassette_policy::Edit;
use wassette_toolbox::{
    Answered, ApprovalError, AuditFilter, Choice, Granted, Inquiry, Options, Step, Term,
    ToolOutput, Toolbox, Verdict,
};

use crate::{Workshop, object, policy};

/// The question of a step that has one.
pub(crate) fn asked<T: std::fmt::Debug>(step: Step<T>) -> Inquiry {
    match step {
        Step::Ask(inquiry) => *inquiry,
        Step::Done(done) => panic!("nobody was asked: {done:?}"),
    }
}

pub(crate) fn done<T: std::fmt::Debug>(step: Step<T>) -> T {
    match step {
        Step::Done(done) => done,
        Step::Ask(inquiry) => panic!("somebody is asked: {}", inquiry.text()),
    }
}

pub(crate) fn says(inquiry: &Inquiry, verdict: Verdict) -> Option<Answered> {
    Some(Answered { inquiry: inquiry.clone(), verdict, by: "test" })
}

pub(crate) fn yes(inquiry: &Inquiry, choice: Choice) -> Option<Answered> {
    says(inquiry, Verdict::Chosen(choice))
}

/// Looks at what waits and says yes to it.
pub(crate) async fn approve(toolbox: &Toolbox, number: u64) -> Result<Vec<String>, ApprovalError> {
    let shown = toolbox.waiting(number).await?;
    toolbox.approve_pending(number, &shown, Term::Always, |_| {}).await
}

pub(crate) fn variable(key: &str) -> Vec<Edit> {
    policy(&format!("environment: {{ allow: [{{ key: {key} }}] }}")).additions().unwrap()
}

/// A workshop with the guest `files` and a file that it may not read yet.
pub(crate) struct Desk {
    pub(crate) workshop: Workshop,
    pub(crate) file: PathBuf,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let workshop = Workshop::with(change);
        workshop.built("files").await;
        let folder = workshop.folder.path().canonicalize().unwrap().join("data");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("a.txt");
        fs::write(&file, "hello").unwrap();
        Self { workshop, file }
    }

    pub(crate) fn toolbox(&self) -> &Toolbox {
        &self.workshop.toolbox
    }

    pub(crate) async fn read_with(&self, answered: Option<Answered>) -> Step<ToolOutput> {
        let arguments = object(json!({ "path": self.file.display().to_string() }));
        self.toolbox().call_or_ask("read-file", arguments, answered).await.unwrap()
    }

    /// What the tool says that reads the file, nobody being asked.
    pub(crate) async fn read(&self) -> Result<String, String> {
        let path = json!({ "path": self.file.display().to_string() });
        let output = self.workshop.call("read-file", path).await;
        let text = output.text.first().unwrap().clone();
        if output.is_error { Err(text) } else { Ok(text) }
    }

    pub(crate) async fn decisions(&self) -> Vec<(String, String, String)> {
        let records = self.toolbox().audit_records(AuditFilter::default()).await.unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let decision = |record: &wassette_toolbox::JsonObject| {
            let verdict = record.get("verdict")?;
            Some((text(&record["effect"]), text(&record["decision"]), text(verdict)))
        };
        records.iter().filter_map(decision).collect()
    }

    pub(crate) fn stored(&self) -> Option<String> {
        fs::read_to_string(self.workshop.policy_file("files")).ok()
    }

    pub(crate) async fn request(
        &self,
        edits: Vec<Edit>,
        answered: Option<Answered>,
    ) -> Result<Step<Granted>, ApprovalError> {
        self.toolbox().request_edits("files", edits, Some("to do my work"), answered).await
    }
}
