//! Outgoing HTTP. `wasmtime-wasi-http` is built without a sender of its own, so this hook is the only
//! way out. It goes in one order, and no step may be left out or done twice:
//!
//! 1. the policy permits the method, the scheme, the host, the port and the path, also those that a
//!    header says in their place;
//! 2. the call's allowance of requests has room, and the decision is recorded;
//! 3. the name is resolved, once;
//! 4. the policy permits each address, and exactly those are dialled;
//! 5. TLS proves that the other side has the *name*;
//! 6. secrets are added; the request leaves, and its answer comes back counted, timed and masked.
//!
//! What the operator asks for goes through [`fetch`], which no guest can reach.
//!
//! Each request has a connection of its own, which ends with it: nothing is shared between requests,
//! components or people. Redirects are the guest's to follow, and each is a request of its own.

mod body;
mod dial;
mod disguise;
mod exchange;
mod fetch;
mod framing;
mod inject;
mod listening;
mod mask;
mod network;
mod proxy;
mod resolver;
mod tls;

use std::sync::Arc;

use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::authority::Authority;
use crate::effects::Effects;
use crate::placeholders::Placeholders;
use crate::requests::CHUNK;

use exchange::Exchange;
pub use fetch::{Arrived, FetchError, FetchLimits, Fetched, Outgoing, Pieces, Reach};
pub use mask::Masker;
pub use network::{Network, NetworkSettings, Waits};
pub use proxy::{Proxy, ProxyError, Resolve};
pub use resolver::{Addresses, Resolver};
pub use tls::{Bundle, CertificateFlaw, Roots, RootsError};

/// What `wasi:http` asks before a request leaves.
pub(crate) struct Egress {
    exchange: Exchange,
}

impl Egress {
    /// The way out of one call.
    pub(crate) fn new(
        authority: Arc<Authority>,
        effects: Effects,
        placeholders: Placeholders,
    ) -> Self {
        let masker = Masker::default();
        Self { exchange: Exchange { authority, effects, placeholders, masker } }
    }
}

type Sent<T> = Box<dyn Future<Output = T> + Send>;

impl WasiHttpHooks for Egress {
    // `is_forbidden_header` and `forbidden_header_filter` stay as they are: the one asks the other.
    // Headers that the host adds are not forbidden, for a guest may need them towards other hosts;
    // where the host adds one, what the guest wrote there is dropped.

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    fn p2_error_from_hyper(&mut self, error: &hyper::Error) -> ErrorCode {
        // A guest could fill the log with what it provokes.
        tracing::debug!(%error, "an exchange failed");
        ErrorCode::HttpProtocolError
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Sent<Result<(), Error>>,
    ) -> Sent<Result<(http::Response<WasiBody>, Sent<Result<(), Error>>), Error>> {
        Box::new(self.exchange.clone().run(request, options))
    }
}

#[cfg(test)]
pub(crate) mod tests;
