//! The guests, each compiled once for all tests of this process.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, OnceLock};

use tokio::sync::Mutex;
use wassette_policy::Limits;
use wassette_sandbox::{
    CodeKey, CompileLimits, Compiler, Component, Description, Engine, SealedCode,
};
use wassette_testkit::{built, example};
use wassette_wit_json::Function;

/// One engine for all tests, as there is one in a process.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new().unwrap())
}

/// A component that can be called.
pub(crate) struct Guest {
    pub(crate) component: Arc<Component>,
    description: Description,
}

/// The components that are examples; the others are guests of the tests.
const EXAMPLES: [&str; 2] = ["fetch", "filesystem"];

impl Guest {
    /// The committed component `name`.
    pub(crate) async fn named(name: &str) -> Arc<Self> {
        static ALL: Mutex<BTreeMap<String, Arc<Guest>>> = Mutex::const_new(BTreeMap::new());
        let mut all = ALL.lock().await;
        if let Some(guest) = all.get(name) {
            return guest.clone();
        }
        let path = if EXAMPLES.contains(&name) { example(name) } else { built(name) };
        let guest = Arc::new(Self::compiled(&fs::read(path).unwrap()).await);
        all.insert(name.to_owned(), guest.clone());
        guest
    }

    async fn compiled(bytes: &[u8]) -> Self {
        let compiler = Compiler::InProcess;
        let compiled = compiler.compile(bytes, &Limits::default(), &CompileLimits::default()).await;
        let key = CodeKey::new([7; 32]);
        let code = SealedCode::seal(&key, "name", &compiled.unwrap()).unwrap();
        let (description, component) = Component::open(engine(), &key, "name", &code).unwrap();
        Self { component: Arc::new(component), description }
    }

    pub(crate) fn function(&self, name: &str) -> Arc<Function> {
        let mut found = self.description.functions.iter().filter(|f| f.id.name == name);
        Arc::new(found.next().unwrap_or_else(|| panic!("no function `{name}`")).clone())
    }
}
