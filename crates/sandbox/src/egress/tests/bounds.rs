//! Rows N09 to N11: how long, how much, how many.

use std::time::{Duration, Instant};

use super::*;

/// Waits that a test can wait for.
const SHORT: Waits = Waits {
    connect: Duration::from_millis(200),
    first_byte: Duration::from_millis(200),
    between_bytes: Duration::from_millis(200),
};

const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn setup(server: &Server) -> (Setup, String) {
    let rule = format!("{{ host: \"127.0.0.1:{}\" }}", server.port());
    (Setup::allow(&[&rule]), format!("http://127.0.0.1:{}/", server.port()))
}

async fn silent() -> Server {
    Server::with(ANYWHERE, |stream, _| {
        Box::pin(async move {
            std::future::pending::<()>().await;
            drop(stream);
        })
    })
    .await
}

#[tokio::test]
async fn denied_a_server_that_never_answers() {
    let server = silent().await;
    let (setup, url) = setup(&server);
    let mut world = Setup { waits: SHORT, ..setup }.build();
    let began = Instant::now();
    // As long as the guest likes is as long as the operator allows.
    let longest = Some(Duration::from_nanos(u64::MAX));
    let options = RequestOptions {
        connect_timeout: longest,
        first_byte_timeout: longest,
        between_bytes_timeout: longest,
    };
    let waited = world.send_with(Request::get(&url), Some(options)).await;
    assert!(matches!(waited, Err(Error::ConnectionReadTimeout)));
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn denied_a_head_that_drips() {
    let server = Server::with(ANYWHERE, |mut stream, _| {
        Box::pin(async move {
            while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    })
    .await;
    let (setup, url) = setup(&server);
    let mut world = Setup { waits: SHORT, ..setup }.build();
    assert!(matches!(world.get(&url).await, Err(Error::ConnectionReadTimeout)));
}

#[tokio::test]
async fn denied_a_body_that_stops() {
    let server = Server::with(ANYWHERE, |mut stream, _| {
        Box::pin(async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await;
            std::future::pending::<()>().await;
            drop(stream);
        })
    })
    .await;
    let (setup, url) = setup(&server);
    let mut world = Setup { waits: SHORT, ..setup }.build();
    let response = world.get(&url).await.unwrap();
    assert!(matches!(read(response).await, Err(Error::ConnectionReadTimeout)));
}

#[tokio::test]
async fn denied_a_body_without_end() {
    let server = Server::with(ANYWHERE, |mut stream, _| {
        Box::pin(async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        })
    })
    .await;
    let (setup, url) = setup(&server);
    let mut world = setup.limit("response-bytes", 100_000).build();
    let response = world.get(&url).await.unwrap();
    let mut body = response.into_body();
    let mut count = 0;
    let error = loop {
        match body.frame().await.unwrap() {
            Ok(frame) => count += frame.into_data().unwrap().len(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::HttpResponseBodySize(_)));
    assert!(count <= 100_000);
    assert!(body.frame().await.is_none());
    assert_eq!(world.denials()[0].target, "response-bytes");
}

#[tokio::test]
async fn denied_a_head_of_many_bytes_or_headers() {
    let long = format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "a".repeat(100 << 10));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(101));
    for answer in [long, many] {
        let server = Server::new(&answer).await;
        let (setup, url) = setup(&server);
        let refused = setup.build().get(&url).await.map(drop);
        assert!(matches!(refused, Err(Error::HttpResponseHeaderSectionSize(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn denied_more_requests_than_a_call_may_make() {
    let server = Server::new(&ok("")).await;
    let (setup, url) = setup(&server);
    let mut world = setup.limit("requests", 3).build();
    for _ in 0..3 {
        world.text(&url).await;
    }
    assert!(matches!(world.get(&url).await, Err(Error::HttpRequestDenied)));
    assert_eq!(server.heads().len(), 3);
    assert_eq!(world.denials()[0].target, "requests");
}

#[tokio::test]
async fn denied_more_requests_at_once_than_a_call_may_make() {
    let server = Server::new(&ok("body")).await;
    let (setup, url) = setup(&server);
    let mut world = setup.limit("requests-in-flight", 2).build();
    let first = world.get(&url).await.unwrap();
    let second = world.get(&url).await.unwrap();
    // A body that is not read to its end holds its place.
    assert!(matches!(world.get(&url).await, Err(Error::HttpRequestDenied)));
    assert_eq!(read(first).await.unwrap(), "body");
    drop(second);
    world.text(&url).await;
    world.text(&url).await;
    assert_eq!(world.denials().len(), 1);
}

#[tokio::test]
async fn a_connection_ends_with_its_request() {
    let closed = Arc::new(tokio::sync::Notify::new());
    let told = closed.clone();
    let server = Server::with(ANYWHERE, move |mut stream, _| {
        let told = told.clone();
        Box::pin(async move {
            let _ = stream.read_u8().await;
            told.notify_one();
        })
    })
    .await;
    let (setup, url) = setup(&server);
    let mut world = setup.build();
    let request = tokio::spawn(async move { world.get(&url).await.map(drop) });
    while server.heads().is_empty() {
        tokio::task::yield_now().await;
    }
    // As when the call ends.
    request.abort();
    closed.notified().await;
}

/// A body of which nothing comes.
struct Unfinished;

impl hyper::body::Body for Unfinished {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Error>>> {
        std::task::Poll::Pending
    }
}

/// A server may answer before it has read the request. As long as the guest still sends, the request
/// is under way.
#[tokio::test]
async fn denied_more_uploads_at_once_than_a_call_may_make() {
    let server = Server::with(ANYWHERE, |mut stream, _| {
        Box::pin(async move {
            let _ = stream.write_all(ok("").as_bytes()).await;
            std::future::pending::<()>().await;
        })
    })
    .await;
    let (setup, url) = setup(&server);
    let mut world = setup.limit("requests-in-flight", 2).build();
    let mut kept = Vec::new();
    for _ in 0..2 {
        let endless = WasiBody::new(Unfinished);
        let request = Request::post(&url).body(endless).unwrap();
        let sent = world.egress.send_request(request, None, Box::new(async { Ok(()) }));
        let (response, rest) = Pin::from(sent).await.unwrap();
        kept.push(tokio::spawn(Pin::from(rest)));
        assert_eq!(read(response).await.unwrap(), "");
    }
    assert!(matches!(world.get(&url).await, Err(Error::HttpRequestDenied)));
    // Who gives an upload up may send again.
    kept.remove(0).abort();
    tokio::task::yield_now().await;
    assert!(world.get(&url).await.is_ok());
}
