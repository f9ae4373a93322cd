//! What stands before the SDK's service: a request is read whole and in bounded time, one that names
//! two hosts or origins is refused, and what the SDK answers in plain text to a body that is no
//! message is said in the protocol's own words. Which hosts and origins are allowed is the SDK's to
//! check, in one place.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use rmcp::model::{ErrorData, JsonRpcError, RequestId};

use super::sessions::Sessions;
use crate::envelope::{Fault, bomb, id_of};

/// The longest body, in bytes.
pub(super) const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// How long a body may take to arrive.
const BODY: Duration = Duration::from_secs(30);

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
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = match tokio::time::timeout(BODY, to_bytes(body, LONGEST_BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    if let Some(Fault { error, id, .. }) = bomb(&body) {
        return protocol_error(StatusCode::BAD_REQUEST, error, id);
    }
    let opens_session = !parts.headers.contains_key("mcp-session-id");
    let is_json = says_json(&parts.headers);
    let request = Request::from_parts(parts, Body::from(body.clone()));
    let response = next.run(request).await;
    match response.status() {
        StatusCode::UNSUPPORTED_MEDIA_TYPE if is_json => {
            let Fault { error, id, .. } = Fault::of(&body);
            protocol_error(StatusCode::BAD_REQUEST, error, id)
        }
        StatusCode::INTERNAL_SERVER_ERROR if opens_session && guard.sessions.are_full().await => {
            let error = ErrorData::internal_error("too many sessions; end one first", None);
            let mut response = protocol_error(StatusCode::SERVICE_UNAVAILABLE, error, id_of(&body));
            if let Ok(seconds) = RETRY.parse() {
                response.headers_mut().insert(RETRY_AFTER, seconds);
            }
            response
        }
        _ => response,
    }
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
