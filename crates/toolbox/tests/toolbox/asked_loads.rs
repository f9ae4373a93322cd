//! Loading and unloading by requests of models.

use std::fs;

use wassette_policy::Edit;
use wassette_toolbox::{
    ApprovalError, Approvals, Choice, LoadAllow, Pinning, Replace, Step, Verdict,
};

use crate::Workshop;
use crate::desk::{Desk, asked, done, says, yes};

#[tokio::test]
async fn a_component_is_loaded_as_it_was_shown_or_not_at_all() {
    let workshop = Workshop::new();
    workshop.put("tool.wasm", &crate::answering("one", 1));
    let toolbox = &workshop.toolbox;
    let load = async |answered| {
        toolbox.request_load(workshop.request("tool.wasm"), answered, |_| {}).await
    };
    let inquiry = asked(load(None).await.unwrap());
    let digest = wassette_digest(&crate::answering("one", 1));
    assert!(inquiry.text().contains(&digest), "{}", inquiry.text());
    assert!(toolbox.catalog().await.components().is_empty());
    // It becomes another while the person thinks.
    workshop.put("tool.wasm", &crate::answering("two", 2));
    let refused = load(yes(&inquiry, Choice::Allow)).await.unwrap_err();
    assert!(matches!(refused, ApprovalError::Changed), "{refused}");
    assert!(toolbox.catalog().await.components().is_empty());
    let inquiry = asked(load(None).await.unwrap());
    let loaded = done(load(yes(&inquiry, Choice::Allow)).await.unwrap());
    assert_eq!(loaded.component.tools[0].name, "two");
    // The same id from elsewhere says whose place it takes.
    workshop.put("other/tool.wasm", &crate::answering("three", 3));
    let mut request = workshop.request("other/tool.wasm");
    toolbox.request_load(request.clone(), None, |_| {}).await.unwrap_err();
    request.replace = Replace::Allow;
    let text = asked(toolbox.request_load(request, None, |_| {}).await.unwrap()).text();
    assert!(text.contains("takes the place of the one from file://"), "{text}");
}

fn wassette_digest(bytes: &[u8]) -> String {
    wassette_store::Digest::of(bytes).to_string()
}

#[tokio::test]
async fn what_the_operator_lists_is_loaded_unasked_also_where_models_may_nothing() {
    for approvals in [Approvals::Ask, Approvals::Deny] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("tool.wasm");
        fs::write(&path, crate::answering("one", 1)).unwrap();
        let allow = LoadAllow::read(&[format!("file://{}", folder.display())]).unwrap();
        let workshop = Workshop::with(|options| {
            options.approval.approvals = approvals;
            options.approval.load_allow = allow;
        });
        let request = workshop.request(&path.display().to_string());
        done(workshop.toolbox.request_load(request, None, |_| {}).await.unwrap());
        workshop.put("tool2.wasm", &crate::answering("two", 2));
        let other =
            workshop.toolbox.request_load(workshop.request("tool2.wasm"), None, |_| {}).await;
        assert!(!matches!(other, Ok(Step::Done(_))));
    }
}

#[tokio::test]
async fn unloading_asks_where_something_would_be_lost() {
    let desk = Desk::new().await;
    desk.workshop.grant("files", "environment: { allow: [{ key: MINE }] }").await;
    let inquiry = asked(desk.toolbox().request_unload("files", None).await.unwrap());
    assert!(inquiry.text().contains("its policy"), "{}", inquiry.text());
    let declined = says(&inquiry, Verdict::Declined);
    desk.toolbox().request_unload("files", declined).await.unwrap_err();
    assert!(desk.stored().is_some());
    desk.toolbox().edit_policy("files", vec![Edit::Reset]).await.unwrap();
    done(desk.toolbox().request_unload("files", None).await.unwrap());
}

#[tokio::test]
async fn denied_other_bytes_that_keep_a_policy_without_saying_so() {
    let workshop = Workshop::new();
    workshop.put("tool.wasm", &crate::answering("one", 1)).load("tool.wasm").await.unwrap();
    workshop.grant("tool", "environment: { allow: [{ key: MINE }] }").await;
    workshop.put("tool.wasm", &crate::answering("two", 2));
    let toolbox = &workshop.toolbox;
    let load = async || {
        let step = toolbox.request_load(workshop.request("tool.wasm"), None, |_| {}).await;
        asked(step.unwrap()).text()
    };
    let text = load().await;
    assert!(text.contains("it keeps what that one may do:"), "{text}");
    assert!(text.contains("+ allow variable MINE"), "{text}");
    assert!(!text.contains("may do nothing"), "{text}");
    toolbox.edit_policy_with("tool", Vec::new(), Pinning::Pin).await.unwrap();
    assert!(load().await.contains("pinned to that one"));
    toolbox.edit_policy("tool", vec![Edit::Reset]).await.unwrap();
    toolbox.edit_policy_with("tool", Vec::new(), Pinning::Unpin).await.unwrap();
    assert!(load().await.contains("may do nothing outside its sandbox"));
}

#[tokio::test]
async fn denied_to_a_model_the_digest_of_what_is_no_component() {
    let workshop = Workshop::new();
    workshop.put("secret.txt", b"a secret");
    let request = workshop.request("secret.txt");
    let refused = workshop.toolbox.request_load(request, None, |_| {}).await.unwrap_err();
    assert!(matches!(refused, ApprovalError::NoComponent { .. }), "{refused}");
}

#[tokio::test]
async fn denied_to_a_model_more_tools_than_the_operator_chose() {
    let workshop = Workshop::new();
    let mut request = workshop.request(&wassette_testkit::built("files").display().to_string());
    request.naming.only = vec!["read-file".to_owned()];
    workshop.toolbox.load(request, |_| {}).await.unwrap();
    let inquiry = asked(workshop.toolbox.request_unload("files", None).await.unwrap());
    assert!(inquiry.text().contains("the choice and the names of its tools"));
}
