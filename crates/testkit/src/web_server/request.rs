//! A request as it came over the wire. It must never be mended: a test wants to see what was sent.

use std::io::{self, Read};

/// A request that a [`WebServer`](crate::WebServer) got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The method, such as `GET`.
    pub method: String,
    /// What stands after the method: a path and query, or what was sent in its place.
    pub target: String,
    /// The header fields in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, put together if it came in chunks.
    pub body: Vec<u8>,
    /// Whether it came over TLS.
    pub encrypted: bool,
}

/// No test sends a longer head.
const LONGEST_HEAD: usize = 1 << 20;

impl Seen {
    /// The value of the first header field with this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Whether `text` is anywhere in it.
    pub fn holds(&self, text: &str) -> bool {
        let parts = self.headers.iter().flat_map(|(name, value)| [name, value]);
        parts.chain([&self.method, &self.target]).any(|part| part.contains(text))
            || String::from_utf8_lossy(&self.body).contains(text)
    }

    /// The next request, or `None` where the client has nothing more to ask.
    pub(super) fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        let Some(head) = head(stream)? else { return Ok(None) };
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap_or_default().splitn(3, ' ').map(str::to_owned);
        let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut seen = Self { method, target, headers, body: Vec::new(), encrypted: false };
        seen.body = if seen.header("transfer-encoding").is_some() {
            chunks(stream)?
        } else {
            let length = seen.header("content-length").and_then(|length| length.parse().ok());
            exactly(stream, length.unwrap_or(0))?
        };
        Ok(Some(seen))
    }
}

/// All up to the empty line, without it.
fn head(stream: &mut impl Read) -> io::Result<Option<String>> {
    const END: &[u8] = b"\r\n\r\n";
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(END) {
        if bytes.len() > LONGEST_HEAD || stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        bytes.extend(byte);
    }
    bytes.truncate(bytes.len() - END.len());
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn chunks(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(stream)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        body.extend(exactly(stream, size)?);
        line(stream)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn line(stream: &mut impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\n") && bytes.len() < LONGEST_HEAD {
        bytes.extend(exactly(stream, 1)?);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn exactly(stream: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}
