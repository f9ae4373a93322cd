//! Outgoing HTTP. `wasmtime-wasi-http` is built without a sender of its own, so this hook is the
//! only way out, and today it lets nobody pass. A refusal is noted even if the guest swallows it.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::requests::CHUNK;
use wassette_policy::{Denial, Effect};

/// More refusals than these are not noted: a guest can ask in a loop.
const MOST: usize = 20;

/// The refusals of one call. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Denials(Arc<Mutex<Vec<Denial>>>);

impl Denials {
    /// Those noted so far, each once.
    pub(crate) fn list(&self) -> Vec<Denial> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, denial: Denial) {
        let mut denials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if denials.len() < MOST && !denials.contains(&denial) {
            denials.push(denial);
        }
    }
}

/// What `wasi:http` asks before a request leaves.
pub(crate) struct Egress {
    pub(crate) denials: Denials,
}

type Sent<T> = Box<dyn Future<Output = T> + Send>;

impl WasiHttpHooks for Egress {
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Sent<Result<(), Error>>,
    ) -> Sent<Result<(http::Response<WasiBody>, Sent<Result<(), Error>>), Error>> {
        let uri = request.uri();
        let target = format!(
            "{} {}://{}",
            request.method(),
            uri.scheme_str().unwrap_or("https"),
            uri.authority().map_or("", |authority| authority.as_str()),
        );
        self.denials.note(Denial::new(Effect::Http, &target));
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
