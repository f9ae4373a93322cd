//! Calls, and the words in which they fail.

use serde_json::json;
use wassette_toolbox::{CallRefused, UnknownTool};

use crate::{Workshop, limits, object, two_and_three};

#[tokio::test]
async fn a_result_is_text_and_structure_with_the_same_content() {
    let workshop = Workshop::new();
    workshop.wat("add").await;
    let output = workshop.call("add", two_and_three()).await;
    assert_eq!(output.text, ["5"]);
    assert_eq!(output.structured, Some(json!({ "result": 5 })));
    assert!(!output.is_error && output.denials.is_empty());
    assert!(output.usage.duration.as_nanos() > 0);

    workshop.built("zoo").await;
    let output = workshop.call("echo-string", json!({ "v": "line\n\"quoted\"" })).await;
    assert_eq!(output.text, ["line\n\"quoted\""]);
    assert_eq!(output.structured, Some(json!({ "result": "line\n\"quoted\"" })));
    let output = workshop.call("echo-point", json!({ "v": { "x": 1, "y": 2 } })).await;
    assert_eq!(output.text, [r#"{"x":1,"y":2}"#]);
    let output = workshop.call("nothing", json!({})).await;
    assert_eq!((output.text, output.structured), (vec!["done".to_owned()], None));
}

#[tokio::test]
async fn arguments_that_do_not_fit_say_where() {
    let workshop = Workshop::new();
    workshop.wat("add").await;
    for (arguments, words) in [
        (json!({ "a": 2 }), "arguments.b"),
        (json!({ "a": 2, "b": "three" }), "arguments.b: expected"),
        (json!({ "a": 2, "b": 3, "c": 4 }), "`c`"),
        (json!({ "a": 2, "b": 3.5 }), "arguments.b"),
        (json!({ "a": 2, "b": 2_147_483_648_u32 }), "arguments.b"),
    ] {
        let output = workshop.call("add", arguments).await;
        assert!(output.is_error && output.structured.is_none());
        assert!(output.text[0].contains(words), "{}", output.text[0]);
    }
}

#[tokio::test]
async fn an_error_of_the_guest_is_an_error() {
    let workshop = Workshop::new();
    workshop.built("chaos").await;
    let output = workshop.call("fail", json!({ "message": "no luck" })).await;
    assert!(output.is_error && output.structured.is_none());
    assert_eq!(output.text, ["no luck"]);
}

#[tokio::test]
async fn an_error_without_a_value_is_said_in_words() {
    let workshop = Workshop::new();
    workshop.built("zoo").await;
    for tool in ["echo-result-neither", "echo-result-ok-only"] {
        let output = workshop.call(tool, json!({ "v": { "err": null } })).await;
        assert!(output.is_error, "{output:?}");
        assert_eq!(output.text, ["the tool reported failure without a message"], "{tool}");
    }
}

#[tokio::test]
async fn a_crash_says_what_happened_and_what_to_do() {
    let workshop = Workshop::with(|options| options.limits = limits([("cpu", "100ms")]));
    workshop.built("chaos").await;
    let output = workshop.call("infinite-loop", json!({})).await;
    assert!(output.is_error);
    assert_eq!(
        output.text,
        ["the call was stopped at its limit of 100ms of processor time\n\
          hint: ask for less at once, or raise `cpu` with `wassette permission grant limit`, as far as `[limits]` in the configuration goes"]
    );
    let output = workshop.call("panic", json!({ "message": "secret of the log" })).await;
    // Of what it wrote only the last line, as its own words.
    let words = "\n  the component's own last words: secret of the log\nhint: ";
    assert!(output.text[0].contains(words), "{output:?}");
    assert!(output.stderr.contains("secret of the log"));
}

#[tokio::test]
async fn denied_a_request_is_reported_even_if_the_guest_swallows_it() {
    let workshop = Workshop::new();
    workshop.load(&wassette_testkit::example("fetch").to_string_lossy()).await.unwrap();
    let asked = json!({ "url": "https://api.other.com/v1/now?token=secret" });
    let output = workshop.call("fetch", asked).await;
    assert_eq!(
        output.text.last().unwrap(),
        "denied: component `fetch` may not GET https://api.other.com/v1/now\n  \
         no rule allows host `api.other.com`\n  \
         to allow it: wassette permission grant network fetch https://api.other.com --methods GET"
    );
    assert_eq!(output.denials.len(), 1);
}

#[tokio::test]
async fn denied_x14_results_and_arguments_are_bounded() {
    let workshop = Workshop::with(|options| {
        options.limits = limits([("result-bytes", "10Ki"), ("argument-bytes", "10Ki")]);
    });
    workshop.built("chaos").await;
    let output = workshop.call("huge-string", json!({ "bytes": 9_000 })).await;
    assert!(!output.is_error);
    for huge in ["huge-string", "huge-bytes", "huge-error"] {
        let output = workshop.call(huge, json!({ "bytes": 20_000 })).await;
        assert!(output.is_error && output.structured.is_none());
        assert!(output.text[0].len() < 300, "{}", output.text[0]);
    }
    let output = workshop.call("fail", json!({ "message": "x".repeat(20_000) })).await;
    assert!(output.is_error && output.text[0].len() < 300, "{}", output.text[0].len());
}

#[tokio::test]
async fn a_tool_answers_to_every_spelling_that_means_no_other() {
    let workshop = Workshop::new();
    workshop.built("zoo").await;
    let names = workshop.names().await;
    assert!(names.contains(&"test_zoo_types_echo_u8".to_owned()), "{names:?}");
    for name in [
        "test_zoo_types_echo_u8",
        "test_zoo_types_0_1_0_echo_u8",
        "test_zoo_types_echo-u8",
        "test:zoo/types@0.1.0#echo-u8",
        "test:zoo/types#echo-u8",
        "echo-u8",
        "zoo/echo-u8",
    ] {
        let output = workshop.call(name, json!({ "v": 7 })).await;
        assert_eq!(output.text, ["7"], "{name}");
    }
}

#[tokio::test]
async fn an_unknown_tool_is_refused_with_the_nearest() {
    let workshop = Workshop::new();
    workshop.wat("add").await;
    let refused = workshop.toolbox.call("ad", object(json!({}))).await.unwrap_err();
    let expected = UnknownTool::Unknown { name: "ad".to_owned(), nearest: Some("add".to_owned()) };
    assert_eq!(refused, CallRefused::Unknown(expected));
    assert_eq!(refused.to_string(), "there is no tool `ad`; did you mean `add`?");
    let refused = workshop.toolbox.call("\u{1b}[2J", object(json!({}))).await.unwrap_err();
    assert_eq!(refused.to_string(), "there is no tool `[2J`");
}

#[tokio::test]
async fn closing_stops_what_runs_and_refuses_what_comes() {
    let workshop = Workshop::new();
    workshop.built("chaos").await;
    let toolbox = workshop.toolbox.clone();
    let running =
        tokio::spawn(async move { toolbox.call("infinite-loop", object(json!({}))).await });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    workshop.toolbox.close();
    assert_eq!(running.await.unwrap(), Err(CallRefused::Closed));
    let refused = workshop.toolbox.call("count-calls", object(json!({}))).await;
    assert_eq!(refused, Err(CallRefused::Closed));
}

#[tokio::test]
async fn a_call_ends_on_the_version_it_began_with() {
    let workshop = Workshop::new();
    workshop.built("chaos").await;
    let toolbox = workshop.toolbox.clone();
    let running =
        tokio::spawn(async move { toolbox.call("sleep", object(json!({ "millis": 300 }))).await });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    workshop.toolbox.unload("chaos").await.unwrap();
    assert!(!running.await.unwrap().unwrap().is_error);
    assert!(workshop.names().await.is_empty());
}
