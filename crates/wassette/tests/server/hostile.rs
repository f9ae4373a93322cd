//! Guests that try to break out: each gets an error of its own, nothing but the protocol is on
//! stdout, and the next call works.

use serde_json::json;
use wassette_testkit::compiled;

use crate::{answer, chaos, env, server};

#[tokio::test]
async fn denied_x17_each_misdeed_has_its_own_error_and_the_next_call_works() {
    let env = env();
    let mut client = chaos(&env).await;
    for (misdeed, arguments, words) in [
        (
            "infinite-loop",
            json!({}),
            "the call was stopped at its limit of 300ms of processor time",
        ),
        ("sleep-forever", json!({}), "the call was stopped at its time limit of 1s"),
        ("memory-bomb", json!({}), "the component needs more than its memory limit of 64Mi"),
        ("stack-overflow", json!({}), "the component crashed: "),
        (
            "leak-handles",
            json!({ "count": 100_000 }),
            "the component holds more than its limit of 500 open handles",
        ),
        ("trap", json!({}), "the component crashed: it gave up"),
        ("panic", json!({ "message": "oh" }), "the component crashed: it gave up"),
        ("panic-huge", json!({ "bytes": 1_000_000 }), "the component crashed: it gave up"),
        ("exit", json!({ "success": true }), "the component exited with code 0"),
        ("exit", json!({ "success": false }), "the component exited with code 1"),
        ("huge-string", json!({ "bytes": 1_000_000 }), "the result has"),
        ("huge-bytes", json!({ "bytes": 8_000_000 }), "the component hands over more"),
        ("write-huge", json!({ "mebibytes": 200 }), "the component"),
        ("random", json!({ "bytes": 1_099_511_627_776_u64 }), "the component hands over more"),
    ] {
        let response = client.call(misdeed, arguments).await;
        let (is_error, text) = answer(&response);
        assert!(is_error && text.starts_with(words), "{misdeed}: {text}");
        assert!(text.len() < 500 && !text.contains("wasm backtrace"), "{misdeed}: {text}");
        let next = client.call("count-calls", json!({})).await;
        assert_eq!(next["result"]["structuredContent"]["result"], 1, "after {misdeed}");
    }
}

#[tokio::test]
async fn denied_x16_a_guest_cannot_speak_in_our_name() {
    let env = env();
    let mut client = chaos(&env).await;
    let next = client.next_id();
    // The forged answer has the id of the very call that prints it.
    let response = client.call("forge-answer", json!({ "id": next })).await;
    assert!(!answer(&response).0);
    for flood in ["flood-stdout", "flood-stderr"] {
        client.call(flood, json!({})).await;
    }
    client
        .call("write-stdout", json!({ "text": "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n" }))
        .await;
    client.request("ping", json!({})).await;
    assert!(client.unasked().is_empty(), "{:?}", client.unasked());
}

/// Ten megabytes of terminal escapes and bidirectional controls on standard error reach nobody's
/// terminal and nobody's model.
#[tokio::test]
async fn denied_x21_what_a_crash_prints_is_cut_and_cleaned() {
    let env = env();
    env.configure("show_output = true\n[limits]\noutput-bytes = \"4Ki\"\n");
    let chaos = wassette_testkit::built("chaos");
    let _ = env.run(["component", "load", &chaos.to_string_lossy()]).success();
    let arguments = json!({ "bytes": 10 << 20 });
    let call = ["tool", "invoke", "panic-huge", "--args", &arguments.to_string(), "-v"];
    let output = env.finish(env.command(call).env("RUST_LOG", "debug"));
    assert_eq!(output.code, Some(1), "{output}");
    let shown = format!("{}{}", output.stdout, output.stderr);
    assert!(shown.contains("more bytes were dropped"), "{shown}");
    assert!(shown.len() < 64 << 10, "{} bytes", shown.len());
    let unclean = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{202c}\u{200b}".contains(c);
    assert!(!shown.contains(unclean), "{shown:?}");

    let mut client = server(&env).await;
    let response = client.call("panic-huge", arguments).await;
    let texts = response["result"]["content"].as_array().unwrap();
    assert!(
        answer(&response).0 && answer(&response).1.starts_with("the component crashed: it gave up")
    );
    let texts: Vec<&str> = texts.iter().map(|part| part["text"].as_str().unwrap()).collect();
    assert!(!texts.concat().contains(unclean) && texts.concat().len() < 64 << 10, "{texts:?}");
}

/// With two workers and eight endless guests, every ping is answered while all eight still run.
#[tokio::test]
async fn denied_x02_spinning_guests_do_not_hold_up_the_protocol() {
    let env = env();
    env.configure("[limits]\ncpu = \"2s\"\ntime = \"5m\"\n");
    let chaos = wassette_testkit::built("chaos");
    let _ = env.run(["component", "load", &chaos.to_string_lossy()]).success();
    let mut client = server(&env).await;
    let mut spinning = Vec::new();
    for _ in 0..8 {
        let call = json!({ "name": "infinite-loop", "arguments": {} });
        spinning.push(client.begin("tools/call", call).await);
    }
    for _ in 0..50 {
        let pong = client.request("ping", json!({})).await;
        assert_eq!(pong["result"], json!({}));
    }
    let quick = client.call("count-calls", json!({})).await;
    assert_eq!(quick["result"]["structuredContent"]["result"], 1);
    // None of the eight had ended by then: each of their answers is still to come.
    let early = client.unasked().iter().filter(|message| message.get("id").is_some()).count();
    assert_eq!(early, 0);
    for id in spinning {
        let response = client.response(id).await;
        assert!(answer(&response).1.contains("2s of processor time"));
    }
}

#[tokio::test]
async fn denied_memories_and_tables_are_bounded_as_a_whole() {
    let env = env();
    env.configure("[limits]\nmemory = \"64Mi\"\ninstances = 300\n");
    for guest in ["grows-memory", "grows-many-memories", "grows-tables"] {
        env.guest(guest);
        let _ = env.run(["component", "load", &format!("{guest}.wasm")]).success();
    }
    let mut client = server(&env).await;
    for (guest, words) in [
        ("grows-memory", "the component needs more than its memory limit of 64Mi"),
        ("grows-many-memories", "the component needs more than its memory limit of 64Mi"),
        ("grows-tables", "the component needs more than its limit of 200000 table elements"),
    ] {
        let listed = client.call("inspect-component", json!({ "id": guest })).await;
        let tool = listed["result"]["structuredContent"]["result"]["tools"][0]["name"].clone();
        let response = client.call(tool.as_str().unwrap(), json!({})).await;
        assert!(answer(&response).1.starts_with(words), "{guest}: {response}");
    }
}

#[tokio::test]
async fn what_cannot_be_loaded_says_why_over_the_protocol() {
    let env = env();
    env.configure("approvals = \"allow\"\n");
    env.write("core.wasm", compiled("core-module"));
    env.write("text.wasm", "hello");
    env.guest("unknown-import");
    env.guest("huge-memory");
    let mut client = server(&env).await;
    for (path, words) in [
        ("core.wasm", "a core WebAssembly module"),
        ("text.wasm", "a text file"),
        ("unknown-import.wasm", "`nobody:knows/this@1.0.0`"),
        ("huge-memory.wasm", "declares a memory of 4Gi"),
        ("missing.wasm", "missing.wasm"),
        ("oci://localhost:1/x:1", "loopback"),
    ] {
        let response = client.call("load-component", json!({ "path": path })).await;
        let (is_error, text) = answer(&response);
        assert!(is_error && text.contains(words), "{path}: {text}");
    }
}
