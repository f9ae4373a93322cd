//! Requests for wider policies, and for narrower ones. What narrows is done at once; what widens is
//! asked, and given exactly as it was shown, to exactly the component that was shown.

use std::sync::Arc;

use wassette_policy::{Edit, Policy, Span};

use super::Approvals;
use super::inquiry::{About, Inquiry};
use super::term::Term;
use super::verdict::{Answered, Choice, Step, Verdict};
use crate::audit::Decision;
use crate::catalog::Component;
use crate::code::{blocking, in_turn};
use crate::edit::{By, Change, Pinning, PolicyChange, Shown};
use crate::error::{ApprovalError, PermissionError};
use crate::temporary::{Addition, Lease};
use crate::terms::granted;
use crate::toolbox::Toolbox;

/// By whom what only narrows is decided.
const MODEL: &str = "model";

const HOUR: Span = Span::seconds(3600);

/// What a request brought about.
#[derive(Debug, Clone)]
pub struct Granted {
    /// What is different now.
    pub change: PolicyChange,
    /// For how long.
    pub lasting: Lasting,
}

/// How long what was granted stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// Nothing is different: it was granted already.
    Unchanged,
    /// For the next call.
    Once,
    /// As long as the server runs.
    Session,
    /// For an hour.
    Hour,
    /// For good.
    Always,
}

impl Lasting {
    /// As an answer says it, such as `for the next call`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unchanged => "it was so already",
            Self::Once => "for the next call",
            Self::Session => "until the server stops",
            Self::Hour => "for one hour",
            Self::Always => "for good",
        }
    }
}

impl Toolbox {
    /// What a model asks for: `edits` of the policy of the component `id`, all or none, for the
    /// `reason` that it gives. What narrows is done; what widens is asked, or decided as the
    /// operator wants it.
    ///
    /// # Errors
    /// [`ApprovalError`]. Then nothing has changed.
    pub async fn request_edits(
        &self,
        id: &str,
        edits: Vec<Edit>,
        reason: Option<&str>,
        answered: Option<Answered>,
    ) -> Result<Step<Granted>, ApprovalError> {
        self.unlocked()?;
        if self.shared.options.approval.approvals == Approvals::Deny {
            return Err(ApprovalError::NoApprovals);
        }
        let catalog = self.catalog().await;
        let component = catalog.known(id)?.clone();
        let ended = self.end_temporary(&component, &edits).await?;
        let change = match (self.preview(&component, edits.clone()).await, ended) {
            (Ok(change), ended) if change.before == change.after && !change.widens => {
                let lasting = if ended.is_some() { Lasting::Always } else { Lasting::Unchanged };
                let change = ended.unwrap_or(change);
                return Ok(Step::Done(Granted { change, lasting }));
            }
            (Ok(change), _) => change,
            // It was granted for a while only, and that is over now.
            (Err(PermissionError::Edit(_)), Some(change)) => {
                return Ok(Step::Done(Granted { change, lasting: Lasting::Always }));
            }
            (Err(error), _) => return Err(error.into()),
        };
        let inquiry = Inquiry::new(about(&component, &change, &edits), reason);
        if !change.widens && !change.loosens() {
            return self.apply(&inquiry, edits, Choice::Allow, MODEL).await.map(Step::Done);
        }
        if self.shared.options.approval.approvals == Approvals::Allow {
            let choice =
                if inquiry.offers(Choice::Always) { Choice::Always } else { Choice::Allow };
            return self.apply(&inquiry, edits, choice, "configuration").await.map(Step::Done);
        }
        if !inquiry.shows_all() {
            return Err(ApprovalError::TooMuch);
        }
        match answered {
            None => self.to_ask(inquiry),
            Some(answered) => {
                let choice = self.heard(&inquiry, &answered)?;
                self.apply(&inquiry, edits, choice, answered.by).await.map(Step::Done)
            }
        }
    }

    /// `inquiry`, to be put to a person who was not asked the same a moment ago.
    pub(crate) fn to_ask<T>(&self, inquiry: Inquiry) -> Result<Step<T>, ApprovalError> {
        if self.shared.refusals.is_fresh(&inquiry.matter()) {
            return Err(ApprovalError::JustRefused);
        }
        Ok(Step::Ask(Box::new(inquiry)))
    }

    /// Refuses where nobody may change anything through a server.
    pub(crate) fn unlocked(&self) -> Result<(), ApprovalError> {
        if self.shared.options.approval.locked { Err(ApprovalError::Locked) } else { Ok(()) }
    }

    /// What a person chose, if it is a yes to `inquiry` as it would be put now.
    pub(crate) fn heard(
        &self,
        inquiry: &Inquiry,
        answered: &Answered,
    ) -> Result<Choice, ApprovalError> {
        let is_same = answered.inquiry.matter() == inquiry.matter();
        if let (true, Some(choice)) = (is_same, answered.verdict.yes(inquiry)) {
            self.shared.refusals.forget(&inquiry.matter());
            return Ok(choice);
        }
        self.record(&answered.inquiry, false, answered.verdict.name(), answered.by)?;
        if answered.verdict.yes(&answered.inquiry).is_some() {
            return Err(ApprovalError::Changed);
        }
        self.shared.refusals.request(answered.inquiry.matter());
        Err(match answered.verdict {
            Verdict::Chosen(_) | Verdict::Declined => ApprovalError::Declined,
            Verdict::Cancelled => ApprovalError::Cancelled,
            Verdict::Unanswered => ApprovalError::Unanswered,
            Verdict::Invalid => ApprovalError::Invalid,
        })
    }

    /// Gives what `inquiry` shows to the component that it shows, for as long as `choice` says.
    pub(crate) async fn apply(
        &self,
        inquiry: &Inquiry,
        edits: Vec<Edit>,
        choice: Choice,
        by: &'static str,
    ) -> Result<Granted, ApprovalError> {
        let component = self.shown(inquiry).await?;
        self.record(inquiry, true, choice.words(), by)?;
        let on_word = if by == MODEL { By::Model } else { By::Person(inquiry.shown()) };
        let (change, lasting) = match choice {
            Choice::Once => {
                (self.lease(inquiry, &component, edits, Lease::Once).await?, Lasting::Once)
            }
            Choice::Session => {
                (self.lease(inquiry, &component, edits, Lease::Session).await?, Lasting::Session)
            }
            Choice::Hour => {
                let edits = Term::For(HOUR).edits(edits)?;
                let on_word = By::Person(Shown { lines: None, ..inquiry.shown() });
                (self.decided(&component, edits, on_word).await?, Lasting::Hour)
            }
            Choice::Always | Choice::Allow | Choice::Deny => {
                (self.decided(&component, edits, on_word).await?, Lasting::Always)
            }
        };
        Ok(Granted { change, lasting })
    }

    /// The component that `inquiry` shows, if it is still that one.
    pub(crate) async fn shown(&self, inquiry: &Inquiry) -> Result<Arc<Component>, ApprovalError> {
        let catalog = self.catalog().await;
        let component = catalog.known(inquiry.component())?;
        let is_same = inquiry.digest() == Some(component.digest.as_str())
            && inquiry.source() == component.source;
        if is_same { Ok(component.clone()) } else { Err(ApprovalError::Changed) }
    }

    /// Changes the policy of `component` by `edits`, which the log has already.
    pub(crate) async fn decided(
        &self,
        component: &Arc<Component>,
        edits: Vec<Edit>,
        by: By,
    ) -> Result<PolicyChange, PermissionError> {
        self.change(component, Change::Edits(edits), Pinning::Keep, by).await
    }

    /// Records how `inquiry` was decided.
    pub(crate) fn record(
        &self,
        inquiry: &Inquiry,
        is_yes: bool,
        verdict: &str,
        by: &str,
    ) -> Result<(), ApprovalError> {
        let mut lines = inquiry.lines();
        if let About::Load { reference, .. } = &inquiry.about {
            lines.insert(0, reference.clone());
        }
        let decision = Decision {
            kind: inquiry.kind(),
            component: inquiry.component(),
            digest: inquiry.digest(),
            lines: &lines,
            is_yes,
            verdict,
            by,
            reason: inquiry.reason.as_deref(),
        };
        Ok(self.shared.audit.decided(&decision)?)
    }

    /// What `edits` would do now to what is in force for `component`.
    pub(crate) async fn preview(
        &self,
        component: &Component,
        edits: Vec<Edit>,
    ) -> Result<PolicyChange, PermissionError> {
        let toolbox = self.clone();
        let entry = component.entry().clone();
        let draft = move || toolbox.draft(&entry, Change::Edits(edits), Pinning::Keep);
        Ok(blocking(draft).await??.change)
    }

    /// Grants `edits` to `component` in the memory of this process.
    async fn lease(
        &self,
        inquiry: &Inquiry,
        component: &Component,
        edits: Vec<Edit>,
        lasts: Lease,
    ) -> Result<PolicyChange, ApprovalError> {
        let additions = Policy::asking(edits.clone()).map_err(ApprovalError::Additions)?;
        let toolbox = self.clone();
        let (entry, shown) = (component.entry().clone(), inquiry.shown());
        // Unasked, there is nothing that was shown.
        let is_asked = self.shared.options.approval.approvals == Approvals::Ask;
        let give = move || {
            let draft = toolbox.draft(&entry, Change::Edits(edits), Pinning::Keep)?;
            if is_asked && !shown.is(&draft.change) {
                return Err(ApprovalError::Changed);
            }
            let stored = toolbox.shared.store.policy(&entry.id);
            let granted = granted(&entry, &stored).map_err(|problem| PermissionError::Broken {
                id: entry.id.to_string(),
                problem: problem.message,
            })?;
            let terms = &toolbox.shared.terms;
            if !terms.temporary.give(&entry, &granted, additions, draft.resolved, lasts) {
                return Err(ApprovalError::TooMany);
            }
            toolbox.shared.publish(&toolbox.shared.store.index().map_err(PermissionError::from)?);
            Ok(draft.change)
        };
        in_turn(&self.shared.writing, give).await.map_err(PermissionError::from)?
    }

    /// What `edits` add for one call of the component that `inquiry` shows.
    pub(crate) async fn for_one_call(
        &self,
        inquiry: &Inquiry,
        edits: Vec<Edit>,
    ) -> Result<Addition, ApprovalError> {
        let component = self.shown(inquiry).await?;
        let policy = Policy::asking(edits.clone()).map_err(ApprovalError::Additions)?;
        let (toolbox, entry) = (self.clone(), component.entry().clone());
        let draft = move || toolbox.draft(&entry, Change::Edits(edits), Pinning::Keep);
        let draft = blocking(draft).await.map_err(PermissionError::from)??;
        if !inquiry.shown().is(&draft.change) {
            return Err(ApprovalError::Changed);
        }
        Ok(Addition {
            policies: vec![policy],
            pins: vec![draft.resolved],
            content: Some(component.content),
            stored: Vec::new(),
        })
    }

    /// Ends what was granted for a while only, where `edits` take something away. Says what was
    /// different then, if there was anything.
    async fn end_temporary(
        &self,
        component: &Component,
        edits: &[Edit],
    ) -> Result<Option<PolicyChange>, ApprovalError> {
        let takes = |edit: &Edit| matches!(edit, Edit::Revoke(_) | Edit::Reset);
        if !edits.iter().any(takes) || self.shared.terms.temporary.end(&component.id) == 0 {
            return Ok(None);
        }
        self.refresh(component).await.map(Some)
    }

    /// Puts what is stored in force again, and says what was different.
    async fn refresh(&self, component: &Component) -> Result<PolicyChange, ApprovalError> {
        let toolbox = self.clone();
        let publish = move || {
            let index = toolbox.shared.store.index().map_err(PermissionError::from)?;
            Ok::<_, PermissionError>(toolbox.shared.publish(&index))
        };
        in_turn(&self.shared.writing, publish).await.map_err(PermissionError::from)??;
        let before = component.permissions.policy.as_ref().clone();
        let catalog = self.catalog().await;
        let after = catalog.known(&component.id)?.permissions.policy.as_ref().clone();
        Ok(PolicyChange {
            component: component.id.clone(),
            changes: after.changes_since(&before),
            before,
            after,
            widens: false,
            notes: Vec::new(),
            places: Vec::new(),
        })
    }
}

/// What is asked about `edits` of the policy of `component`, which would `change` it.
pub(crate) fn about(component: &Component, change: &PolicyChange, edits: &[Edit]) -> About {
    let (id, source, digest) =
        (component.id.clone(), component.source.clone(), component.digest.clone());
    let changes = change.lines();
    match Policy::asking(edits.iter().cloned()) {
        Ok(additions) => About::Grant {
            component: id,
            source,
            digest,
            changes,
            places: change.places.clone(),
            additions: Box::new(additions),
        },
        Err(_) => About::Change { component: id, source, digest, changes },
    }
}
