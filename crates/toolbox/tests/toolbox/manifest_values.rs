//! `value_from` in a manifest: the value reaches the component, and nothing else.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use wassette_testkit::built;
use wassette_toolbox::{Manifest, Options, ProvisionStatus, Provisioning};
use zeroize::Zeroizing;

use crate::Workshop;

/// Long enough, and nowhere else.
const CANARY: &str = "canary-41d7aa90c3";

fn offers(options: &mut Options) {
    options.environment.given = BTreeMap::from([
        ("THERE".to_owned(), "offered".to_owned()),
        ("KEY".to_owned(), "by its own name".to_owned()),
        ("EMPTY".to_owned(), String::new()),
    ]);
}

/// A workshop whose manifest says that `KEY` of the guest `env` has its value at `from`.
async fn provisioned(workshop: &Workshop, from: Value) -> Provisioning {
    let component = json!({
        "uri": built("env"),
        "name": "env",
        "permissions": { "environment": { "allow": [{ "key": "KEY", "value_from": from }] } },
    });
    let text = json!({ "version": 1, "components": [component] }).to_string();
    let manifest = Manifest::parse(text.as_bytes(), workshop.folder.path()).unwrap();
    workshop.toolbox.provision(&manifest, |_, _| {}).await
}

/// What the guest has for `KEY`, whose length alone comes through where it is a secret.
async fn key(workshop: &Workshop) -> Option<String> {
    let output = workshop.call("read-variable", json!({ "name": "KEY" })).await;
    serde_json::from_value(output.structured.unwrap()["result"].clone()).unwrap()
}

#[tokio::test]
async fn each_place_gives_its_value_in_the_place_of_all_others() {
    let workshop = Workshop::with(offers);
    workshop.built("env").await;
    let secrets = [("KEY", "a secret by its own name"), ("OTHER", "0123456789abcdef")];
    let secrets = secrets.map(|(key, value)| (key.to_owned(), Zeroizing::new(value.to_owned())));
    workshop.toolbox.set_secrets("env", secrets.to_vec()).await.unwrap();
    workshop.put("keys/value", format!("{CANARY}\n").as_bytes());
    for (from, value) in [
        (json!("THERE"), "offered".to_owned()),
        (json!({ "env": "THERE" }), "offered".to_owned()),
        (json!({ "secret": "OTHER" }), "*".repeat(16)),
        (json!({ "file": "keys/value" }), "*".repeat(CANARY.len())),
    ] {
        let provisioning = provisioned(&workshop, from.clone()).await;
        assert_eq!(provisioning.failed().count(), 0, "{from}: {provisioning:?}");
        assert_eq!(key(&workshop).await, Some(value), "{from}");
        // The policy says no more than that the component may see it.
        let stored = fs::read_to_string(workshop.policy_file("env")).unwrap();
        assert!(!stored.contains("value") && !stored.contains(CANARY), "{stored}");
    }
    // A file is read when its value is used.
    workshop.put("keys/value", b"another value");
    assert_eq!(key(&workshop).await, Some("*".repeat("another value".len())));
    fs::remove_file(workshop.folder.path().join("keys/value")).unwrap();
    assert_eq!(key(&workshop).await, None, "no lesser source comes in for it");
    // Without a word about it, the component has what others have.
    workshop.toolbox.provision(&manifest_without(&workshop), |_, _| {}).await;
    assert_eq!(key(&workshop).await, Some("*".repeat("a secret by its own name".len())));
}

fn manifest_without(workshop: &Workshop) -> Manifest {
    let component = json!({ "uri": built("env"), "name": "env" });
    let text = json!({ "version": 1, "components": [component] }).to_string();
    Manifest::parse(text.as_bytes(), workshop.folder.path()).unwrap()
}

#[tokio::test]
async fn denied_a_component_whose_value_is_not_there() {
    for (from, reason, help) in [
        (
            json!("NOT_THERE_7f3a"),
            "the variable `NOT_THERE_7f3a` of the server",
            "--env NOT_THERE_7f3a=…",
        ),
        (json!({ "env": "EMPTY" }), "of the server is empty", "--env EMPTY=…"),
        (
            json!({ "secret": "KEY" }),
            "the secret `KEY` of the component",
            "wassette secret set env KEY=…",
        ),
        (json!({ "file": "no/such" }), "cannot be read", "into the file"),
        (json!({ "file": "." }), "is not a file", "into the file"),
        (json!({ "file": "nul" }), "holds a NUL", "into the file"),
    ] {
        let workshop = Workshop::with(offers);
        workshop.put("nul", format!("{CANARY}\0").as_bytes());
        let provisioning = provisioned(&workshop, from.clone()).await;
        let [component] = &provisioning.components[..] else { panic!("{provisioning:?}") };
        assert_eq!(component.status, ProvisionStatus::Failed, "{from}: {component:?}");
        let said = component.reason.clone().unwrap();
        assert!(said.starts_with("the variable `KEY` has no value: "), "{said}");
        assert!(said.contains(reason) && !said.contains(CANARY), "{from}: {said}");
        assert!(component.help.as_ref().unwrap().contains(help), "{component:?}");
        assert!(workshop.names().await.is_empty(), "{from}: it is not served");
    }
}

#[tokio::test]
async fn checking_a_manifest_tells_what_is_not_there_and_no_value() {
    let workshop = Workshop::with(offers);
    workshop.put("key", CANARY.as_bytes());
    let text = json!({ "version": 1, "components": [{
        "uri": built("env"),
        "permissions": { "environment": { "allow": [
            { "key": "A", "value_from": { "file": "key" } },
            { "key": "B", "value_from": { "secret": "NONE" } },
        ] } },
    }] });
    let manifest = Manifest::parse(text.to_string().as_bytes(), workshop.folder.path()).unwrap();
    let checked = workshop.toolbox.check_manifest(&manifest).await.unwrap();
    let [note] = &checked[0].notes[..] else { panic!("{checked:?}") };
    assert!(note.starts_with("the variable `B` has no value: there is no value in the secret"));
    assert!(!format!("{checked:?}{manifest:?}").contains(CANARY));
}
