//! Rules that would do nothing: refused where they come in, and where that cannot be, on the safe
//! side and told.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use serde_json::json;
use wassette_testkit::compiled;
use wassette_toolbox::{Manifest, Options, ProvisionStatus, Requested, Wish};

use crate::{Workshop, policy};

/// A workshop with the workspace `workspace`, in which there is a file, and the guest `files`.
async fn with_workspace(change: impl FnOnce(&mut Options)) -> Workshop {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("ws/sec")).unwrap();
    for name in ["id.pem", "notes"] {
        fs::write(folder.path().join("ws/sec").join(name), name).unwrap();
    }
    let toolbox = crate::open(folder.path(), |options| {
        let workspace = folder.path().join("ws");
        options.workspaces = BTreeMap::from([("workspace".to_owned(), workspace)]);
        change(options);
    });
    let workshop = Workshop { folder, toolbox };
    workshop.built("files").await;
    workshop
}

/// What the guest gets for the file, or why it does not.
async fn read(workshop: &Workshop, name: &str) -> (bool, String) {
    let path = format!("/workspace/sec/{name}");
    let output = workshop.call("read-file", json!({ "path": path })).await;
    (!output.is_error, output.text.join("\n"))
}

const MISSPELLED: &str = "storage: { allow: [{ uri: fs://workspace/sec, access: [read] }], \
                          deny: [{ uri: fs://Workspace/sec/id.pem }] }";

#[tokio::test]
async fn denied_every_file_where_a_deny_names_no_workspace() {
    let workshop = with_workspace(|_| {}).await;
    workshop.grant("files", &MISSPELLED.replace("Workspace", "workspace")).await;
    assert!(read(&workshop, "notes").await.0 && !read(&workshop, "id.pem").await.0);
    let change = workshop.grant("files", MISSPELLED).await;
    let told = "the storage rule `fs://Workspace/sec/id.pem` cannot be kept to, so no file is open";
    let near = "did you mean `fs://workspace/…`?";
    assert!(
        change.notes.iter().any(|note| note.contains(told) && note.contains(near)),
        "{change:?}"
    );
    for name in ["id.pem", "notes"] {
        let (is_open, words) = read(&workshop, name).await;
        assert!(!is_open && words.contains("there is no workspace `Workspace`"), "{name}: {words}");
    }
    let view = workshop.toolbox.permissions("files").await.unwrap();
    assert!(view.notes.iter().any(|note| note.contains(told)), "{:?}", view.notes);
    // The same where a person wrote it into the file.
    workshop.grant("files", "storage: {}").await;
    workshop.write_by_hand("files", MISSPELLED).await;
    assert!(!read(&workshop, "notes").await.0 && !read(&workshop, "id.pem").await.0);
}

#[tokio::test]
async fn denied_every_file_where_the_ceiling_denies_in_no_workspace() {
    let ceiling = "storage: { allow: [{ uri: fs://workspace, access: [read] }], \
                   deny: [{ uri: fs://docs/private }] }";
    let workshop =
        with_workspace(|options| options.ceiling = Some(Arc::new(policy(ceiling)))).await;
    let text = "storage: { allow: [{ uri: fs://workspace/sec, access: [read] }] }";
    let change = workshop.grant("files", text).await;
    let told = |notes: &[String]| {
        notes.iter().any(|note| {
            note.starts_with("the ceiling: ") && note.contains("there is no workspace `docs`")
        })
    };
    assert!(told(&change.notes), "{change:?}");
    assert!(!read(&workshop, "notes").await.0);
    assert!(told(&workshop.toolbox.permissions("files").await.unwrap().notes));
}

#[tokio::test]
async fn denied_a_manifest_that_denies_in_no_workspace() {
    let workshop = with_workspace(|_| {}).await;
    workshop.put("add.wasm", &compiled("add"));
    let text = json!({ "version": 1, "components": [{ "uri": "./add.wasm", "permissions": {
        "storage": { "deny": [{ "uri": "fs://Workspace/sec" }] },
    } }] });
    let manifest = Manifest::parse(text.to_string().as_bytes(), workshop.folder.path()).unwrap();
    let provisioning = workshop.toolbox.provision(&manifest, |_, _| {}).await;
    let [component] = &provisioning.components[..] else { panic!("{provisioning:?}") };
    assert_eq!(component.status, ProvisionStatus::Failed);
    let reason = "it denies `fs://Workspace/sec`, and there is no workspace `Workspace`";
    assert_eq!(component.reason.as_deref(), Some(reason));
    assert!(component.help.as_ref().unwrap().contains("`fs://workspace/…`"), "{component:?}");
    let checked = workshop.toolbox.check_manifest(&manifest).await.unwrap();
    assert!(checked[0].notes[0].contains("nobody knows what it denies"), "{checked:?}");
}

#[test]
fn denied_wishes_for_methods_and_paths_that_no_request_has() {
    let wish = |methods: &[&str], paths: &[&str]| {
        let some = |texts: &[&str]| {
            (!texts.is_empty()).then(|| texts.iter().map(|text| (*text).to_owned()).collect())
        };
        let (methods, paths) = (some(methods), some(paths));
        let host = "a.example".to_owned();
        Wish::GrantNetwork { host, methods, paths, ports: None, private: false }.edits()
    };
    assert!(wish(&["GET"], &["/v1/**"]).is_ok());
    for (methods, paths) in
        [(["*"].as_slice(), [].as_slice()), (&["GET,POST"], &[]), (&[], &["v1"]), (&[], &["/{id}"])]
    {
        assert!(wish(methods, paths).is_err(), "{methods:?} {paths:?}");
    }
    let permissions =
        json!({ "network": { "allow": [{ "host": "a.example", "methods": ["*"] }] } });
    let wish = Wish::Permissions(permissions.as_object().unwrap().clone());
    assert!(wish.edits().unwrap_err().to_string().contains("`*` is no method"));
}

#[tokio::test]
async fn what_is_asked_for_comes_with_what_to_know_about_it() {
    let workshop = Workshop::new();
    workshop.put(
        "add.policy.yaml",
        b"$schema: x\nnetwork: { allow: [{ host: '*.github.io' }] }\nruntime: { docker: {} }\n",
    );
    let loaded = workshop.wat("add").await;
    let Some(Requested::Policy(_, warnings)) = loaded.component.requested() else {
        panic!("{:?}", loaded.component.requested());
    };
    let [ignored, shared] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(ignored.contains("`runtime` has no effect here"), "{ignored}");
    assert!(shared.contains("others can get a name there too"), "{shared}");
    let view = workshop.toolbox.permissions("add").await.unwrap().to_json();
    assert_eq!(view["requested"]["warnings"].as_array().map(Vec::len), Some(2));
    // Whoever grants it hears of the rule again, and not of what is not granted.
    let change = workshop.grant("add", "network: { allow: [{ host: '*.github.io' }] }").await;
    assert_eq!(change.notes, std::slice::from_ref(shared));
    let change = workshop.grant("add", "network: { allow: [{ host: '*.github.io' }] }").await;
    assert_eq!(change.notes, [""; 0]);
}
