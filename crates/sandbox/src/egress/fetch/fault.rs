//! What went wrong on the way, in words, and whether it may pass by itself.

use std::error::Error as _;
use std::io;

use wasmtime_wasi_http::Error as HttpError;

/// The words, and whether trying again may help.
pub(super) fn fault(error: &HttpError) -> (String, bool) {
    let (words, passing) = match error {
        HttpError::ConnectionRefused => ("the connection was refused", true),
        HttpError::ConnectionTerminated => ("the connection was cut", true),
        HttpError::ConnectionTimeout => ("no connection came about in time", true),
        HttpError::DestinationIpUnroutable => ("no way leads to its address", true),
        HttpError::DestinationUnavailable => ("its address cannot be reached", true),
        HttpError::HttpResponseIncomplete => ("the answer broke off", true),
        HttpError::TlsProtocolError => {
            ("what answers there does not speak TLS as it should", false)
        }
        HttpError::TlsAlertReceived { .. } => ("the server refuses to speak TLS with us", false),
        HttpError::HttpResponseHeaderSectionSize(_) => {
            ("the head of the answer is too long", false)
        }
        HttpError::Hyper(error) if error.is_parse() => ("what answers there is no HTTP", false),
        HttpError::Hyper(error) => match broken(error) {
            Some(io::ErrorKind::UnexpectedEof) => ("the answer broke off", true),
            Some(_) => ("the connection was cut", true),
            None => return (format!("the exchange failed: {error}"), false),
        },
        other => return (other.to_string(), false),
    };
    (words.to_owned(), passing)
}

/// How the connection broke, if that is what `error` is about.
fn broken(error: &hyper::Error) -> Option<io::ErrorKind> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        source = cause.source();
    }
    None
}
