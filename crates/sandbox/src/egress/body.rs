//! The body of an answer on its way to the guest: counted, timed, and without secrets. It holds no
//! more than one piece (at most [`HEAD`](super::exchange::HEAD) bytes) and asks for the next only when the
//! guest does, so a server cannot fill our memory and a guest cannot read without end.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;
use wasmtime_wasi_http::Error;

use super::exchange::{failure, mask_headers};
use super::mask::{Masker, Masking};
use crate::effects::{Effects, InFlight};

/// What a guest reads.
pub(crate) struct Answer {
    incoming: Incoming,
    effects: Effects,
    between_bytes: Duration,
    /// Runs while the guest waits, and only then.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Hides secrets, if one was added to a request of the call, until what was held back is read too.
    masking: Option<Masking>,
    /// Trailers that wait until what was held back before them is read.
    trailers: Option<HeaderMap>,
    /// The place among the requests under way, until nothing more comes.
    place: Option<Arc<InFlight>>,
}

impl Answer {
    /// The body `incoming`, in which secrets are hidden if there is a `masker`.
    pub(crate) fn new(
        incoming: Incoming,
        effects: Effects,
        between_bytes: Duration,
        masker: Option<&Masker>,
        place: Arc<InFlight>,
    ) -> Self {
        // Nobody may ask for the end of a body that has none.
        let place = (!incoming.is_end_stream()).then_some(place);
        let masking = masker.map(Masker::stream);
        Self { incoming, effects, between_bytes, waiting: None, masking, trailers: None, place }
    }

    /// What the guest gets of a piece of the body: nothing yet, if all of it may be the beginning of
    /// a secret.
    fn data(&mut self, data: Bytes) -> Result<Bytes, Error> {
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.effects.received(length).map_err(|_| Error::HttpResponseBodySize(None))?;
        Ok(match &mut self.masking {
            Some(masking) => masking.push(&data),
            None => data,
        })
    }

    fn keep(&mut self, mut trailers: HeaderMap) {
        if let Some(masking) = &self.masking {
            mask_headers(masking.masker(), &mut trailers);
        }
        self.trailers = Some(trailers);
    }

    /// What is left after the last piece: what was held back, then the trailers.
    fn rest(&mut self) -> Option<Frame<Bytes>> {
        let held = self.masking.take().map(|mut masking| masking.finish());
        match held.filter(|held| !held.is_empty()) {
            Some(held) => Some(Frame::data(held)),
            None => self.trailers.take().map(Frame::trailers),
        }
    }

    fn fail(&mut self, error: Error) -> Polled {
        (self.place, self.masking, self.trailers) = (None, None, None);
        Poll::Ready(Some(Err(error)))
    }

    fn wait(&mut self, context: &mut Context<'_>) -> Polled {
        let longest = self.between_bytes;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        match waiting.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => self.fail(Error::ConnectionReadTimeout),
        }
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, Error>>>;

impl Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        while self.place.is_some() {
            let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(context) else {
                return self.wait(context);
            };
            self.waiting = None;
            let frame = match frame {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return self.fail(failure(error)),
                None => {
                    self.place = None;
                    break;
                }
            };
            match frame.into_data().map_err(Frame::into_trailers) {
                Ok(data) => match self.data(data) {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                    Err(error) => return self.fail(error),
                },
                Err(Ok(trailers)) => {
                    self.keep(trailers);
                    self.place = None;
                }
                Err(Err(_)) => {}
            }
        }
        Poll::Ready(self.rest().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.place.is_none() && self.masking.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
