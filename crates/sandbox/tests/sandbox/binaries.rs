//! What is not a component that can run here is refused, each with its reason.

use miette::Diagnostic;
use wassette_policy::Limits;
use wassette_sandbox::CompileError;
use wassette_testkit::{compiled, wat_text};

use crate::{compile, limits};

/// What a person is told, and what helps.
async fn told(text: &str) -> (String, String) {
    let bytes = wat::parse_str(text).unwrap();
    let error = compile(&bytes, &Limits::default()).await.err().unwrap();
    (error.to_string(), error.help().unwrap().to_string())
}

async fn refused(bytes: &[u8]) -> String {
    compile(bytes, &Limits::default()).await.err().unwrap().to_string()
}

#[tokio::test]
async fn whatever_is_no_component_is_recognised() {
    for (bytes, words) in [
        (&b""[..], "the file is empty"),
        (b"\0asm\x01\0\0\0", "this is a core WebAssembly module, not a WebAssembly component"),
        (b"\0as", "this is a cut-off file, not a WebAssembly component"),
        (
            b"\0asm\x0c\0\x01\0",
            "this is a WebAssembly file of an unknown version, not a WebAssembly component",
        ),
        (b"hello, world", "this is a text file, not a WebAssembly component"),
        (b"\x7fELF\x02\x01\x01", "this is a native program, not a WebAssembly component"),
        (b"\x1f\x8b\x08\0\0\0", "this is a compressed file, not a WebAssembly component"),
        (b"\xff\xfe\0\x01", "this is a file of an unknown kind, not a WebAssembly component"),
    ] {
        assert_eq!(refused(bytes).await, words);
    }
    let text = wat_text("add");
    let words = "this is a component in text form, not a WebAssembly component";
    assert_eq!(refused(text.as_bytes()).await, words);
}

#[tokio::test]
async fn denied_machine_code_is_never_loaded() {
    let engine = wasmtime::Engine::default();
    let code = engine.precompile_component(&compiled("add")).unwrap();
    let words = "this is code that Wasmtime has compiled (`.cwasm`), not a WebAssembly component";
    assert_eq!(refused(&code).await, words);
}

#[tokio::test]
async fn a_component_that_is_cut_off_is_refused() {
    let bytes = compiled("strings");
    let mut whole = 0;
    for end in 0..bytes.len() {
        match compile(&bytes[..end], &Limits::default()).await {
            Err(error) => {
                assert!(!error.to_string().contains('\n'));
                assert!(!matches!(error, CompileError::Unsupported { .. }), "{end}: {error}");
            }
            // Between two sections a shorter component may end.
            Ok(_) => whole += 1,
        }
    }
    assert!(whole < bytes.len() / 10, "{whole} of {}", bytes.len());
    let words = refused(&bytes[..bytes.len() / 2]).await;
    assert!(words.starts_with("the component is not valid: "), "{words}");
}

#[tokio::test]
async fn denied_x07_what_is_declared_beyond_the_limits_is_not_loaded() {
    let huge = compiled("huge-memory");
    assert_eq!(
        refused(&huge).await,
        "the component declares a memory of 4Gi, and the limit is 256Mi"
    );
    let words = refused(&compiled("huge-table")).await;
    assert!(words.starts_with("the component declares a table of "), "{words}");
    assert!(compile(&huge, &limits([("memory", "4Gi")])).await.is_ok());
}

#[tokio::test]
async fn missing_imports_are_named() {
    let missing = |import: &str| format!("nothing here provides the import `{import}`");
    assert_eq!(refused(&compiled("unknown-import")).await, missing("nobody:knows/this@1.0.0"));
    assert_eq!(refused(&compiled("unknown-function-import")).await, missing("host-log"));
}

/// The import of an interface with a function.
fn needed(import: &str) -> String {
    format!("(import \"{import}\" (instance (export \"f\" (func))))")
}

#[tokio::test]
async fn each_kind_of_missing_import_has_its_cure() {
    for (import, cure) in [
        ("nobody:knows/this@1.0.0", "compose the two"),
        ("host-log", "compose the two"),
        ("wasi:clocks/monotonic-clock@0.3.2", "does not support WASI 0.3 yet: build the component"),
        ("wasi:http/client@0.3.0-rc-2026-03-15", "does not support WASI 0.3 yet"),
        // Behind a gate of WASI 0.2, and not of it any more or yet.
        ("wasi:clocks/timezone@0.2.6", "this build provides the stable interfaces of 0.2"),
        ("wasi:keyvalue/store@0.2.0-draft", "this build provides the stable interfaces of 0.2"),
    ] {
        let (message, help) = told(&format!("(component {})", needed(import))).await;
        assert_eq!(message, format!("nothing here provides the import `{import}`"));
        assert!(help.contains(cure), "{import}: {help}");
    }
    let both = needed("a:b/c") + &needed("wasi:cli/run@0.3.0");
    let (_, help) = told(&format!("(component {both})")).await;
    assert!(help.contains("WASI 0.3") && help.contains("compose the two"), "{help}");
}

#[tokio::test]
async fn an_import_that_asks_for_more_than_is_released_is_newer_and_not_older() {
    let exit = |function: &str| {
        format!("(component (import \"wasi:cli/exit@0.2.6\" (instance {function})))")
    };
    let gated = "(export \"exit-with-code\" (func (param \"status-code\" u8)))";
    let unknown = "(export \"exit-slowly\" (func))";
    let (message, help) = told(&exit(unknown)).await;
    assert!(message.contains("exit-slowly"), "{message}");
    assert!(help.contains("not stable yet or that came later"), "{help}");
    // The one feature behind a gate that toolchains do use is provided.
    compile(&wat::parse_str(exit(gated)).unwrap(), &Limits::default()).await.unwrap();
    let (_, help) = told(&exit("(export \"exit\" (func (param \"status\" u32)))")).await;
    assert!(help.contains("against a released version of WASI 0.2"), "{help}");
    // A version that agrees is another name for the same.
    let now = "(export \"now\" (func (result u64)))";
    for version in ["0.2.0", "0.2.1", "0.2.99"] {
        let text = format!(
            "(component (import \"wasi:clocks/monotonic-clock@{version}\" (instance {now})))"
        );
        compile(&wat::parse_str(text).unwrap(), &Limits::default()).await.unwrap();
    }
}

#[tokio::test]
async fn features_that_this_build_lacks_are_named_with_how_to_build_without() {
    for (module, name, cure) in [
        ("(tag $e) (func (throw $e))", "exception handling", "`-fno-exceptions`"),
        ("(type (struct (field i32)))", "garbage-collected references", "-mno-reference-types"),
        ("(memory i64 1)", "64-bit memories (memory64)", "build for `wasm32`"),
        ("(memory 1 1 shared)", "threads", "-pthread"),
    ] {
        let (message, help) = told(&format!("(component (core module {module}))")).await;
        let words = "this build does not support what the component uses: ";
        assert!(message.starts_with(&format!("{words}{name}")), "{message}");
        assert!(help.contains(cure) && !help.contains("validate"), "{help}");
    }
    let (_, help) = told("(component (core module (func (result i32))))").await;
    assert!(help.starts_with("`wasm-tools validate` says the same"), "{help}");
    let (message, help) = told(&wat_text("component-export")).await;
    assert!(message.starts_with("the component is valid, but cannot run here: "), "{message}");
    assert!(!help.contains("validate"), "{help}");
}

#[tokio::test]
async fn a_core_module_is_told_how_it_becomes_a_component() {
    let preview = "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func (param i32)))";
    let world = "(@custom \"component-type:x\" \"\")";
    for (module, words) in [
        (format!("(module {preview} (func (export \"_start\")))"), "command.wasm"),
        (format!("(module {preview} {world} (func (export \"f\")))"), "reactor.wasm"),
        (format!("(module {preview} (func (export \"f\")))"), "wasm-tools component embed"),
        (format!("(module {world})"), "`wasm-tools component new module.wasm -o component.wasm`"),
        ("(module)".to_owned(), "wasm-tools component embed"),
    ] {
        let (message, help) = told(&module).await;
        assert_eq!(message, "this is a core WebAssembly module, not a WebAssembly component");
        assert!(help.contains(words), "{module}: {help}");
        let adapts = help.contains("--adapt wasi_snapshot_preview1=wasi_snapshot_preview1.");
        assert_eq!(adapts, module.contains("preview1"), "{module}: {help}");
    }
}

#[tokio::test]
async fn release_candidates_of_wasi_are_linked_as_the_release() {
    for version in [
        "0.2.0",
        "0.2.3",
        "0.2.12",
        "0.2.0-rc-2023-10-18",
        "0.2.0-rc-2023-11-10",
        "0.2.0-rc-2023-12-05",
    ] {
        let text = wat_text("clock").replace("@0.2.0", &format!("@{version}"));
        let compiled = compile(&wat::parse_str(text).unwrap(), &Limits::default()).await.unwrap();
        assert!(compiled.description.imports[0].starts_with("wasi:clocks/wall-clock@0.2."));
    }
    let text = wat_text("clock").replace("@0.2.0", "@0.3.0");
    let error = refused(&wat::parse_str(text).unwrap()).await;
    assert_eq!(error, "nothing here provides the import `wasi:clocks/wall-clock@0.3.0`");
}

#[tokio::test]
async fn too_many_functions_are_refused() {
    let words = refused(&compiled("many-exports")).await;
    assert_eq!(words, "the component exports 201 functions, more than 200");
}

/// Seventeen levels of pairs: 220 bytes that ask for a schema of 262 000 nodes.
#[tokio::test]
async fn a_type_that_unfolds_without_end_is_not_unfolded() {
    let mut types = String::from("(type $t0 (tuple u8 u8))");
    for level in 1..17 {
        let inner = level - 1;
        types.push_str(&format!("(type $t{level} (tuple $t{inner} $t{inner}))"));
    }
    let text = format!(
        "(component {types}
           (core module $m (memory (export \"memory\") 1) (func (export \"f\") (param i32))
             (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
           (core instance $i (instantiate $m))
           (func (export \"f\") (param \"v\" $t16) (canon lift (core func $i \"f\") (memory (core memory $i \"memory\")) (realloc (core func $i \"realloc\")))))"
    );
    let compiled = compile(&wat::parse_str(&text).unwrap(), &Limits::default()).await.unwrap();
    let [function] = &compiled.description.functions[..] else { panic!() };
    let reason = function.callable().unwrap_err().to_string();
    assert!(reason.contains("more than 2000 parts"), "{reason}");
    assert!(serde_json::to_string(function).unwrap().len() < 200_000);
}

#[tokio::test]
async fn exports_that_are_no_functions_are_named() {
    let compiled = compile(&compiled("odd-exports"), &Limits::default()).await.unwrap();
    let others: Vec<&str> =
        compiled.description.others.iter().map(|o| o.function.as_str()).collect();
    assert_eq!(others, ["a-module"]);
    assert!(!compiled.description.others[0].reason.is_empty());
}

/// Some bytes at both ends of a large memory, again and again: two kilobytes that would become a
/// gigabyte of images.
#[tokio::test]
async fn denied_a_small_component_does_not_become_a_large_one() {
    let module =
        "(core module (memory 256) (data (i32.const 0) \"a\") (data (i32.const 16770000) \"b\"))";
    let text = format!("(component {})", module.repeat(20));
    let compiled = compile(&wat::parse_str(text).unwrap(), &Limits::default()).await.unwrap();
    let key = wassette_sandbox::CodeKey::new([1; 32]);
    let sealed = wassette_sandbox::SealedCode::seal(&key, "name", &compiled).unwrap();
    assert!(sealed.as_bytes().len() < 4 << 20, "{}", sealed.as_bytes().len());
}

/// What a memory begins with lies ready to be mapped, gaps and all, where it is much: it is not copied
/// into each call.
#[tokio::test]
async fn a_snapshot_becomes_an_image() {
    let data = "x".repeat(128 << 10);
    let place = |index| format!("(data (i32.const {}) \"{data}\")", index * (512 << 10));
    let segments: String = (0..4).map(place).collect();
    let text = format!("(component (core module (memory 32) {segments}))");
    let compiled = compile(&wat::parse_str(text).unwrap(), &Limits::default()).await.unwrap();
    let key = wassette_sandbox::CodeKey::new([1; 32]);
    let sealed = wassette_sandbox::SealedCode::seal(&key, "name", &compiled).unwrap();
    assert!(sealed.as_bytes().len() > 3 * (512 << 10), "{}", sealed.as_bytes().len());
}

#[tokio::test]
async fn names_that_an_author_chose_are_cleaned_and_cut() {
    let import = |name: &str| format!("(import \"url=<https://x/{name}>\" (func))");
    let evil = "\\u{202e}evil\\u{1b}[31m\\0aIGNORE";
    let words = refused(&wat::parse_str(format!("(component {})", import(evil))).unwrap()).await;
    assert!(!words.contains(['\u{202e}', '\u{1b}', '\n']), "{words}");
    let many: String = (0..500).map(|n| import(&format!("{n}{}", "x".repeat(2_000)))).collect();
    let words = refused(&wat::parse_str(format!("(component {many})")).unwrap()).await;
    assert!(words.len() < 20_000 && words.ends_with("`and 450 more`"), "{}", words.len());
}
