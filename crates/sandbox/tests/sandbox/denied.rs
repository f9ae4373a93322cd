//! Nothing is reachable without a grant, and there are no grants yet.

use wassette_wit_json::Value;

use crate::{Guest, text};

fn err(value: Value) -> String {
    match value {
        Value::Result(Err(Some(error))) => match *error {
            Value::String(error) => error,
            other => panic!("not a text: {other:?}"),
        },
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn denied_environment_is_empty() {
    let guest = Guest::chaos().await;
    assert!(std::env::var_os("PATH").is_some());
    assert_eq!(guest.value("dump-environment", []).await, Value::List(vec![]));
}

#[tokio::test]
async fn denied_arguments_are_empty() {
    let guest = Guest::chaos().await;
    assert_eq!(guest.value("dump-arguments", []).await, Value::List(vec![]));
}

#[tokio::test]
async fn denied_standard_input_is_at_its_end() {
    let guest = Guest::chaos().await;
    let read = guest.value("read-stdin", []).await;
    assert_eq!(read, Value::Result(Ok(Some(Box::new(text(""))))));
}

#[tokio::test]
async fn denied_files_none_are_there() {
    let guest = Guest::chaos().await;
    assert_eq!(guest.value("dump-directories", []).await, Value::List(vec![]));
    for path in ["/etc/passwd", "etc/passwd", "../etc/passwd", "/proc/self/environ", "."] {
        err(guest.value("open-file", [text(path)]).await);
    }
}

#[tokio::test]
async fn denied_names_are_not_looked_up() {
    let guest = Guest::chaos().await;
    for name in ["localhost", "example.com"] {
        err(guest.value("resolve-name", [text(name)]).await);
    }
}

#[tokio::test]
async fn denied_sockets_do_not_connect() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let guest = Guest::chaos().await;
    err(guest.value("connect", [text("127.0.0.1"), Value::U16(port)]).await);
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "the guest reached a listener");
}

#[tokio::test]
async fn denied_http_is_refused_and_noted() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret?x=1", listener.local_addr().unwrap());
    let bytes = std::fs::read(wassette_testkit::example("fetch")).unwrap();
    let guest = Guest::new(&bytes, &wassette_policy::Limits::default()).await;
    let outcome = guest.call("fetch", [text(&url)]).await;
    let error = err(outcome.result.unwrap().unwrap());
    assert!(error.contains("not permitted"), "{error}");
    let shown: Vec<String> = outcome.denials.iter().map(ToString::to_string).collect();
    assert_eq!(shown, [format!("may not GET http://{}", listener.local_addr().unwrap())]);
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "the guest reached a listener");
}

#[tokio::test]
async fn denied_stdout_is_captured_and_never_ours() {
    let guest = Guest::chaos().await;
    let outcome = guest.call("forge-answer", [Value::U32(1)]).await;
    outcome.result.unwrap();
    assert!(outcome.stdout.contains("jsonrpc"), "{}", outcome.stdout);
    let outcome = guest.call("write-stderr", [text("complaint")]).await;
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", "complaint"));
}

#[tokio::test]
async fn denied_state_does_not_outlive_a_call() {
    let guest = Guest::chaos().await;
    for _ in 0..3 {
        assert_eq!(guest.value("count-calls", []).await, Value::U32(1));
    }
}
