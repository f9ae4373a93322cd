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
