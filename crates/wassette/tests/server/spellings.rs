//! Lines as clients in the field have sent them, to the program itself: whoever waits for an answer
//! gets one, and only one.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wassette_testkit::McpClient;

use crate::{env, server};

/// What is sent, with the id that waits for the answer.
fn lines() -> Vec<(i64, String)> {
    let call = |id: i64, text: &str| {
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"count-words","arguments":{{"text":{text}}}}}}}"#
        );
        (id, line)
    };
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    vec![
        call(111, r#""a \ud99c b""#),
        call(112, "1e400"),
        call(113, &nested(120)),
        call(114, &nested(5_000)),
        call(115, "123456789012345678901234567890"),
        call(116, r#""to be""#),
        // A bracket too many: no browser reads it, but the id is there.
        (117, r#"{"jsonrpc":"2.0","id":117,"method":"ping","params":[]]}"#.to_owned()),
        (118, r#"{"jsonrpc":"2.0","id":118,"method":"ping"}"#.to_owned()),
    ]
}

#[tokio::test]
async fn each_id_that_a_browser_would_have_read_gets_one_answer() {
    let env = env();
    let stats = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/text-stats/text-stats.wasm");
    let _ = env.run(["component", "load", stats]).success();
    let mut client = server(&env).await;
    for (_, line) in lines() {
        client.send_line(line.as_bytes()).await;
    }
    let mut answers: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
    for _ in lines() {
        let answer = client.message().await;
        answers.entry(answer["id"].as_i64().expect("an id")).or_default().push(answer);
    }
    for (id, line) in lines() {
        assert_eq!(answers[&id].len(), 1, "{line}");
    }
    let text = |id: i64| {
        let result = &answers[&id][0]["result"];
        assert_eq!(result["isError"], json!(id != 116), "{result}");
        result["content"][0]["text"].as_str().unwrap()
    };
    assert!(text(111).starts_with("arguments.text: half of a surrogate pair"));
    assert!(text(112).starts_with("arguments.text: the number is larger"));
    assert!(text(113).starts_with("arguments.text: expected string, found array"));
    assert!(text(114).starts_with("arguments.text[0]"));
    assert!(text(115).starts_with("arguments.text: expected string, found number"));
    assert_eq!(text(116), "2");
    assert_eq!(answers[&117][0]["error"]["code"], -32700);
    assert!(answers[&118][0].get("result").is_some());
}

#[tokio::test]
async fn a_handshake_without_a_name_is_told_so() {
    let env = env();
    let mut client = McpClient::spawn(env.command(["run"]));
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {} });
    let answer = client.request("initialize", params).await;
    assert_eq!(
        answer["error"]["message"],
        "the parameters of `initialize` do not fit: missing field `clientInfo`"
    );
}
