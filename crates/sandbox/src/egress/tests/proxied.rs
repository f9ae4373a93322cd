//! Through a proxy, which is another server on this machine.

use super::*;

#[tokio::test]
async fn a_proxy_is_asked_for_the_address_that_was_checked() {
    let proxy = Server::with(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |mut stream, _| {
        Box::pin(async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let head = head_of(&mut stream).await;
            let _ = stream.write_all(ok(&head).as_bytes()).await;
        })
    })
    .await;
    let url = format!("http://me:pw@proxy.test:{}", proxy.port());
    let setup = Setup {
        proxy: Some(Proxy::parse(&url).unwrap()),
        ..Setup::allow(&["{ host: \"api.test\" }"])
    };
    let setup = setup.name("api.test", &["93.184.215.14"]).name("proxy.test", &["127.0.0.1"]);
    let mut world = setup.build();
    // Within the tunnel it is a request like any other.
    let head = world.text("http://api.test/a").await;
    assert!(head.starts_with("GET /a HTTP/1.1\r\nhost: api.test\r\n"), "{head}");
    let heads = proxy.heads();
    assert!(heads[0].starts_with("CONNECT 93.184.215.14:80 HTTP/1.1\r\n"), "{heads:?}");
    assert!(!heads[0].contains("api.test"), "{heads:?}");
}

#[tokio::test]
async fn denied_an_inner_address_also_through_a_proxy() {
    let proxy = Server::new("HTTP/1.1 200 OK\r\n\r\n").await;
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let setup = Setup {
        proxy: Some(Proxy::parse(&url).unwrap()),
        ..Setup::allow(&["{ host: \"api.test\" }"])
    };
    let mut world = setup.name("api.test", &["10.0.0.1"]).build();
    let denied = world.get("https://api.test/").await;
    assert!(matches!(denied, Err(Error::DestinationIpProhibited)));
    assert_eq!(proxy.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_proxy_that_refuses_ends_the_request() {
    let proxy = Server::new("HTTP/1.1 403 No\r\n\r\n").await;
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let setup = Setup {
        proxy: Some(Proxy::parse(&url).unwrap()),
        ..Setup::allow(&["{ host: \"api.test\" }"])
    };
    let mut world = setup.name("api.test", &["93.184.215.14"]).build();
    let refused = world.get("https://api.test/").await;
    assert!(matches!(refused, Err(Error::DestinationUnavailable)), "{refused:?}");
}

/// A proxy that tunnels nowhere: it answers each request within the tunnel itself.
async fn answering() -> Server {
    Server::with(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |mut stream, _| {
        Box::pin(async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let head = head_of(&mut stream).await;
            let _ = stream.write_all(ok(&head).as_bytes()).await;
        })
    })
    .await
}

fn by_name(proxy: &Server, rules: &[&str]) -> Setup {
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let proxy = Some(Proxy::parse(&url).unwrap());
    Setup { proxy, resolve: Resolve::Proxy, ..Setup::allow(rules) }
}

#[tokio::test]
async fn a_name_that_only_the_proxy_knows_is_handed_to_it_where_the_operator_says_so() {
    let proxy = answering().await;
    let mut world = by_name(&proxy, &["{ host: \"api.example.com\" }"]).build();
    let head = world.text("http://api.example.com:80/a").await;
    assert!(head.starts_with("GET /a HTTP/1.1\r\nhost: api.example.com\r\n"), "{head}");
    assert!(proxy.heads()[0].starts_with("CONNECT api.example.com:80 HTTP/1.1\r\n"));
    assert_eq!(world.names.asked(), Vec::<String>::new());

    // Otherwise the error says what to do.
    let setup = by_name(&proxy, &["{ host: \"api.example.com\" }"]);
    let mut world = Setup { resolve: Resolve::Here, ..setup }.build();
    let Err(Error::DnsError { rcode: Some(words), .. }) =
        world.get("http://api.example.com/a").await
    else {
        panic!("no word of the proxy")
    };
    assert!(words.contains("`resolve = \"proxy\"`"), "{words}");
}

/// What of an address can be known by its name is judged, whoever resolves it.
#[tokio::test]
async fn denied_inner_names_and_addresses_to_a_component_whose_proxy_resolves_names() {
    let proxy = answering().await;
    let hosts = ["wiki", "metadata.google.internal", "localhost", "a.localhost"];
    for host in hosts {
        let rule = format!("{{ host: \"{host}\" }}");
        let mut world = by_name(&proxy, &[&rule]).name(host, &["127.0.0.1"]).build();
        let denied = world.get(&format!("http://{host}/")).await;
        assert!(matches!(denied, Err(Error::DestinationIpProhibited)), "{host}: {denied:?}");
        assert_eq!(world.denials().len(), 1, "{host}");
    }
    assert_eq!(proxy.heads(), Vec::<String>::new());
    // With the rule's word for it they are reached.
    let mut world = by_name(&proxy, &["{ host: \"wiki\", private: true }"]).build();
    world.text("http://wiki/").await;
    assert!(proxy.heads()[0].starts_with("CONNECT wiki:80 "));
    // And nothing that no rule names.
    let denied = world.get("http://api.example.com/").await;
    assert!(matches!(denied, Err(Error::HttpRequestDenied)), "{denied:?}");
}
