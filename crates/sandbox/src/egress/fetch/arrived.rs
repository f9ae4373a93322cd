//! What a server answered, as it comes in. The body is not held: whoever reads it counts it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;
use url::Url;

use super::super::exchange::{Wire, failure};
use super::error::FetchError;
use super::place::Place;

/// An answer, of which the head is there.
pub struct Arrived {
    /// The status, whatever it is.
    pub status: StatusCode,
    /// The head's fields, as the server wrote them.
    pub headers: HeaderMap,
    /// Where it comes from after all redirects; its query may hold what nobody else should see.
    pub url: Url,
    /// What follows the head.
    pub body: Pieces,
}

/// The body of an answer, a piece at a time.
pub struct Pieces {
    place: Place,
    /// Nothing, where the body cannot be read as it is sent.
    incoming: Option<Incoming>,
    /// The connection, which is ours to drive until it ends.
    wire: Option<Wire>,
    idle: Duration,
}

impl Pieces {
    pub(super) fn new(
        place: Place,
        incoming: Option<Incoming>,
        wire: Option<Wire>,
        idle: Duration,
    ) -> Self {
        Self { place, incoming, wire, idle }
    }

    /// How many bytes are to come at the least, by what the server says.
    pub fn least(&self) -> u64 {
        self.incoming.as_ref().map_or(0, |incoming| incoming.size_hint().lower())
    }

    /// The next piece, of at most 64 KiB; nothing at the end.
    ///
    /// # Errors
    /// [`FetchError::Silent`] if nothing comes for too long, [`FetchError::Exchange`] if the answer
    /// breaks off before its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        let idle = self.idle;
        match timeout(idle, self.piece()).await {
            Ok(piece) => piece,
            Err(_) => Err(FetchError::Silent { url: self.place.shown(), idle }),
        }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, FetchError> {
        let Some(incoming) = &mut self.incoming else { return Ok(None) };
        loop {
            let frame = match &mut self.wire {
                None => incoming.frame().await,
                Some(wire) => tokio::select! {
                    biased;
                    frame = incoming.frame() => frame,
                    // Whether the connection's end was too early, the body knows.
                    _ = wire => {
                        self.wire = None;
                        continue;
                    }
                },
            };
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(self.place.failed(&failure(error))),
                Some(Ok(frame)) => {
                    // Trailers are nothing that anybody asked for.
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }
}
