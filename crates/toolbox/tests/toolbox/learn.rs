//! Learning what a component needs: nothing real is written meanwhile, and what is accepted of what
//! is proposed lets the same calls pass.

use std::fs;
use std::path::Path;
use std::slice::from_ref;

use serde_json::{Value, json};
use wassette_policy::Edit;
use wassette_testkit::{Answer, WebServer, built};
use wassette_toolbox::{
    AuditFilter, AuditLevel, AuditOptions, LearnCall, LearnError, LearnRequest, Lesson,
    PermissionError,
};

use crate::permissions::patient_server;
use crate::{Workshop, limits, object};

/// A lesson about the component `id` from `calls`.
async fn learn(workshop: &Workshop, id: &str, calls: &[(&str, Value)]) -> Lesson {
    learn_with(workshop, id, calls, |_| {}).await.unwrap()
}

async fn learn_with(
    workshop: &Workshop,
    id: &str,
    calls: &[(&str, Value)],
    change: impl FnOnce(&mut LearnRequest),
) -> Result<Lesson, LearnError> {
    let call = |(tool, arguments): &(&str, Value)| LearnCall {
        tool: (*tool).to_owned(),
        arguments: object(arguments.clone()),
    };
    let mut request = LearnRequest {
        component: id.to_owned(),
        calls: calls.iter().map(call).collect(),
        rounds: LearnRequest::ROUNDS,
        overlay: true,
    };
    change(&mut request);
    workshop.toolbox.learn(request, |_| {}).await
}

/// What is proposed, without what only some of the lines say.
fn lines(lesson: &Lesson) -> Vec<String> {
    lesson.proposals.iter().flat_map(|proposal| proposal.lines.clone()).collect()
}

fn edits(lesson: &Lesson) -> Vec<Edit> {
    lesson.proposals.iter().map(|proposal| proposal.edit.clone()).collect()
}

/// A folder with files in it, each with its name as content.
fn folder(workshop: &Workshop, name: &str, files: &[&str]) -> String {
    let folder = workshop.folder.path().canonicalize().unwrap().join(name);
    fs::create_dir(&folder).unwrap();
    for file in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_is_accepted_lets_the_calls_pass() {
    let workshop = Workshop::new();
    workshop.built("files").await;
    let data = folder(&workshop, "data", &["in.csv", "log", "list/a", "list/b"]);
    let calls = [
        ("files/read-file", json!({ "path": format!("{data}/in.csv") })),
        ("files/write-file", json!({ "path": format!("{data}/out"), "content": "x" })),
        ("files/append-file", json!({ "path": format!("{data}/log"), "content": "x" })),
        ("files/list-directory", json!({ "path": format!("{data}/list") })),
        ("files/stat", json!({ "path": format!("{data}/list") })),
    ];
    let lesson = learn(&workshop, "files", &calls).await;
    assert!(lesson.calls.iter().all(|call| !call.is_error), "{lesson:?}");
    assert_eq!(
        lines(&lesson),
        [
            format!("+ allow storage fs://{data}/in.csv read"),
            format!("+ allow storage fs://{data}/list read"),
            format!("+ allow storage fs://{data}/log write"),
            format!("+ allow storage fs://{data}/out write"),
        ]
    );
    assert_eq!(lesson.proposals[0].why, [format!("may not read fs://{data}/in.csv")]);
    assert!(lesson.refused.is_empty() && lesson.notes.is_empty(), "{lesson:?}");
    // Nothing was granted by learning alone.
    let (tool, arguments) = &calls[0];
    assert!(workshop.call(tool, arguments.clone()).await.is_error);

    let change = workshop.toolbox.edit_policy("files", edits(&lesson)).await.unwrap();
    assert_eq!(change.changes, lines(&lesson));
    for (tool, arguments) in &calls {
        let output = workshop.call(tool, arguments.clone()).await;
        assert!(!output.is_error && output.denials.is_empty(), "{tool}: {output:?}");
    }
    let again = learn(&workshop, "files", &calls).await;
    assert_eq!((again.rounds, again.proposals.len()), (1, 0), "{again:?}");
}

#[tokio::test]
async fn denied_a_real_change_while_learning() {
    let workshop = Workshop::new();
    workshop.built("files").await;
    let data = folder(&workshop, "data", &["kept", "cut", "gone", "old", "granted"]);
    let uri = format!("fs://{data}/granted");
    let rule = json!({ "uri": uri, "access": ["read", "write"] });
    let granted = json!({ "storage": { "allow": [rule] } }).to_string();
    workshop.grant("files", &granted).await;
    let path = |name: &str| format!("{data}/{name}");
    let calls = [
        ("files/write-file", json!({ "path": path("granted"), "content": "other" })),
        ("files/write-file", json!({ "path": path("kept"), "content": "other" })),
        ("files/write-file", json!({ "path": path("new"), "content": "other" })),
        ("files/set-size", json!({ "path": path("cut"), "size": 0 })),
        ("files/remove-file", json!({ "path": path("gone") })),
        ("files/rename", json!({ "old-path": path("old"), "new-path": path("newer") })),
        ("files/create-directory", json!({ "path": path("folder") })),
        ("files/read-file", json!({ "path": path("granted") })),
    ];
    let lesson = learn(&workshop, "files", &calls).await;
    assert!(lesson.calls.iter().all(|call| !call.is_error), "{lesson:?}");
    assert_eq!(lesson.calls.last().unwrap().text, "other", "the calls see what they did");
    assert_eq!(names(&data), ["cut", "gone", "granted", "kept", "old"]);
    for name in names(&data) {
        assert_eq!(fs::read_to_string(path(&name)).unwrap(), name);
    }
    assert!(!lines(&lesson).iter().any(|line| line.contains("granted")), "{lesson:?}");
    let policy = workshop.toolbox.permissions("files").await.unwrap().policy;
    assert_eq!(policy.to_yaml(), crate::policy(&granted).to_yaml());
}

#[tokio::test]
async fn without_the_copy_what_is_granted_happens_and_nothing_else() {
    let workshop = Workshop::new();
    workshop.built("files").await;
    let data = folder(&workshop, "data", &["granted", "kept"]);
    let rule = json!({ "uri": format!("fs://{data}/granted"), "access": ["write"] });
    workshop.grant("files", &json!({ "storage": { "allow": [rule] } }).to_string()).await;
    let path = |name: &str| format!("{data}/{name}");
    let calls = [
        ("files/write-file", json!({ "path": path("granted"), "content": "other" })),
        ("files/write-file", json!({ "path": path("kept"), "content": "other" })),
    ];
    let real = |request: &mut LearnRequest| request.overlay = false;
    let lesson = learn_with(&workshop, "files", &calls, real).await.unwrap();
    assert_eq!(lesson.rounds, 1);
    assert_eq!(fs::read_to_string(path("granted")).unwrap(), "other");
    assert_eq!(fs::read_to_string(path("kept")).unwrap(), "kept");
    assert_eq!(lines(&lesson), [format!("+ allow storage fs://{data}/kept write")]);
}

#[tokio::test]
async fn denied_more_real_bytes_than_are_granted_while_learning_without_the_copy() {
    let workshop = Workshop::new();
    workshop.built("files").await;
    let data = folder(&workshop, "data", &["granted"]);
    let path = format!("{data}/granted");
    let rule = json!({ "uri": format!("fs://{path}"), "access": ["write"] });
    let limit = json!({ "limits": { "write-bytes": "1Mi" } });
    let granted = json!({ "storage": { "allow": [rule] }, "resources": limit }).to_string();
    workshop.grant("files", &granted).await;
    let calls = [("files/fill", json!({ "path": path, "mebibytes": 3 }))];
    let real = |request: &mut LearnRequest| request.overlay = false;
    let lesson = learn_with(&workshop, "files", &calls, real).await.unwrap();
    assert!(fs::metadata(&path).unwrap().len() <= 1 << 20);
    assert_eq!(lines(&lesson), ["- limit write-bytes 1Mi", "+ limit write-bytes 2Mi"]);
    assert_eq!((lesson.rounds, lesson.notes.len()), (1, 1), "{lesson:?}");
    // On the copy it is seen how much is enough.
    let lesson = learn(&workshop, "files", &calls).await;
    assert!(!lesson.calls[0].is_error && lesson.notes.is_empty(), "{lesson:?}");
    assert!(fs::metadata(&path).unwrap().len() <= 1 << 20);
}

#[tokio::test]
async fn denied_learning_what_is_open_to_no_component() {
    let workshop = Workshop::with(|options| options.private_paths = vec!["/etc/hostname".into()]);
    workshop.built("files").await;
    let store = workshop.store().canonicalize().unwrap();
    let index = store.join("index.json").display().to_string();
    let secret = fs::read_to_string(&index).unwrap();
    let paths = ["/proc/self/environ", "/sys/kernel/hostname", "/dev/null", "/etc/hostname"];
    let paths = paths.into_iter().chain([index.as_str()]);
    let read = |path| ("files/read-file", json!({ "path": path }));
    let mut calls: Vec<_> = paths.map(read).collect();
    calls.push(("files/list-directory", json!({ "path": store })));
    let lesson = learn(&workshop, "files", &calls).await;
    assert!(lesson.calls.iter().all(|call| call.is_error), "{lesson:?}");
    assert!(lesson.proposals.is_empty(), "{lesson:?}");
    assert!(lesson.notes.iter().any(|note| note.contains("is open to no component")), "{lesson:?}");
    assert!(!serde_json::to_string(&lesson).unwrap().contains(&secret));

    // What lies beside it can be learned all the same.
    let outer = workshop.folder.path().canonicalize().unwrap();
    fs::write(outer.join("open"), "open").unwrap();
    let calls = [
        ("files/list-directory", json!({ "path": outer })),
        ("files/read-file", json!({ "path": outer.join("open") })),
    ];
    let lesson = learn(&workshop, "files", &calls).await;
    assert_eq!(
        lines(&lesson),
        [format!("+ allow storage fs://{} read", outer.join("open").display())],
        "{lesson:?}"
    );
}

#[tokio::test]
async fn requests_and_variables_stay_refused_and_are_proposed() {
    let server = WebServer::start(|_| Answer::text("hello"));
    let port = server.port();
    let workshop = Workshop::new();
    workshop.built("requests").await;
    let url = format!("http://127.0.0.1:{port}/x");
    let calls = [
        ("requests/fetch", json!({ "url": url })),
        ("requests/request", json!({ "method": "POST", "url": url, "headers": [], "body": null })),
    ];
    let lesson = learn(&workshop, "requests", &calls).await;
    assert!(server.seen().is_empty(), "nothing is sent that is not granted");
    assert_eq!(lines(&lesson).len(), 1, "{lesson:?}");
    assert!(lines(&lesson)[0].contains("methods=GET,POST"), "{lesson:?}");
    assert!(lesson.notes[0].contains("learn again"), "{lesson:?}");
    workshop.toolbox.edit_policy("requests", edits(&lesson)).await.unwrap();
    assert!(!workshop.call("requests/fetch", json!({ "url": url })).await.is_error);
    // What is granted is really sent.
    let before = server.seen().len();
    learn(&workshop, "requests", &calls[..1]).await;
    assert_eq!(server.seen().len(), before + 1);

    workshop.built("env").await;
    let key = json!({ "under": "store-draft", "key": "API_KEY" });
    let lesson = learn(&workshop, "env", &[("env/read-configuration", key)]).await;
    assert_eq!(lines(&lesson), ["+ allow variable API_KEY"]);
}

#[tokio::test]
async fn a_limit_that_was_hit_is_raised_until_it_is_enough() {
    let workshop = Workshop::with(|options| {
        options.limits = limits([("write-bytes", "1Mi")]);
    });
    workshop.built("files").await;
    workshop.built("chaos").await;
    let hungry = [("chaos/allocate", json!({ "mebibytes": 40 }))];
    workshop.grant("chaos", "resources: { limits: { memory: 16Mi } }").await;
    let lesson = learn(&workshop, "chaos", &hungry).await;
    assert_eq!(lines(&lesson), ["- limit memory 16Mi", "+ limit memory 64Mi"], "{lesson:?}");
    workshop.toolbox.edit_policy("chaos", edits(&lesson)).await.unwrap();
    assert!(!workshop.call(hungry[0].0, hungry[0].1.clone()).await.is_error);

    // Time is not raised in vain.
    workshop.grant("chaos", "resources: { limits: { cpu: 50ms } }").await;
    let lesson = learn(&workshop, "chaos", &[("chaos/infinite-loop", json!({}))]).await;
    assert_eq!(lines(&lesson), ["- limit cpu 50ms", "+ limit cpu 100ms"], "{lesson:?}");
    assert_eq!((lesson.rounds, lesson.notes.len()), (1, 1), "{lesson:?}");

    // The operator's bound holds while learning, too.
    let data = folder(&workshop, "data", &[]);
    let calls = [("files/fill", json!({ "path": format!("{data}/x"), "mebibytes": 3 }))];
    let lesson = learn(&workshop, "files", &calls).await;
    assert_eq!(lines(&lesson), [format!("+ allow storage fs://{data}/x write")]);
    assert_eq!(lesson.refused.len(), 1, "{lesson:?}");
    assert!(lesson.refused[0].reason.ends_with("the operator allows no more"), "{lesson:?}");
}

#[tokio::test]
async fn many_files_of_a_folder_become_the_folder() {
    let workshop = Workshop::new();
    workshop.built("files").await;
    let files: Vec<String> = (0..9).map(|number| format!("file-{number}")).collect();
    let data = folder(&workshop, "data", &files.iter().map(String::as_str).collect::<Vec<_>>());
    let read = |name: &String| ("files/read-file", json!({ "path": format!("{data}/{name}") }));
    let calls: Vec<_> = files.iter().map(read).collect();
    let lesson = learn(&workshop, "files", &calls[..8]).await;
    assert_eq!(lesson.proposals.len(), 8);
    let lesson = learn(&workshop, "files", &calls).await;
    assert_eq!(lines(&lesson), [format!("+ allow storage fs://{data} read")]);
    assert!(lesson.notes[0].contains("the rule is for all of it"), "{lesson:?}");
}

#[tokio::test]
async fn a_component_that_goes_on_when_it_is_let_in_is_learned_to_the_end() {
    let workshop = Workshop::new();
    let filesystem = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/filesystem");
    workshop.load(&filesystem.join("filesystem.wasm").to_string_lossy()).await.unwrap();
    let data = folder(&workshop, "data", &["a.md", "sub/b.md", "sub/c.txt"]);
    // It lists one directory, and only then those that it finds in it.
    let search = json!({ "directory": data, "pattern": "*.md" });
    let lesson = learn(&workshop, "filesystem", &[("search-files", search)]).await;
    assert_eq!(lines(&lesson), [format!("+ allow storage fs://{data} read")]);
    assert!(lesson.calls[0].text.contains("sub/b.md"), "{lesson:?}");
    // It looks at a file, and only then reads it.
    let read = json!({ "path": format!("{data}/a.md") });
    let lesson = learn(&workshop, "filesystem", &[("read-file", read)]).await;
    assert_eq!(lines(&lesson), [format!("+ allow storage fs://{data}/a.md read")]);
    assert_eq!((lesson.calls[0].text.as_str(), lesson.rounds), ("a.md", 2));
}

#[tokio::test]
async fn what_is_not_there_is_told_and_not_proposed() {
    let workshop = Workshop::new();
    workshop.built("files").await;
    let data = folder(&workshop, "data", &[]);
    let read = json!({ "path": format!("{data}/missing") });
    let lesson = learn(&workshop, "files", &[("files/read-file", read)]).await;
    assert!(lesson.proposals.is_empty(), "{lesson:?}");
    assert!(lesson.notes[0].contains("missing` does not exist"), "{lesson:?}");
}

#[tokio::test]
async fn the_decision_log_tells_what_was_only_learning() {
    let workshop = Workshop::with(|options| {
        options.audit = AuditOptions { level: AuditLevel::All, ..AuditOptions::default() };
    });
    workshop.built("files").await;
    let data = folder(&workshop, "data", &["a"]);
    let read = json!({ "path": format!("{data}/a") });
    learn(&workshop, "files", &[("files/read-file", read.clone())]).await;
    workshop.call("files/read-file", read).await;
    let records = workshop.toolbox.audit_records(AuditFilter::default()).await.unwrap();
    let (learned, called): (Vec<_>, Vec<_>) =
        records.iter().partition(|record| record.get("learning") == Some(&json!(true)));
    let count = |records: &[&wassette_toolbox::JsonObject], decision: &str| {
        records.iter().filter(|record| record["decision"] == decision).count()
    };
    assert_eq!((count(&learned, "denied"), count(&learned, "allowed")), (1, 1));
    assert_eq!((count(&called, "denied"), count(&called, "allowed")), (1, 0));
}

#[tokio::test]
async fn what_cannot_be_learned_is_refused() {
    let workshop = Workshop::new();
    workshop.built("files").await;
    workshop.wat("add").await;
    let stat = ("files/stat", json!({ "path": "/" }));
    let refused = async |id: &str, calls: &[(&str, Value)]| {
        learn_with(&workshop, id, calls, |_| {}).await.unwrap_err()
    };
    assert!(matches!(refused("files", &[]).await, LearnError::NoCalls));
    assert!(matches!(refused("nobody", from_ref(&stat)).await, LearnError::Permission(_)));
    assert!(matches!(refused("add", from_ref(&stat)).await, LearnError::OthersTool { .. }));
    assert!(matches!(refused("files", &[("none", json!({}))]).await, LearnError::Tool(_)));
    let many = vec![stat.clone(); 1001];
    assert!(matches!(refused("files", &many).await, LearnError::TooManyCalls { .. }));
    workshop.write_by_hand("files", "storage: {").await;
    assert!(matches!(refused("files", from_ref(&stat)).await, LearnError::Broken { .. }));
    workshop.toolbox.close();
    assert!(matches!(refused("add", from_ref(&stat)).await, LearnError::Stopped));
}

#[tokio::test]
async fn rounds_have_an_end() {
    let workshop = Workshop::new();
    workshop.built("files").await;
    let data = folder(&workshop, "data", &["a", "b"]);
    let calls = [
        (
            "files/rename",
            json!({ "old-path": format!("{data}/a"), "new-path": format!("{data}/c") }),
        ),
        ("files/read-file", json!({ "path": format!("{data}/b") })),
    ];
    let once = |request: &mut LearnRequest| request.rounds = 1;
    let lesson = learn_with(&workshop, "files", &calls, once).await.unwrap();
    assert_eq!(lesson.rounds, 1);
    assert!(lesson.notes[0].contains("learn again"), "{lesson:?}");
    assert_eq!(
        lines(&lesson),
        [
            format!("+ allow storage fs://{data}/a write"),
            format!("+ allow storage fs://{data}/b read"),
        ]
    );
    let lesson = learn(&workshop, "files", &calls).await;
    assert_eq!(lesson.proposals.len(), 3, "the other name was asked for later: {lesson:?}");
    assert!(lesson.rounds > 2 && lesson.notes.is_empty(), "{lesson:?}");
}

#[tokio::test]
async fn what_calls_do_to_each_other_is_seen() {
    let workshop = Workshop::new();
    workshop.built("files").await;
    let data = folder(&workshop, "data", &["a"]);
    let (a, b) = (format!("{data}/a"), format!("{data}/b"));
    let rename = ("files/rename", json!({ "old-path": a, "new-path": b }));
    // What is read is there only because of the call before, and never for real. Where a file may be
    // read that came from elsewhere, it must have been readable there.
    let calls = [rename.clone(), ("files/read-file", json!({ "path": b }))];
    let lesson = learn(&workshop, "files", &calls).await;
    assert_eq!(
        lines(&lesson),
        [
            format!("+ allow storage fs://{a} read,write"),
            format!("+ allow storage fs://{b} read,write")
        ]
    );
    assert_eq!((lesson.calls[1].text.as_str(), lesson.notes.len()), ("a", 0), "{lesson:?}");
    assert_eq!(names(&data), ["a"]);

    // What is read is gone once the call before may be. It is still asked for: a proposal is tried.
    let calls = [rename, ("files/read-file", json!({ "path": a }))];
    let lesson = learn(&workshop, "files", &calls).await;
    assert_eq!(
        lines(&lesson),
        [format!("+ allow storage fs://{a} read,write"), format!("+ allow storage fs://{b} write")]
    );
    assert!(lesson.calls[1].text.starts_with("NotFound"), "{lesson:?}");
}

#[tokio::test]
async fn denied_sending_what_was_read_while_learning() {
    let server = WebServer::start(|_| Answer::text("hello"));
    let workshop = Workshop::new();
    workshop.built("chaos").await;
    let data = folder(&workshop, "data", &["key"]);
    let rule = json!({ "tcp": format!("127.0.0.1:{}", server.port()), "private": true });
    workshop.grant("chaos", &json!({ "network": { "allow": [rule] } }).to_string()).await;
    let connect = ("chaos/connect", json!({ "address": "127.0.0.1", "port": server.port() }));
    let read = ("chaos/open-file", json!({ "path": format!("{data}/key") }));
    let lesson = learn(&workshop, "chaos", &[connect.clone(), read.clone(), connect.clone()]).await;
    assert_eq!(lines(&lesson), [format!("+ allow storage fs://{data}/key read")]);
    assert!(lesson.rounds > 1 && lesson.calls[0].is_error && !lesson.calls[1].is_error);
    assert!(lesson.notes[0].contains("were not sent any more"), "{lesson:?}");
    assert!(lesson.refused.is_empty(), "{lesson:?}");
    // Twice in the first round, in which nothing could be read.
    assert_eq!(server.connections(), 2);
    // Once the file is granted, so that it is no secret of the operator's any more, all happens.
    workshop.toolbox.edit_policy("chaos", edits(&lesson)).await.unwrap();
    let lesson = learn(&workshop, "chaos", &[read, connect]).await;
    assert!(lesson.calls.iter().all(|call| !call.is_error), "{lesson:?}");
    assert_eq!(server.connections(), 3);
}

/// What is sent, and what comes of the lesson, when `change` happens while the first of three calls
/// waits for its first answer; what was granted before it is all of the server.
async fn learned_with_a_change_between(
    change: impl AsyncFnOnce(&Workshop, &str),
) -> (Vec<String>, Result<Lesson, LearnError>) {
    let workshop = Workshop::new();
    workshop.put("requests.wasm", &fs::read(built("requests")).unwrap());
    workshop.load("requests.wasm").await.unwrap();
    let (server, was_asked, go_on) = patient_server();
    let text = format!("network: {{ allow: [{{ host: \"127.0.0.1:{}\" }}] }}", server.port());
    workshop.grant("requests", &text).await;
    let call = |path, hops: u32| {
        let arguments = json!({ "url": server.url("127.0.0.1", path), "hops": hops });
        ("test:requests/http-client#follow", arguments)
    };
    let calls = [call("/", 1), call("/second", 0), call("/third", 0)];
    let change = async {
        tokio::task::spawn_blocking(move || was_asked.recv().unwrap()).await.unwrap();
        change(&workshop, &text).await;
        go_on.send(()).unwrap();
    };
    let lesson = learn_with(&workshop, "requests", &calls, |_| {});
    let (lesson, ()) = tokio::join!(lesson, change);
    (server.seen().into_iter().map(|seen| seen.target).collect(), lesson)
}

#[tokio::test]
async fn denied_to_a_lesson_what_is_taken_away_while_it_runs() {
    let is_over = |lesson| matches!(lesson, Err(LearnError::Changed { id }) if id == "requests");
    let (sent, lesson) = learned_with_a_change_between(async |workshop, _| {
        workshop.toolbox.edit_policy("requests", vec![Edit::Reset]).await.unwrap();
    })
    .await;
    assert_eq!(sent, ["/"]);
    assert!(is_over(lesson));
    // Another process does it.
    let (sent, lesson) = learned_with_a_change_between(async |workshop, _| {
        let mut catalogs = workshop.toolbox.subscribe();
        catalogs.mark_unchanged();
        workshop.second().edit_policy("requests", vec![Edit::Reset]).await.unwrap();
        catalogs.changed().await.unwrap();
    })
    .await;
    assert_eq!(sent, ["/"]);
    assert!(is_over(lesson));
    // It is unloaded.
    let (sent, lesson) = learned_with_a_change_between(async |workshop, _| {
        workshop.toolbox.unload("requests").await.unwrap();
    })
    .await;
    assert_eq!(sent, ["/"]);
    assert!(is_over(lesson));
}

#[tokio::test]
async fn denied_a_proposal_about_what_is_another_component_or_another_policy_now() {
    // The call goes on with the bytes that it began with, and what it may do; there is no other.
    let (sent, lesson) = learned_with_a_change_between(async |workshop, _| {
        let mut other = fs::read(built("requests")).unwrap();
        other.extend([0, 2, 1, b'x']);
        workshop.put("requests.wasm", &other).replace("requests.wasm").await.unwrap();
    })
    .await;
    assert_eq!(sent, ["/", "/next"]);
    assert!(matches!(lesson, Err(LearnError::Changed { .. })));
    let (sent, lesson) = learned_with_a_change_between(async |workshop, text| {
        workshop
            .grant("requests", &format!("{text}\nenvironment: {{ allow: [{{ key: A }}] }}"))
            .await;
    })
    .await;
    assert_eq!(sent, ["/", "/next"]);
    assert!(matches!(lesson, Err(LearnError::Changed { .. })));
}

#[tokio::test]
async fn denied_what_a_person_accepts_to_a_component_that_is_another_by_then() {
    let workshop = Workshop::new();
    let bytes = fs::read(built("files")).unwrap();
    workshop.put("files.wasm", &bytes).load("files.wasm").await.unwrap();
    let data = folder(&workshop, "data", &["a"]);
    let read = json!({ "path": format!("{data}/a") });
    let lesson = learn(&workshop, "files", &[("files/read-file", read)]).await;
    let other = [&bytes[..], &[0, 2, 1, b'x']].concat();
    workshop.put("files.wasm", &other).replace("files.wasm").await.unwrap();
    let refused = workshop.toolbox.accept(&lesson, edits(&lesson)).await.unwrap_err();
    assert!(matches!(refused, PermissionError::Replaced { .. }), "{refused}");
    assert!(!workshop.policy_file("files").exists());
    workshop.put("files.wasm", &bytes).replace("files.wasm").await.unwrap();
    let change = workshop.toolbox.accept(&lesson, edits(&lesson)).await.unwrap();
    assert_eq!(change.changes, lines(&lesson));
}

#[tokio::test]
async fn a_change_of_another_component_does_not_end_a_lesson() {
    let (sent, lesson) = learned_with_a_change_between(async |workshop, _| {
        workshop.wat("add").await;
        workshop.grant("add", "environment: { allow: [{ key: A }] }").await;
    })
    .await;
    assert_eq!(sent, ["/", "/next", "/second", "/third"]);
    assert_eq!(lesson.unwrap().rounds, 1);
}
