//! Loading and unloading by requests of models. What the operator lists is loaded unasked; everything
//! else is shown to a person first, and what is loaded then are the very bytes that were shown.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;
use wassette_policy::{
    Accesses, Effective, NetworkRule, NetworkRuleError, NetworkRuleText, Policy, Request, RuleKind,
    StorageRule, StorageUri, StorageUriError,
};
use wassette_sandbox::Reach;
use wassette_store::{Artifact, Reference};

use super::Approvals;
use super::inquiry::{About, Inquiry};
use super::verdict::{Answered, Choice, Step};
use crate::catalog::Component;
use crate::code::blocking;
use crate::error::{ApprovalError, LoadError};
use crate::load::{LoadRequest, LoadStage, Loaded};
use crate::naming::Naming;
use crate::toolbox::Toolbox;
use crate::unload::Unloaded;

/// How a component begins: the bytes of every one, whatever stands in it.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// References that a model may load without a question. By default none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadAllow {
    files: Vec<StorageUri>,
    /// What may be got from servers, as rules of a policy.
    web: Policy,
}

/// Why a text is no pattern of references.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum LoadAllowError {
    /// It is about something from which nothing is loaded.
    #[error("`{0}` names neither files nor URLs")]
    #[diagnostic(help("write `file:///srv/components/**` or `https://example.com/tools/**`"))]
    Scheme(String),
    /// It is no pattern of URLs.
    #[error("`{text}` is no pattern: {source}")]
    #[diagnostic(help("write `https://example.com/tools/**` or `https://*.example.com`"))]
    Url {
        /// What was written.
        text: String,
        /// What is wrong.
        source: NetworkRuleError,
    },
    /// Its path is no pattern.
    #[error("`{text}` is no pattern: {source}")]
    #[diagnostic(help("write `file:///srv/components/**` or `file:///srv/components`"))]
    Path {
        /// What was written.
        text: String,
        /// What is wrong.
        source: StorageUriError,
    },
}

impl LoadAllow {
    /// Reads patterns such as `file:///srv/components/**`, where a folder means all below it, and
    /// `https://example.com/tools/**`, where a host without a path means all of it.
    ///
    /// # Errors
    /// The first text that is no pattern.
    pub fn read<T: AsRef<str>>(patterns: &[T]) -> Result<Self, LoadAllowError> {
        let mut allow = Self::default();
        for text in patterns.iter().map(AsRef::as_ref) {
            if text.starts_with("https://") {
                let rule = NetworkRule::read(&NetworkRuleText::target(text), RuleKind::Allow);
                let wrong = |source| LoadAllowError::Url { text: text.to_owned(), source };
                allow.web.network.allow.push(rule.map_err(wrong)?);
                continue;
            }
            let path = text.strip_prefix("file://").filter(|path| path.starts_with('/'));
            let path = path.ok_or_else(|| LoadAllowError::Scheme(text.to_owned()))?;
            let uri = StorageUri::from_str(&format!("fs://{path}"));
            let wrong = |source| LoadAllowError::Path { text: text.to_owned(), source };
            allow.files.push(uri.map_err(wrong)?);
        }
        Ok(allow)
    }

    /// Whether `reference` is listed. It may look at files.
    fn lists(&self, reference: &Reference) -> bool {
        match reference {
            Reference::File(path) => self.lists_file(path),
            Reference::Https(url) => {
                let web = Effective::new("load", Arc::new(self.web.clone()), None);
                Request::parse("GET", url.as_str()).is_ok_and(|get| web.request(get).is_ok())
            }
        }
    }

    /// Whether the file at `path` is listed: by its name, and by the name of what it leads to.
    fn lists_file(&self, path: &Path) -> bool {
        let Ok(real) = path.canonicalize() else { return false };
        [path, real.as_path()].iter().all(|path| {
            let uri = path.to_str().and_then(|path| format!("fs://{path}").parse().ok());
            let rule = |uri| StorageRule { uri, access: Accesses::READ, until: None };
            let listed = |file: &StorageRule| {
                self.files.iter().any(|allowed| rule(allowed.clone()).covers(file))
            };
            uri.map(rule).is_some_and(|file| listed(&file))
        })
    }
}

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
        match options.approvals {
            // Nobody has looked at it, so it must not lead to what only this machine can reach.
            Approvals::Allow if !is_listed => request.reach = Reach::Public,
            Approvals::Allow => {}
            _ if is_listed => {}
            Approvals::Deny => return Err(ApprovalError::NoApprovals),
            Approvals::Ask => {
                let (id, source) = (reference.component_id(), reference.to_string());
                // Nobody is asked about what would be refused after a yes.
                self.check_source(&id, &source, request.replace).await?;
                let digest = match &reference {
                    // What a person is shown is what will be loaded, or nothing is.
                    Reference::File(_) => Some(self.read_one(&reference).await?.digest),
                    // A server hears of it only after a yes.
                    Reference::Https(_) => None,
                };
                let shown = digest.map(|digest| digest.to_string()).unwrap_or_default();
                let inquiry = self.load_inquiry(&reference, shown).await;
                let Some(answered) = answered else { return self.to_ask(inquiry) };
                let choice = self.heard(&inquiry, &answered)?;
                self.record(&inquiry, true, choice.words(), answered.by)?;
                request.digest = digest;
                return Ok(Step::Done(self.load(request, progress).await?));
            }
        }
        let inquiry = self.load_inquiry(&reference, String::new()).await;
        let by = if is_listed { "load.allow" } else { "configuration" };
        self.record(&inquiry, true, Choice::Allow.words(), by)?;
        Ok(Step::Done(self.load(request, progress).await?))
    }

    /// The bytes at `reference`, if they are those of a component: of anything else not even a
    /// digest is told. One after the other, for nobody has said yes to any of it.
    async fn read_one(&self, reference: &Reference) -> Result<Artifact, ApprovalError> {
        let Ok(_turn) = self.shared.reading.acquire().await else {
            return Err(LoadError::Stopped.into());
        };
        let artifact = self.read(reference.clone(), Reach::Anywhere).await?;
        if !artifact.bytes.starts_with(COMPONENT) {
            return Err(ApprovalError::NoComponent { reference: reference.to_string() });
        }
        Ok(artifact)
    }

    /// The question whether `reference` is to be loaded, where what is there has this `digest`.
    pub(crate) async fn load_inquiry(&self, reference: &Reference, digest: String) -> Inquiry {
        let component = reference.component_id().to_string();
        let source = reference.to_string();
        let catalog = self.catalog().await;
        let there = catalog.component(&component);
        let (replaces, keeps) = match there {
            None => (None, Vec::new()),
            Some(other) if other.source != source => {
                (Some(format!("the one from {}", other.source)), Vec::new())
            }
            Some(same) if same.digest == digest => (None, Vec::new()),
            Some(same) => (Some(same.digest.clone()), self.kept_by(same).await),
        };
        let digest = Some(digest).filter(|digest| !digest.is_empty());
        Inquiry::new(About::Load { reference: source, component, digest, replaces, keeps }, None)
    }

    /// What other bytes in the place of `component` would have from the first call on, a line each.
    async fn kept_by(&self, component: &Component) -> Vec<String> {
        let permissions = &component.permissions;
        let nothing = wassette_policy::Policy::default();
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
        if *permissions.policy != wassette_policy::Policy::default()
            || permissions.problem.is_some()
        {
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
        lost
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_of_files_and_urls() {
        for text in [
            "file:///srv/components",
            "file:///srv/**/*.wasm",
            "file:///srv/a.wasm",
            "https://example.com",
            "https://*.example.com/tools/**",
        ] {
            assert!(LoadAllow::read(&[text]).is_ok(), "{text}");
        }
        for text in [
            "",
            "/srv",
            "file://srv",
            "https://*",
            "http://example.com",
            "oci://a/b",
            "file:///a/..",
        ] {
            assert!(LoadAllow::read(&[text]).is_err(), "{text}");
        }
    }

    #[test]
    fn urls_are_listed_by_host_and_path() {
        let allow = LoadAllow::read(&["https://a.example/tools/**", "https://*.b.example:8443"]);
        let allow = allow.unwrap();
        let lists = |text: &str| allow.lists(&Reference::parse(text).unwrap());
        for text in ["https://a.example/tools/x.wasm?v=1", "https://c.b.example:8443/x.wasm"] {
            assert!(lists(text), "{text}");
        }
        for text in [
            "https://a.example/x.wasm",
            "https://a.example/tools/../x.wasm",
            "https://a.example:8443/tools/x.wasm",
            "https://b.example:8443/x.wasm",
            "https://a.example.evil/tools/x.wasm",
        ] {
            assert!(!lists(text), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn denied_a_load_through_a_link_out_of_the_listed_folder() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let (inside, outside) = (folder.join("inside"), folder.join("outside"));
        for path in [&inside, &outside] {
            std::fs::create_dir(path).unwrap();
            std::fs::write(path.join("a.wasm"), b"").unwrap();
        }
        std::os::unix::fs::symlink(outside.join("a.wasm"), inside.join("link.wasm")).unwrap();
        let allow = LoadAllow::read(&[format!("file://{}/**", inside.display())]).unwrap();
        assert!(allow.lists_file(&inside.join("a.wasm")));
        assert!(!allow.lists_file(&outside.join("a.wasm")));
        assert!(!allow.lists_file(&inside.join("link.wasm")));
        assert!(!allow.lists_file(&inside.join("missing.wasm")));
        assert!(!LoadAllow::default().lists_file(&inside.join("a.wasm")));
    }
}
