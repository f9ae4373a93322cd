//! Where other programs keep the logins of registries: the files of Docker and Podman, and the
//! helpers that those name. They are read when a registry asks who we are, and never before; what is
//! found goes to the registry that it is written for. No password may reach a message: not even the
//! words of the parser, which repeat what they stumble over.
//!
//! The files are other programs', so what is not known in them is passed over. But one that cannot
//! be read is an error where no other knows the registry, for it may hold the login that is needed.

mod file;
mod helper;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use file::LoginFile;
use helper::Helper;

use crate::{BoxFuture, Credential, CredentialError, Credentials, Secret};

/// How long a helper may think. It may have to ask another service.
const PATIENCE: Duration = Duration::from_secs(10);

/// The logins that Docker and Podman know.
#[derive(Debug, Clone, Default)]
pub struct DockerConfig {
    /// Their files; the first that knows a registry counts, and what does not exist is passed over.
    pub files: Vec<PathBuf>,
    /// The content of such a file, as `DOCKER_AUTH_CONFIG` holds it. It counts before all files.
    pub inline: Option<Secret>,
    /// Where helpers are looked for, as `PATH` has it. Folders without a whole path do not count.
    pub path: OsString,
}

impl Credentials for DockerConfig {
    fn find<'a>(
        &'a self,
        registry: &'a str,
        repository: &'a str,
    ) -> BoxFuture<'a, Result<Option<Credential>, CredentialError>> {
        Box::pin(async move {
            let mut failed = None;
            if let Some(text) = &self.inline {
                let file = LoginFile::parse("`DOCKER_AUTH_CONFIG`", text.reveal().as_bytes());
                let found = self.look(file.map(Some), registry, repository, &mut failed).await;
                if found.is_some() {
                    return Ok(found);
                }
            }
            for path in &self.files {
                let file = LoginFile::read(path).await;
                let found = self.look(file, registry, repository, &mut failed).await;
                if found.is_some() {
                    return Ok(found);
                }
            }
            failed.map_or(Ok(None), Err)
        })
    }
}

impl DockerConfig {
    /// What one file knows: first by its helper for the registry, then by the one for all, then by
    /// itself. What goes wrong first is kept in `failed`, and does not keep others from being asked.
    async fn look(
        &self,
        file: Result<Option<LoginFile>, CredentialError>,
        registry: &str,
        repository: &str,
        failed: &mut Option<CredentialError>,
    ) -> Option<Credential> {
        let mut known = |found: Result<Option<_>, CredentialError>| {
            found.unwrap_or_else(|error| {
                failed.get_or_insert(error);
                None
            })
        };
        let file = match file {
            Ok(file) => file?,
            Err(error) => return known(Err(error)),
        };
        for name in file.helpers(registry) {
            let helper = Helper { name, named_in: file.name(), path: &self.path };
            let found = known(helper.ask(registry, PATIENCE).await);
            if found.is_some() {
                return found;
            }
        }
        let found = known(file.login(registry, repository));
        if found.is_some() {
            file.warn_if_open();
        }
        found
    }
}

/// The registry that other programs call by several names.
const DOCKER: &str = "docker.io";
/// By which name its logins are kept.
const DOCKER_KEY: &str = "https://index.docker.io/v1/";

/// `host` as references write it.
fn canonical(host: &str) -> String {
    match host.to_ascii_lowercase().as_str() {
        "index.docker.io" | "registry-1.docker.io" => DOCKER.to_owned(),
        host => host.strip_suffix(":443").unwrap_or(host).to_owned(),
    }
}

#[cfg(test)]
mod tests;
