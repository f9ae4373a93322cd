//! Leaving through a proxy, only where the operator says so.
//!
//! There is one way through it, for `https` and `http` alike: a `CONNECT`. What the operator fetches is
//! asked for by name, for many networks let only their proxy resolve names. What a component asks for
//! is asked for by the *address* that was checked, unless the operator says `resolve = "proxy"`: a proxy
//! that resolves a name may reach something that nobody checked. Requests to loopback never go through
//! it: the proxy's loopback is another machine's. Raw sockets do not know it.
//!
//! The proxy itself is the operator's choice and no policy is asked about it. Its password must
//! never reach a log, an error or a guest.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use miette::Diagnostic;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use wasmtime_wasi_http::Error as HttpError;
use wassette_policy::{Host, Name};
use zeroize::Zeroizing;

/// The longest answer of a proxy to a `CONNECT`.
const ANSWER: usize = 8 << 10;

/// Who finds the address of a name that a component may reach, where there is a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resolve {
    /// This machine, so that the address is checked.
    #[default]
    Here,
    /// The proxy. Rules about addresses say nothing of names then.
    Proxy,
}

/// Which requests go through which proxy.
#[derive(Debug, Clone, Default)]
pub struct Proxy {
    https: Option<Upstream>,
    http: Option<Upstream>,
    except: Vec<Exception>,
}

/// One proxy.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) host: Host,
    pub(crate) port: u16,
    authorization: Option<Zeroizing<String>>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Why a proxy cannot be used. What was written is not repeated, for it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum ProxyError {
    /// The URL is none.
    #[error("the URL of the proxy in {from} cannot be used")]
    #[diagnostic(help("write `http://host:port` or `http://user:password@host:port`"))]
    Url {
        /// Where it was written.
        from: String,
    },
    /// An entry of `NO_PROXY` is neither a name nor an address nor a range.
    #[error("`{entry}` in `NO_PROXY` is no host")]
    #[diagnostic(help(
        "write names, addresses or ranges such as `10.0.0.0/8`, with commas between"
    ))]
    Exception {
        /// The entry.
        entry: String,
    },
}

impl Proxy {
    /// All requests through the proxy at `url`, which is `http://[user:password@]host[:port]`.
    pub fn parse(url: &str) -> Result<Self, ProxyError> {
        let upstream = Upstream::parse(url, "the configuration")?;
        Ok(Self { https: Some(upstream.clone()), http: Some(upstream), except: Vec::new() })
    }

    /// What `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say, in small letters first; `variable` reads
    /// them. `None` if they name no proxy.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ProxyError> {
        let read = |small: &str| {
            let large = small.to_ascii_uppercase();
            let value = variable(small).or_else(|| variable(&large));
            value.filter(|value| !value.trim().is_empty()).map(|value| (large, value))
        };
        let upstream = |small| {
            let read = read(small);
            read.map(|(name, url)| Upstream::parse(&url, &format!("`{name}`"))).transpose()
        };
        let (https, http) = (upstream("https_proxy")?, upstream("http_proxy")?);
        if https.is_none() && http.is_none() {
            return Ok(None);
        }
        let except = read("no_proxy").map(|(_, list)| list).unwrap_or_default();
        let entries = except.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let except = entries.map(Exception::parse).collect::<Result<_, _>>()?;
        Ok(Some(Self { https, http, except }))
    }

    /// The proxy for a request to `host`, of which `address` was checked.
    pub(crate) fn upstream(
        &self,
        https: bool,
        host: &Host,
        address: SocketAddr,
    ) -> Option<&Upstream> {
        let ip = address.ip().to_canonical();
        let direct = ip.is_loopback()
            || self.except.iter().any(|exception| exception.covers(host, ip, address.port()));
        let upstream = if https { &self.https } else { &self.http };
        upstream.as_ref().filter(|_| !direct)
    }
}

impl Proxy {
    /// The proxy that is to resolve `name` itself, for a request to its `port`. Ranges of `NO_PROXY` say
    /// nothing of names.
    pub(crate) fn upstream_by_name(
        &self,
        https: bool,
        name: &Name,
        port: u16,
    ) -> Option<&Upstream> {
        let host = Host::Name(name.clone());
        let text = name.as_str();
        let direct = text == "localhost"
            || text.ends_with(".localhost")
            || self.except.iter().any(|exception| exception.covers_name(&host, port));
        let upstream = if https { &self.https } else { &self.http };
        upstream.as_ref().filter(|_| !direct)
    }
}

impl Upstream {
    fn parse(url: &str, from: &str) -> Result<Self, ProxyError> {
        let wrong = || ProxyError::Url { from: from.to_owned() };
        let uri: http::Uri = url.trim().parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        if uri.scheme_str() != Some("http") || !matches!(uri.path(), "" | "/") {
            return Err(wrong());
        }
        let (user, place) = match authority.as_str().rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority.as_str()),
        };
        // What follows the host must be a port, and `port_u16` is silent about one that is none.
        let port = authority.port_u16().unwrap_or(80);
        let bare = place.strip_suffix(&format!(":{port}")).unwrap_or(place);
        let host = Host::parse(bare).map_err(|_| wrong())?;
        let authorization = user.map(|user| {
            let user = percent_decoded(user);
            Zeroizing::new(format!("Basic {}", STANDARD.encode(&*user)))
        });
        Ok(Self { host, port, authorization })
    }

    /// Asks the proxy at the other end of `stream` for a tunnel to `target`: an address, or a name as
    /// [`Name`] has it, and a port.
    pub(crate) async fn tunnel<S>(&self, stream: &mut S, target: &str) -> Result<(), HttpError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut request =
            Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"));
        if let Some(authorization) = &self.authorization {
            request.push_str(&format!("Proxy-Authorization: {}\r\n", **authorization));
        }
        request.push_str("\r\n");
        let broken = |_| HttpError::ConnectionTerminated;
        stream.write_all(request.as_bytes()).await.map_err(broken)?;
        stream.flush().await.map_err(broken)?;

        // Byte by byte: what follows the answer is no longer the proxy's.
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= ANSWER {
                return Err(HttpError::HttpProtocolError);
            }
            answer.push(stream.read_u8().await.map_err(broken)?);
        }
        match status(&answer) {
            Some(200..=299) => Ok(()),
            status => {
                tracing::warn!(proxy = ?self, status, "the proxy refuses a tunnel to {target}");
                Err(HttpError::DestinationUnavailable)
            }
        }
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    let answer = answer.strip_prefix(b"HTTP/1.")?;
    std::str::from_utf8(answer.get(2..5)?).ok()?.parse().ok()
}

fn percent_decoded(text: &str) -> Zeroizing<Vec<u8>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| std::str::from_utf8(after.get(..2)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    decoded
}

/// Whom to reach without the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exception {
    whom: Whom,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Whom {
    Everybody,
    /// A name and all below it.
    Domain(String),
    Range(IpAddr, u8),
}

impl Exception {
    fn parse(entry: &str) -> Result<Self, ProxyError> {
        let wrong = || ProxyError::Exception { entry: entry.to_owned() };
        if entry == "*" {
            return Ok(Self { whom: Whom::Everybody, port: None });
        }
        if let Some((address, bits)) = entry.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| wrong())?;
            let bits =
                bits.parse().ok().filter(|bits| *bits <= width(address)).ok_or_else(wrong)?;
            return Ok(Self { whom: Whom::Range(address, bits), port: None });
        }
        if let Ok(address) = entry.parse::<IpAddr>() {
            return Ok(Self { whom: Whom::Range(address, width(address)), port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| wrong())?)),
            None => (entry, None),
        };
        let host = host.strip_prefix("*.").or_else(|| host.strip_prefix('.')).unwrap_or(host);
        let whom = match Host::parse(host).map_err(|_| wrong())? {
            Host::Name(name) => Whom::Domain(name.to_string()),
            Host::Address(address) => Whom::Range(address, width(address)),
        };
        Ok(Self { whom, port })
    }

    fn covers(&self, host: &Host, address: IpAddr, port: u16) -> bool {
        match &self.whom {
            Whom::Range(range, bits) => contains(*range, *bits, address) && self.is_for(port),
            Whom::Everybody | Whom::Domain(_) => self.covers_name(host, port),
        }
    }

    fn covers_name(&self, host: &Host, port: u16) -> bool {
        let covered = match (&self.whom, host) {
            (Whom::Everybody, _) => true,
            (Whom::Domain(domain), Host::Name(name)) => name
                .as_str()
                .strip_suffix(domain.as_str())
                .is_some_and(|before| before.is_empty() || before.ends_with('.')),
            (Whom::Domain(_), Host::Address(_)) | (Whom::Range(..), _) => false,
        };
        covered && self.is_for(port)
    }

    fn is_for(&self, port: u16) -> bool {
        self.port.is_none_or(|only| only == port)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn contains(range: IpAddr, bits: u8, address: IpAddr) -> bool {
    let (range, address, width) = match (range, address) {
        (IpAddr::V4(range), IpAddr::V4(address)) => {
            (u128::from(range.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(range), IpAddr::V6(address)) => (range.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    (range ^ address).checked_shr(width - u32::from(bits)).unwrap_or_default() == 0
}

#[cfg(test)]
mod tests;
