//! Components that servers give: whole, from the right server, in time, or not at all.

use std::fs;
use std::time::Duration;

use tokio::task::JoinSet;
use wassette_testkit::{Answer, Certificates, Seen, WebServer, compiled};
use wassette_toolbox::{Approvals, Choice, LoadAllow, LoadError, LoadRequest, Options, Status};

use crate::Workshop;
use crate::desk::{asked, done, yes};
use crate::market::words;

/// A server that gives the guest `add` at `/tools/add.wasm`, and otherwise what `answer` says; and a
/// workshop that trusts it.
fn market(
    answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    change: impl FnOnce(&mut Options, &WebServer),
) -> (WebServer, Workshop) {
    let certificates = Certificates::new();
    let server = WebServer::start_tls(&certificates, &["127.0.0.1"], move |seen| {
        if seen.target.starts_with("/tools/add.wasm") {
            return page(compiled("add"));
        }
        answer(seen)
    });
    let workshop = Workshop::with(|options| {
        let bundle = options.store_dir.parent().unwrap().join("ca.pem");
        fs::write(&bundle, certificates.pem()).unwrap();
        options.egress.ca_bundle = Some(bundle);
        change(options, &server);
    });
    (server, workshop)
}

fn page(body: Vec<u8>) -> Answer {
    Answer::Page { status: 200, headers: Vec::new(), body }
}

fn nothing(_: &Seen) -> Answer {
    Answer::Page { status: 404, headers: Vec::new(), body: Vec::new() }
}

#[tokio::test]
async fn a_component_is_loaded_from_a_server_and_known_by_its_url() {
    let (server, workshop) = market(nothing, |_, _| {});
    let url = server.url("127.0.0.1", "/tools/add.wasm");
    let loaded = workshop.load(&url).await.unwrap();
    assert_eq!((loaded.component.id.as_str(), &loaded.component.source), ("add", &url));
    assert_eq!(workshop.call("add", crate::two_and_three()).await.text, ["5"]);
    let again = workshop.load(&format!("{url}#part")).await.unwrap();
    assert_eq!(again.status, Status::Unchanged);
    // From elsewhere it is another one.
    let other = workshop.load(&format!("{url}?v=2")).await.unwrap_err();
    assert!(matches!(other, LoadError::Store(_)), "{other}");
    let inspected = workshop.toolbox.inspect(&format!("{url}?v=2"), "/".as_ref(), true).await;
    assert_eq!(inspected.unwrap().component.tools[0].name, "add");
}

#[tokio::test]
async fn many_equal_loads_from_a_server_are_one() {
    let (server, workshop) = market(nothing, |_, _| {});
    let mut loads = JoinSet::new();
    for _ in 0..20 {
        let request = workshop.request(&server.url("127.0.0.1", "/tools/add.wasm"));
        let toolbox = workshop.toolbox.clone();
        loads.spawn(async move { toolbox.load(request, |_| {}).await.unwrap().status });
    }
    let statuses = loads.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == Status::Loaded).count(), 1);
    assert_eq!(server.seen().len(), 1);
}

/// The rows R01 to R05, R12, R14 and R15 of the battery, as far as they are about one GET.
#[tokio::test]
async fn denied_r_what_a_server_gives_that_is_not_a_whole_component() {
    let small = |options: &mut Options, _: &WebServer| {
        options.component_bytes = 4 << 20;
        // Else the waits between attempts may take all the time.
        options.registries.settings.attempts = 2;
        options.registries.settings.first_pause = Duration::from_millis(5);
        options.fetch.time = Duration::from_secs(2);
        options.fetch.idle = Duration::from_millis(500);
    };
    let answers = |seen: &Seen| match seen.target.as_str() {
        "/silent.wasm" => Answer::Silence,
        "/drip.wasm" => Answer::DrippingBody(Duration::from_millis(50)),
        "/endless.wasm" => Answer::EndlessBody,
        "/empty.wasm" => page(Vec::new()),
        "/cut.wasm" => {
            Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n\0asm".to_vec())
        }
        "/clear.wasm" => Answer::redirect("http://192.0.2.1/add.wasm"),
        "/inward.wasm" => Answer::redirect("https://169.254.169.254/add.wasm"),
        "/loop.wasm" => Answer::redirect("/loop.wasm"),
        "/packed.wasm" => Answer::Page {
            status: 200,
            headers: vec![("content-encoding", "gzip".to_owned())],
            body: vec![0; 10],
        },
        "/text.wasm" => Answer::text("<html>"),
        _ => nothing(seen),
    };
    let (server, workshop) = market(answers, small);
    for (path, told) in [
        ("/silent.wasm", "nothing came for 500ms"),
        ("/drip.wasm", " 2 s"),
        ("/endless.wasm", "longer than 4194304 bytes"),
        ("/empty.wasm", "is empty"),
        ("/cut.wasm", "broke off"),
        ("/clear.wasm", "in the clear"),
        ("/inward.wasm", "address"),
        ("/loop.wasm", "leads from place to place"),
        ("/packed.wasm", "encod"),
        ("/text.wasm", "cannot"),
        ("/none.wasm", "knows nothing of"),
    ] {
        let error = workshop.load(&server.url("127.0.0.1", path)).await.unwrap_err();
        let words = words(&error);
        assert!(words.contains(told), "{path}: {words}");
    }
    // Another name than the certificate's.
    let other = workshop.load(&server.url("localhost", "/tools/add.wasm")).await.unwrap_err();
    assert!(matches!(other, LoadError::Registry(_)), "{other}");
    assert!(workshop.toolbox.catalog().await.components().is_empty());
    let left = fs::read_dir(workshop.store().join("tmp")).map_or(0, Iterator::count);
    assert_eq!(left, 0);
}

#[tokio::test]
async fn denied_to_a_model_a_request_to_a_server_before_a_yes() {
    let (server, workshop) = market(nothing, |_, _| {});
    let url = server.url("127.0.0.1", "/tools/add.wasm");
    let load = async |answered| {
        let request = LoadRequest::new(url.clone(), "/".into());
        workshop.toolbox.request_load(request, answered, |_| {}).await.unwrap()
    };
    let inquiry = asked(load(None).await);
    assert!(inquiry.text().contains(&url), "{}", inquiry.text());
    // Nor does looking at it ask the server.
    workshop.toolbox.inspect(&url, "/".as_ref(), false).await.unwrap_err();
    assert_eq!(server.connections(), 0);
    done(load(yes(&inquiry, Choice::Allow)).await);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_the_operator_lists_is_loaded_from_servers_unasked() {
    let (server, workshop) = market(nothing, |options, server| {
        let listed = server.url("127.0.0.1", "/tools/**");
        options.approval.load_allow = LoadAllow::read(&[listed]).unwrap();
        options.approval.approvals = Approvals::Deny;
    });
    let request = |path: &str| LoadRequest::new(server.url("127.0.0.1", path), "/".into());
    let toolbox = &workshop.toolbox;
    toolbox.request_load(request("/other/add.wasm"), None, |_| {}).await.unwrap_err();
    assert_eq!(server.connections(), 0);
    done(toolbox.request_load(request("/tools/add.wasm"), None, |_| {}).await.unwrap());
}

#[tokio::test]
async fn denied_to_a_model_what_only_this_machine_can_reach_where_nobody_is_asked() {
    let (server, workshop) =
        market(nothing, |options, _| options.approval.approvals = Approvals::Allow);
    let request = LoadRequest::new(server.url("127.0.0.1", "/tools/add.wasm"), "/".into());
    let refused = workshop.toolbox.request_load(request, None, |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("loopback"), "{refused}");
    assert_eq!(server.connections(), 0);
}
