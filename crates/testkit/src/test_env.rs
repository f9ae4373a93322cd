//! A place in which the real binary runs as on a machine that nobody has used: its own home, its
//! own folders, an empty environment. It must never let a run see the developer's own settings.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::command_output::CommandOutput;
use crate::guest;

/// A fresh home, working folder and component store, removed at the end of the test.
#[derive(Debug)]
pub struct TestEnv {
    root: TempDir,
    program: PathBuf,
}

impl TestEnv {
    /// An environment for `program`, which the caller knows as `env!("CARGO_BIN_EXE_…")`.
    ///
    /// # Panics
    /// If the temporary folders cannot be made.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let root = tempfile::Builder::new().prefix("wassette-test-").tempdir();
        let env = Self { root: root.expect("a temporary folder"), program: program.into() };
        for folder in [env.work_dir(), env.home(), env.home().join(".config/wassette")] {
            fs::create_dir_all(folder).expect("a folder of the test");
        }
        env
    }

    /// The folder that commands run in.
    pub fn work_dir(&self) -> PathBuf {
        self.root().join("work")
    }

    /// The home of the user that commands see.
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// The folder of the component store, if no setting says otherwise.
    pub fn store_dir(&self) -> PathBuf {
        self.home().join(".local/share/wassette/components")
    }

    /// Writes `text` to `path`, relative to the working folder, and returns the whole path.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work_dir().join(path);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        fs::write(&path, text).expect("a file of the test");
        path
    }

    /// Writes the configuration file that commands find by themselves, and returns its path.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn configure(&self, text: &str) -> PathBuf {
        let path = self.home().join(".config/wassette/config.toml");
        fs::write(&path, text).expect("the configuration of the test");
        path
    }

    /// Writes `<name>.wasm` to the working folder, made from `text` in the WebAssembly text format.
    ///
    /// # Panics
    /// If the text is not WebAssembly, or if it cannot be written.
    pub fn component(&self, name: &str, text: &str) -> PathBuf {
        let bytes = wat::parse_str(text).expect("WebAssembly text");
        self.write(&format!("{name}.wasm"), bytes)
    }

    /// Writes `<name>.wasm` to the working folder, made from `guests/wat/<name>.wat`.
    ///
    /// # Panics
    /// If there is no such guest, or if it cannot be written.
    pub fn guest(&self, name: &str) -> PathBuf {
        self.write(&format!("{name}.wasm"), guest::compiled(name))
    }

    /// The program with `arguments`, in this environment; for tests that talk with it while it
    /// runs. Its standard input is empty unless the caller changes that.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(self.work_dir())
            .env_clear()
            .env("HOME", self.home())
            .env("XDG_CONFIG_HOME", self.home().join(".config"))
            .env("XDG_DATA_HOME", self.home().join(".local/share"))
            .env("XDG_CACHE_HOME", self.home().join(".cache"))
            .env("PATH", "/usr/bin:/bin")
            .env("TZ", "UTC")
            .env("COLUMNS", "100")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program with `arguments` to its end.
    ///
    /// # Panics
    /// If the program cannot be started.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> CommandOutput {
        self.finish(&mut self.command(arguments))
    }

    /// Runs the program with `arguments` to its end; it reads `input` from its standard input.
    ///
    /// # Panics
    /// If the program cannot be started.
    pub fn run_with_input<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &str,
    ) -> CommandOutput {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // A program that does not read its input may have closed it.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("the program ends");
        CommandOutput::new(&output, self.replacements())
    }

    /// Runs `command`, made by [`TestEnv::command`], to its end.
    ///
    /// # Panics
    /// If the program cannot be started.
    pub fn finish(&self, command: &mut Command) -> CommandOutput {
        let output = command.output().expect("the program starts");
        CommandOutput::new(&output, self.replacements())
    }

    fn root(&self) -> &Path {
        self.root.path()
    }

    fn replacements(&self) -> Vec<(String, &'static str)> {
        // The longest first: the working folder lies in the root.
        let canonical = self.root().canonicalize().expect("the root exists");
        let shown = |path: PathBuf| path.to_string_lossy().into_owned();
        let mut pairs = Vec::new();
        for root in [canonical, self.root().to_owned()] {
            pairs.push((shown(root.join("work")), "[WORK]"));
            pairs.push((shown(root.join("home")), "[HOME]"));
            pairs.push((shown(root), "[ROOT]"));
        }
        pairs.push((shown(self.program.clone()), "[WASSETTE]"));
        pairs
    }
}
