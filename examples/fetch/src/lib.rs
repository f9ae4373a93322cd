//! Reads pages and data from the web, over wasi:http.
//! It must never go anywhere but where it was told: a redirect is reported, and following it is the caller's choice.

wit_bindgen::generate!({ path: "wit", world: "fetch" });

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{ErrorCode, Fields, IncomingResponse, OutgoingRequest, Scheme};
use wasip2::io::streams::StreamError;

struct Fetch;

/// More than this is no use to a model, and only costs memory.
const LARGEST_BODY: usize = 4 << 20;

impl Guest for Fetch {
    fn fetch(url: String) -> Result<String, String> {
        let response = get(&url)?;
        match response.status() {
            200..300 => text(&response),
            status @ 300..400 => match location(&response) {
                Some(target) => Err(format!("HTTP status {status}: the page is at {target}")),
                None => Err(format!("HTTP status {status}")),
            },
            status => Err(format!("HTTP status {status}")),
        }
    }
}

/// Sends the request and waits for the head of the answer.
fn get(url: &str) -> Result<IncomingResponse, String> {
    let (scheme, rest) = match url.split_once("://") {
        Some(("http", rest)) => (Scheme::Http, rest),
        Some(("https", rest)) => (Scheme::Https, rest),
        _ => return Err(format!("`{url}` does not begin with `http://` or `https://`")),
    };
    let rest = rest.split('#').next().unwrap_or(rest);
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&scheme)).map_err(|()| "the scheme was refused")?;
    request.set_authority(Some(authority)).map_err(|()| format!("`{authority}` is no host"))?;
    let path = if path.is_empty() { "/" } else { path };
    request.set_path_with_query(Some(path)).map_err(|()| format!("`{path}` is no path"))?;

    let answer = handle(request, None).map_err(|error| unreachable(url, &error))?;
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(error))) => Err(unreachable(url, &error)),
        Some(Err(())) | None => Err(format!("`{url}` gave no answer")),
    }
}

/// Why there is no answer, in words.
fn unreachable(url: &str, error: &ErrorCode) -> String {
    let reason = match error {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => "it is not permitted",
        ErrorCode::DnsError(_) | ErrorCode::DnsTimeout | ErrorCode::DestinationNotFound => "there is no such host",
        ErrorCode::ConnectionRefused => "nobody listens there",
        ErrorCode::ConnectionTimeout | ErrorCode::HttpResponseTimeout => "it takes too long",
        ErrorCode::TlsCertificateError | ErrorCode::TlsProtocolError => "its certificate is not trusted",
        other => return format!("`{url}` can't be reached: {other}"),
    };
    format!("`{url}` can't be reached: {reason}")
}

/// The body, to its end, as text.
fn text(response: &IncomingResponse) -> Result<String, String> {
    let body = response.consume().map_err(|()| "the answer has no body")?;
    let stream = body.stream().map_err(|()| "the body can't be read")?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
        if bytes.len() > LARGEST_BODY {
            return Err(format!("the body is longer than {LARGEST_BODY} bytes"));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Where a redirect leads.
fn location(response: &IncomingResponse) -> Option<String> {
    let value = response.headers().get("location").into_iter().next()?;
    String::from_utf8(value).ok()
}

export!(Fetch);
