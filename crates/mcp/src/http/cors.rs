//! Web pages that may talk to the server, such as the protocol's Inspector: what their browser asks
//! before it sends anything, and what it lets them read. Which origins are allowed is the SDK's to say:
//! whom it refuses gets no header from here, and neither does whom it was not asked about.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};

/// What a page may send.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");

/// What a page may read besides the body.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After");

/// How long a browser may remember the answer, in seconds.
const FRESH: HeaderValue = HeaderValue::from_static("600");

/// A page from elsewhere asks for what lies on this machine.
const REQUEST_PRIVATE: HeaderName =
    HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// The page that a request comes from.
pub(super) struct Page {
    origin: HeaderValue,
    /// What its browser asks about, if the request is nothing but that question.
    preflight: Option<HeaderMap>,
}

impl Page {
    /// `None` where no browser sends the request, or none from another place.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let headers = request.headers();
        let origin = headers.get(ORIGIN)?.clone();
        let asks = request.method() == Method::OPTIONS
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        Some(Self { origin, preflight: asks.then(|| headers.clone()) })
    }

    /// The SDK's answer to the request, so that the page's browser understands it.
    pub(super) fn answer(self, mut response: Response) -> Response {
        if response.status() == StatusCode::FORBIDDEN {
            return response;
        }
        if let Some(asked) = self.preflight {
            // What it says of a method that is not served, once host and origin are allowed.
            if response.status() != StatusCode::METHOD_NOT_ALLOWED {
                return response;
            }
            response = StatusCode::NO_CONTENT.into_response();
            permit(&asked, response.headers_mut());
        }
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        headers.append(VARY, HeaderValue::from_static("Origin"));
        response
    }
}

/// All headers that the page asks for: the protocol names some after a tool's parameters, and none of
/// them gives a right that the page lacks without it.
fn permit(asked: &HeaderMap, headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, FRESH);
    if let Some(names) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    if asked.get(REQUEST_PRIVATE).is_some_and(|value| value == "true") {
        headers.insert(ALLOW_PRIVATE, HeaderValue::from_static("true"));
    }
}
