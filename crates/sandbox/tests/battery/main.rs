//! The battery: real guests under real policies against real files and real servers on loopback,
//! with a resolver that knows only what a test tells it. Each test is named for the row of the list
//! of attacks that it stands for.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod examples;
mod guests;
mod limits;
mod names;
mod network;
mod requests;
mod storage;
mod storage_changes;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use guests::{Guest, engine};
use names::Names;
use serde_json::{Value, json};
use tempfile::TempDir;
use wassette_policy::{Denial, Effective, OperatorLimits, Policy};
use wassette_sandbox::{
    Authority, AuthorityParts, Call, Forbidden, Grants, Network, NetworkSettings, Pins, Resolution,
    Roots, StorageProblem, Values, Waits, Workspace, Workspaces,
};
use wassette_wit_json::{Bounds, Reply, encode, reply};
use zeroize::Zeroizing;

/// A folder with a workspace, names that stand for what a test says, and guests with their rights.
struct Lab {
    /// Canonical; `@` in policies and steps stands for it.
    root: PathBuf,
    names: Arc<Names>,
    network: Arc<Network>,
    values: Arc<Known>,
    workspaces: Workspaces,
    forbidden: Forbidden,
    guests: Mutex<BTreeMap<String, Held>>,
    _folder: TempDir,
}

/// A guest and its rights.
#[derive(Clone)]
struct Held {
    guest: Arc<Guest>,
    policy: Arc<Policy>,
    pins: Pins,
    authority: Arc<Authority>,
}

/// Variables and secrets.
#[derive(Default)]
struct Known(Mutex<BTreeMap<String, String>>);

impl Values for Known {
    fn variable(&self, _: &str) -> Option<Zeroizing<String>> {
        None
    }
    fn secret(&self, name: &str) -> Option<Zeroizing<String>> {
        self.0.lock().unwrap().get(name).cloned().map(Zeroizing::new)
    }
}

/// What came of a call: the function's result, or the text of its error or of the call's.
#[derive(Debug)]
struct Said {
    result: Result<Value, String>,
    denials: Vec<Denial>,
}

impl Lab {
    fn new() -> Self {
        Self::with(Roots::Platform, Waits::default())
    }

    fn with(roots: Roots, waits: Waits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["work", "store"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        let names = Arc::new(Names::default());
        let resolver = names.clone();
        let settings = NetworkSettings { resolver, roots, waits, ..NetworkSettings::default() };
        let workspace = Workspace::open(&root.join("work")).unwrap();
        Self {
            forbidden: Forbidden::new(&[root.join("store")]),
            root,
            names,
            network: Arc::new(Network::new(settings)),
            values: Arc::default(),
            workspaces: [("workspace".to_owned(), workspace)].into(),
            guests: Mutex::default(),
            _folder: folder,
        }
    }

    /// A lab with the guest `guest` in it, under the policy `rules`.
    async fn of(guest: &str, rules: &str) -> Self {
        let lab = Self::new();
        lab.load(guest).await;
        lab.allow(guest, rules);
        lab
    }

    async fn load(&self, guest: &str) {
        self.load_as(guest, guest).await;
    }

    /// Loads `guest` as the component `id`, which may do nothing yet.
    async fn load_as(&self, guest: &str, id: &str) {
        let held = Held {
            guest: Guest::named(guest).await,
            policy: Arc::default(),
            pins: Pins::default(),
            authority: Arc::new(Authority::none(id, OperatorLimits::default().values().clone())),
        };
        self.guests.lock().unwrap().insert(id.to_owned(), held);
    }

    fn held(&self, id: &str) -> Held {
        self.guests.lock().unwrap()[id].clone()
    }

    /// Puts the policy in force that `rules` are, in the bare form; calls under way know at once.
    /// Gives the rules that are void.
    fn allow(&self, id: &str, rules: &str) -> Vec<StorageProblem> {
        let policy = Arc::new(Policy::parse(&self.spelled(rules)).unwrap());
        self.enforce(id, policy, &Pins::default())
    }

    /// Resolves the policy of `id` anew, as a server that starts again does.
    fn restart(&self, id: &str) -> Vec<StorageProblem> {
        let held = self.held(id);
        self.enforce(id, held.policy, &held.pins)
    }

    fn enforce(&self, id: &str, policy: Arc<Policy>, pins: &Pins) -> Vec<StorageProblem> {
        let before = self.held(id);
        let Resolution { grants, pins, problems } =
            Grants::resolve(&policy.storage, None, &self.workspaces, &self.forbidden, pins);
        let (limits, _) = policy.limits.apply(&OperatorLimits::default());
        let parts = AuthorityParts {
            effective: Effective::new(id, policy.clone(), None),
            limits,
            storage: grants,
            values: self.values.clone(),
            network: self.network.clone(),
        };
        let authority = Arc::new(Authority::new(parts).following(&before.authority));
        before.authority.supersede(authority.clone());
        let held = Held { policy, pins, authority, ..before };
        self.guests.lock().unwrap().insert(id.to_owned(), held);
        problems
    }

    fn spelled(&self, text: &str) -> String {
        text.replace('@', &self.root.to_string_lossy())
    }

    /// Makes a file below the folder, and the directories that lead to it.
    fn put(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn content(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// Calls the function `name` of the component `id`: `id/name`.
    async fn call(&self, target: &str, arguments: Value) -> Said {
        let (id, name) = target.split_once('/').unwrap();
        let Held { guest, authority, .. } = self.held(id);
        let function = guest.function(name);
        let arguments = encode(&function, arguments.as_object().unwrap(), Bounds::ARGUMENTS);
        let call = Call {
            component: guest.component.clone(),
            authority,
            observer: None,
            function: function.clone(),
            arguments: arguments.unwrap(),
        };
        let outcome = engine().call(call).await;
        let result = match outcome.result {
            Err(error) => Err(error.to_string()),
            Ok(value) => match reply(&function, value.as_ref(), Bounds::RESULT).unwrap() {
                Reply::Ok(value) => Ok(value.unwrap_or(Value::Null)),
                Reply::Err(error) => Err(error.as_str().unwrap().to_owned()),
            },
        };
        Said { result, denials: outcome.denials }
    }

    /// What a function with a `result` came to.
    async fn outcome(&self, target: &str, arguments: Value) -> Result<Value, String> {
        self.call(target, arguments).await.result
    }

    /// Lets the guest `descriptors` do `steps`, and gives what each came to.
    async fn steps(&self, steps: &[&str]) -> Vec<String> {
        self.steps_of("descriptors", steps).await
    }

    async fn steps_of(&self, id: &str, steps: &[&str]) -> Vec<String> {
        let steps: Vec<String> = steps.iter().map(|step| self.spelled(step)).collect();
        let said = self.outcome(&format!("{id}/run"), json!({ "steps": steps })).await.unwrap();
        said.as_array().unwrap().iter().map(|said| said.as_str().unwrap().to_owned()).collect()
    }

    /// The host refuses each of `steps` with an error code.
    async fn refused(&self, steps: &[&str]) {
        for (step, said) in steps.iter().zip(self.steps(steps).await) {
            assert!(!said.starts_with("ok") && !said.contains(' '), "{step}: {said}");
        }
    }

    /// None of `steps` may come to anything, be it that the guest finds no directory at all.
    async fn shut(&self, steps: &[&str]) {
        for (step, said) in steps.iter().zip(self.steps(steps).await) {
            assert!(!said.starts_with("ok"), "{step}: {said}");
        }
    }

    /// Each of `steps` comes to what stands beside it.
    async fn said(&self, steps: &[(&str, &str)]) {
        let asked: Vec<&str> = steps.iter().map(|(step, _)| *step).collect();
        for ((step, expected), said) in steps.iter().zip(self.steps(&asked).await) {
            assert_eq!(said, *expected, "{step}");
        }
    }
}
