//! What a user wrote to say where a component is. Must never fetch anything, and never accept a
//! place from which nothing can be loaded.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use url::{Host, Url};

use crate::{ComponentId, Image, Package};

pub use error::ReferenceError;

mod error;

/// Where a component is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A file of this machine, by its absolute path.
    File(PathBuf),
    /// What a server gives for this URL, which has no user, no password and no fragment. It is
    /// `https`, or `http` and leads to this machine.
    Web(Url),
    /// What a registry has.
    Image(Image),
    /// What some registry has under this name.
    Package(Package),
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
    /// `https://` URLs are read as the WHATWG has it, and `http://` ones whose host is this machine; a
    /// fragment is dropped. `oci://` is followed by what [`Image::parse`] reads, and `a:b`, without a
    /// slash, is what [`Package::parse`] reads.
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
            None if Package::is_meant_by(text) => return Package::parse(text).map(Self::Package),
            None => plain_path(text)?,
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "file" => file_path(rest, text)?,
                "https" | "http" => return web(text).map(Self::Web),
                "oci" => return Image::parse(text).map(Self::Image),
                _ => return Err(ReferenceError::UnknownScheme { text: text.to_owned() }),
            },
        };
        if path.as_os_str().is_empty() {
            return Err(ReferenceError::Empty);
        }
        Ok(Self::File(normalize(&base.join(path))))
    }

    /// What two versions of one component have in common: the reference itself, but for images
    /// their repository alone. Policies and secrets are granted to this.
    ///
    /// That of a package holds only until it is known which image it is.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::File(_) | Self::Web(_) => self.to_string(),
            Self::Image(image) => image.identity(),
            Self::Package(package) => {
                format!("package {}:{}", package.namespace(), package.name())
            }
        }
    }

    /// The id that a component from here gets if the user names none: the stem of the file name or
    /// the last part of a repository or package, or else the host's name, made safe.
    #[must_use]
    pub fn component_id(&self) -> ComponentId {
        match self {
            Self::File(path) => {
                ComponentId::from_name(&path.file_stem().unwrap_or_default().to_string_lossy())
            }
            Self::Web(url) => {
                let last = url.path_segments().and_then(|mut segments| segments.next_back());
                let last = last.and_then(percent_decode).unwrap_or_default();
                let name = String::from_utf8_lossy(&last).into_owned();
                let stem = Path::new(&name).file_stem().unwrap_or_default().to_string_lossy();
                let host = url.host_str().unwrap_or_default();
                ComponentId::from_name(if stem.is_empty() { host } else { &stem })
            }
            Self::Image(image) => {
                ComponentId::from_name(image.repository().rsplit('/').next().unwrap_or_default())
            }
            Self::Package(package) => ComponentId::from_name(package.name()),
        }
    }
}

impl fmt::Display for Reference {
    /// The canonical spelling, from which the same reference is read: `file:///…`, `https://…`,
    /// `oci://host/repository:tag@sha256:…` or `namespace:name@version`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => {
                formatter.write_str("file://")?;
                path.as_os_str().as_bytes().iter().try_for_each(|byte| write_byte(formatter, *byte))
            }
            Self::Web(url) => formatter.write_str(url.as_str()),
            Self::Image(image) => fmt::Display::fmt(image, formatter),
            Self::Package(package) => fmt::Display::fmt(package, formatter),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

/// The URL in `text`, if it says where something is and nothing else.
fn web(text: &str) -> Result<Url, ReferenceError> {
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
    if url.scheme() != "https" && !is_this_machine(&url) {
        return Err(ReferenceError::Insecure { text: shown() });
    }
    url.set_fragment(None);
    Ok(url)
}

/// Whether the host of `url` can be no other machine.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
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
