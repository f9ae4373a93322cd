//! The store with what all share: folders, servers, the component of all; and at the end the
//! comparison of everything with everything.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::process::Command;

use super::model::{self, Model, OWN_KEYS, SHARED_KEYS};
use super::server::{Origin, Server, Shown, given, is_trouble};
use super::{COMMAND_LINES, Fault};
use crate::guest::built;
use crate::test_env::TestEnv;

/// The component that all share.
pub(super) const SHARED: &str = "shared";

/// A variable that the component of all may always read.
pub(super) const ALWAYS: &str = "ALWAYS";

/// A variable that no component may ever read.
pub(super) const NEVER: &str = "NEVER";

/// The store, its servers, and whether work goes on.
pub(super) struct Place {
    env: TestEnv,
    pub(super) servers: [Arc<Server>; 2],
    stopped: AtomicBool,
}

impl Place {
    /// A new store with every component loaded, and both servers on it.
    pub(super) async fn open(program: &Path) -> Self {
        let env = TestEnv::new(program);
        env.configure(&configuration());
        let place = |id: &str| {
            let file = env.work_dir().join(format!("{id}.wasm"));
            fs::copy(built("env"), file).expect("a component");
            let _ = env.run(load(id)).success();
        };
        place(SHARED);
        (0..COMMAND_LINES).for_each(|number| place(&format!("own-{number}")));
        let _ = env.run(["permission", "grant", "environment-variable", SHARED, ALWAYS]).success();
        let servers = [Server::run(&env).await, Server::serve(&env).await].map(Arc::new);
        Self { env, servers, stopped: AtomicBool::new(false) }
    }

    /// Whether the work is over.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Ends the work after what is being done.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Runs a command to its end and gives what it printed as JSON. It must succeed, and must
    /// report no trouble.
    pub(super) async fn command(&self, arguments: &[&str]) -> Result<Value, Fault> {
        let mut command = Command::from(self.env.command(["-q", "-o", "json"]));
        command.args(arguments).kill_on_drop(true).stdin(Stdio::null());
        let output = command.output().await.expect("the program starts");
        let (said, printed) =
            (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
        if !output.status.success() || said.lines().any(is_trouble) {
            return Err(format!("{arguments:?}: {}: {said}{printed}", output.status));
        }
        serde_json::from_str(&printed).map_err(|error| format!("{arguments:?}: {error}: {printed}"))
    }

    /// Writes a file for a command to read, and gives its path.
    pub(super) fn write(&self, name: &str, text: &str) -> String {
        self.env.write(name, text).to_string_lossy().into_owned()
    }

    /// Compares the store and what both servers show with what the command lines brought about.
    pub(super) async fn differences(&self, models: &[Model]) -> Result<(), Fault> {
        let listed = self.command(&["component", "list"]).await?;
        if listed.get("problems").is_some() || listed.get("total") != Some(&json!(models.len() + 1))
        {
            return Err(format!("the list of components: {listed}"));
        }
        let log = self.command(&["audit", "verify"]).await?;
        if log.get("torn") != Some(&json!(0)) || log.get("problem") != Some(&Value::Null) {
            return Err(format!("the decision log: {log}"));
        }
        let mut shared: BTreeSet<String> = models.iter().flat_map(|it| it.shared.clone()).collect();
        shared.insert(ALWAYS.to_owned());
        let policy = self.command(&["policy", "get", SHARED]).await?;
        same("variables of the component of all", &shared, &model::keys(&policy))?;
        let given = shared.into_iter().map(|key| (key, Origin::Given)).collect();
        self.all_show(SHARED, &Some(given)).await?;
        for model in models {
            self.all_show(&model.own(), &Some(model.shown())).await?;
            self.compare(model).await?;
        }
        Ok(())
    }

    /// Compares what is stored for the own component of a command line with what it brought about.
    pub(super) async fn compare(&self, model: &Model) -> Result<(), Fault> {
        let own = model.own();
        let policy = self.command(&["policy", "get", &own]).await?;
        same(&format!("variables of {own}"), &model.keys, &model::keys(&policy))?;
        same(&format!("folders of {own}"), &model.folders, &model::folders(&policy))?;
        let kept = self.command(&["secret", "list", &own]).await?;
        let kept = kept.get("secrets").and_then(Value::as_array).into_iter().flatten();
        let kept =
            kept.filter_map(|secret| Some(secret.get("key")?.as_str()?.to_owned())).collect();
        same(&format!("secrets of {own}"), &model.secrets, &kept)
    }

    async fn all_show(&self, component: &str, right: &Shown) -> Result<(), Fault> {
        for server in &self.servers {
            let shown = server.variables(component).await?;
            if shown != *right {
                let name = server.name;
                return Err(format!("{name} shows of {component} {shown:?}, and not {right:?}"));
            }
        }
        Ok(())
    }

    /// Ends both servers, and gives what was wrong with them.
    pub(super) async fn close(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for server in &self.servers {
            faults.extend(server.close().await);
        }
        faults
    }
}

/// The arguments by which the component `id` is loaded. Its one tool that matters here gets a name
/// that no other component's has.
pub(super) fn load(id: &str) -> [String; 5] {
    let [component, load, rename] = ["component", "load", "--rename"].map(str::to_owned);
    [component, load, format!("{id}.wasm"), rename, format!("list-variables=list-{id}")]
}

/// Gives every variable a value, and takes away the limit that so many questions would meet.
fn configuration() -> String {
    let own = (0..OWN_KEYS).map(Model::own_key);
    let shared = (0..COMMAND_LINES)
        .flat_map(|number| (0..SHARED_KEYS).map(move |index| Model::shared_key(number, index)));
    let mut text = "[limits]\ncalls-per-minute = 1000000\n[environment]\n".to_owned();
    for key in own.chain(shared).chain([ALWAYS, NEVER].map(str::to_owned)) {
        text.push_str(&format!("{key} = \"{}\"\n", given(&key)));
    }
    text
}

fn same(what: &str, right: &BTreeSet<String>, found: &BTreeSet<String>) -> Result<(), Fault> {
    let lost: Vec<_> = right.difference(found).collect();
    let strange: Vec<_> = found.difference(right).collect();
    if lost.is_empty() && strange.is_empty() {
        return Ok(());
    }
    Err(format!("{what}: lost {lost:?}, and nobody brought about {strange:?}"))
}
