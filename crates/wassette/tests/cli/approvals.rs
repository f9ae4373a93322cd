//! What clients ask for while nobody can be asked, and what the operator makes of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{SystemTime, UNIX_EPOCH};

use insta::assert_snapshot;
use serde_json::{Value, json};
use wassette_policy::Policy;
use wassette_sandbox::Compiler;
use wassette_testkit::{CommandOutput, TestEnv, compiled};
use wassette_toolbox::{Inquiry, LoadRequest, Options, Step, Toolbox};

use crate::run::Session;
use crate::{empty, with_guests};

const NETWORK: &str = "network: { allow: [{ host: api.example.com, methods: [GET] }] }";

/// Lets `ask` bring a question about, as a client does, and keeps it. Its number.
fn wait(env: &TestEnv, ask: impl AsyncFnOnce(&Toolbox) -> Inquiry) -> u64 {
    let program = env!("CARGO_BIN_EXE_wassette").into();
    let compiler = Compiler::Child { program, arguments: vec!["compile-component".into()] };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let toolbox = Toolbox::open(Options::new(env.store_dir(), compiler)).unwrap();
        let inquiry = ask(&toolbox).await;
        toolbox.keep_pending(&inquiry).await.unwrap().unwrap()
    })
}

fn asked<T>(step: Step<T>) -> Inquiry {
    match step {
        Step::Ask(inquiry) => *inquiry,
        Step::Done(_) => panic!("nobody is asked"),
    }
}

/// A client asks for `policy` for the component `add`.
pub(crate) fn request(env: &TestEnv, policy: &str) -> u64 {
    let edits = Policy::parse(policy).unwrap().additions().unwrap();
    wait(env, async |toolbox| {
        let reason = Some("the forecast");
        asked(toolbox.request_edits("add", edits, reason, None).await.unwrap())
    })
}

/// A client asks for the component in `file`.
fn request_load(env: &TestEnv, file: &str) -> u64 {
    wait(env, async |toolbox| {
        let request = LoadRequest::new(file, env.work_dir().canonicalize().unwrap());
        asked(toolbox.request_load(request, None, |_| {}).await.unwrap())
    })
}

fn permission(env: &TestEnv, arguments: &[&str]) -> CommandOutput {
    env.run([&["permission"], arguments].concat())
}

fn policy(env: &TestEnv) -> Value {
    env.run(["policy", "get", "add"]).success().json()
}

#[test]
fn what_waits_is_shown() {
    let env = with_guests(&["add"]);
    assert_snapshot!(permission(&env, &["pending"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "pending": [],
      "total": 0
    }
    "#);
    assert_snapshot!(permission(&env, &["pending", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    nothing waits for a decision
    ");
    assert_eq!(request(&env, NETWORK), 1);
    assert_eq!(request(&env, NETWORK), 1, "the same request waits once");
    env.guest("strings");
    assert_eq!(request_load(&env, "strings.wasm"), 2);

    let mut shown = permission(&env, &["pending"]).success().json();
    let asked_at = shown["pending"][0]["asked_at"].take();
    assert!(asked_at.as_str().unwrap().ends_with('Z'), "{asked_at}");
    let entry = env.run(["component", "list"]).success().json();
    assert_eq!(
        shown["pending"][0],
        json!({
            "number": 1,
            "asked_at": null,
            "kind": "grant",
            "component": "add",
            "digest": entry["components"][0]["digest"],
            "source": entry["components"][0]["source"],
            "changes": ["+ allow network api.example.com methods=GET"],
            "reason": "the forecast",
        })
    );
    assert_eq!(shown["pending"][1]["kind"], "load");
    assert_eq!(shown["total"], 2);
    let mut table = permission(&env, &["pending", "-o", "table"]);
    for age in ["1 s", "2 s", "3 s", "4 s"] {
        table.stdout = table.stdout.replace(age, "0 s");
    }
    assert_snapshot!(table, @"
    exit code: 0
    ----- stdout -----
    N  AGE  KIND   COMPONENT  WHAT
    1  0 s  grant  add        + allow network api.example.com methods=GET
    2  0 s  load   strings    file://[WORK]/strings.wasm

    to decide: `wassette permission approve N`, or `wassette permission deny N`
    ");
}

#[test]
fn a_request_is_approved_as_it_was_shown() {
    let env = with_guests(&["add"]);
    request(&env, NETWORK);
    // Where nobody is, nobody has seen it.
    assert_snapshot!(permission(&env, &["approve", "1"]), @"
    exit code: 1
    ----- stderr -----
    request 1:
      Allow the component `add` more?
      source: file://[WORK]/add.wasm
      digest: sha256:[DIGEST]
        + allow network api.example.com methods=GET
      The agent gives this reason: “the forecast”
    error: nobody is there to be asked: approve it?
    hint: run it on a terminal, or say `--yes`
    ");
    let piped = env.run_with_input(["permission", "approve", "1"], "y\n");
    assert_eq!(piped.code, Some(1), "{piped}");
    assert_eq!(policy(&env)["status"], "no policy found");

    assert_snapshot!(permission(&env, &["approve", "1", "-y"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "request approved",
      "number": 1,
      "component_id": "add",
      "changes": [
        "+ allow network api.example.com methods=GET"
      ]
    }
    ----- stderr -----
    request 1:
      Allow the component `add` more?
      source: file://[WORK]/add.wasm
      digest: sha256:[DIGEST]
        + allow network api.example.com methods=GET
      The agent gives this reason: “the forecast”
    "#);
    let allowed = &policy(&env)["permissions"]["network"]["allow"];
    assert_eq!(*allowed, json!([{ "host": "api.example.com", "methods": ["GET"] }]));
    assert_eq!(permission(&env, &["pending"]).success().json()["total"], 0);
    assert_snapshot!(permission(&env, &["approve", "1", "--yes"]), @"
    exit code: 1
    ----- stderr -----
    error: no request 1 waits
    hint: `wassette permission pending` shows what waits; a request waits for a day at most
    ");
    assert_snapshot!(permission(&env, &["approve", "one"]), @"
    exit code: 2
    ----- stderr -----
    error: invalid value 'one' for '<NUMBER>': invalid digit found in string

    For more information, try '--help'.
    ");
    let log = env.run(["audit", "show"]).success().stdout;
    assert!(log.contains("allow always") && log.contains("command line"), "{log}");
}

#[test]
fn a_request_is_denied() {
    let env = with_guests(&["add"]);
    request(&env, NETWORK);
    assert_snapshot!(permission(&env, &["deny", "1"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "request denied",
      "number": 1,
      "component_id": "add"
    }
    "#);
    assert_snapshot!(permission(&env, &["deny", "1", "-o", "table"]), @"
    exit code: 1
    ----- stderr -----
    error: no request 1 waits
    hint: `wassette permission pending` shows what waits; a request waits for a day at most
    ");
    assert_eq!(permission(&env, &["approve", "1", "-y"]).code, Some(1));
    assert_eq!(policy(&env)["status"], "no policy found");
    let log = env.run(["audit", "show"]).success().stdout;
    assert!(log.contains("\"deny\"") && log.contains("command line"), "{log}");
}

#[test]
fn a_load_is_approved_and_loads_what_was_shown() {
    let env = empty();
    env.guest("add");
    request_load(&env, "add.wasm");
    assert_snapshot!(permission(&env, &["approve", "1", "-y", "--for", "1h"]), @"
    exit code: 1
    ----- stderr -----
    request 1:
      Load a component as `add`?
      source: file://[WORK]/add.wasm
      digest: sha256:[DIGEST]
      It may do nothing outside its sandbox until that is granted.
    error: neither what is loaded nor a limit ends by itself
    hint: approve it without `--for`
    ");
    assert_snapshot!(permission(&env, &["approve", "1", "-y", "-o", "table"]), @"
    exit code: 0
    ----- stdout -----
    add:
      loaded `add`: add
    ----- stderr -----
    request 1:
      Load a component as `add`?
      source: file://[WORK]/add.wasm
      digest: sha256:[DIGEST]
      It may do nothing outside its sandbox until that is granted.
    ");
    assert_eq!(env.run(["component", "list"]).success().json()["total"], 1);

    env.guest("strings");
    request_load(&env, "strings.wasm");
    env.write("strings.wasm", compiled("add"));
    assert_snapshot!(permission(&env, &["approve", "2", "-y"]), @"
    exit code: 1
    ----- stderr -----
    request 2:
      Load a component as `strings`?
      source: file://[WORK]/strings.wasm
      digest: sha256:[DIGEST]
      It may do nothing outside its sandbox until that is granted.
    error: what is at `file://[WORK]/strings.wasm` now is not what was shown; nothing is loaded
    hint: make the request again
    ");
    assert_eq!(env.run(["component", "list"]).success().json()["total"], 1);
}

#[test]
fn a_request_is_approved_for_a_while() {
    let env = with_guests(&["add"]);
    request(&env, NETWORK);
    let approved = permission(&env, &["approve", "1", "-y", "--for", "90min"]).success().json();
    let change = approved["changes"][0].as_str().unwrap();
    let rule = "+ allow network api.example.com methods=GET until ";
    assert!(change.starts_with(rule), "{change}");
    let until = &policy(&env)["permissions"]["network"]["allow"][0]["until"];
    assert_eq!(format!("{rule}{}", until.as_str().unwrap()), change);
    let listed = permission(&env, &["list", "add", "-o", "table"]).success().stdout;
    assert!(listed.contains("api.example.com methods=GET until "), "{listed}");

    request(&env, "resources: { limits: { requests: 500 } }");
    assert_snapshot!(permission(&env, &["approve", "2", "-y", "--for", "1h"]), @"
    exit code: 1
    ----- stderr -----
    request 2:
      Allow the component `add` more?
      source: file://[WORK]/add.wasm
      digest: sha256:[DIGEST]
        + limit requests 500
      The agent gives this reason: “the forecast”
    error: neither what is loaded nor a limit ends by itself
    hint: approve it without `--for`
    ");
    let _ = permission(&env, &["approve", "2", "-y", "--for", "always"]).success();
    for time in ["", "0s", "1", "forever", "2y"] {
        let refused = permission(&env, &["approve", "3", "-y", "--for", time]);
        assert_eq!(refused.code, Some(2), "{refused}");
    }
}

#[test]
fn a_request_that_cannot_be_read_is_thrown_away() {
    let env = with_guests(&["add"]);
    let number = request(&env, NETWORK);
    let path = env.store_dir().join(format!("pending/{number}.json"));
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, "{").unwrap();
    assert_snapshot!(permission(&env, &["pending"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "pending": [],
      "total": 0
    }
    ----- stderr -----
     WARN a request that waits for a person cannot be shown error=refused to use `[HOME]/.local/share/wassette/components/pending/1.json`: EOF while parsing an object at line 1 column 1
    "#);
    assert_snapshot!(permission(&env, &["approve", "1", "-y"]), @"
    exit code: 1
    ----- stderr -----
    error: refused to use `[HOME]/.local/share/wassette/components/pending/1.json`: EOF while parsing an object at line 1 column 1
    hint: delete it; who made the request can make it again
    ");
    assert_eq!(permission(&env, &["deny", "1"]).code, Some(1));

    // The store's own file is sound, and what stands in it means nothing.
    let mut file: Value = serde_json::from_str(&whole).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now.abs_diff(file["asked_at"].as_u64().unwrap()) < 3600);
    file["payload"] = json!({ "kind": "everything" });
    fs::write(&path, file.to_string()).unwrap();
    let shown = permission(&env, &["pending", "-o", "table"]).success().stdout;
    assert!(shown.contains("damaged") && shown.contains("everything"), "{shown}");
    let refused = permission(&env, &["approve", "1", "-y"]);
    assert!(refused.stderr.contains("hint: throw it away"), "{refused}");
    assert_snapshot!(permission(&env, &["deny", "1"]), @r#"
    exit code: 0
    ----- stdout -----
    {
      "status": "request denied",
      "number": 1
    }
    "#);
    assert_eq!(policy(&env)["status"], "no policy found");
}

#[test]
fn denied_a_request_in_a_file_that_others_can_write() {
    let env = with_guests(&["add"]);
    request(&env, NETWORK);
    let path = env.store_dir().join("pending/1.json");
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let refused = permission(&env, &["approve", "1", "-y"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("refused to use"), "{refused}");
    assert_eq!(policy(&env)["status"], "no policy found");
}

/// The row P07 of the battery, for what waits: it is meant for a component that is gone.
#[test]
fn denied_p07_a_waiting_request_of_a_component_that_was_installed_again() {
    let env = with_guests(&["add"]);
    request(&env, NETWORK);
    let _ = env.run(["component", "unload", "add"]).success();
    assert_snapshot!(permission(&env, &["approve", "1", "-y"]), @"
    exit code: 1
    ----- stderr -----
    error: no request 1 waits
    hint: `wassette permission pending` shows what waits; a request waits for a day at most
    ");
    let _ = env.run(["component", "load", "add.wasm"]).success();
    assert_snapshot!(permission(&env, &["approve", "1", "-y"]), @"
    exit code: 1
    ----- stderr -----
    error: no request 1 waits
    hint: `wassette permission pending` shows what waits; a request waits for a day at most
    ");
    assert_eq!(policy(&env)["status"], "no policy found");
}

#[test]
fn denied_p07_a_waiting_request_of_a_component_that_has_other_bytes_now() {
    let env = with_guests(&["add"]);
    request(&env, NETWORK);
    env.write("add.wasm", compiled("strings"));
    let _ = env.run(["component", "load", "add.wasm"]).success();
    assert_snapshot!(permission(&env, &["approve", "1", "-y"]), @"
    exit code: 1
    ----- stderr -----
    error: no request 1 waits
    hint: `wassette permission pending` shows what waits; a request waits for a day at most
    ");
    assert_eq!(policy(&env)["status"], "no policy found");
    // The same bytes from elsewhere are another component too.
    let _ = env.run(["component", "unload", "add"]).success();
    let _ = env.run(["component", "load", "add.wasm"]).success();
    request(&env, NETWORK);
    env.write("elsewhere/add.wasm", compiled("strings"));
    let _ = env.run(["component", "load", "elsewhere/add.wasm", "--replace"]).success();
    let refused = permission(&env, &["approve", "2", "-y"]);
    assert!(refused.stderr.contains("no request 2 waits"), "{refused}");
    assert_eq!(policy(&env)["status"], "no policy found");
}

/// What a client hears that grants a host to `add`, of a server with these `flags`.
fn granting(env: &TestEnv, flags: &[&str]) -> Value {
    let mut session = Session::start(env, flags);
    let arguments = json!({ "component_id": "add", "details": { "host": "api.example.com" } });
    let call = json!({ "name": "grant-network-permission", "arguments": arguments });
    let answer = session.ask("tools/call", call);
    assert_eq!(
        answer["result"]["isError"] == json!(false),
        policy(env)["status"] == "policy found"
    );
    answer
}

#[test]
fn denied_what_a_client_asks_for_where_all_is_denied() {
    let env = with_guests(&["add"]);
    let denied = granting(&env, &["--approvals", "deny"]).to_string();
    assert!(denied.contains("the operator refuses all such requests"), "{denied}");
    env.configure("approvals = \"deny\"\n");
    let denied = granting(&env, &[]).to_string();
    assert!(denied.contains("the operator refuses all such requests"), "{denied}");
    assert_eq!(permission(&env, &["pending"]).success().json()["total"], 0);
    // A flag beats the file.
    let asked = granting(&env, &["--approvals", "ask"]).to_string();
    assert!(asked.contains("wassette permission approve 1"), "{asked}");
    assert_eq!(granting(&env, &["--approvals", "allow"])["result"]["isError"], false);
}

#[test]
fn denied_what_a_client_asks_for_of_a_locked_server() {
    let env = with_guests(&["add"]);
    let locked = granting(&env, &["--locked", "--approvals", "allow"]);
    assert_eq!(locked["error"]["code"], -32602, "{locked}");
    env.configure("locked = true\napprovals = \"allow\"\n");
    let locked = granting(&env, &[]);
    assert_eq!(locked["error"]["code"], -32602, "{locked}");
    let listed = Session::start(&env, &[]).ask("tools/list", json!({})).to_string();
    for name in ["load-component", "unload-component", "request-permission", "reset-permission"] {
        assert!(!listed.contains(&format!("\"{name}\"")), "{listed}");
    }
    // The person who runs it is not locked out.
    let grant = ["grant", "network", "add", "api.example.com"];
    let _ = permission(&env, &grant).success();
}

#[test]
fn a_client_loads_what_the_configuration_lists_and_asks_for_the_rest() {
    let env = empty();
    env.guest("strings");
    env.write("listed/add.wasm", compiled("add"));
    let folder = env.work_dir().canonicalize().unwrap().join("listed");
    env.configure(&format!("[load]\nallow = [\"file://{}/**\"]\n", folder.display()));
    let mut session = Session::start(&env, &[]);
    let mut load = |path: &str| {
        let call = json!({ "name": "load-component", "arguments": { "path": path } });
        session.ask("tools/call", call)
    };
    assert_eq!(load("./listed/add.wasm")["result"]["isError"], false);
    let asked = load("./strings.wasm").to_string();
    assert!(asked.contains("wassette permission approve 1"), "{asked}");
    assert_eq!(env.run(["component", "list"]).success().json()["total"], 1);
    let _ = permission(&env, &["approve", "1", "-y"]).success();
    assert_eq!(env.run(["component", "list"]).success().json()["total"], 2);
}
