//! Headers by which a request says that it means another method or another path than it has. Some
//! servers do what they say, so such a request is judged by every reading of it, and is sent only if
//! each is permitted. It must never be judged by its first line alone.

use http::HeaderMap;
use wassette_policy::{Request, RequestError};

/// Headers that some servers take for the method.
const METHODS: [&str; 3] = ["x-http-method", "x-http-method-override", "x-method-override"];
/// Headers that some servers take for the path.
const PATHS: [&str; 2] = ["x-original-url", "x-rewrite-url"];

/// Why a request with such headers cannot be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DisguiseError {
    /// Which of two values holds, every server decides for itself.
    #[error("the header `{0}` stands in the request more than once, or is no text")]
    Unclear(&'static str),
    /// What it says is no method or no path.
    #[error("the header `{header}` says something else than the request: {source}")]
    Unfit {
        /// The header.
        header: &'static str,
        /// What is wrong.
        source: RequestError,
    },
}

/// The other ways in which a server may read `asked`, which is sent with `headers`: a few at most.
pub(crate) fn readings(
    asked: &Request,
    headers: &HeaderMap,
) -> Result<Vec<Request>, DisguiseError> {
    let mut readings = vec![asked.clone()];
    for header in METHODS {
        let Some(method) = only(headers, header)? else { continue };
        let method = method.to_ascii_uppercase();
        also(&mut readings, header, |reading| again(reading, &method, &reading.path))?;
    }
    for header in PATHS {
        let Some(path) = only(headers, header)? else { continue };
        also(&mut readings, header, |reading| again(reading, &reading.method, path))?;
    }
    Ok(readings.split_off(1))
}

fn only<'a>(
    headers: &'a HeaderMap,
    header: &'static str,
) -> Result<Option<&'a str>, DisguiseError> {
    let mut values = headers.get_all(header).iter();
    let (first, second) = (values.next(), values.next());
    let text = first.map(|value| value.to_str()).transpose();
    match (text, second) {
        (Ok(text), None) => Ok(text.map(str::trim)),
        _ => Err(DisguiseError::Unclear(header)),
    }
}

/// Adds to `readings` what each of them becomes by `header`.
fn also(
    readings: &mut Vec<Request>,
    header: &'static str,
    read: impl Fn(&Request) -> Result<Request, RequestError>,
) -> Result<(), DisguiseError> {
    let more = readings.iter().map(read).collect::<Result<Vec<_>, _>>();
    readings.extend(more.map_err(|source| DisguiseError::Unfit { header, source })?);
    Ok(())
}

fn again(request: &Request, method: &str, path: &str) -> Result<Request, RequestError> {
    let destination = &request.destination;
    let scheme = destination.protocol.to_string();
    Request::new(method, &scheme, &destination.authority(), path)
}
