//! Whose yes counts over HTTP: in both eras, and for nobody but whoever was asked.

use std::path::PathBuf;

use serde_json::{Value, json};
use wassette_testkit::CAPABILITIES;
use wassette_toolbox::{LoadRequest, Toolbox};

use crate::desk::{WORD, accept, answering, fails, furnish, question, told, verdicts, works};
use crate::http::{Web, request, serve_toolbox};
use crate::http_client::Ask;
use crate::support::{folder, options, toolbox_with};

struct Desk {
    web: Web,
    toolbox: Toolbox,
    file: PathBuf,
}

impl Desk {
    async fn new() -> Self {
        let folder = folder();
        let toolbox = toolbox_with(folder.path(), |_| {});
        let (path, file) = furnish(folder.path());
        let request = LoadRequest::new(path.to_str().unwrap().to_owned(), "/".into());
        toolbox.load(request, |_| {}).await.unwrap();
        let options = options(folder.path());
        let web = serve_toolbox(toolbox.clone(), folder, options, |_| {}).await;
        Self { web, toolbox, file }
    }

    fn reading(&self) -> Value {
        json!({ "path": self.file })
    }

    /// A request of a client that can ask, in the newest revision.
    fn asking(&self, mut params: Value) -> Ask {
        params["_meta"] = json!({ CAPABILITIES: { "elicitation": {} } });
        self.web.modern("tools/call", params)
    }

    async fn send(&self, ask: Ask) -> Value {
        ask.send(self.web.address).await.message()
    }

    async fn is_granted_nothing(&self) -> bool {
        self.toolbox.permissions("files").await.unwrap().policy.is_empty()
    }
}

#[tokio::test]
async fn the_story_without_a_session() {
    let desk = Desk::new().await;
    let reading = desk.reading();
    let call = json!({ "name": "read-file", "arguments": reading });
    let (params, state) = question(&desk.send(desk.asking(call.clone())).await);
    assert!(params["message"].as_str().unwrap().contains("+ allow storage"));
    let yes = answering("read-file", &reading, &state, &accept("allow once"));
    assert_eq!(told(&desk.send(desk.asking(yes)).await), (false, WORD.to_owned()));
    let (_, state) = question(&desk.send(desk.asking(call)).await);
    let no = answering("read-file", &reading, &state, &json!({ "action": "decline" }));
    fails(&desk.send(desk.asking(no)).await, "declined");
    assert!(desk.is_granted_nothing().await);
}

#[tokio::test]
async fn the_story_in_a_session() {
    let desk = Desk::new().await;
    let hello = desk.web.hello_with(json!({ "elicitation": {} })).await;
    let session = hello.header("mcp-session-id").unwrap().to_owned();
    let in_session =
        |message: &Value| desk.web.in_session(Ask::post(desk.web.address, message), &session);
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    in_session(&ready).send(desk.web.address).await;
    let call = request("tools/call", json!({ "name": "read-file", "arguments": desk.reading() }));
    for (said, is_error) in
        [(accept("allow always"), false), (json!({ "action": "decline" }), true)]
    {
        desk.toolbox
            .edit_policy("files", wassette_toolbox::Wish::Reset.edits().unwrap())
            .await
            .unwrap();
        let mut answering = in_session(&call).begin(desk.web.address).await;
        let asked = answering.event().await;
        assert_eq!(asked["method"], "elicitation/create", "{asked}");
        let reply = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": said });
        assert_eq!(in_session(&reply).send(desk.web.address).await.status, 202);
        let answer = answering.event().await;
        assert_eq!(told(&answer).0, is_error, "{answer}");
    }
    assert!(desk.is_granted_nothing().await);
}

#[tokio::test]
async fn denied_p05_a_state_in_the_hands_of_another_user() {
    let desk = Desk::new().await;
    let arguments = json!({ "component_id": "files", "details": { "key": "LANG" } });
    let tool = "grant-environment-variable-permission";
    let call = json!({ "name": tool, "arguments": arguments });
    let asked = desk.asking(call).with("Authorization", "Bearer one");
    let (_, state) = question(&desk.send(asked).await);
    let yes = answering(tool, &arguments, &state, &accept("allow always"));
    for other in [
        desk.asking(yes.clone()),
        desk.asking(yes.clone()).with("Authorization", "Bearer two"),
        desk.asking(yes.clone()).with("Authorization", ""),
    ] {
        fails(&desk.send(other).await, "was not given by this server to this client");
    }
    assert!(desk.is_granted_nothing().await);
    let own = desk.asking(yes).with("Authorization", "Bearer one");
    works(&desk.send(own.clone()).await);
    fails(&desk.send(own).await, "was used already");
    let verdicts = verdicts(&desk.toolbox).await;
    let verdicts: Vec<_> = verdicts.iter().map(|(_, verdict)| verdict.as_str()).collect();
    assert_eq!(verdicts, ["forged", "forged", "forged", "allow always", "replayed"]);
}

#[tokio::test]
async fn many_clients_are_asked_at_the_same_time_and_each_answer_counts_for_its_own_question() {
    let desk = Desk::new().await;
    let tool = "grant-environment-variable-permission";
    let wish = |number: usize| json!({ "component_id": "files", "details": { "key": format!("KEY_{number}") } });
    let mut states = Vec::new();
    for number in 0..8 {
        let call = json!({ "name": tool, "arguments": wish(number) });
        states.push(question(&desk.send(desk.asking(call)).await).1);
    }
    for (number, state) in states.iter().enumerate().rev() {
        let word = if number % 2 == 0 { "allow always" } else { "deny" };
        let answer = answering(tool, &wish(number), state, &accept(word));
        let answer = desk.send(desk.asking(answer)).await;
        assert_eq!(told(&answer).0, number % 2 == 1, "{answer}");
    }
    let policy = desk.toolbox.permissions("files").await.unwrap().policy;
    let mut keys: Vec<_> = policy.environment.iter().map(|rule| rule.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["KEY_0", "KEY_2", "KEY_4", "KEY_6"]);
}

#[tokio::test]
async fn a_client_whose_person_declines_everything_does_not_silence_another() {
    let desk = Desk::new().await;
    let tool = "grant-environment-variable-permission";
    let wish = |number: usize| json!({ "component_id": "files", "details": { "key": format!("KEY_{number}") } });
    let asking = |number: usize, who: &str| {
        let call = json!({ "name": tool, "arguments": wish(number) });
        desk.asking(call).with("Authorization", who)
    };
    for number in 0..10 {
        let (_, state) = question(&desk.send(asking(number, "Bearer one")).await);
        let no = answering(tool, &wish(number), &state, &json!({ "action": "decline" }));
        let no = desk.asking(no).with("Authorization", "Bearer one");
        fails(&desk.send(no).await, "declined");
    }
    fails(&desk.send(asking(10, "Bearer one")).await, "less than a minute ago");
    for number in [0, 10] {
        question(&desk.send(asking(number, "Bearer two")).await);
    }
}
