//! Messages as clients that nobody here wrote spell them: each gets an answer with its id, and what has
//! one reading is read.

use serde_json::{Value, json};
use wassette_testkit::{LEGACY, with_meta};

use crate::http::{request, serve};
use crate::http_client::Ask;
use crate::support::{Served, code, serve as serve_lines};

/// The text of a tool's error.
fn failure(answer: &Value) -> &str {
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    answer["result"]["content"][0]["text"].as_str().unwrap()
}

/// A call of `add` whose arguments are written as `arguments`, in the revision without a handshake.
fn call(id: u32, arguments: &str) -> String {
    let meta = with_meta(json!({}))["_meta"].to_string();
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"add","arguments":{arguments},"_meta":{meta}}}}}"#
    )
}

/// Arguments that browsers read and we do not, and what is said of them.
fn unreadable() -> Vec<(String, &'static str)> {
    vec![
        (r#"{"a": "x \ud99c y", "b": 1}"#.to_owned(), "arguments.a: half of a surrogate pair"),
        (r#"{"a": 1, "b": 1e400}"#.to_owned(), "arguments.b: the number is larger"),
        (
            format!(r#"{{"a": {}1{}, "b": 1}}"#, "[".repeat(300), "]".repeat(300)),
            "arguments.a[0][0]",
        ),
        (r#"{"a": 1, "\udfff": 1}"#.to_owned(), "arguments: half of a surrogate pair"),
    ]
}

async fn with_add() -> Served {
    let mut served = serve_lines();
    served.load("add").await;
    served
}

#[tokio::test]
async fn what_only_a_browser_reads_is_a_tool_error_with_its_id() {
    let mut served = with_add().await;
    for (index, (arguments, words)) in unreadable().into_iter().enumerate() {
        let id = 100 + u32::try_from(index).unwrap();
        served.client.send_line(call(id, &arguments).as_bytes()).await;
        let answer: Value = served.client.response(id).await;
        assert!(failure(&answer).starts_with(words), "{answer}");
    }
    // A number that is only large is a number, and the argument says what it wants.
    served
        .client
        .send_line(call(200, r#"{"a": 123456789012345678901234567890, "b": 1}"#).as_bytes())
        .await;
    let answer: Value = served.client.response(200).await;
    assert!(failure(&answer).starts_with("arguments.a: expected integer"), "{answer}");
    // Elsewhere than in arguments it does no harm.
    served
        .client
        .send_line(br#"{"jsonrpc":"2.0","id":201,"method":"ping","params":{"x":1e999}}"#)
        .await;
    let answer: Value = served.client.response(201).await;
    assert_eq!(answer["result"], json!({}), "{answer}");
}

/// An argument that may be null must not become null because something else cannot be read either.
#[tokio::test]
async fn denied_an_argument_that_cannot_be_read_to_a_tool_as_null() {
    let mut served = serve_lines();
    served.load("zoo").await;
    served.client.initialize(LEGACY).await;
    let web = serve().await;
    web.load("zoo").await;
    for (meta, ext) in [(r#"{"x":1e400}"#, "1"), ("{}", "1e400"), (r#"{"\ud800":1}"#, "1")] {
        for arguments in [r#"{"v":"a \ud99c b"}"#, r#"{"v":"a","\ud800":1}"#] {
            let line = |meta: &str| {
                format!(
                    r#"{{"ext":{ext},"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"_meta":{meta},"argumentsX":{ext},"name":"echo-option-string","arguments":{arguments}}}}}"#
                )
            };
            served.client.send_line(line(meta).as_bytes()).await;
            let answer: Value = served.client.response(7).await;
            assert!(failure(&answer).starts_with("arguments"), "{answer}");
            let ask = web
                .in_session(Ask::raw(web.address, line(meta).into_bytes()), &web.session().await);
            let answer = ask.send(web.address).await.message();
            assert!(failure(&answer).starts_with("arguments"), "{answer}");
        }
    }
    // Of two members with one name the last counts, as in a browser.
    let twice = r#"{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"x","name":"echo-option-string","arguments":{"v":"a"}}}"#;
    served.client.send_line(twice.as_bytes()).await;
    let answer: Value = served.client.response(8).await;
    assert_eq!(answer["result"]["structuredContent"], json!({ "result": "a" }), "{answer}");
}

#[tokio::test]
async fn what_only_a_browser_reads_is_a_tool_error_over_http_too() {
    let web = serve().await;
    web.load("add").await;
    for (arguments, words) in unreadable() {
        let ask = web.modern("tools/call", json!({ "name": "add" }));
        let got = Ask { body: call(7, &arguments).into_bytes(), ..ask }.send(web.address).await;
        let answer = got.message();
        assert_eq!((got.status, &answer["id"]), (200, &json!(7)), "{got:?}");
        assert!(failure(&answer).starts_with(words), "{answer}");
    }
    let got = Ask::raw(web.address, br#"{"jsonrpc":"2.0","id":8,"method":"ping""#.to_vec());
    let got = got.send(web.address).await;
    assert_eq!((code(&got.message()), &got.message()["id"]), (-32700, &json!(8)));
}

#[tokio::test]
async fn arguments_that_are_an_empty_array_or_an_object_in_a_string_are_read() {
    let mut served = with_add().await;
    for (version, arguments, expected) in [
        ("modern", json!(r#"{"a": 2, "b": 3}"#), Ok(5)),
        ("modern", json!([]), Err("arguments.a: expected integer")),
        ("modern", json!({ "a": "2", "b": "3" }), Ok(5)),
        ("legacy", json!(r#"{"a": 2, "b": "3"}"#), Ok(5)),
        ("legacy", json!([]), Err("arguments.a: expected integer")),
    ] {
        let client = &mut served.client;
        let params = json!({ "name": "add", "arguments": arguments });
        let nested = json!({ "name": "call-tool", "arguments": params });
        for params in [params, nested] {
            let answer = match version {
                "modern" => client.modern("tools/call", params.clone()).await,
                _ => {
                    client.initialize(LEGACY).await;
                    client.request("tools/call", params.clone()).await
                }
            };
            match expected {
                Ok(sum) => assert_eq!(
                    answer["result"]["structuredContent"],
                    json!({ "result": sum }),
                    "{params}: {answer}"
                ),
                Err(words) => assert!(failure(&answer).starts_with(words), "{params}: {answer}"),
            }
        }
    }
    let unknown = served.client.modern("tools/call", json!({ "name": "x", "arguments": [] })).await;
    assert_eq!(code(&unknown), -32602, "{unknown}");

    let web = serve().await;
    web.load("add").await;
    let params = json!({ "name": "add", "arguments": r#"{"a": 2, "b": 3}"# });
    let got = web.modern("tools/call", params).send(web.address).await;
    assert_eq!(got.message()["result"]["structuredContent"], json!({ "result": 5 }), "{got:?}");
}

#[tokio::test]
async fn a_member_that_is_missing_is_named() {
    let params = json!({ "protocolVersion": LEGACY, "capabilities": {} });
    let words = "the parameters of `initialize` do not fit: missing field `clientInfo`";
    let mut served = serve_lines();
    let answer = served.client.request("initialize", params.clone()).await;
    assert_eq!((code(&answer), &answer["error"]["message"]), (-32602, &json!(words)));
    let nameless = json!({ "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {} });
    let answer = served.client.request("initialize", nameless).await;
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.ends_with("`clientInfo`: missing field `name`"), "{answer}");
    // The next try is served.
    assert!(served.client.initialize(LEGACY).await.get("result").is_some());

    let web = serve().await;
    let got = Ask::post(web.address, &request("initialize", params)).send(web.address).await;
    assert_eq!((got.status, &got.message()["id"]), (400, &json!(1)), "{got:?}");
    assert_eq!(got.message()["error"]["message"], words);
}

#[tokio::test]
async fn whoever_accepts_everything_accepts_both_media_types() {
    let web = serve().await;
    let discover = || web.modern("server/discover", json!({})).without("Accept");
    assert_eq!(discover().send(web.address).await.status, 200);
    for (accept, expected) in [
        ("*/*", 200),
        ("text/html, application/xhtml+xml, */*;q=0.8", 200),
        ("application/*, text/*", 200),
        ("APPLICATION/JSON, Text/Event-Stream", 200),
        ("application/json", 406),
        ("text/html", 406),
        ("*/*;q=0", 406),
    ] {
        let got = discover().with("Accept", accept).send(web.address).await;
        assert_eq!(got.status, expected, "Accept: {accept}");
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_ask_send_and_read() {
    let web = serve().await;
    let origin = "http://localhost:6274";
    let asked = "content-type, mcp-protocol-version, mcp-param-region";
    let preflight = Ask::bare(web.address, "OPTIONS", "/mcp")
        .with("Origin", origin)
        .with("Access-Control-Request-Method", "POST")
        .with("Access-Control-Request-Headers", asked);
    let got = preflight.send(web.address).await;
    assert_eq!(got.status, 204, "{got:?}");
    assert_eq!(got.header("access-control-allow-origin"), Some(origin));
    assert_eq!(got.header("access-control-allow-methods"), Some("GET, POST, DELETE"));
    assert_eq!(got.header("access-control-allow-headers"), Some(asked));
    assert_eq!(got.header("access-control-allow-credentials"), None);
    assert!(got.header("vary").unwrap().contains("Origin"));
    assert_eq!(got.header("access-control-allow-private-network"), None);
    let private = preflight.with("Access-Control-Request-Private-Network", "true");
    let got = private.send(web.address).await;
    assert_eq!(got.header("access-control-allow-private-network"), Some("true"));

    let hello = web.hello_from(origin).await;
    assert_eq!(hello.status, 200);
    assert_eq!(hello.header("access-control-allow-origin"), Some(origin));
    let exposed = hello.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("Mcp-Session-Id"), "{exposed}");
    // What went wrong can be read too.
    let broken = Ask::raw(web.address, b"{".to_vec()).with("Origin", origin);
    let got = broken.send(web.address).await;
    assert_eq!((got.status, got.header("access-control-allow-origin")), (400, Some(origin)));
    // No browser, no word of it.
    assert_eq!(web.hello().await.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn denied_a_page_of_another_origin_is_told_nothing() {
    let web = serve().await;
    for origin in ["https://evil.example", "http://localhost.evil.example", "null"] {
        let preflight = Ask::bare(web.address, "OPTIONS", "/mcp")
            .with("Origin", origin)
            .with("Access-Control-Request-Method", "POST");
        let long = Ask::raw(web.address, vec![b' '; 5 << 20]).with("Origin", origin);
        for (ask, expected) in [
            (preflight, 403),
            (web.modern("server/discover", json!({})).with("Origin", origin), 403),
            (long, 413),
        ] {
            let got = ask.send(web.address).await;
            assert_eq!(got.status, expected, "{origin}: {got:?}");
            let told = got.headers.iter().find(|(name, _)| name.starts_with("access-control"));
            assert_eq!(told, None, "{origin}");
        }
    }
    // A preflight of nobody, and one for another page, get what any unknown method gets.
    let bare = Ask::bare(web.address, "OPTIONS", "/mcp");
    assert_eq!(bare.send(web.address).await.status, 405);
}
