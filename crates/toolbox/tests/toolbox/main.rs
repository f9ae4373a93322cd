//! The toolbox with a real store and real components.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod approvals;
mod archives;
mod asked_loads;
mod audit;
mod calls;
mod catalogues;
mod desk;
mod hostile_publishers;
mod learn;
mod leases;
mod loads;
mod locks;
mod manifest_values;
mod manifests;
mod market;
mod merged_loads;
mod names;
mod permissions;
mod policies;
mod processes;
mod pushes;
mod registry_faults;
mod registry_loads;
mod signed_loads;
mod told;
mod updates;
mod values;
mod void_rules;
mod waiting;
mod web_loads;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use wassette_policy::{LimitRules, OperatorLimits, Policy, Setting};
use wassette_sandbox::Compiler;
use wassette_testkit::{built, compiled};
use wassette_toolbox::{
    Catalog, JsonObject, LoadError, LoadRequest, Loaded, Options, PolicyChange, Replace,
    ToolOutput, Toolbox,
};

/// A folder with a store and component files, and a toolbox over it.
struct Workshop {
    folder: TempDir,
    toolbox: Toolbox,
}

impl Workshop {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let toolbox = open(folder.path(), change);
        Self { folder, toolbox }
    }

    /// A second toolbox over the same store, as another process would have it.
    fn second(&self) -> Toolbox {
        open(self.folder.path(), |_| {})
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Puts a component's file into the folder.
    fn put(&self, name: &str, bytes: &[u8]) -> &Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    fn request(&self, reference: &str) -> LoadRequest {
        LoadRequest::new(reference, self.folder.path().to_path_buf())
    }

    async fn load(&self, reference: &str) -> Result<Loaded, LoadError> {
        self.toolbox.load(self.request(reference), |_| {}).await
    }

    async fn replace(&self, reference: &str) -> Result<Loaded, LoadError> {
        let request = LoadRequest { replace: Replace::Allow, ..self.request(reference) };
        self.toolbox.load(request, |_| {}).await
    }

    /// Loads one of the guests that are text.
    async fn wat(&self, name: &str) -> Loaded {
        self.put(&format!("{name}.wasm"), &compiled(name))
            .load(&format!("{name}.wasm"))
            .await
            .unwrap()
    }

    /// Loads one of the guests that are built.
    async fn built(&self, name: &str) -> Loaded {
        self.load(&built(name).to_string_lossy()).await.unwrap()
    }

    async fn call(&self, name: &str, arguments: Value) -> ToolOutput {
        self.toolbox.call(name, object(arguments)).await.unwrap()
    }

    /// Makes `text` the policy of the component `id`.
    async fn grant(&self, id: &str, text: &str) -> PolicyChange {
        self.toolbox.set_policy(id, policy(text)).await.unwrap()
    }

    /// Writes the policy of the component `id` by hand, and waits until it was read.
    async fn write_by_hand(&self, id: &str, text: &str) -> Arc<Catalog> {
        let mut catalogs = self.toolbox.subscribe();
        catalogs.borrow_and_update();
        let file = self.policy_file(id);
        let draft = file.with_extension("draft");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&draft, text).unwrap();
        fs::rename(&draft, &file).unwrap();
        tokio::time::timeout(Duration::from_secs(10), catalogs.changed()).await.unwrap().unwrap();
        catalogs.borrow().clone()
    }

    fn policy_file(&self, id: &str) -> PathBuf {
        self.store().join("policies").join(format!("{id}.yaml"))
    }

    async fn names(&self) -> Vec<String> {
        names(&self.toolbox).await
    }
}

fn open(folder: &Path, change: impl FnOnce(&mut Options)) -> Toolbox {
    let mut options = Options::new(folder.join("store"), Compiler::InProcess);
    change(&mut options);
    Toolbox::open(options).unwrap()
}

async fn names(toolbox: &Toolbox) -> Vec<String> {
    toolbox.catalog().await.tools().iter().map(|tool| tool.name.clone()).collect()
}

fn object(value: Value) -> JsonObject {
    value.as_object().unwrap().clone()
}

/// The operator's limits: the default but for those in `named`.
fn limits<const N: usize>(named: [(&str, &str); N]) -> OperatorLimits {
    let mut rules = LimitRules::default();
    for (name, value) in named {
        rules.set(name, Setting::Text(value.to_owned())).unwrap();
    }
    OperatorLimits::new(&rules)
}

/// The policy with these sections, each a line.
fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap()
}

/// The arguments of `add`.
fn two_and_three() -> Value {
    json!({ "a": 2, "b": 3 })
}

/// A component with one function `name` of the world that gives `answer`.
fn answering(name: &str, answer: u32) -> Vec<u8> {
    wat::parse_str(format!(
        "(component (core module $m (func (export \"f\") (result i32) (i32.const {answer})))
           (core instance $i (instantiate $m))
           (func (export \"{name}\") (result u32) (canon lift (core func $i \"f\"))))"
    ))
    .unwrap()
}

/// A component like that of [`answering`] whose function has this documentation.
fn documented(name: &str, docs: &str, answer: u32) -> Vec<u8> {
    let world = json!({ "func_exports": { name: { "docs": docs } } });
    let docs = json!({ "worlds": { "w": world } }).to_string();
    let section = [b"\x0cpackage-docs\x01", docs.as_bytes()].concat();
    let length = section.len();
    // A custom section with its length in two bytes of seven bits.
    let length = [0, (length & 0x7f) as u8 | 0x80, u8::try_from(length >> 7).unwrap()];
    [&answering(name, answer)[..], &length, &section].concat()
}

/// Loads from registries of this machine without TLS, and gives up soon.
fn plain(options: &mut Options) {
    options.plain_http = true;
    options.registries.settings.attempts = 2;
    options.registries.settings.first_pause = Duration::from_millis(5);
}

/// A key that signed nothing.
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErlsCGKf2pHF+On3bl1oU64r5RhyL
gqKgWSa5PtLmueNmb27SCUhCMjvBqEEvyO+DML12/1mrClwQnTjyPYxazA==
-----END PUBLIC KEY-----
";
