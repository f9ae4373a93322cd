//! The policy that lies beside a component: what it asks for. Must never grant anything, and never
//! be a reason for which the component cannot be loaded.

use std::io;
use std::path::Path;

use crate::source::file;
use crate::{MAX_POLICY_BYTES, SourceError};

/// The endings that such a file may have after the component's stem, the first one first.
const ENDINGS: [&str; 3] = ["policy.yaml", "policy.yml", "policy.json"];

/// A policy that was shipped with a component. It says what the component asks for, and grants
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// It was read. Whether it is a policy was not asked.
    Text {
        /// What stands there, [`MAX_POLICY_BYTES`] at most, unexamined.
        text: String,
        /// Where it stands: a path.
        origin: String,
    },
    /// It is there and cannot be shown.
    Unreadable {
        /// Why, in words.
        reason: String,
        /// Where it is: a path.
        origin: String,
    },
}

/// What lies beside the component at `path`: `weather.policy.yaml`, `.yml` or `.json` beside
/// `weather.wasm`.
pub(crate) fn beside(path: &Path) -> Option<Requested> {
    ENDINGS.iter().find_map(|ending| read(&path.with_extension(ending)))
}

fn read(path: &Path) -> Option<Requested> {
    let origin = path.display().to_string();
    let reason = match file::read(path, MAX_POLICY_BYTES as u64) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => return Some(Requested::Text { text, origin }),
            Err(_) => "it is not text in UTF-8".to_owned(),
        },
        Err(SourceError::NotFound { .. }) => return None,
        Err(SourceError::Empty { .. }) => {
            return Some(Requested::Text { text: String::new(), origin });
        }
        Err(SourceError::TooLarge { size, limit, .. }) => {
            format!("it has {size} bytes, the limit is {limit}")
        }
        Err(SourceError::NotAFile { found, .. }) => format!("it is {found}, not a file"),
        Err(SourceError::Unreadable { source, .. }) => match source.kind() {
            // A name that the system finds too long is no name of a file.
            io::ErrorKind::InvalidFilename => return None,
            _ => source.to_string(),
        },
    };
    Some(Requested::Unreadable { reason, origin })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::read_file;

    fn requested(files: &[(&str, &[u8])]) -> Option<Requested> {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let component = folder.path().join("my.weather.wasm");
        fs::write(&component, b"\0asm").unwrap();
        read_file(&component, 100).unwrap().requested
    }

    fn text(files: &[(&str, &[u8])]) -> String {
        match requested(files).unwrap() {
            Requested::Text { text, origin } => {
                assert!(origin.contains("/my.weather.policy."), "{origin}");
                text
            }
            Requested::Unreadable { reason, .. } => panic!("{reason}"),
        }
    }

    fn reason(bytes: &[u8]) -> String {
        match requested(&[("my.weather.policy.yaml", bytes)]).unwrap() {
            Requested::Unreadable { reason, .. } => reason,
            Requested::Text { text, .. } => panic!("{text}"),
        }
    }

    #[test]
    fn the_file_with_the_same_stem_is_what_the_component_asks_for() {
        assert_eq!(text(&[("my.weather.policy.json", b"{}"), ("policy.yaml", b"no")]), "{}");
        assert_eq!(text(&[("my.weather.policy.yml", b"a"), ("my.weather.policy.json", b"b")]), "a");
        assert_eq!(text(&[("my.weather.policy.yaml", b"")]), "");
        assert_eq!(requested(&[("my.policy.yaml", b"a"), ("my.weather.yaml", b"b")]), None);
    }

    #[test]
    fn what_cannot_be_shown_is_a_note_and_not_an_error() {
        let long = vec![b' '; MAX_POLICY_BYTES + 1];
        assert_eq!(reason(&long), "it has 65537 bytes, the limit is 65536");
        assert_eq!(reason(b"\xff"), "it is not text in UTF-8");
    }
}
