//! `cargo xtask docs`: writes the pages that are made from the code, or checks the committed ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use miette::Diagnostic;
use thiserror::Error;

use crate::say;

/// What to do with the pages.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Compare the pages with the code, and write nothing.
    #[arg(long)]
    check: bool,
}

/// Why a page could not be written, or is not what it should be.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum DocsError {
    #[error("cannot read or write `{}`", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("`{}` is not what the code says", .path.display())]
    #[diagnostic(help("write it anew with `cargo xtask docs`"))]
    Stale { path: PathBuf },
}

/// Writes or checks every page below `tree`.
pub(crate) fn run(arguments: &Arguments, tree: &Path) -> Result<(), DocsError> {
    let pages = [("docs/reference/policy.md", wassette_policy::reference::markdown())];
    for (name, text) in pages {
        let path = tree.join(name);
        let wrong = |source| DocsError::File { path: path.clone(), source };
        let written = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            read => Some(read.map_err(wrong)?),
        };
        if written.as_ref() == Some(&text) {
            continue;
        }
        if arguments.check {
            return Err(DocsError::Stale { path });
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(wrong)?;
        }
        fs::write(&path, text).map_err(wrong)?;
        say(&format!("wrote {name}"));
    }
    Ok(())
}
