//! One request over wasi:http. It must never hide the host's error code: a refusal has to reach the test in full.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasip2::io::streams::StreamError;

use crate::exports::test::requests::http_client::{Header, Response};

/// Where a request goes, in the parts that wasi:http takes.
pub struct Target {
    pub scheme: Scheme,
    pub authority: Option<String>,
    pub path: String,
}

impl Target {
    /// Cuts `url` at `://` and at the first `/` or `?`, and leaves the parts as they are.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| format!("`{url}` has no scheme"))?;
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => Scheme::Other(other.into()),
        };
        let rest = rest.split('#').next().unwrap_or(rest);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { scheme, authority: Some(authority.into()), path: path.into() })
    }
}

/// Sends a request off, body and all.
pub fn start(
    method: &str,
    target: Target,
    headers: &[Header],
    body: Option<&str>,
    options: Option<RequestOptions>,
) -> Result<FutureIncomingResponse, String> {
    let fields = Fields::new();
    for Header { name, value } in headers {
        fields.append(name, &value.clone().into_bytes()).map_err(|error| format!("header `{name}`: {error:?}"))?;
    }
    let request = OutgoingRequest::new(fields);
    request.set_method(&method_of(method)).map_err(|()| "the method was refused")?;
    request.set_scheme(Some(&target.scheme)).map_err(|()| "the scheme was refused")?;
    request.set_authority(target.authority.as_deref()).map_err(|()| "the authority was refused")?;
    request.set_path_with_query(Some(&target.path)).map_err(|()| "the path was refused")?;
    let outgoing = request.body().map_err(|()| "the request has no body")?;
    let future = handle(request, options).map_err(|error| format!("{error:?}"))?;
    if let Some(body) = body {
        let stream = outgoing.write().map_err(|()| "the body has no stream")?;
        for chunk in body.as_bytes().chunks(4096) {
            stream.blocking_write_and_flush(chunk).map_err(|error| format!("{error:?}"))?;
        }
    }
    OutgoingBody::finish(outgoing, None).map_err(|error| format!("{error:?}"))?;
    Ok(future)
}

/// Waits for the answer and reads it to its end.
pub fn answer(future: FutureIncomingResponse) -> Result<Response, String> {
    let response = head(future)?;
    let status = response.status();
    let headers = response.headers().entries().into_iter();
    let headers = headers.map(|(name, value)| Header { name, value: text(&value) }).collect();
    let mut body = Vec::new();
    consumed(&response, |chunk| body.extend_from_slice(chunk))?;
    Ok(Response { status, headers, body: text(&body) })
}

/// Waits for the head of the answer.
pub fn head(future: FutureIncomingResponse) -> Result<IncomingResponse, String> {
    future.subscribe().block();
    future
        .get()
        .ok_or("the answer is not there")?
        .map_err(|()| "the answer was taken already")?
        .map_err(|error| format!("{error:?}"))
}

/// Reads the body to its end, piece by piece.
pub fn consumed(response: &IncomingResponse, mut take: impl FnMut(&[u8])) -> Result<(), String> {
    let body: IncomingBody = response.consume().map_err(|()| "the answer has no body")?;
    let stream = body.stream().map_err(|()| "the body has no stream")?;
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => take(&chunk),
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn method_of(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.into()),
    }
}
