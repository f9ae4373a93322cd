//! The sandbox against real guests: those that behave, and those that try to break out.
//!
//! A test whose name begins with `denied_` proves a claim of the security documentation.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod binaries;
mod code;
mod denied;
mod limits;
mod threads;
mod values;

use std::fs;
use std::sync::{Arc, OnceLock};

use wassette_policy::{Bytes, Limits, Setting};
use wassette_sandbox::{
    Authority, Call, CallError, CodeKey, CompileError, CompileLimits, Compiled, Compiler,
    Component, Description, Engine, Outcome, SealedCode,
};
use wassette_testkit::{built, compiled};
use wassette_wit_json::{Function, Value};

/// One engine for all tests, as there is one in a process.
fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new().unwrap())
}

async fn compile(bytes: &[u8], limits: &Limits) -> Result<Compiled, CompileError> {
    Compiler::InProcess.compile(bytes, limits, &CompileLimits::default()).await
}

/// A component that can be called.
struct Guest {
    component: Arc<Component>,
    authority: Arc<Authority>,
    description: Description,
}

impl Guest {
    async fn new(bytes: &[u8], limits: &Limits) -> Self {
        let compiled = compile(bytes, limits).await.unwrap();
        let key = CodeKey::new([7; 32]);
        let code = SealedCode::seal(&key, "name", &compiled).unwrap();
        let (description, component) = Component::open(engine(), &key, "name", &code).unwrap();
        assert_eq!(description, compiled.description);
        let authority = Arc::new(Authority::none("guest", limits.clone()));
        Self { component: Arc::new(component), authority, description }
    }

    async fn wat(name: &str, limits: &Limits) -> Self {
        Self::new(&compiled(name), limits).await
    }

    async fn built(name: &str, limits: &Limits) -> Self {
        Self::new(&fs::read(built(name)).unwrap(), limits).await
    }

    async fn chaos() -> Self {
        Self::built("chaos", &tight()).await
    }

    fn function(&self, name: &str) -> &Function {
        let mut found = self.description.functions.iter().filter(|f| f.id.name == name);
        found.next().unwrap_or_else(|| panic!("no function `{name}`"))
    }

    async fn call(&self, name: &str, arguments: impl Into<Vec<Value>>) -> Outcome {
        let function = Arc::new(self.function(name).clone());
        engine().call(self.prepare(function, arguments.into())).await
    }

    fn prepare(&self, function: Arc<Function>, arguments: Vec<Value>) -> Call {
        Call {
            component: self.component.clone(),
            authority: self.authority.clone(),
            observer: None,
            function,
            arguments,
        }
    }

    async fn error(&self, name: &str, arguments: impl Into<Vec<Value>>) -> CallError {
        self.call(name, arguments).await.result.unwrap_err()
    }

    async fn value(&self, name: &str, arguments: impl Into<Vec<Value>>) -> Value {
        self.call(name, arguments).await.result.unwrap().unwrap()
    }
}

/// Limits that a test meets quickly.
fn tight() -> Limits {
    limits([("memory", "64Mi"), ("cpu", "200ms"), ("time", "5s")])
}

fn limits<const N: usize>(settings: [(&str, &str); N]) -> Limits {
    let mut limits = Limits::default();
    for (name, value) in settings {
        let setting = value.parse().map_or(Setting::Text(value.to_owned()), Setting::Number);
        limits.set(name, &setting).unwrap();
    }
    limits
}

fn mebi(count: u32) -> Bytes {
    Bytes::mebi(count)
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}
