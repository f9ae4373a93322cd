//! Requests that wait for a person who decides elsewhere.

use std::fs;

use wassette_policy::VariableRule;
use wassette_toolbox::{ApprovalError, Term};

use crate::desk::{Desk, approve, asked, variable};

#[tokio::test]
async fn what_waits_is_decided_in_another_process_and_seen_here() {
    let desk = Desk::new().await;
    let inquiry = asked(desk.request(variable("KEY"), None).await.unwrap());
    let number = desk.toolbox().keep_pending(&inquiry).await.unwrap().unwrap();
    let again = desk.toolbox().keep_pending(&inquiry).await.unwrap();
    assert_eq!(again, Some(number), "the same request waits once");

    let other = desk.workshop.second();
    other.catalog().await;
    let waiting = other.pending().await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].inquiry.as_ref().unwrap().text(), inquiry.text());
    let mut catalogs = desk.toolbox().subscribe();
    catalogs.borrow_and_update();
    approve(&other, number).await.unwrap();
    assert!(other.pending().await.unwrap().is_empty());
    catalogs.changed().await.unwrap();
    let view = desk.toolbox().permissions("files").await.unwrap();
    let rule = VariableRule { key: "KEY".to_owned(), value: None, until: None };
    assert_eq!(view.policy.environment, [rule]);
    approve(&other, number).await.unwrap_err();
    other.deny_pending(number).await.unwrap_err();
}

#[tokio::test]
async fn denied_p07_what_waited_for_a_component_that_is_another_now() {
    let desk = Desk::new().await;
    let inquiry = asked(desk.request(variable("KEY"), None).await.unwrap());
    let number = desk.toolbox().keep_pending(&inquiry).await.unwrap().unwrap();
    fs::copy(wassette_testkit::built("env"), desk.workshop.folder.path().join("files.wasm"))
        .unwrap();
    let file = desk.workshop.store().join("pending").join(format!("{number}.json"));
    let left = fs::read(&file).unwrap();
    desk.workshop.replace("files.wasm").await.unwrap();
    let gone = approve(desk.toolbox(), number).await.unwrap_err();
    assert!(matches!(gone, ApprovalError::Store(_)), "{gone}");
    // As if the process had died before it threw the request away.
    fs::write(&file, left).unwrap();
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&file, own).unwrap();
    let refused = approve(desk.toolbox(), number).await.unwrap_err();
    assert!(matches!(refused, ApprovalError::Changed), "{refused}");
    assert_eq!(desk.stored(), None);
    desk.toolbox().deny_pending(number).await.unwrap();
}

#[tokio::test]
async fn denied_p07_what_waited_for_a_component_that_was_installed_anew() {
    let desk = Desk::new().await;
    let inquiry = asked(desk.request(variable("KEY"), None).await.unwrap());
    let number = desk.toolbox().keep_pending(&inquiry).await.unwrap().unwrap();
    let file = desk.workshop.store().join("pending").join(format!("{number}.json"));
    let left = fs::read(&file).unwrap();
    desk.toolbox().unload("files").await.unwrap();
    // As if the process had died before it threw the request away.
    fs::write(&file, left).unwrap();
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&file, own).unwrap();
    // The very same bytes, from the same place.
    desk.workshop.built("files").await;
    let refused = approve(desk.toolbox(), number).await.unwrap_err();
    assert!(matches!(refused, ApprovalError::Store(_)), "{refused}");
    assert_eq!(desk.stored(), None);
}

#[tokio::test]
async fn what_waits_and_cannot_be_done_waits_on_and_is_done_once() {
    let desk = Desk::new().await;
    let inquiry = asked(desk.request(variable("KEY"), None).await.unwrap());
    let number = desk.toolbox().keep_pending(&inquiry).await.unwrap().unwrap();
    let shown = desk.toolbox().waiting(number).await.unwrap();
    let policies = desk.workshop.store().join("policies");
    fs::create_dir_all(&policies).unwrap();
    fs::write(desk.workshop.policy_file("files"), "broken: [").unwrap();
    let approve = || desk.toolbox().approve_pending(number, &shown, Term::Always, |_| {});
    approve().await.unwrap_err();
    fs::remove_file(desk.workshop.policy_file("files")).unwrap();
    let (one, other) = tokio::join!(approve(), approve());
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert!(desk.stored().unwrap().contains("KEY"));
}

#[tokio::test]
async fn denied_a_waiting_request_that_would_do_something_else_by_now() {
    let desk = Desk::new().await;
    let inquiry = asked(desk.request(variable("KEY"), None).await.unwrap());
    let number = desk.toolbox().keep_pending(&inquiry).await.unwrap().unwrap();
    let shown = desk.toolbox().waiting(number).await.unwrap();
    desk.workshop.grant("files", "environment: { allow: [{ key: KEY, value: mine }] }").await;
    let toolbox = desk.toolbox();
    let refused = toolbox.approve_pending(number, &shown, Term::Always, |_| {}).await.unwrap_err();
    assert!(matches!(refused, ApprovalError::Changed), "{refused}");
    assert!(desk.stored().unwrap().contains("mine"));
    let anew = toolbox.waiting(number).await.unwrap().text();
    assert!(anew.contains("- allow variable KEY"), "{anew}");
}

#[tokio::test]
async fn denied_to_one_component_all_the_room_for_requests_that_wait() {
    let desk = Desk::new().await;
    for number in 0..8 {
        let inquiry = asked(desk.request(variable(&format!("KEY_{number}")), None).await.unwrap());
        desk.toolbox().keep_pending(&inquiry).await.unwrap().unwrap();
    }
    let inquiry = asked(desk.request(variable("ONE_MORE"), None).await.unwrap());
    let refused = desk.toolbox().keep_pending(&inquiry).await.unwrap_err();
    assert!(matches!(refused, ApprovalError::TooManyWait { .. }), "{refused}");
}
