//! The platform's keyring, where the configuration puts the values of secrets there. Must never
//! let anybody believe that a value is in a keyring while it is in a file: where there is none,
//! nothing is started.

use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;
use wassette_store::Keyring;

#[cfg(all(feature = "keyring", target_os = "macos"))]
use apple_native_keyring_store::keychain::Store as Backend;
#[cfg(all(feature = "keyring", target_os = "linux"))]
use zbus_secret_service_keyring_store::Store as Backend;

/// Why `secrets.store = "keyring"` cannot be done.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum KeyringError {
    /// No backend was compiled in.
    #[cfg(not(feature = "keyring"))]
    #[error("this build of Wassette knows no keyring, where `secrets.store` wants the secrets")]
    #[diagnostic(help(
        "build it with `--features keyring`, or write `store = \"file\"` in the configuration"
    ))]
    Absent,
    /// Nobody answers, or what answers is no keyring.
    #[cfg(feature = "keyring")]
    #[error("no keyring answers, where `secrets.store` wants the secrets: {reason}")]
    #[diagnostic(help(
        "start the keyring of your session (on Linux a Secret Service on the session's D-Bus), or \
         write `store = \"file\"` in the configuration"
    ))]
    Silent { reason: String },
}

/// The keyring of this user's session. Must be called before there is a runtime: the backend may
/// start one.
#[cfg(feature = "keyring")]
pub(crate) fn platform() -> Result<Arc<dyn Keyring>, KeyringError> {
    let backend =
        Backend::new().map_err(|error| KeyringError::Silent { reason: error.to_string() })?;
    Ok(Arc::new(wassette_store::PlatformKeyring::new(backend)))
}

/// There is none in this build.
#[cfg(not(feature = "keyring"))]
pub(crate) fn platform() -> Result<Arc<dyn Keyring>, KeyringError> {
    Err(KeyringError::Absent)
}
