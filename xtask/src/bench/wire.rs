//! The messages of the benchmark as bytes, written and checked by hand: the client must cost little
//! beside the servers. Every call adds its own id and 1, so that no answer passes for another's.

use std::io::Write as _;

use memchr::memmem;

/// What a client names itself as. It has no capabilities.
const CLIENT: &str = r#"{"name":"bench","version":"1"}"#;

/// The revision of the protocol that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Revision {
    /// 2025-11-25, which begins with a handshake.
    Handshake,
    /// 2026-07-28, in which each request describes itself.
    PerRequest,
}

impl Revision {
    /// As the protocol writes it.
    pub(super) const fn version(self) -> &'static str {
        match self {
            Self::Handshake => "2025-11-25",
            Self::PerRequest => "2026-07-28",
        }
    }

    /// The method of [`Revision::opening`].
    pub(super) const fn opening_method(self) -> &'static str {
        match self {
            Self::Handshake => "initialize",
            Self::PerRequest => "server/discover",
        }
    }

    /// The first request of a connection.
    pub(super) fn opening(self) -> String {
        let (method, version) = (self.opening_method(), self.version());
        let params = match self {
            Self::Handshake => format!(
                r#"{{"protocolVersion":"{version}","capabilities":{{}},"clientInfo":{CLIENT}}}"#
            ),
            Self::PerRequest => format!("{{{}}}", self.description()),
        };
        format!(r#"{{"jsonrpc":"2.0","id":0,"method":"{method}","params":{params}}}"#)
    }

    /// What follows the answer to the first request.
    pub(super) const fn opened(self) -> Option<&'static str> {
        match self {
            Self::Handshake => Some(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
            Self::PerRequest => None,
        }
    }

    /// What requests say about themselves.
    fn description(self) -> String {
        let version = self.version();
        format!(
            r#""_meta":{{"io.modelcontextprotocol/protocolVersion":"{version}","io.modelcontextprotocol/clientInfo":{CLIENT},"io.modelcontextprotocol/clientCapabilities":{{}}}}"#
        )
    }
}

/// Writes the calls of one connection.
#[derive(Debug)]
pub(super) struct Calls {
    next: u32,
    description: String,
}

impl Calls {
    /// Calls in `revision` whose ids begin above `base`.
    pub(super) fn new(revision: Revision, base: u32) -> Self {
        let description = match revision {
            Revision::Handshake => String::new(),
            Revision::PerRequest => format!(",{}", revision.description()),
        };
        Self { next: base, description }
    }

    /// Appends the next call to `out`, without an end of line.
    pub(super) fn write(&mut self, out: &mut Vec<u8>) {
        self.next = self.next.wrapping_add(1);
        let (id, description) = (self.next, &self.description);
        // Writing to memory can't fail.
        let _ = write!(
            out,
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"add","arguments":{{"a":{id},"b":1}}{description}}}}}"#
        );
    }
}

/// Whether `message` is the right answer to the call that it names.
pub(super) fn is_right(message: &[u8]) -> bool {
    let sum = number_after(message, br#""text":""#);
    number_after(message, br#""id":"#)
        .and_then(|id| id.checked_add(1))
        .is_some_and(|right| sum == Some(right))
}

/// Whether `message` is a result of any kind.
pub(super) fn is_result(message: &[u8]) -> bool {
    memmem::find(message, br#""result":"#).is_some()
}

/// Whether `message` is no answer, but something that the server says by itself.
pub(super) fn is_news(message: &[u8]) -> bool {
    memmem::find(message, br#""method":"#).is_some()
}

fn number_after(message: &[u8], mark: &[u8]) -> Option<u32> {
    let start = memmem::find(message, mark)?.checked_add(mark.len())?;
    let digits = message.get(start..)?.iter().take_while(|byte| byte.is_ascii_digit());
    let mut number = None;
    for digit in digits {
        let digit = u32::from(digit.wrapping_sub(b'0'));
        number = Some(number.unwrap_or(0_u32).checked_mul(10)?.checked_add(digit)?);
    }
    number
}

#[cfg(test)]
mod tests;
