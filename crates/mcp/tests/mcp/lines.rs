//! What a hostile or clumsy client can put on a line, and that the next request is served.

use serde_json::{Value, json};

use crate::support::{Served, code, serve};

/// Sends `line`, expects an error `expected` that belongs to no request, and a living server.
async fn refuses(served: &mut Served, line: &[u8], expected: i64) {
    served.client.send_line(line).await;
    let answer = served.client.orphan_error().await;
    let shown = String::from_utf8_lossy(line.get(..60).unwrap_or(line)).into_owned();
    assert_eq!(code(&answer), expected, "{shown}");
    lives(served).await;
}

async fn lives(served: &mut Served) {
    let answer = served.client.modern("server/discover", json!({})).await;
    assert!(answer.get("result").is_some(), "{answer}");
}

#[tokio::test]
async fn what_is_not_json_is_a_parse_error() {
    let mut served = serve();
    for line in [
        &b"hello"[..],
        br#"{"jsonrpc":"2.0","id":1"#,
        br#"{"jsonrpc":"2.0","id":NaN,"method":"ping"}"#,
        b"\x00\x01\x02",
        br#"{"a":1}{"b":2}"#,
    ] {
        refuses(&mut served, line, -32700).await;
    }
}

#[tokio::test]
async fn what_is_not_a_message_is_an_invalid_request() {
    let mut served = serve();
    for line in [
        r#"{}"#,
        r#"7"#,
        r#""ping""#,
        r#"null"#,
        r#"[]"#,
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
    ] {
        refuses(&mut served, line.as_bytes(), -32600).await;
    }
}

#[tokio::test]
async fn an_invalid_request_that_has_an_id_is_answered_to_it() {
    let mut served = serve();
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let deep = format!(r#"{{"jsonrpc":"2.0","id":"deep","method":{deep}}}"#);
    for (line, id) in [
        (&b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\""[..], json!(1)),
        (b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"p\xff\xfeng\"}", json!(2)),
        (br#"{"method":"ping","id":"x","a":[}"#, json!("x")),
    ] {
        served.client.send_line(line).await;
        let answer: Value = served.client.response(id).await;
        assert_eq!(code(&answer), -32700, "{}", String::from_utf8_lossy(line));
    }
    for (line, id) in [
        (r#"{"jsonrpc":"1.0","id":"old","method":"ping"}"#, json!("old")),
        (r#"{"id":7,"method":"ping"}"#, json!(7)),
        (r#"{"jsonrpc":"2.0","id":8,"method":5}"#, json!(8)),
        (r#"{"jsonrpc":"2.0","id":9}"#, json!(9)),
        (r#"{"jsonrpc":"2.0","id":10,"method":"ping","result":{}}"#, json!(10)),
        (&deep, json!("deep")),
    ] {
        served.client.send_line(line.as_bytes()).await;
        let answer: Value = served.client.response(id).await;
        assert_eq!(code(&answer), -32600, "{line}");
    }
    lives(&mut served).await;
}

#[tokio::test]
async fn parameters_of_the_wrong_shape_are_invalid_parameters() {
    let mut served = serve();
    for (method, params) in [
        ("tools/call", json!({})),
        ("tools/call", json!({ "name": 5 })),
        ("tools/call", json!({ "name": "add", "arguments": [1] })),
    ] {
        let answer = served.client.modern(method, params.clone()).await;
        assert_eq!(code(&answer), -32602, "{method} {params}");
    }
    lives(&mut served).await;
}

#[tokio::test]
async fn a_line_that_is_too_long_is_answered_to_whoever_waits_for_it() {
    let mut served = serve();
    let filler = "x".repeat(17 << 20);
    // The id first, as most clients write it, and last, as the TypeScript SDK does.
    let first = format!(r#"{{"jsonrpc":"2.0","id":"first","method":"ping","params":"{filler}"}}"#);
    let last = format!(r#"{{"method":"ping","params":{{"a":"{filler}"}},"id":"last"}}"#);
    for (line, id) in [(first, "first"), (last, "last")] {
        served.client.send_line(line.as_bytes()).await;
        assert_eq!(code(&served.client.response(id).await), -32600);
        lives(&mut served).await;
    }
    refuses(&mut served, filler.as_bytes(), -32600).await;
}

#[tokio::test]
async fn blank_lines_foreign_notifications_and_other_line_ends_are_taken_as_they_are() {
    let mut served = serve();
    let client = &mut served.client;
    client.initialize("2025-06-18").await;
    for line in ["", "\r", "   "] {
        client.send_line(line.as_bytes()).await;
    }
    client.notify("$/setTrace", json!({ "value": "off" })).await;
    client.notify("notifications/no-such", json!({})).await;
    client.send_line(br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":7}"#).await;
    client.send_line(b"\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"id\":77,\"method\":\"ping\"}\r").await;
    assert_eq!(client.response(77).await["result"], json!({}));
    assert!(client.unasked().is_empty(), "{:?}", client.unasked());
}

#[tokio::test]
async fn many_requests_at_once_are_all_answered() {
    let mut served = serve();
    served.load("add").await;
    let mut ids = Vec::new();
    for number in 0..300 {
        let params = json!({ "name": "add", "arguments": { "a": number, "b": 1 } });
        ids.push((served.client.begin_modern("tools/call", params).await, number + 1));
        // Now and then something long, so that lines straddle what is read at once.
        if number % 50 == 0 {
            served.client.notify("notifications/no-such", json!("x".repeat(100_000))).await;
        }
    }
    for (id, sum) in ids {
        let answer = served.client.response(id).await;
        assert_eq!(answer["result"]["structuredContent"]["result"], sum, "{answer}");
    }
}

/// A line that would take many times its size in memory is refused unread.
#[tokio::test]
async fn a_message_of_too_many_values_is_refused() {
    let mut served = serve();
    let values = "0,".repeat(400_000);
    let line =
        format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"a":[{values}0]}}}}"#);
    served.client.send_line(line.as_bytes()).await;
    let refused = served.client.response(7).await;
    assert_eq!(code(&refused), -32600, "{refused}");
    let words = refused["error"]["message"].as_str().unwrap();
    assert_eq!(words, "a message may hold at most 300000 values");
    // As text the same number of commas is welcome.
    let call = json!({ "name": "nobody", "arguments": { "a": values } });
    let welcome = served.client.modern("tools/call", call).await;
    assert_eq!(code(&welcome), -32602, "{welcome}");
    lives(&mut served).await;
}
