//! Requests that wait for a person, because nobody could be asked when they were made. They lie in
//! the store; whoever runs the command line decides, and every server sees what came of it.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use wassette_store::{ComponentId, Digest, Pending, Reference, Store};

use super::grant::about;
use super::inquiry::{About, Inquiry, Kept};
use super::term::Term;
use super::verdict::Choice;
use crate::code::{blocking, in_turn};
use crate::edit::{By, Shown};
use crate::error::{ApprovalError, LoadError, PermissionError};
use crate::load::{Changes, LoadRequest, LoadStage, PATIENCE, Replace, Status};
use crate::toolbox::Toolbox;

/// How many requests wait for one component, and how many loads.
const EACH: usize = 8;

/// Who decides on what waits.
const BY: &str = "command line";

/// A request that waits.
#[derive(Debug, Clone)]
pub struct PendingView {
    /// By which number it is decided on.
    pub number: u64,
    /// When it was made.
    pub asked_at: SystemTime,
    /// What is asked, or why that cannot be read.
    pub inquiry: Result<Inquiry, String>,
}

impl PendingView {
    fn of(pending: Pending) -> Self {
        let kept: Result<Kept, _> = serde_json::from_value(pending.payload);
        let inquiry = kept
            .map_err(|error| error.to_string())
            .and_then(|kept| kept.inquiry().map_err(|error| error.to_string()));
        let asked_at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(pending.asked_at));
        let asked_at = asked_at.unwrap_or(SystemTime::UNIX_EPOCH);
        Self { number: pending.number, asked_at, inquiry }
    }

    /// What is asked, if that can be read.
    fn understood(self) -> Result<Inquiry, ApprovalError> {
        let number = self.number;
        self.inquiry.map_err(|problem| ApprovalError::Waiting { number, problem })
    }

    /// The one JSON shape of this.
    pub fn to_json(&self) -> Value {
        let asked_at = humantime::format_rfc3339_seconds(self.asked_at).to_string();
        match &self.inquiry {
            Ok(inquiry) => json!({
                "number": self.number,
                "asked_at": asked_at,
                "kind": inquiry.kind(),
                "component": inquiry.component(),
                "digest": inquiry.digest(),
                "source": inquiry.source(),
                "changes": inquiry.lines(),
                "reason": inquiry.reason,
            }),
            Err(problem) => {
                json!({ "number": self.number, "asked_at": asked_at, "problem": problem })
            }
        }
    }
}

impl Toolbox {
    /// Keeps `inquiry` for a person who decides later, and gives the number by which that is done;
    /// `None` for what cannot be done later. The same question keeps its number.
    ///
    /// # Errors
    /// [`ApprovalError::Store`], also where too many wait already.
    pub async fn keep_pending(&self, inquiry: &Inquiry) -> Result<Option<u64>, ApprovalError> {
        let Some(kept) = Kept::of(inquiry) else { return Ok(None) };
        // One component, or one model that wants to load, leaves room for the requests of others.
        let waiting = self.pending().await?;
        let alike = waiting.iter().filter_map(|pending| pending.inquiry.as_ref().ok());
        let alike = alike.filter(|other| {
            other.matter() != inquiry.matter()
                && other.kind() == inquiry.kind()
                && (other.kind() == "load" || other.component() == inquiry.component())
        });
        if alike.count() >= EACH {
            return Err(ApprovalError::TooManyWait { limit: EACH });
        }
        let payload = serde_json::to_value(kept).map_err(|_| PermissionError::Stopped)?;
        let (store, key) = (self.shared.store.clone(), inquiry.matter());
        let keep = move || store.keep_pending(key, payload, PATIENCE);
        let number = in_turn(&self.shared.writing, keep).await.map_err(PermissionError::from)??;
        self.record(inquiry, false, "pending", "server")?;
        Ok(Some(number))
    }

    /// The requests that wait, the oldest first.
    ///
    /// # Errors
    /// [`ApprovalError::Store`].
    pub async fn pending(&self) -> Result<Vec<PendingView>, ApprovalError> {
        let store = self.shared.store.clone();
        let read = blocking(move || store.pending()).await.map_err(PermissionError::from)??;
        Ok(read.into_iter().map(PendingView::of).collect())
    }

    /// Does what waits under `number`, for as long as `term` says, if that is still what was `shown`.
    /// It waits on where that fails. `progress` hears of the stages of a load. Gives what is different now, a line each.
    ///
    /// # Errors
    /// [`ApprovalError`].
    pub async fn approve_pending(
        &self,
        number: u64,
        shown: &Inquiry,
        term: Term,
        progress: impl Fn(LoadStage) + Send + Sync,
    ) -> Result<Vec<String>, ApprovalError> {
        let pending = self.take(number).await?;
        let done = self.do_pending(&pending, shown, term, progress).await;
        if done.is_err() {
            let store = self.shared.store.clone();
            let put_back = move || store.restore_pending(&pending, PATIENCE);
            in_turn(&self.shared.writing, put_back).await.map_err(PermissionError::from)??;
        }
        done
    }

    async fn do_pending(
        &self,
        pending: &Pending,
        shown: &Inquiry,
        term: Term,
        progress: impl Fn(LoadStage) + Send + Sync,
    ) -> Result<Vec<String>, ApprovalError> {
        let number = pending.number;
        let inquiry = self.anew(PendingView::of(pending.clone()).understood()?).await?;
        if inquiry.matter() != shown.matter() {
            return Err(ApprovalError::Changed);
        }
        if term != Term::Always && !inquiry.offers(Choice::Hour) {
            return Err(ApprovalError::NoTerm);
        }
        match &inquiry.about {
            About::Load { reference, digest, replaces, component, .. } => {
                self.record(&inquiry, true, Choice::Allow.words(), BY)?;
                let mut request = LoadRequest::new(reference.clone(), "/".into());
                request.id = Some(ComponentId::parse(component).map_err(LoadError::from)?);
                if replaces.is_some() {
                    request.replace = Replace::Allow;
                }
                let digest: Option<Digest> =
                    digest.as_deref().map(str::parse).transpose().map_err(|_| damaged(number))?;
                // Changed tools wait for a person who has seen them, or these very bytes.
                request.changes = match digest {
                    Some(_) => Changes::Accept,
                    None => Changes::Quarantine,
                };
                // The digest of an image stands in its reference.
                let parsed = Reference::parse(reference).map_err(LoadError::from)?;
                if matches!(parsed, Reference::File(_)) {
                    request.digest = digest;
                }
                let loaded = self.load(request, progress).await?;
                if loaded.status == Status::Quarantined {
                    let id = &loaded.component.id;
                    let mut told = vec![format!("a version of `{id}` with other tools waits")];
                    if let Some(difference) = &loaded.difference {
                        told.extend(difference.lines());
                        let digest = &difference.digest.after;
                        told.push(format!("`wassette component accept {id} --digest {digest}`"));
                    }
                    return Ok(told);
                }
                let tools = loaded.component.tools.iter().map(|tool| tool.name.clone());
                let tools: Vec<String> = tools.collect();
                Ok(vec![format!("loaded `{}`: {}", loaded.component.id, tools.join(", "))])
            }
            About::Grant { additions, .. } => {
                let edits = additions.additions().map_err(ApprovalError::Additions)?;
                let edits = term.edits(edits)?;
                let component = self.shown(&inquiry).await?;
                self.record(&inquiry, true, &format!("allow {term}"), BY)?;
                let lines = inquiry.shown().lines.filter(|_| term == Term::Always);
                let on_word = By::Person(Shown { lines, ..inquiry.shown() });
                Ok(self.decided(&component, edits, on_word).await?.changes)
            }
            About::Change { .. } | About::Unload { .. } => Err(damaged(number)),
        }
    }

    /// Refuses what waits under `number`, and gives what that was.
    ///
    /// # Errors
    /// [`ApprovalError`].
    pub async fn deny_pending(&self, number: u64) -> Result<PendingView, ApprovalError> {
        let pending = PendingView::of(self.take(number).await?);
        if let Ok(inquiry) = &pending.inquiry {
            self.record(inquiry, false, Choice::Deny.words(), BY)?;
        }
        Ok(pending)
    }

    /// What waits under `number`, as it would be asked now.
    ///
    /// # Errors
    /// [`ApprovalError`].
    pub async fn waiting(&self, number: u64) -> Result<Inquiry, ApprovalError> {
        let store = self.shared.store.clone();
        let find = move || store.find_pending(number);
        let found = blocking(find).await.map_err(PermissionError::from)??;
        self.anew(PendingView::of(found).understood()?).await
    }

    /// `inquiry`, which was kept, as it would be asked now: the policy, or what is loaded, may be
    /// another by now.
    async fn anew(&self, inquiry: Inquiry) -> Result<Inquiry, ApprovalError> {
        let about = match &inquiry.about {
            About::Grant { additions, .. } => {
                let component = self.shown(&inquiry).await?;
                let edits = additions.additions().map_err(ApprovalError::Additions)?;
                let change = self.preview(&component, edits.clone()).await?;
                about(&component, &change, &edits)
            }
            About::Load { reference, digest, component, .. } => {
                let reference = Reference::parse(reference).map_err(LoadError::from)?;
                let id = ComponentId::parse(component).map_err(LoadError::from)?;
                let digest = digest.clone().unwrap_or_default();
                self.load_inquiry(&id, &reference, digest).await.about
            }
            other => other.clone(),
        };
        Ok(Inquiry { about, ..inquiry })
    }

    async fn take(&self, number: u64) -> Result<Pending, ApprovalError> {
        let store = self.shared.store.clone();
        let take = move || store.take_pending(number, PATIENCE);
        Ok(in_turn(&self.shared.writing, take).await.map_err(PermissionError::from)??)
    }
}

/// Throws away what waits in `store` for the component `id`, which is not there any more: whoever
/// comes in its place asks for itself.
pub(crate) fn forget_waiting(store: &Store, id: &ComponentId) {
    let is_its = |pending: &Pending| {
        let view = PendingView::of(pending.clone());
        view.inquiry.is_ok_and(|it| it.component() == id.as_str() && it.kind() == "grant")
    };
    let found = store.pending().unwrap_or_default();
    for Pending { number, .. } in found.into_iter().filter(is_its) {
        if let Err(error) = store.take_pending(number, PATIENCE) {
            tracing::warn!(%error, number, "a request waits on for a component that is gone");
        }
    }
}

fn damaged(number: u64) -> ApprovalError {
    ApprovalError::Waiting { number, problem: "it is nothing that could wait".to_owned() }
}
