//! What is granted for a while: it is seen by nobody else, and ends when anything is taken away.

use std::str::FromStr as _;
use std::sync::{Mutex, mpsc};

use serde_json::json;
use wassette_policy::{Edit, StorageUri, Target};
use wassette_testkit::{Answer, WebServer};
use wassette_toolbox::{Choice, Lasting};

use crate::desk::{Desk, asked, done, yes};
use crate::{Workshop, object, policy};

/// The grant to read the file until the server stops.
async fn for_the_session(desk: &Desk) {
    let uri = StorageUri::from_str(&format!("fs://{}", desk.file.display())).unwrap();
    let text = format!("storage: {{ allow: [{{ uri: \"{uri}\", access: [read] }}] }}");
    let edits = policy(&text).additions().unwrap();
    let inquiry = asked(desk.request(edits.clone(), None).await.unwrap());
    let granted = done(desk.request(edits, yes(&inquiry, Choice::Session)).await.unwrap());
    assert_eq!(granted.lasting, Lasting::Session);
    assert_eq!(desk.read().await, Ok("hello".to_owned()));
}

#[tokio::test]
async fn denied_a_grant_for_a_while_once_anything_is_taken_away() {
    let own = "environment: { allow: [{ key: ONE }, { key: TWO }] }";
    let less = "environment: { allow: [{ key: ONE }] }";
    let desk = Desk::new().await;
    desk.workshop.grant("files", own).await;

    for_the_session(&desk).await;
    desk.workshop.grant("files", less).await;
    assert!(desk.read().await.is_err(), "a narrower policy ends it");

    for_the_session(&desk).await;
    desk.workshop.grant("files", own).await;
    assert_eq!(desk.read().await, Ok("hello".to_owned()), "a wider one does not");
    desk.workshop.write_by_hand("files", less).await;
    assert!(desk.read().await.is_err(), "one that a person narrowed by hand does");

    for_the_session(&desk).await;
    desk.toolbox().edit_policy("files", vec![Edit::Reset]).await.unwrap();
    assert!(desk.read().await.is_err(), "a reset ends it");

    for_the_session(&desk).await;
    let again = desk.toolbox().edit_policy("files", vec![Edit::Reset]).await.unwrap();
    assert_eq!(again.before, again.after);
    assert!(desk.read().await.is_err(), "also one that finds nothing to reset");

    for_the_session(&desk).await;
    let revoke = vec![Edit::Revoke(Target::Storage(
        format!("fs://{}", desk.file.display()).parse().unwrap(),
    ))];
    done(desk.request(revoke, None).await.unwrap());
    assert!(desk.read().await.is_err(), "and a revocation by the model");

    for_the_session(&desk).await;
    let reset = done(desk.request(vec![Edit::Reset], None).await.unwrap());
    assert!(!reset.change.changes.is_empty());
    assert!(desk.read().await.is_err(), "and a reset by the model that finds nothing stored");

    // While a person thinks about a deny rule, what was for a while is over.
    desk.workshop.grant("files", "network: { deny: [{ host: a.example.com }] }").await;
    for_the_session(&desk).await;
    asked(desk.request(vec![Edit::Reset], None).await.unwrap());
    assert!(desk.read().await.is_err(), "and one that is still asked about");
}

#[tokio::test]
async fn denied_p07_a_grant_for_a_while_to_what_was_installed_anew() {
    let desk = Desk::new().await;
    for_the_session(&desk).await;
    desk.toolbox().unload("files").await.unwrap();
    desk.workshop.built("files").await;
    assert!(desk.read().await.is_err());
    assert!(desk.workshop.second().catalog().await.components().len() == 1);
}

#[tokio::test]
async fn denied_a_grant_for_the_session_in_another_server() {
    let desk = Desk::new().await;
    for_the_session(&desk).await;
    let other = desk.workshop.second();
    let path = object(json!({ "path": desk.file.display().to_string() }));
    assert!(other.call("read-file", path).await.unwrap().is_error);
}

#[tokio::test]
async fn a_grant_for_the_next_call_is_used_up_by_it() {
    let desk = Desk::new().await;
    let text = format!(
        "storage: {{ allow: [{{ uri: \"fs://{}\", access: [read] }}] }}",
        desk.file.display()
    );
    let edits = policy(&text).additions().unwrap();
    let inquiry = asked(desk.request(edits.clone(), None).await.unwrap());
    done(desk.request(edits, yes(&inquiry, Choice::Once)).await.unwrap());
    assert_eq!(desk.read().await, Ok("hello".to_owned()));
    assert!(desk.read().await.is_err());
}

#[tokio::test]
async fn denied_the_rest_of_a_call_that_was_allowed_once_after_a_reset() {
    let (asks, was_asked) = mpsc::channel();
    let (go_on, told) = mpsc::channel();
    let waiting = Mutex::new((asks, told));
    let server = WebServer::start(move |seen| {
        if seen.target == "/" {
            let waiting = waiting.lock().unwrap();
            waiting.0.send(()).unwrap();
            waiting.1.recv().unwrap();
        }
        Answer::redirect(format!("http://{}/next", seen.header("host").unwrap()))
    });
    let workshop = Workshop::new();
    workshop.built("requests").await;
    workshop.grant("requests", "environment: { allow: [{ key: X }] }").await;
    let toolbox = workshop.toolbox.clone();
    let text = format!(
        "network: {{ allow: [{{ host: \"127.0.0.1:{}\", private: true }}] }}",
        server.port()
    );
    let edits = policy(&text).additions().unwrap();
    let step = toolbox.request_edits("requests", edits.clone(), None, None).await.unwrap();
    let answered = yes(&asked(step), Choice::Once);
    done(toolbox.request_edits("requests", edits, None, answered).await.unwrap());
    let url = server.url("127.0.0.1", "/");
    let call = tokio::spawn(async move {
        let arguments = object(json!({ "url": url, "hops": 2 }));
        toolbox.call("test:requests/http-client#follow", arguments).await.unwrap()
    });
    tokio::task::spawn_blocking(move || was_asked.recv().unwrap()).await.unwrap();
    workshop.toolbox.edit_policy("requests", vec![Edit::Reset]).await.unwrap();
    go_on.send(()).unwrap();
    call.await.unwrap();
    let seen: Vec<String> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(seen, ["/"]);
}

#[tokio::test]
async fn a_rule_that_ends_is_gone_when_its_time_is_over() {
    let desk = Desk::new().await;
    let soon = std::time::SystemTime::now() + std::time::Duration::from_secs(2);
    let until = wassette_policy::Until::after(soon, std::time::Duration::ZERO).unwrap();
    let text = format!(
        "storage: {{ allow: [{{ uri: \"fs://{}\", access: [read], until: \"{until}\" }}] }}",
        desk.file.display()
    );
    let mut catalogs = desk.toolbox().subscribe();
    desk.workshop.grant("files", &text).await;
    catalogs.borrow_and_update();
    // Nobody writes; the end comes by itself.
    catalogs.changed().await.unwrap();
    assert!(desk.read().await.is_err());
    assert!(desk.toolbox().permissions("files").await.unwrap().policy.storage.allow.is_empty());
}

#[tokio::test]
async fn denied_a_grant_for_the_session_after_a_revocation_on_the_command_line() {
    let desk = Desk::new().await;
    for_the_session(&desk).await;
    let other = desk.workshop.second();
    other.catalog().await;
    let mut catalogs = desk.toolbox().subscribe();
    catalogs.borrow_and_update();
    let uri = format!("fs://{}", desk.file.display()).parse().unwrap();
    let revoke = vec![Edit::Revoke(Target::Storage(uri))];
    // The command line finds nothing to revoke, and says what it did all the same.
    let refused = other.edit_policy("files", revoke).await.unwrap_err();
    let help = miette::Diagnostic::help(&refused).unwrap().to_string();
    assert!(help.contains("what a server granted until it stops is taken back"), "{help}");
    catalogs.changed().await.unwrap();
    assert!(desk.read().await.is_err());
}
