//! Where the servers are started: the programs that were built, and a component store of their own
//! with the one component in it. It must never let a server see the user's settings or components.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::error::Error;
use super::lane::Subject;
use crate::programs::program;

/// More calls than anybody makes: their limit is not what is measured.
const CONFIGURATION: &str = "[limits]\ncalls-per-minute = 10000000\n";

/// The servers' home.
#[derive(Debug)]
pub(super) struct Place {
    root: TempDir,
    wassette: PathBuf,
    base: Base,
}

/// What Wassette is held against.
#[derive(Debug)]
enum Base {
    /// The example of `wassette-mcp`.
    Bare(PathBuf),
    /// Another build of Wassette.
    Wassette(PathBuf),
}

impl Place {
    /// A home for the programs in the folder `programs`, with the `add` of the sources at `tree`
    /// loaded and compiled. Wassette is held against the build of it at `against`, or else against a
    /// bare server.
    pub(super) fn new(programs: &Path, tree: &Path, against: Option<&Path>) -> Result<Self, Error> {
        let bare = || Base::Bare(program(&programs.join("examples"), "bare_server"));
        let place = Self {
            root: tempfile::Builder::new().prefix("wassette-bench-").tempdir()?,
            wassette: program(programs, "wassette"),
            base: against.map_or_else(bare, |other| Base::Wassette(other.to_owned())),
        };
        std::fs::write(place.root.path().join("config.toml"), CONFIGURATION)?;
        let text = tree.join("guests/wat/add.wat");
        let bytes = wat::parse_file(&text)
            .map_err(|error| Error::Guest { path: text, reason: error.to_string() })?;
        let component = place.root.path().join("add.wasm");
        std::fs::write(&component, bytes)?;
        let load = [OsStr::new("component"), "load".as_ref(), component.as_ref()];
        place.load(place.wassette(&load))?;
        if let Base::Wassette(other) = &place.base {
            place.load(place.other(other, &load))?;
        }
        Ok(place)
    }

    /// What Wassette is held against, in words.
    pub(super) fn base(&self) -> String {
        match &self.base {
            Base::Bare(_) => "a bare rmcp server".to_owned(),
            Base::Wassette(other) => format!("the one at {}", other.display()),
        }
    }

    fn load(&self, mut command: Command) -> Result<(), Error> {
        let output = command
            .output()
            .map_err(|source| Error::Start { program: "wassette".to_owned(), source })?;
        if output.status.success() {
            Ok(())
        } else {
            Err(Error::Load { output: String::from_utf8_lossy(&output.stderr).into_owned() })
        }
    }

    /// The server over stdio.
    pub(super) fn stdio(&self, subject: Subject) -> Command {
        const RUN: [&str; 1] = ["run"];
        match (subject, &self.base) {
            (Subject::Base, Base::Bare(bare)) => self.command::<&str>(bare, []),
            (Subject::Base, Base::Wassette(other)) => self.other(other, &RUN),
            (Subject::Wassette, _) => self.wassette(&RUN),
        }
    }

    /// The server over HTTP, on any free port of this machine.
    pub(super) fn http(&self, subject: Subject) -> Command {
        const SERVE: [&str; 3] = ["serve", "--bind-address", "127.0.0.1:0"];
        match (subject, &self.base) {
            (Subject::Base, Base::Bare(bare)) => self.command(bare, ["http", "127.0.0.1:0"]),
            (Subject::Base, Base::Wassette(other)) => self.other(other, &SERVE),
            (Subject::Wassette, _) => self.wassette(&SERVE),
        }
    }

    fn wassette<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = self.command(&self.wassette, ["--config", "config.toml"]);
        command.args(arguments);
        command
    }

    /// Another build, with a store of its own and without our configuration: it may know neither.
    fn other<S: AsRef<OsStr>>(&self, program: &Path, arguments: &[S]) -> Command {
        let mut command = self.command(program, arguments);
        command.env("WASSETTE_COMPONENT_DIR", self.root.path().join("other"));
        command
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
