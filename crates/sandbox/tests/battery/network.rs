//! Rows N01 to N08: which hosts a guest reaches, by whatever name it calls them.

use std::net::{IpAddr, TcpListener};

use serde_json::json;
use wassette_policy::Policy;
use wassette_testkit::{Answer, Manners, Seen, TcpServer, UdpServer, WebServer};

use crate::Lab;

fn hello(_: &Seen) -> Answer {
    Answer::text("hello")
}

async fn get(lab: &Lab, url: &str) -> Result<String, String> {
    let said = lab.outcome("requests/fetch", json!({ "url": url })).await?;
    Ok(said.as_str().unwrap().to_owned())
}

/// A server at the port of `server` and at an address of this machine that is not 127.0.0.1. Which
/// there is depends on the system.
fn beside(server: &WebServer) -> (&'static str, WebServer) {
    let free = |address: &&str| TcpListener::bind((*address, server.port())).is_ok();
    let address = ["127.0.0.2", "::1"].into_iter().find(free).expect("a second address");
    (
        address,
        WebServer::start_at((address.parse::<IpAddr>().unwrap(), server.port()).into(), hello),
    )
}

#[tokio::test]
async fn denied_n01_without_a_rule_nothing_leaves() {
    let lab = Lab::new();
    lab.load("requests").await;
    lab.load("sockets").await;
    let (web, tcp, udp) =
        (WebServer::start(hello), TcpServer::start(Manners::Echoes), UdpServer::start());
    lab.names.set("a.test", &["127.0.0.1"]);
    for host in ["127.0.0.1", "a.test", "localhost"] {
        assert!(get(&lab, &web.url(host, "/")).await.is_err());
        let arguments = json!({ "host": host, "port": tcp.port(), "text": "hello" });
        assert!(lab.outcome("sockets/tcp", arguments).await.is_err());
        for connected in [true, false] {
            let to =
                json!({ "host": host, "port": udp.port(), "text": "x", "connected": connected });
            assert!(lab.outcome("sockets/udp", to).await.is_err());
        }
    }
    for name in ["a.test", "localhost"] {
        assert!(lab.outcome("sockets/resolve", json!({ "name": name })).await.is_err());
    }
    for listen in ["listen", "udp-listen"] {
        let at = json!({ "address": "127.0.0.1", "port": 0 });
        assert!(lab.outcome(&format!("sockets/{listen}"), at).await.is_err());
    }
    assert_eq!((web.connections(), tcp.connections(), udp.received().len()), (0, 0, 0));
    assert_eq!(lab.names.asked(), [""; 0]);
}

#[tokio::test]
async fn denied_n02_another_port_or_scheme_is_another_destination() {
    let lab = Lab::new();
    lab.load("requests").await;
    lab.load("sockets").await;
    let (web, other) = (WebServer::start(hello), WebServer::start(hello));
    lab.names.set("a.test", &["127.0.0.1"]);
    let (port, plain) = (web.port(), web.url("a.test", "/"));
    let rules =
        format!("network: {{ allow: [{{ host: 'http://a.test:{port}', private: true }}] }}");
    lab.allow("requests", &rules);
    lab.allow("sockets", &rules);
    assert_eq!(get(&lab, &plain).await.unwrap(), "hello");
    for url in [
        other.url("a.test", "/"),
        format!("https://a.test:{port}/"),
        "http://a.test/".to_owned(),
        "https://a.test/".to_owned(),
    ] {
        get(&lab, &url).await.unwrap_err();
    }
    // A rule for requests opens no socket, not even to the same place.
    let socket = json!({ "host": "a.test", "port": port, "text": "GET / HTTP/1.1\r\n\r\n" });
    lab.outcome("sockets/tcp", socket).await.unwrap_err();
    lab.outcome("sockets/resolve", json!({ "name": "a.test" })).await.unwrap_err();
    assert_eq!((web.connections(), other.connections()), (1, 0));
}

#[tokio::test]
async fn denied_n02_a_socket_reaches_the_named_port_and_no_other() {
    let lab = Lab::new();
    lab.load("sockets").await;
    let (tcp, other) = (TcpServer::start(Manners::Echoes), TcpServer::start(Manners::Echoes));
    let udp = UdpServer::start();
    lab.names.set("a.test", &["127.0.0.1"]);
    lab.allow(
        "sockets",
        &format!(
            "network: {{ allow: [{{ tcp: 'a.test:{}', private: true }}, {{ udp: 'a.test:{}', private: true }}] }}",
            tcp.port(),
            udp.port()
        ),
    );
    let to = |port: u16| json!({ "host": "a.test", "port": port, "text": "hello" });
    assert_eq!(lab.outcome("sockets/tcp", to(tcp.port())).await, Ok(json!("hello")));
    lab.outcome("sockets/tcp", to(other.port())).await.unwrap_err();
    for connected in [true, false] {
        let datagram = |port: u16| json!({ "host": "a.test", "port": port, "text": "hello", "connected": connected });
        assert_eq!(lab.outcome("sockets/udp", datagram(udp.port())).await, Ok(json!("hello")));
        lab.outcome("sockets/udp", datagram(tcp.port())).await.unwrap_err();
    }
    // An address that no lookup of the call has given is not the host that the rule names.
    let elsewhere =
        json!({ "name": "a.test", "address": "127.0.0.2", "port": tcp.port(), "text": "x" });
    lab.outcome("sockets/tcp-after-lookup", elsewhere).await.unwrap_err();
    let unasked = json!({ "host": "127.0.0.1", "port": tcp.port(), "text": "x" });
    lab.outcome("sockets/tcp", unasked).await.unwrap_err();
    for listen in ["listen", "udp-listen"] {
        let at = json!({ "address": "127.0.0.1", "port": 0 });
        lab.outcome(&format!("sockets/{listen}"), at).await.unwrap_err();
    }
    assert_eq!((tcp.connections(), other.connections()), (1, 0));
}

/// Spellings of 127.0.0.1 and of nobody: none is `a.test`, whatever the resolver thinks of it.
#[tokio::test]
async fn denied_n03_no_other_spelling_is_the_host_that_is_named() {
    let lab = Lab::new();
    lab.load("requests").await;
    let web = WebServer::start(hello);
    let port = web.port();
    let aliases = [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "LOCALHOST",
        "localhost",
        "localhost.",
        "a.test@evil.test",
        "user@a.test",
        "user:word@a.test",
        "evil.test",
        "a.test.evil.test",
        "xn--a-ecp.test",
        "\u{430}.test",
        "a.test%2eevil.test",
        "[::1%25lo]",
        "",
    ];
    for alias in aliases {
        lab.names.set(alias.trim_matches(['[', ']']), &["127.0.0.1"]);
    }
    lab.names.set("a.test", &["127.0.0.1"]);
    let rule = format!("network: {{ allow: [{{ host: 'http://a.test:{port}', private: true }}] }}");
    lab.allow("requests", &rule);
    for alias in aliases {
        let said = get(&lab, &web.url(alias, "/")).await;
        assert!(said.is_err(), "{alias}: {said:?}");
    }
    for authority in
        ["a.test:99999", "a.test:", "a.test:80:80", "a.test:-1", "a.test:+80", "a.test :80"]
    {
        let said = get(&lab, &format!("http://{authority}/")).await;
        assert!(said.is_err(), "{authority}: {said:?}");
    }
    assert_eq!((web.connections(), lab.names.asked().len()), (0, 0));
    for same in ["a.test", "A.TEST", "a.test."] {
        assert_eq!(get(&lab, &web.url(same, "/")).await.as_deref(), Ok("hello"), "{same}");
    }
    assert_eq!(lab.names.asked(), ["a.test"; 3]);
}

/// An address that is named is met by every way to write that address, and by no other.
#[tokio::test]
async fn denied_n03_an_address_is_one_address_however_it_is_written() {
    let lab = Lab::new();
    lab.load("requests").await;
    let web = WebServer::start(hello);
    let rule = format!("network: {{ allow: [{{ host: 'http://127.0.0.1:{}' }}] }}", web.port());
    lab.allow("requests", &rule);
    for same in
        ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]"]
    {
        assert_eq!(get(&lab, &web.url(same, "/")).await.as_deref(), Ok("hello"), "{same}");
    }
    let before = web.connections();
    for other in ["127.0.0.2", "[::1]", "0", "localhost", "10.0.0.1"] {
        assert!(get(&lab, &web.url(other, "/")).await.is_err(), "{other}");
    }
    assert_eq!((web.connections(), lab.names.asked()), (before, Vec::new()));
}

#[tokio::test]
async fn denied_n04_a_public_name_does_not_stand_for_a_private_address() {
    let lab = Lab::new();
    lab.load("requests").await;
    lab.load("sockets").await;
    let (web, tcp) = (WebServer::start(hello), TcpServer::start(Manners::Echoes));
    let (http, raw) = (web.port(), tcp.port());
    lab.allow("requests", &format!("network: {{ allow: [{{ host: 'http://a.test:{http}' }}] }}"));
    lab.allow("sockets", &format!("network: {{ allow: [{{ tcp: 'a.test:{raw}' }}] }}"));
    for address in [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.0.8",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fd00:ec2::254",
    ] {
        lab.names.set("a.test", &[address]);
        let said = get(&lab, &web.url("a.test", "/")).await.unwrap_err();
        assert!(said.contains("DestinationIpProhibited"), "{address}: {said}");
        let to = json!({ "host": "a.test", "port": raw, "text": "hello" });
        lab.outcome("sockets/tcp", to).await.unwrap_err();
    }
    // Nor does the metadata service, where a rule lets the name be private.
    let private =
        format!("network: {{ allow: [{{ host: 'http://a.test:{http}', private: true }}] }}");
    lab.allow("requests", &private);
    for address in ["169.254.169.254", "fd00:ec2::254"] {
        lab.names.set("a.test", &[address]);
        let said = get(&lab, &web.url("a.test", "/")).await.unwrap_err();
        assert!(said.contains("DestinationIpProhibited"), "{address}: {said}");
    }
    assert_eq!((web.connections(), tcp.connections()), (0, 0));
}

/// The name has a permitted address when it is first asked for and another one ever after. Each
/// request asks once, and dials what it was told.
#[tokio::test]
async fn denied_n05_rebinding_after_the_check() {
    let lab = Lab::new();
    lab.load("requests").await;
    lab.load("sockets").await;
    let first = WebServer::start(hello);
    let (other, second) = beside(&first);
    let port = first.port();
    // 127.0.0.1 is named by a rule, and the other address of this machine is not.
    let address = format!("{{ cidr: '127.0.0.1/32', ports: [{port}] }}");
    let rules = format!("network: {{ allow: [{{ host: 'http://a.test:{port}' }}, {address}] }}");
    lab.allow("requests", &rules);
    lab.names.set_each("a.test", &[&["127.0.0.1"], &[other]]);
    assert_eq!(get(&lab, &first.url("a.test", "/")).await.as_deref(), Ok("hello"));
    assert_eq!(lab.names.asked(), ["a.test"]);
    let said = get(&lab, &first.url("a.test", "/")).await.unwrap_err();
    assert!(said.contains("DestinationIpProhibited"), "{said}");
    assert_eq!(lab.names.asked(), ["a.test"; 2]);
    assert_eq!((first.connections(), second.connections()), (1, 0));
    // Several at once: what is not permitted is not dialled, in whichever order it comes.
    for addresses in [[other, "127.0.0.1"], ["127.0.0.1", other]] {
        lab.names.set("a.test", &addresses);
        let _ = get(&lab, &first.url("a.test", "/")).await;
    }
    assert_eq!(second.connections(), 0);
}

#[tokio::test]
async fn denied_n06_a_redirect_is_a_request_of_its_own() {
    let lab = Lab::new();
    lab.load("requests").await;
    let denied = WebServer::start(hello);
    let onward = denied.url("b.test", "/");
    let allowed = WebServer::start(move |seen| match seen.target.as_str() {
        "/out" => Answer::redirect(onward.clone()),
        "/" => Answer::redirect("/here"),
        _ => hello(seen),
    });
    lab.names.set("a.test", &["127.0.0.1"]);
    lab.names.set("b.test", &["127.0.0.1"]);
    let rule = format!(
        "network: {{ allow: [{{ host: 'http://a.test:{}', private: true }}] }}",
        allowed.port()
    );
    lab.allow("requests", &rule);
    let url = allowed.url("a.test", "/out");
    let said = lab.outcome("requests/follow", json!({ "url": url, "hops": 5 })).await.unwrap_err();
    assert!(said.contains(&format!("302 {url}, then")) && said.contains("Denied"), "{said}");
    // The host itself follows nothing.
    let said = lab
        .outcome(
            "requests/request",
            json!({ "method": "GET", "url": allowed.url("a.test", "/"), "headers": [] }),
        )
        .await;
    assert_eq!(said.unwrap()["status"], 302);
    assert_eq!((allowed.seen().len(), denied.connections()), (2, 0));
    assert_eq!(lab.names.asked(), ["a.test"; 2]);
}

#[tokio::test]
async fn denied_n07_a_wildcard_means_subdomains_and_nothing_else() {
    let lab = Lab::new();
    lab.load("requests").await;
    let web = WebServer::start(hello);
    let rule = format!(
        "network: {{ allow: [{{ host: 'http://*.example.test:{}', private: true }}] }}",
        web.port()
    );
    lab.allow("requests", &rule);
    let others = [
        "example.test",
        "evil-example.test",
        "a.example.test.evil.test",
        "a-example.test",
        ".example.test",
        "*.example.test",
    ];
    for host in others.iter().chain(&["a.example.test", "b.a.example.test"]) {
        lab.names.set(host, &["127.0.0.1"]);
    }
    for host in others {
        assert!(get(&lab, &web.url(host, "/")).await.is_err(), "{host}");
    }
    assert_eq!((web.connections(), lab.names.asked().len()), (0, 0));
    for host in ["a.example.test", "b.a.example.test", "A.Example.Test."] {
        assert_eq!(get(&lab, &web.url(host, "/")).await.as_deref(), Ok("hello"), "{host}");
    }
    for host in ["*", "*.com", "*.co.uk", "a.*.com", "*a.com", "https://*", "*:443", "0.0.0.0/0"] {
        let rule = json!({ "network": { "allow": [{ "host": host }] } });
        assert!(Policy::parse(&rule.to_string()).is_err(), "{host}");
    }
}

#[tokio::test]
async fn denied_n08_a_request_says_the_host_that_it_goes_to() {
    let lab = Lab::new();
    lab.load("requests").await;
    let web = WebServer::start(hello);
    lab.names.set("a.test", &["127.0.0.1"]);
    lab.names.set("b.test", &["127.0.0.1"]);
    let rule = format!(
        "network: {{ allow: [{{ host: 'http://a.test:{}', private: true }}] }}",
        web.port()
    );
    lab.allow("requests", &rule);
    let authority = format!("a.test:{}", web.port());
    let crooked = |authority: Option<&str>, path: &str, headers: serde_json::Value| {
        let parts = [("scheme", json!("http")), ("authority", json!(authority))];
        let parts = parts.into_iter().chain([("path", json!(path)), ("headers", headers)]);
        serde_json::Value::from_iter(parts)
    };
    let evil = format!("http://b.test:{}/", web.port());
    for request in [
        crooked(Some(&authority), "/", json!([{ "name": "Host", "value": "b.test" }])),
        crooked(Some(&authority), "/", json!([{ "name": ":authority", "value": "b.test" }])),
        crooked(Some(&authority), "/", json!([{ "name": "Connection", "value": "upgrade" }])),
        crooked(Some(&authority), "/", json!([{ "name": "Proxy-Authorization", "value": "x" }])),
        crooked(
            Some(&authority),
            "/",
            json!([{ "name": "Transfer-Encoding", "value": "chunked" }]),
        ),
        crooked(Some(&authority), "/", json!([{ "name": "x", "value": "y\r\nHost: b.test" }])),
        crooked(Some(&authority), &evil, json!([])),
        crooked(Some(&authority), "/ HTTP/1.1\r\nHost: b.test\r\n\r\n", json!([])),
        crooked(Some(&authority), "//b.test", json!([{ "name": "host", "value": "b.test" }])),
        crooked(None, "/", json!([{ "name": "host", "value": authority }])),
        crooked(Some(""), "/", json!([])),
        crooked(Some(&format!("{authority}/../b.test")), "/", json!([])),
        crooked(Some(&format!("{authority}\r\nx: y")), "/", json!([])),
    ] {
        let said = lab.outcome("requests/crooked-request", request.clone()).await;
        assert!(said.is_err(), "{request}: {said:?}");
    }
    assert_eq!(web.seen(), []);
    assert_eq!(get(&lab, &web.url("a.test", "/")).await.as_deref(), Ok("hello"));
    assert_eq!(web.seen()[0].header("host"), Some(authority.as_str()));
}

/// A server that takes the method and the path from headers, as some frameworks do. What they say is
/// judged as if the request's first line said it.
#[tokio::test]
async fn denied_n02_a_method_or_a_path_in_a_header() {
    let lab = Lab::new();
    lab.load("requests").await;
    let web = WebServer::start(|seen| {
        let method = seen.header("x-http-method-override").unwrap_or(&seen.method);
        let path = seen.header("x-original-url").unwrap_or(&seen.target);
        Answer::text(format!("{method} {path}"))
    });
    let port = web.port();
    let rule = format!("{{ host: '127.0.0.1:{port}', methods: [GET, POST], paths: [/v1/**] }}");
    lab.allow("requests", &format!("network: {{ allow: [{rule}] }}"));
    let post = async |name: &str, value: &str| {
        let headers = json!([{ "name": name, "value": value }]);
        let url = web.url("127.0.0.1", "/v1/items");
        let arguments = json!({ "method": "POST", "url": url, "headers": headers, "body": null });
        lab.call("requests/request", arguments).await
    };
    for (name, value, target) in [
        ("x-http-method-override", "DELETE", "may not DELETE http://127.0.0.1"),
        ("x-original-url", "/admin", "/admin"),
        ("x-original-url", "/v1/%2e%2e/admin", "/admin"),
    ] {
        let said = post(name, value).await;
        let denied = said.denials.first().map(ToString::to_string).unwrap_or_default();
        assert!(denied.contains(target), "{name}: {value}: {said:?}");
    }
    assert_eq!(web.connections(), 0);
    let said = post("x-http-method-override", "GET").await;
    assert!(said.denials.is_empty() && web.connections() == 1, "{said:?}");
}
