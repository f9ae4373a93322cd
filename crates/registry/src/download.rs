//! What lies at a URL. Nothing is known of it beforehand, so nothing but the bound on its length
//! and the way there speaks for it; no credential ever goes with the request.

use bytes::Bytes;
use http::header::{ACCEPT, ETAG, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use http::{Method, StatusCode};
use url::Url;

use crate::client::Client;
use crate::endpoint::place_of;
use crate::error::shown;
use crate::exchange::announced;
use crate::pull::{from, goes_on, off_course};
use crate::{RegistryError, Request, Response};

/// What lies at a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// The document.
    pub bytes: Vec<u8>,
    /// Where it came from, after all redirects; its query may hold what nobody else should see.
    pub url: Url,
}

impl Client {
    /// What lies at `url`, an `https` URL or an `http` URL of this machine, if it has at most
    /// `most` bytes. `progress` learns how many bytes are there, and of how many if that is known.
    ///
    /// A transfer that broke goes on where it was if the server's `ETag` says that it is the same
    /// document still. Whom to trust may be set for the host as for a registry.
    ///
    /// # Errors
    /// [`RegistryError`] says what is wrong with the way there or the answer; every status but 200
    /// is an error.
    pub async fn download(
        &self,
        url: &Url,
        most: u64,
        progress: &(dyn Fn(u64, Option<u64>) + Send + Sync),
    ) -> Result<Downloaded, RegistryError> {
        let mut course = self.course(&path(url));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut partial = Partial { bytes: Vec::new(), tag: None, most, progress };
        loop {
            match course.limit(self.part(url, &mut partial)).await {
                Ok(url) => return Ok(Downloaded { bytes: partial.bytes, url }),
                Err(error) => course.pause(error).await?,
            }
        }
    }

    /// Fetches what `partial` lacks; gives where it came from.
    async fn part(&self, url: &Url, partial: &mut Partial<'_>) -> Result<Url, RegistryError> {
        let (place, what) = (place_of(url), path(url));
        let mut request = Request {
            method: Method::GET,
            url: url.clone(),
            headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("*/*"))]),
            authorization: None,
            body: Bytes::new(),
            trust: self
                .inner
                .settings
                .registries
                .get(&place)
                .and_then(|known| known.ca_file.clone()),
            reach: self.reach,
            follow: true,
        };
        if let (Some(range), Some(tag)) = (from(partial.bytes.len()), &partial.tag) {
            request.headers.insert(RANGE, range);
            request.headers.insert(IF_RANGE, tag.clone());
        }
        let response = self.dispatch(request, &place, &what).await?;
        let status = response.status;
        match status {
            StatusCode::OK => partial.begin(&response.headers),
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE
                if partial.tag.is_some() =>
            {
                if !goes_on(&response, partial.bytes.len(), None) {
                    *partial = Partial { bytes: Vec::new(), tag: None, ..*partial };
                    return Err(off_course(&place, &what));
                }
            }
            _ => return Err(not_given(self.refusal(response, &place, &what).await, status)),
        }
        self.take(response, partial, &place, &what).await
    }

    async fn take(
        &self,
        mut response: Response,
        partial: &mut Partial<'_>,
        place: &str,
        what: &str,
    ) -> Result<Url, RegistryError> {
        let long = || RegistryError::Long {
            place: place.to_owned(),
            what: what.to_owned(),
            most: partial.most as u64,
        };
        let left = partial.most.saturating_sub(partial.bytes.len());
        let length = announced(&response.headers);
        if let Some(length) = length {
            let length =
                usize::try_from(length).ok().filter(|length| *length <= left).ok_or_else(long)?;
            partial.bytes.try_reserve_exact(length).map_err(|_| long())?;
        }
        let total = length.map(|length| length.saturating_add(partial.bytes.len() as u64));
        while let Some(piece) = self.piece(&mut response, place, what).await? {
            if piece.len() > partial.most - partial.bytes.len() {
                return Err(long());
            }
            partial.bytes.extend_from_slice(&piece);
            (partial.progress)(partial.bytes.len() as u64, total);
        }
        Ok(response.url)
    }
}

/// A document on its way, as far as it came.
struct Partial<'a> {
    bytes: Vec<u8>,
    /// What names this state of the document, if the server names it.
    tag: Option<HeaderValue>,
    most: usize,
    progress: &'a (dyn Fn(u64, Option<u64>) + Send + Sync),
}

impl Partial<'_> {
    /// The document comes from its start.
    fn begin(&mut self, headers: &HeaderMap) {
        self.bytes.clear();
        // A weak tag may stand for other bytes.
        let is_strong = |tag: &&HeaderValue| tag.as_bytes().starts_with(b"\"");
        self.tag = headers.get(ETAG).filter(is_strong).cloned();
    }
}

/// What `refusal`, which has this status, means for a URL: the cures of registries do not help there.
fn not_given(refusal: RegistryError, status: StatusCode) -> RegistryError {
    match refusal {
        RegistryError::Unauthorized { place, what, .. }
        | RegistryError::Forbidden { place, what, .. }
        | RegistryError::Missing { place, what, .. }
        | RegistryError::Status { place, what, .. } => {
            RegistryError::NotGiven { place, what, status: status.as_u16() }
        }
        passing => passing,
    }
}

/// How messages call what lies at `url`: without the query, which may hold a secret.
fn path(url: &Url) -> String {
    format!("`{}`", shown(url.path(), 200))
}

#[cfg(test)]
mod tests;
