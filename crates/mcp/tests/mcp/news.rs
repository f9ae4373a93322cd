//! What the server says unasked, and what it must not say: changes of the list, progress, and
//! nothing after a cancellation.

use serde_json::{Value, json};
use wassette_testkit::LEGACY;

use crate::support::{connect, folder, options, serve, serve_with};

const CHANGED: &str = "notifications/tools/list_changed";
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

#[tokio::test]
async fn clients_of_the_older_revisions_are_told_of_changes() {
    let folder = folder();
    let other_options = options(folder.path());
    let mut served = serve_with(folder, |_| {});
    let (mut other, _server) = connect(&served.toolbox, other_options, &served.shutdown);
    served.client.initialize("2024-11-05").await;
    other.initialize(LEGACY).await;
    // An answer to something later than `initialized` says that it was seen.
    other.request("ping", json!({})).await;
    served.client.call("load-component", json!({ "path": "add.wasm" })).await;
    served.client.notification(CHANGED).await;
    // The tools are the same for every client, and so is the news.
    other.notification(CHANGED).await;
    assert!(other.call("add", json!({ "a": 1, "b": 1 })).await.get("result").is_some());
    served.client.call("unload-component", json!({ "id": "add" })).await;
    served.client.notification(CHANGED).await;
    other.notification(CHANGED).await;
}

#[tokio::test]
async fn a_client_of_the_newest_revision_is_told_on_the_stream_it_opened() {
    let mut served = serve();
    let wanted =
        json!({ "notifications": { "toolsListChanged": true, "promptsListChanged": true } });
    let id = served.client.begin_modern("subscriptions/listen", wanted).await;
    let first = served.client.message().await;
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    // What is not declared is not honoured.
    assert_eq!(first["params"]["notifications"], json!({ "toolsListChanged": true }));
    assert_eq!(first["params"]["_meta"][SUBSCRIPTION], id);
    served.load("add").await;
    let changed = served.client.notification(CHANGED).await;
    assert_eq!(changed["params"]["_meta"][SUBSCRIPTION], id);
    // The stream ends in the protocol's own way when the server does.
    served.client.close_input().await;
    let mut client = served.end().await;
    let last = client.response(id).await;
    assert_eq!(last["result"]["resultType"], "complete", "{last}");
}

#[tokio::test]
async fn a_changed_policy_is_news_for_it_changes_the_annotations() {
    let folder = folder();
    let policies = folder.path().join("store").join("policies");
    let mut served = serve_with(folder, |_| {});
    served.client.initialize(LEGACY).await;
    served.load("add").await;
    served.client.notification(CHANGED).await;
    let policy = "network: { allow: [{ host: api.example.com }] }";
    for (text, read_only) in [(policy, false), ("network: {}", true)] {
        std::fs::write(policies.join("draft"), text).unwrap();
        std::fs::rename(policies.join("draft"), policies.join("add.yaml")).unwrap();
        served.client.notification(CHANGED).await;
        let listed = served.client.request("tools/list", json!({})).await;
        let tools = listed["result"]["tools"].as_array().unwrap();
        let add = tools.iter().find(|tool| tool["name"] == "add").unwrap();
        assert_eq!(add["annotations"]["readOnlyHint"], read_only, "{add}");
        assert_eq!(add["annotations"]["openWorldHint"], !read_only, "{add}");
    }
}

#[tokio::test]
async fn nobody_is_told_who_did_not_ask() {
    let mut served = serve();
    let nothing = json!({ "notifications": {} });
    served.client.begin_modern("subscriptions/listen", nothing).await;
    served.client.notification("notifications/subscriptions/acknowledged").await;
    served.load("add").await;
    served.client.call_modern("add", json!({ "a": 1, "b": 1 })).await;
    served.client.close_input().await;
    let client = served.end().await;
    let told = |message: &&Value| message["method"] == CHANGED;
    assert_eq!(client.unasked().iter().find(told), None);
}

#[tokio::test]
async fn a_cancelled_call_is_stopped_and_never_answered() {
    let mut served = serve();
    served.load("spins").await;
    served.load("add").await;
    let id = served.client.begin_modern("tools/call", json!({ "name": "spin" })).await;
    served.client.call_modern("add", json!({ "a": 1, "b": 1 })).await;
    served.client.notify("notifications/cancelled", json!({ "requestId": id })).await;
    // Neither is what never was or is long over.
    served.client.notify("notifications/cancelled", json!({ "requestId": "no-such" })).await;
    served.client.notify("notifications/cancelled", json!({ "requestId": 1 })).await;
    served.client.call_modern("add", json!({ "a": 1, "b": 1 })).await;
    served.client.close_input().await;
    let client = served.end().await;
    assert!(client.unasked().iter().all(|message| message["id"] != id), "{:?}", client.unasked());
}

#[tokio::test]
async fn the_end_of_the_input_stops_a_call_that_would_never_end() {
    let mut served = serve();
    served.load("spins").await;
    served.client.begin_modern("tools/call", json!({ "name": "spin" })).await;
    served.client.modern("server/discover", json!({})).await;
    served.client.close_input().await;
    served.end().await;
}

#[tokio::test]
async fn a_long_call_gives_signs_of_life_to_who_asked_for_them() {
    let mut served = serve();
    served.client.initialize(LEGACY).await;
    served.load("spins").await;
    let silent = served.client.begin("tools/call", json!({ "name": "spin" })).await;
    let params = json!({ "name": "spin", "_meta": { "progressToken": "t" } });
    let heard = served.client.begin("tools/call", params).await;
    for expected in [1.0, 2.0] {
        let progress = served.client.notification("notifications/progress").await;
        assert_eq!(progress["params"]["progressToken"], "t");
        assert_eq!(progress["params"]["progress"].as_f64(), Some(expected));
        assert_eq!(progress["params"]["message"], "running");
    }
    for id in [heard, silent] {
        served.client.notify("notifications/cancelled", json!({ "requestId": id })).await;
    }
}
