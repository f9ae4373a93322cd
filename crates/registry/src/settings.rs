//! What an operator sets for registries, and who knows the passwords. Must never show one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::endpoint::{is_loopback, mirror};
use crate::{BoxFuture, SettingsError};

/// How registries are asked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What holds for single registries, by their names as references write them (`host[:port]`).
    pub registries: BTreeMap<String, RegistrySettings>,
    /// The longest time of one operation, its retries and waits among it.
    pub time: Duration,
    /// The longest time in which nothing of an answer comes.
    pub idle: Duration,
    /// How often something is tried in all; at least once.
    pub attempts: u32,
    /// The wait before the second attempt; doubled for each further one, up to 30 s.
    pub first_pause: Duration,
}

impl Default for Settings {
    /// No registry has settings of its own; 300 s in all, 30 s of silence, 4 attempts from 500 ms
    /// on.
    fn default() -> Self {
        Self {
            registries: BTreeMap::new(),
            time: Duration::from_secs(300),
            idle: Duration::from_secs(30),
            attempts: 4,
            first_pause: Duration::from_millis(500),
        }
    }
}

impl Settings {
    /// Whether all of it can be obeyed.
    ///
    /// # Errors
    /// [`SettingsError`] for `insecure` with a registry that is not on this machine, and for a
    /// mirror that is no `host[:port][/prefix]`.
    pub fn check(&self) -> Result<(), SettingsError> {
        for (registry, settings) in &self.registries {
            if settings.insecure && !is_loopback(registry) {
                return Err(SettingsError::Insecure { registry: registry.clone() });
            }
            for text in &settings.mirrors {
                let unfit =
                    || SettingsError::Mirror { registry: registry.clone(), mirror: text.clone() };
                mirror(text).ok_or_else(unfit)?;
            }
        }
        Ok(())
    }
}

/// What holds for one registry.
#[derive(Debug, Clone, Default)]
pub struct RegistrySettings {
    /// A PEM file with certificates of authorities that are trusted here, beside the usual ones.
    pub ca_file: Option<PathBuf>,
    /// `http` instead of `https`: for a registry on this machine only.
    pub insecure: bool,
    /// Registries that are asked first for what is pulled, each `host[:port][/prefix]`. Nothing is
    /// pushed to them.
    pub mirrors: Vec<String>,
    /// The login for it; without one, [`Credentials`] are asked.
    pub login: Option<Login>,
    /// The variable that should hold the login's password and does not. Whoever needs the login is
    /// told of it; the registry then gets what [`Credentials`] know.
    pub unset: Option<String>,
}

/// A user's name and password.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password, or what a registry takes for one.
    pub password: Secret,
}

/// What proves to a registry who asks.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A name and a password.
    Login(Login),
    /// What Docker calls an identity token: it is exchanged for tokens by OAuth 2's
    /// `refresh_token`.
    IdentityToken(Secret),
}

/// A text that shows in no output and is zeroised when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps `text`.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Who knows the credentials of registries.
pub trait Credentials: Send + Sync {
    /// The credential for `repository` of `registry`, if there is one.
    ///
    /// `registry` is written as references write it, in lower case (`host[:port]`); that of Docker
    /// is `docker.io`, which its own files call `https://index.docker.io/v1/`. `repository` is
    /// empty when the registry as a whole is asked. The credential is sent to this registry and its
    /// token service only.
    fn find<'a>(
        &'a self,
        registry: &'a str,
        repository: &'a str,
    ) -> BoxFuture<'a, Result<Option<Credential>, CredentialError>>;
}

/// Nobody's credentials: every registry is asked as anyone may.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCredentials;

impl Credentials for NoCredentials {
    fn find<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Credential>, CredentialError>> {
        Box::pin(async { Ok(None) })
    }
}

/// Why a credential that may exist cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CredentialError {
    /// What is wrong, and with which file or program: lower case, without a final period.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(registry: &str, settings: RegistrySettings) -> Result<(), SettingsError> {
        let registries = BTreeMap::from([(registry.to_owned(), settings)]);
        Settings { registries, ..Settings::default() }.check()
    }

    #[test]
    fn denied_http_to_a_registry_of_another_machine() {
        let insecure = || RegistrySettings { insecure: true, ..RegistrySettings::default() };
        for registry in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.8.8.8", "[::1]:5000"]
        {
            with(registry, insecure()).unwrap();
        }
        for registry in
            ["registry.example", "10.0.0.1:5000", "localhost.example", "127.0.0.1.nip.io"]
        {
            let error = with(registry, insecure()).unwrap_err();
            assert!(matches!(error, SettingsError::Insecure { .. }), "{registry}");
        }
    }

    #[test]
    fn mirrors_are_hosts_with_a_prefix_perhaps() {
        let mirrors = |text: &str| RegistrySettings {
            mirrors: vec![text.to_owned()],
            ..RegistrySettings::default()
        };
        for text in ["mirror.example", "mirror.example:8443", "mirror.example/proxy/docker.io"] {
            with("docker.io", mirrors(text)).unwrap();
        }
        for text in
            ["", "https://mirror.example", "mirror.example/", "mirror.example/a/../b", "a b"]
        {
            let error = with("docker.io", mirrors(text)).unwrap_err();
            assert!(matches!(error, SettingsError::Mirror { .. }), "{text}");
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let password = Secret::new("hunter2".to_owned());
        let login = Login { username: "me".to_owned(), password };
        let settings =
            RegistrySettings { login: Some(login.clone()), ..RegistrySettings::default() };
        let shown = format!("{settings:?} {:?}", Credential::Login(login));
        assert!(shown.contains("me") && !shown.contains("hunter2"), "{shown}");
    }
}
