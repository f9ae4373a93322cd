//! Row N12: what the host adds to requests, and what comes back of it.

use super::*;

const TOKEN: &str = "ghp_0123456789abcdef";

fn setup(server: &Server, host: &str) -> Setup {
    let port = server.port();
    let inject = "inject: { header: \"Authorization\", value: \"Bearer ${secret:TOKEN}\" }";
    let rule = format!("{{ host: \"{host}:{port}\", private: true, schemes: [http], {inject} }}");
    let other = format!("{{ host: \"other.test:{port}\", private: true }}");
    Setup { secrets: vec![("TOKEN", TOKEN)], ..Setup::allow(&[&rule, &other]) }
        .name(host, &["127.0.0.1"])
        .name("other.test", &["127.0.0.1"])
}

#[tokio::test]
async fn a_secret_is_added_and_does_not_come_back() {
    let server = Server::with(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |mut stream, head| {
        Box::pin(async move {
            let token = head.lines().find_map(|line| line.strip_prefix("authorization: "));
            let token = token.unwrap_or_default().to_owned();
            let answer =
                format!("HTTP/1.1 200 OK\r\nX-Token: {token}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            // In two pieces, and the cut goes through the secret.
            let (first, second) = head.split_at(head.find("0123").unwrap_or(0));
            let _ = stream.write_all(first.as_bytes()).await;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            let _ = stream.write_all(second.as_bytes()).await;
        })
    })
    .await;
    let mut world = setup(&server, "api.test").build();
    let url = format!("http://api.test:{}/", server.port());
    let request = Request::get(&url)
        .header("authorization", "the guest's own")
        .header("accept-encoding", "gzip, br");
    let response = world.send(request).await.unwrap();
    assert_eq!(response.headers()["x-token"], format!("Bearer {}", "*".repeat(TOKEN.len())));
    let body = read(response).await.unwrap();
    assert!(body.contains(&format!("Bearer {}\r\n", "*".repeat(TOKEN.len()))), "{body}");
    assert!(!body.contains("0123"), "{body}");

    let sent = server.heads().concat();
    assert!(sent.contains(&format!("authorization: Bearer {TOKEN}\r\n")), "{sent}");
    assert!(sent.contains("accept-encoding: identity\r\n"), "{sent}");
    assert!(!sent.contains("the guest's own") && !sent.contains("gzip"), "{sent}");
}

#[tokio::test]
async fn denied_a_secret_to_a_host_whose_rule_does_not_add_it() {
    let server = Server::echo().await;
    let mut world = setup(&server, "api.test").build();
    let placeholder = world.placeholders.of("TOKEN").unwrap().to_owned();
    let request = |host| {
        let url = format!("http://{host}:{}/", server.port());
        Request::get(url).header("x-key", format!("key={placeholder};"))
    };
    for host in ["api.test", "other.test"] {
        read(world.send(request(host)).await.unwrap()).await.unwrap();
    }
    let [permitted, other] = server.heads().try_into().unwrap();
    assert!(permitted.contains(&format!("x-key: key={TOKEN};\r\n")), "{permitted}");
    assert!(other.contains(&format!("x-key: key={placeholder};\r\n")), "{other}");
    assert!(!other.contains(TOKEN) && !other.contains("authorization"), "{other}");
}

#[tokio::test]
async fn denied_a_request_whose_secret_is_not_set() {
    let server = Server::echo().await;
    for (value, said) in
        [(None, "`wassette secret set test TOKEN`"), (Some("line\nbreak"), "cannot hold")]
    {
        let mut setup = setup(&server, "api.test");
        setup.secrets = value.map(|value| ("TOKEN", value)).into_iter().collect();
        let mut world = setup.build();
        let denied = world.get(&format!("http://api.test:{}/", server.port())).await;
        assert!(matches!(denied, Err(Error::HttpRequestDenied)));
        let reasons = world.reasons();
        assert!(reasons.contains(said) && !reasons.contains("break"), "{reasons}");
    }
    assert_eq!(server.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn denied_a_secret_over_http_to_the_internet() {
    let inject = "inject: { header: \"X-Key\", value: \"${secret:TOKEN}\" }";
    let rule = format!("{{ host: \"api.test\", schemes: [http], private: true, {inject} }}");
    let setup = Setup { secrets: vec![("TOKEN", TOKEN)], ..Setup::allow(&[&rule]) };
    let mut world = setup.name("api.test", &["93.184.215.14"]).build();
    let denied = world.get("http://api.test/").await;
    assert!(matches!(denied, Err(Error::DestinationIpProhibited)));
    assert!(world.reasons().contains("could read it"), "{}", world.reasons());
}

#[tokio::test]
async fn denied_an_answer_in_which_a_secret_could_hide() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx";
    let server = Server::new(answer).await;
    let mut world = setup(&server, "api.test").build();
    let denied = world.get(&format!("http://api.test:{}/", server.port())).await;
    assert!(matches!(denied, Err(Error::HttpResponseContentCoding(_))));
    // Where no secret went, an answer may be compressed.
    assert_eq!(world.text(&format!("http://other.test:{}/", server.port())).await, "xx");
}

#[tokio::test]
async fn denied_an_answer_that_is_compressed_on_its_way() {
    for encoding in ["gzip, chunked", "gzip"] {
        let answer =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {encoding}\r\n\r\n2\r\nxx\r\n0\r\n\r\n");
        let server = Server::new(&answer).await;
        let mut world = setup(&server, "api.test").build();
        let request = Request::get(format!("http://api.test:{}/", server.port()));
        let denied = world.send(request.header("te", "gzip")).await;
        assert!(matches!(denied, Err(Error::HttpResponseTransferCoding(_))), "{encoding}");
        let sent = server.heads().concat();
        assert!(!sent.contains("\r\nte:"), "{sent}");
        assert!(world.reasons().contains("compressed"), "{}", world.reasons());
    }
}

#[tokio::test]
async fn what_was_held_back_comes_before_the_trailers() {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n\
         7\r\nend ghp\r\n0\r\nX-End: {TOKEN}\r\n\r\n"
    );
    let server = Server::new(&answer).await;
    let mut world = setup(&server, "api.test").build();
    let response = world.get(&format!("http://api.test:{}/", server.port())).await.unwrap();
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["x-end"], "*".repeat(TOKEN.len()));
    assert_eq!(collected.to_bytes(), "end ghp");
}

/// A server that was told a secret by one request may show it to the next, to which nothing is added.
#[tokio::test]
async fn denied_a_secret_in_a_later_answer_of_the_same_call() {
    let answer =
        format!("HTTP/1.1 200 OK\r\nX-Token: {TOKEN}\r\nContent-Length: 20\r\n\r\n{TOKEN}");
    let server = Server::new(&answer).await;
    let mut world = setup(&server, "api.test").build();
    world.text(&format!("http://api.test:{}/", server.port())).await;
    let other = world.get(&format!("http://other.test:{}/", server.port())).await.unwrap();
    assert_eq!(other.headers()["x-token"], "*".repeat(TOKEN.len()));
    assert_eq!(read(other).await.unwrap(), "*".repeat(TOKEN.len()));
}
