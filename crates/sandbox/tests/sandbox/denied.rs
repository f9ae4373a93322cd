//! Nothing is reachable without a grant, and here are no grants.

use wassette_wit_json::Value;

use crate::{Guest, text, tight};

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
async fn denied_e01_the_environment_the_arguments_and_the_folder_are_empty() {
    assert!(std::env::var_os("PATH").is_some());
    let none = Value::List(vec![]);
    let guest = Guest::built("env", &tight()).await;
    assert_eq!(guest.value("list-variables", []).await, none);
    assert_eq!(guest.value("list-arguments", []).await, none);
    assert_eq!(guest.value("working-directory", []).await, Value::Option(None));
    assert_eq!(guest.value("read-variable", [text("PATH")]).await, Value::Option(None));
    let guest = Guest::chaos().await;
    assert_eq!(guest.value("dump-environment", []).await, none);
    assert_eq!(guest.value("dump-arguments", []).await, none);
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
    // A root that holds nothing: what is looked for in it is refused by us, and so it is noted.
    assert_eq!(guest.value("dump-directories", []).await, Value::List(vec![text("/")]));
    for path in ["/etc/passwd", "etc/passwd", "../etc/passwd", "/proc/self/environ", "."] {
        err(guest.value("open-file", [text(path)]).await);
    }
    let denials = guest.call("open-file", [text("/etc/passwd")]).await.denials;
    let shown: Vec<String> = denials.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["may not read fs:///etc/passwd"]);
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
    let outcome = guest.call("connect", [text("127.0.0.1"), Value::U16(port)]).await;
    err(outcome.result.unwrap().unwrap());
    let shown: Vec<String> = outcome.denials.iter().map(|denial| denial.text("guest")).collect();
    let command = format!("wassette permission grant network guest tcp://127.0.0.1:{port}");
    assert!(shown.iter().any(|text| text.contains(&command)), "{shown:?}");
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
    assert_eq!(shown, [format!("may not GET http://{}/secret", listener.local_addr().unwrap())]);
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
