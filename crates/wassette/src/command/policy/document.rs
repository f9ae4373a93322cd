//! A policy in a file or at a URL that somebody named on the command line.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use wassette_policy::{Document, Policy, PolicyError};
use wassette_toolbox::Toolbox;

use crate::error::CommandError;

/// Reads and parses the document that `named` means; `toolbox` is opened for a URL alone. What is
/// longer than any policy is not read to its end.
pub(super) async fn read(
    named: &Path,
    toolbox: impl FnOnce() -> Result<Toolbox, CommandError>,
) -> Result<Document, CommandError> {
    match url(named) {
        None => file(named),
        Some(url) => {
            let text = toolbox()?.fetch_policy(url).await?;
            Document::parse(&text).map_err(|source| no_policy(named, source))
        }
    }
}

/// `named` as it is shown: a URL without its query, which may hold what nobody else should see.
pub(super) fn shown(named: &Path) -> String {
    match url(named) {
        Some(url) => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        None => named.display().to_string(),
    }
}

/// The URL that `named` is; none if it is a file.
pub(super) fn url(named: &Path) -> Option<&str> {
    let text = named.to_str()?;
    let (scheme, _) = text.split_once("://")?;
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    (is("https") || is("http")).then_some(text)
}

fn file(path: &Path) -> Result<Document, CommandError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(Policy::BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|source| CommandError::PolicyRead { path: path.display().to_string(), source })?;
    Document::parse_bytes(&bytes).map_err(|source| no_policy(path, source))
}

fn no_policy(named: &Path, source: PolicyError) -> CommandError {
    CommandError::PolicyFile { path: shown(named), source: Box::new(source) }
}
