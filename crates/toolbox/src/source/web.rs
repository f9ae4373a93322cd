//! A component that a server gives for a URL. Nobody signs what comes so, and it has no digest that
//! could be known before.

use url::Url;
use wassette_store::{Artifact, Reference};

use super::verify::{Need, place};
use super::{Found, came_from, shown, unsigned, with_origin};
use crate::error::LoadError;
use crate::load::{LoadRequest, LoadStage, Progress};
use crate::toolbox::Toolbox;

impl Toolbox {
    /// What a server gives for `url`, which `reference` says.
    pub(super) async fn download(
        &self,
        url: &Url,
        reference: &Reference,
        request: &LoadRequest,
        progress: Progress<'_>,
    ) -> Result<Found, LoadError> {
        let source = reference.to_string();
        if url.scheme() != "https" && !self.may_be_plain(request) {
            return Err(LoadError::PlainHttp { url: shown(reference) });
        }
        let need = self.shared.verifier.need(&place(reference).unwrap_or_default());
        if need == Need::Required {
            return Err(LoadError::Unsignable { reference: shown(reference) });
        }
        let told = unsigned(reference, request.verify.as_ref())?;
        let unverified = told.or_else(|| {
            let shown = shown(reference);
            let words = || format!("nobody has signed `{shown}`: what comes by a URL cannot be");
            (need == Need::Told).then(words)
        });
        progress(LoadStage::Fetching { received: 0, total: None });
        let told = |received, total| progress(LoadStage::Fetching { received, total });
        let most = self.shared.options.component_bytes;
        let got = self.client(request).download(url, most, &told).await?;
        if got.bytes.is_empty() {
            return Err(LoadError::Nothing { url: shown(reference) });
        }
        let artifact = Artifact::new(got.bytes, source.clone());
        let artifact = with_origin(artifact, came_from(source));
        Ok(Found { unverified, ..Found::unsigned(artifact, reference.component_id()) })
    }
}
