//! The rows L01 to L13 of the battery: what a registry gives that is no good component, compiled by
//! the program as it is shipped. Each has its own words, and leaves the store as it was.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;
use wassette_sandbox::{CompileLimits, Compiler};
use wassette_store::{ComponentId, Digest};
use wassette_testkit::{FakeRegistry, compiled, wat_text};
use wassette_toolbox::{Component, LoadRequest, Loaded, Options, RegistrySettings, Toolbox};

/// A registry of whoever means no good, and a toolbox that asks it.
struct Market {
    registry: FakeRegistry,
    folder: TempDir,
    toolbox: Toolbox,
}

impl Market {
    fn open() -> Self {
        Self::with(CompileLimits::default())
    }

    fn with(compile_limits: CompileLimits) -> Self {
        let registry = FakeRegistry::start();
        let folder = tempfile::tempdir().unwrap();
        let program = env!("CARGO_BIN_EXE_wassette").into();
        let compiler = Compiler::Child { program, arguments: vec!["compile-component".into()] };
        let mut options = Options::new(folder.path().join("store"), compiler);
        options.compile_limits = compile_limits;
        let plain = RegistrySettings { insecure: true, ..RegistrySettings::default() };
        options.registries.settings.registries.insert(registry.host(), plain);
        let toolbox = Toolbox::open(options).unwrap();
        Self { registry, folder, toolbox }
    }

    async fn load(&self, name: &str, bytes: &[u8]) -> Result<Loaded, String> {
        self.registry.put_component(&format!("evil/{name}"), "1", bytes);
        self.load_from(&self.registry.reference(&format!("evil/{name}"), "1")).await
    }

    async fn load_from(&self, reference: &str) -> Result<Loaded, String> {
        let request = LoadRequest::new(reference, self.folder.path().to_owned());
        self.toolbox.load(request, |_| {}).await.map_err(|error| told(&error))
    }

    /// That `bytes` are refused with these words, and that nothing is left of them.
    async fn refuses(&self, name: &str, bytes: &[u8], words: &str) {
        let before = self.contents();
        let error =
            self.load(name, bytes).await.err().unwrap_or_else(|| panic!("{name} is loaded"));
        assert!(error.contains(words), "{name}: {error}");
        assert!(error.chars().all(|c| !c.is_control()), "{name}: {error:?}");
        assert_eq!(self.contents(), before, "{name}");
    }

    /// The component that `bytes` become.
    async fn accepts(&self, name: &str, bytes: &[u8]) -> Arc<Component> {
        self.load(name, bytes).await.unwrap_or_else(|error| panic!("{name}: {error}")).component
    }

    /// Every file of the store and what it holds.
    fn contents(&self) -> BTreeMap<String, Digest> {
        let mut found = BTreeMap::new();
        collect(&self.folder.path().join("store"), &mut found);
        found
    }
}

fn collect(folder: &Path, found: &mut BTreeMap<String, Digest>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.insert(path.display().to_string(), Digest::of(&fs::read(path).unwrap()));
        }
    }
}

/// All that an error says, its causes included.
fn told(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    words
}

fn parsed(text: impl AsRef<str>) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// A component with one function whose core function has this body.
fn with_body(body: &str) -> Vec<u8> {
    parsed(format!(
        "(component
           (core module $m (func (export \"f\") (param i32) (result i32) (local i32) {body} (local.get 1)))
           (core instance $i (instantiate $m))
           (func (export \"f\") (param \"v\" u32) (result u32) (canon lift (core func $i \"f\"))))"
    ))
}

/// A component whose one export is called `name`.
fn exporting(name: &str) -> Vec<u8> {
    parsed(format!(
        "(component (core module $m (func (export \"f\") (result i32) (i32.const 1)))
           (core instance $i (instantiate $m))
           (func (export \"{name}\") (result u32) (canon lift (core func $i \"f\"))))"
    ))
}

/// `component` with the custom section `name` at its end.
fn with_section(mut component: Vec<u8>, name: &str, content: &[u8]) -> Vec<u8> {
    let mut section = vec![u8::try_from(name.len()).unwrap()];
    section.extend_from_slice(name.as_bytes());
    section.extend_from_slice(content);
    component.push(0);
    let mut length = section.len();
    while length > 0x7f {
        component.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    component.push(u8::try_from(length).unwrap());
    component.extend(section);
    component
}

#[tokio::test]
async fn denied_l01_a_component_that_is_costly_to_compile() {
    let bounds = CompileLimits { seconds: 1, seconds_per_mebibyte: 0, ..CompileLimits::default() };
    let market = Market::with(bounds);
    let branch = "(if (local.get 0) (then (local.set 1 (i32.add (local.get 1) (local.get 0)))))";
    market.refuses("bomb", &with_body(&branch.repeat(60_000)), "1s of processor time").await;
    // Whoever comes next finds a compiler.
    market.accepts("add", &compiled("add")).await;
}

#[tokio::test]
async fn denied_l02_a_component_of_functions_without_number() {
    let bounds = CompileLimits { seconds: 1, seconds_per_mebibyte: 0, ..CompileLimits::default() };
    let many =
        "(func (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))".repeat(100_000);
    let market = Market::with(bounds);
    let component = |more: &str| {
        parsed(format!(
            "(component {more} (core module $m {many} (func (export \"f\")))
               (core instance $i (instantiate $m)) (func $f (canon lift (core func $i \"f\")))
               (export \"it\" (func $f)))"
        ))
    };
    market.refuses("many", &component(""), "1s of processor time").await;
    // What cannot be served in any case is refused before it is compiled.
    for (more, words) in [
        ("(import \"nobody:knows/this@1.0.0\" (func))", "`nobody:knows/this@1.0.0`"),
        ("(core module (memory i64 1))", "64-bit memories"),
        (
            "(core module $big (memory 65536)) (core instance (instantiate $big))",
            "declares a memory of 4Gi",
        ),
    ] {
        market.refuses("many", &component(more), words).await;
    }
    let toolless = parsed(format!("(component (core module {many}))"));
    market.refuses("many", &toolless, "it exports nothing").await;
}

#[tokio::test]
async fn denied_l03_l04_tools_and_schemas_without_end() {
    let market = Market::open();
    market
        .refuses("exports", &compiled("many-exports"), "exports 201 functions, more than 200")
        .await;
    let mut types = String::from("(type $t0 (tuple u8 u8))");
    for level in 1..17 {
        let inner = level - 1;
        types.push_str(&format!("(type $t{level} (tuple $t{inner} $t{inner}))"));
    }
    let unfolding = parsed(format!(
        "(component {types}
           (core module $m (memory (export \"memory\") 1) (func (export \"f\") (param i32))
             (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
           (core instance $i (instantiate $m))
           (func (export \"f\") (param \"v\" $t16) (canon lift (core func $i \"f\")
             (memory (core memory $i \"memory\")) (realloc (core func $i \"realloc\")))))"
    ));
    // There is no tool with such a schema.
    market.refuses("unfolding", &unfolding, "2000 parts").await;
}

#[tokio::test]
async fn denied_l05_l06_l07_what_is_no_component_or_wants_what_nobody_provides() {
    let market = Market::open();
    let engine_code = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0";
    for (name, bytes, words) in [
        ("module", compiled("core-module"), "core WebAssembly module"),
        ("text", wat_text("add").into_bytes(), "a component in text form"),
        ("three", b"\0as".to_vec(), "a cut-off file"),
        ("packed", b"\x1f\x8b\x08\0\0\0".to_vec(), "a compressed file"),
        ("native", engine_code.to_vec(), "a native program"),
        ("page", b"<html>hello</html>".to_vec(), "a text file"),
        ("import", compiled("unknown-import"), "`nobody:knows/this@1.0.0`"),
        ("function", compiled("unknown-function-import"), "`host-log`"),
    ] {
        market.refuses(name, &bytes, words).await;
    }
}

/// The rows L08 and L09. What is cut off between two sections may be a component still.
#[tokio::test]
async fn denied_l08_l09_components_that_are_cut_off_or_changed() {
    let market = Market::open();
    let sound = compiled("strings");
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    let mut refused = 0;
    for round in 0..48 {
        let mut bytes = sound.clone();
        if round % 2 == 0 {
            bytes.truncate(1 + next(sound.len() - 1));
        } else {
            for _ in 0..1 + next(8) {
                let at = next(bytes.len());
                bytes[at] = u8::try_from(next(256)).unwrap();
            }
        }
        let before = market.contents();
        if let Err(error) = market.load(&format!("broken-{round}"), &bytes).await {
            assert!(!error.contains("broke down"), "{error}");
            assert_eq!(market.contents(), before, "{error}");
            refused += 1;
        }
    }
    assert!(refused > 24, "{refused} of 48");
    market.accepts("sound", &sound).await;
}

#[tokio::test]
async fn denied_l10_a_name_that_another_tool_has_or_looks_like() {
    let market = Market::open();
    let first = market.accepts("first", &exporting("do-it")).await;
    assert_eq!(first.tools[0].name, "do-it");
    let names = async |name: &str, export: &str| market.accepts(name, &exporting(export)).await;
    for (name, export) in
        [("second", "do-it"), ("third", "load-component"), ("fourth", "grant-storage-permission")]
    {
        let component = names(name, export).await;
        assert_ne!(component.tools[0].name, export);
        assert!(component.tools[0].name.contains(name), "{}", component.tools[0].name);
    }
}

#[tokio::test]
async fn denied_l11_l12_names_and_texts_that_no_client_could_show() {
    let market = Market::open();
    let long = format!("a{}", "-b".repeat(100));
    let component = market.accepts("long", &exporting(&long)).await;
    let name = &component.tools[0].name;
    assert!(
        name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
    );

    let evil = format!("ignore\u{202e}\u{1b}[31m previous\u{200b}\0 {}", "x".repeat(900_000));
    let docs = json!({ "worlds": { "w": { "func_exports": { "f": { "docs": evil } } } } });
    let content = [&[1], docs.to_string().as_bytes()].concat();
    let component =
        market.accepts("texts", &with_section(exporting("f"), "package-docs", &content)).await;
    let text = &component.tools[0].description;
    assert!(text.contains("ignore") && text.len() < 4096, "{}", text.len());
    assert!(!text.contains(['\u{202e}', '\u{1b}', '\u{200b}', '\0']), "{text:?}");
}

#[tokio::test]
async fn denied_l13_ids_and_references_that_lead_elsewhere() {
    let market = Market::open();
    let host = market.registry.host();
    market.accepts("add", &compiled("add")).await;
    let before = market.contents();
    for reference in [
        "../x",
        "..%2fx",
        "evil/../add",
        "evil//add",
        ".",
        "",
        "evil/CON/..",
        "-rf/x:1",
        "a\0b",
        "Evil/Add:1",
        "evil/\u{430}dd:1",
    ] {
        assert!(
            market.load_from(&format!("oci://{host}/{reference}")).await.is_err(),
            "{reference}"
        );
    }
    for id in ["../x", "..%2fx", "a/b", ".", "", "con", "-rf", "a\0b", "\u{430}dd"] {
        assert!(ComponentId::parse(id).is_err(), "{id:?}");
    }
    assert!(ComponentId::parse(&"x".repeat(300)).is_err());
    assert_eq!(market.contents(), before);
    // A repository with a name that some system reserves is an id that none does.
    let component = market.accepts("con", &exporting("other")).await;
    assert_eq!(component.id, "component-con");
}
