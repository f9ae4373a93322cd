//! Reading an answer of HTTP/1.1, of which only what our servers send is understood: a body of a
//! given length or in chunks. It must never take a part for the whole.

use memchr::memmem;

use super::super::error::Error;

/// A whole answer.
#[derive(Debug, PartialEq)]
pub(super) struct Response {
    /// What the body says, out of its chunks.
    pub(super) body: Vec<u8>,
    /// The session that the answer belongs to.
    pub(super) session: Option<String>,
}

impl Response {
    /// Reads the answer that `bytes` begin with; `None` if some of it is still to come.
    ///
    /// # Errors
    /// If the status is no success, or if the answer can't be understood.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, Error> {
        let Some((head, body)) = split(bytes, b"\r\n\r\n") else { return Ok(None) };
        let wrong = || Error::wrong(bytes);
        let head = std::str::from_utf8(head).map_err(|_| wrong())?;
        let mut lines = head.split("\r\n");
        if !lines.next().is_some_and(|status| status.starts_with("HTTP/1.1 2")) {
            return Err(wrong());
        }
        let (mut length, mut chunked, mut session) = (0, false, None);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().map_err(|_| wrong())?;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                chunked = value.eq_ignore_ascii_case("chunked");
            } else if name.eq_ignore_ascii_case("mcp-session-id") {
                session = Some(value.to_owned());
            }
        }
        let body = if chunked {
            unchunked(body).map_err(|Malformed| wrong())?
        } else {
            body.get(..length).map(<[u8]>::to_vec)
        };
        Ok(body.map(|body| Self { body, session }))
    }
}

struct Malformed;

/// What `bytes` hold in chunks, if the last one is there.
fn unchunked(mut bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut body = Vec::new();
    while let Some((size, rest)) = split(bytes, b"\r\n") {
        let size = std::str::from_utf8(size).map_err(|_| Malformed)?;
        let size = usize::from_str_radix(size, 16).map_err(|_| Malformed)?;
        let Some((chunk, rest)) = rest.split_at_checked(size) else { break };
        let Some(ended) = rest.get(..2) else { break };
        if ended != b"\r\n" {
            return Err(Malformed);
        }
        if size == 0 {
            return Ok(Some(body));
        }
        body.extend_from_slice(chunk);
        bytes = rest.get(2..).unwrap_or_default();
    }
    Ok(None)
}

/// What lies before and after the first `mark`.
fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (before, after) = bytes.split_at_checked(memmem::find(bytes, mark)?)?;
    Some((before, after.get(mark.len()..)?))
}

#[cfg(test)]
mod tests;
