//! Load, reload, unload, inspect: the store is changed as a whole or not at all.

use std::fs;

use tokio::task::JoinSet;
use wassette_store::StoreError;
use wassette_testkit::{compiled, rewrite_index};
use wassette_toolbox::{
    InspectError, LoadError, LoadStage, Status, UnknownTool, UnloadError, UpdateRequest,
};

use crate::{Workshop, answering, object, two_and_three};

#[tokio::test]
async fn a_component_is_loaded_listed_called_and_unloaded() {
    let workshop = Workshop::new();
    let stages = std::sync::Mutex::new(Vec::new());
    workshop.put("add.wasm", &wassette_testkit::compiled("add"));
    let loaded = workshop
        .toolbox
        .load(workshop.request("./add.wasm"), |stage| stages.lock().unwrap().push(stage))
        .await
        .unwrap();
    assert_eq!(loaded.status, Status::Loaded);
    assert_eq!(loaded.component.id, "add");
    assert!(loaded.component.source.starts_with("file:///"));
    assert!(loaded.component.source.ends_with("/add.wasm"));
    assert!(loaded.component.digest.starts_with("sha256:"));
    let all = [LoadStage::Resolving, LoadStage::Compiling, LoadStage::Installing];
    assert_eq!(*stages.lock().unwrap(), all);

    assert_eq!(workshop.names().await, ["add"]);
    assert_eq!(workshop.call("add", two_and_three()).await.text, ["5"]);
    let unloaded = workshop.toolbox.unload("add").await.unwrap();
    assert_eq!((unloaded.id.as_str(), &unloaded.tools[..]), ("add", &["add".to_owned()][..]));
    assert!(workshop.names().await.is_empty());
    assert!(workshop.toolbox.call("add", object(two_and_three())).await.is_err());
    let again = workshop.toolbox.unload("add").await.unwrap_err();
    assert!(matches!(again, UnloadError::Store(StoreError::NotLoaded { .. })), "{again}");
    assert!(matches!(workshop.toolbox.unload("../add").await, Err(UnloadError::Id(_))));
}

#[tokio::test]
async fn loading_again_changes_what_has_changed() {
    let workshop = Workshop::new();
    workshop.put("x.wasm", &answering("answer", 1));
    assert_eq!(workshop.load("x.wasm").await.unwrap().status, Status::Loaded);
    let revision = workshop.toolbox.catalog().await.revision();
    assert_eq!(workshop.load("x.wasm").await.unwrap().status, Status::Unchanged);
    assert_eq!(workshop.toolbox.catalog().await.revision(), revision);
    workshop.put("x.wasm", &answering("answer", 2));
    assert_eq!(workshop.load("x.wasm").await.unwrap().status, Status::Reloaded);
    assert_eq!(workshop.call("answer", serde_json::json!({})).await.text, ["2"]);
}

#[tokio::test]
async fn an_id_stays_with_its_source() {
    let workshop = Workshop::new();
    workshop.put("a/x.wasm", &answering("first", 1)).put("b/x.wasm", &answering("second", 2));
    workshop.load("a/x.wasm").await.unwrap();
    let refused = workshop.load("b/x.wasm").await.unwrap_err();
    assert!(matches!(refused, LoadError::Store(StoreError::OtherSource { .. })), "{refused}");
    assert_eq!(workshop.names().await, ["first"]);
    assert_eq!(workshop.replace("b/x.wasm").await.unwrap().status, Status::Reloaded);
    assert_eq!(workshop.names().await, ["second"]);
}

#[tokio::test]
async fn a_load_that_fails_leaves_everything_as_it_was() {
    let workshop = Workshop::new();
    workshop.put("x.wasm", &answering("answer", 1));
    workshop.load("x.wasm").await.unwrap();
    let before = fs::read(workshop.store().join("index.json")).unwrap();
    workshop.put("x.wasm", b"\0asm\x01\0\0\0").put("empty.wasm", b"");
    for reference in
        ["x.wasm", "empty.wasm", "missing.wasm", ".", "oci://localhost/X", "ftp://x", ""]
    {
        assert!(workshop.load(reference).await.is_err(), "{reference}");
    }
    assert_eq!(fs::read(workshop.store().join("index.json")).unwrap(), before);
    assert_eq!(workshop.call("answer", serde_json::json!({})).await.text, ["1"]);
    assert_eq!(fs::read_dir(workshop.store().join("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn many_loads_of_one_component_are_one_install() {
    let workshop = std::sync::Arc::new(Workshop::new());
    workshop.put("x.wasm", &answering("answer", 1));
    let mut loads = JoinSet::new();
    for _ in 0..50 {
        let workshop = workshop.clone();
        loads.spawn(async move { workshop.load("x.wasm").await.unwrap().status });
    }
    let statuses = loads.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == Status::Loaded).count(), 1);
    assert_eq!(workshop.toolbox.catalog().await.revision(), 1);
}

#[tokio::test]
async fn a_restart_lists_without_compiling_and_calls_from_the_cache() {
    let workshop = Workshop::new();
    workshop.wat("add").await;
    // Without its bytes a component can be listed, and run from the code that is cached.
    fs::remove_dir_all(workshop.store().join("blobs")).unwrap();
    let second = workshop.second();
    assert_eq!(crate::names(&second).await, ["add"]);
    let output = second.call("add", object(two_and_three())).await.unwrap();
    assert_eq!(output.text, ["5"]);
}

#[tokio::test]
async fn denied_code_that_was_changed_on_disk_is_compiled_anew() {
    let workshop = Workshop::new();
    workshop.wat("add").await;
    let cache = workshop.store().join("cache");
    let [code] =
        &fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()[..]
    else {
        panic!("one file expected");
    };
    let sound = fs::read(code).unwrap();
    for damage in 0..20 {
        let mut damaged = sound.clone();
        let at = damaged.len() * damage / 20;
        damaged[at] ^= 1;
        fs::write(code, &damaged).unwrap();
        let output = workshop.second().call("add", object(two_and_three())).await.unwrap();
        assert_eq!(output.text, ["5"]);
        assert_eq!(fs::read(code).unwrap().len(), sound.len());
        assert_ne!(fs::read(code).unwrap(), damaged, "it was not made anew");
    }
}

#[tokio::test]
async fn damaged_bytes_are_an_error_with_a_cure() {
    let workshop = Workshop::new();
    workshop.wat("add").await;
    fs::remove_dir_all(workshop.store().join("cache")).unwrap();
    let blobs = workshop.store().join("blobs/sha256");
    for blob in fs::read_dir(blobs).unwrap() {
        fs::write(blob.unwrap().path(), b"something else").unwrap();
    }
    let output = workshop.second().call("add", object(two_and_three())).await.unwrap();
    assert!(output.is_error && output.text[0].contains("hint: "), "{}", output.text[0]);
    workshop.load("add.wasm").await.unwrap();
    let output = workshop.second().call("add", object(two_and_three())).await.unwrap();
    assert_eq!(output.text, ["5"]);
}

#[tokio::test]
async fn what_is_stored_and_cannot_be_read_is_a_problem_of_its_own() {
    let workshop = Workshop::new();
    workshop.put("x.wasm", &answering("answer", 1));
    workshop.load("x.wasm").await.unwrap();
    workshop.wat("add").await;
    rewrite_index(&workshop.store(), |text| text.replacen("\"format\": 1", "\"format\": 9", 1));
    let second = workshop.second();
    let catalog = second.catalog().await;
    assert_eq!(catalog.components().len(), 1);
    let [problem] = catalog.problems() else { panic!("{:?}", catalog.problems()) };
    assert_eq!(problem.message, "it was stored in format 9 by another version");
    assert!(problem.help.as_ref().unwrap().starts_with("load it again from file:///"));
}

#[tokio::test]
async fn inspecting_does_not_load() {
    let workshop = Workshop::new();
    workshop.put("add.wasm", &wassette_testkit::compiled("add"));
    let base = workshop.folder.path();
    let inspection = workshop.toolbox.inspect("add.wasm", base, true).await.unwrap();
    assert!(!inspection.loaded);
    assert_eq!(inspection.component.tools[0].name, "add");
    assert!(workshop.names().await.is_empty());
    workshop.load("add.wasm").await.unwrap();
    assert!(workshop.toolbox.inspect("add", base, true).await.unwrap().loaded);
    let unknown = workshop.toolbox.inspect("nobody", base, true).await.unwrap_err();
    assert!(matches!(unknown, InspectError::Unknown { .. }));
}

#[tokio::test]
async fn what_is_no_tool_is_named_with_the_reason() {
    let workshop = Workshop::new();
    let loaded = workshop.built("resources").await;
    let omitted: Vec<_> = loaded.component.omitted.iter().map(|o| o.function.as_str()).collect();
    assert!(omitted.iter().any(|name| name.contains("[constructor]")), "{omitted:?}");
    assert!(!loaded.component.tools.is_empty());
    assert!(loaded.component.omitted.iter().all(|omission| !omission.reason.is_empty()));
    // Whoever calls one of them is told the reason, and not that there is none.
    let catalog = workshop.toolbox.catalog().await;
    for spelling in ["make", "resources/make", "test:resources/counters#make"] {
        let refused = catalog.find(spelling).err();
        assert!(matches!(refused, Some(UnknownTool::NoTool { .. })), "{spelling}: {refused:?}");
    }
    assert!(matches!(catalog.find("nothing-like-it"), Err(UnknownTool::Unknown { .. })));
}

/// A component that exports an interface with one function, and perhaps more.
fn exporting(interface: &str, more: &str) -> Vec<u8> {
    wat::parse_str(format!(
        "(component (core module $m (func (export \"f\")) (func (export \"r\") (result i32) i32.const 0))
           (core instance $i (instantiate $m))
           (func $run (result (result)) (canon lift (core func $i \"r\")))
           (instance $run (export \"run\" (func $run))) (export \"{interface}\" (instance $run)) {more})"
    ))
    .unwrap()
}

#[tokio::test]
async fn a_component_without_tools_is_not_loaded_and_said_to_be_what_it_is() {
    let package = "(component (type (component (type (instance (type u8)))
        (export \"a:b/c\" (instance (type 0))))) (export \"c\" (type 0)))";
    let resource = "(component (core module $m (func (export \"new\") (result i32) i32.const 0))
        (core instance $i (instantiate $m)) (type $r (resource (rep i32)))
        (component $c (import \"r\" (type $r (sub resource))) (import \"f\" (func $f (result (own $r))))
          (export $e \"r\" (type $r)) (export \"[constructor]r\" (func $f) (func (result (own $e)))))
        (func $f (result (own $r)) (canon lift (core func $i \"new\")))
        (instance $o (instantiate $c (with \"r\" (type $r)) (with \"f\" (func $f))))
        (export \"a:b/rs\" (instance $o)))";
    for (bytes, words) in [
        (compiled("empty"), "it exports nothing"),
        (wat::parse_str(package).unwrap(), "it holds interface definitions only (a WIT package)"),
        (
            exporting("wasi:cli/run@0.2.0", ""),
            "it is a command, which exports `wasi:cli/run@0.2.0`",
        ),
        (
            exporting("wasi:http/incoming-handler@0.2.6", ""),
            "it is an HTTP handler, which exports `wasi:http/incoming-handler@0.2.6`",
        ),
        (wat::parse_str(resource).unwrap(), "it exports resources only"),
        (
            exporting("wasi:else/thing@0.2.0", ""),
            "none of its exports can be one: `wasi:else/thing@0.2.0#run` (",
        ),
        (
            compiled("odd-exports"),
            "none of its exports can be one: `a-module` (it is a core module",
        ),
    ] {
        let workshop = Workshop::new();
        workshop.put("it.wasm", &bytes);
        let refused = workshop.load("it.wasm").await.unwrap_err();
        let LoadError::NoTools { what, cure, .. } = &refused else { panic!("{refused}: {words}") };
        assert!(what.starts_with(words) && !cure.is_empty(), "{what}");
        assert!(refused.to_string().contains("nothing was added"), "{refused}");
        assert!(workshop.toolbox.catalog().await.components().is_empty());
        let base = workshop.folder.path();
        let inspection = workshop.toolbox.inspect("it.wasm", base, true).await.unwrap();
        assert_eq!(inspection.faults.len(), 1, "{:?}", inspection.faults);
        assert!(inspection.faults[0].to_string().contains(words), "{}", inspection.faults[0]);
    }
}

#[tokio::test]
async fn a_version_without_tools_takes_nobodys_place() {
    let workshop = Workshop::new();
    workshop.put("it.wasm", &compiled("add")).load("it.wasm").await.unwrap();
    workshop.put("it.wasm", &exporting("wasi:cli/run@0.2.0", ""));
    let refused = workshop.load("it.wasm").await.unwrap_err();
    assert!(matches!(refused, LoadError::NoTools { .. }), "{refused}");
    let staged = workshop.toolbox.stage_update("it", &UpdateRequest::default(), |_| {}).await;
    assert!(matches!(staged, Err(LoadError::NoTools { .. })), "{staged:?}");
    assert_eq!(workshop.names().await, ["add"]);
    // What is one beside tools stays one, and says why it cannot be called.
    let more = "(func (export \"greet\") (canon lift (core func $i \"f\")))";
    workshop.put("it.wasm", &exporting("wasi:cli/run@0.2.0", more));
    workshop.load("it.wasm").await.unwrap();
    let refused = workshop.toolbox.catalog().await.find("run").unwrap_err().to_string();
    assert_eq!(
        refused,
        "`wasi:cli/run@0.2.0#run` of component `it` is not a tool: `wasi:cli/run` is an interface \
         that hosts call, not a set of tools"
    );
}

#[tokio::test]
async fn whatever_parses_can_be_inspected_with_all_that_it_lacks() {
    let workshop = Workshop::new();
    let lacking = wat::parse_str(
        "(component (import \"nobody:knows/this@1.0.0\" (func $n)) (import \"wasi:cli/run@0.3.0\" (func))
           (core module $m (memory i64 1) (tag $e) (func (export \"f\") (result i32) (throw $e)))
           (core instance $i (instantiate $m))
           (func (export \"works\") (result u32) (canon lift (core func $i \"f\"))))",
    );
    workshop.put("it.wasm", &lacking.unwrap());
    let base = workshop.folder.path();
    let inspection = workshop.toolbox.inspect("it.wasm", base, true).await.unwrap();
    assert_eq!(inspection.component.tools[0].function.signature(), "works() -> u32");
    assert_eq!(inspection.component.imports.len(), 2);
    let faults: Vec<String> = inspection.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "this build does not support what the component uses: 64-bit memories (memory64), \
             exception handling",
            "nothing here provides the imports `nobody:knows/this@1.0.0`, `wasi:cli/run@0.3.0`",
        ]
    );
    // What cannot even be looked into has names.
    workshop.put("odd.wasm", &compiled("component-export"));
    let inspection = workshop.toolbox.inspect("odd.wasm", base, true).await.unwrap();
    assert_eq!(inspection.component.omitted[0].function, "a-component");
    assert!(inspection.faults[0].to_string().contains("cannot run here"), "{inspection:?}");
    // Nothing of all this is kept.
    assert!(!workshop.store().join("cache").read_dir().is_ok_and(|mut all| all.next().is_some()));
}

/// A tuple that is small enough to be called and whose schema is not.
#[tokio::test]
async fn a_function_whose_schema_would_be_too_large_is_left_out() {
    let mut types = String::from("(type $t0 (tuple u8 u8))");
    for level in 1..10 {
        let inner = level - 1;
        types.push_str(&format!("(type $t{level} (tuple $t{inner} $t{inner}))"));
    }
    let text = format!(
        "(component {types}
           (core module $m (memory (export \"memory\") 1)
             (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 0))
             (func (export \"deep\") (param i32))
             (func (export \"good\") (param i32)))
           (core instance $i (instantiate $m))
           (func (export \"deep\") (param \"v\" $t9) (canon lift (core func $i \"deep\")
             (memory (core memory $i \"memory\")) (realloc (core func $i \"realloc\"))))
           (func (export \"good\") (param \"v\" u32) (canon lift (core func $i \"good\"))))"
    );
    let workshop = Workshop::new();
    workshop.put("deep.wasm", &wat::parse_str(text).unwrap());
    let loaded = workshop.load("deep.wasm").await.unwrap();
    assert_eq!(workshop.names().await, ["good"]);
    assert_eq!(loaded.component.omitted[0].function, "deep");
    assert!(workshop.second().catalog().await.problems().is_empty());
}

#[tokio::test]
async fn an_inspection_compiles_nothing_and_uses_what_is_compiled() {
    let workshop = Workshop::new();
    workshop.put("add.wasm", &compiled("add"));
    let base = workshop.folder.path();
    workshop.toolbox.inspect("add.wasm", base, true).await.unwrap();
    assert!(!workshop.store().join("cache").read_dir().is_ok_and(|mut all| all.next().is_some()));
    workshop.load("add.wasm").await.unwrap();
    let compiler = wassette_sandbox::Compiler::Child {
        program: "/no/such/compiler".into(),
        arguments: Vec::new(),
    };
    let second = crate::open(base, |options| options.compiler = compiler);
    let inspection = second.inspect("./add.wasm", base, true).await.unwrap();
    assert_eq!(inspection.component.tools[0].name, "add");
    let output = second.call("add", object(two_and_three())).await.unwrap();
    assert_eq!(output.text, ["5"]);
}

#[tokio::test]
async fn code_that_nobody_needs_goes() {
    let workshop = Workshop::new();
    for answer in 0..4 {
        workshop.put("x.wasm", &answering("answer", answer));
        workshop.load("x.wasm").await.unwrap();
    }
    let cached = || fs::read_dir(workshop.store().join("cache")).unwrap().count();
    assert_eq!(cached(), 1);
    workshop.toolbox.unload("x").await.unwrap();
    assert_eq!(cached(), 0);
}
