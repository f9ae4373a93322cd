//! The toolchains of the guests, each fetched from a registry when it is first needed.
//! They must never be installed on the machine: everything lies in one folder that can be thrown away.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::{Error, at};
use crate::say;

/// PyPI: the compiler for C, and the one for Python.
const ZIG: &str = "ziglang==0.17.0";
const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";
/// The crates: what writes the C bindings of a WIT world.
const WIT_BINDGEN: &str = "wit-bindgen-cli@0.63.0";
const WASM_TARGETS: [&str; 2] = ["wasm32-wasip2", "wasm32-unknown-unknown"];

/// The folder of the toolchains.
#[derive(Debug)]
pub(crate) struct Tools {
    folder: PathBuf,
    tree: PathBuf,
}

impl Tools {
    /// Toolchains below `folder`, which is made if it is missing, for the sources at `tree`.
    pub(crate) fn in_folder(folder: &Path, tree: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(at(folder))?;
        let folder = folder.canonicalize().map_err(at(folder))?;
        Ok(Self { folder, tree: tree.to_path_buf() })
    }

    /// Where toolchains and half-built guests lie.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A cargo that builds for WebAssembly: the machine's own where it has the targets, else one made from Debian's compiler.
    pub(crate) fn cargo(&self) -> Result<Command, Error> {
        if has_wasm_targets() {
            return Ok(Command::new("cargo"));
        }
        let toolchain = self.folder.join("rust");
        let script = self.tree.join("guests/toolchain/rust.sh");
        self.once("rust", "1", |_| {
            run(Command::new("sh").arg(&script).arg(&toolchain).args(WASM_TARGETS))
        })?;
        let mut command = Command::new("sh");
        command.args(["-c", ". \"$0/env\" && exec cargo \"$@\""]).arg(&toolchain);
        Ok(command)
    }

    /// `zig`, as a module of Python: `python -m ziglang`.
    pub(crate) fn zig(&self) -> Result<Command, Error> {
        let mut command = Command::new(self.python_package("zig", ZIG)?.join("bin/python"));
        command.args(["-m", "ziglang"]);
        Ok(command)
    }

    /// `componentize-py`.
    pub(crate) fn componentize_py(&self) -> Result<Command, Error> {
        let environment = self.python_package("componentize-py", COMPONENTIZE_PY)?;
        Ok(Command::new(environment.join("bin/componentize-py")))
    }

    /// `jco`, in the version that the example in JavaScript pins.
    pub(crate) fn jco(&self) -> Result<Command, Error> {
        let manifest = self.tree.join("examples/time-server/package.json");
        let pinned = fs::read_to_string(&manifest).map_err(at(&manifest))?;
        let folder = self.once("jco", &pinned, |folder| {
            let copy = folder.join("package.json");
            fs::copy(&manifest, &copy).map_err(at(&copy))?;
            run(Command::new("npm")
                .args(["install", "--silent", "--no-audit", "--no-fund"])
                .current_dir(folder))
        })?;
        Ok(Command::new(folder.join("node_modules/.bin/jco")))
    }

    /// `wit-bindgen`, built from its crate for C alone.
    pub(crate) fn wit_bindgen(&self) -> Result<Command, Error> {
        let folder = self.once("wit-bindgen", WIT_BINDGEN, |folder| {
            let mut install = Command::new("cargo");
            install.args([
                "install",
                "--quiet",
                "--locked",
                "--no-default-features",
                "--features",
                "c",
                WIT_BINDGEN,
            ]);
            run(install
                .arg("--root")
                .arg(folder)
                .env("CARGO_TARGET_DIR", self.folder.join("target")))
        })?;
        Ok(Command::new(folder.join("bin/wit-bindgen")))
    }

    /// An environment of Python with one package in it.
    fn python_package(&self, name: &str, package: &str) -> Result<PathBuf, Error> {
        self.once(name, package, |folder| {
            run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
            run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", package]))
        })
    }

    /// Makes the tool `name` in a folder of its own, unless a former run has done so for the same `version`.
    /// The stamp is written last: what was cut short starts anew.
    fn once(
        &self,
        name: &str,
        version: &str,
        make: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<PathBuf, Error> {
        let folder = self.folder.join(name);
        let stamp = self.folder.join(format!("{name}.made"));
        if fs::read_to_string(&stamp).is_ok_and(|made| made == version) {
            return Ok(folder);
        }
        say(&format!("getting {name}"));
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(at(&folder))?;
        }
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        make(&folder)?;
        fs::write(&stamp, version).map_err(at(&stamp))?;
        Ok(folder)
    }
}

/// Runs a command to its end, with its output on ours.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|source| Error::Start { program, source })?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::Failed { command: command_line(command), status })
    }
}

fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Whether `rustup target add` has been here.
fn has_wasm_targets() -> bool {
    WASM_TARGETS.iter().all(|target| {
        let asked =
            Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
        let folder = asked.map(|answer| String::from_utf8_lossy(&answer.stdout).trim().to_string());
        folder.is_ok_and(|folder| Path::new(&folder).is_dir())
    })
}
