//! Rows N01 to N08: where a request may go.

use super::*;

#[tokio::test]
async fn denied_a_request_without_a_rule() {
    let mut world = Setup::default().name("api.test", &["127.0.0.1"]).build();
    for url in ["http://api.test/", "https://api.test/", "http://127.0.0.1:1/"] {
        assert!(matches!(world.get(url).await, Err(Error::HttpRequestDenied)), "{url}");
    }
    assert_eq!(world.denials().len(), 3);
    // Not even the resolver has heard of it.
    assert_eq!(world.names.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_permitted_request_has_the_permitted_host_and_path() {
    let server = Server::echo().await;
    let port = server.port();
    let rule = format!("{{ host: \"api.test:{port}\", private: true }}");
    let mut world = Setup::allow(&[&rule]).name("api.test", &["127.0.0.1"]).build();
    // Written otherwise, it is still sent as it was judged.
    let request = Request::get(format!("http://API.test.:{port}/a/b?c=d"))
        .header("host", "other.test")
        .header("x-mine", "kept");
    let response = world.send(request).await.unwrap();
    let head = read(response).await.unwrap();
    assert!(head.starts_with("GET /a/b?c=d HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: api.test:{port}\r\n")), "{head}");
    assert!(!head.contains("other.test"), "{head}");
    assert!(head.contains("x-mine: kept\r\n"), "{head}");
    assert_eq!(world.reasons(), "");
}

#[tokio::test]
async fn denied_another_port_scheme_or_method() {
    let server = Server::new(&ok("")).await;
    let port = server.port();
    let rule = format!(
        "{{ host: \"api.test\", ports: [{port}], schemes: [http], methods: [GET], private: true }}"
    );
    let mut world = Setup::allow(&[&rule]).name("api.test", &["127.0.0.1"]).build();
    world.text(&format!("http://api.test:{port}/")).await;
    for request in [
        Request::get(format!("https://api.test:{port}/")),
        Request::get(format!("http://api.test:{}/", port ^ 1)),
        Request::get("http://api.test/"),
        Request::post(format!("http://api.test:{port}/")),
        Request::builder().method("CONNECT").uri(format!("http://api.test:{port}/")),
        Request::builder().method("Trace").uri(format!("http://api.test:{port}/")),
    ] {
        let denied = world.send(request).await;
        assert!(matches!(denied, Err(Error::HttpRequestDenied)));
    }
    assert_eq!(server.heads().len(), 1);
    assert_eq!(world.denials().len(), 6, "{}", world.reasons());
}

#[tokio::test]
async fn denied_an_authority_that_reads_like_another() {
    let rule = "{ host: \"api.test\", private: true }";
    let mut world = Setup::allow(&[rule]).name("api.test", &["127.0.0.1"]).build();
    for authority in [
        "user@api.test",
        "api.test@evil.test",
        "api.test:99999",
        "2130706433",
        "0x7f.1",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "localhost",
        "api.test.evil.test",
        "evil-api.test",
    ] {
        let Ok(uri) = format!("http://{authority}/").parse::<http::Uri>() else { continue };
        let denied = world.get(&uri.to_string()).await;
        assert!(matches!(denied, Err(Error::HttpRequestDenied)), "{authority}");
    }
    assert_eq!(world.names.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn denied_a_name_that_stands_for_an_inner_address() {
    for address in [
        "127.0.0.1",
        "169.254.169.254",
        "169.254.1.1",
        "10.1.2.3",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "fe80::1",
        "fd00::1",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
    ] {
        let setup = Setup::allow(&["{ host: \"api.test\" }"]);
        let mut world = setup.name("api.test", &[address]).build();
        let denied = world.get("https://api.test/").await;
        assert!(matches!(denied, Err(Error::DestinationIpProhibited)), "{address}");
        assert_eq!(world.denials().len(), 1, "{address}");
    }
    // The metadata addresses need a rule of their own even where private ones are permitted.
    let setup = Setup::allow(&["{ host: \"api.test\", private: true }"]);
    let mut world = setup.name("api.test", &["169.254.169.254"]).build();
    let denied = world.get("http://api.test/").await;
    assert!(matches!(denied, Err(Error::DestinationIpProhibited)));
}

#[tokio::test]
async fn denied_a_second_answer_of_the_resolver() {
    let checked = Server::new(&ok("checked")).await;
    let port = checked.port();
    let other = Server::at(SocketAddr::from(([127, 0, 0, 2], port)), &ok("other")).await;
    // The first address is permitted by its range, the second by nothing.
    let host = format!("{{ host: \"api.test\", ports: [{port}] }}");
    let range = format!("{{ cidr: \"127.0.0.1/32\", ports: [{port}] }}");
    let setup = Setup::allow(&[&host, &range])
        .name("api.test", &["127.0.0.1"])
        .name("api.test", &["127.0.0.2"]);
    let mut world = setup.build();
    let url = format!("http://api.test:{port}/");
    assert_eq!(world.text(&url).await, "checked");
    assert_eq!(world.names.asked(), ["api.test"]);
    let denied = world.get(&url).await;
    assert!(matches!(denied, Err(Error::DestinationIpProhibited)));
    assert_eq!(other.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn of_several_addresses_only_the_permitted_are_tried() {
    let server = Server::new(&ok("first")).await;
    let port = server.port();
    let other = Server::at(SocketAddr::from(([127, 0, 0, 3], port)), &ok("other")).await;
    let host = format!("{{ host: \"api.test\", ports: [{port}] }}");
    let range = format!("{{ cidr: \"127.0.0.0/31\", ports: [{port}] }}");
    let addresses = ["127.0.0.3", "127.0.0.0", "127.0.0.1"];
    let mut world = Setup::allow(&[&host, &range]).name("api.test", &addresses).build();
    assert_eq!(world.text(&format!("http://api.test:{port}/")).await, "first");
    assert_eq!(other.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn denied_a_redirect_to_another_host() {
    let target = Server::new(&ok("secret")).await;
    let location = format!("http://127.0.0.1:{}/", target.port());
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let server = Server::new(&answer).await;
    let rule = format!("{{ host: \"api.test:{}\", private: true }}", server.port());
    let mut world = Setup::allow(&[&rule]).name("api.test", &["127.0.0.1"]).build();
    let response = world.get(&format!("http://api.test:{}/", server.port())).await.unwrap();
    // We do not follow, and a guest that does asks anew.
    assert_eq!(response.status(), 302);
    let next = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(matches!(world.get(&next).await, Err(Error::HttpRequestDenied)));
    assert_eq!(target.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn denied_a_request_after_the_policy_was_narrowed() {
    let server = Server::new(&ok("")).await;
    let rule = format!("{{ host: \"127.0.0.1:{}\" }}", server.port());
    let mut world = Setup::allow(&[&rule]).build();
    let url = format!("http://127.0.0.1:{}/", server.port());
    world.text(&url).await;
    world.authority.supersede(Setup::default().build().authority);
    assert!(matches!(world.get(&url).await, Err(Error::HttpRequestDenied)));
    assert_eq!(server.heads().len(), 1);
}

#[tokio::test]
async fn denied_a_method_or_path_that_a_header_says() {
    let server = Server::new(&ok("")).await;
    let port = server.port();
    let open = format!("{{ host: \"127.0.0.1:{port}\", methods: [GET, POST], paths: [/v1/**] }}");
    let close = format!("{{ host: \"127.0.0.1:{port}\", methods: [PATCH], paths: [/v2] }}");
    let mut world = Setup::allow(&[&open, &close]).build();
    let post = || Request::post(format!("http://127.0.0.1:{port}/v1/items"));
    for (header, value) in [
        ("x-http-method-override", "DELETE"),
        ("X-HTTP-Method", "delete"),
        ("x-method-override", "PATCH"),
        ("x-method-override", "GET, DELETE"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/v1/../admin"),
        ("x-rewrite-url", "http://127.0.0.1/v1/items"),
        ("x-original-url", "/v2"),
    ] {
        let denied = world.send(post().header(header, value)).await;
        assert!(matches!(denied, Err(Error::HttpRequestDenied)), "{header}: {value}");
    }
    let twice = post().header("x-original-url", "/v1/a").header("x-original-url", "/admin");
    assert!(matches!(world.send(twice).await, Err(Error::HttpRequestDenied)));
    assert_eq!(server.heads(), Vec::<String>::new());
    // What it says is permitted too, alone and together with the other.
    let both = post().header("x-http-method-override", "get").header("x-original-url", "/v1/a?b");
    assert!(world.send(both).await.is_ok());
    let patch = Request::patch(format!("http://127.0.0.1:{port}/v2"));
    assert!(world.send(patch.header("x-original-url", "/v2")).await.is_ok());
}
