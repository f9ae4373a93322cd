//! A program that keeps logins, by the protocol of Docker's credential helpers: `get`, the registry
//! on its stdin, the login in JSON on its stdout. It is a program of the operator's and runs as the
//! operator does; but how long it may take and how much it may say is bounded, and what it says when
//! it knows something is never repeated.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::file::failure;
use super::{DOCKER, DOCKER_KEY};
use crate::error::shown;
use crate::{Credential, CredentialError, Login, Secret};

/// The most that a helper may say, in bytes.
const MOST: usize = 64 << 10;
/// The longest name of a helper, in bytes.
const LONGEST: usize = 100;
/// As whom a helper answers that knows an identity token.
const TOKEN: &str = "<token>";

/// A helper by its name, which it was given in a file.
pub(super) struct Helper<'a> {
    pub(super) name: &'a str,
    pub(super) named_in: &'a str,
    pub(super) path: &'a OsStr,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: Secret,
}

impl Helper<'_> {
    /// What it knows of `registry`, within `patience`.
    pub(super) async fn ask(
        &self,
        registry: &str,
        patience: Duration,
    ) -> Result<Option<Credential>, CredentialError> {
        let program = self.program()?;
        let late = |_| self.fault(&format!("did not answer within {} s", patience.as_secs()));
        let (succeeded, said) =
            timeout(patience, self.run(program, registry)).await.map_err(late)??;
        if said.len() > MOST {
            return Err(self.fault(&format!("said more than {MOST} bytes")));
        }
        if succeeded { self.understood(&said) } else { self.refused(&said) }
    }

    async fn run(
        &self,
        program: PathBuf,
        registry: &str,
    ) -> Result<(bool, Zeroizing<Vec<u8>>), CredentialError> {
        let failed = |error: std::io::Error| self.fault(&format!("did not run: {}", error.kind()));
        let mut child = Command::new(program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            let asked = if registry == DOCKER { DOCKER_KEY } else { registry };
            // Whoever answers without listening has answered.
            let _ = stdin.write_all(asked.as_bytes()).await;
        }
        // Reserved beforehand, so that no part of a password is left behind by a move.
        let mut said = Zeroizing::new(Vec::with_capacity(MOST + 1));
        if let Some(stdout) = child.stdout.take() {
            let most = u64::try_from(MOST).unwrap_or(u64::MAX).saturating_add(1);
            stdout.take(most).read_to_end(&mut said).await.map_err(failed)?;
        }
        if said.len() > MOST {
            // Nobody reads the rest, so nobody waits for it.
            return Ok((false, said));
        }
        let status = child.wait().await.map_err(failed)?;
        Ok((status.success(), said))
    }

    fn understood(&self, said: &[u8]) -> Result<Option<Credential>, CredentialError> {
        let answer: Answer = serde_json::from_slice(said)
            .map_err(|_| self.fault("answered with something that is no login"))?;
        let Answer { username, secret } = answer;
        Ok(match (username.as_str(), secret.reveal()) {
            (_, "") => None,
            (TOKEN, _) => Some(Credential::IdentityToken(secret)),
            _ => Some(Credential::Login(Login { username, password: secret })),
        })
    }

    /// What a helper means that did not succeed: that it knows nothing, or that something is wrong.
    fn refused(&self, said: &[u8]) -> Result<Option<Credential>, CredentialError> {
        let said = Zeroizing::new(String::from_utf8_lossy(said).trim().to_owned());
        if said.to_ascii_lowercase().contains("credentials not found") {
            return Ok(None);
        }
        // What looks like an answer may hold a password.
        let words = Some(&*said).filter(|said| !said.is_empty() && !said.contains(['{', '"']));
        Err(match words {
            Some(words) => self.fault(&format!("failed: {}", shown(words, 200))),
            None => self.fault("failed and did not say why"),
        })
    }

    /// The program, which lies in one of the folders of the path.
    fn program(&self) -> Result<PathBuf, CredentialError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if self.name.len() > LONGEST || !self.name.bytes().all(fits) {
            return Err(self.fault("has a name that no helper can have"));
        }
        let name = format!("docker-credential-{}", self.name);
        let folders = env::split_paths(self.path).filter(|folder| folder.is_absolute());
        let mut programs = folders.map(|folder| folder.join(&name));
        programs.find(|program| program.is_file()).ok_or_else(|| self.fault("cannot be found"))
    }

    fn fault(&self, what: &str) -> CredentialError {
        let name = shown(self.name, LONGEST);
        let message = format!("the credential helper `docker-credential-{name}` {what}");
        let help = format!("{} names it; install it, mend it, or take it out there", self.named_in);
        failure(message, Some(&help))
    }
}
