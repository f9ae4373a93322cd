//! What the operator sends. Its URL is never a guest's or a model's choice unless a person has said
//! yes to it, and what proves who we are goes to the place that it belongs to and nowhere else.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderMap,
    HeaderValue, PROXY_AUTHORIZATION, TRANSFER_ENCODING, USER_AGENT,
};
use http::{Method, Request};
use hyper::body::{Body, Frame, SizeHint};
use url::Url;
use wasmtime_wasi_http::{Error as HttpError, WasiBody};
use zeroize::Zeroizing;

use super::Reach;
use super::place::Place;

/// As whom we ask.
const AGENT: &str = concat!("wassette/", env!("CARGO_PKG_VERSION"));

/// At how many bytes a second a body leaves at the least, before the answer is waited for.
const UPLOAD: u64 = 64 << 10;

/// How much of a body is handed on at a time, in bytes: it is copied once more before it leaves.
const PIECE: usize = 64 << 10;

/// A request of the operator's.
#[derive(Clone)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// An `https` URL, or an `http` URL of this machine.
    pub url: Url,
    /// Header fields. What makes up the message (`Host`, `Content-Length`, …) and what says who asks
    /// (`Authorization`, `Cookie`, …) is left out of them.
    pub headers: HeaderMap,
    /// The value of `Authorization`. It is sent while scheme, host and port are those of
    /// [`url`](Self::url); after a redirect to any other place it is gone for good.
    pub authorization: Option<Zeroizing<String>>,
    /// The body; empty for none.
    pub body: Bytes,
    /// A PEM file with authorities that may vouch for the server besides the usual ones. It is read
    /// for each request.
    pub authorities: Option<PathBuf>,
    /// Which addresses the URL's host may have.
    pub reach: Reach,
    /// Whether redirects are followed, which they are for `GET` and `HEAD` alone.
    pub follow: bool,
    /// The longest time in which nothing of the answer comes. The body of the request has its own
    /// time besides, by its length.
    pub idle: Duration,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.url.path(), self.body.len())
    }
}

impl Outgoing {
    /// A `GET` of what lies at `url`, which follows where it leads.
    pub fn get(url: Url, reach: Reach, idle: Duration) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            authorization: None,
            body: Bytes::new(),
            authorities: None,
            reach,
            follow: true,
            idle,
        }
    }

    /// Whether an answer that leads on is followed.
    pub(super) fn follows(&self) -> bool {
        self.follow && matches!(self.method, Method::GET | Method::HEAD)
    }

    /// How long to wait for the head of the answer.
    pub(super) fn first_byte(&self) -> Duration {
        let length = u64::try_from(self.body.len()).unwrap_or(u64::MAX);
        self.idle.saturating_add(Duration::from_secs(length / UPLOAD))
    }

    /// The request as it is sent to `place`; `trusted` where the authorization may go.
    pub(super) fn request(
        &self,
        place: &Place,
        trusted: bool,
    ) -> Result<Request<WasiBody>, HttpError> {
        let unfit = |_| HttpError::HttpRequestUriInvalid;
        let mut request = Request::new(WasiBody::new(Upload(self.body.clone())));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() =
            place.target().parse().map_err(|_| HttpError::HttpRequestUriInvalid)?;
        let mut headers = self.headers.clone();
        for ours in [
            AUTHORIZATION,
            CONNECTION,
            CONTENT_LENGTH,
            COOKIE,
            PROXY_AUTHORIZATION,
            TRANSFER_ENCODING,
        ] {
            headers.remove(ours);
        }
        let host = HeaderValue::from_str(&place.destination.authority()).map_err(unfit)?;
        headers.insert(HOST, host);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        if let Some(authorization) = self.authorization.as_ref().filter(|_| trusted) {
            let mut value = HeaderValue::from_str(authorization).map_err(|_| {
                HttpError::HttpRequestHeaderSize { field_name: None, field_size: None }
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// What is left of a body.
struct Upload(Bytes);

impl Body for Upload {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let length = self.0.len().min(PIECE);
        let piece = self.0.split_to(length);
        Poll::Ready((length > 0).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.0.len()).unwrap_or(u64::MAX))
    }
}
