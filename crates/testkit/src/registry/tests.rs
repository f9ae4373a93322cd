//! The registries serve what was put in, take what is pushed, and know who came.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use super::*;

/// Sends one request, and answers all that comes until the server closes.
fn ask(registry: &FakeRegistry, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, registry.server.port())).unwrap();
    let host = registry.host();
    let length = body.len();
    let request = format!("{head}\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(registry: &FakeRegistry, path: &str) -> String {
    ask(registry, &format!("GET {path} HTTP/1.1"), "")
}

#[test]
fn what_was_put_is_served() {
    let registry = FakeRegistry::start();
    let digest = registry.put_component("a/b", "1.0", b"some wasm");
    let manifest = get(&registry, "/v2/a/b/manifests/1.0");
    assert!(manifest.contains(&format!("docker-content-digest: {digest}\r\n")), "{manifest}");
    assert!(manifest.contains("application/wasm"), "{manifest}");
    let blob = digest_of(b"some wasm");
    assert!(get(&registry, &format!("/v2/a/b/blobs/{blob}")).ends_with("\r\n\r\nsome wasm"));
    let part = format!("GET /v2/a/b/blobs/{blob} HTTP/1.1\r\nrange: bytes=5-");
    let part = ask(&registry, &part, "");
    assert!(part.starts_with("HTTP/1.1 206 ") && part.ends_with("\r\n\r\nwasm"), "{part}");
    assert!(part.contains("content-range: bytes 5-8/9\r\n"), "{part}");
    let head = ask(&registry, &format!("HEAD /v2/a/b/blobs/{blob} HTTP/1.1"), "");
    assert!(head.contains("content-length: 9\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(get(&registry, "/v2/a/c/manifests/1.0").starts_with("HTTP/1.1 404 "));
    assert_eq!(registry.count("GET", "/blobs/"), 2);
}

#[test]
fn what_is_pushed_is_taken() {
    let registry = FakeRegistry::start();
    let begun = ask(&registry, "POST /v2/a/blobs/uploads/ HTTP/1.1", "");
    let place = begun.split("location: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let digest = digest_of(b"bytes");
    let put = |body: &str| ask(&registry, &format!("PUT {place}&digest={digest} HTTP/1.1"), body);
    assert!(put("others").starts_with("HTTP/1.1 400 "));
    assert!(put("bytes").starts_with("HTTP/1.1 201 "));
    assert_eq!(registry.blob("a", &digest), Some(b"bytes".to_vec()));

    let subject = digest_of(b"subject");
    let descriptor = Layer::new("x/y", "bytes").descriptor();
    let manifest = json!({ "config": descriptor, "layers": [], "subject": { "digest": subject } });
    let answer = ask(&registry, "PUT /v2/a/manifests/tag HTTP/1.1", &manifest.to_string());
    assert!(answer.contains(&format!("oci-subject: {subject}\r\n")), "{answer}");
    let referrers = get(&registry, &format!("/v2/a/referrers/{subject}"));
    assert!(referrers.contains(&digest_of(manifest.to_string().as_bytes())), "{referrers}");
    assert_eq!(registry.tags("a"), ["tag"]);
    registry.set_referrers(false);
    assert!(get(&registry, &format!("/v2/a/referrers/{subject}")).starts_with("HTTP/1.1 404 "));
    let missing = json!({ "layers": [{ "digest": digest_of(b"elsewhere") }] });
    let answer = ask(&registry, "PUT /v2/a/manifests/x HTTP/1.1", &missing.to_string());
    assert!(answer.contains("MANIFEST_BLOB_UNKNOWN"), "{answer}");
}

#[test]
fn who_is_not_known_is_asked() {
    let registry = FakeRegistry::start();
    registry.put_component("a", "1", b"wasm");
    registry.set_access(Access::basic("user", "pass"));
    assert!(get(&registry, "/v2/a/tags/list").contains("www-authenticate: Basic "));
    let with = "GET /v2/a/tags/list HTTP/1.1\r\nauthorization: Basic dXNlcjpwYXNz";
    assert!(ask(&registry, with, "").ends_with(r#"{"name":"a","tags":["1"]}"#));

    registry.set_access(Access::bearer("user", "pass"));
    let asked = get(&registry, "/v2/a/manifests/1");
    let realm = format!("Bearer realm=\"{}\"", registry.url("/token"));
    assert!(asked.contains(&realm), "{asked}");
    assert!(asked.contains("scope=\"repository:a:pull\""), "{asked}");
    assert!(get(&registry, "/token").starts_with("HTTP/1.1 401 "));
    let token = ask(&registry, "GET /token HTTP/1.1\r\nauthorization: Basic dXNlcjpwYXNz", "");
    let body = token.split("\r\n\r\n").nth(1).unwrap();
    let token: Value = serde_json::from_str(body).unwrap();
    let token = token.get("token").unwrap().as_str().unwrap();
    let with = format!("GET /v2/a/manifests/1 HTTP/1.1\r\nauthorization: Bearer {token}");
    assert!(ask(&registry, &with, "").starts_with("HTTP/1.1 200 "));
}

#[test]
fn names_come_in_pages() {
    let registry = FakeRegistry::start();
    for tag in ["1", "2", "3"] {
        registry.put_component("a/b", tag, b"wasm");
    }
    registry.set_page(2);
    let first = get(&registry, "/v2/a/b/tags/list");
    let next = "/v2/a/b/tags/list?n=2&last=2";
    assert!(first.contains(&format!("link: <{next}>; rel=\"next\"\r\n")), "{first}");
    let second = get(&registry, next);
    assert!(second.ends_with(r#""tags":["3"]}"#) && !second.contains("link"), "{second}");
    assert!(get(&registry, "/v2/_catalog").ends_with(r#"{"repositories":["a/b"]}"#));
}

#[test]
fn a_fault_comes_before_the_answer() {
    let registry = FakeRegistry::start();
    registry.put_page("/index.json", "application/json", "{}");
    registry.fail("/index", 1, Answer::status(503).with_header("retry-after", "1"));
    assert!(get(&registry, "/index.json").contains("retry-after: 1\r\n"));
    assert!(get(&registry, "/index.json").ends_with("\r\n\r\n{}"));
    registry.fault(|_| Some(Answer::cut(10, b"half")));
    assert!(get(&registry, "/index.json").ends_with("content-length: 10\r\n\r\nhalf"));
    registry.heal();
    assert!(get(&registry, "/index.json").ends_with("\r\n\r\n{}"));
}

#[test]
fn signatures_lie_where_they_are_looked_for() {
    let registry = FakeRegistry::start();
    let digest = registry.put_component("a", "1", b"wasm");
    registry.put_signatures("a", &digest, &[(b"payload", "c2ln")]);
    let tag = format!("{}.sig", digest.replace(':', "-"));
    let manifest = registry.manifest("a", &tag).unwrap();
    let manifest = String::from_utf8(manifest.bytes).unwrap();
    assert!(manifest.contains(r#""dev.cosignproject.cosign/signature":"c2ln""#), "{manifest}");
    registry.set_referrers(false);
    let referrer = registry.put_referrer("a", &digest, "application/x", "{}");
    let fallback = registry.manifest("a", &digest.replace(':', "-")).unwrap();
    assert!(String::from_utf8(fallback.bytes).unwrap().contains(&referrer));
}

#[test]
fn a_real_registry_serves_and_ends() {
    let Some(registry) = RealRegistry::start(&RealRegistryOptions::default()) else { return };
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, registry.port)).unwrap();
    stream.write_all(b"GET /v2/ HTTP/1.0\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.to_ascii_lowercase().contains("docker-distribution-api-version"), "{answer}");
    let port = registry.port;
    drop(registry);
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
}
