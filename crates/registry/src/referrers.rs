//! What refers to a manifest: signatures, bills of materials. The registry is asked by the
//! referrers API, and where it has none by the tag that stands for it. What is listed is not
//! verified: each entry is another claim to be fetched by its digest.

use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use wassette_store::{Digest, Image};

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::exchange::Ask;
use crate::manifest::{INDEX, LONGEST};
use crate::{Descriptor, RawManifest, RegistryError};

/// The most entries that are looked at.
const MOST_LISTED: usize = 1000;
/// The most entries that are given.
const MOST: usize = 64;

impl Client {
    /// The manifests that refer to the one with the digest `of`: at most 64, those of signatures
    /// first, else in the registry's order. The first server that knows of any is believed.
    ///
    /// # Errors
    /// [`RegistryError`] says what is wrong with the way there or the answer.
    pub async fn referrers(
        &self,
        image: &Image,
        of: &Digest,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let what = format!("what refers to `{}@{of}`", image.repository());
        let mut servers = self.servers(image)?;
        let mut course = self.course(&what);
        loop {
            match course.limit(self.referrers_at(servers.now(), image, of, &what)).await {
                Ok(found) if found.is_empty() && servers.skip() => {}
                Ok(mut found) => {
                    found.sort_by_key(|entry| !is_signature(entry));
                    found.truncate(MOST);
                    return Ok(found);
                }
                Err(error) if servers.leave(&error) => {}
                Err(error) => course.pause(error).await?,
            }
        }
    }

    async fn referrers_at(
        &self,
        endpoint: &Endpoint,
        image: &Image,
        of: &Digest,
        what: &str,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let mut ask = Ask::pull(Method::GET, endpoint, &format!("referrers/{of}"), what)?;
        ask.headers.insert(ACCEPT, HeaderValue::from_static(INDEX));
        let place = endpoint.place();
        let response = self.ask(endpoint, &ask).await?;
        let listed = match response.status {
            StatusCode::OK => {
                let content_type = response.headers.get(CONTENT_TYPE).cloned();
                let content_type = content_type.as_ref().and_then(|value| value.to_str().ok());
                let bytes = self.read(response, &place, what, LONGEST).await?;
                Some(RawManifest::new(bytes.into(), content_type, &place, what)?)
            }
            // What registries answer that do not know the path.
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::BAD_REQUEST => {
                self.fallback(endpoint, image, of).await?
            }
            _ => return Err(self.refusal(response, &place, what).await),
        };
        let entries = listed.map(|listed| listed.entries(&place, what, MOST_LISTED)).transpose()?;
        Ok(entries.unwrap_or_default().into_iter().map(|entry| entry.descriptor).collect())
    }

    /// The index with the tag that stands for the referrers API.
    pub(crate) async fn fallback(
        &self,
        endpoint: &Endpoint,
        image: &Image,
        of: &Digest,
    ) -> Result<Option<RawManifest>, RegistryError> {
        let tagged = fallback_tag(image, of)?;
        match self.manifest_at(endpoint, &tagged).await {
            Ok(found) => Ok(Some(found)),
            Err(RegistryError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// `image` with the tag under which those lists what refers to `of` who have no API for it.
pub(crate) fn fallback_tag(image: &Image, of: &Digest) -> Result<Image, RegistryError> {
    image.with_tag(&format!("sha256-{}", of.hex())).map_err(|error| RegistryError::Malformed {
        place: image.registry().to_owned(),
        what: "the tag of the referrers".to_owned(),
        reason: error.to_string(),
    })
}

fn is_signature(entry: &Descriptor) -> bool {
    entry.artifact_type.as_deref().is_some_and(|name| {
        name.starts_with("application/vnd.dev.sigstore.")
            || name.starts_with("application/vnd.dev.cosign.")
    })
}

#[cfg(test)]
mod tests;
