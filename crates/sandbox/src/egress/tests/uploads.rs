//! Bodies on their way out: none is lost, and an answer that comes before their end is heard.

use std::task::{Context, Poll};

use hyper::body::{Body, Frame};

use super::*;

const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A body of pieces that says nothing of its length.
struct Pieces(VecDeque<Bytes>);

impl Pieces {
    fn of(pieces: &[&'static str]) -> Self {
        Self(pieces.iter().map(|piece| Bytes::from_static(piece.as_bytes())).collect())
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}

/// Sends `body` with `method`, and gives the answer's status and text.
async fn sent(
    world: &mut World,
    method: &str,
    url: &str,
    body: impl Body<Data = Bytes, Error = Error> + Send + 'static,
) -> (u16, String) {
    let request = Request::builder().method(method).uri(url).body(WasiBody::new(body)).unwrap();
    let sent = world.egress.send_request(request, None, Box::new(async { Ok(()) }));
    let (response, rest) = Pin::from(sent).await.unwrap();
    tokio::spawn(Pin::from(rest));
    (response.status().as_u16(), read(response).await.unwrap())
}

/// A server that answers with the head and the chunks that it was sent.
async fn echo() -> Server {
    Server::with(ANYWHERE, |mut stream, mut all| {
        Box::pin(async move {
            if all.to_ascii_lowercase().contains("transfer-encoding: chunked") {
                while !all.ends_with("0\r\n\r\n") {
                    all.push(char::from(stream.read_u8().await.unwrap()));
                }
            }
            // No body may answer a HEAD.
            let answer = if all.starts_with("HEAD") { ok("") } else { ok(&all) };
            let _ = stream.write_all(answer.as_bytes()).await;
        })
    })
    .await
}

#[tokio::test]
async fn a_body_without_a_length_is_sent_with_any_method() {
    let server = echo().await;
    let url = format!("http://localhost:{}/", server.port());
    let rule = format!("{{ host: \"localhost:{}\", private: true }}", server.port());
    let mut world = Setup::allow(&[&rule]).name("localhost", &["127.0.0.1"]).build();
    for method in ["GET", "DELETE", "OPTIONS", "POST", "PUT", "PATCH", "QUERY"] {
        let (_, got) = sent(&mut world, method, &url, Pieces::of(&["hello", "you"])).await;
        assert!(got.ends_with("5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n"), "{method}: {got}");
    }
    assert_eq!(sent(&mut world, "HEAD", &url, Pieces::of(&["hello"])).await.0, 200);
    // Where there is none, a server that takes no body with a GET sees none.
    for method in ["GET", "HEAD"] {
        let before = server.heads().len();
        sent(&mut world, method, &url, Pieces::of(&[])).await;
        let head = server.heads()[before].to_ascii_lowercase();
        assert!(!head.contains("transfer-encoding") && !head.contains("content-length"), "{head}");
    }
}

/// Eight megabytes for a server that has heard enough after the head.
#[tokio::test]
async fn an_answer_before_the_end_of_an_upload_is_heard() {
    let server = Server::with(ANYWHERE, |mut stream, _| {
        Box::pin(async move {
            let answer = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\
                          Content-Length: 8\r\n\r\ntoo much";
            let _ = stream.write_all(answer.as_bytes()).await;
            // Hangs up with most of it unread, which resets the connection.
        })
    })
    .await;
    let url = format!("http://localhost:{}/", server.port());
    let rule = format!("{{ host: \"localhost:{}\", private: true }}", server.port());
    let mut world = Setup::allow(&[&rule]).name("localhost", &["127.0.0.1"]).build();
    for _ in 0..20 {
        let body = Pieces((0..128).map(|_| Bytes::from(vec![b'x'; 64 << 10])).collect());
        let (status, text) = sent(&mut world, "POST", &url, body).await;
        assert_eq!((status, text.as_str()), (413, "too much"));
    }
}

/// One that hangs up without a word has not answered.
#[tokio::test]
async fn a_server_that_hangs_up_during_an_upload_is_an_error() {
    let server = Server::with(ANYWHERE, |_, _| Box::pin(async {})).await;
    let url = format!("http://localhost:{}/", server.port());
    let rule = format!("{{ host: \"localhost:{}\", private: true }}", server.port());
    let mut world = Setup::allow(&[&rule]).name("localhost", &["127.0.0.1"]).build();
    let body = Pieces((0..128).map(|_| Bytes::from(vec![b'x'; 64 << 10])).collect());
    let request = Request::post(&url).body(WasiBody::new(body)).unwrap();
    let sent = world.egress.send_request(request, None, Box::new(async { Ok(()) }));
    assert!(Pin::from(sent).await.is_err());
}
