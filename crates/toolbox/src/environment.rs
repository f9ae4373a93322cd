//! Where the values of variables come from: the component's secrets, what the operator gave when
//! the program was started, the configuration, the process. A value is asked for by its key alone
//! and only for keys that a policy lists: nothing here may ever read a source as a whole.

mod named;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use wassette_sandbox::{Masker, Values};
use wassette_store::{ComponentId, Store};
use zeroize::Zeroizing;

pub use self::named::ValueSource;
use self::named::in_file;
pub(crate) use self::named::{NamedValues, ValueSources};

/// Values that the operator sets for every component whose policy lists the key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EnvironmentSources {
    /// Given when the program was started. They win over those that are configured.
    pub given: BTreeMap<String, String>,
    /// From the configuration. They win over the variables of the process.
    pub configured: BTreeMap<String, String>,
}

impl fmt::Debug for EnvironmentSources {
    /// The keys alone: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentSources")
            .field("given", &self.given.keys())
            .field("configured", &self.configured.keys())
            .finish()
    }
}

/// The values for one component under one policy. It hides every secret that it gives away in what
/// comes back.
pub(crate) struct ComponentValues {
    store: Store,
    component: ComponentId,
    source: String,
    named: Arc<NamedValues>,
    operator: Arc<EnvironmentSources>,
    masker: Masker,
    /// Keys that a warning was given for.
    missed: Mutex<BTreeSet<String>>,
}

/// Why a key has no value.
type Missing = String;

impl ComponentValues {
    /// The values for the component `id` that came from `source`.
    pub(crate) fn new(
        store: Store,
        id: ComponentId,
        source: String,
        named: Arc<NamedValues>,
        operator: Arc<EnvironmentSources>,
        masker: Masker,
    ) -> Self {
        let missed = Mutex::default();
        Self { store, component: id, source, named, operator, masker, missed }
    }

    /// Why there is no value at `source` now, if there is none.
    pub(crate) fn lack(&self, source: &ValueSource) -> Option<Missing> {
        match self.at(source) {
            Ok(value) if value.is_empty() => Some(format!("{source} is empty")),
            Ok(_) => None,
            Err(missing) => Some(missing),
        }
    }

    /// The value at `source`, which a person named.
    fn at(&self, source: &ValueSource) -> Result<Zeroizing<String>, Missing> {
        match source {
            ValueSource::Environment(name) => self.offered(name)?,
            ValueSource::Secret(name) => self.stored(name)?,
            ValueSource::File(path) => {
                let value = in_file(path)?;
                self.masker.hide(&value);
                Some(value)
            }
        }
        .ok_or_else(|| format!("there is no value in {source}"))
    }

    /// The value of `key`. Where a manifest says where it lies, it lies nowhere else; else the first
    /// source that knows it decides, even if what it holds is no
    /// value: the value of a lesser source must not come through.
    fn find(&self, key: &str) -> Result<Zeroizing<String>, Missing> {
        if let Some(source) = self.named.of(&self.component, &self.source, key) {
            return self.at(&source);
        }
        if let Some(secret) = self.stored(key)? {
            return Ok(secret);
        }
        self.offered(key)?.ok_or_else(|| "nothing gives it a value".to_owned())
    }

    /// What the operator gives, configured, or started the process with under `name`.
    fn offered(&self, name: &str) -> Result<Option<Zeroizing<String>>, Missing> {
        let set = self.operator.given.get(name).or_else(|| self.operator.configured.get(name));
        let value = match set {
            Some(value) => Some(value.clone()),
            None => process_variable(name).map(text).transpose()?,
        };
        Ok(value.map(Zeroizing::new))
    }

    fn stored(&self, name: &str) -> Result<Option<Zeroizing<String>>, Missing> {
        let secrets = self.store.secrets(&self.component, &self.source);
        let secrets = secrets.map_err(|error| error.to_string())?;
        let secret = secrets.get(name);
        if secret.is_none() && secrets.names().any(|known| known == name) {
            return Err("the keyring does not give it".to_owned());
        }
        if let Some(secret) = &secret {
            self.masker.hide(secret);
        }
        Ok(secret)
    }

    /// The value, if there is one that is not empty; else says once why there is none.
    fn given(
        &self,
        key: &str,
        found: Result<Zeroizing<String>, Missing>,
    ) -> Option<Zeroizing<String>> {
        let missing = match found {
            Ok(value) if value.is_empty() => "its value is empty".to_owned(),
            Ok(value) => return Some(value),
            Err(missing) => missing,
        };
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if missed.insert(key.to_owned()) {
            tracing::warn!(
                component = %self.component,
                "the policy names `{key}`, and the component does without it: {missing}"
            );
        }
        None
    }
}

impl Values for ComponentValues {
    fn variable(&self, key: &str) -> Option<Zeroizing<String>> {
        self.given(key, self.find(key))
    }

    fn secret(&self, name: &str) -> Option<Zeroizing<String>> {
        let stored = self.stored(name);
        self.given(
            name,
            stored.and_then(|value| value.ok_or_else(|| "there is no such secret".to_owned())),
        )
    }
}

/// One variable of this process.
fn process_variable(key: &str) -> Option<OsString> {
    // To ask for what cannot be a name is an error that ends the process.
    let fits = !key.is_empty() && !key.contains(['=', '\0']);
    fits.then(|| std::env::var_os(key)).flatten()
}

fn text(value: OsString) -> Result<String, Missing> {
    value.into_string().map_err(|_| "its value is not text in UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;
    use std::time::Duration;

    use wassette_store::{Artifact, Entry, Keyring, Replace, SecretError};

    use super::*;

    #[test]
    fn the_debug_form_has_no_values() {
        let values = BTreeMap::from([("KEY".to_owned(), "canary".to_owned())]);
        let sources = EnvironmentSources { given: values.clone(), configured: values };
        let shown = format!("{sources:?}");
        assert!(shown.contains("KEY") && !shown.contains("canary"), "{shown}");
    }

    #[test]
    fn denied_e02_a_value_that_is_not_text() {
        assert_eq!(text(OsString::from("é")), Ok("é".to_owned()));
        assert!(text(OsString::from_vec(vec![b'a', 0xff])).is_err());
    }

    /// A keyring that takes everything and gives nothing.
    #[derive(Debug)]
    struct Locked;

    impl Keyring for Locked {
        fn set(&self, _: &str, _: &str) -> Result<(), SecretError> {
            Ok(())
        }

        fn get(&self, _: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
            Err(SecretError::Keyring { reason: "it is locked".to_owned() })
        }

        fn delete(&self, _: &str) -> Result<(), SecretError> {
            Ok(())
        }
    }

    #[test]
    fn a_secret_that_the_keyring_keeps_back_comes_from_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap().with_keyring(Arc::new(Locked));
        let id = ComponentId::parse("x").unwrap();
        let artifact = Artifact::new(b"x".to_vec(), "file:///x.wasm".to_owned());
        let mut writer = store.write(Duration::from_secs(60)).unwrap();
        writer.put_blob(&artifact).unwrap();
        let entry = Entry::new(id.clone(), &artifact, 0, serde_json::Value::Null);
        writer.insert(entry, Replace::Allow).unwrap();
        writer.commit().unwrap();
        let secret = ("KEY".to_owned(), Zeroizing::new("canary".to_owned()));
        store.set_secrets(&id, &[secret]).unwrap();

        let lesser = ["KEY", "OTHER"].map(|key| (key.to_owned(), "lesser".to_owned()));
        let operator = EnvironmentSources { given: lesser.into(), ..EnvironmentSources::default() };
        let (operator, masker) = (Arc::new(operator), Masker::default());
        let named = Arc::default();
        let values = ComponentValues::new(store, id, artifact.source, named, operator, masker);
        assert_eq!(values.variable("OTHER").unwrap().as_str(), "lesser");
        assert_eq!(values.variable("KEY"), None);
        assert_eq!(values.secret("KEY"), None);
    }

    #[test]
    fn what_cannot_be_a_name_is_not_asked_for() {
        assert!(process_variable("PATH").is_some());
        for key in ["", "A=B", "A\0B"] {
            assert_eq!(process_variable(key), None, "{key}");
        }
    }
}
