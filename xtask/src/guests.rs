//! `cargo xtask guests`: builds the components of the tests and of the examples from registries alone.
//! It must never write outside the source tree, the folder of `--out` and the folder of `--tools`, and must never install
//! anything on the machine.

mod build;
mod digests;
mod documentation;
mod error;
mod finish;
mod recipe;
mod tools;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::say;
use error::{Error, at};
use recipe::{GUESTS, Guest};
use tools::Tools;

/// What the chore is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The guests to build; all of them if none is named.
    names: Vec<String>,
    /// Write `DIR/<name>.wasm`, and leave the committed components as they are. The large ones are built only so.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep the toolchains in DIR: about 2.5 GB, reused by the next build.
    #[arg(long, value_name = "DIR")]
    tools: Option<PathBuf>,
    /// Build nothing: write the documentation of the committed components anew, from their WIT.
    #[arg(long, conflicts_with_all = ["out", "tools", "check"])]
    docs: bool,
    /// Build nothing: compare the committed components with their digests.
    #[arg(long, conflicts_with_all = ["names", "out", "tools"])]
    check: bool,
}

/// Runs the chore over the sources at `tree`.
pub(crate) fn run(arguments: &Arguments, tree: &Path) -> Result<(), Error> {
    if arguments.check {
        let count = digests::check(tree)?;
        say(&format!("{count} committed components are what their digests say"));
        return Ok(());
    }
    if arguments.docs {
        return document(arguments, tree);
    }
    let tools = arguments.tools.clone().unwrap_or_else(|| tree.join("target/guest-tools"));
    let tools = Tools::in_folder(&tools, tree)?;
    for guest in chosen(arguments)? {
        let target = match &arguments.out {
            Some(folder) => folder.join(format!("{}.wasm", guest.name)),
            None => tree.join(guest.committed.unwrap_or_default()),
        };
        say(&format!("building {}", guest.name));
        let component = finish::finish(build::build(guest, tree, &tools)?, guest, tree, &tools)?;
        write(&target, &component)?;
        say(&format!("built {} ({} bytes)", target.display(), component.len()));
    }
    if arguments.out.is_none() {
        digests::write(tree)?;
    }
    Ok(())
}

/// Writes documentation and digests, and nothing else.
fn document(arguments: &Arguments, tree: &Path) -> Result<(), Error> {
    for guest in chosen(arguments)? {
        let path = tree.join(guest.committed.unwrap_or_default());
        let component = std::fs::read(&path).map_err(at(&path))?;
        let component = documentation::document(&component, &tree.join(guest.source).join("wit"))?;
        write(&path, &component)?;
        say(&format!("documented {}", path.display()));
    }
    digests::write(tree)
}

/// The guests that the arguments ask for. Those that are too large to be committed need a folder to go to.
fn chosen(arguments: &Arguments) -> Result<Vec<&'static Guest>, Error> {
    let has_place = |guest: &Guest| arguments.out.is_some() || guest.committed.is_some();
    if arguments.names.is_empty() {
        return Ok(GUESTS.iter().filter(|guest| has_place(guest)).collect());
    }
    let one = |name: &String| {
        let guest = GUESTS.iter().find(|guest| guest.name == name);
        let guest = guest.ok_or_else(|| Error::Unknown { name: name.clone() })?;
        if has_place(guest) { Ok(guest) } else { Err(Error::TooLarge { name: guest.name }) }
    };
    arguments.names.iter().map(one).collect()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(at(folder))?;
    }
    std::fs::write(path, bytes).map_err(at(path))
}

#[cfg(test)]
mod tests;
