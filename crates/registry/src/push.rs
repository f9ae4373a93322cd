//! Pushing: blobs in one piece, then the manifest that names them. A blob that is there is not sent
//! again. Where an upload goes is the registry's choice, but the credentials stay with its origin.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use serde::Serialize;
use url::Url;
use wassette_store::{Digest, Image};

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::shown;
use crate::exchange::Ask;
use crate::manifest::{INDEX, named};
use crate::pull::check_claims;
use crate::referrers::fallback_tag;
use crate::{Descriptor, RawManifest, RegistryError, Response};

/// The header by which a registry says that it lists a manifest among the referrers of another.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// The most entries of an index that is kept by hand.
const MOST_REFERRERS: usize = 1000;

impl Client {
    /// Brings `bytes` into `image`'s repository, unless they are there; gives their digest.
    ///
    /// # Errors
    /// [`RegistryError`] says what is wrong with the way there or the answer.
    pub async fn push_blob(&self, image: &Image, bytes: Bytes) -> Result<Digest, RegistryError> {
        let endpoint = self.registry(image)?;
        let digest = Digest::of(&bytes);
        let what = format!("a push of the blob {digest} to `{}`", image.repository());
        let mut course = self.course(&what);
        loop {
            match course.limit(self.blob_to(&endpoint, &digest, &bytes, &what)).await {
                Ok(()) => return Ok(digest),
                Err(error) => course.pause(error).await?,
            }
        }
    }

    async fn blob_to(
        &self,
        endpoint: &Endpoint,
        digest: &Digest,
        bytes: &Bytes,
        what: &str,
    ) -> Result<(), RegistryError> {
        let there = Ask::push(Method::HEAD, endpoint, &format!("blobs/{digest}"), what)?;
        let response =
            self.expect(endpoint, &there, &[StatusCode::OK, StatusCode::NOT_FOUND]).await?;
        if response.status == StatusCode::OK {
            return Ok(());
        }
        let begin = Ask::push(Method::POST, endpoint, "blobs/uploads/", what)?;
        let response = self.expect(endpoint, &begin, &[StatusCode::ACCEPTED]).await?;
        let mut upload = Ask::push(Method::PUT, endpoint, "", what)?;
        upload.url = upload_url(endpoint, &response, what)?;
        upload.url.query_pairs_mut().append_pair("digest", &digest.to_string());
        upload.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        upload.body = bytes.clone();
        self.expect(endpoint, &upload, &[StatusCode::CREATED]).await.map(drop)
    }

    /// Brings a manifest or an index into `image`'s repository, under its tag, or under its digest
    /// if that is all it has; gives the digest. What it names must be there already.
    ///
    /// If it has a `subject` and the registry does not list referrers, the index that stands for
    /// the list is brought up to date as well.
    ///
    /// # Errors
    /// [`RegistryError::OtherDigest`] if `image` names another one; else what is wrong with the way
    /// there or the answer.
    pub async fn push_manifest(
        &self,
        image: &Image,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<Digest, RegistryError> {
        let endpoint = self.registry(image)?;
        let found = Digest::of(&bytes);
        if let Some(wanted) = image.digest().filter(|wanted| *wanted != found) {
            return Err(RegistryError::OtherDigest { wanted, found });
        }
        let what = format!("a push of {}", named(image));
        let raw = RawManifest::new(bytes, Some(media_type), &endpoint.place(), &what)?;
        let subject = if raw.is_index() { None } else { self.subject(&endpoint, &raw, &what)? };
        let mut course = self.course(&what);
        loop {
            let push = self.manifest_to(&endpoint, image, &raw, subject.as_ref(), &what);
            match course.limit(push).await {
                Ok(()) => return Ok(found),
                Err(error) => course.pause(error).await?,
            }
        }
    }

    /// The manifest that `raw` is about, and the entry of `raw` in the list of what refers to it.
    fn subject(
        &self,
        endpoint: &Endpoint,
        raw: &RawManifest,
        what: &str,
    ) -> Result<Option<(Digest, Descriptor)>, RegistryError> {
        let manifest = raw.read(&endpoint.place(), what)?;
        let Some(subject) = manifest.subject else { return Ok(None) };
        let entry = Descriptor {
            artifact_type: Some(manifest.artifact_type.unwrap_or(manifest.config.media_type)),
            annotations: manifest.annotations,
            ..Descriptor::of(&raw.media_type, &raw.bytes)
        };
        Ok(Some((subject.digest, entry)))
    }

    async fn manifest_to(
        &self,
        endpoint: &Endpoint,
        image: &Image,
        raw: &RawManifest,
        subject: Option<&(Digest, Descriptor)>,
        what: &str,
    ) -> Result<(), RegistryError> {
        let response =
            self.put(endpoint, &reference(image), raw.bytes.clone(), &raw.media_type, what).await?;
        check_claims(&response.headers, raw.digest, &endpoint.place(), what)?;
        match subject {
            Some((of, entry)) if !response.headers.contains_key(SUBJECT) => {
                self.list_referrer(endpoint, image, of, entry, what).await
            }
            _ => Ok(()),
        }
    }

    async fn put(
        &self,
        endpoint: &Endpoint,
        reference: &str,
        bytes: Bytes,
        media_type: &str,
        what: &str,
    ) -> Result<Response, RegistryError> {
        let mut ask = Ask::push(Method::PUT, endpoint, &format!("manifests/{reference}"), what)?;
        if let Ok(media_type) = HeaderValue::from_str(media_type) {
            ask.headers.insert(CONTENT_TYPE, media_type);
        }
        ask.body = bytes;
        self.expect(endpoint, &ask, &[StatusCode::CREATED]).await
    }

    /// Adds `entry` to the index that stands for the list of what refers to `of`. Two who do so at
    /// the same moment may lose one of the entries; the specification has no better way.
    async fn list_referrer(
        &self,
        endpoint: &Endpoint,
        image: &Image,
        of: &Digest,
        entry: &Descriptor,
        what: &str,
    ) -> Result<(), RegistryError> {
        let listed = self.fallback(endpoint, image, of).await?;
        let place = endpoint.place();
        let entries =
            listed.map(|listed| listed.entries(&place, what, MOST_REFERRERS - 1)).transpose()?;
        let mut manifests: Vec<Descriptor> =
            entries.unwrap_or_default().into_iter().map(|entry| entry.descriptor).collect();
        if manifests.iter().any(|known| known.digest == entry.digest) {
            return Ok(());
        }
        manifests.push(entry.clone());
        let index = Index { schema_version: 2, media_type: INDEX, manifests };
        let bytes = serde_json::to_vec(&index).map_err(|error| RegistryError::Malformed {
            place,
            what: what.to_owned(),
            reason: error.to_string(),
        })?;
        let tagged = fallback_tag(image, of)?;
        self.put(endpoint, &tagged.wanted(), bytes.into(), INDEX, what).await.map(drop)
    }
}

/// An index of referrers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
}

/// What a manifest is pushed as.
fn reference(image: &Image) -> String {
    image.tag().map_or_else(|| image.wanted(), str::to_owned)
}

/// Where the registry wants the bytes: at its own origin, or elsewhere over TLS.
fn upload_url(endpoint: &Endpoint, response: &Response, what: &str) -> Result<Url, RegistryError> {
    let location = response.headers.get(LOCATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let location = String::from_utf8_lossy(location);
    let unfit = || RegistryError::Malformed {
        place: endpoint.place(),
        what: what.to_owned(),
        reason: format!("the upload is to go to `{}`", shown(&location, 200)),
    };
    if location.is_empty() {
        return Err(unfit());
    }
    let url = endpoint.base.join(&location).map_err(|_| unfit())?;
    let is_fit = url.origin() == endpoint.base.origin() || url.scheme() == "https";
    if is_fit && url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(unfit())
    }
}

#[cfg(test)]
mod tests;
