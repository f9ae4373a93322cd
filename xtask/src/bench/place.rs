//! Where the servers are started: the programs that were built, and a component store of their own
//! with the one component in it. It must never let a server see the user's settings or components.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::error::Error;
use super::lane::Subject;

/// The servers' home.
#[derive(Debug)]
pub(super) struct Place {
    root: TempDir,
    wassette: PathBuf,
    bare: PathBuf,
}

impl Place {
    /// A home for the programs in the folder `programs`, with the `add` of the sources at `tree`
    /// loaded and compiled.
    pub(super) fn new(programs: &Path, tree: &Path) -> Result<Self, Error> {
        let place = Self {
            root: tempfile::Builder::new().prefix("wassette-bench-").tempdir()?,
            wassette: program(programs, "wassette"),
            bare: program(&programs.join("examples"), "bare_server"),
        };
        let text = tree.join("guests/wat/add.wat");
        let bytes = wat::parse_file(&text)
            .map_err(|error| Error::Guest { path: text, reason: error.to_string() })?;
        let component = place.root.path().join("add.wasm");
        std::fs::write(&component, bytes)?;
        let output = place
            .command(
                &place.wassette,
                [OsStr::new("component"), "load".as_ref(), component.as_ref()],
            )
            .output()
            .map_err(|source| Error::Start { program: "wassette".to_owned(), source })?;
        if output.status.success() {
            Ok(place)
        } else {
            Err(Error::Load { output: String::from_utf8_lossy(&output.stderr).into_owned() })
        }
    }

    /// The server over stdio.
    pub(super) fn stdio(&self, subject: Subject) -> Command {
        match subject {
            Subject::Bare => self.command::<&str>(&self.bare, []),
            Subject::Wassette => self.command(&self.wassette, ["run"]),
        }
    }

    /// The server over HTTP, on any free port of this machine.
    pub(super) fn http(&self, subject: Subject) -> Command {
        match subject {
            Subject::Bare => self.command(&self.bare, ["http", "127.0.0.1:0"]),
            Subject::Wassette => {
                self.command(&self.wassette, ["serve", "--bind-address", "127.0.0.1:0"])
            }
        }
    }

    fn command<S: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let home = self.root.path();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(home)
            .env_clear()
            .env("HOME", home)
            .env("WASSETTE_COMPONENT_DIR", home.join("components"))
            .stdin(Stdio::null());
        command
    }
}

/// The path of the program `name` in `folder`.
pub(super) fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
