//! The platform's keyring as the place of values: the file of a component then has only the names
//! of its secrets. Must never give a component what was put there for another, nor show what a
//! keyring says of a value that it could not read.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::SecretError;
use crate::layout::Layout;
use crate::{ComponentId, Digest};

/// A place for secret texts, each under a name.
///
/// A keyring may ask the person for a password, and take as long as that takes.
pub trait Keyring: fmt::Debug + Send + Sync {
    /// Puts `value` under `name`, also where there is one.
    ///
    /// # Errors
    /// [`SecretError::Keyring`].
    fn set(&self, name: &str, value: &str) -> Result<(), SecretError>;

    /// The value under `name`, if there is one.
    ///
    /// # Errors
    /// [`SecretError::Keyring`].
    fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretError>;

    /// Deletes the value under `name`; it is no error if there is none.
    ///
    /// # Errors
    /// [`SecretError::Keyring`].
    fn delete(&self, name: &str) -> Result<(), SecretError>;
}

/// What one component has in a keyring.
#[derive(Clone)]
pub(super) struct Drawer {
    keyring: Arc<dyn Keyring>,
    id: ComponentId,
    mark: String,
}

impl Drawer {
    pub(super) fn new(
        keyring: Arc<dyn Keyring>,
        layout: &Layout,
        id: &ComponentId,
        source: &str,
    ) -> Self {
        // All stores of this user share one keyring, and one id is now this and now that component.
        let whose = format!("{}\0{id}\0{source}", layout.root().display());
        let mark = Digest::of(whose.as_bytes()).hex().chars().take(32).collect();
        Self { keyring, id: id.clone(), mark }
    }

    pub(super) fn set(&self, secret: &str, value: &str) -> Result<(), SecretError> {
        self.keyring.set(&self.name(secret), value)
    }

    pub(super) fn get(&self, secret: &str) -> Option<Zeroizing<String>> {
        let value = self.keyring.get(&self.name(secret)).unwrap_or_else(|error| {
            tracing::warn!(%error, component = %self.id, secret, "cannot get a secret");
            None
        });
        if value.is_none() {
            tracing::debug!(component = %self.id, secret, "the keyring has no such secret");
        }
        value
    }

    pub(super) fn delete(&self, secret: &str) {
        if let Err(error) = self.keyring.delete(&self.name(secret)) {
            tracing::warn!(%error, component = %self.id, secret, "a secret stays in the keyring");
        }
    }

    /// What a person sees in the keyring.
    fn name(&self, secret: &str) -> String {
        format!("{}/{secret} {}", self.id, self.mark)
    }
}

/// The keyring of a platform, through one of the stores that exist for
/// [`keyring_core`]. Its entries belong to the service `wassette`.
#[cfg(feature = "keyring")]
#[derive(Debug)]
pub struct PlatformKeyring(Arc<keyring_core::CredentialStore>);

#[cfg(feature = "keyring")]
impl PlatformKeyring {
    /// The keyring that `store` speaks to.
    #[must_use]
    pub fn new(store: Arc<keyring_core::CredentialStore>) -> Self {
        Self(store)
    }

    fn entry(&self, name: &str) -> Result<keyring_core::Entry, SecretError> {
        self.0.build("wassette", name, None).map_err(refused)
    }
}

/// Does `work` on a thread of its own: a backend may run an executor, which no thread of another
/// executor can. Where that is ours, whoever else waits for its thread goes on meanwhile.
#[cfg(feature = "keyring")]
#[expect(
    clippy::disallowed_methods,
    reason = "a call asks for a value where it cannot wait; blocking its worker outright is worse"
)]
fn apart<T: Send>(work: impl FnOnce() -> Result<T, SecretError> + Send) -> Result<T, SecretError> {
    use tokio::runtime::{Handle, RuntimeFlavor};

    let failed = |reason: String| SecretError::Keyring { reason };
    let alone = || {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("keyring".to_owned());
            let thread = thread.spawn_scoped(scope, work).map_err(|e| failed(e.to_string()))?;
            thread.join().unwrap_or_else(|_| Err(failed("its client failed".to_owned())))
        })
    };
    let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    match flavor {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(alone),
        _ => alone(),
    }
}

#[cfg(feature = "keyring")]
impl Keyring for PlatformKeyring {
    fn set(&self, name: &str, value: &str) -> Result<(), SecretError> {
        apart(|| self.entry(name)?.set_password(value).map_err(refused))
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
        apart(|| match self.entry(name)?.get_password() {
            Ok(value) => Ok(Some(Zeroizing::new(value))),
            Err(keyring_core::Error::NoEntry) => Ok(None),
            Err(error) => Err(refused(error)),
        })
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        apart(|| match self.entry(name)?.delete_credential() {
            Ok(()) | Err(keyring_core::Error::NoEntry) => Ok(()),
            Err(error) => Err(refused(error)),
        })
    }
}

/// What is said of a failure. Some errors carry what was found, which may be the value.
#[cfg(feature = "keyring")]
fn refused(error: keyring_core::Error) -> SecretError {
    use keyring_core::Error;

    let reason = match error {
        Error::NoStorageAccess(cause) => format!("it is locked or out of reach: {cause}"),
        Error::PlatformFailure(cause) => cause.to_string(),
        Error::NotSupportedByStore(cause) => cause,
        Error::TooLong(what, limit) => format!("the {what} may have {limit} characters"),
        Error::Ambiguous(_) => "it has several values under one name".to_owned(),
        _ => "it has something else under this name".to_owned(),
    };
    SecretError::Keyring { reason }
}

#[cfg(test)]
mod tests;
