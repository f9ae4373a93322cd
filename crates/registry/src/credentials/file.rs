//! One file of logins, as Docker and Podman write it. Must never show what stands in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::canonical;
use crate::error::shown;
use crate::{Credential, CredentialError, Login, Secret};

/// The longest file, in bytes.
const LONGEST: u64 = 1 << 20;
/// Whether others may read a file, by its mode.
const OTHERS: u32 = 0o004;

/// Some programs leave the padding out.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A file of logins.
pub(super) struct LoginFile {
    name: String,
    open: bool,
    content: Content,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Content {
    #[serde(deserialize_with = "or_default")]
    auths: BTreeMap<String, Entry>,
    #[serde(deserialize_with = "or_default")]
    cred_helpers: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    creds_store: String,
}

/// What a file knows of one registry. Where a helper keeps the login, it is empty.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
}

/// Some programs write `null` for what is not there.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl LoginFile {
    /// Reads the file at `path`; nothing if there is none.
    pub(super) async fn read(path: &Path) -> Result<Option<Self>, CredentialError> {
        let path = path.to_owned();
        let read = tokio::task::spawn_blocking(move || Self::read_now(path)).await;
        read.map_err(|error| failure(format!("the credentials were not read: {error}"), None))?
    }

    fn read_now(path: PathBuf) -> Result<Option<Self>, CredentialError> {
        let name = format!("`{}`", shown(&path.to_string_lossy(), 500));
        let unread = |error: io::Error| {
            let message = format!("{name} cannot be read: {}", error.kind());
            Err(failure(message, Some("make it readable for you alone, or take it away")))
        };
        let about = match fs::metadata(&path) {
            Ok(about) => about,
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => return Ok(None),
                _ => return unread(error),
            },
        };
        if !about.is_file() {
            return Err(failure(format!("{name} is no file"), None));
        }
        let length = usize::try_from(about.len().min(LONGEST)).unwrap_or_default();
        // Reserved beforehand, so that no part of a password is left behind by a move.
        let mut text = Zeroizing::new(Vec::with_capacity(length.saturating_add(1)));
        let read =
            fs::File::open(&path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut text));
        if let Err(error) = read {
            return unread(error);
        }
        let mut file = Self::parse(&name, &text)?;
        file.open = about.permissions().mode() & OTHERS != 0;
        Ok(Some(file))
    }

    /// Reads `text`, which errors call `name`.
    pub(super) fn parse(name: &str, text: &[u8]) -> Result<Self, CredentialError> {
        if u64::try_from(text.len()).is_ok_and(|length| length > LONGEST) {
            return Err(failure(format!("{name} is longer than {LONGEST} bytes"), None));
        }
        // An empty file is what some programs begin with.
        if text.trim_ascii().is_empty() {
            return Ok(Self { name: name.to_owned(), open: false, content: Content::default() });
        }
        let broken = |line: usize, column: usize| {
            let message = format!(
                "{name} holds no logins as Docker writes them: line {line}, column {column}"
            );
            failure(message, Some("mend it, or log in anew, for instance with `docker login`"))
        };
        // A list would be read as one without anything in it.
        if !text.trim_ascii_start().starts_with(b"{") {
            return Err(broken(1, 1));
        }
        let content =
            serde_json::from_slice(text).map_err(|error| broken(error.line(), error.column()))?;
        Ok(Self { name: name.to_owned(), open: false, content })
    }

    /// How errors call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The names of the helpers that may know the login for `registry`, in the order in which they
    /// are to be asked.
    pub(super) fn helpers(&self, registry: &str) -> impl Iterator<Item = &str> {
        let own = self.content.cred_helpers.iter();
        let own = own.filter(move |(key, _)| Key::parse(key).is_for(registry, ""));
        let own = own.map(|(_, name)| name.as_str()).next();
        let shared = Some(self.content.creds_store.as_str());
        // A helper with an empty name says that there is none for this registry.
        own.or(shared).into_iter().filter(|name| !name.is_empty())
    }

    /// The login that the file holds itself: that of the longest key which covers the repository.
    pub(super) fn login(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        let auths = self.content.auths.iter().map(|(key, entry)| (Key::parse(key), key, entry));
        let fitting = auths
            .filter(|(parsed, _, entry)| parsed.is_for(registry, repository) && entry.is_filled());
        let best = fitting.max_by_key(|(parsed, ..)| parsed.path.len());
        best.map(|(_, key, entry)| self.credential(key, entry)).transpose()
    }

    fn credential(&self, key: &str, entry: &Entry) -> Result<Credential, CredentialError> {
        if let Some(token) = entry.identitytoken.as_ref().filter(|token| is_filled(token)) {
            return Ok(Credential::IdentityToken(token.clone()));
        }
        if let Some(auth) = entry.auth.as_ref().filter(|auth| is_filled(auth)) {
            return decoded(auth).map(Credential::Login).ok_or_else(|| {
                let (name, key) = (&self.name, shown(key, 200));
                let message = format!("what {name} holds for `{key}` is no login");
                failure(message, Some("log in anew, for instance with `docker login`"))
            });
        }
        let username = entry.username.clone().unwrap_or_default();
        let password = entry.password.clone().unwrap_or_else(|| Secret::new(String::new()));
        Ok(Credential::Login(Login { username, password }))
    }

    /// Says so if the file, which holds a login, can be read by everybody on this machine.
    pub(super) fn warn_if_open(&self) {
        if self.open {
            let name = &self.name;
            tracing::warn!("everybody on this machine can read the logins in {name}");
        }
    }
}

impl Entry {
    fn is_filled(&self) -> bool {
        let secret = [&self.auth, &self.identitytoken, &self.password];
        secret.into_iter().flatten().any(is_filled)
    }
}

fn is_filled(secret: &Secret) -> bool {
    !secret.reveal().is_empty()
}

/// The name and the password in what Docker calls `auth`: `name:password` in base 64.
fn decoded(auth: &Secret) -> Option<Login> {
    let bytes = Zeroizing::new(BASE64.decode(auth.reveal().trim()).ok()?);
    let (username, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    // Old programs filled the password up with zeros.
    let password = password.trim_matches('\0');
    (!username.is_empty()).then(|| Login {
        username: username.to_owned(),
        password: Secret::new(password.to_owned()),
    })
}

/// For what a login is kept: a host, and with Podman perhaps a part of what is there.
struct Key<'a> {
    host: String,
    path: &'a str,
}

impl<'a> Key<'a> {
    fn parse(key: &'a str) -> Self {
        let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
        // What follows the host of a URL is the version of a protocol, and no repository; so it is
        // where a slash ends it.
        let (host, path) = match bare {
            Some(bare) => (bare.split('/').next().unwrap_or_default(), ""),
            None => key.split_once('/').unwrap_or((key, "")),
        };
        let path = if path.ends_with('/') { "" } else { path };
        Self { host: canonical(host), path }
    }

    fn is_for(&self, registry: &str, repository: &str) -> bool {
        let covers = |rest: &str| rest.is_empty() || rest.starts_with('/');
        self.host == canonical(registry)
            && (self.path.is_empty() || repository.strip_prefix(self.path).is_some_and(covers))
    }
}

pub(super) fn failure(message: String, help: Option<&str>) -> CredentialError {
    CredentialError { message, help: help.map(str::to_owned) }
}
