//! What calls find around them: the variables that `--env` and `--env-file` offer, and the folders
//! that `fs://NAME/…` means.
//!
//! Offering is not granting: a component sees the variables that its policy lists, and no others.
//! No value may ever stand in a message, for values are often secrets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use miette::Diagnostic;
use thiserror::Error;
use wassette_policy::{StorageRoot, StorageUri};
use wassette_toolbox::EnvironmentSources;

use crate::config::Config;
use crate::variables;

mod env_file;

pub(crate) use self::env_file::EnvFileError;

/// The workspace that needs no name.
const WORKSPACE: &str = "workspace";

/// What the verbs share under which calls are made.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SurroundingsArgs {
    /// Offer a variable to the components whose policies list it; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    env: Vec<String>,

    /// Offer the variables of a file with a `KEY=VALUE` on each line; may be repeated
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,

    /// The folder that `fs://NAME/…` means in policies; `workspace` if no name is given [default:
    /// the current folder]
    #[arg(long, value_name = "[NAME=]PATH")]
    workspace: Vec<String>,
}

/// Why there are no surroundings.
#[derive(Debug, Error, Diagnostic)]
pub(crate) enum SurroundingsError {
    /// A variable on the command line has no name, or nothing else. What was written is not shown.
    #[error("`--env` number {number} is not a variable: {fault}")]
    #[diagnostic(help("write it as `--env KEY=VALUE`"))]
    Variable { number: usize, fault: &'static str },
    /// A file of variables cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    EnvFile(#[from] EnvFileError),
    /// A workspace's name cannot stand in a rule.
    #[error("`{name}` is not a name for a workspace")]
    #[diagnostic(help(
        "a name is made of letters, digits, `-` and `_`, such as `--workspace docs=/srv/docs`; a \
         path with `=` in it needs a name before it"
    ))]
    WorkspaceName { name: String },
    /// A workspace is no folder.
    #[error("the workspace `{name}` cannot be `{path}`")]
    #[diagnostic(help("name a folder that is there"))]
    WorkspacePath { name: String, path: String, source: std::io::Error },
}

impl SurroundingsArgs {
    /// The variables on offer: the flags' before the files', a later file's before an earlier's, and
    /// the configuration's behind both.
    pub(crate) fn environment(
        &self,
        config: &Config,
        current_dir: &Path,
    ) -> Result<EnvironmentSources, SurroundingsError> {
        let mut given = BTreeMap::new();
        for path in &self.env_file {
            given.extend(env_file::read(&current_dir.join(path), path)?);
        }
        for (index, text) in self.env.iter().enumerate() {
            let variable = variables::variable(text);
            let (key, value) = variable
                .map_err(|fault| SurroundingsError::Variable { number: index + 1, fault })?;
            given.insert(key.to_owned(), value.to_owned());
        }
        Ok(EnvironmentSources { given, configured: config.environment.clone() })
    }

    /// The files with variables in them, which no component may read.
    pub(crate) fn private_paths(&self, current_dir: &Path) -> impl Iterator<Item = PathBuf> {
        self.env_file.iter().map(move |path| current_dir.join(path))
    }

    /// The folder of each workspace: the flags' before the configuration's. `workspace` is always
    /// among them.
    pub(crate) fn workspaces(
        &self,
        config: &Config,
        current_dir: &Path,
    ) -> Result<BTreeMap<String, PathBuf>, SurroundingsError> {
        let mut workspaces = BTreeMap::from([(WORKSPACE.to_owned(), current_dir.to_owned())]);
        workspaces.extend(config.workspaces.clone());
        for text in &self.workspace {
            let (name, path) = match text.split_once('=') {
                Some((name, path)) => (name, path),
                None => (WORKSPACE, text.as_str()),
            };
            if !is_workspace_name(name) {
                return Err(SurroundingsError::WorkspaceName { name: name.to_owned() });
            }
            workspaces.insert(name.to_owned(), folder(name, &current_dir.join(path))?);
        }
        Ok(workspaces)
    }
}

/// Whether rules can speak of a workspace `name`.
pub(crate) fn is_workspace_name(name: &str) -> bool {
    let uri = format!("fs://{name}").parse::<StorageUri>();
    uri.is_ok_and(|uri| *uri.root() == StorageRoot::Workspace(name.to_owned()))
}

fn folder(name: &str, path: &Path) -> Result<PathBuf, SurroundingsError> {
    let wrong = |source| SurroundingsError::WorkspacePath {
        name: name.to_owned(),
        path: path.display().to_string(),
        source,
    };
    let found = path.canonicalize().map_err(wrong)?;
    if !found.is_dir() {
        return Err(wrong(std::io::ErrorKind::NotADirectory.into()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
