//! The body of a request whose method has none as a rule. Without its length, hyper leaves it out and
//! says nothing. So it is looked at before: if there is one, it is sent in chunks. It must never be lost.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, WasiBody};

/// How long a guest may take to write the first byte or to say that there is none. Most have done so
/// when the request is sent; for one that never does, the server says when it has heard enough.
const PATIENCE: Duration = Duration::from_millis(100);

/// `request`, with its body framed if it has one.
pub(crate) async fn framed(request: Request<WasiBody>) -> Result<Request<WasiBody>, Error> {
    let is_bodiless = [Method::GET, Method::HEAD].contains(request.method());
    let is_framed = request.headers().contains_key(CONTENT_LENGTH)
        || request.body().size_hint().exact().is_some()
        || request.body().is_end_stream();
    if !is_bodiless || is_framed {
        return Ok(request);
    }
    let (mut parts, mut body) = request.into_parts();
    let first = match timeout(PATIENCE, body.frame()).await {
        Ok(Some(frame)) => Some(frame?),
        Ok(None) => {
            let nothing = http_body_util::Empty::new().map_err(|never| match never {});
            return Ok(Request::from_parts(parts, WasiBody::new(nothing)));
        }
        Err(_) => None,
    };
    parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    Ok(Request::from_parts(parts, WasiBody::new(Begun { first, rest: body })))
}

/// A body whose first frame was read already.
struct Begun {
    first: Option<Frame<Bytes>>,
    rest: WasiBody,
}

impl Body for Begun {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.first.take() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
