//! The decision log as the toolbox keeps it: what each call did outside its sandbox and what it was
//! refused, a record each. Where the operator wants all in it, what cannot be recorded does not
//! happen. No value of a variable or a secret may ever stand in a record.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use serde_json::{Value, json};
use wassette_policy::visible;
use wassette_sandbox::{Decided, Event, Masker, Observer, Unrecorded};
use wassette_store::Store;
use wassette_store::audit::{AuditLog, AuditSettings, Filter, VerifyReport, records, verify};

use crate::call::{ToolOutput, Under};
use crate::catalog::Component;
use crate::code::blocking;
use crate::error::AuditError;
use crate::tool::{JsonObject, Tool};
use crate::toolbox::Toolbox;

/// The most that a record says of what was decided on, in characters.
const DECIDED: usize = 4000;

/// What is written down of what components do, and how much of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditOptions {
    /// What is recorded.
    pub level: AuditLevel,
    /// When a file has so many bytes, the next one is begun.
    pub file_bytes: u64,
    /// How many files are kept.
    pub files: u32,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self { level: AuditLevel::Denials, file_bytes: 16 << 20, files: 8 }
    }
}

/// Which effects are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditLevel {
    /// None.
    Off,
    /// Those that were refused.
    Denials,
    /// All of them, and each call's beginning and end. What cannot be recorded is refused.
    All,
}

impl FromStr for AuditLevel {
    type Err = UnknownAuditLevel;

    fn from_str(text: &str) -> Result<Self, UnknownAuditLevel> {
        match text {
            "off" => Ok(Self::Off),
            "denials" => Ok(Self::Denials),
            "all" => Ok(Self::All),
            _ => Err(UnknownAuditLevel),
        }
    }
}

impl fmt::Display for AuditLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Denials => "denials",
            Self::All => "all",
        })
    }
}

/// The text names no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("there is no such level of the decision log")]
#[diagnostic(help("the levels are `off`, `denials` and `all`"))]
pub struct UnknownAuditLevel;

/// Which records of the decision log are wanted. The default wants the last 1000.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFilter {
    /// Those of this component.
    pub component: Option<String>,
    /// Those of this call.
    pub call: Option<String>,
    /// Those of what was refused.
    pub denied_only: bool,
    /// Those from this moment on.
    pub since: Option<SystemTime>,
    /// The last so many of them.
    pub most: usize,
}

impl Default for AuditFilter {
    fn default() -> Self {
        Self { component: None, call: None, denied_only: false, since: None, most: 1000 }
    }
}

impl Toolbox {
    /// The records of the decision log that `filter` wants, the newest last.
    ///
    /// # Errors
    /// [`AuditError`] if the log cannot be read.
    pub async fn audit_records(&self, filter: AuditFilter) -> Result<Vec<JsonObject>, AuditError> {
        let store = self.shared.store.clone();
        let read = move || {
            let AuditFilter { component, call, denied_only, since, most } = filter;
            let decision = denied_only.then(|| "denied".to_owned());
            let wanted = Filter { component, call, decision, since };
            let mut last = VecDeque::new();
            for record in records(&store.audit_dir(), wanted)? {
                last.push_back(record?);
                if last.len() > most {
                    last.pop_front();
                }
            }
            Ok(last.into())
        };
        blocking(read).await?
    }

    /// Examines the decision log.
    ///
    /// # Errors
    /// [`AuditError`] if the log cannot be read. What is wrong with it is in the report.
    pub async fn verify_audit(&self) -> Result<VerifyReport, AuditError> {
        let store = self.shared.store.clone();
        blocking(move || Ok(verify(&store.audit_dir())?)).await?
    }
}

/// The operator wants everything recorded, and this cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("this was not done, for it cannot be recorded in the decision log")]
#[diagnostic(help(
    "the operator wants everything in the log: the server's own log says why it cannot be written"
))]
pub struct Unrecordable;

/// What somebody decided, for the log.
pub(crate) struct Decision<'a> {
    /// `grant`, `change`, `load` or `unload`.
    pub(crate) kind: &'static str,
    pub(crate) component: &'a str,
    pub(crate) digest: Option<&'a str>,
    /// What was different from then on, or would have been.
    pub(crate) lines: &'a [String],
    pub(crate) is_yes: bool,
    /// What was said.
    pub(crate) verdict: &'a str,
    /// By which means.
    pub(crate) by: &'a str,
    /// Why it was asked for.
    pub(crate) reason: Option<&'a str>,
}

/// The decision log, as calls write it. It is opened when there is first something to write.
pub(crate) struct Audit {
    options: AuditOptions,
    store: Store,
    log: OnceLock<Option<AuditLog>>,
}

impl Audit {
    pub(crate) fn new(options: AuditOptions, store: Store) -> Self {
        Self { options, store, log: OnceLock::new() }
    }

    /// Begins to record a call of `tool`; `None` where nothing is recorded.
    pub(crate) fn begin(
        self: &Arc<Self>,
        component: &Arc<Component>,
        tool: &Arc<Tool>,
        under: Under<'_>,
    ) -> Result<Option<Recording>, Unrecordable> {
        if self.options.level == AuditLevel::Off {
            return Ok(None);
        }
        let recorder = Recorder {
            audit: self.clone(),
            call: OnceLock::new(),
            component: component.clone(),
            tool: tool.clone(),
            masker: under.masker.clone(),
            occasion: under.occasion,
        };
        let recording = Recording { recorder: Arc::new(recorder), is_over: AtomicBool::new(false) };
        if self.options.level == AuditLevel::All
            && let Err(Unrecorded) = recording.recorder.note("begun", JsonObject::new())
        {
            recording.is_over.store(true, Ordering::Relaxed);
            return Err(Unrecordable);
        }
        Ok(Some(recording))
    }

    /// Records that somebody decided what a component may do, before it is so. An error means that
    /// it must not be so: the operator wants all in the log.
    pub(crate) fn decided(&self, decision: &Decision<'_>) -> Result<(), Unrecordable> {
        if self.options.level == AuditLevel::Off {
            return Ok(());
        }
        let mut record: JsonObject = [
            ("time", humantime::format_rfc3339_millis(SystemTime::now()).to_string()),
            ("component", decision.component.to_owned()),
            ("effect", decision.kind.to_owned()),
            ("target", visible(&decision.lines.join("; "), DECIDED)),
            ("decision", if decision.is_yes { "allowed" } else { "denied" }.to_owned()),
            ("verdict", decision.verdict.to_owned()),
            ("by", decision.by.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .into_iter()
        .collect();
        let more = [("digest", decision.digest), ("reason", decision.reason)];
        for (name, value) in more {
            record.extend(value.map(|value| (name.to_owned(), json!(value))));
        }
        match self.append(&record) {
            Err(Unrecorded) if self.options.level == AuditLevel::All => Err(Unrecordable),
            _ => Ok(()),
        }
    }

    /// Appends a record, or says in the server's log why that failed.
    fn append(&self, record: &JsonObject) -> Result<(), Unrecorded> {
        let AuditOptions { file_bytes, files, .. } = self.options;
        let log = self.log.get_or_init(|| {
            let settings = AuditSettings { max_bytes: file_bytes, files };
            let opened = AuditLog::open(&self.store, settings);
            opened.inspect_err(|error| tracing::error!(%error, "there is no decision log")).ok()
        });
        let log = log.as_ref().ok_or(Unrecorded)?;
        log.append(record).map(|_| ()).map_err(|error| {
            tracing::error!(%error, "something is missing in the decision log");
            Unrecorded
        })
    }
}

/// A short name for one call, by which its records are found. Without randomness calls share one.
fn call_id() -> String {
    getrandom::u64().map_or_else(|_| "unknown".to_owned(), |random| format!("{random:016x}"))
}

/// Why a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// For its result.
    Call,
    /// To see what it needs. What it does to files may happen on a copy, and each record says so by
    /// `learning`.
    Learning,
}

/// A call that is being recorded. One that is dropped before its end was stopped.
pub(crate) struct Recording {
    recorder: Arc<Recorder>,
    is_over: AtomicBool,
}

impl Recording {
    /// Who is to hear of the call's effects.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        self.recorder.clone()
    }

    /// The call came to its end with `output`.
    pub(crate) fn end(&self, output: &ToolOutput) {
        let usage = output.usage;
        let milliseconds = |span: std::time::Duration| span.as_secs_f64() * 1000.0;
        self.over(
            "ended",
            [
                ("is_error", json!(output.is_error)),
                ("denials", json!(output.denials.len())),
                ("duration_ms", json!(milliseconds(usage.duration))),
                ("cpu_ms", json!(milliseconds(usage.cpu))),
                ("memory_bytes", json!(usage.memory)),
            ],
        );
    }

    fn over(&self, decision: &str, more: impl IntoIterator<Item = (&'static str, Value)>) {
        if self.is_over.swap(true, Ordering::Relaxed)
            || self.recorder.audit.options.level != AuditLevel::All
        {
            return;
        }
        let more = more.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        // What the call did has happened and is recorded.
        let _ = self.recorder.note(decision, more);
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.over("stopped", []);
    }
}

/// Writes down the effects of one call. As long as there is none, it costs nothing.
struct Recorder {
    audit: Arc<Audit>,
    call: OnceLock<String>,
    component: Arc<Component>,
    tool: Arc<Tool>,
    masker: Masker,
    occasion: Occasion,
}

impl Recorder {
    /// `text` without the secrets that the component was given.
    fn masked(&self, text: &str) -> String {
        self.masker.text(text).into_owned()
    }

    fn record(&self, effect: &str, target: &str, decision: &str) -> JsonObject {
        let mut record: JsonObject = [
            ("time", humantime::format_rfc3339_millis(SystemTime::now()).to_string()),
            ("call", self.call.get_or_init(call_id).clone()),
            ("component", self.component.id.clone()),
            ("digest", self.component.digest.clone()),
            ("tool", self.tool.name.clone()),
            ("effect", effect.to_owned()),
            ("target", self.masked(target)),
            ("decision", decision.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .into_iter()
        .collect();
        if self.occasion == Occasion::Learning {
            record.insert("learning".to_owned(), Value::Bool(true));
        }
        record
    }

    /// Records something about the call itself.
    fn note(&self, decision: &str, more: JsonObject) -> Result<(), Unrecorded> {
        let mut record = self.record("call", &self.tool.name, decision);
        record.extend(more);
        self.audit.append(&record)
    }
}

impl Observer for Recorder {
    fn event(&self, event: &Event<'_>) -> Result<(), Unrecorded> {
        let level = self.audit.options.level;
        let (decision, name, why) = match event.decision {
            Decided::Allowed { .. } if level != AuditLevel::All => return Ok(()),
            Decided::Allowed { rule } => ("allowed", "rule", rule),
            Decided::Denied { reason } => ("denied", "reason", reason),
        };
        let mut record = self.record(event.effect.name(), event.target, decision);
        record.insert(name.to_owned(), Value::String(self.masked(why)));
        match self.audit.append(&record) {
            Err(Unrecorded) if level == AuditLevel::All => Err(Unrecorded),
            _ => Ok(()),
        }
    }
}
