//! What the operator sends: methods, bodies, authorization, further authorities, and answers that
//! come a piece at a time.

use std::time::Duration;

use http::{HeaderMap, Method};
use url::Url;
use wassette_testkit::{Answer, Certificates, Seen, WebServer};
use zeroize::Zeroizing;

use super::fetches::{NAMES, network, page, tunnels_to};
use super::*;

const LONG: Duration = Duration::from_secs(20);

fn get(url: &str) -> Outgoing {
    Outgoing::get(Url::parse(url).unwrap(), Reach::Anywhere, LONG)
}

fn authorized(url: &str) -> Outgoing {
    Outgoing { authorization: Some(Zeroizing::new("Bearer token".to_owned())), ..get(url) }
}

/// A way out on which only `localhost` is known, and trusts what `certificates` vouch for.
fn local(certificates: &Certificates) -> Network {
    let names: &[(&str, &[&str])] = &[("localhost", &["127.0.0.1"]), ("docs.test", &["127.0.0.1"])];
    network(certificates, names, None)
}

async fn text(mut arrived: Arrived) -> String {
    let mut bytes = Vec::new();
    while let Some(piece) = arrived.body.next().await.unwrap() {
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).unwrap()
}

fn error(sent: Result<Arrived, FetchError>) -> FetchError {
    sent.map(|arrived| arrived.status).unwrap_err()
}

#[tokio::test]
async fn a_body_goes_out_with_its_length_and_every_status_comes_back() {
    for (method, status) in [
        (Method::POST, 202),
        (Method::PUT, 201),
        (Method::PATCH, 416),
        (Method::DELETE, 405),
        (Method::GET, 503),
    ] {
        let server = WebServer::start(move |_| {
            page(status, vec![("docker-upload-uuid", "1".to_owned())], b"said")
        });
        let network = local(&Certificates::new());
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/wasm".parse().unwrap());
        headers.insert("range", "bytes=1-".parse().unwrap());
        let body = Bytes::from(vec![7; 300_000]);
        let outgoing = Outgoing {
            method: method.clone(),
            headers,
            body: body.clone(),
            ..get(&server.url("localhost", "/v2/a?digest=b"))
        };
        let arrived = network.send(outgoing).await.unwrap();
        assert_eq!(arrived.status, status);
        assert_eq!(arrived.headers["docker-upload-uuid"], "1");
        assert_eq!(text(arrived).await, "said");
        let [seen] = &server.seen()[..] else { panic!("one request") };
        assert_eq!((&*seen.method, &*seen.target), (method.as_str(), "/v2/a?digest=b"));
        assert_eq!(seen.body, body);
        assert_eq!(seen.header("content-length"), Some("300000"));
        assert_eq!(seen.header("content-type"), Some("application/wasm"));
        assert_eq!(seen.header("range"), Some("bytes=1-"));
    }
}

#[tokio::test]
async fn a_head_has_no_body_and_keeps_the_length_that_it_speaks_of() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 12345\r\n\r\n";
    let server = WebServer::start(|_| Answer::Bytes(head.as_bytes().to_vec()));
    let network = local(&Certificates::new());
    let outgoing = Outgoing { method: Method::HEAD, ..get(&server.url("localhost", "/")) };
    let arrived = network.send(outgoing).await.unwrap();
    assert_eq!(arrived.headers["content-length"], "12345");
    assert_eq!(text(arrived).await, "");
}

#[tokio::test]
async fn what_makes_up_the_message_or_says_who_asks_is_ours_to_write() {
    let server = WebServer::start(|_| Answer::text(""));
    let network = local(&Certificates::new());
    let mut headers = HeaderMap::new();
    for name in [
        "host",
        "authorization",
        "cookie",
        "content-length",
        "transfer-encoding",
        "connection",
        "accept-encoding",
        "user-agent",
        "proxy-authorization",
    ] {
        headers.insert(name, "theirs".parse().unwrap());
    }
    headers.insert("accept", "application/json".parse().unwrap());
    let outgoing = Outgoing { headers, ..authorized(&server.url("localhost", "/")) };
    network.send(outgoing).await.unwrap();
    let [seen] = &server.seen()[..] else { panic!("one request") };
    assert!(!seen.holds("theirs"), "{seen:?}");
    assert_eq!(seen.header("authorization"), Some("Bearer token"));
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn an_authorization_that_is_no_header_is_refused_and_not_shown() {
    let network = local(&Certificates::new());
    let authorization = Some(Zeroizing::new("Bearer to\r\nken".to_owned()));
    let outgoing = Outgoing { authorization, ..get("http://localhost:1/") };
    assert!(!format!("{outgoing:?}").contains("Bearer"));
    let error = error(network.send(outgoing).await);
    assert!(!error.passing() && !error.to_string().contains("ken"), "{error}");
}

/// What the servers at the two ends of a redirect were told, where the first leads to `to` on the
/// second.
async fn told(to: impl Fn(u16) -> String) -> (Option<String>, Option<String>) {
    let certificates = Certificates::new();
    let authorization = |seen: &[Seen]| {
        let last = seen.last().expect("it was asked");
        last.header("authorization").map(str::to_owned)
    };
    let second =
        WebServer::start_tls(&certificates, &["docs.test", "localhost"], |_| Answer::text("there"));
    let location = to(second.port());
    let first = WebServer::start_tls(&certificates, &["docs.test"], move |seen| {
        if seen.target == "/here" {
            Answer::text("here")
        } else {
            Answer::redirect(location.clone())
        }
    });
    let network = local(&certificates);
    let arrived = network.send(authorized(&first.url("docs.test", "/"))).await.unwrap();
    let second = if text(arrived).await == "here" { first.seen() } else { second.seen() };
    (authorization(&first.seen()), authorization(&second))
}

#[tokio::test]
async fn an_authorization_follows_within_its_own_origin() {
    let token = Some("Bearer token".to_owned());
    assert_eq!(told(|_| "/here".to_owned()).await, (token.clone(), token));
}

#[tokio::test]
async fn denied_r13_an_authorization_at_another_host_or_port() {
    let token = Some("Bearer token".to_owned());
    // The same name at another port is another place, and so is another name.
    for host in ["docs.test", "localhost"] {
        let told = told(|port| format!("https://{host}:{port}/there")).await;
        assert_eq!(told, (token.clone(), None), "{host}");
    }
}

#[tokio::test]
async fn denied_r13_an_authorization_that_comes_back_from_elsewhere() {
    let certificates = Certificates::new();
    let first = WebServer::start_tls(&certificates, &["docs.test"], |seen| {
        match seen.target.strip_prefix("/to/") {
            Some(port) => Answer::redirect(format!("https://docs.test:{port}/")),
            None => Answer::text("here"),
        }
    });
    let home = first.url("docs.test", "/private");
    let second = WebServer::start_tls(&certificates, &["docs.test"], move |_| {
        Answer::redirect(home.clone())
    });
    let network = local(&certificates);
    let start = first.url("docs.test", &format!("/to/{}", second.port()));
    assert_eq!(text(network.send(authorized(&start)).await.unwrap()).await, "here");
    let seen = first.seen();
    let told: Vec<_> = seen.iter().map(|seen| seen.header("authorization").is_some()).collect();
    assert_eq!(told, [true, false]);
}

#[tokio::test]
async fn denied_a_redirect_of_anything_but_a_get_or_head() {
    let server = WebServer::start(|_| Answer::redirect("/elsewhere"));
    let network = local(&Certificates::new());
    let url = server.url("localhost", "/");
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let arrived = network.send(Outgoing { method, ..authorized(&url) }).await.unwrap();
        assert_eq!(
            (arrived.status.as_u16(), &arrived.headers["location"]),
            (302, &"/elsewhere".parse().unwrap())
        );
    }
    // Nor of those, if whoever asks wants to see it.
    let arrived = network.send(Outgoing { follow: false, ..get(&url) }).await.unwrap();
    assert_eq!(arrived.status, 302);
    assert!(server.seen().iter().all(|seen| seen.target == "/"));
}

#[tokio::test]
async fn denied_r12_a_redirect_to_another_scheme() {
    let certificates = Certificates::new();
    let plain = WebServer::start(|_| Answer::text("there"));
    let location = plain.url("localhost", "/");
    let tls = WebServer::start_tls(&certificates, &["docs.test", "localhost"], move |_| {
        Answer::redirect(location.clone())
    });
    let network = local(&certificates);
    let refused = error(network.send(get(&tls.url("docs.test", "/"))).await);
    assert!(matches!(refused, FetchError::Scheme { .. }), "{refused}");
    assert_eq!(plain.seen(), []);

    let location = tls.url("localhost", "/");
    let plain = WebServer::start(move |_| Answer::redirect(location.clone()));
    let refused = error(network.send(get(&plain.url("localhost", "/"))).await);
    assert!(matches!(refused, FetchError::Scheme { .. }), "{refused}");
    assert_eq!(tls.seen().len(), 1);
}

#[tokio::test]
async fn denied_an_inner_address_where_nobody_has_looked() {
    let certificates = Certificates::new();
    let server = WebServer::start_tls(&certificates, &["loopback.test"], |_| Answer::text("here"));
    let proxy = tunnels_to(server.port()).await;
    let network = network(&certificates, NAMES, Some(proxy.port()));
    for host in ["loopback.test", "private.test", "metadata.test", "127.0.0.1"] {
        let outgoing = Outgoing { reach: Reach::Public, ..get(&format!("https://{host}/")) };
        let refused = error(network.send(outgoing).await);
        assert!(matches!(refused, FetchError::Inward { .. }), "{host}: {refused}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn further_authorities_vouch_for_one_request() {
    let (usual, own) = (Certificates::new(), Certificates::new());
    let server = WebServer::start_tls(&own, &["docs.test"], |_| Answer::text("here"));
    let network = local(&usual);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, own.pem()).unwrap();
    let url = server.url("docs.test", "/");
    let trusting = Outgoing { authorities: Some(file), ..get(&url) };
    assert_eq!(text(network.send(trusting.clone()).await.unwrap()).await, "here");
    // The usual ones count besides, and the further ones for this request alone.
    let other = WebServer::start_tls(&usual, &["docs.test"], |_| Answer::text("there"));
    let both = Outgoing { url: Url::parse(&other.url("docs.test", "/")).unwrap(), ..trusting };
    assert_eq!(text(network.send(both).await.unwrap()).await, "there");
    let refused = error(network.send(get(&url)).await);
    assert!(matches!(refused, FetchError::Certificate { .. }), "{refused}");
}

#[tokio::test]
async fn denied_a_request_whose_authorities_cannot_be_read() {
    let server = WebServer::start(|_| Answer::text("here"));
    let network = local(&Certificates::new());
    let folder = tempfile::tempdir().unwrap();
    let (gone, empty) = (folder.path().join("gone.pem"), folder.path().join("empty.pem"));
    std::fs::write(&empty, "nothing").unwrap();
    for (file, words) in [(gone, "cannot be read"), (empty, "holds no certificate")] {
        let url = server.url("localhost", "/");
        let refused = error(network.send(Outgoing { authorities: Some(file), ..get(&url) }).await);
        assert!(refused.to_string().contains(words), "{refused}");
    }
    assert_eq!(server.seen(), []);
}

#[tokio::test]
async fn an_answer_comes_a_piece_at_a_time() {
    let server = WebServer::start(|_| Answer::EndlessBody);
    let network = local(&Certificates::new());
    let mut arrived = network.send(get(&server.url("localhost", "/"))).await.unwrap();
    let mut read = 0;
    while read < 1 << 20 {
        let piece = arrived.body.next().await.unwrap().expect("it has no end");
        assert!(piece.len() <= 64 << 10, "{}", piece.len());
        read += piece.len();
    }
}

#[tokio::test]
async fn denied_r02_an_answer_that_stops() {
    let idle = Duration::from_millis(200);
    let network = local(&Certificates::new());
    let server = WebServer::start(|_| Answer::Silence);
    let refused =
        error(network.send(Outgoing { idle, ..get(&server.url("localhost", "/")) }).await);
    assert!(matches!(refused, FetchError::Silent { .. }) && refused.passing(), "{refused}");

    let server = Server::with(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |mut stream, _| {
        Box::pin(async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await;
            std::future::pending::<()>().await;
        })
    })
    .await;
    let url = format!("http://127.0.0.1:{}/", server.port());
    let mut arrived = network.send(Outgoing { idle, ..get(&url) }).await.unwrap();
    assert_eq!(arrived.body.next().await.unwrap().unwrap(), "half");
    let refused = arrived.body.next().await.unwrap_err();
    assert!(matches!(refused, FetchError::Silent { .. }), "{refused}");
}

#[tokio::test]
async fn denied_r01_a_connection_that_is_refused_or_breaks() {
    let network = local(&Certificates::new());
    let free = {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let refused = error(network.send(get(&format!("http://localhost:{free}/"))).await);
    assert!(refused.to_string().ends_with("cannot be fetched: the connection was refused"));
    assert!(refused.passing());

    for (answer, words) in [
        ("", "the answer broke off"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "the answer broke off"),
        ("SSH-2.0-OpenSSH\r\n", "what answers there is no HTTP"),
    ] {
        let server = WebServer::start(move |_| Answer::Bytes(answer.as_bytes().to_vec()));
        let broken = async {
            let mut arrived = network.send(get(&server.url("localhost", "/"))).await?;
            while arrived.body.next().await?.is_some() {}
            Ok(())
        };
        let broken: FetchError = broken.await.map_err(|error: FetchError| error).unwrap_err();
        assert!(broken.to_string().ends_with(words), "{answer}: {broken}");
        assert_eq!(broken.passing(), words.contains("broke"), "{broken}");
    }
}

#[tokio::test]
async fn denied_r01_an_answer_whose_connection_is_reset() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (read, was_read) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head_of(&mut stream).await;
        let half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
        stream.write_all(half).await.unwrap();
        was_read.await.unwrap();
        // Without a farewell.
        stream.set_zero_linger().unwrap();
    });
    let network = local(&Certificates::new());
    let mut arrived = network.send(get(&url)).await.unwrap();
    assert_eq!(arrived.body.next().await.unwrap().unwrap(), "half");
    read.send(()).unwrap();
    let refused = arrived.body.next().await.unwrap_err();
    assert!(refused.to_string().ends_with("the connection was cut"), "{refused}");
    assert!(refused.passing());
}

#[tokio::test]
async fn denied_r14_an_answer_that_must_be_unpacked() {
    let packed = |status: u16| {
        move |_: &Seen| page(status, vec![("content-encoding", "gzip".to_owned())], b"packed")
    };
    let network = local(&Certificates::new());
    for status in [200, 206] {
        let server = WebServer::start(packed(status));
        let refused = error(network.send(get(&server.url("localhost", "/"))).await);
        assert!(matches!(refused, FetchError::Encoded { .. }), "{refused}");
    }
    // That it is refused is to be known all the same; in which words cannot be.
    let server = WebServer::start(packed(404));
    let arrived = network.send(get(&server.url("localhost", "/"))).await.unwrap();
    assert_eq!(arrived.status, 404);
    assert_eq!(text(arrived).await, "");
}
