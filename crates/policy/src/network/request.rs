//! What a component asks the network for, in the form in which it is judged.
//!
//! Whoever sends a request reads it through here and sends it to the destination that was read, never
//! to the text that came in: two readers of one authority must not come to two hosts.

use std::fmt;
use std::str::FromStr;

use miette::Diagnostic;
use thiserror::Error;

use crate::host::{Host, HostError};
use crate::template::is_token;

/// How a component speaks to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// HTTP in the clear.
    Http,
    /// HTTP within TLS.
    Https,
    /// A TCP connection of the guest's own.
    Tcp,
    /// UDP datagrams of the guest's own.
    Udp,
}

impl Protocol {
    /// The port where a URL names none; there is none for raw sockets.
    pub const fn default_port(self) -> Option<u16> {
        match self {
            Self::Http => Some(80),
            Self::Https => Some(443),
            Self::Tcp | Self::Udp => None,
        }
    }

    /// Whether it is a kind of HTTP.
    pub const fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }
}

impl FromStr for Protocol {
    type Err = RequestError;

    fn from_str(text: &str) -> Result<Self, RequestError> {
        let is = |name: &str| text.eq_ignore_ascii_case(name);
        match () {
            () if is("https") => Ok(Self::Https),
            () if is("http") => Ok(Self::Http),
            () if is("tcp") => Ok(Self::Tcp),
            () if is("udp") => Ok(Self::Udp),
            () => Err(RequestError::Scheme(text.to_owned())),
        }
    }
}

impl fmt::Display for Protocol {
    /// The scheme of its URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// Why a request cannot be judged, and so is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum RequestError {
    /// The host cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Host(#[from] HostError),
    /// There is no host at all.
    #[error("the request names no host")]
    #[diagnostic(help("write a whole URL, such as `https://api.example.com/v1`"))]
    Authority,
    /// The port is missing, not a number, zero or too large.
    #[error("`{0}` has no valid port")]
    #[diagnostic(help("a port is a number from 1 to 65535"))]
    Port(String),
    /// Neither `http` nor `https`, nor `tcp` or `udp` for sockets.
    #[error("the scheme `{0}` leads nowhere")]
    #[diagnostic(help("write `https` or `http`"))]
    Scheme(String),
    /// A method that is no token, or `CONNECT`: in a tunnel nothing could be judged any more.
    #[error("the method `{0}` cannot be used")]
    #[diagnostic(help("write a method such as `GET`"))]
    Method(String),
    /// A path that does not begin with `/` or holds spaces or control characters.
    #[error("the path of the request is not valid")]
    #[diagnostic(help("a path begins with `/` and holds no spaces and no control characters"))]
    Path,
}

/// A host and a port, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Destination {
    /// How it is spoken to.
    pub protocol: Protocol,
    /// The host, normalised.
    pub host: Host,
    /// The port, never zero in what was parsed.
    pub port: u16,
}

impl Destination {
    /// Reads `host`, `host:port` or `[v6]:port`. Without a port it is the protocol's, and for raw
    /// sockets an error.
    ///
    /// # Errors
    /// [`RequestError`] says what is wrong; so is a user's name, and a port that is empty, zero, has
    /// a leading zero or goes beyond 65535.
    pub fn parse_authority(protocol: Protocol, authority: &str) -> Result<Self, RequestError> {
        if authority.is_empty() {
            return Err(RequestError::Authority);
        }
        if authority.contains('@') {
            return Err(HostError::UserInfo.into());
        }
        let wrong = || RequestError::Port(authority.to_owned());
        let (host, port) = split_port(authority);
        let port = match port {
            Some(port) => parse_port(port).ok_or_else(wrong)?,
            None => protocol.default_port().ok_or_else(wrong)?,
        };
        // In an authority an IPv6 address without brackets cannot be told from its port.
        if host.contains(':') && !host.starts_with('[') {
            return Err(HostError::Colon(host.to_owned()).into());
        }
        Ok(Self { protocol, host: Host::parse(host)?, port })
    }

    /// The host, and the port unless it is the protocol's own, as the `Host` header says it.
    pub fn authority(&self) -> String {
        if self.protocol.default_port() == Some(self.port) {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Destination {
    /// `https://example.com`, `http://example.com:8080`, `tcp://db.example.com:5432`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.protocol, self.authority())
    }
}

/// Splits what follows the last colon off, unless that colon stands inside brackets or there are
/// several, as in a bare IPv6 address.
pub(crate) fn split_port(authority: &str) -> (&str, Option<&str>) {
    let bracketed = authority.starts_with('[');
    match authority.rsplit_once(':') {
        Some((host, port)) if bracketed && host.ends_with(']') => (host, Some(port)),
        Some((host, port)) if !bracketed && !host.contains(':') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// A port from 1 to 65535, in digits without a leading zero.
pub(crate) fn parse_port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}

/// An HTTP request, as far as it is judged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Request {
    /// Where it goes.
    pub destination: Destination,
    /// The method, in the case in which it came.
    pub method: String,
    /// The path as it came, without the query, which may hold what nobody else should see.
    pub path: String,
}

impl Request {
    /// A request from its parts. `path` may have a query; an empty one is `/`.
    ///
    /// # Errors
    /// [`RequestError`] says which part is wrong. `CONNECT` is refused.
    pub fn new(
        method: &str,
        scheme: &str,
        authority: &str,
        path: &str,
    ) -> Result<Self, RequestError> {
        let valid = (1..=32).contains(&method.len()) && method.bytes().all(is_token);
        if !valid || method.eq_ignore_ascii_case("connect") {
            return Err(RequestError::Method(method.to_owned()));
        }
        let protocol: Protocol = scheme.parse()?;
        if !protocol.is_http() {
            return Err(RequestError::Scheme(scheme.to_owned()));
        }
        let destination = Destination::parse_authority(protocol, authority)?;
        if path.chars().any(|character| character.is_control() || character.is_whitespace()) {
            return Err(RequestError::Path);
        }
        let path = path.split_once(['?', '#']).map_or(path, |(path, _)| path);
        let path = match path {
            "" => "/",
            _ if path.starts_with('/') => path,
            _ => return Err(RequestError::Path),
        };
        Ok(Self { destination, method: method.to_owned(), path: path.to_owned() })
    }

    /// A request from a method and a whole URL.
    ///
    /// # Errors
    /// As [`Request::new`].
    pub fn parse(method: &str, url: &str) -> Result<Self, RequestError> {
        let (scheme, rest) = url.split_once("://").ok_or(RequestError::Authority)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).ok_or(RequestError::Authority)?;
        Self::new(method, scheme, authority, path)
    }
}

impl fmt::Display for Request {
    /// `GET https://example.com/v1/now`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.destination, self.path)
    }
}
