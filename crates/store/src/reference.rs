//! What a user wrote to say where a component is. Must never fetch anything, and never accept what
//! [`read`](crate::read) cannot read.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use url::Url;

use crate::ComponentId;

/// Where a component is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A file of this machine, by its absolute path.
    File(PathBuf),
    /// What a server gives for this `https` URL, which has no user, no password and no fragment.
    Https(Url),
}

/// The longest URL, in bytes.
const LONGEST_URL: usize = 8 << 10;

impl Reference {
    /// Reads a reference; relative paths start from the current directory.
    ///
    /// Accepted are plain paths, `file://` with an absolute or a relative path
    /// (`file:///srv/x.wasm`, `file://./x.wasm`, `file://x.wasm`) and the other spellings of
    /// RFC 8089 for local files (`file:/srv/x.wasm`, `file://localhost/srv/x.wasm`). After
    /// `file:`, `%` and two hexadecimal digits stand for a byte; in a plain path they do not.
    /// `https://` URLs are read as the WHATWG has it; a fragment is dropped.
    ///
    /// # Errors
    /// What cannot be loaded is refused with its reason; whether the file exists is not asked.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let base = std::env::current_dir()
            .map_err(|source| ReferenceError::NoCurrentDirectory { source })?;
        Self::parse_in(text, &base)
    }

    /// Reads a reference as [`parse`](Self::parse) does; relative paths start from `base`, which
    /// is absolute.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    pub fn parse_in(text: &str, base: &Path) -> Result<Self, ReferenceError> {
        check_characters(text.as_bytes(), text)?;
        let path = match split_scheme(text) {
            None => plain_path(text)?,
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "file" => file_path(rest, text)?,
                "https" => return https(text).map(Self::Https),
                "oci" => {
                    return Err(ReferenceError::NotYet {
                        text: text.to_owned(),
                        scheme: scheme.to_ascii_lowercase(),
                    });
                }
                "http" => return Err(ReferenceError::Insecure { text: text.to_owned() }),
                _ => return Err(ReferenceError::UnknownScheme { text: text.to_owned() }),
            },
        };
        if path.as_os_str().is_empty() {
            return Err(ReferenceError::Empty);
        }
        Ok(Self::File(normalize(&base.join(path))))
    }

    /// The id that a component from here gets if the user names none: the stem of the file name, or
    /// else the host's name, made safe.
    #[must_use]
    pub fn component_id(&self) -> ComponentId {
        match self {
            Self::File(path) => {
                ComponentId::from_name(&path.file_stem().unwrap_or_default().to_string_lossy())
            }
            Self::Https(url) => {
                let last = url.path_segments().and_then(|mut segments| segments.next_back());
                let last = last.and_then(percent_decode).unwrap_or_default();
                let name = String::from_utf8_lossy(&last).into_owned();
                let stem = Path::new(&name).file_stem().unwrap_or_default().to_string_lossy();
                let host = url.host_str().unwrap_or_default();
                ComponentId::from_name(if stem.is_empty() { host } else { &stem })
            }
        }
    }
}

impl fmt::Display for Reference {
    /// The canonical spelling, `file:///…` or `https://…`, from which the same reference is read.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => {
                formatter.write_str("file://")?;
                path.as_os_str().as_bytes().iter().try_for_each(|byte| write_byte(formatter, *byte))
            }
            Self::Https(url) => formatter.write_str(url.as_str()),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

/// Why a text leads to no component.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ReferenceError {
    /// There is no path.
    #[error("the path of the component is empty")]
    #[diagnostic(
        code(reference::empty),
        help("give a path such as `./component.wasm` or `file:///srv/component.wasm`")
    )]
    Empty,

    /// There are characters that no reference has.
    #[error("`{}` contains a control character", text.escape_debug())]
    #[diagnostic(code(reference::control_character), help("write the path without it"))]
    ControlCharacter {
        /// What was written.
        text: String,
    },

    /// A `%` without two hexadecimal digits.
    #[error("`{text}` contains a `%` that is not followed by two hexadecimal digits")]
    #[diagnostic(
        code(reference::percent),
        help("after `file:` a `%` itself is written `%25`; in a plain path it stands for itself")
    )]
    Percent {
        /// What was written.
        text: String,
    },

    /// A path that a shell would have expanded.
    #[error("`~` is not expanded in `{text}`")]
    #[diagnostic(
        code(reference::tilde),
        help("write the whole path; for a file whose name starts with `~`, write `./~…`")
    )]
    Tilde {
        /// What was written.
        text: String,
    },

    /// A place that this version does not load from.
    #[error("cannot load `{text}`: loading from `{scheme}://` is not supported yet")]
    #[diagnostic(
        code(reference::not_yet),
        help("download the component and load the file by its path")
    )]
    NotYet {
        /// What was written.
        text: String,
        /// The scheme, in lower case.
        scheme: String,
    },

    /// A URL that leads nowhere, or says more than where.
    #[error("`{}` is no URL of a component: {reason}", text.escape_debug())]
    #[diagnostic(
        code(reference::url),
        help("write `https://host/path`, without a user's name or a password")
    )]
    Url {
        /// What was written, without its password.
        text: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A place from which anybody on the way could send something else.
    #[error("refused to load `{text}`: `http://` protects nothing on the way")]
    #[diagnostic(
        code(reference::insecure),
        help("download the component by a way that you trust and load the file by its path")
    )]
    Insecure {
        /// What was written.
        text: String,
    },

    /// A scheme that nobody knows.
    #[error("`{text}` has an unknown scheme")]
    #[diagnostic(
        code(reference::unknown_scheme),
        help("use a path (`./component.wasm`) or `file://` (`file:///srv/component.wasm`)")
    )]
    UnknownScheme {
        /// What was written.
        text: String,
    },

    /// The process has no current directory.
    #[error("the current directory is unknown")]
    #[diagnostic(code(reference::no_current_directory), help("write an absolute path"))]
    NoCurrentDirectory {
        /// What the system said.
        source: io::Error,
    },
}

/// The URL in `text`, if it says where something is and nothing else.
fn https(text: &str) -> Result<Url, ReferenceError> {
    // What stands before an `@` may be a password.
    let shown = || text.rsplit_once('@').map_or(text, |(_, rest)| rest).chars().take(200).collect();
    let wrong = |reason: &str| ReferenceError::Url { text: shown(), reason: reason.to_owned() };
    if text.len() > LONGEST_URL {
        return Err(wrong(&format!("it is longer than {LONGEST_URL} bytes")));
    }
    let mut url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user's name or a password"));
    }
    url.set_fragment(None);
    Ok(url)
}

fn check_characters(bytes: &[u8], text: &str) -> Result<(), ReferenceError> {
    let has_control = match str::from_utf8(bytes) {
        Ok(decoded) => decoded.chars().any(char::is_control),
        Err(_) => bytes.iter().any(u8::is_ascii_control),
    };
    if has_control {
        return Err(ReferenceError::ControlCharacter { text: text.to_owned() });
    }
    Ok(())
}

/// The scheme and what follows its colon, where the text is not a plain path.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'));
    let is_file = scheme.eq_ignore_ascii_case("file") && rest.starts_with('/');
    (is_scheme && (is_file || rest.starts_with("//"))).then_some((scheme, rest))
}

fn plain_path(text: &str) -> Result<PathBuf, ReferenceError> {
    if text.starts_with('~') {
        return Err(ReferenceError::Tilde { text: text.to_owned() });
    }
    Ok(PathBuf::from(text))
}

/// The path in what follows `file:`; `text` is the whole for the error.
fn file_path(rest: &str, text: &str) -> Result<PathBuf, ReferenceError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let path = match path.strip_prefix("localhost") {
        Some(absolute) if absolute.starts_with('/') => absolute,
        _ => path,
    };
    if path.starts_with('~') {
        return Err(ReferenceError::Tilde { text: text.to_owned() });
    }
    let bytes =
        percent_decode(path).ok_or_else(|| ReferenceError::Percent { text: text.to_owned() })?;
    check_characters(&bytes, text)?;
    Ok(PathBuf::from(OsString::from_vec(bytes)))
}

fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex_value(bytes.next()?)? << 4 | hex_value(bytes.next()?)?,
            _ => byte,
        });
    }
    Some(decoded)
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| value.try_into().ok())
}

/// Writes a byte of a path as RFC 3986 has it in the path of a URI.
fn write_byte(formatter: &mut fmt::Formatter<'_>, byte: u8) -> fmt::Result {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => write!(formatter, "{}", char::from(byte)),
        _ if b"/-._~!$&'()*+,;=:@".contains(&byte) => write!(formatter, "{}", char::from(byte)),
        _ => write!(formatter, "%{byte:02X}"),
    }
}

/// Takes `.` and `..` out of an absolute path, so that one file has one spelling.
///
/// `a/..` is not the same as nothing where `a` is a symbolic link, so the part up to the last `..`
/// is asked of the file system. Where that fails the path stays as it is, and reading it will say
/// why. Other links stay as they are written: `current/x.wasm` is one source, whatever
/// `current` points to today.
fn normalize(path: &Path) -> PathBuf {
    let components: Vec<Component<'_>> = path.components().collect();
    let after_parent = components
        .iter()
        .rposition(|part| *part == Component::ParentDir)
        .map_or(0, |last| last + 1);
    let (before, after) = components.split_at_checked(after_parent).unwrap_or_default();
    let before: PathBuf = before.iter().map(|part| part.as_os_str()).collect();
    let before = before.canonicalize().unwrap_or(before);
    before.components().chain(after.iter().copied()).map(Component::as_os_str).collect()
}

#[cfg(test)]
mod tests;
