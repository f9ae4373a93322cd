//! What a rule or a question is about, as people write it on a command line.

use std::path::{Component, Path};

use miette::Diagnostic;
use wassette_policy::{StorageRoot, StorageUri};

use crate::error::CommandError;

/// The rule that `text` means: `fs://…` as it stands, or a path that begins with `/` or `.`, which
/// starts from `folder`.
pub(crate) fn storage(text: &str, folder: &Path) -> Result<StorageUri, CommandError> {
    let uri = if text.starts_with('/') {
        format!("fs://{text}")
    } else if text.starts_with('.') {
        absolute(text, folder)?
    } else {
        text.to_owned()
    };
    uri.parse().map_err(refused)
}

/// The path under which a component sees what `text` means: a path from the root is that already.
pub(crate) fn seen_by_a_component(text: &str, folder: &Path) -> Result<String, CommandError> {
    if text.starts_with('/') {
        return Ok(text.to_owned());
    }
    let uri = storage(text, folder)?;
    if uri.is_glob() {
        return Err(CommandError::Rule {
            fault: format!("`{text}` means many files"),
            help: Some("ask about one of them".to_owned()),
        });
    }
    let workspace = match uri.root() {
        StorageRoot::Absolute => None,
        StorageRoot::Workspace(name) => Some(name),
    };
    let names = workspace.into_iter().chain(uri.prefix());
    let path: String = names.map(|name| format!("/{name}")).collect();
    Ok(if path.is_empty() { "/".to_owned() } else { path })
}

/// `fs:///` and the path that `text` means in `folder`. Only leading `.` and `..` are worked out: a
/// later `..` may stand behind a link, and is for the rule's own reader to refuse.
fn absolute(text: &str, folder: &Path) -> Result<String, CommandError> {
    let mut whole = folder.to_owned();
    let mut components = Path::new(text).components().peekable();
    while let Some(leading) =
        components.next_if(|next| matches!(next, Component::CurDir | Component::ParentDir))
    {
        if leading == Component::ParentDir {
            whole.pop();
        }
    }
    whole.extend(components);
    match whole.to_str() {
        Some(path) => Ok(format!("fs://{path}")),
        None => Err(CommandError::Rule {
            fault: format!("`{}` is not UTF-8", whole.display()),
            help: Some("a rule can only name paths that are text".to_owned()),
        }),
    }
}

/// What the reader of rules says, as an error of the command line.
pub(crate) fn refused(error: impl Diagnostic) -> CommandError {
    let help = error.help().map(|help| help.to_string());
    CommandError::Rule { fault: error.to_string(), help }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_the_rule_that_is_stored() {
        for (text, uri) in [
            ("/data", "fs:///data"),
            ("/data/", "fs:///data"),
            ("./data", "fs:///home/me/data"),
            (".", "fs:///home/me"),
            ("../you/x.csv", "fs:///home/you/x.csv"),
            ("./../../../etc/hosts", "fs:///etc/hosts"),
            ("fs:///data/**/*.md", "fs:///data/**/*.md"),
            ("fs://workspace/docs", "fs://workspace/docs"),
        ] {
            let uri_found = storage(text, Path::new("/home/me")).unwrap();
            assert_eq!(uri_found.to_string(), uri, "{text}");
        }
    }

    #[test]
    fn what_could_mean_several_things_is_refused() {
        for text in ["data", "", "~/data", "$HOME", "./a/../b", "/a/../b", "file:///data", "fs:/a"]
        {
            assert!(storage(text, Path::new("/home/me")).is_err(), "{text}");
        }
    }
    #[test]
    fn a_question_is_about_what_the_component_sees() {
        for (text, path) in [
            ("/data/x", "/data/x"),
            ("/odd $name*", "/odd $name*"),
            ("./data", "/home/me/data"),
            ("fs:///data/x", "/data/x"),
            ("fs://workspace/x", "/workspace/x"),
            ("fs:///", "/"),
        ] {
            let seen = seen_by_a_component(text, Path::new("/home/me")).unwrap();
            assert_eq!(seen, path, "{text}");
        }
        for text in ["data", "", "fs:///data/*.md", "./a/../b"] {
            assert!(seen_by_a_component(text, Path::new("/home/me")).is_err(), "{text}");
        }
    }
}
