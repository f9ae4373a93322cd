//! Environment variables and `wasi:config`, under every name that toolchains gave its drafts. Both
//! know the keys that the policy lists and no other; the process's environment is never seen as a
//! whole, and a key whose secret the host adds to requests is given as a placeholder.

use std::sync::{Arc, OnceLock};

use wasmtime::component::{ComponentType, Lift, Linker, Lower};
use wasmtime::{Result, StoreContextMut};
use wassette_policy::Effect;

use crate::authority::Authority;
use crate::effects::Effects;
use crate::placeholders::Placeholders;
use crate::sandbox::Sandbox;

/// The version in which `wasmtime-wasi` provides the interface; the linker matches the others.
const ENVIRONMENT: &str = "wasi:cli/environment@0.2.12";

/// The names of `wasi:config`. The functions are the same in all of them.
const CONFIGURATIONS: [&str; 5] = [
    "wasi:config/store@0.2.0-rc.1",
    "wasi:config/store@0.2.0-draft",
    "wasi:config/store@0.2.0-draft-2024-09-27",
    "wasi:config/runtime@0.2.0-draft",
    "wasi:config/runtime@0.2.0-draft-2024-09-27",
];

/// What one call may know of its surroundings. Values are read when the guest first asks.
pub(crate) struct Environment {
    authority: Arc<Authority>,
    effects: Effects,
    placeholders: Placeholders,
    variables: OnceLock<Vec<(String, String)>>,
}

impl Environment {
    pub(crate) fn new(
        authority: Arc<Authority>,
        effects: Effects,
        placeholders: Placeholders,
    ) -> Self {
        Self { authority, effects, placeholders, variables: OnceLock::new() }
    }

    /// All variables that are listed and have a value.
    fn all(&self) -> Vec<(String, String)> {
        let keys = || self.authority.effective().variables();
        self.variables
            .get_or_init(|| keys().iter().filter_map(|key| self.read(key)).collect())
            .clone()
    }

    /// All variables, for a guest that asks for all at once.
    fn listed(&self) -> Vec<(String, String)> {
        self.effects.all_variables();
        self.all()
    }

    /// The value of `key`. To ask for one that is not listed is a denial.
    fn get(&self, key: &str) -> Option<String> {
        if let Err(denial) = self.authority.variable(key) {
            self.effects.denied(denial);
            return None;
        }
        self.all().into_iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    fn read(&self, key: &str) -> Option<(String, String)> {
        let permit = self.authority.variable(key).map_err(|denial| self.effects.denied(denial));
        let permit = permit.ok()?;
        self.effects.permitted(Effect::Variable, key, permit.rule()).ok()?;
        let value = match permit.value() {
            _ if self.placeholders.keeps(key) => self.placeholders.of(key)?.to_owned(),
            Some(fixed) => fixed.to_owned(),
            None => self.authority.values.variable(key)?.to_string(),
        };
        Some((key.to_owned(), value))
    }
}

/// The interface's `error`: its cases are part of the type even though we report none.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum ConfigurationError {
    #[component(name = "upstream")]
    Upstream(String),
    #[component(name = "io")]
    Io(String),
}

type Answer<T> = Result<(std::result::Result<T, ConfigurationError>,)>;

/// Puts our answers in place of those of `wasmtime-wasi`, and `wasi:config` beside them.
pub(crate) fn add_to_linker(linker: &mut Linker<Sandbox>) -> Result<()> {
    linker.allow_shadowing(true);
    linker
        .instance(ENVIRONMENT)?
        .func_wrap("get-environment", |store: StoreContextMut<'_, Sandbox>, (): ()| {
            Ok((store.data().environment.listed(),))
        })?;
    linker
        .instance(ENVIRONMENT)?
        .func_wrap("initial-cwd", |store: StoreContextMut<'_, Sandbox>, (): ()| {
            Ok((store.data().files.current_folder(),))
        })?;
    linker.allow_shadowing(false);
    for interface in CONFIGURATIONS {
        let mut instance = linker.instance(interface)?;
        instance.func_wrap(
            "get",
            |store: StoreContextMut<'_, Sandbox>, (key,): (String,)| -> Answer<Option<String>> {
                Ok((Ok(store.data().environment.get(&key)),))
            },
        )?;
        instance.func_wrap(
            "get-all",
            |store: StoreContextMut<'_, Sandbox>, (): ()| -> Answer<Vec<(String, String)>> {
                Ok((Ok(store.data().environment.listed()),))
            },
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use wassette_policy::{Effective, Limits, Policy};
    use zeroize::Zeroizing;

    use super::*;
    use crate::authority::{AuthorityParts, Values};
    use crate::storage::Grants;

    /// Knows one value, of everything.
    struct Known;

    impl Values for Known {
        fn variable(&self, _: &str) -> Option<Zeroizing<String>> {
            Some(Zeroizing::new("canary".to_owned()))
        }

        fn secret(&self, key: &str) -> Option<Zeroizing<String>> {
            self.variable(key)
        }
    }

    #[test]
    fn denied_a_secret_for_which_there_is_no_placeholder() {
        let policy = Policy::parse("environment: { allow: [{ key: TOKEN }, { key: OTHER }] }");
        let authority = Arc::new(Authority::new(AuthorityParts {
            effective: Effective::new("test", Arc::new(policy.unwrap()), None),
            limits: Limits::default(),
            storage: Grants::default(),
            values: Arc::new(Known),
            network: Arc::default(),
        }));
        let placeholders = Placeholders::without_randomness(&["TOKEN"]);
        let effects = Effects::new(&Limits::default(), None);
        let environment = Environment::new(authority, effects, placeholders);
        assert_eq!(environment.all(), [("OTHER".to_owned(), "canary".to_owned())]);
        assert_eq!(environment.get("TOKEN"), None);
    }
}
