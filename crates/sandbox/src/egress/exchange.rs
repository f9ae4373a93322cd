//! One request and its answer, in the order that [`egress`](super) gives. Every way out of here but
//! the last is a refusal that was recorded or an error of the network; none may send anything.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_ENCODING, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use tokio::time::{Instant, timeout, timeout_at};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};
use wassette_policy::{
    AddressClass, Denial, Destination, Effect, Host, Inject, Name, Permit, Protocol,
    Request as Asked, classify,
};

use super::body::Answer;
use super::dial::{Approved, Connection, dial};
use super::disguise;
use super::framing::framed;
use super::inject::Injection;
use super::listening::Listening;
use super::proxy::Resolve;
use super::tls::Authorities;
use super::{Masker, Sent};
use crate::authority::Authority;
use crate::effects::{Effects, InFlight};
use crate::placeholders::Placeholders;

/// The head of an answer, in bytes; also the most that is read ahead of the guest.
pub(crate) const HEAD: usize = 64 << 10;
/// The most headers of an answer.
const HEADERS: usize = 100;

/// What a guest is told of a name that is unknown here, where a proxy might know it.
const UNKNOWN_HERE: &str = "this machine does not know the name; if the proxy does, set \
                            `resolve = \"proxy\"` under `[egress]`";

/// What a name of an inner network may mean.
const INNER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

pub(crate) type Wire = http1::Connection<TokioIo<Listening>, WasiBody>;
type Done = Sent<Result<(), Error>>;

/// What one call sends requests with.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) authority: Arc<Authority>,
    pub(crate) effects: Effects,
    pub(crate) placeholders: Placeholders,
    pub(crate) masker: Masker,
}

/// That a request may be sent, by the policy with which the call began and, where it was replaced
/// since, by the newest too.
struct Approval {
    permit: Permit<Asked>,
    newer: Option<Permit<Asked>>,
}

impl Approval {
    fn address(&self, address: IpAddr) -> Result<Permit<SocketAddr>, Denial> {
        if let Some(newer) = &self.newer {
            let _ = newer.address(address)?;
        }
        self.permit.address(address)
    }

    fn injections(&self) -> Vec<&Inject> {
        let newer = self.newer.as_ref().map(Permit::injections);
        let kept = |inject: &&Inject| newer.as_ref().is_none_or(|newer| newer.contains(inject));
        self.permit.injections().into_iter().filter(kept).collect()
    }
}

impl Exchange {
    /// Sends `request` if the policy permits it.
    pub(crate) async fn run(
        self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<(Response<WasiBody>, Done), Error> {
        let (approval, place) = self.approve(&request)?;
        let place = Arc::new(place);
        // A server may answer before it has read the request, which is then still under way.
        let sending = (!request.body().is_end_stream()).then(|| place.clone());
        let waits = self.authority.network.waits.clamp(options);
        let deadline = Instant::now() + waits.connect;

        let addresses = timeout_at(deadline, self.addresses(&approval)).await;
        let addresses = addresses.map_err(|_| Error::DnsTimeout)??;
        // Before anything is dialled: a secret that is not there is no reason to knock.
        let mut request = request;
        self.prepare(&approval, &mut request)?;
        let destination = &approval.permit.target().destination;
        let (network, usual) = (&self.authority.network, &Authorities::default());
        let stream = dial(network, destination, addresses, usual, deadline).await?;
        let request = framed(request).await?;
        let (mut response, wire) = send(stream, request, deadline, waits.first_byte).await?;

        if !approval.injections().is_empty() {
            self.legible(&approval, &response)?;
        }
        // What one request of the call has told a server, another answer may show.
        let masker = Some(&self.masker).filter(|masker| !masker.is_empty());
        if let Some(masker) = masker {
            mask_headers(masker, response.headers_mut());
        }
        let response = response.map(|incoming| {
            let effects = self.effects.clone();
            WasiBody::new(Answer::new(incoming, effects, waits.between_bytes, masker, place))
        });
        Ok((response, Box::new(finish(wire, sending))))
    }

    /// Asks the policy, takes a place and records.
    fn approve(&self, request: &Request<WasiBody>) -> Result<(Approval, InFlight), Error> {
        let uri = request.uri();
        let (scheme, authority) = (uri.scheme_str().unwrap_or_default(), uri.authority());
        let authority = authority.map_or("", |authority| authority.as_str());
        let path = path(uri);
        let method = request.method();
        let is = |other: &Method| method.as_str().eq_ignore_ascii_case(other.as_str());
        if is(&Method::CONNECT) || is(&Method::TRACE) {
            // The one makes a tunnel past all rules; the other repeats what the host has added.
            let target = format!("{method} {scheme}://{authority}");
            let denial = Denial::new(Effect::Http, &target, "no component may use this method");
            return Err(self.refuse(denial));
        }
        let asked = Asked::new(method.as_str(), scheme, authority, &path).map_err(|error| {
            let target = format!("{method} {scheme}://{authority}");
            self.refuse(Denial::new(Effect::Http, &target, &error.to_string()))
        })?;
        let readings = disguise::readings(&asked, request.headers()).map_err(|error| {
            self.refuse(Denial::new(Effect::Http, &asked.to_string(), &error.to_string()))
        })?;
        let readings = readings.into_iter().map(|reading| self.authority.request(reading));
        let readings = readings.collect::<Result<Vec<_>, _>>();
        let readings = readings.map_err(|denial| self.refuse(denial))?;
        let newer = self.authority.latest().map(|latest| latest.effective().request(asked.clone()));
        let newer = newer.transpose().map_err(|denial| self.refuse(denial))?;
        let permit = self.authority.request(asked).map_err(|denial| self.refuse(denial))?;
        let place = self.effects.request().map_err(|_| Error::HttpRequestDenied)?;
        for permit in readings.iter().chain([&permit]) {
            let target = permit.target().to_string();
            let recorded = self.effects.permitted(Effect::Http, &target, permit.rule());
            recorded.map_err(|_| Error::HttpRequestDenied)?;
        }
        Ok((Approval { permit, newer }, place))
    }

    fn refuse(&self, denial: Denial) -> Error {
        self.effects.denied(denial);
        Error::HttpRequestDenied
    }

    /// The permitted ones of the addresses that the host has.
    async fn addresses(&self, approval: &Approval) -> Result<Vec<Approved>, Error> {
        let destination = &approval.permit.target().destination;
        let found = match &destination.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                if let Some(approved) = self.name_for_the_proxy(approval, name)? {
                    return Ok(vec![approved]);
                }
                let network = &self.authority.network;
                let found = network.resolver.resolve(name.as_str()).await;
                found.map_err(|error| {
                    tracing::debug!(%error, "a name cannot be resolved");
                    let rcode = network.proxy.is_some().then(|| UNKNOWN_HERE.to_owned());
                    Error::DnsError { rcode, info_code: None }
                })?
            }
        };
        let exposed = destination.protocol == Protocol::Http && !approval.injections().is_empty();
        let (mut permitted, mut denied) = (Vec::new(), None);
        for address in found.into_iter().take(super::resolver::MOST) {
            match approval.address(address) {
                Ok(_) if exposed && !is_near(classify(address)) => {
                    denied.get_or_insert_with(|| in_the_clear(&approval.permit));
                }
                Ok(address) => permitted.push(address.into()),
                Err(denial) => denied = denied.or(Some(denial)),
            }
        }
        match denied {
            Some(denial) if permitted.is_empty() => {
                self.effects.denied(denial);
                Err(Error::DestinationIpProhibited)
            }
            _ => Ok(permitted),
        }
    }

    /// The name itself, where the operator lets the proxy resolve names. What can be known of its address
    /// is judged: a name that no public registry gives out counts as an inner one.
    fn name_for_the_proxy(
        &self,
        approval: &Approval,
        name: &Name,
    ) -> Result<Option<Approved>, Error> {
        let network = &self.authority.network;
        let Destination { protocol, port, .. } = &approval.permit.target().destination;
        let https = *protocol == Protocol::Https;
        if network.resolve == Resolve::Here || network.names_proxy(https, name, *port).is_none() {
            return Ok(None);
        }
        if !https && !approval.injections().is_empty() {
            return Err(self.refuse(in_the_clear(&approval.permit)));
        }
        if !name.is_public()
            && let Err(denial) = approval.address(INNER)
        {
            self.effects.denied(denial);
            return Err(Error::DestinationIpProhibited);
        }
        Ok(Some(Approved::name_of(&approval.permit)))
    }

    /// Makes of what the guest wrote what the server shall get: the permitted host and path, and the
    /// headers that the host adds.
    fn prepare(&self, approval: &Approval, request: &mut Request<WasiBody>) -> Result<(), Error> {
        let target = approval.permit.target();
        let path = path(request.uri()).parse().map_err(|_| Error::HttpRequestUriInvalid)?;
        *request.uri_mut() = path;
        let host = HeaderValue::from_str(&target.destination.authority());
        request.headers_mut().insert(HOST, host.map_err(|_| Error::HttpRequestUriInvalid)?);
        let injection = Injection {
            rules: &approval.injections(),
            values: &*self.authority.values,
            placeholders: &self.placeholders,
            masker: &self.masker,
            component: self.authority.effective().component(),
            target: &target.to_string(),
        };
        injection.apply(request.headers_mut()).map_err(|denial| self.refuse(denial))
    }

    /// Refuses an answer in which no secret could be found.
    fn legible(&self, approval: &Approval, response: &Response<Incoming>) -> Result<(), Error> {
        let Err(illegible) = plain(response.headers()) else { return Ok(()) };
        let target = approval.permit.target().to_string();
        let reason = "the answer is compressed although the request asked for none, and the secret \
                      that was added to the request could not be hidden in it";
        self.effects.denied(Denial::new(Effect::Http, &target, reason));
        Err(illegible)
    }
}

/// Refuses an answer whose body is not sent as it is.
pub(crate) fn plain(headers: &HeaderMap) -> Result<(), Error> {
    let is_only = |header, word: &str| {
        let mut values = headers.get_all(header).iter();
        values.all(|value| value.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
    };
    match () {
        () if !is_only(CONTENT_ENCODING, "identity") => Err(Error::HttpResponseContentCoding(None)),
        () if !is_only(TRANSFER_ENCODING, "chunked") => {
            Err(Error::HttpResponseTransferCoding(None))
        }
        () => Ok(()),
    }
}

/// Sends `request` and drives the connection until the head of the answer is there.
pub(crate) async fn send(
    stream: Box<dyn Connection>,
    request: Request<WasiBody>,
    deadline: Instant,
    first_byte: Duration,
) -> Result<(Response<Incoming>, Option<Wire>), Error> {
    let mut builder = http1::Builder::new();
    builder.max_headers(HEADERS).max_header_size(HEAD).max_buf_size(HEAD);
    let handshake = timeout_at(deadline, builder.handshake(TokioIo::new(Listening::new(stream))));
    let (mut sender, mut wire) =
        handshake.await.map_err(|_| Error::ConnectionTimeout)?.map_err(failure)?;
    let exchange = async {
        let mut answer = std::pin::pin!(sender.send_request(request));
        tokio::select! {
            biased;
            response = &mut answer => Ok((response.map_err(failure)?, Some(wire))),
            // Some servers say all and hang up without a word: the answer counts.
            ended = &mut wire => match (answer.await, ended) {
                (Ok(answer), _) => Ok((answer, None)),
                (Err(_), Err(error)) | (Err(error), Ok(())) => Err(failure(error)),
            },
        }
    };
    timeout(first_byte, exchange).await.map_err(|_| Error::ConnectionReadTimeout)?
}

/// Drives the connection while the guest reads, and sends if it does. It ends with both, or when the
/// call does.
async fn finish(wire: Option<Wire>, _sending: Option<Arc<InFlight>>) -> Result<(), Error> {
    match wire {
        Some(wire) => wire.await.map_err(failure),
        None => Ok(()),
    }
}

/// The path with its query, as it is both judged and sent.
fn path(uri: &Uri) -> String {
    uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
}

/// Where nobody on the way can listen whom the operator does not know.
fn is_near(class: AddressClass) -> bool {
    matches!(class, AddressClass::Loopback | AddressClass::Private)
}

fn in_the_clear(permit: &Permit<Asked>) -> Denial {
    let target = permit.target().to_string();
    let reason = "a rule adds a secret to the request, and over `http` everybody on the way could \
                  read it";
    Denial::new(Effect::Http, &target, reason)
}

/// Hides secrets in the values of `headers`.
pub(crate) fn mask_headers(masker: &Masker, headers: &mut HeaderMap) {
    for value in headers.values_mut() {
        let masked = masker.bytes(value.as_bytes());
        if masked != value.as_bytes() {
            *value = HeaderValue::from_maybe_shared(masked)
                .unwrap_or_else(|_| HeaderValue::from_static("*"));
        }
    }
}

/// What the guest is told of an exchange that broke off.
pub(crate) fn failure(error: hyper::Error) -> Error {
    if error.is_timeout() {
        Error::HttpResponseTimeout
    } else if error.is_parse_too_large() {
        Error::HttpResponseHeaderSectionSize(None)
    } else if error.is_incomplete_message() {
        Error::HttpResponseIncomplete
    } else if error.is_canceled() || error.is_closed() {
        Error::ConnectionTerminated
    } else {
        Error::Hyper(error)
    }
}
