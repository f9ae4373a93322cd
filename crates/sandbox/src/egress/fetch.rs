//! What the operator asks for by its URL: by the same means that components' requests take. No
//! policy is asked, for the operator wrote the URL; so nothing that a guest or a model chose may
//! ever be asked for here without a person's yes.
//!
//! What the *server* chooses is not trusted. It may lead on a few times, but never to another
//! scheme, and never from the outside to an address inside this machine or its network. Its answer
//! is bounded in time, comes as it is (never packed), and what proves who the operator is goes to no
//! place but the one that it was given for.

mod arrived;
mod error;
mod fault;
mod outgoing;
mod place;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::{Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};
use wassette_policy::{AddressClass, Destination, Host, Protocol, classify};

use super::dial::{Approved, DialError, dial};
use super::exchange::{Wire, plain, send};
use super::network::Network;
use super::proxy::Resolve;
use super::resolver;
use super::tls::Authorities;
use place::{Before, Place};

pub use arrived::{Arrived, Pieces};
pub use error::FetchError;
pub use outgoing::Outgoing;

/// How often a server may lead on to another place.
const REDIRECTS: usize = 5;

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
        let document = async {
            let outgoing = Outgoing::get(start.url.clone(), limits.reach, limits.idle);
            document(self.exchange(start, &outgoing).await?, limits.bytes).await
        };
        timeout(limits.time, document).await.map_err(|_| late)?
    }

    /// Sends `outgoing` and gives the answer as soon as its head is there, whatever its status. The
    /// time for all of it is the caller's to bound; so is the length of the body. It must be called
    /// within a Tokio runtime.
    ///
    /// # Errors
    /// [`FetchError`] says what is wrong with the URL, with the way there or with a place that the
    /// server leads to.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Arrived, FetchError> {
        self.exchange(Place::new(outgoing.url.clone())?, &outgoing).await
    }

    async fn exchange(&self, start: Place, outgoing: &Outgoing) -> Result<Arrived, FetchError> {
        let authorities = Authorities::read(outgoing.authorities.as_deref()).await;
        let authorities = authorities.map_err(|error| FetchError::authorities(&error))?;
        let (first, mut place, mut trusted) = (start.shown(), start.clone(), true);
        let mut before = (outgoing.reach == Reach::Public).then(|| Before {
            shown: "a request".to_owned(),
            kind: AddressClass::Public,
            protocol: None,
        });
        for _ in 0..=REDIRECTS {
            let by_name = self.locate_by_name(&place, outgoing.reach, before.as_ref())?;
            let (addresses, kind) = match by_name {
                Some(found) => found,
                None => self.locate(&place, before.as_ref()).await?,
            };
            trusted = trusted && place.is_with(&start);
            let (response, wire) =
                self.ask(&place, addresses, outgoing, trusted, &authorities).await?;
            if !outgoing.follows() || !leads_on(response.status()) {
                return place.answer(response, wire, outgoing.idle);
            }
            let next = place.next(response.headers())?;
            let protocol = Some(place.destination.protocol);
            before = Some(Before { shown: place.shown(), kind, protocol });
            place = next;
        }
        Err(FetchError::Redirects { url: first, most: REDIRECTS })
    }

    /// The name of `place`, where a proxy is to resolve it, and of which kind its address is: a name that
    /// no public registry gives out counts as an inner one. `None` where it is resolved here, as for what
    /// nobody looked at: its address must be checked.
    fn locate_by_name(
        &self,
        place: &Place,
        reach: Reach,
        before: Option<&Before>,
    ) -> Result<Option<(Vec<Approved>, AddressClass)>, FetchError> {
        let Destination { protocol, host, port } = &place.destination;
        let Host::Name(name) = host else { return Ok(None) };
        let checked = self.resolve_for_operator == Resolve::Here
            || reach == Reach::Public
            || *protocol != Protocol::Https;
        if checked || self.names_proxy(true, name, *port).is_none() {
            return Ok(None);
        }
        let kind = if name.is_public() { AddressClass::Public } else { AddressClass::Private };
        place.fits_kind(kind, before)?;
        Ok(Some((vec![Approved::name_by_operator()], kind)))
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
                let lookup = timeout(self.waits.connect, self.resolver.resolve(name.as_str()));
                let found = lookup.await.map_err(|_| unknown())?.map_err(|error| {
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
        outgoing: &Outgoing,
        trusted: bool,
        authorities: &Authorities,
    ) -> Result<(Response<Incoming>, Option<Wire>), FetchError> {
        let failed = |error| place.failed(&error);
        let request = outgoing.request(place, trusted).map_err(failed)?;
        let deadline = Instant::now() + self.waits.connect;
        let stream = dial(self, &place.destination, addresses, authorities, deadline).await;
        let stream = stream.map_err(|error| place.undialled(error))?;
        // A server that is silent and one that cannot be reached are not the same.
        match timeout(outgoing.first_byte(), send(stream, request, deadline, Duration::MAX)).await {
            Ok(sent) => sent.map_err(failed),
            Err(_) => Err(FetchError::Silent { url: place.shown(), idle: outgoing.idle }),
        }
    }
}

/// The whole body of an answer that must be the document itself.
async fn document(arrived: Arrived, most: usize) -> Result<Fetched, FetchError> {
    let Arrived { status, url, mut body, .. } = arrived;
    let shown = error::shown(url.as_str());
    if status != StatusCode::OK {
        return Err(FetchError::Status { url: shown, status: status.into() });
    }
    let long = || FetchError::Long { url: shown.clone(), most };
    if !usize::try_from(body.least()).is_ok_and(|length| length <= most) {
        return Err(long());
    }
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await? {
        if piece.len() > most - bytes.len() {
            return Err(long());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Fetched { bytes, url: url.into() })
}

impl Place {
    fn answer(
        self,
        response: Response<Incoming>,
        wire: Option<Wire>,
        idle: Duration,
    ) -> Result<Arrived, FetchError> {
        let (head, body) = response.into_parts();
        let readable = plain(&head.headers).is_ok();
        if !readable && head.status.is_success() {
            return Err(FetchError::Encoded { url: self.shown() });
        }
        // The status of a refusal says enough where its words cannot be read.
        let body = readable.then_some(body);
        let url = self.url.clone();
        let body = Pieces::new(self, body, wire, idle);
        Ok(Arrived { status: head.status, headers: head.headers, url, body })
    }

    fn undialled(&self, error: DialError) -> FetchError {
        match error {
            DialError::Certificate(flaw) => FetchError::Certificate { url: self.shown(), flaw },
            DialError::Stalled => FetchError::Stalled { url: self.shown() },
            DialError::Failed(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &wasmtime_wasi_http::Error) -> FetchError {
        let (fault, passing) = fault::fault(error);
        FetchError::Exchange { url: self.shown(), fault, passing }
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
