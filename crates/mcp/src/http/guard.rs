//! What stands before the SDK's service: a request is read whole and in bounded time, one that names
//! two hosts or origins is refused, and what the SDK answers in plain text to a body that is no
//! message is said in the protocol's own words, or the message is read as a browser would. Which hosts
//! and origins are allowed is the SDK's to check, in one place.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use rmcp::model::{ErrorData, JsonRpcError, RequestId};

use super::accept;
use super::cors::Page;
use super::sessions::Sessions;
use crate::envelope::{Fault, bomb, id_of};
use crate::repair::repaired;

/// The longest body, in bytes.
pub(super) const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// How long a body may take to arrive.
const BODY: Duration = Duration::from_secs(30);

/// The header of a request within a session.
const SESSION: &str = "mcp-session-id";

/// When a client that found no room may come again, in seconds.
const RETRY: &str = "60";

#[derive(Clone)]
pub(super) struct Guard {
    sessions: Arc<Sessions>,
}

impl Guard {
    pub(super) fn new(sessions: Arc<Sessions>) -> Self {
        Self { sessions }
    }
}

pub(super) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if [HOST, ORIGIN].iter().any(|name| given_twice(request.headers(), name)) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let page = Page::of(&request);
    match guard.pass(request, next).await {
        Ok(response) => match page {
            Some(page) => page.answer(response),
            None => response,
        },
        Err(refused) => refused,
    }
}

impl Guard {
    /// The SDK's answer to `request`, in the protocol's words; or ours, if it goes no further.
    async fn pass(&self, mut request: Request, next: Next) -> Result<Response, Response> {
        accept::spell_out(request.headers_mut());
        if request.method() != Method::POST {
            return Ok(next.run(request).await);
        }
        let (parts, body) = request.into_parts();
        let body = match tokio::time::timeout(BODY, to_bytes(body, LONGEST_BODY)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
            Err(_) => return Err(StatusCode::REQUEST_TIMEOUT.into_response()),
        };
        if let Some(Fault { error, id, .. }) = bomb(&body) {
            return Err(protocol_error(StatusCode::BAD_REQUEST, error, id));
        }
        let again = (parts.clone(), next.clone());
        let request = Request::from_parts(parts, Body::from(body.clone()));
        let response = next.run(request).await;
        Ok(self.in_the_protocols_words(response, body, again).await)
    }

    async fn in_the_protocols_words(
        &self,
        response: Response,
        body: Bytes,
        (parts, next): (Parts, Next),
    ) -> Response {
        let opens_session = !parts.headers.contains_key(SESSION);
        match response.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE if says_json(&parts.headers) => {
                let Some((message, unreadable)) = repaired(&body) else {
                    return refusal(&body);
                };
                let mut request = Request::from_parts(parts, Body::from(message));
                if let Some(unreadable) = unreadable {
                    request.extensions_mut().insert(unreadable);
                }
                match next.run(request).await {
                    again if again.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE => refusal(&body),
                    response => response,
                }
            }
            // The SDK takes an `initialize` that does not fit for a request within a session.
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST if opens_session => {
                match Fault::of_parameters(&body) {
                    Some(Fault { error, id, .. }) => {
                        protocol_error(StatusCode::BAD_REQUEST, error, id)
                    }
                    None => response,
                }
            }
            StatusCode::INTERNAL_SERVER_ERROR
                if opens_session && self.sessions.are_full().await =>
            {
                let error = ErrorData::internal_error("too many sessions; end one first", None);
                let mut response =
                    protocol_error(StatusCode::SERVICE_UNAVAILABLE, error, id_of(&body));
                if let Ok(seconds) = RETRY.parse() {
                    response.headers_mut().insert(RETRY_AFTER, seconds);
                }
                response
            }
            _ => response,
        }
    }
}

/// What is wrong with a body that is no message.
fn refusal(body: &[u8]) -> Response {
    let Fault { error, id, .. } = Fault::of(body);
    protocol_error(StatusCode::BAD_REQUEST, error, id)
}

fn given_twice(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().nth(1).is_some()
}

fn says_json(headers: &HeaderMap) -> bool {
    let essence = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    essence
        .and_then(|essence| essence.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn protocol_error(status: StatusCode, error: ErrorData, id: Option<RequestId>) -> Response {
    (status, axum::Json(JsonRpcError::new(id, error))).into_response()
}
