//! The one way out, as registries see it. Nothing is decided here: which addresses may be reached,
//! how far a redirect may lead and where an authorization goes, the sandbox's [`Network`] says.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use miette::Diagnostic;
use wassette_registry::{
    Body, BoxFuture, Reach as Wanted, Request, Response, Transport, TransportError,
};
use wassette_sandbox::{Arrived, FetchError, Network, Outgoing, Pieces, Reach};
use zeroize::Zeroizing;

/// Sends by the way out that the operator has set for everything.
pub(crate) struct NetworkTransport {
    network: Arc<Network>,
    idle: Duration,
}

impl NetworkTransport {
    /// Sends by `network`, and gives up on an answer of which nothing comes for as long as `idle`.
    pub(crate) fn new(network: Arc<Network>, idle: Duration) -> Self {
        Self { network, idle }
    }
}

impl Transport for NetworkTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let Request { method, url, headers, authorization, body, trust, reach, follow } = request;
        let outgoing = Outgoing {
            method,
            url,
            headers,
            authorization: authorization.map(|value| Zeroizing::new(value.reveal().to_owned())),
            body,
            authorities: trust,
            reach: match reach {
                Wanted::Anywhere => Reach::Anywhere,
                Wanted::Public => Reach::Public,
            },
            follow,
            idle: self.idle,
        };
        Box::pin(async move {
            let arrived = self.network.send(outgoing).await.map_err(|error| failure(&error))?;
            let Arrived { status, headers, url, body } = arrived;
            Ok(Response { status, headers, url, body: Box::new(Rest(body)) })
        })
    }
}

/// `reach` in the registries' words.
pub(crate) fn reach(reach: Reach) -> Wanted {
    match reach {
        Reach::Anywhere => Wanted::Anywhere,
        Reach::Public => Wanted::Public,
    }
}

/// The body of an answer, as it comes in.
struct Rest(Pieces);

impl Body for Rest {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
        Box::pin(async { self.0.next().await.map_err(|error| failure(&error)) })
    }
}

fn failure(error: &FetchError) -> TransportError {
    let message = match error {
        FetchError::Astray { cause, .. } => format!("{error}: {cause}"),
        error => error.to_string(),
    };
    let help = error.help().map(|help| help.to_string());
    TransportError { message, help, passing: error.passing() }
}
