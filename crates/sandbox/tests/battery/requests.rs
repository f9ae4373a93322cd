//! Rows N09 to N12: what servers do to a guest's call, how much a call may ask for, and where a
//! secret goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use wassette_sandbox::{Roots, Waits};
use wassette_testkit::{Answer, Manners, TcpServer, WebServer};

use crate::Lab;

/// A lab with the guest `requests` that may reach `port` of `a.test`, under `limits`.
async fn lab(port: u16, limits: &str) -> Lab {
    let lab = Lab::new();
    lab.names.set("a.test", &["127.0.0.1"]);
    lab.load("requests").await;
    let rule = format!("{{ host: 'a.test:{port}', private: true }}");
    let policy = format!("network: {{ allow: [{rule}] }}\nresources: {{ limits: {{ {limits} }} }}");
    lab.allow("requests", &policy);
    lab
}

/// Each of these would go on for ever. The limits of the call end it, and the next call works.
#[tokio::test]
async fn denied_n09_no_server_holds_a_call_for_ever() {
    let web = WebServer::start(|seen| match seen.target.as_str() {
        "/silence" => Answer::Silence,
        "/head" => Answer::DrippingHead(Duration::from_millis(5)),
        "/body" => Answer::DrippingBody(Duration::from_millis(5)),
        _ => Answer::text("hello"),
    });
    let lab = lab(web.port(), "time: 400ms").await;
    for path in ["/silence", "/head", "/body"] {
        let url = web.url("a.test", path);
        let said = lab.outcome("requests/count-bytes", json!({ "url": url })).await.unwrap_err();
        assert_eq!(said, "the call was stopped at its time limit of 400ms", "{path}");
    }
    let said = lab.outcome("requests/fetch", json!({ "url": web.url("a.test", "/") })).await;
    assert_eq!(said, Ok(json!("hello")));
}

#[tokio::test]
async fn denied_n09_a_handshake_that_stalls_ends_with_the_call() {
    let mute = TcpServer::start(Manners::Stays);
    let lab = lab(mute.port(), "time: 400ms").await;
    let url = format!("https://a.test:{}/", mute.port());
    let said = lab.outcome("requests/fetch", json!({ "url": url })).await.unwrap_err();
    assert_eq!(said, "the call was stopped at its time limit of 400ms");
    assert_eq!(mute.connections(), 1);
}

#[tokio::test]
async fn denied_n09_what_is_received_ends_at_its_limit() {
    let web = WebServer::start(|seen| match seen.target.as_str() {
        "/endless" => Answer::EndlessBody,
        _ => Answer::text("h".repeat(600 << 10)),
    });
    let lab = lab(web.port(), "response-bytes: 1Mi").await;
    let url = |path| json!({ "url": web.url("a.test", path) });
    let said = lab.call("requests/count-bytes", url("/endless")).await;
    assert!(said.result.is_err(), "{said:?}");
    assert!(said.denials.iter().any(|d| d.to_string().contains("response-bytes")), "{said:?}");
    assert_eq!(lab.outcome("requests/count-bytes", url("/")).await, Ok(json!(600 << 10)));
    // All answers of a call count together.
    let many = json!({ "url": web.url("a.test", "/"), "count": 4 });
    assert_eq!(lab.outcome("requests/request-many", many).await, Ok(json!(1)));
}

#[tokio::test]
async fn denied_n09_a_head_without_end_is_given_up() {
    let web = WebServer::start(|_| {
        let long = "x-long: y\r\n".repeat(100_000);
        Answer::Bytes(format!("HTTP/1.1 200 OK\r\n{long}\r\n").into_bytes())
    });
    let lab = lab(web.port(), "time: 30s").await;
    let said = lab.outcome("requests/fetch", json!({ "url": web.url("a.test", "/") })).await;
    assert!(said.is_err(), "{said:?}");
}

#[tokio::test]
async fn denied_n10_a_guest_does_not_wait_longer_than_the_host_lets_it() {
    let web = WebServer::start(|_| Answer::Silence);
    let waits = Waits { first_byte: Duration::from_millis(200), ..Waits::default() };
    let lab = Lab::with(Roots::Platform, waits);
    lab.names.set("a.test", &["127.0.0.1"]);
    lab.load("requests").await;
    let rule =
        format!("network: {{ allow: [{{ host: 'a.test:{}', private: true }}] }}", web.port());
    lab.allow("requests", &rule);
    for millis in [u64::MAX.to_string(), "3600000".to_owned(), "50".to_owned()] {
        let asked = json!({ "url": web.url("a.test", "/"), "millis": millis });
        let said = lab.outcome("requests/request-within", asked).await.unwrap_err();
        assert!(
            said.contains("HttpResponseTimeout") || said.contains("ConnectionReadTimeout"),
            "{millis}: {said}"
        );
    }
}

#[tokio::test]
async fn denied_n11_requests_beyond_the_limits_are_refused() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, peak) = (now.clone(), most.clone());
    let web = WebServer::start(move |_| {
        peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(5));
        inside.fetch_sub(1, Ordering::SeqCst);
        Answer::text("hello")
    });
    let lab = lab(web.port(), "requests: 100, requests-in-flight: 8").await;
    let arguments = json!({ "url": web.url("a.test", "/"), "count": 500 });
    let said = lab.call("requests/request-many", arguments).await;
    let answered = web.seen().len();
    assert!(answered <= 100, "{answered}");
    assert!(most.load(Ordering::SeqCst) <= 8, "{}", most.load(Ordering::SeqCst));
    assert_eq!(said.result, Ok(json!(answered)));
    assert!(!said.denials.is_empty());
    // The next call begins anew.
    let few = json!({ "url": web.url("a.test", "/"), "count": 5 });
    assert_eq!(lab.outcome("requests/request-many", few).await, Ok(json!(5)));
}

/// The guest holds a text that stands for the secret. Only the host that the rule names gets the
/// secret for it; any other gets the text, and nothing that comes back shows the secret.
#[tokio::test]
async fn denied_n12_a_secret_goes_to_the_host_of_its_rule_alone() {
    const SECRET: &str = "canary-9d1f0c";
    let named = WebServer::start(|seen| {
        Answer::text(seen.header("authorization").unwrap_or("none").to_owned())
    });
    let other = WebServer::start(|seen| Answer::text(String::from_utf8_lossy(&seen.body)));
    let lab = Lab::new();
    lab.names.set("a.test", &["127.0.0.1"]);
    lab.names.set("b.test", &["127.0.0.1"]);
    lab.load("requests").await;
    let inject = "inject: { header: Authorization, value: 'Bearer ${secret:TOKEN}' }";
    lab.allow(
        "requests",
        &format!(
            "network: {{ allow: [{{ host: 'http://a.test:{}', private: true, {inject} }},
                                 {{ host: 'http://b.test:{}', private: true }}] }}
             \nenvironment: {{ allow: [{{ key: TOKEN }}] }}",
            named.port(),
            other.port()
        ),
    );
    lab.values.0.lock().unwrap().insert("TOKEN".to_owned(), SECRET.to_owned());

    for url in [named.url("a.test", "/"), other.url("b.test", "/")] {
        let said =
            lab.call("requests/send-variable", json!({ "url": url, "variable": "TOKEN" })).await;
        assert!(!format!("{said:?}").contains(SECRET), "{said:?}");
        let seen_by_guest = said.result.unwrap()[0].as_str().unwrap().to_owned();
        assert!(!seen_by_guest.is_empty());
    }
    let [at_named] = &named.seen()[..] else { panic!() };
    assert_eq!(at_named.header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
    let [at_other] = &other.seen()[..] else { panic!() };
    assert!(!at_other.holds(SECRET), "{at_other:?}");

    // A host without a rule gets nothing at all, and a rule that goes takes the secret with it.
    lab.allow("requests", "network: {}");
    let url = named.url("a.test", "/");
    let said =
        lab.outcome("requests/send-variable", json!({ "url": url, "variable": "TOKEN" })).await;
    assert!(said.is_err() && named.seen().len() == 1, "{said:?}");
}
