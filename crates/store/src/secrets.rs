//! Values that components are given, or that are sent for them, at rest: one file for each
//! component, which this user alone can use. No value may ever stand in an error, in a log or in the
//! `Debug` of anything here, and none is given to a component from another source.

mod file;
mod keyring;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::store::SHORT_WAIT;
use crate::{ComponentId, Store, StoreError};

pub use keyring::Keyring;
#[cfg(feature = "keyring")]
pub use keyring::PlatformKeyring;

use keyring::Drawer;

/// How many bytes a secret may have: 64 KiB.
pub const MAX_SECRET_BYTES: usize = 64 * 1024;

/// How many characters the name of a secret may have.
const MAX_NAME: usize = 256;

/// The secrets of one component, read at one moment. They are wiped from memory when this is
/// dropped.
#[derive(Clone, Default)]
pub struct Secrets {
    values: BTreeMap<String, Held>,
    drawer: Option<Drawer>,
}

/// Where a value is.
#[derive(Clone, PartialEq, Eq)]
enum Held {
    /// In the file.
    Here(Zeroizing<String>),
    /// In the keyring; the file has the name alone.
    InKeyring,
}

impl Secrets {
    /// The names of the secrets, sorted.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The value of the secret `name`.
    ///
    /// One that is in a keyring is fetched now. Where that fails there is a warning in the log and
    /// no value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Zeroizing<String>> {
        match (self.values.get(name)?, &self.drawer) {
            (Held::Here(value), _) => Some(value.clone()),
            (Held::InKeyring, Some(drawer)) => drawer.get(name),
            (Held::InKeyring, None) => {
                tracing::warn!(secret = name, "the secret is in a keyring, and none is in use");
                None
            }
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl fmt::Debug for Secrets {
    /// The names alone.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.names()).finish()
    }
}

impl Store {
    /// The secrets of the component `id` that came from `source`; none where they were set for a
    /// component from another source.
    ///
    /// The file is read each time, so that what another process changed is found at once.
    ///
    /// # Errors
    /// [`SecretError::Exposed`] if others can use the file or it is no file of this user's,
    /// [`SecretError::Damaged`] or [`SecretError::Store`].
    pub fn secrets(&self, id: &ComponentId, source: &str) -> Result<Secrets, SecretError> {
        let values = file::read(&self.layout, id, source)?;
        Ok(Secrets { values, drawer: self.drawer(id, source) })
    }

    /// This store with `keyring`, in which the values of secrets are put from now on; those in
    /// files stay there until they are set again.
    #[must_use]
    pub fn with_keyring(self, keyring: Arc<dyn Keyring>) -> Self {
        Self { keyring: Some(keyring), ..self }
    }

    fn drawer(&self, id: &ComponentId, source: &str) -> Option<Drawer> {
        let keyring = self.keyring.clone()?;
        Some(Drawer::new(keyring, &self.layout, id, source))
    }

    /// Sets secrets of the component `id`, which is loaded; those with other names stay.
    ///
    /// This takes the lock for a moment: a thread that holds a [`Writer`](crate::Writer) must not
    /// call it.
    ///
    /// # Errors
    /// [`SecretError::Name`], [`SecretError::Value`], [`SecretError::TooMany`],
    /// [`SecretError::Keyring`], the errors of [`secrets`](Self::secrets),
    /// [`StoreError::NotLoaded`] and the errors of [`write`](Self::write). Then none is set; where a
    /// keyring failed, some of those that were in it may be.
    pub fn set_secrets(
        &self,
        id: &ComponentId,
        secrets: &[(String, Zeroizing<String>)],
    ) -> Result<(), SecretError> {
        for (name, value) in secrets {
            check_name(name)?;
            check_value(name, value)?;
        }
        // Before the lock is taken: a keyring may ask the person for a password.
        let drawer = self.drawer(id, &self.source(id)?);
        let mut new = BTreeMap::new();
        for (name, value) in secrets {
            let held = match &drawer {
                None => Held::Here(value.clone()),
                Some(drawer) => {
                    drawer.set(name, value)?;
                    Held::InKeyring
                }
            };
            new.insert(name.clone(), held);
        }
        self.change_secrets(id, |values| values.extend(new))
    }

    /// Deletes secrets of the component `id`, which is loaded, and returns those of `names` that
    /// were not there.
    ///
    /// This takes the lock for a moment: a thread that holds a [`Writer`](crate::Writer) must not
    /// call it.
    ///
    /// # Errors
    /// The errors of [`secrets`](Self::secrets), [`StoreError::NotLoaded`] and the errors of
    /// [`write`](Self::write). Then none is deleted.
    pub fn delete_secrets(
        &self,
        id: &ComponentId,
        names: &[String],
    ) -> Result<Vec<String>, SecretError> {
        let mut missing = Vec::new();
        self.change_secrets(id, |values| {
            let absent = names.iter().filter(|name| values.remove(*name).is_none());
            missing.extend(absent.cloned());
        })?;
        Ok(missing)
    }

    /// Changes the file of the component `id`. What is in the keyring and is not named any more is
    /// deleted there afterwards.
    fn change_secrets(
        &self,
        id: &ComponentId,
        change: impl FnOnce(&mut BTreeMap<String, Held>),
    ) -> Result<(), SecretError> {
        let lock = self.lock(SHORT_WAIT)?;
        let source = self.source(id)?;
        let before = file::read(&self.layout, id, &source)?;
        let mut values = before.clone();
        change(&mut values);
        if values != before {
            file::write(&self.layout, id, &source, &values)?;
        }
        drop(lock);
        let is_gone = |(name, _): &(&String, &Held)| values.get(*name) != Some(&Held::InKeyring);
        clear(self.drawer(id, &source), before.iter().filter(is_gone));
        Ok(())
    }

    /// Where the component `id` came from, which is loaded.
    fn source(&self, id: &ComponentId) -> Result<String, StoreError> {
        let index = self.index()?;
        let entry = index.find(id).ok_or_else(|| StoreError::NotLoaded { id: id.clone() })?;
        Ok(entry.source.clone())
    }

    /// Removes the secrets of the component that had the id `id`. Only for the lock's holder.
    pub(crate) fn remove_secrets(&self, id: &ComponentId) -> Result<(), StoreError> {
        let found = self.keyring.as_ref().and_then(|_| file::find(&self.layout, id).ok().flatten());
        file::remove(&self.layout, id)?;
        if let Some((source, values)) = found {
            clear(self.drawer(id, &source), values.iter());
        }
        Ok(())
    }
}

/// Deletes from the keyring those of `values` that are there. What stays is named nowhere, so that
/// it is given to nobody.
fn clear<'a>(drawer: Option<Drawer>, values: impl Iterator<Item = (&'a String, &'a Held)>) {
    let Some(drawer) = drawer else { return };
    for (name, _) in values.filter(|(_, held)| **held == Held::InKeyring) {
        drawer.delete(name);
    }
}

/// Refuses what could not be the key of a variable of the environment.
fn check_name(name: &str) -> Result<(), SecretError> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.contains('=') {
        "it contains `=`"
    } else if name.contains(char::is_control) {
        "it contains a control character"
    } else if name.chars().count() > MAX_NAME {
        "it has more than 256 characters"
    } else {
        return Ok(());
    };
    Err(SecretError::Name { reason })
}

fn check_value(name: &str, value: &str) -> Result<(), SecretError> {
    let reason = if value.len() > MAX_SECRET_BYTES {
        "it has more than 65536 bytes"
    } else if value.contains('\0') {
        "it contains a NUL"
    } else {
        return Ok(());
    };
    Err(SecretError::Value { name: name.to_owned(), reason })
}

/// Why secrets can be neither given nor changed.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SecretError {
    /// What is to be the name of a secret cannot be one. It is not shown: whoever mixes up the
    /// order has written the value there.
    #[error("the name of a secret cannot be used: {reason}")]
    #[diagnostic(
        code(secret::name),
        help("a secret is named as a variable of the environment is, for example `API_KEY`")
    )]
    Name {
        /// What is wrong with it.
        reason: &'static str,
    },

    /// The value cannot be a secret.
    #[error("the value of the secret `{name}` cannot be used: {reason}")]
    #[diagnostic(code(secret::value), help("give a text of up to 64 KiB"))]
    Value {
        /// The name of the secret.
        name: String,
        /// What is wrong with the value.
        reason: &'static str,
    },

    /// The secrets of one component have too many bytes together.
    #[error("the secrets of `{id}` have more than {limit} bytes together")]
    #[diagnostic(code(secret::too_many), help("delete those that are not needed any more"))]
    TooMany {
        /// The component.
        id: ComponentId,
        /// How many bytes were allowed.
        limit: usize,
    },

    /// Others can use the file, or could have written it.
    #[error("refused to use the secrets in `{}`: {reason}", path.display())]
    #[diagnostic(
        code(secret::exposed),
        help(
            "it must be a file of yours that only you can use (`chmod 600`); if others may have read \
             it, delete it, have new secrets issued and set those"
        )
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// The keyring refused.
    #[error("the keyring cannot be used: {reason}")]
    #[diagnostic(
        code(secret::keyring),
        help("unlock it, or go without: the files of the store are only yours to read too")
    )]
    Keyring {
        /// What it said.
        reason: String,
    },

    /// The file is not what was written.
    #[error("the secrets in `{}` cannot be read: {reason}", path.display())]
    #[diagnostic(code(secret::damaged), help("delete the file and set the secrets again"))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, without anything that stands in it.
        reason: String,
    },

    /// The store refused.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests;
