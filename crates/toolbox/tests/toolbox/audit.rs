//! The decision log as calls write it.

use std::fs;

use serde_json::{Value, json};
use wassette_toolbox::{AuditFilter, AuditLevel, JsonObject};
use zeroize::Zeroizing;

use crate::Workshop;

fn at(level: AuditLevel) -> Workshop {
    Workshop::with(|options| options.audit.level = level)
}

/// Has the guest read one variable that it may read and one that it may not.
async fn two_effects(workshop: &Workshop) {
    workshop.built("env").await;
    workshop.grant("env", "environment: { allow: [{ key: MINE, value: x }] }").await;
    for key in ["MINE", "OTHER"] {
        let asked = json!({ "under": "store-draft", "key": key });
        workshop.call("read-configuration", asked).await;
    }
}

async fn records(workshop: &Workshop) -> Vec<JsonObject> {
    workshop.toolbox.audit_records(AuditFilter::default()).await.unwrap()
}

fn told(records: &[JsonObject]) -> Vec<String> {
    let text = |record: &JsonObject, key| record[key].as_str().unwrap().to_owned();
    let told = |record: &JsonObject| {
        format!(
            "{} {} {}",
            text(record, "decision"),
            text(record, "effect"),
            text(record, "target")
        )
    };
    records.iter().map(told).collect()
}

#[tokio::test]
async fn all_that_a_call_does_is_recorded_where_all_is_wanted() {
    let workshop = at(AuditLevel::All);
    two_effects(&workshop).await;
    let records = records(&workshop).await;
    assert_eq!(
        told(&records),
        [
            "allowed grant + allow variable MINE with a fixed value",
            "begun call read-configuration",
            "allowed variable MINE",
            "ended call read-configuration",
            "begun call read-configuration",
            "denied variable OTHER",
            "ended call read-configuration",
        ]
    );
    let digest = workshop.toolbox.catalog().await.components()[0].digest.clone();
    let (grant, records) = records.split_first().unwrap();
    assert_eq!((&grant["by"], &grant["verdict"]), (&json!("operator"), &json!("decided")));
    for record in records {
        assert_eq!(record["component"], "env");
        assert_eq!(record["digest"], Value::String(digest.clone()));
        assert_eq!(record["tool"], "read-configuration");
        assert!(record["time"].as_str().unwrap().ends_with('Z'));
    }
    assert!(records[1]["rule"].is_string() && records[4]["reason"].is_string());
    let calls: Vec<_> = records.iter().map(|record| record["call"].clone()).collect();
    assert!(calls[0] == calls[2] && calls[3] == calls[5] && calls[0] != calls[3], "{calls:?}");
    let filter = AuditFilter {
        call: calls[0].as_str().map(str::to_owned),
        most: 2,
        ..AuditFilter::default()
    };
    assert_eq!(workshop.toolbox.audit_records(filter).await.unwrap(), records[1..3]);
    let report = workshop.toolbox.verify_audit().await.unwrap();
    assert_eq!((report.records, report.problem), (7, None));
}

#[tokio::test]
async fn denials_are_recorded_by_default_and_nothing_where_it_is_off() {
    let workshop = Workshop::new();
    two_effects(&workshop).await;
    let granted = "allowed grant + allow variable MINE with a fixed value";
    assert_eq!(told(&records(&workshop).await), [granted, "denied variable OTHER"]);
    let workshop = at(AuditLevel::Off);
    two_effects(&workshop).await;
    assert!(records(&workshop).await.is_empty());
    assert!(!workshop.store().join("audit").exists());
}

/// A component that may do nothing still makes refusals, and could push out with them what others
/// left in the log.
#[tokio::test]
async fn denied_a_decision_log_full_of_one_calls_refusals() {
    for level in [AuditLevel::Denials, AuditLevel::All] {
        let workshop = at(level);
        workshop.built("requests").await;
        let asked = json!({ "url": "http://192.0.2.1/", "count": 600 });
        workshop.call("request-many-outcomes", asked).await;
        let told = told(&records(&workshop).await);
        // The requests run beside each other, so the line about the rest need not be the last.
        let count = |wanted| told.iter().filter(|told| *told == wanted).count();
        assert_eq!(count("denied http GET http://192.0.2.1/"), 100, "{level}");
        assert_eq!(count("denied limit refusals"), 1, "{level}");
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_is_recorded_as_stopped() {
    let workshop = at(AuditLevel::All);
    workshop.built("chaos").await;
    let call = workshop.call("sleep", json!({ "millis": 60_000 }));
    let waited = tokio::time::timeout(std::time::Duration::from_millis(50), call).await;
    assert!(waited.is_err());
    assert_eq!(told(&records(&workshop).await), ["begun call sleep", "stopped call sleep"]);
}

#[tokio::test]
async fn denied_a_call_that_cannot_be_recorded_where_all_is_wanted() {
    for (level, made) in [(AuditLevel::All, false), (AuditLevel::Denials, true)] {
        let workshop = at(level);
        workshop.wat("add").await;
        fs::write(workshop.store().join("audit"), "in the way").unwrap();
        let output = workshop.call("add", crate::two_and_three()).await;
        assert_eq!(!output.is_error, made, "{level}: {:?}", output.text);
    }
}

#[tokio::test]
async fn denied_e03_a_secret_in_the_decision_log() {
    const CANARY: &str = "canary-0b8d77f1";
    let workshop = at(AuditLevel::All);
    workshop.built("env").await;
    let pairs = vec![("SECRET".to_owned(), Zeroizing::new(CANARY.to_owned()))];
    workshop.toolbox.set_secrets("env", pairs).await.unwrap();
    workshop.grant("env", "environment: { allow: [{ key: SECRET }] }").await;
    workshop.call("read-variable", json!({ "name": "SECRET" })).await;
    // A guest that asks for what it knows, so that it stands in the log.
    let asked = json!({ "under": "store-draft", "key": CANARY });
    let output = workshop.call("read-configuration", asked).await;
    assert!(!format!("{output:?}").contains(CANARY));
    let records = records(&workshop).await;
    assert!(told(&records).iter().any(|told| told.starts_with("denied variable ***")));
    assert!(!format!("{records:?}").contains(CANARY));
}
