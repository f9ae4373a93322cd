//! A document that the operator asks for by its URL: one GET by the same means that components'
//! requests take. No policy is asked, for the operator wrote the URL; so nothing that a guest or a
//! model chose may ever be fetched here without a person's yes.
//!
//! What the *server* chooses is not trusted. It may lead on a few times, but never out of `https`,
//! and never from the outside to an address inside this machine or its network. Its answer is
//! bounded in bytes and in time, and nothing of the operator's goes with the request.

mod error;

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, HOST, HeaderMap, LOCATION, USER_AGENT};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout};
use url::Url;
use wasmtime_wasi_http::{Error as HttpError, WasiBody};
use wassette_policy::{AddressClass, Destination, Host, Protocol, Request as Asked, classify};

use super::dial::{Approved, dial};
use super::exchange::{Wire, failure, plain, send};
use super::network::Network;
use super::resolver;

pub use error::FetchError;

/// How often a server may lead on to another place.
const REDIRECTS: usize = 5;
/// The longest URL, in bytes.
const LONGEST: usize = 8 << 10;
/// As whom we ask.
const AGENT: &str = concat!("wassette/", env!("CARGO_PKG_VERSION"));

/// The most that one [`Network::get`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// The longest answer, in bytes.
    pub bytes: usize,
    /// The longest time, from the first lookup to the last byte.
    pub time: Duration,
    /// The longest time in which nothing of an answer comes.
    pub idle: Duration,
    /// Which addresses the URL's host may have.
    pub reach: Reach,
}

/// Which addresses the host of a URL may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Inner ones as well: somebody who may decide that has named the host.
    #[default]
    Anywhere,
    /// Public ones only: nobody has looked at the URL.
    Public,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The document.
    pub bytes: Vec<u8>,
    /// Where it came from after all redirects, in ASCII; its query may hold what nobody else should
    /// see.
    pub url: String,
}

impl Fetched {
    /// The document as text.
    ///
    /// # Errors
    /// [`FetchError::Text`] if it is not UTF-8.
    pub fn into_text(self) -> Result<String, FetchError> {
        let Self { bytes, url, .. } = self;
        String::from_utf8(bytes).map_err(|_| FetchError::Text { url: error::shown(&url) })
    }
}

impl Network {
    /// Gets what lies at `url`, within `limits`: an `https` URL, or an `http` URL of this machine.
    /// The host may have an inner address, for the operator named it. It must be called within a
    /// Tokio runtime.
    ///
    /// # Errors
    /// [`FetchError`] says what is wrong with the URL, with the way there or with the answer; every
    /// status but 200 is an error.
    pub async fn get(&self, url: &str, limits: FetchLimits) -> Result<Fetched, FetchError> {
        let start = Place::parse(url)?;
        let late = FetchError::Time { url: start.shown(), time: limits.time };
        timeout(limits.time, self.follow(start, limits)).await.map_err(|_| late)?
    }

    async fn follow(&self, start: Place, limits: FetchLimits) -> Result<Fetched, FetchError> {
        let first = start.shown();
        let mut place = start;
        let mut before = (limits.reach == Reach::Public)
            .then(|| Before { shown: "a request".to_owned(), kind: AddressClass::Public });
        for _ in 0..=REDIRECTS {
            let (addresses, kind) = self.locate(&place, before.as_ref()).await?;
            let asked = self.ask(&place, addresses).await;
            let (response, wire) = asked.map_err(|error| place.failed(&error))?;
            let status = response.status();
            if !leads_on(status) {
                return place.answer(response, wire, limits).await;
            }
            let next = place.next(response.headers())?;
            before = Some(Before { shown: place.shown(), kind });
            place = next;
        }
        Err(FetchError::Redirects { url: first, most: REDIRECTS })
    }

    /// The addresses of `place` that may be dialled, and of which kind they are.
    async fn locate(
        &self,
        place: &Place,
        before: Option<&Before>,
    ) -> Result<(Vec<Approved>, AddressClass), FetchError> {
        let destination = &place.destination;
        let found = match &destination.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let unknown = || FetchError::Name { host: name.to_string() };
                let found = self.resolver.resolve(name.as_str()).await.map_err(|error| {
                    tracing::debug!(%error, "a name cannot be resolved");
                    unknown()
                })?;
                if found.is_empty() {
                    return Err(unknown());
                }
                found
            }
        };
        let (mut reachable, mut refused) = (Vec::new(), None);
        for address in found.into_iter().take(resolver::MOST) {
            match place.fits(address, before) {
                Ok(()) => reachable.push(address),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match refused {
            Some(error) if reachable.is_empty() => Err(error),
            _ => {
                let kind = common(&reachable);
                let approved =
                    |address| Approved::by_operator(SocketAddr::new(address, destination.port));
                Ok((reachable.into_iter().map(approved).collect(), kind))
            }
        }
    }

    async fn ask(
        &self,
        place: &Place,
        addresses: Vec<Approved>,
    ) -> Result<(Response<Incoming>, Option<Wire>), HttpError> {
        let body = WasiBody::new(Empty::<Bytes>::new().map_err(|never| match never {}));
        let request = Request::get(place.target())
            .header(HOST, place.destination.authority())
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, "*/*")
            .header(ACCEPT_ENCODING, "identity")
            .body(body)
            .map_err(|_| HttpError::HttpRequestUriInvalid)?;
        let deadline = Instant::now() + self.waits.connect;
        let stream = dial(self, &place.destination, addresses, deadline).await?;
        send(stream, request, deadline, self.waits.first_byte).await
    }
}

/// Who led to a place, and from which kind of address.
struct Before {
    shown: String,
    kind: AddressClass,
}

/// Where something is to be got. The text and the destination are one reading of one URL.
#[derive(Clone)]
struct Place {
    url: Url,
    destination: Destination,
}

impl Place {
    fn parse(text: &str) -> Result<Self, FetchError> {
        let url = Url::parse(text).map_err(|error| FetchError::unfit(text, &error.to_string()))?;
        Self::new(url)
    }

    fn new(mut url: Url) -> Result<Self, FetchError> {
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
    fn next(&self, headers: &HeaderMap) -> Result<Self, FetchError> {
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
    fn fits(&self, address: IpAddr, before: Option<&Before>) -> Result<(), FetchError> {
        let kind = classify(address);
        if self.destination.protocol == Protocol::Http && kind != AddressClass::Loopback {
            return Err(FetchError::InTheClear { url: self.shown() });
        }
        if let Some(before) = before
            && !kind.is_public()
            && kind != before.kind
        {
            let (from, url) = (before.shown.clone(), self.shown());
            return Err(FetchError::Inward { from, url, kind });
        }
        Ok(())
    }

    /// The path and the query, as they stand in a request.
    fn target(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    async fn answer(
        self,
        response: Response<Incoming>,
        wire: Option<Wire>,
        limits: FetchLimits,
    ) -> Result<Fetched, FetchError> {
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status { url: self.shown(), status: response.status().into() });
        }
        plain(response.headers()).map_err(|_| FetchError::Encoded { url: self.shown() })?;
        let bytes = {
            let mut reading = pin!(self.read(response.into_body(), limits));
            match wire {
                None => reading.await?,
                // The connection is ours to drive. Whether its end was too early, the body knows.
                Some(wire) => tokio::select! {
                    biased;
                    read = &mut reading => read?,
                    _ = wire => reading.await?,
                },
            }
        };
        Ok(Fetched { bytes, url: self.url.into() })
    }

    async fn read(&self, mut body: Incoming, limits: FetchLimits) -> Result<Vec<u8>, FetchError> {
        let FetchLimits { bytes: most, idle, .. } = limits;
        let silent = |_| FetchError::Silent { url: self.shown(), idle };
        let long = || FetchError::Long { url: self.shown(), most };
        if !usize::try_from(body.size_hint().lower()).is_ok_and(|length| length <= most) {
            return Err(long());
        }
        let mut bytes = Vec::new();
        while let Some(frame) = timeout(idle, body.frame()).await.map_err(silent)? {
            let frame = frame.map_err(|error| self.failed(&failure(error)))?;
            let Ok(piece) = frame.into_data() else { continue };
            if piece.len() > most - bytes.len() {
                return Err(long());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    fn failed(&self, error: &HttpError) -> FetchError {
        match error {
            HttpError::TlsCertificateError => FetchError::Certificate { url: self.shown() },
            error => FetchError::Exchange { url: self.shown(), fault: error.to_string() },
        }
    }

    fn shown(&self) -> String {
        error::shown(self.url.as_str())
    }
}

fn leads_on(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The kind that all of `addresses` are of. Where there are several, nobody knows which one answered,
/// so they count as the kind from which the least may be reached.
fn common(addresses: &[IpAddr]) -> AddressClass {
    let mut kinds = addresses.iter().copied().map(classify);
    let first = kinds.next().unwrap_or(AddressClass::Public);
    if kinds.all(|kind| kind == first) { first } else { AddressClass::Public }
}
