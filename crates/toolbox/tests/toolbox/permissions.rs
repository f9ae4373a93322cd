//! What permissions come to: for calls, for whoever asks, and for clients that read annotations.

use std::fs;
use std::sync::{Arc, Mutex, mpsc};

use serde_json::json;
use wassette_policy::{AnyRule, Bytes, Edit};
use wassette_testkit::{Answer, WebServer};
use wassette_toolbox::{Annotations, PermissionError, Question, Toolbox};

use crate::{Workshop, limits, object, policy};

async fn annotations(toolbox: &Toolbox) -> Annotations {
    toolbox.catalog().await.tools()[0].annotations
}

async fn explain(workshop: &Workshop, id: &str, words: &str) -> (bool, String) {
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let question = Question::parse(&words).unwrap();
    let explanation = workshop.toolbox.explain(id, question).await.unwrap();
    assert_eq!(explanation.allowed, explanation.rule.is_some());
    (explanation.allowed, explanation.grant.or(explanation.rule).unwrap_or_default())
}

/// A storage section with one rule.
fn storage(path: &std::path::Path, access: &str) -> String {
    let uri = format!("fs://{}", path.display());
    json!({ "storage": { "allow": [{ "uri": uri, "access": access.split(',').collect::<Vec<_>>() }] } })
        .to_string()
}

#[tokio::test]
async fn annotations_say_what_the_policy_makes_true() {
    let workshop = Workshop::new();
    workshop.wat("add").await;
    let data = workshop.folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let asks = Annotations { open_world: true, ..Annotations::CLOSED };
    let worst =
        Annotations { read_only: false, destructive: true, idempotent: false, open_world: true };
    let local = Annotations { open_world: false, ..worst };
    for (text, expected) in [
        (storage(&data, "read"), Annotations::CLOSED),
        (storage(&data, "read,write"), local),
        ("network: { allow: [{ host: a.example.com, methods: [GET, HEAD] }] }".to_owned(), asks),
        ("network: { allow: [{ host: a.example.com }] }".to_owned(), worst),
        ("network: { allow: [{ host: a.example.com, methods: [GET, POST] }] }".to_owned(), worst),
        ("network: { allow: [{ tcp: \"a.example.com:25\" }] }".to_owned(), worst),
        ("environment: { allow: [{ key: A }] }".to_owned(), Annotations::CLOSED),
    ] {
        let mut news = workshop.toolbox.subscribe();
        workshop.grant("add", &text).await;
        assert!(news.has_changed().unwrap(), "{text}");
        news.mark_unchanged();
        assert_eq!(annotations(&workshop.toolbox).await, expected, "{text}");
    }
}

#[tokio::test]
async fn the_operators_ceiling_holds_for_annotations_and_answers() {
    let workshop = Workshop::with(|options| {
        let text = "network: { allow: [{ host: '*.example.com', methods: [GET] }] }";
        options.ceiling = Some(Arc::new(policy(text)));
        options.limits = limits([("memory", "64Mi")]);
    });
    workshop.wat("add").await;
    let text = "
        network: { allow: [{ host: a.example.com }, { host: other.com }] }
        resources: { limits: { memory: 1Gi, requests: 3 } }";
    workshop.grant("add", &text.replace("\n        ", "\n")).await;
    let asks = Annotations { open_world: true, ..Annotations::CLOSED };
    assert_eq!(annotations(&workshop.toolbox).await, asks);
    let view = workshop.toolbox.permissions("add").await.unwrap();
    assert_eq!(view.limits.memory, limits([("memory", "64Mi")]).values().memory);
    assert_eq!(view.limits.requests, 3);
    assert!(view.notes.iter().any(|note| note.contains("`memory`")), "{:?}", view.notes);
    assert!(explain(&workshop, "add", "GET https://a.example.com/x").await.0);
    for refused in ["POST https://a.example.com/x", "GET https://other.com/"] {
        let (allowed, grant) = explain(&workshop, "add", refused).await;
        assert!(!allowed && grant.is_empty(), "no grant of a component's would help: {grant}");
    }
}

#[tokio::test]
async fn denied_more_of_a_limit_than_the_ceiling_has() {
    let workshop = Workshop::with(|options| {
        let text = "resources: { limits: { memory: 64Mi, requests: 9 } }";
        options.ceiling = Some(Arc::new(policy(text)));
    });
    workshop.built("chaos").await;
    workshop.grant("chaos", "resources: { limits: { memory: 1Gi, requests: 3 } }").await;
    let view = workshop.toolbox.permissions("chaos").await.unwrap();
    assert_eq!((view.limits.memory, view.limits.requests), (Bytes::mebi(64), 3));
    let output = workshop.call("allocate", json!({ "mebibytes": 100 })).await;
    assert!(output.text[0].contains("memory limit of 64Mi"), "{:?}", output.text);
}

#[tokio::test]
async fn denied_s04_a_grant_for_what_is_wassettes_own() {
    let workshop = Workshop::with(|options| {
        let private = options.store_dir.parent().unwrap().join("config");
        fs::create_dir(&private).unwrap();
        options.private_paths.push(private);
    });
    workshop.built("files").await;
    let folder = workshop.folder.path().canonicalize().unwrap();
    for path in [
        workshop.store(),
        workshop.store().join("secrets"),
        folder.join("config"),
        folder.clone(),
        "/proc".into(),
        "/dev".into(),
        "/".into(),
    ] {
        let wanted = policy(&storage(&path, "read"));
        let refused = workshop.toolbox.set_policy("files", wanted).await.unwrap_err();
        assert!(matches!(refused, PermissionError::Place(_)), "{} {refused}", path.display());
    }
    assert!(!workshop.policy_file("files").exists());
    // A rule that a person wrote by hand is void all the same.
    let catalog = workshop.write_by_hand("files", &storage(&folder, "read")).await;
    let permissions = &catalog.component("files").unwrap().permissions;
    assert_eq!(permissions.notes.len(), 1, "{:?}", permissions.notes);
    let path = workshop.store().join("index.json").display().to_string();
    let output = workshop.call("read-file", json!({ "path": path })).await;
    assert!(output.is_error, "{:?}", output.text);
}

#[tokio::test]
async fn what_is_explained_is_what_happens() {
    let workshop = Workshop::new();
    workshop.built("files").await;
    let data = workshop.folder.path().canonicalize().unwrap().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("a.txt"), "hello").unwrap();
    fs::write(data.join("b.txt"), "hidden").unwrap();
    workshop.grant("files", &storage(&data.join("a.txt"), "read")).await;
    for (name, allowed) in [("a.txt", true), ("b.txt", false)] {
        let path = data.join(name).display().to_string();
        let (explained, why) = explain(&workshop, "files", &format!("read {path}")).await;
        assert_eq!(explained, allowed, "{why}");
        let output = workshop.call("read-file", json!({ "path": path })).await;
        assert_eq!(!output.is_error, allowed, "{:?}", output.text);
        let (writes, grant) = explain(&workshop, "files", &format!("write {path}")).await;
        assert!(!writes);
        let grant_write =
            format!("wassette permission grant storage files fs://{path} --access write");
        assert_eq!(grant, grant_write);
    }
    let variable = explain(&workshop, "files", "variable HOME").await;
    let grant = "wassette permission grant environment-variable files HOME";
    assert_eq!(variable, (false, grant.to_owned()));
    let words = ["GET", "https://user@example.com/"].map(str::to_owned);
    let question = Question::parse(&words).unwrap();
    let refused = workshop.toolbox.explain("files", question).await.unwrap_err();
    assert!(matches!(refused, PermissionError::Question { .. }), "{refused}");
}

#[tokio::test]
async fn denied_s02_a_directory_in_the_place_of_the_one_that_was_granted() {
    let workshop = Workshop::new();
    workshop.built("files").await;
    let folder = workshop.folder.path().canonicalize().unwrap();
    let data = folder.join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("a.txt"), "hello").unwrap();
    workshop.grant("files", &storage(&data, "read")).await;
    let read = json!({ "path": data.join("a.txt").display().to_string() });
    assert_eq!(workshop.call("read-file", read.clone()).await.text, ["hello"]);

    fs::rename(&data, folder.join("old")).unwrap();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("a.txt"), "other").unwrap();
    assert!(workshop.call("read-file", read.clone()).await.is_error);
    // An edit that has nothing to do with it does not take the new one for the old one.
    let variable = policy("environment: { allow: [{ key: A }] }").environment.remove(0);
    let edit = Edit::Grant(AnyRule::Variable(variable));
    workshop.toolbox.edit_policy("files", vec![edit]).await.unwrap();
    assert!(workshop.call("read-file", read.clone()).await.is_error);
    let second = workshop.second();
    assert_eq!(second.permissions("files").await.unwrap().notes.len(), 1);

    // To grant it again means what is there now.
    let rule = policy(&storage(&data, "read")).storage.allow.remove(0);
    let edit = Edit::Grant(AnyRule::Storage(rule));
    workshop.toolbox.edit_policy("files", vec![edit]).await.unwrap();
    assert_eq!(workshop.call("read-file", read).await.text, ["other"]);
}

/// A rule that a person writes into the file is pinned when it is first read, and by no later reading.
#[tokio::test]
async fn denied_s02_a_directory_in_the_place_of_the_one_that_a_person_wrote_of() {
    let workshop = Workshop::new();
    workshop.built("files").await;
    let folder = workshop.folder.path().canonicalize().unwrap();
    let data = folder.join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("a.txt"), "hello").unwrap();
    let text = storage(&data, "read");
    workshop.write_by_hand("files", &text).await;
    let read = json!({ "path": data.join("a.txt").display().to_string() });
    assert_eq!(workshop.call("read-file", read.clone()).await.text, ["hello"]);
    assert_eq!(fs::read_to_string(workshop.policy_file("files")).unwrap(), text);

    fs::rename(&data, folder.join("old")).unwrap();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("a.txt"), "other").unwrap();
    assert_eq!(workshop.second().permissions("files").await.unwrap().notes.len(), 1);
    // Nor after the person has touched the file.
    workshop.write_by_hand("files", &format!("{text}\n")).await;
    assert!(workshop.call("read-file", read.clone()).await.is_error);
    assert_eq!(workshop.second().permissions("files").await.unwrap().notes.len(), 1);

    fs::remove_dir_all(&data).unwrap();
    fs::rename(folder.join("old"), &data).unwrap();
    workshop.write_by_hand("files", &text).await;
    assert_eq!(workshop.call("read-file", read).await.text, ["hello"]);
}

/// A server that answers `/` with a redirect to `/next`, once the sender says so.
pub(crate) fn patient_server() -> (WebServer, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (asked, was_asked) = mpsc::channel();
    let (go_on, told) = mpsc::channel();
    let waiting = Mutex::new((asked, told));
    let server = WebServer::start(move |seen| {
        if seen.target == "/" {
            let waiting = waiting.lock().unwrap();
            waiting.0.send(()).unwrap();
            waiting.1.recv().unwrap();
        }
        Answer::redirect(format!("http://{}/next", seen.header("host").unwrap()))
    });
    (server, was_asked, go_on)
}

/// Has the guest go from `/` to `/next`; between the two its policy becomes `text`.
async fn hops_with_a_change_between(before: &str, after: impl Fn(u16) -> String) -> Vec<String> {
    let workshop = Workshop::new();
    workshop.built("requests").await;
    let (server, was_asked, go_on) = patient_server();
    workshop.grant("requests", &before.replace("PORT", &server.port().to_string())).await;
    let toolbox = workshop.toolbox.clone();
    let url = server.url("127.0.0.1", "/");
    let call = tokio::spawn(async move {
        let arguments = object(json!({ "url": url, "hops": 2 }));
        toolbox.call("test:requests/http-client#follow", arguments).await.unwrap()
    });
    tokio::task::spawn_blocking(move || was_asked.recv().unwrap()).await.unwrap();
    workshop.grant("requests", &after(server.port())).await;
    go_on.send(()).unwrap();
    call.await.unwrap();
    server.seen().into_iter().map(|seen| seen.target).collect()
}

#[tokio::test]
async fn denied_s10_the_rest_of_a_call_once_a_right_is_taken_away() {
    let all = "network: { allow: [{ host: \"127.0.0.1:PORT\" }] }";
    let hops = hops_with_a_change_between(all, |_| "network: {}".to_owned()).await;
    assert_eq!(hops, ["/"]);
    let hops = hops_with_a_change_between(all, |port| all.replace("PORT", &port.to_string())).await;
    assert_eq!(hops[..2], ["/", "/next"]);
}

#[tokio::test]
async fn denied_to_a_running_call_what_is_granted_after_it_began() {
    let some = "network: { allow: [{ host: \"127.0.0.1:PORT\", paths: [\"/\"] }] }";
    let more = "network: { allow: [{ host: \"127.0.0.1:PORT\" }] }";
    let hops =
        hops_with_a_change_between(some, |port| more.replace("PORT", &port.to_string())).await;
    assert_eq!(hops, ["/"]);
}
