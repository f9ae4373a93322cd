//! Where the values of variables come from, and that secrets do not come back.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wassette_testkit::{Answer, WebServer};
use wassette_toolbox::Options;
use zeroize::Zeroizing;

use crate::Workshop;

/// Long enough, and nowhere else.
const CANARY: &str = "canary-7f3a9c51e2";

/// A variable that every process has under `cargo test`.
const OF_THE_PROCESS: &str = "CARGO_MANIFEST_DIR";

fn sources(options: &mut Options) {
    let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    options.environment.given =
        pairs(&[("SECRET", "given"), ("GIVEN", "given"), ("EMPTY", ""), ("FIXED", "given")]);
    options.environment.configured = pairs(&[
        ("SECRET", "configured"),
        ("GIVEN", "configured"),
        ("CONFIGURED", "configured"),
        ("EMPTY", "configured"),
        ("UNLISTED", "configured"),
    ]);
}

async fn set_secret(workshop: &Workshop, id: &str, key: &str, value: &str) {
    let pairs = vec![(key.to_owned(), Zeroizing::new(value.to_owned()))];
    assert_eq!(workshop.toolbox.set_secrets(id, pairs).await.unwrap(), 1);
}

async fn variables(workshop: &Workshop) -> BTreeMap<String, String> {
    let output = workshop.call("list-variables", json!({})).await;
    let listed = output.structured.unwrap()["result"].clone();
    serde_json::from_value::<Vec<(String, String)>>(listed).unwrap().into_iter().collect()
}

#[tokio::test]
async fn denied_e01_every_variable_without_a_policy() {
    let workshop = Workshop::with(sources);
    workshop.built("env").await;
    set_secret(&workshop, "env", "SECRET", CANARY).await;
    assert_eq!(variables(&workshop).await, BTreeMap::new());
    for under in ["store-candidate", "store-draft", "runtime-draft"] {
        let output = workshop.call("list-configuration", json!({ "under": under })).await;
        assert_eq!(output.structured, Some(json!({ "result": [] })), "{under}");
    }
}

#[tokio::test]
async fn denied_e02_unset_and_empty_values_and_the_first_source_that_knows_a_key_decides() {
    let workshop = Workshop::with(sources);
    workshop.built("env").await;
    set_secret(&workshop, "env", "SECRET", "a secret value").await;
    let allow = ["SECRET", "GIVEN", "CONFIGURED", "EMPTY", "MISSING_HERE", OF_THE_PROCESS];
    let mut allow: Vec<Value> = allow.iter().map(|key| json!({ "key": key })).collect();
    allow.push(json!({ "key": "FIXED", "value": "fixed" }));
    workshop.grant("env", &json!({ "environment": { "allow": allow } }).to_string()).await;
    let mut found = variables(&workshop).await;
    assert_eq!(found.remove(OF_THE_PROCESS).as_deref(), Some(env!("CARGO_MANIFEST_DIR")));
    // The guest is given the secret; what comes back of it is hidden.
    assert_eq!(found.remove("SECRET").unwrap(), "*".repeat("a secret value".len()));
    let expected = [("CONFIGURED", "configured"), ("FIXED", "fixed"), ("GIVEN", "given")];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(found, BTreeMap::from(expected));

    // Secrets are read when they are used.
    let deleted = ["SECRET", "NEVER_SET"].map(str::to_owned).to_vec();
    let missing = workshop.toolbox.delete_secrets("env", deleted).await.unwrap();
    assert_eq!(missing, ["NEVER_SET"]);
    assert_eq!(variables(&workshop).await["SECRET"], "given");
}

#[tokio::test]
async fn denied_e04_secrets_that_others_can_read_and_the_values_behind_them() {
    use std::os::unix::fs::PermissionsExt;

    let workshop = Workshop::with(sources);
    workshop.built("env").await;
    set_secret(&workshop, "env", "SECRET", CANARY).await;
    workshop.grant("env", "environment: { allow: [{ key: SECRET }] }").await;
    assert_eq!(variables(&workshop).await.len(), 1);
    for file in std::fs::read_dir(workshop.store().join("secrets")).unwrap() {
        let path = file.unwrap().path();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    assert_eq!(variables(&workshop).await, BTreeMap::new());
}

#[tokio::test]
async fn denied_the_secrets_of_a_component_to_another() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    workshop.put("twin.wasm", &std::fs::read(wassette_testkit::built("env")).unwrap());
    workshop.load("twin.wasm").await.unwrap();
    set_secret(&workshop, "env", "SECRET", CANARY).await;
    for id in ["env", "twin"] {
        workshop.grant(id, "environment: { allow: [{ key: SECRET }] }").await;
    }
    let listed = |tool: &'static str| workshop.call(tool, json!({}));
    let own = listed("env/list-variables").await;
    assert_eq!(own.structured, Some(json!({ "result": [["SECRET", "*".repeat(CANARY.len())]] })));
    let other = listed("twin/list-variables").await;
    assert_eq!(other.structured, Some(json!({ "result": [] })));
}

#[tokio::test]
async fn denied_n12_a_secret_to_the_guest_for_whose_requests_it_is() {
    let server = WebServer::start(|seen| {
        // A server that gives back what it was given, as it is and in base64.
        Answer::text(format!("you are {}", seen.header("authorization").unwrap_or_default()))
    });
    let workshop = Workshop::new();
    workshop.built("env").await;
    workshop.built("requests").await;
    for id in ["env", "requests"] {
        set_secret(&workshop, id, "TOKEN", CANARY).await;
        let text = json!({
            "network": { "allow": [{
                "host": format!("127.0.0.1:{}", server.port()),
                "schemes": ["http"],
                "private": true,
                "inject": { "header": "Authorization", "value": "Bearer ${secret:TOKEN}" },
            }] },
            "environment": { "allow": [{ "key": "TOKEN" }] },
        });
        workshop.grant(id, &text.to_string()).await;
    }
    let seen = variables(&workshop).await;
    assert!(seen["TOKEN"].starts_with("wassette-placeholder-"), "{seen:?}");

    let url = server.url("127.0.0.1", "/whoami");
    let output = workshop.call("fetch", json!({ "url": url })).await;
    assert!(!output.is_error, "{:?}", output.text);
    let got = server.seen();
    let expected = format!("Bearer {CANARY}");
    assert_eq!(got[0].header("authorization"), Some(expected.as_str()));
    assert!(output.text[0].starts_with("you are Bearer *"), "{:?}", output.text);
    assert!(!format!("{output:?}").contains(CANARY));
}

#[tokio::test]
async fn denied_e03_a_secret_in_anything_that_a_call_gives_back() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    set_secret(&workshop, "env", "SECRET", CANARY).await;
    workshop.grant("env", "environment: { allow: [{ key: SECRET }] }").await;
    let output = workshop.call("read-variable", json!({ "name": "SECRET" })).await;
    let hidden = "*".repeat(CANARY.len());
    assert_eq!(output.text[0], hidden);
    assert_eq!(output.structured, Some(json!({ "result": hidden })));
    let view = workshop.toolbox.permissions("env").await.unwrap();
    for shown in [format!("{output:?}"), format!("{view:?}"), view.to_json().to_string()] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
    let names = workshop.toolbox.secret_names("env").await.unwrap();
    assert_eq!(names, ["SECRET"]);
    let values = workshop.toolbox.secret_values("env").await.unwrap();
    assert_eq!(values[0].1.as_str(), CANARY);
}

#[tokio::test]
async fn secrets_are_for_components_that_are_loaded() {
    let workshop = Workshop::new();
    workshop.built("env").await;
    let refused = workshop.toolbox.secret_names("envv").await.unwrap_err();
    assert_eq!(refused.to_string(), "no component `envv` is loaded; did you mean `env`?");
    let pairs = vec![("A=B".to_owned(), Zeroizing::new(CANARY.to_owned()))];
    let refused = workshop.toolbox.set_secrets("env", pairs).await.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains(CANARY));
}
