//! What can go wrong while guests are built. An error must name the file or the program that it is about.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use miette::Diagnostic;
use thiserror::Error;

use super::recipe::GUESTS;

/// Why a guest was not built, or why the committed ones are not right.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum Error {
    #[error("there is no guest `{name}`")]
    #[diagnostic(help("{}", known()))]
    Unknown { name: String },
    #[error("`{name}` is too large to be committed")]
    #[diagnostic(help("say where it goes: `cargo xtask guests {name} --out DIR`"))]
    TooLarge { name: &'static str },
    #[error("`{}` can't be used: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("`{program}` can't be started: {source}")]
    #[diagnostic(help(
        "install `{program}`: the guests are built with what registries have, and it is needed to get that"
    ))]
    Start { program: String, source: io::Error },
    #[error("`{command}` ended with {status}")]
    Failed { command: String, status: ExitStatus },
    #[error("the WIT in `{}` can't be read: {reason}", path.display())]
    Wit { path: PathBuf, reason: String },
    #[error("the documentation in `{}` does not fit the component: {reason}", path.display())]
    #[diagnostic(help("build the component anew from this WIT"))]
    Documentation { path: PathBuf, reason: String },
    #[error("the module of `{name}` can't be made a component: {reason}")]
    Component { name: &'static str, reason: String },
    #[error("`{name}` holds the path `{path}` of this machine")]
    #[diagnostic(help(
        "map it away with `--remap-path-prefix`: what is committed must not tell where it was built"
    ))]
    Leak { name: &'static str, path: String },
    #[error("committed components are not what their digests say:\n{}", findings.join("\n"))]
    #[diagnostic(help("`cargo xtask guests` builds them anew, and writes their digests"))]
    Digests { findings: Vec<String> },
}

/// Turns an I/O error into one that names its file.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::File { path, source }
}

fn known() -> String {
    let names: Vec<_> = GUESTS.iter().map(|guest| guest.name).collect();
    format!("the guests are {}", names.join(", "))
}
