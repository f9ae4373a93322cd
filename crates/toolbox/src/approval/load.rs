//! Loading and unloading by requests of models. What the operator lists is loaded unasked; everything
//! else is shown to a person first, and what is loaded then are the very bytes that were shown.

use std::path::Path;

use wassette_policy::Policy;
use wassette_sandbox::Reach;
use wassette_store::{Artifact, ComponentId, Reference, Replace};

use super::inquiry::{About, Inquiry};
use super::verdict::{Answered, Choice, Step};
use super::{Approvals, LoadAllow};
use crate::catalog::Component;
use crate::code::blocking;
use crate::error::{ApprovalError, LoadError};
use crate::load::{Changes, LoadRequest, LoadStage, Loaded};
use crate::naming::Naming;
use crate::toolbox::Toolbox;
use crate::unload::Unloaded;

/// How a component begins: the bytes of every one, whatever stands in it.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

impl Toolbox {
    /// Loads what a model wants loaded, unless somebody has to be asked first.
    ///
    /// # Errors
    /// [`ApprovalError`]. Then nothing has changed.
    pub async fn request_load(
        &self,
        mut request: LoadRequest,
        answered: Option<Answered>,
        progress: impl Fn(LoadStage) + Send + Sync,
    ) -> Result<Step<Loaded>, ApprovalError> {
        self.unlocked()?;
        let reference =
            Reference::parse_in(&request.reference, &request.base).map_err(LoadError::from)?;
        let options = &self.shared.options.approval;
        let (allow, asked) = (options.load_allow.clone(), reference.clone());
        let is_listed = blocking(move || allow.lists(&asked)).await.map_err(LoadError::from)?;
        // Where it may come from is listed, and not whose place it may take: with that go a policy,
        // secrets, and tools that somebody knows.
        let is_listed = is_listed && !self.takes_a_place(&request, &reference).await;
        // What nobody has looked at does not take the place of tools that somebody may trust.
        request.changes = Changes::Quarantine;
        match options.approvals {
            // Nobody has looked at it, so it must not lead to what only this machine can reach.
            Approvals::Allow if !is_listed => request.reach = Reach::Public,
            Approvals::Allow => {}
            // Nor does it become so while the bytes are on their way.
            _ if is_listed => request.replace = Replace::Refuse,
            Approvals::Deny => return Err(ApprovalError::NoApprovals),
            Approvals::Ask => {
                let id = request.id.clone().unwrap_or_else(|| reference.component_id());
                // Nobody is asked about what would be refused after a yes. Which image a package is
                // shows only then.
                if !matches!(reference, Reference::Package(_)) {
                    self.check_source(&id, &reference.identity(), request.replace).await?;
                }
                let digest = match &reference {
                    // What a person is shown is what will be loaded, or nothing is.
                    Reference::File(path) => Some(self.read_one(path, &reference).await?.digest),
                    Reference::Image(image) => image.digest(),
                    // A server hears of it only after a yes.
                    Reference::Web(_) | Reference::Package(_) => None,
                };
                let shown = digest.map(|digest| digest.to_string()).unwrap_or_default();
                let inquiry = self.load_inquiry(&id, &reference, shown).await;
                let Some(answered) = answered else { return self.to_ask(inquiry) };
                let choice = self.heard(&inquiry, &answered)?;
                self.record(&inquiry, true, choice.words(), answered.by)?;
                // The digest of an image stands in its reference, and tells nobody which tools it has.
                if matches!(reference, Reference::File(_)) {
                    // These very bytes of this machine were shown.
                    request.changes = Changes::Accept;
                    request.digest = digest;
                }
                return Ok(Step::Done(self.load(request, progress).await?));
            }
        }
        let id = request.id.clone().unwrap_or_else(|| reference.component_id());
        let inquiry = self.load_inquiry(&id, &reference, String::new()).await;
        request.unasked = true;
        let by = if is_listed { "load.allow" } else { "configuration" };
        self.record(&inquiry, true, Choice::Allow.words(), by)?;
        Ok(Step::Done(self.load(request, progress).await?))
    }

    /// Whether `request` would put `reference` in the place of a component from elsewhere.
    async fn takes_a_place(&self, request: &LoadRequest, reference: &Reference) -> bool {
        let id = request.id.clone().unwrap_or_else(|| reference.component_id());
        let catalog = self.catalog().await;
        let there = catalog.component(id.as_str());
        request.replace == Replace::Allow
            && there.is_some_and(|component| !came_from(component, reference))
    }

    /// The bytes at `reference`, if they are those of a component: of anything else not even a
    /// digest is told. One after the other, for nobody has said yes to any of it.
    async fn read_one(
        &self,
        path: &Path,
        reference: &Reference,
    ) -> Result<Artifact, ApprovalError> {
        let Ok(_turn) = self.shared.reading.acquire().await else {
            return Err(LoadError::Stopped.into());
        };
        let artifact = self.read(path.to_owned(), reference.component_id()).await?.artifact;
        if !artifact.bytes.starts_with(COMPONENT) {
            return Err(ApprovalError::NoComponent { reference: reference.to_string() });
        }
        Ok(artifact)
    }

    /// The question whether `reference` is to be loaded as `id`, where what is there has this
    /// `digest`.
    pub(crate) async fn load_inquiry(
        &self,
        id: &ComponentId,
        reference: &Reference,
        digest: String,
    ) -> Inquiry {
        let component = id.to_string();
        let source = reference.to_string();
        let catalog = self.catalog().await;
        let there = catalog.component(&component);
        let (replaces, keeps) = match there {
            None => (None, Vec::new()),
            Some(other) if !came_from(other, reference) => {
                // Which image a package is, nobody knows yet: it may be just that one.
                let may_be = matches!(reference, Reference::Package(_))
                    && matches!(Reference::parse(&other.source), Ok(Reference::Image(_)));
                let keeps = if may_be { self.kept_by(other).await } else { Vec::new() };
                (Some(format!("the one from {}", other.source)), keeps)
            }
            Some(same) if has_digest(same, &digest) => (None, Vec::new()),
            Some(same) => (Some(same.digest.clone()), self.kept_by(same).await),
        };
        let digest = Some(digest).filter(|digest| !digest.is_empty());
        Inquiry::new(About::Load { reference: source, component, digest, replaces, keeps }, None)
    }

    /// What other bytes in the place of `component` would have from the first call on, a line each.
    async fn kept_by(&self, component: &Component) -> Vec<String> {
        let permissions = &component.permissions;
        let nothing = Policy::default();
        let mut keeps = Vec::new();
        if permissions.basis.pinned().is_some() {
            keeps.push("its policy is pinned to that one, and gives this one nothing".to_owned());
            return keeps;
        }
        let rules = permissions.policy.changes_since(&nothing);
        if !rules.is_empty() {
            keeps.push("it keeps what that one may do:".to_owned());
            keeps.extend(rules);
        }
        if let Ok(names) = self.secret_names(&component.id).await
            && !names.is_empty()
        {
            keeps.push(format!("it keeps the secrets {}", names.join(", ")));
        }
        keeps
    }

    /// Unloads the component `id` as a model wants it, unless a person has set something up for it
    /// that would be lost, and has to be asked first.
    ///
    /// # Errors
    /// [`ApprovalError`]. Then nothing has changed.
    pub async fn request_unload(
        &self,
        id: &str,
        answered: Option<Answered>,
    ) -> Result<Step<Unloaded>, ApprovalError> {
        self.unlocked()?;
        if self.shared.options.approval.approvals == Approvals::Deny {
            return Err(ApprovalError::NoApprovals);
        }
        let catalog = self.catalog().await;
        if let Some(component) = catalog.component(id)
            && self.shared.options.approval.approvals == Approvals::Ask
        {
            let lost = self.lost_with(component).await;
            if !lost.is_empty() {
                let inquiry = unload_inquiry(component, lost);
                let Some(answered) = answered else { return self.to_ask(inquiry) };
                let choice = self.heard(&inquiry, &answered)?;
                self.record(&inquiry, true, choice.words(), answered.by)?;
            }
        }
        Ok(Step::Done(self.unload(id).await?))
    }

    /// What a person set up for `component` and goes with it, a line each.
    async fn lost_with(&self, component: &Component) -> Vec<String> {
        let permissions = &component.permissions;
        let mut lost = Vec::new();
        if *permissions.policy != Policy::default() || permissions.problem.is_some() {
            lost.push("its policy".to_owned());
        }
        if component.record.naming != Naming::default() {
            lost.push("the choice and the names of its tools".to_owned());
        }
        match self.secret_names(&component.id).await {
            Ok(names) if names.is_empty() => {}
            Ok(names) => lost.push(format!("its secrets {}", names.join(", "))),
            // They are there, and nobody can read them: that is for a person to mend.
            Err(_) => lost.push("its secrets, which cannot be read".to_owned()),
        }
        // Whatever is not there is new, and new tools are held against nothing.
        if self.shared.options.approval.load_allow != LoadAllow::default() {
            let known = "what is known of its tools: others could come under their names unasked";
            lost.push(known.to_owned());
        }
        lost
    }
}

/// Whether `component` is another version of what `reference` leads to. A package is known by its
/// name until it is asked for.
fn came_from(component: &Component, reference: &Reference) -> bool {
    let origin = component.entry().origin.as_ref();
    let before =
        origin.and_then(|origin| Reference::parse_in(&origin.reference, "/".as_ref()).ok());
    let is_same_package = matches!(reference, Reference::Package(_))
        && before.is_some_and(|before| before.identity() == reference.identity());
    is_same_package || component.source == reference.identity()
}

/// Whether `digest` is that of the component, or of its image's manifest.
fn has_digest(component: &Component, digest: &str) -> bool {
    let manifest = component.entry().origin.as_ref().and_then(|origin| origin.manifest);
    component.digest == digest || manifest.is_some_and(|manifest| manifest.to_string() == digest)
}

fn unload_inquiry(component: &Component, lost: Vec<String>) -> Inquiry {
    let about = About::Unload {
        component: component.id.clone(),
        source: component.source.clone(),
        digest: component.digest.clone(),
        lost,
    };
    Inquiry::new(about, None)
}
