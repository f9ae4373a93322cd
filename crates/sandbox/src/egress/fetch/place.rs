//! Where something is to be got, and whether a server may lead there. A place never holds anybody's
//! name or password, and the text that is sent and the destination that is judged are one reading of
//! one URL.

use std::net::IpAddr;

use http::header::{HeaderMap, LOCATION};
use url::Url;
use wassette_policy::{AddressClass, Destination, Protocol, Request as Asked, classify};

use super::error::{self, FetchError};

/// The longest URL, in bytes.
const LONGEST: usize = 8 << 10;

/// Who led to a place, and from which kind of address.
pub(super) struct Before {
    pub(super) shown: String,
    pub(super) kind: AddressClass,
    /// By which protocol, if it was a server.
    pub(super) protocol: Option<Protocol>,
}

/// Where something is to be got.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) url: Url,
    pub(super) destination: Destination,
}

impl Place {
    pub(super) fn parse(text: &str) -> Result<Self, FetchError> {
        let url = Url::parse(text).map_err(|error| FetchError::unfit(text, &error.to_string()))?;
        Self::new(url)
    }

    pub(super) fn new(mut url: Url) -> Result<Self, FetchError> {
        if url.as_str().len() > LONGEST {
            let fault = format!("it is longer than {LONGEST} bytes");
            return Err(FetchError::unfit(url.as_str(), &fault));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let host = url.host_str().unwrap_or_default();
            return Err(FetchError::Credentials { host: error::shown(host) });
        }
        url.set_fragment(None);
        match Asked::parse("GET", url.as_str()) {
            Ok(asked) => Ok(Self { url, destination: asked.destination }),
            Err(error) => Err(FetchError::unfit(url.as_str(), &error.to_string())),
        }
    }

    /// Where an answer with these `headers` leads.
    pub(super) fn next(&self, headers: &HeaderMap) -> Result<Self, FetchError> {
        let mut locations = headers.get_all(LOCATION).iter();
        let (Some(location), None) = (locations.next(), locations.next()) else {
            return Err(FetchError::Nowhere { url: self.shown() });
        };
        let location = String::from_utf8_lossy(location.as_bytes());
        let next = match self.url.join(&location) {
            Ok(url) => Self::new(url),
            Err(error) => Err(FetchError::unfit(&location, &error.to_string())),
        };
        next.map_err(|cause| FetchError::Astray { url: self.shown(), cause: Box::new(cause) })
    }

    /// Whether `address`, which the host has, may be dialled.
    pub(super) fn fits(&self, address: IpAddr, before: Option<&Before>) -> Result<(), FetchError> {
        self.fits_kind(classify(address), before)
    }

    /// The same for what is known of an address only as its kind.
    pub(super) fn fits_kind(
        &self,
        kind: AddressClass,
        before: Option<&Before>,
    ) -> Result<(), FetchError> {
        if self.destination.protocol == Protocol::Http && kind != AddressClass::Loopback {
            return Err(FetchError::InTheClear { url: self.shown() });
        }
        let Some(before) = before else { return Ok(()) };
        if !kind.is_public() && kind != before.kind {
            let (from, url) = (before.shown.clone(), self.shown());
            return Err(FetchError::Inward { from, url, kind });
        }
        if before.protocol.is_some_and(|protocol| protocol != self.destination.protocol) {
            let (from, url) = (before.shown.clone(), self.shown());
            return Err(FetchError::Scheme { from, url });
        }
        Ok(())
    }

    /// Whether what may be told to the one may be told to the other: the same scheme, host and port.
    pub(super) fn is_with(&self, other: &Self) -> bool {
        self.destination == other.destination
    }

    /// The path and the query, as they stand in a request.
    pub(super) fn target(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// The URL for people.
    pub(super) fn shown(&self) -> String {
        error::shown(self.url.as_str())
    }
}
