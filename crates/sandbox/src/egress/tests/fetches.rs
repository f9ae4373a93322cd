//! What the operator fetches: from servers on loopback which the test knows by names, and, through
//! a proxy of the test's own, from hosts that have public addresses.

use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use wassette_testkit::{Answer, Certificates, Seen, WebServer};

use super::*;

const LIMITS: FetchLimits = FetchLimits {
    bytes: 1000,
    time: Duration::from_secs(20),
    idle: Duration::from_secs(20),
    reach: Reach::Anywhere,
};

/// A way out on which `names` are known and whom `certificates` vouch for is trusted.
pub(super) fn network(
    certificates: &Certificates,
    names: &[(&str, &[&str])],
    proxy: Option<u16>,
) -> Network {
    Network::new(NetworkSettings {
        // So that a test says what the addresses are.
        resolve_for_operator: Resolve::Here,
        ..settings(certificates, names, proxy)
    })
}

fn settings(
    certificates: &Certificates,
    names: &[(&str, &[&str])],
    proxy: Option<u16>,
) -> NetworkSettings {
    let known = Names::default();
    for (name, addresses) in names {
        known.add(name, addresses);
    }
    NetworkSettings {
        resolver: Arc::new(known),
        roots: Roots::from_pem(certificates.pem().as_bytes()).unwrap(),
        proxy: proxy.map(|port| Proxy::parse(&format!("http://127.0.0.1:{port}")).unwrap()),
        ..NetworkSettings::default()
    }
}

/// What comes of fetching from a server for `docs.test`, on loopback, that answers so.
async fn fetch(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> String {
    let certificates = Certificates::new();
    let server = WebServer::start_tls(&certificates, &["docs.test"], answer);
    let network = network(&certificates, &[("docs.test", &["127.0.0.1"])], None);
    let fetched = network.get(&server.url("docs.test", "/a.yaml"), LIMITS).await;
    said(fetched, &server)
}

/// The document, or why there is none; the port of `server` is shown as 1.
fn said(fetched: Result<Fetched, FetchError>, server: &WebServer) -> String {
    let said = match fetched.and_then(Fetched::into_text) {
        Ok(text) => text,
        Err(FetchError::Astray { url, cause }) => format!("{url}: {cause}"),
        Err(error) => error.to_string(),
    };
    said.replace(&format!(":{}", server.port()), ":1")
}

pub(super) fn page(status: u16, headers: Vec<(&'static str, String)>, body: &[u8]) -> Answer {
    Answer::Page { status, headers, body: body.to_vec() }
}

#[tokio::test]
async fn a_document_comes_from_whoever_has_the_name() {
    let certificates = Certificates::new();
    let server = WebServer::start_tls(&certificates, &["docs.test"], |_| {
        page(200, vec![("content-type", "text/yaml".to_owned())], b"version: 1")
    });
    let network = network(&certificates, &[("docs.test", &["127.0.0.1"])], None);
    let url = server.url("docs.test", "/a%20b/c.yaml?key=1");
    let fetched = network.get(&format!("{url}#part"), LIMITS).await.unwrap();
    assert_eq!(fetched, Fetched { bytes: b"version: 1".to_vec(), url });
    let [seen] = &server.seen()[..] else { panic!("one request") };
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/a%20b/c.yaml?key=1"));
    let mut headers: Vec<_> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    headers.sort_unstable();
    assert_eq!(headers, ["accept", "accept-encoding", "host", "user-agent"]);
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert_eq!(seen.header("host"), Some(format!("docs.test:{}", server.port()).as_str()));
}

#[tokio::test]
async fn a_document_may_come_in_the_clear_from_this_machine() {
    let server = WebServer::start(|_| Answer::text("here"));
    let network = network(&Certificates::new(), &[("localhost", &["127.0.0.1"])], None);
    for host in ["127.0.0.1", "localhost", "LOCALHOST.", "0x7f.1"] {
        let fetched = network.get(&server.url(host, "/"), LIMITS).await.unwrap();
        assert_eq!(fetched.into_text().unwrap(), "here", "{host}");
    }
}

#[tokio::test]
async fn denied_a_document_in_the_clear_from_elsewhere() {
    let server = WebServer::start(|_| Answer::text("here"));
    let names: &[(&str, &[&str])] = &[("near.test", &["10.0.0.1"]), ("far.test", &["1.1.1.1"])];
    let network = network(&Certificates::new(), names, Some(server.port()));
    for host in ["near.test", "far.test", "10.0.0.1", "0.0.0.0", "[fe80::1]"] {
        let denied = network.get(&format!("http://{host}/"), LIMITS).await;
        assert!(matches!(denied, Err(FetchError::InTheClear { .. })), "{denied:?}");
    }
    assert_eq!(server.seen(), []);
}

#[tokio::test]
async fn denied_a_document_from_whoever_cannot_prove_the_name() {
    let (known, unknown) = (Certificates::new(), Certificates::new());
    for (certificates, name, words) in [
        (&known, "other.test", "the server's certificate is for another name"),
        (&unknown, "docs.test", "nobody who is trusted has signed the server's certificate"),
    ] {
        let server = WebServer::start_tls(certificates, &[name], |_| Answer::text("here"));
        let network = network(&known, &[("docs.test", &["127.0.0.1"])], None);
        let denied = network.get(&server.url("docs.test", "/"), LIMITS).await;
        let denied = denied.unwrap_err();
        assert!(matches!(denied, FetchError::Certificate { .. }), "{denied}");
        assert!(denied.to_string().ends_with(words) && !denied.passing(), "{denied}");
        assert_eq!(server.seen(), []);
    }
}

#[tokio::test]
async fn denied_a_url_that_cannot_be_asked() {
    let network = network(&Certificates::new(), &[], None);
    for (url, words) in [
        ("", "`` cannot be fetched: relative URL without a base"),
        ("docs.test/a", "`docs.test/a` cannot be fetched: relative URL without a base"),
        (
            "file:///etc/passwd",
            "`file:///etc/passwd` cannot be fetched: the scheme `file` leads nowhere",
        ),
        ("ftp://a.test/", "`ftp://a.test/` cannot be fetched: the scheme `ftp` leads nowhere"),
        ("https://", "`https://` cannot be fetched: empty host"),
        ("https://me:pw@a.test/", "the URL at `a.test` holds a user's name or a password"),
        ("https://me@a.test/", "the URL at `a.test` holds a user's name or a password"),
        ("https://me:p/w@a.test:x/", "`a.test:x/` cannot be fetched: invalid port number"),
        (
            "https://a.test:0/?key",
            "`https://a.test:0/` cannot be fetched: `a.test:0` has no valid port",
        ),
        (
            "https://\u{202e}\u{1b}[2J/",
            "`https://\\u{202e}\\u{1b}[2J/` cannot be fetched: invalid international domain name",
        ),
    ] {
        assert_eq!(network.get(url, LIMITS).await.unwrap_err().to_string(), words, "{url}");
    }
    let long = format!("https://a.test/{}", "a".repeat(9000));
    let words = network.get(&long, LIMITS).await.unwrap_err().to_string();
    assert!(words.ends_with("it is longer than 8192 bytes") && words.len() < 300, "{words}");
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_an_error() {
    let network = network(&Certificates::new(), &[("empty.test", &[])], None);
    for host in ["gone.test", "empty.test"] {
        let denied = network.get(&format!("https://{host}/"), LIMITS).await;
        assert_eq!(denied, Err(FetchError::Name { host: host.to_owned() }));
    }
}

#[tokio::test]
async fn redirects_are_followed_a_few_times() {
    let follow = |most: usize| {
        fetch(move |seen| match seen.target.strip_prefix("/step/") {
            Some(step) if step.len() >= most => Answer::text("there"),
            // Relative to where it is, and with a part that is never sent.
            Some(step) => Answer::redirect(format!("../step/{step}i#part")),
            None => Answer::redirect("/step/i"),
        })
    };
    assert_eq!(follow(5).await, "there");
    let words = "`https://docs.test:1/a.yaml` leads from place to place, more than 5 times";
    assert_eq!(follow(6).await, words);
    assert_eq!(fetch(|seen| Answer::redirect(seen.target.clone())).await, words);
}

#[tokio::test]
async fn denied_a_redirect_that_leads_astray() {
    for (location, words) in [
        ("ftp://docs.test/", "the scheme `ftp` leads nowhere"),
        ("file:///etc/passwd", "the scheme `file` leads nowhere"),
        ("data:,version", "the request names no host"),
        ("https://me:pw@docs.test/", "the URL at `docs.test` holds a user's name or a password"),
        ("//@evil@docs.test/", "the URL at `docs.test` holds a user's name or a password"),
        ("https://\u{202e}%1b/", "invalid international domain name"),
        ("https://docs.test:99999/", "invalid port number"),
    ] {
        let said = fetch(move |_| Answer::redirect(location)).await;
        assert!(said.starts_with("https://docs.test:1/a.yaml: "), "{said}");
        assert!(said.ends_with(words), "{location}: {said}");
        assert!(said.is_ascii() && !said.contains("pw"), "{said}");
    }
    let nowhere = "`https://docs.test:1/a.yaml` leads on, and does not say where to";
    assert_eq!(fetch(|_| page(301, vec![], b"")).await, nowhere);
    let twice = vec![("location", "/a".to_owned()), ("location", "/b".to_owned())];
    assert_eq!(fetch(move |_| page(308, twice.clone(), b"")).await, nowhere);
}

/// A proxy that leads every tunnel to `port` of this machine, whatever it was asked for.
pub(super) async fn tunnels_to(port: u16) -> Server {
    Server::with(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), move |mut stream, _| {
        Box::pin(async move {
            let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let _ = copy_bidirectional(&mut stream, &mut server).await;
        })
    })
    .await
}

pub(super) const NAMES: &[(&str, &[&str])] = &[
    ("public.test", &["93.184.215.14"]),
    ("other.test", &["2606:4700::1111"]),
    ("private.test", &["10.0.0.1"]),
    ("second.test", &["192.168.0.1"]),
    ("loopback.test", &["127.0.0.1"]),
    ("link.test", &["169.254.7.7"]),
    ("metadata.test", &["169.254.169.254"]),
    ("wrapped.test", &["::ffff:10.0.0.1"]),
    ("mixed.test", &["10.0.0.1", "93.184.215.14"]),
];

/// What comes of `https://{from}/`, where that leads to `to`, and which addresses were dialled.
async fn led(from: &str, to: &str) -> (Result<Fetched, FetchError>, Vec<String>) {
    let (certificates, to) = (Certificates::new(), to.to_owned());
    let hosts: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
    let server = WebServer::start_tls(&certificates, &hosts, move |seen| match &*seen.target {
        "/" => Answer::redirect(to.clone()),
        _ => Answer::text("there"),
    });
    let proxy = tunnels_to(server.port()).await;
    let network = network(&certificates, NAMES, Some(proxy.port()));
    let fetched = network.get(&format!("https://{from}/"), LIMITS).await;
    let heads = proxy.heads();
    let dialled = heads.iter().map(|head| head.split(' ').nth(1).unwrap().to_owned());
    (fetched, dialled.collect())
}

#[tokio::test]
async fn denied_a_redirect_from_the_outside_to_the_inside() {
    for to in [
        "https://private.test/a",
        "https://loopback.test/a",
        "https://link.test/a",
        "https://metadata.test/a",
        "https://wrapped.test/a",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://2130706433/a",
        "https://0/a",
        "http://loopback.test/a",
        "http://127.0.0.1/a",
    ] {
        let (denied, dialled) = led("public.test", to).await;
        assert!(matches!(denied, Err(FetchError::Inward { .. })), "{to}: {denied:?}");
        assert_eq!(dialled, ["93.184.215.14:443"], "{to}");
    }
    // Nor in the clear to anybody else.
    let (denied, dialled) = led("public.test", "http://other.test/a").await;
    assert!(matches!(denied, Err(FetchError::InTheClear { .. })), "{denied:?}");
    assert_eq!(dialled, ["93.184.215.14:443"]);
    let error = led("public.test", "https://metadata.test/a?key=1").await.0.unwrap_err();
    let words =
        "`https://public.test/` leads to `https://metadata.test/a`, which has a metadata address";
    assert_eq!(error.to_string(), words);
}

#[tokio::test]
async fn a_redirect_may_stay_outside_or_inside_or_lead_out() {
    for (from, to, dialled) in [
        ("public.test", "https://other.test/a", ["93.184.215.14:443", "[2606:4700::1111]:443"]),
        ("private.test", "https://second.test/a", ["10.0.0.1:443", "192.168.0.1:443"]),
        ("private.test", "/a", ["10.0.0.1:443", "10.0.0.1:443"]),
        ("private.test", "https://public.test/a", ["10.0.0.1:443", "93.184.215.14:443"]),
        // Only the outer one of its addresses, for nobody knows which one has answered before.
        ("mixed.test", "/a", ["10.0.0.1:443", "93.184.215.14:443"]),
    ] {
        let (fetched, seen) = led(from, to).await;
        assert_eq!(fetched.unwrap().bytes, b"there", "{from} {to}");
        assert_eq!(seen, dialled, "{from} {to}");
    }
}

#[tokio::test]
async fn denied_a_redirect_from_one_inside_to_another() {
    for to in ["https://metadata.test/a", "https://loopback.test/a", "http://127.0.0.1/a"] {
        let (denied, dialled) = led("private.test", to).await;
        assert!(matches!(denied, Err(FetchError::Inward { .. })), "{to}: {denied:?}");
        assert_eq!(dialled, ["10.0.0.1:443"], "{to}");
    }
}

#[tokio::test]
async fn denied_a_name_that_turns_inward_between_two_redirects() {
    let certificates = Certificates::new();
    let server =
        WebServer::start_tls(&certificates, &["turns.test"], |_| Answer::redirect("/again"));
    let proxy = tunnels_to(server.port()).await;
    let names: &[(&str, &[&str])] =
        &[("turns.test", &["93.184.215.14"]), ("turns.test", &["127.0.0.1"])];
    let network = network(&certificates, names, Some(proxy.port()));
    let denied = network.get("https://turns.test/", LIMITS).await;
    assert!(matches!(denied, Err(FetchError::Inward { .. })), "{denied:?}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_not_the_document_says_which_it_is() {
    for (status, words) in [
        (404, "404 Not Found"),
        (500, "500 Internal Server Error"),
        (204, "204 No Content"),
        (206, "206 Partial Content"),
        (304, "304 Not Modified"),
        (599, "599 <unknown status code>"),
    ] {
        let said = fetch(move |_| page(status, vec![], b"")).await;
        assert_eq!(said, format!("`https://docs.test:1/a.yaml` answers with the status {words}"));
    }
    let said = fetch(|_| page(200, vec![], b"a: \xff")).await;
    assert_eq!(said, "what `https://docs.test:1/a.yaml` answers is not UTF-8");
}

#[tokio::test]
async fn denied_a_document_that_must_be_unpacked() {
    for (header, value) in [
        ("content-encoding", "gzip"),
        ("content-encoding", "identity, br"),
        ("transfer-encoding", "gzip, chunked"),
    ] {
        let said = fetch(move |_| {
            let head = format!("HTTP/1.1 200 OK\r\n{header}: {value}\r\n\r\n0\r\n\r\n");
            Answer::Bytes(head.into_bytes())
        })
        .await;
        let words = "`https://docs.test:1/a.yaml` answers in an encoding that was not asked for";
        assert_eq!(said, words, "{value}");
    }
}

#[tokio::test]
async fn denied_a_document_longer_than_was_asked_for() {
    let words = "`https://docs.test:1/a.yaml` answers with more than 1000 bytes";
    assert_eq!(fetch(|_| Answer::text("a".repeat(1000))).await, "a".repeat(1000));
    assert_eq!(fetch(|_| Answer::text("a".repeat(1001))).await, words);
    assert_eq!(fetch(|_| Answer::EndlessBody).await, words);
    let chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()
        + &format!("100\r\n{}\r\n", "a".repeat(256)).repeat(4)
        + "0\r\n\r\n";
    assert_eq!(fetch(move |_| Answer::Bytes(chunks.clone().into_bytes())).await, words);
    let lies = "HTTP/1.1 200 OK\r\ncontent-length: 9999999999999999\r\n\r\n";
    assert_eq!(fetch(|_| Answer::Bytes(lies.as_bytes().to_vec())).await, words);
}

#[tokio::test]
async fn denied_a_document_that_breaks_off_or_has_too_long_a_head() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf".to_owned(),
        // Whoever cuts the connection cannot say that TLS ends.
        "HTTP/1.1 200 OK\r\n\r\nhalf".to_owned(),
        format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "a".repeat(100 << 10)),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(101)),
        "not HTTP\r\n\r\n".to_owned(),
        String::new(),
    ] {
        let said = fetch(move |_| Answer::Bytes(answer.clone().into_bytes())).await;
        assert!(said.starts_with("`https://docs.test:1/a.yaml` cannot be fetched: "), "{said}");
    }
}

#[tokio::test]
async fn denied_a_document_that_takes_too_long() {
    let pause = Duration::from_millis(10);
    for answer in [Answer::Silence, Answer::DrippingHead(pause), Answer::DrippingBody(pause)] {
        let certificates = Certificates::new();
        let server = WebServer::start_tls(&certificates, &["docs.test"], move |_| answer.clone());
        let network = network(&certificates, &[("docs.test", &["127.0.0.1"])], None);
        let limits = FetchLimits { bytes: usize::MAX, time: Duration::from_millis(200), ..LIMITS };
        let denied = network.get(&server.url("docs.test", "/"), limits).await;
        assert!(matches!(denied, Err(FetchError::Time { .. })), "{denied:?}");
    }
}

/// What comes of `https://{from}/`, where that leads to `to` and a proxy alone knows any name; and what
/// the proxy was asked for.
async fn led_by_name(
    from: &str,
    to: &str,
    reach: Reach,
) -> (Result<Fetched, FetchError>, Vec<String>) {
    let (certificates, to) = (Certificates::new(), to.to_owned());
    let hosts = ["registry.corp", "blobs.corp", "www.example.com", "cdn.example.net"];
    let server = WebServer::start_tls(&certificates, &hosts, move |seen| match &*seen.target {
        "/" => Answer::redirect(to.clone()),
        _ => Answer::text("there"),
    });
    let proxy = tunnels_to(server.port()).await;
    let network = Network::new(settings(&certificates, &[], Some(proxy.port())));
    let fetched = network.get(&format!("https://{from}/"), FetchLimits { reach, ..LIMITS }).await;
    let heads = proxy.heads();
    let dialled = heads.iter().map(|head| head.split(' ').nth(1).unwrap().to_owned());
    (fetched, dialled.collect())
}

#[tokio::test]
async fn a_name_that_only_the_proxy_knows_is_asked_of_it() {
    for (from, to) in [
        ("registry.corp", "https://registry.corp/a"),
        ("registry.corp", "https://blobs.corp/a"),
        ("www.example.com", "https://cdn.example.net/a"),
        ("registry.corp", "https://www.example.com/a"),
    ] {
        let (fetched, dialled) = led_by_name(from, to, Reach::Anywhere).await;
        assert_eq!(fetched.unwrap().bytes, b"there", "{from} {to}");
        let second = to.trim_start_matches("https://").trim_end_matches("/a");
        assert_eq!(dialled, [format!("{from}:443"), format!("{second}:443")]);
    }
}

#[tokio::test]
async fn denied_a_redirect_to_an_inner_name_that_only_the_proxy_knows() {
    for to in ["https://registry.corp/a", "https://wiki/a", "https://metadata.google.internal/a"] {
        let (denied, dialled) = led_by_name("www.example.com", to, Reach::Anywhere).await;
        assert!(matches!(denied, Err(FetchError::Inward { .. })), "{to}: {denied:?}");
        assert_eq!(dialled, ["www.example.com:443"], "{to}");
    }
    // What is of this machine is not the proxy's to know.
    let (denied, _) = led_by_name("www.example.com", "https://localhost/a", Reach::Anywhere).await;
    assert!(matches!(denied, Err(FetchError::Name { .. })), "{denied:?}");
    let (denied, _) = led_by_name("www.example.com", "https://10.0.0.1/a", Reach::Anywhere).await;
    assert!(matches!(denied, Err(FetchError::Inward { .. })), "{denied:?}");
}

/// Its address must be checked, and only who resolves it can.
#[tokio::test]
async fn denied_a_name_that_nobody_looked_at_and_only_the_proxy_knows() {
    for from in ["www.example.com", "registry.corp"] {
        let (denied, dialled) = led_by_name(from, "https://www.example.com/a", Reach::Public).await;
        assert!(matches!(denied, Err(FetchError::Name { .. })), "{denied:?}");
        assert_eq!(dialled, Vec::<String>::new());
    }
}
