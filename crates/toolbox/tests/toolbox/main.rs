//! The toolbox with a real store and real components.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod calls;
mod loads;
mod names;
mod processes;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use wassette_policy::{Limits, Setting};
use wassette_sandbox::Compiler;
use wassette_testkit::{built, compiled};
use wassette_toolbox::{
    JsonObject, LoadError, LoadRequest, Loaded, Options, Replace, ToolOutput, Toolbox,
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

fn set(limits: &mut Limits, name: &str, value: &str) {
    limits.set(name, &Setting::Text(value.to_owned())).unwrap();
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
