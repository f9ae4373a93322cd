//! Whose yes counts, over pipes and in both eras: the whole story with a yes and with a no, and all
//! the ways in which something else comes back than a person's answer to the question that was put.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use wassette_mcp::built_in_tools;
use wassette_testkit::{LEGACY, McpClient};
use wassette_toolbox::{Approver, Choice, Inquiry, Term, Verdict};

use crate::desk::{Desk, WORD, accept, answering, fails, question, told, works};
use crate::support::{code, connect, names, options};

/// Calls, and answers the question of 2026-07-28 with `said`.
async fn call_and_say(
    client: &mut McpClient,
    name: &str,
    arguments: &Value,
    said: &Value,
) -> Value {
    let asked = client.call_modern(name, arguments.clone()).await;
    let (_, state) = question(&asked);
    client.modern("tools/call", answering(name, arguments, &state, said)).await
}

/// Calls over a handshake, and answers the question with `said`.
async fn call_and_reply(
    client: &mut McpClient,
    name: &str,
    arguments: &Value,
    said: &Value,
) -> (Value, Value) {
    let params = json!({ "name": name, "arguments": arguments });
    let id = client.begin("tools/call", params).await;
    let asked = client.asked("elicitation/create").await;
    client.reply(&asked, said.clone()).await;
    (asked["params"].clone(), client.response(id).await)
}

#[tokio::test]
async fn the_story_without_a_handshake() {
    let mut desk = Desk::new().await;
    let add = json!({ "path": "add.wasm" });
    let asked = desk.client().call_modern("load-component", add.clone()).await;
    let (params, state) = question(&asked);
    let message = params["message"].as_str().unwrap();
    assert!(message.starts_with("Load a component as `add`?\nsource: file://"), "{message}");
    assert!(message.contains("\ndigest: sha256:"), "{message}");
    let decision = &params["requestedSchema"]["properties"]["decision"];
    assert_eq!(decision["enum"], json!(["allow", "deny"]));
    let yes = answering("load-component", &add, &state, &accept("allow"));
    works(&desk.client().modern("tools/call", yes).await);

    let reading = desk.reading();
    let asked = desk.client().call_modern("read-file", reading.clone()).await;
    let (params, state) = question(&asked);
    let message = params["message"].as_str().unwrap().to_owned();
    let rule = format!("\n  + allow storage fs://{} read\n", desk.file.display());
    assert!(message.contains(&rule), "{message}");
    let yes = answering("read-file", &reading, &state, &accept("allow once"));
    let read = desk.client().modern("tools/call", yes).await;
    assert_eq!(read["result"]["structuredContent"], json!({ "result": WORD }));

    // It was for one call. Through `call-tool` the same is asked, for good this time.
    let by_name = json!({ "name": "read-file", "arguments": reading });
    let read = call_and_say(desk.client(), "call-tool", &by_name, &accept("allow always")).await;
    assert_eq!(told(&read), (false, WORD.to_owned()));
    works(&desk.client().call_modern("read-file", reading).await);
    assert!(desk.policy().unwrap().contains("a.txt"));
    let said = [("load", "allow"), ("grant", "allow once"), ("grant", "allow always")];
    assert_eq!(desk.verdicts().await, said.map(|(what, word)| (what.to_owned(), word.to_owned())));
}

#[tokio::test]
async fn the_story_over_a_handshake() {
    let mut desk = Desk::legacy().await;
    let add = json!({ "path": "add.wasm" });
    let (_, loaded) = call_and_reply(desk.client(), "load-component", &add, &accept("allow")).await;
    works(&loaded);
    let reading = desk.reading();
    let (params, read) =
        call_and_reply(desk.client(), "read-file", &reading, &accept("allow always")).await;
    assert_eq!(params["mode"], "form");
    assert_eq!(told(&read), (false, WORD.to_owned()));
    works(&desk.client().call("read-file", reading).await);
}

#[tokio::test]
async fn a_model_asks_for_several_permissions_in_one_question() {
    let mut desk = Desk::legacy().await;
    let wish = json!({
        "component_id": "files",
        "reason": "the task",
        "permissions": {
            "storage": { "allow": [{ "uri": format!("fs://{}", desk.file.display()), "access": ["read"] }] },
            "network": { "allow": [{ "host": "example.com", "methods": ["GET"], "ports": ["443"] }] },
            "environment": { "allow": [{ "key": "LANG" }] },
        },
    });
    let (params, granted) =
        call_and_reply(desk.client(), "request-permission", &wish, &accept("allow always")).await;
    let message = params["message"].as_str().unwrap();
    assert_eq!(message.matches("\n  + allow ").count(), 3, "{message}");
    assert!(message.contains("\u{201c}the task\u{201d}"), "{message}");
    let result = &granted["result"]["structuredContent"]["result"];
    assert_eq!(result["status"], "permission granted successfully");
    assert_eq!(result["changes"].as_array().unwrap().len(), 3);
    assert_eq!(result["lasting"], "for good");
    let policy = desk.client().call("get-policy", json!({ "component_id": "files" })).await;
    let policy = &policy["result"]["structuredContent"]["result"];
    assert_eq!(policy["status"], "policy found");
    let allowed = &policy["policy"]["permissions"]["network"]["allow"][0];
    assert!(allowed.to_string().contains("example.com"), "{policy}");

    // What takes away is done at once.
    for (tool, details) in [
        ("revoke-network-permission", json!({ "host": "https://example.com" })),
        ("revoke-environment-variable-permission", json!({ "key": "LANG" })),
        (
            "revoke-storage-permission",
            json!({ "uri": wish["permissions"]["storage"]["allow"][0]["uri"] }),
        ),
    ] {
        let arguments = json!({ "component_id": "files", "details": details });
        works(&desk.client().call(tool, arguments).await);
    }
    let policy = desk.client().call("get-policy", json!({ "component_id": "files" })).await;
    let policy = &policy["result"]["structuredContent"]["result"];
    assert_eq!(policy["status"], "no policy found");
}

#[tokio::test]
async fn denied_p06_a_grant_that_a_person_declines_or_puts_away() {
    let mut modern = Desk::new().await;
    let mut legacy = Desk::legacy().await;
    for (number, (said, words)) in [
        (accept("deny"), "declined"),
        (json!({ "action": "decline" }), "declined"),
        (json!({ "action": "cancel" }), "put away"),
        (accept("sure"), "no answer to the question"),
        (json!({ "action": "accept" }), "no answer to the question"),
        (json!({ "action": "approve" }), "no answer to the question"),
        (json!({}), "no answer to the question"),
    ]
    .into_iter()
    .enumerate()
    {
        // Each of them is about something else, for the same is not asked twice in a minute.
        let key = format!("KEY_{number}");
        let wish = json!({ "component_id": "files", "details": { "key": key } });
        let tool = "grant-environment-variable-permission";
        let answer = call_and_say(modern.client(), tool, &wish, &said).await;
        fails(&answer, words);
        let (_, answer) = call_and_reply(legacy.client(), tool, &wish, &said).await;
        fails(&answer, words);
        // A no is not asked again at once.
        fails(&modern.client().call_modern(tool, wish.clone()).await, "less than a minute ago");
        fails(&legacy.client().call(tool, wish).await, "less than a minute ago");
    }
    for desk in [modern, legacy] {
        assert_eq!(desk.policy(), None);
        assert_eq!(desk.verdicts().await.len(), 7);
    }
}

#[tokio::test]
async fn denied_p06_what_a_call_needs_after_a_no() {
    let mut desk = Desk::new().await;
    let reading = desk.reading();
    let declined = json!({ "action": "decline" });
    let answer = call_and_say(desk.client(), "read-file", &reading, &declined).await;
    fails(&answer, "denied:");
    fails(&answer, "the person who was asked declined");
    // From now on the denial is the answer, without a question.
    let again = desk.client().call_modern("read-file", reading).await;
    fails(&again, "denied:");
    assert_eq!(desk.policy(), None);
}

#[tokio::test]
async fn denied_p05_what_is_forged_replayed_or_comes_from_elsewhere() {
    let mut desk = Desk::new().await;
    let (wish, tool) = (desk.wish(), "grant-storage-permission");
    let yes = accept("allow always");
    let params = |state: &str| answering(tool, &wish, state, &yes);
    let asked = desk.client().call_modern(tool, wish.clone()).await;
    let (_, state) = question(&asked);
    let foreign = "was not given by this server to this client for this tool";

    let mut refused = Vec::new();
    for forged in ["", "rs1.AAAA.AAAA", &format!("{state}A"), &state.to_uppercase()] {
        refused.push((desk.client().modern("tools/call", params(forged)).await, foreign));
    }
    let without = json!({ "name": tool, "arguments": wish, "inputResponses": { "decision": yes } });
    refused.push((desk.client().modern("tools/call", without).await, "without the `requestState`"));
    let mut other = params(&state);
    other["arguments"]["details"]["access"] = json!(["read", "write"]);
    refused.push((desk.client().modern("tools/call", other).await, foreign));
    let mut other = params(&state);
    other["name"] = json!("request-permission");
    refused.push((desk.client().modern("tools/call", other).await, foreign));
    let mut other = params(&state);
    let client = json!({ "name": "another", "version": "1" });
    other["_meta"] = json!({ "io.modelcontextprotocol/clientInfo": client });
    refused.push((desk.client().modern("tools/call", other).await, foreign));
    let other = options(desk.served.folder.path());
    let (mut second, _server) = connect(&desk.served.toolbox, other, &CancellationToken::new());
    refused.push((second.modern("tools/call", params(&state)).await, foreign));
    for (answer, words) in &refused {
        fails(answer, words);
    }
    assert_eq!(desk.policy(), None);

    // None of these has used the question up. Its answer does, whatever it says.
    let decline = answering(tool, &wish, &state, &json!({ "action": "decline" }));
    fails(&desk.client().modern("tools/call", decline).await, "declined");
    fails(&desk.client().modern("tools/call", params(&state)).await, "was used already");
    assert_eq!(desk.policy(), None);
    let verdicts = desk.verdicts().await;
    let of = |word: &str| verdicts.iter().filter(|(_, verdict)| verdict == word).count();
    assert_eq!(of("forged") + of("answer without a question"), refused.len());
    assert_eq!((of("replayed"), of("declined")), (1, 1), "{verdicts:?}");
}

#[tokio::test]
async fn denied_p05_a_call_with_a_forged_answer_is_not_made() {
    let mut desk = Desk::new().await;
    let folder = desk.file.parent().unwrap().to_owned();
    let wish = json!({
        "component_id": "files",
        "details": { "uri": format!("fs://{}", folder.display()), "access": ["write"] },
    });
    let tool = "grant-storage-permission";
    works(&call_and_say(desk.client(), tool, &wish, &accept("allow always")).await);
    let written = folder.join("written.txt");
    let writing = json!({ "path": written, "content": "x" });
    let forged = answering("write-file", &writing, "forged", &accept("allow once"));
    fails(&desk.client().modern("tools/call", forged).await, "Nothing was done");
    let bare = json!({ "name": "write-file", "arguments": writing, "inputResponses": {} });
    fails(&desk.client().modern("tools/call", bare).await, "Nothing was done");
    assert!(!written.exists());
    works(&desk.client().call_modern("write-file", writing).await);
    assert!(written.exists());
}

#[tokio::test]
async fn a_question_that_comes_back_without_an_answer_is_put_again() {
    let mut desk = Desk::new().await;
    let reading = desk.reading();
    let asked = desk.client().call_modern("read-file", reading.clone()).await;
    let (first, state) = question(&asked);
    let mut params = answering("read-file", &reading, &state, &Value::Null);
    params["inputResponses"] = json!({ "something": accept("allow once") });
    let again = desk.client().modern("tools/call", params).await;
    let (second, other) = question(&again);
    assert_eq!(first, second);
    let late = answering("read-file", &reading, &state, &accept("allow once"));
    fails(&desk.client().modern("tools/call", late).await, "was used already");
    let yes = answering("read-file", &reading, &other, &accept("allow once"));
    assert_eq!(told(&desk.client().modern("tools/call", yes).await), (false, WORD.to_owned()));
}

#[tokio::test]
async fn denied_p05_a_client_that_cannot_ask_and_the_request_waits() {
    for capabilities in [json!({}), json!({ "elicitation": { "url": {} } })] {
        let mut desk = Desk::with(|_| {}, |_| {}).await;
        desk.client().declare(capabilities);
        desk.client().initialize(LEGACY).await;
        let (wish, tool) = (desk.wish(), "grant-storage-permission");
        for _ in 0..2 {
            fails(&desk.client().call(tool, wish.clone()).await, "waits as number 1");
            fails(&desk.client().call_modern(tool, wish.clone()).await, "waits as number 1");
        }
        let add = json!({ "path": "add.wasm" });
        fails(&desk.client().call("load-component", add).await, "waits as number 2");
        // What a call is denied is no request.
        let reading = desk.reading();
        fails(&desk.client().call("read-file", reading.clone()).await, "denied:");
        assert_eq!(desk.served.toolbox.pending().await.unwrap().len(), 2);
        assert_eq!(desk.policy(), None);
        assert!(desk.client().unasked().is_empty());

        let shown = desk.served.toolbox.waiting(1).await.unwrap();
        desk.served.toolbox.approve_pending(1, &shown, Term::Always, |_| {}).await.unwrap();
        works(&desk.client().call("read-file", reading).await);
        works(&desk.client().call(tool, wish).await);
    }
}

#[tokio::test]
async fn denied_p05_all_that_changes_anything_on_a_locked_server() {
    let lock = |options: &mut wassette_toolbox::Options| options.approval.locked = true;
    let mut desk = Desk::with(lock, |_| {}).await;
    desk.client().declare(json!({ "elicitation": {} }));
    let list = names(&desk.client().modern("tools/list", json!({})).await);
    let served = [
        "call-tool",
        "get-policy",
        "inspect-component",
        "list-components",
        "search-components",
        "search-tools",
    ];
    for tool in built_in_tools() {
        let is_served = served.contains(&tool.name.as_str());
        assert_eq!(list.contains(&tool.name), is_served, "{}", tool.name);
        let answer = desk.client().call_modern(&tool.name, json!({})).await;
        if is_served {
            assert!(answer.get("result").is_some(), "{answer}");
        } else {
            assert_eq!(code(&answer), -32602, "{answer}");
        }
    }
    let reading = desk.reading();
    fails(&desk.client().call_modern("read-file", reading).await, "denied:");
    let instructions = desk.client().initialize(LEGACY).await;
    assert!(!instructions.to_string().contains("request-permission"), "{instructions}");
}

#[tokio::test]
async fn several_questions_are_answered_in_any_order() {
    let mut desk = Desk::legacy().await;
    let tool = "grant-environment-variable-permission";
    let wish = |key: &str| {
        let arguments = json!({ "component_id": "files", "details": { "key": key } });
        json!({ "name": tool, "arguments": arguments })
    };
    let mut open = Vec::new();
    for key in ["ONE", "TWO", "THREE", "FOUR"] {
        let id = desk.client().begin("tools/call", wish(key)).await;
        let asked = desk.client().asked("elicitation/create").await;
        let message = asked["params"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(&format!("+ allow variable {key}")), "{message}");
        open.push((key, id, asked));
    }
    // One more is too many over one connection: it waits for somebody else.
    let answer = desk.client().request("tools/call", wish("FIVE")).await;
    fails(&answer, "waits as number 1");
    for (key, id, asked) in open.iter().rev() {
        let word = if *key == "TWO" { "deny" } else { "allow always" };
        desk.client().reply(asked, accept(word)).await;
        let answer = desk.client().response(*id).await;
        assert_eq!(told(&answer).0, *key == "TWO", "{answer}");
    }
    let policy = desk.policy().unwrap();
    let has = |key: &str| policy.contains(&format!("\"{key}\""));
    assert_eq!(["ONE", "TWO", "THREE", "FOUR", "FIVE"].map(has), [true, false, true, true, false]);
    let id = desk.client().begin("tools/call", wish("SIX")).await;
    let asked = desk.client().asked("elicitation/create").await;
    desk.client().reply(&asked, accept("allow once")).await;
    works(&desk.client().response(id).await);
}

/// Asks for the variable `KEY_<number>`, and cancels the call while the question is open. Gives the
/// question.
async fn ask_and_cancel(client: &mut McpClient, number: usize) -> Value {
    let (name, arguments) = variable(number);
    let id = client.begin("tools/call", json!({ "name": name, "arguments": arguments })).await;
    let asked = client.asked("elicitation/create").await;
    client.notify("notifications/cancelled", json!({ "requestId": id })).await;
    let taken_back = client.notification("notifications/cancelled").await;
    assert_eq!(taken_back["params"]["requestId"], asked["id"]);
    asked
}

/// A call for a variable of its own for each number.
fn variable(number: usize) -> (&'static str, Value) {
    let details = json!({ "key": format!("KEY_{number}") });
    let wish = json!({ "component_id": "files", "details": details });
    ("grant-environment-variable-permission", wish)
}

#[tokio::test]
async fn denied_p06_a_grant_after_the_call_was_cancelled() {
    let mut desk = Desk::legacy().await;
    for number in 0..5 {
        let asked = ask_and_cancel(desk.client(), number).await;
        desk.client().reply(&asked, accept("allow always")).await;
    }
    desk.client().request("ping", json!({})).await;
    assert_eq!(desk.policy(), None);
    let withdrawn = ("grant".to_owned(), "withdrawn".to_owned());
    assert_eq!(desk.verdicts().await, vec![withdrawn; 5]);
}

#[tokio::test]
async fn denied_questions_that_are_put_and_taken_back_again_and_again() {
    let mut desk = Desk::legacy().await;
    for number in 0..10 {
        ask_and_cancel(desk.client(), number).await;
        let (tool, again) = variable(number);
        fails(&desk.client().call(tool, again).await, "less than a minute ago");
    }
    let (tool, another) = variable(10);
    fails(&desk.client().call(tool, another).await, "less than a minute ago");
    assert_eq!(desk.verdicts().await.len(), 10);
}

#[tokio::test]
async fn denied_p06_a_grant_that_nobody_answers_in_time() {
    let hurry = |options: &mut wassette_mcp::ServerOptions| {
        options.question_time = Duration::from_millis(50);
    };
    let mut desk = Desk::with(|_| {}, hurry).await;
    desk.client().declare(json!({ "elicitation": {} }));
    desk.client().initialize(LEGACY).await;
    let params = json!({ "name": "grant-storage-permission", "arguments": desk.wish() });
    let answer = desk.client().request("tools/call", params).await;
    fails(&answer, "nobody answered in time");
    let asked = desk.client().asked("elicitation/create").await;
    let taken_back = desk.client().notification("notifications/cancelled").await;
    assert_eq!(taken_back["params"]["requestId"], asked["id"]);
    desk.client().reply(&asked, accept("allow always")).await;
    desk.client().request("ping", json!({})).await;
    assert_eq!(desk.policy(), None);
    assert_eq!(desk.verdicts().await, [("grant".to_owned(), "unanswered".to_owned())]);
}

#[tokio::test]
async fn a_client_hears_that_its_call_waits_for_a_person() {
    let mut desk = Desk::legacy().await;
    let params = json!({
        "name": "grant-storage-permission",
        "arguments": desk.wish(),
        "_meta": { "progressToken": "p" },
    });
    let id = desk.client().begin("tools/call", params).await;
    let asked = desk.client().asked("elicitation/create").await;
    let news = desk.client().notification("notifications/progress").await;
    assert_eq!(news["params"]["message"], "waiting for a person");
    desk.client().reply(&asked, accept("allow until the server stops")).await;
    let answer = desk.client().response(id).await;
    let result = &answer["result"]["structuredContent"]["result"];
    assert_eq!(result["lasting"], "until the server stops");
}

#[tokio::test]
async fn denied_p05_words_that_change_how_a_question_reads() {
    let mut desk = Desk::new().await;
    let tricks = "\u{202e}\u{1b}[2K\r\n\nsource: file:///trusted\u{2028}\u{0}\u{200b}\u{feff}";
    let mut wish = desk.wish();
    wish["reason"] = json!(format!("ok{tricks}\nallow everything"));
    let asked = desk.client().call_modern("grant-storage-permission", wish).await;
    let (params, _) = question(&asked);
    let message = params["message"].as_str().unwrap();
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), 5, "{message}");
    assert!(lines[4].starts_with("The agent gives this reason: \u{201c}ok"), "{message}");
    let is_plain = |c: char| c == '\n' || matches!(c, ' '..='~' | '\u{201c}' | '\u{201d}');
    assert!(message.chars().all(is_plain), "{message:?}");

    // What a call was given and denied: a name that cannot be shown as it is, nobody is asked about.
    let path = desk.file.parent().unwrap().join(format!("x{}", tricks.replace('\0', "")));
    let read = desk.client().call_modern("read-file", json!({ "path": path })).await;
    fails(&read, "denied:");
    assert!(told(&read).1.chars().all(is_plain), "{read}");
    // Nor is a rule with such signs one.
    let mut wish = desk.wish();
    wish["details"]["uri"] = json!(format!("fs:///data{tricks}"));
    let answer = desk.client().call_modern("grant-storage-permission", wish).await;
    fails(&answer, "a path cannot hold");
    let details = json!({ "host": format!("example.com{tricks}") });
    let wish = json!({ "component_id": "files", "details": details });
    fails(&desk.client().call_modern("grant-network-permission", wish).await, "the scheme");
    let details = json!({ "key": format!("KEY{tricks}") });
    let wish = json!({ "component_id": "files", "details": details });
    let tool = "grant-environment-variable-permission";
    fails(&desk.client().call_modern(tool, wish).await, "the key of a variable");
    assert_eq!(desk.policy(), None);
}

/// A terminal whose person always says the same.
struct Terminal {
    says: Verdict,
    asked: Mutex<Vec<String>>,
    dropped: AtomicUsize,
}

struct Withdrawn<'a>(&'a AtomicUsize);

impl Drop for Withdrawn<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Terminal {
    fn new(says: Verdict) -> Arc<Self> {
        Arc::new(Self { says, asked: Mutex::default(), dropped: AtomicUsize::default() })
    }
}

impl Approver for Terminal {
    fn ask<'a>(
        &'a self,
        inquiry: &'a Inquiry,
    ) -> std::pin::Pin<Box<dyn Future<Output = Option<Verdict>> + Send + 'a>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(inquiry.text());
            if self.says == Verdict::Unanswered {
                let _withdrawn = Withdrawn(&self.dropped);
                std::future::pending::<()>().await;
            }
            Some(self.says)
        })
    }
}

#[tokio::test]
async fn whoever_runs_the_server_is_asked_where_the_client_cannot_but_not_for_every_call() {
    let terminal = Terminal::new(Verdict::Chosen(Choice::Session));
    let approver = terminal.clone();
    let mut desk = Desk::with(|_| {}, |options| options.approver = Some(approver)).await;
    let reading = desk.reading();
    fails(&desk.client().call_modern("read-file", reading.clone()).await, "denied:");
    assert!(terminal.asked.lock().unwrap().is_empty());
    let wish = desk.wish();
    works(&desk.client().call_modern("grant-storage-permission", wish).await);
    assert_eq!(terminal.asked.lock().unwrap().len(), 1);
    works(&desk.client().call_modern("read-file", reading).await);
    assert_eq!(desk.policy(), None);

    // A client that can ask does so itself.
    desk.client().declare(json!({ "elicitation": {} }));
    let asked = desk.client().call_modern("load-component", json!({ "path": "add.wasm" })).await;
    question(&asked);
    assert_eq!(terminal.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn denied_p06_a_question_at_the_terminal_that_waits_too_long_or_for_nobody() {
    let terminal = Terminal::new(Verdict::Unanswered);
    let approver = terminal.clone();
    let mut desk = Desk::with(
        |_| {},
        |options| {
            options.approver = Some(approver);
            options.question_time = Duration::from_millis(300);
        },
    )
    .await;
    let params = json!({ "name": "grant-storage-permission", "arguments": desk.wish() });
    let id = desk.client().begin_modern("tools/call", params).await;
    while terminal.asked.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    desk.client().notify("notifications/cancelled", json!({ "requestId": id })).await;
    while terminal.dropped.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // What was withdrawn counts like a no; something else is asked.
    let (tool, another) = variable(0);
    fails(&desk.client().call_modern(tool, another).await, "nobody answered in time");
    let wish = desk.wish();
    let answer = desk.client().call_modern("grant-storage-permission", wish).await;
    fails(&answer, "less than a minute ago");
    assert_eq!(desk.policy(), None);
    let said = ["withdrawn", "unanswered"].map(|word| ("grant".to_owned(), word.to_owned()));
    assert_eq!(desk.verdicts().await, said);
}
