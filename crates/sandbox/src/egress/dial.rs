//! Makes a connection to addresses that were approved, one after the other, and to no others. It
//! takes approvals, not names: nothing is resolved here but the operator's own proxy.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use wasmtime_wasi_http::Error;
use wassette_policy::{Destination, Host, Permit, Protocol};

use super::network::Network;
use super::proxy::Upstream;
use super::tls::{Authorities, CertificateFlaw, Refused};

/// A connection over which a request can be sent.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Connection for S {}

/// An address that may be dialled, for somebody answers for it.
pub(crate) struct Approved(SocketAddr);

impl Approved {
    /// An address of a host that the operator asks for. Nothing that a guest wants may come here.
    pub(crate) fn by_operator(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl From<Permit<SocketAddr>> for Approved {
    fn from(permit: Permit<SocketAddr>) -> Self {
        Self(permit.into_target())
    }
}

/// Why there is no connection.
pub(crate) enum DialError {
    /// The server could not prove its name.
    Certificate(CertificateFlaw),
    /// TLS did not come about in time.
    Stalled,
    /// Nobody could be reached, or not so.
    Failed(Error),
}

impl From<Error> for DialError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Refused> for DialError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Certificate(flaw) => Self::Certificate(flaw),
            Refused::Failed(error) => Self::Failed(error),
        }
    }
}

impl From<DialError> for Error {
    /// What a guest is told: that it was the certificate, and no more.
    fn from(error: DialError) -> Self {
        match error {
            DialError::Certificate(_) => Self::TlsCertificateError,
            DialError::Stalled => Self::ConnectionTimeout,
            DialError::Failed(error) => error,
        }
    }
}

/// Connects to the first of `addresses` that answers before `deadline`, and makes sure that it is
/// `destination` if that is asked for by `https`: by the usual authorities or by `authorities`.
pub(crate) async fn dial(
    network: &Network,
    destination: &Destination,
    addresses: Vec<Approved>,
    authorities: &Authorities,
    deadline: Instant,
) -> Result<Box<dyn Connection>, DialError> {
    let https = destination.protocol == Protocol::Https;
    let stream = reach(network, https, &destination.host, addresses, deadline);
    let stream = timeout_at(deadline, stream).await.map_err(|_| Error::ConnectionTimeout)??;
    if !https {
        return Ok(Box::new(stream));
    }
    let shaken = timeout_at(deadline, network.tls.connect(&destination.host, stream, authorities));
    Ok(Box::new(shaken.await.map_err(|_| DialError::Stalled)??))
}

/// Each address but the last gets an equal share of what is left of the time, so that one which
/// swallows packets leaves some to the others.
async fn reach(
    network: &Network,
    https: bool,
    host: &Host,
    addresses: Vec<Approved>,
    deadline: Instant,
) -> Result<TcpStream, Error> {
    let mut failed = Error::DestinationNotFound;
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for Approved(address) in addresses {
        let now = Instant::now();
        let share = now + deadline.saturating_duration_since(now) / left.max(1);
        left = left.saturating_sub(1);
        let proxy = network.proxy.as_ref().and_then(|proxy| proxy.upstream(https, host, address));
        let attempt = async {
            match proxy {
                Some(proxy) => tunnel(network, proxy, address).await,
                None => TcpStream::connect(address).await.map_err(|error| refusal(&error)),
            }
        };
        match timeout_at(share, attempt).await.unwrap_or(Err(Error::ConnectionTimeout)) {
            Ok(stream) => {
                // Small requests shall not wait for others.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

async fn tunnel(
    network: &Network,
    proxy: &Upstream,
    address: SocketAddr,
) -> Result<TcpStream, Error> {
    let unreachable = |error: io::Error| {
        tracing::warn!(?proxy, %error, "the proxy cannot be reached");
        Error::DestinationUnavailable
    };
    let addresses = match &proxy.host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => network.resolver.resolve(name.as_str()).await.map_err(unreachable)?,
    };
    let addresses: Vec<_> =
        addresses.into_iter().map(|address| SocketAddr::new(address, proxy.port)).collect();
    let mut stream = TcpStream::connect(addresses.as_slice()).await.map_err(unreachable)?;
    proxy.tunnel(&mut stream, address).await?;
    Ok(stream)
}

/// What the guest is told.
fn refusal(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            Error::ConnectionTerminated
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Error::DestinationIpUnroutable
        }
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        _ => Error::DestinationUnavailable,
    }
}
