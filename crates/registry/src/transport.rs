//! The one way out, as this crate sees it: a request in, an answer in pieces out. It says nothing
//! of sockets, proxies and certificates, and must never carry an authorization further than the
//! origin that it was made for.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;
use zeroize::Zeroizing;

use crate::{Login, Secret};

/// A future that a trait object gives.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What sends requests.
///
/// Whoever implements it checks the addresses of every host, waits a bounded time for a connection
/// and for the first byte of an answer, asks for no content encoding and refuses one, and sends
/// `http` to this machine alone.
pub trait Transport: Send + Sync {
    /// Sends `request` and gives the answer as soon as its head is there, whatever its status.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>>;
}

/// What is asked.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// An `https` URL, or an `http` URL of this machine.
    pub url: Url,
    /// The headers, without `host`, `content-length` and `authorization`.
    pub headers: HeaderMap,
    /// Sent to the origin of `url` only, and never after a redirect elsewhere.
    pub authorization: Option<Authorization>,
    /// The body; empty for none.
    pub body: Bytes,
    /// A PEM file with certificates of authorities that are trusted beside the usual ones.
    pub trust: Option<PathBuf>,
    /// Which addresses the host may have.
    pub reach: Reach,
    /// Whether a redirect is followed: a few times, in the same scheme, for `GET` and `HEAD` only.
    /// If not, the redirect itself is the answer.
    pub follow: bool,
}

/// Which addresses the host of a request, and of what it leads to, may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Inner ones as well: somebody who may decide that has named the host.
    #[default]
    Anywhere,
    /// Public ones only: nobody has looked at where this leads.
    Public,
}

/// What came back; the body is still to come.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// Where it came from, after all redirects.
    pub url: Url,
    /// The rest, in pieces.
    pub body: Box<dyn Body>,
}

/// The body of an answer.
pub trait Body: Send {
    /// The next piece, or `None` after the last. A body that ends before its announced length is an
    /// error.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>>;
}

/// Why there is no answer, or no more of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// What happened, in words for a person: lower case, without a final period.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Whether another attempt may fare better.
    pub passing: bool,
}

/// The value of an `authorization` header. It is zeroised when dropped and shows in no output.
#[derive(Clone)]
pub struct Authorization(Zeroizing<String>);

impl Authorization {
    /// That of the `Basic` scheme.
    pub(crate) fn basic(login: &Login) -> Self {
        let pair = Zeroizing::new(format!("{}:{}", login.username, login.password.reveal()));
        let mut text = Zeroizing::new(String::from("Basic "));
        // Reserved beforehand, so that no half of it is left behind by a move.
        text.reserve_exact(pair.len().div_ceil(3) * 4);
        BASE64_STANDARD.encode_string(pair.as_bytes(), &mut text);
        Self(text)
    }

    /// That of the `Bearer` scheme.
    pub(crate) fn bearer(token: &Secret) -> Self {
        Self(Zeroizing::new(format!("Bearer {}", token.reveal())))
    }

    /// The value of the header.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Authorization(…)")
    }
}
