//! Both eras in one process, in any order, and what comes before either was chosen.

use serde_json::{Value, json};
use wassette_testkit::{LEGACY, MODERN, with_meta};

use crate::support::{code, names, serve};

#[tokio::test]
async fn every_revision_with_a_handshake_is_spoken() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut served = serve();
        let answer = served.client.initialize(version).await;
        assert_eq!(answer["result"]["protocolVersion"], version);
        let list = served.client.request("tools/list", json!({})).await;
        assert!(names(&list).contains(&"load-component".to_owned()));
        for newer in ["resultType", "ttlMs", "cacheScope", "_meta"] {
            assert_eq!(list["result"].get(newer), None, "{version}: {newer}");
        }
    }
}

#[tokio::test]
async fn a_handshake_for_another_revision_settles_on_the_newest_that_has_one() {
    for version in ["1999-01-01", MODERN, "2077-01-01"] {
        let mut served = serve();
        let answer = served.client.initialize(version).await;
        assert_eq!(answer["result"]["protocolVersion"], LEGACY, "{version}");
        // And is served in it.
        let list = served.client.request("tools/list", json!({})).await;
        assert_eq!(list["result"].get("resultType"), None);
    }
}

#[tokio::test]
async fn the_newest_revision_needs_no_handshake() {
    let mut served = serve();
    let discovered = served.client.modern("server/discover", json!({})).await;
    let result = &discovered["result"];
    assert!(result["supportedVersions"].as_array().unwrap().contains(&json!(MODERN)));
    assert_eq!(result["capabilities"], json!({ "tools": { "listChanged": true } }));
    assert!(result["ttlMs"].is_u64() && result["cacheScope"].is_string());

    let list = served.client.modern("tools/list", json!({})).await;
    let call = served.client.call_modern("list-components", json!({})).await;
    for answer in [&discovered, &list, &call] {
        assert_eq!(answer["result"]["resultType"], "complete");
        let server = &answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"];
        assert_eq!(server["name"], "wassette");
        assert_eq!(server["version"], "1.2.3");
    }
    assert_eq!(list["result"]["ttlMs"], 0);
    assert_eq!(list["result"]["cacheScope"], "private");
}

#[tokio::test]
async fn the_eras_mix_on_one_connection_in_any_order() {
    let mut served = serve();
    let modern = served.client.modern("tools/list", json!({})).await;
    assert_eq!(modern["result"]["resultType"], "complete");
    served.client.initialize("2025-06-18").await;
    let legacy = served.client.request("tools/list", json!({})).await;
    assert_eq!(legacy["result"].get("resultType"), None);
    assert_eq!(legacy["result"]["tools"], modern["result"]["tools"]);
    let modern = served.client.modern("tools/list", json!({})).await;
    assert_eq!(modern["result"]["resultType"], "complete");
    assert!(served.client.request("ping", json!({})).await.get("result").is_some());
    assert_eq!(code(&served.client.modern("ping", json!({})).await), -32601);
}

#[tokio::test]
async fn what_comes_before_a_lifecycle_is_chosen_ends_nothing() {
    let mut served = serve();
    let client = &mut served.client;
    client.notify("notifications/cancelled", json!({ "requestId": 1, "reason": "late" })).await;
    client.notify("notifications/initialized", json!({})).await;
    client.notify("textDocument/didOpen", json!({})).await;
    client.send(&json!({ "jsonrpc": "2.0", "id": 9, "result": {} })).await;
    assert!(client.request("ping", json!({})).await.get("result").is_some());
    // Nothing says which revision these are of.
    assert_eq!(code(&client.request("tools/list", json!({})).await), -32602);
    assert_eq!(code(&client.request("server/discover", json!({})).await), -32602);
    // A probe that was answered too late for its client.
    client.modern("server/discover", json!({})).await;
    client.notify("notifications/cancelled", json!({ "requestId": 1 })).await;
    assert_eq!(client.initialize(LEGACY).await["result"]["protocolVersion"], LEGACY);
    assert!(!names(&client.request("tools/list", json!({})).await).is_empty());
}

#[tokio::test]
async fn a_request_must_say_what_it_is_of_and_be_of_something_known() {
    let mut served = serve();
    let mut params = with_meta(json!({}));
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2030-01-01");
    let answer = served.client.request("tools/list", params).await;
    assert_eq!(code(&answer), -32022);
    assert_eq!(answer["error"]["data"]["requested"], "2030-01-01");
    assert!(answer["error"]["data"]["supported"].as_array().unwrap().contains(&json!(MODERN)));

    let mut params = with_meta(json!({}));
    let meta = params["_meta"].as_object_mut().unwrap();
    meta.remove("io.modelcontextprotocol/clientCapabilities");
    assert_eq!(code(&served.client.request("tools/list", params).await), -32602);
}

#[tokio::test]
async fn only_tools_are_declared_and_nothing_else_is_there() {
    let mut served = serve();
    let answer = served.client.initialize(LEGACY).await;
    assert_eq!(answer["result"]["capabilities"], json!({ "tools": { "listChanged": true } }));
    assert_eq!(answer["result"]["serverInfo"]["version"], "1.2.3");
    assert!(answer["result"]["instructions"].as_str().unwrap().len() <= 2048);
    let complete = json!({
        "ref": { "type": "ref/prompt", "name": "x" },
        "argument": { "name": "a", "value": "" },
    });
    for (method, params) in [
        ("prompts/list", json!({})),
        ("prompts/get", json!({ "name": "x" })),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({ "uri": "file:///x" })),
        ("resources/subscribe", json!({ "uri": "file:///x" })),
        ("completion/complete", complete),
        ("logging/setLevel", json!({ "level": "info" })),
        ("tasks/get", json!({ "taskId": "x" })),
        ("no/such", json!({})),
    ] {
        let legacy = served.client.request(method, params.clone()).await;
        assert_eq!(code(&legacy), -32601, "{method}");
        let modern = served.client.modern(method, params).await;
        assert_eq!(code(&modern), -32601, "{method}");
    }
}

#[tokio::test]
async fn a_script_that_pipes_its_requests_in_gets_its_answers() {
    let mut served = serve();
    let client = &mut served.client;
    let hello = json!({
        "protocolVersion": LEGACY,
        "capabilities": {},
        "clientInfo": { "name": "script", "version": "1" },
    });
    let first = client.begin("initialize", hello).await;
    client.notify("notifications/initialized", json!({})).await;
    let second = client.begin("tools/list", json!({})).await;
    client.close_input().await;
    let mut client = served.end().await;
    assert!(client.response(first).await.get("result").is_some());
    assert!(client.response(second).await.get("result").is_some());
}

#[tokio::test]
async fn shutting_down_ends_the_connection_and_answers_what_runs() {
    let mut served = serve();
    served.load("spins").await;
    let id = served.client.begin_modern("tools/call", json!({ "name": "spin" })).await;
    served.client.modern("server/discover", json!({})).await;
    served.shutdown.cancel();
    let mut client = served.end().await;
    let answer: Value = client.response(id).await;
    assert_eq!(code(&answer), -32603);
}
