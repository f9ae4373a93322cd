//! Pulling: manifests and blobs. What comes is what was named by its digest, or nothing; a blob is
//! held once, and what came of it before the way broke is not fetched again. Servers that a
//! manifest names (`urls`) are never spoken to.

use bytes::Bytes;
use http::header::{
    ACCEPT, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RANGE,
};
use http::{Method, StatusCode};
use wassette_store::{Digest, Image};

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::exchange::{Ask, announced};
use crate::manifest::{LONGEST, accepted, choose, named};
use crate::{Descriptor, RawManifest, RegistryError, Resolved, Response};

/// The header in which registries say which digest a manifest has.
const CLAIM: HeaderName = HeaderName::from_static("docker-content-digest");

/// After so many bytes of progress, attempts are counted anew.
const PROGRESS: usize = 1 << 20;

impl Client {
    /// The component that `image` names: its manifest, through an index if there is one. Mirrors
    /// are asked first.
    ///
    /// # Errors
    /// [`RegistryError`] says what is wrong with the way there, the answer or the manifest.
    pub async fn resolve(&self, image: &Image) -> Result<Resolved, RegistryError> {
        let found = self.get(image).await?;
        if !found.is_index() {
            return Resolved::of(image, &found);
        }
        let chosen = choose(&found, image.registry(), &named(image))?;
        let image = image.with_digest(chosen.digest);
        let manifest = self.get(&image).await?;
        if manifest.is_index() {
            return Err(RegistryError::Shape {
                what: named(&image),
                reason: "is an index in an index".to_owned(),
                help: "ask its publisher to push a manifest".to_owned(),
            });
        }
        Resolved::of(&image, &manifest)
    }

    /// The manifest or index that `image` names, as it is; `None` if there is none.
    ///
    /// # Errors
    /// [`RegistryError`] says what is wrong with the way there or the answer.
    pub async fn manifest(&self, image: &Image) -> Result<Option<RawManifest>, RegistryError> {
        match self.get(image).await {
            Ok(found) => Ok(Some(found)),
            Err(RegistryError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn get(&self, image: &Image) -> Result<RawManifest, RegistryError> {
        let mut servers = self.servers(image)?;
        let mut course = self.course(&named(image));
        loop {
            match course.limit(self.manifest_at(servers.now(), image)).await {
                Ok(found) => return Ok(found),
                Err(error) if servers.leave(&error) => {}
                Err(error) => course.pause(error).await?,
            }
        }
    }

    pub(crate) async fn manifest_at(
        &self,
        endpoint: &Endpoint,
        image: &Image,
    ) -> Result<RawManifest, RegistryError> {
        let what = named(image);
        let mut ask =
            Ask::pull(Method::GET, endpoint, &format!("manifests/{}", image.wanted()), &what)?;
        if let Ok(accepted) = HeaderValue::from_str(&accepted()) {
            ask.headers.insert(ACCEPT, accepted);
        }
        let response = self.expect(endpoint, &ask, &[StatusCode::OK]).await?;
        let headers = response.headers.clone();
        let place = endpoint.place();
        let bytes = Bytes::from(self.read(response, &place, &what, LONGEST).await?);
        let found = Digest::of(&bytes);
        if let Some(wanted) = image.digest().filter(|wanted| *wanted != found) {
            return Err(RegistryError::WrongDigest { place, what, wanted, found });
        }
        check_claims(&headers, found, &place, &what)?;
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        RawManifest::new(bytes, content_type, &place, &what)
    }

    /// The content of `layer`, which the manifest of `image` names, if it has at most `most` bytes.
    /// `progress` learns how many bytes are there, and of how many.
    ///
    /// A transfer that broke goes on where it was, as far as the server can do that.
    ///
    /// # Errors
    /// [`RegistryError::TooLarge`] before anything is asked; else what is wrong with the way there
    /// or with what came. Nothing that does not have the digest is ever given.
    pub async fn fetch(
        &self,
        image: &Image,
        layer: &Descriptor,
        most: u64,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Vec<u8>, RegistryError> {
        let what = format!("the blob {} of `{}`", layer.digest, image.repository());
        let too_large = || RegistryError::TooLarge { what: what.clone(), size: layer.size, most };
        let size = usize::try_from(layer.size)
            .ok()
            .filter(|_| layer.size <= most)
            .ok_or_else(too_large)?;
        let mut blob =
            Blob { what: &what, digest: layer.digest, size, bytes: Vec::new(), progress };
        // Address space only; the memory is taken as bytes come.
        blob.bytes.try_reserve_exact(size).map_err(|_| too_large())?;
        let mut servers = self.servers(image)?;
        let mut course = self.course(&what);
        let mut was_wrong = false;
        loop {
            let before = blob.bytes.len();
            match course.limit(self.blob_at(servers.now(), &mut blob)).await {
                Ok(()) => return Ok(blob.bytes),
                Err(error @ RegistryError::WrongDigest { .. }) => {
                    blob.bytes.clear();
                    // Once more from the start: what came in parts may be of two servers.
                    if !servers.leave(&error) && std::mem::replace(&mut was_wrong, true) {
                        return Err(error);
                    }
                }
                Err(error) if servers.leave(&error) => {}
                Err(error) => {
                    if blob.bytes.len().saturating_sub(before) >= PROGRESS {
                        course.renew();
                    }
                    course.pause(error).await?;
                }
            }
        }
    }

    /// Fetches what `blob` lacks.
    async fn blob_at(&self, endpoint: &Endpoint, blob: &mut Blob<'_>) -> Result<(), RegistryError> {
        if blob.bytes.len() < blob.size || blob.size == 0 {
            let mut ask =
                Ask::pull(Method::GET, endpoint, &format!("blobs/{}", blob.digest), blob.what)?;
            if let Some(range) = from(blob.bytes.len()) {
                ask.headers.insert(RANGE, range);
            }
            let statuses =
                [StatusCode::OK, StatusCode::PARTIAL_CONTENT, StatusCode::RANGE_NOT_SATISFIABLE];
            let response = self.expect(endpoint, &ask, &statuses).await?;
            self.receive(endpoint, blob, response).await?;
        }
        let found = Digest::of(&blob.bytes);
        if found == blob.digest {
            return Ok(());
        }
        let (place, what) = (endpoint.place(), blob.what.to_owned());
        Err(RegistryError::WrongDigest { place, what, wanted: blob.digest, found })
    }

    async fn receive(
        &self,
        endpoint: &Endpoint,
        blob: &mut Blob<'_>,
        mut response: Response,
    ) -> Result<(), RegistryError> {
        let place = endpoint.place();
        if response.status == StatusCode::OK {
            blob.bytes.clear();
        } else if !goes_on(&response, blob.bytes.len(), Some(blob.size)) {
            blob.bytes.clear();
            return Err(off_course(&place, blob.what));
        }
        let wrong_length = |found: usize| RegistryError::WrongLength {
            place: place.clone(),
            what: blob.what.to_owned(),
            wanted: blob.size as u64,
            found: found as u64,
        };
        let lacking = blob.size - blob.bytes.len();
        if let Some(length) = announced(&response.headers)
            && length != lacking as u64
        {
            let found = usize::try_from(length).unwrap_or(usize::MAX);
            return Err(wrong_length(found.saturating_add(blob.bytes.len())));
        }
        while let Some(piece) = self.piece(&mut response, &place, blob.what).await? {
            if piece.len() > blob.size - blob.bytes.len() {
                return Err(wrong_length(blob.bytes.len().saturating_add(piece.len())));
            }
            if blob.bytes.is_empty() && piece.len() == blob.size {
                // In one piece, as an archive gives it: taken over where nobody else holds it.
                blob.bytes = piece.into();
            } else {
                blob.bytes.extend_from_slice(&piece);
            }
            (blob.progress)(blob.bytes.len() as u64, blob.size as u64);
        }
        if blob.bytes.len() < blob.size {
            return Err(wrong_length(blob.bytes.len()));
        }
        Ok(())
    }
}

/// Refuses an answer about the manifest `found` whose head says that it has another digest.
pub(crate) fn check_claims(
    headers: &HeaderMap,
    found: Digest,
    place: &str,
    what: &str,
) -> Result<(), RegistryError> {
    match headers.get_all(CLAIM).iter().filter_map(claimed).find(|claimed| *claimed != found) {
        None => Ok(()),
        Some(claimed) => Err(RegistryError::FalseClaim {
            place: place.to_owned(),
            what: what.to_owned(),
            claimed: claimed.to_string(),
            found,
        }),
    }
}

/// The digest that a header claims. Registries also write other algorithms, no algorithm, capitals, or
/// nothing: what cannot be compared contradicts nothing, and what was asked for is hashed here anyway.
fn claimed(value: &HeaderValue) -> Option<Digest> {
    let text = value.to_str().ok()?.trim().to_ascii_lowercase();
    let hex = text.strip_prefix("sha256:").unwrap_or(&text);
    format!("sha256:{hex}").parse().ok()
}

/// A blob on its way, as far as it came.
struct Blob<'a> {
    what: &'a str,
    digest: Digest,
    size: usize,
    bytes: Vec<u8>,
    progress: &'a (dyn Fn(u64, u64) + Send + Sync),
}

/// The header that asks for what follows the first `received` bytes.
pub(crate) fn from(received: usize) -> Option<HeaderValue> {
    if received == 0 {
        return None;
    }
    HeaderValue::from_str(&format!("bytes={received}-")).ok()
}

/// Whether `response` is the rest of what was asked for after `received` bytes, of `size` in all if
/// that is known.
pub(crate) fn goes_on(response: &Response, received: usize, size: Option<usize>) -> bool {
    received > 0
        && response.status == StatusCode::PARTIAL_CONTENT
        && content_range(&response.headers).is_some_and(|(first, last, total)| {
            let whole = total.or(size);
            first == received
                && (size.is_none() || whole == size)
                && whole.is_some_and(|whole| last.checked_add(1) == Some(whole))
        })
}

/// The first and the last byte of a part, and how many there are in all.
fn content_range(headers: &HeaderMap) -> Option<(usize, usize, Option<usize>)> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (part, total) = range.split_once('/')?;
    let (first, last) = part.split_once('-')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    Some((first.parse().ok()?, last.parse().ok()?, total))
}

/// The error for a part that nobody asked for. The next attempt begins anew.
pub(crate) fn off_course(place: &str, what: &str) -> RegistryError {
    RegistryError::Unreachable {
        place: place.to_owned(),
        what: what.to_owned(),
        cause: crate::TransportError {
            message: "it sent another part than it was asked for".to_owned(),
            help: None,
            passing: true,
        },
    }
}

#[cfg(test)]
mod tests;
