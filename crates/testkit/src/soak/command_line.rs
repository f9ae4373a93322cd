//! One command line at work: it changes what is its own, one command after the other, and waits
//! after each until both servers show it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::Fault;
use super::model::{Model, OWN_KEYS, SHARED_KEYS};
use super::place::{Place, SHARED, load};
use super::report::Done;
use super::server::{Server, Shown};

/// How long is waited for a server to show a change: longer than any bound that somebody sets.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a server is left alone that has not shown a change yet.
const BREATH: Duration = Duration::from_millis(2);

/// One command line.
pub(super) struct CommandLine {
    place: Arc<Place>,
    model: Model,
    done: Done,
    random: u64,
    /// What both servers showed last of its own component.
    seen: Shown,
}

impl CommandLine {
    /// The command line `number`. Equal numbers do the same.
    pub(super) fn new(number: u64, place: Arc<Place>) -> Self {
        let random = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(number + 1);
        let model = Model { number, ..Model::default() };
        let seen = Some(model.shown());
        Self { place, model, done: Done::default(), random, seen }
    }

    /// Works until it is told to stop, or until something is wrong.
    pub(super) async fn work(mut self) -> (Done, Model) {
        while !self.place.is_stopped() && self.done.fault.is_none() {
            let change = match self.below(20) {
                0..=5 => self.toggle_own().await,
                6..=11 => self.toggle_shared().await,
                12 => self.toggle_folder().await,
                13 => self.toggle_secret().await,
                14 => self.set_policy().await,
                15 => self.reset().await,
                16 => self.load_again().await,
                17 => self.place.compare(&self.model).await.map(|()| "look"),
                _ => self.ask_and_decide().await,
            };
            match change {
                Ok(change) => *self.done.changes.entry(change).or_default() += 1,
                Err(fault) => self.done.fault = Some(format!("{}: {fault}", self.model.own())),
            }
        }
        (self.done, self.model)
    }

    /// Some grants end long after the work is over.
    async fn toggle_own(&mut self) -> Result<&'static str, Fault> {
        let (own, key) = (self.model.own(), self.own_key());
        let verb = toggle(&mut self.model.keys, &key);
        let mut arguments = vec!["permission", verb, "environment-variable", &own, &key];
        if verb == "grant" && self.below(4) == 0 {
            arguments.extend(["--for", "7d"]);
        }
        self.command(&arguments).await?;
        self.until_own_shown().await?;
        Ok(verb)
    }

    async fn toggle_shared(&mut self) -> Result<&'static str, Fault> {
        let index = self.below(SHARED_KEYS);
        let key = Model::shared_key(self.model.number, index);
        let verb = toggle(&mut self.model.shared, &key);
        self.command(&["permission", verb, "environment-variable", SHARED, &key]).await?;
        let is_right =
            |shown: &Shown| shown.as_ref().is_some_and(|shown| self.model.is_shared_right(shown));
        let waited = self.until_shown(SHARED, is_right).await?;
        self.done.live_after.extend(waited);
        Ok(verb)
    }

    async fn toggle_folder(&mut self) -> Result<&'static str, Fault> {
        let own = self.model.own();
        let uri = format!("fs://workspace/{}", self.below(4));
        let verb = toggle(&mut self.model.folders, &uri);
        let mut arguments = vec!["permission", verb, "storage", &own, &uri];
        if verb == "grant" {
            arguments.extend(["--access", "read"]);
        }
        self.command(&arguments).await?;
        Ok(verb)
    }

    async fn toggle_secret(&mut self) -> Result<&'static str, Fault> {
        let (own, key) = (self.model.own(), self.own_key());
        let verb = if toggle(&mut self.model.secrets, &key) == "grant" {
            self.command(&["secret", "set", &own, &format!("{key}=not to be seen")]).await?;
            "secret set"
        } else {
            self.command(&["secret", "delete", &own, &key]).await?;
            "secret delete"
        };
        self.until_own_shown().await?;
        Ok(verb)
    }

    async fn set_policy(&mut self) -> Result<&'static str, Fault> {
        let (own, chosen) = (self.model.own(), self.below(1 << OWN_KEYS));
        self.model.reset();
        let keys = (0..OWN_KEYS).filter(|index| chosen & (1 << index) != 0).map(Model::own_key);
        self.model.keys.extend(keys);
        let rules: Vec<Value> = self.model.keys.iter().map(|key| json!({ "key": key })).collect();
        let policy = json!({ "environment": { "allow": rules } }).to_string();
        let file = self.place.write(&format!("{own}.policy.json"), &policy);
        self.command(&["policy", "set", &own, &file, "--yes"]).await?;
        self.until_own_shown().await?;
        Ok("policy set")
    }

    async fn reset(&mut self) -> Result<&'static str, Fault> {
        let own = self.model.own();
        self.model.reset();
        self.command(&["permission", "reset", &own]).await?;
        self.until_own_shown().await?;
        Ok("reset")
    }

    /// What is unloaded takes with it whatever was set up for it.
    async fn load_again(&mut self) -> Result<&'static str, Fault> {
        let own = self.model.own();
        self.model.reset();
        self.model.secrets.clear();
        self.command(&["component", "unload", &own]).await?;
        self.until_own_is(None).await?;
        self.command(&load(&own).each_ref().map(String::as_str)).await?;
        self.until_own_shown().await?;
        Ok("unload and load")
    }

    /// A model asks at one of the servers for a variable that is not granted. Its client cannot
    /// ask a person, so the request waits until the command line decides.
    async fn ask_and_decide(&mut self) -> Result<&'static str, Fault> {
        let (own, key) = (self.model.own(), self.own_key());
        let (turn, is_yes) = (self.below(2), self.below(3) > 0);
        if self.model.keys.contains(&key) {
            return self.toggle_own().await;
        }
        let [one, other] = &self.place.servers;
        let server = if turn == 0 { one } else { other };
        let details = json!({ "component_id": own, "details": { "key": key } });
        let answer = server.call("grant-environment-variable-permission", details).await?;
        if answer.pointer("/result/isError") != Some(&json!(true)) {
            return Err(format!("a model was granted {key}: {answer}"));
        }
        let waiting = self.place.command(&["permission", "pending"]).await?;
        let number = number_of(&waiting, &own)
            .ok_or_else(|| format!("{answer} led to nothing that waits: {waiting}"))?
            .to_string();
        let (verb, rest) = if is_yes { ("approve", &["--yes"][..]) } else { ("deny", &[][..]) };
        self.command(&[&["permission", verb, &number], rest].concat()).await?;
        if is_yes {
            self.model.keys.insert(key);
        }
        self.until_own_shown().await?;
        Ok(verb)
    }

    async fn command(&mut self, arguments: &[&str]) -> Result<(), Fault> {
        let began = Instant::now();
        self.place.command(arguments).await?;
        self.done.commands.push(began.elapsed());
        Ok(())
    }

    /// Waits until both servers show of its own component what they must.
    async fn until_own_shown(&mut self) -> Result<(), Fault> {
        let right = Some(self.model.shown());
        self.until_own_is(right).await
    }

    async fn until_own_is(&mut self, right: Shown) -> Result<(), Fault> {
        let waited = self.until_shown(&self.model.own(), |shown| *shown == right).await?;
        // Where nothing was to be seen, nothing was live.
        if self.seen != right {
            self.done.live_after.extend(waited);
        }
        self.seen = right;
        Ok(())
    }

    /// Waits until both servers show of `component` what they must, and gives how long that took.
    async fn until_shown(
        &self,
        component: &str,
        is_right: impl Fn(&Shown) -> bool,
    ) -> Result<[Duration; 2], Fault> {
        let [one, other] = &self.place.servers;
        let (one, other) = tokio::join!(
            until_shown(one, component, &is_right),
            until_shown(other, component, &is_right)
        );
        Ok([one?, other?])
    }

    fn own_key(&mut self) -> String {
        Model::own_key(self.below(OWN_KEYS))
    }

    /// A number below `end`, of which the next time gives another.
    fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % end
    }
}

async fn until_shown(
    server: &Server,
    component: &str,
    is_right: impl Fn(&Shown) -> bool,
) -> Result<Duration, Fault> {
    let began = Instant::now();
    loop {
        let shown = server.variables(component).await?;
        let waited = began.elapsed();
        if is_right(&shown) {
            return Ok(waited);
        }
        if waited > PATIENCE {
            return Err(format!("{} still shows of {component} {shown:?}", server.name));
        }
        sleep(BREATH).await;
    }
}

/// Takes `target` out of `granted`, or puts it in: what has to be done for that.
fn toggle(granted: &mut BTreeSet<String>, target: &str) -> &'static str {
    if granted.remove(target) {
        "revoke"
    } else {
        granted.insert(target.to_owned());
        "grant"
    }
}

/// The number of the one request for `component` in what `permission pending` prints.
fn number_of(waiting: &Value, component: &str) -> Option<u64> {
    let mut waiting = waiting.get("pending")?.as_array()?.iter();
    let request = waiting.find(|request| request.get("component") == Some(&json!(component)))?;
    request.get("number")?.as_u64()
}
