use super::*;

fn environment(variables: &'static [(&str, &str)]) -> Result<Option<Proxy>, ProxyError> {
    Proxy::from_environment(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

fn through(proxy: &Proxy, https: bool, host: &str, address: &str) -> Option<String> {
    let host = Host::parse(host).unwrap();
    let upstream = proxy.upstream(https, &host, address.parse().unwrap())?;
    Some(format!("{upstream:?}"))
}

#[test]
fn a_url_names_the_proxy_and_its_password_is_not_shown() {
    let proxy = Proxy::parse("http://me:p%40ss@Proxy.example:3128/").unwrap();
    let shown = format!("{proxy:?}");
    assert!(shown.contains("proxy.example:3128"), "{shown}");
    assert!(!shown.contains("p@ss") && !shown.contains("Basic"), "{shown}");
    let authorization = proxy.https.unwrap().authorization.unwrap();
    assert_eq!(*authorization, format!("Basic {}", STANDARD.encode("me:p@ss")));
    assert_eq!(Proxy::parse("http://[::1]").unwrap().http.unwrap().port, 80);
    for wrong in
        ["", "proxy:3128", "https://p", "socks5://p", "http://", "http://p:99999", "http://p/x"]
    {
        assert!(Proxy::parse(wrong).is_err(), "{wrong}");
    }
    let error = Proxy::parse("ftp://me:secret@p").unwrap_err();
    assert!(!format!("{error:?} {error}").contains("secret"));
}

#[test]
fn the_environment_says_who_goes_through_which_proxy() {
    assert!(environment(&[("NO_PROXY", "*")]).unwrap().is_none());
    assert!(environment(&[("HTTPS_PROXY", "")]).unwrap().is_none());
    assert!(environment(&[("HTTPS_PROXY", "junk")]).is_err());
    assert!(environment(&[("https_proxy", "http://p"), ("no_proxy", "a b")]).is_err());
    let proxy = environment(&[
        ("https_proxy", "http://small:1"),
        ("HTTPS_PROXY", "http://large:1"),
        ("HTTP_PROXY", "http://plain:2"),
        ("NO_PROXY", "corp.example, .local,10.0.0.0/8, other.example:8443, 2001:db8::/32"),
    ]);
    let proxy = proxy.unwrap().unwrap();
    let public = "93.184.215.14:443";
    assert_eq!(through(&proxy, true, "a.example", public).as_deref(), Some("small:1"));
    assert_eq!(through(&proxy, false, "a.example", public).as_deref(), Some("plain:2"));
    for (host, address) in [
        ("corp.example", public),
        ("www.corp.example", public),
        ("printer.local", public),
        ("a.example", "10.9.8.7:443"),
        ("a.example", "[2001:db8::7]:443"),
        ("other.example", "93.184.215.14:8443"),
        ("a.example", "127.0.0.1:443"),
        ("a.example", "[::1]:443"),
    ] {
        assert_eq!(through(&proxy, true, host, address), None, "{host} {address}");
    }
    for (host, address) in [("mycorp.example", public), ("other.example", public)] {
        assert!(through(&proxy, true, host, address).is_some(), "{host} {address}");
    }
}

#[tokio::test]
async fn a_tunnel_leads_to_the_address_and_to_no_name() {
    let proxy = Proxy::parse("http://me:pw@proxy.example").unwrap();
    let upstream = proxy.https.unwrap();
    let address = "[2001:db8::1]:443";
    let expected = format!(
        "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\
         Proxy-Authorization: Basic {}\r\n\r\n",
        STANDARD.encode("me:pw")
    );
    let mut good = proxy_that_answers(&expected, b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n");
    assert!(upstream.tunnel(&mut good, address).await.is_ok());
    let mut refused = proxy_that_answers(&expected, b"HTTP/1.1 407 Who?\r\n\r\n");
    assert!(upstream.tunnel(&mut refused, address).await.is_err());
    let endless = [b"HTTP/1.1 200 OK\r\nA: ".to_vec(), vec![b'a'; ANSWER]].concat();
    let mut endless = proxy_that_answers(&expected, &endless);
    assert!(upstream.tunnel(&mut endless, address).await.is_err());
}

/// A stream that expects `request` and answers with `answer`.
fn proxy_that_answers(request: &str, answer: &[u8]) -> tokio::io::DuplexStream {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    let (request, answer) = (request.to_owned(), answer.to_vec());
    tokio::spawn(async move {
        let mut read = vec![0; request.len()];
        theirs.read_exact(&mut read).await.unwrap();
        assert_eq!(String::from_utf8(read).unwrap(), request);
        let _ = theirs.write_all(&answer).await;
    });
    ours
}
