//! Makes a connection to addresses that were approved, one after the other, and to no others. It
//! takes approvals, not names: nothing is resolved here but the operator's own proxy.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use wasmtime_wasi_http::Error;
use wassette_policy::{Destination, Host, Permit, Protocol, Request};

use super::network::Network;
use super::proxy::Upstream;
use super::tls::{Authorities, CertificateFlaw, Refused};

/// A connection over which a request can be sent.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Connection for S {}

/// What may be dialled, for somebody answers for it.
pub(crate) struct Approved(Target);

enum Target {
    Address(SocketAddr),
    /// The name itself, which the proxy resolves.
    Name,
}

impl Approved {
    /// An address of a host that the operator asks for. Nothing that a guest wants may come here.
    pub(crate) fn by_operator(address: SocketAddr) -> Self {
        Self(Target::Address(address))
    }

    /// The name that the operator asks for. The same holds.
    pub(crate) fn name_by_operator() -> Self {
        Self(Target::Name)
    }

    /// The name of a request that is permitted, where the operator lets the proxy resolve names.
    pub(crate) fn name_of(_request: &Permit<Request>) -> Self {
        Self(Target::Name)
    }
}

impl From<Permit<SocketAddr>> for Approved {
    fn from(permit: Permit<SocketAddr>) -> Self {
        Self(Target::Address(permit.into_target()))
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
    let stream = reach(network, destination, addresses, deadline);
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
    destination: &Destination,
    addresses: Vec<Approved>,
    deadline: Instant,
) -> Result<TcpStream, Error> {
    let mut failed = Error::DestinationNotFound;
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for Approved(target) in addresses {
        let now = Instant::now();
        let share = now + deadline.saturating_duration_since(now) / left.max(1);
        left = left.saturating_sub(1);
        match timeout_at(share, connect(network, destination, target))
            .await
            .unwrap_or(Err(Error::ConnectionTimeout))
        {
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

/// Connects to one target, through the proxy where one is to be used.
async fn connect(
    network: &Network,
    destination: &Destination,
    target: Target,
) -> Result<TcpStream, Error> {
    let https = destination.protocol == Protocol::Https;
    let (host, port) = (&destination.host, destination.port);
    match (target, host) {
        (Target::Address(address), _) => {
            let proxy = network.proxy.as_ref();
            match proxy.and_then(|proxy| proxy.upstream(https, host, address)) {
                Some(proxy) => tunnel(network, proxy, &address.to_string()).await,
                None => TcpStream::connect(address).await.map_err(|error| refusal(&error)),
            }
        }
        (Target::Name, Host::Name(name)) => {
            let proxy = network.names_proxy(https, name, port);
            let proxy = proxy.ok_or(Error::DestinationNotFound)?;
            tunnel(network, proxy, &format!("{name}:{port}")).await
        }
        (Target::Name, Host::Address(_)) => Err(Error::DestinationNotFound),
    }
}

async fn tunnel(network: &Network, proxy: &Upstream, target: &str) -> Result<TcpStream, Error> {
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
    proxy.tunnel(&mut stream, target).await?;
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
