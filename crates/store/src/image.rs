//! Where an image lies in a registry. Must never guess a host, never accept two spellings for one
//! place where they can be told to be one, and never show a password that somebody wrote.

use std::fmt;
use std::str::FromStr;

use url::Host;

use crate::{Digest, ReferenceError};

/// The longest reference of an image, in bytes.
const LONGEST: usize = 1024;

/// The longest name that registries take, host and repository together.
const LONGEST_NAME: usize = 255;

/// The longest tag.
const LONGEST_TAG: usize = 128;

/// The scheme and what follows it.
const SCHEME: &str = "oci://";

/// The registry that has several names, and the others of it.
const DOCKER: &str = "docker.io";
const DOCKER_TOO: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];

/// An image in a registry, by its tag, its digest, both or neither.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Image {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Image {
    /// Reads `host[:port]/repository[:tag][@sha256:…]`, with or without `oci://` before it.
    ///
    /// The host is in lower case, and in the one spelling that its address has; the port 443, which
    /// is what no port means, is left out. `docker.io` is the name of the registry that is
    /// `index.docker.io` too. A name without a host is refused, not looked for anywhere.
    ///
    /// # Errors
    /// [`ReferenceError::Image`] with the reason and a cure.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let refused = |(reason, help): Refused| ReferenceError::Image {
            text: without_user(text),
            reason,
            help: help.unwrap_or_else(|| "write `oci://host/repository:tag`".to_owned()),
        };
        if text.len() > LONGEST {
            return Err(refused(because(format!("it is longer than {LONGEST} bytes"))));
        }
        Self::read(without_scheme(text)).map_err(refused)
    }

    fn read(text: &str) -> Result<Self, Refused> {
        let Some((host, rest)) = text.split_once('/') else {
            // `name:tag` looks like `host:port`, and is written more often.
            return Err(match text.contains('.') || text.starts_with("localhost") {
                true => because("it names no repository"),
                false => no_host(text),
            });
        };
        if host.contains('@') {
            let help =
                "leave them out, and log in (`docker login`) or configure the registry's login";
            return Err(cured("it holds a user's name or a password", help));
        }
        if !is_host_like(host) {
            return Err(no_host(text));
        }
        let registry = registry(host)?;
        let (name, digest) = match rest.split_once('@') {
            Some((name, digest)) => (name, Some(read_digest(digest)?)),
            None => (rest, None),
        };
        let (repository, tag) = match name.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (name, None),
        };
        check_repository(repository)?;
        if registry.len() + 1 + repository.len() > LONGEST_NAME {
            let reason = format!("host and repository have more than {LONGEST_NAME} characters");
            return Err(because(reason));
        }
        if registry == DOCKER && !repository.contains('/') {
            let help = format!("write `{SCHEME}{DOCKER}/library/{repository}`");
            return Err(cured(format!("`{DOCKER}` has no repository `{repository}`"), help));
        }
        tag.map_or(Ok(()), check_tag)?;
        let (repository, tag) = (repository.to_owned(), tag.map(str::to_owned));
        Ok(Self { registry, repository, tag, digest })
    }

    /// The registry: `host` or `host:port`, in lower case.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository in the registry, such as `team/weather`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one was written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest of the manifest, if one was written.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// What to ask the registry for: the digest, else the tag, else `latest`.
    #[must_use]
    pub fn wanted(&self) -> String {
        match (self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// This image with the manifest of this digest, whatever the tag names later.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    /// What has this tag in the same repository; a digest is left out.
    ///
    /// # Errors
    /// [`ReferenceError::Image`] for what is no tag.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ReferenceError> {
        check_tag(tag).map_err(|(reason, help)| ReferenceError::Image {
            text: tag.chars().take(200).collect(),
            reason,
            help: help.unwrap_or_default(),
        })?;
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    /// The repository, `oci://host/repository`: what every version of a component has in common.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{SCHEME}{}/{}", self.registry, self.repository)
    }
}

impl fmt::Display for Image {
    /// The canonical spelling, `oci://host/repository:tag@sha256:…` without what is not there.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{SCHEME}{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        match self.digest {
            Some(digest) => write!(formatter, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Image {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

/// What is wrong, and what to write instead if that is not plain from the form of a reference.
type Refused = (String, Option<String>);

fn because(reason: impl Into<String>) -> Refused {
    (reason.into(), None)
}

fn cured(reason: impl Into<String>, help: impl Into<String>) -> Refused {
    (reason.into(), Some(help.into()))
}

fn no_host(text: &str) -> Refused {
    let reason = "it does not begin with the host of a registry";
    // What is not plain is not repeated, nor what may begin with a password.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@');
    if !is_plain || text.is_empty() || text.starts_with('/') || text.len() > LONGEST_NAME {
        return because(reason);
    }
    let full = if text.contains('/') { text.to_owned() } else { format!("library/{text}") };
    cured(reason, format!("write the whole of it, such as `{SCHEME}{DOCKER}/{full}`"))
}

/// Whether the first part of a reference is meant as a host, and not as a folder of some registry.
fn is_host_like(text: &str) -> bool {
    text.contains(['.', ':', '[']) || text.eq_ignore_ascii_case("localhost")
}

/// The registry in its one spelling.
fn registry(text: &str) -> Result<String, Refused> {
    let (host, port) = match text.rfind(']') {
        Some(end) => text.split_at_checked(end + 1).unwrap_or_default(),
        None => text.split_at_checked(text.find(':').unwrap_or(text.len())).unwrap_or_default(),
    };
    let host = host.to_ascii_lowercase();
    let is_name = host.split('.').all(is_label) && host.len() <= 253;
    if !is_name && !host.starts_with('[') {
        return Err(because("its host is no name of a host"));
    }
    // The same address can be written in many ways, and a rule for it in one.
    match Host::parse(&host).map(|parsed| parsed.to_string()) {
        Ok(canonical) if canonical == host => {}
        Ok(canonical) => {
            let help = format!("write `{canonical}`");
            return Err(cured("its host is written in an unusual way", help));
        }
        Err(_) => return Err(because("its host is no name of a host")),
    }
    let host = if DOCKER_TOO.contains(&host.as_str()) { DOCKER.to_owned() } else { host };
    let Some(port) = port.strip_prefix(':') else {
        return if port.is_empty() {
            Ok(host)
        } else {
            Err(because("its host is no name of a host"))
        };
    };
    let number = port.parse::<u16>().ok().filter(|number| *number > 0);
    match number.filter(|number| number.to_string() == port) {
        Some(443) => Ok(host),
        Some(number) => Ok(format!("{host}:{number}")),
        None => Err(because("its port is no number from 1 to 65535")),
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn check_repository(repository: &str) -> Result<(), Refused> {
    if repository.is_empty() {
        return Err(because("it names no repository"));
    }
    if repository.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let help = "repositories are in lower case: write it so";
        return Err(cured("its repository has upper-case letters", help));
    }
    match repository.split('/').all(is_component) {
        true => Ok(()),
        false => Err(cured(
            "its repository is not one that a registry can have",
            "between the slashes stand lower-case letters and digits, and between those single `.` \
             or `_`, `__`, or `-`",
        )),
    }
}

/// Whether the text is a part of a repository's name as the distribution specification has it.
fn is_component(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut separators = text.split(|character: char| character.is_ascii_alphanumeric());
    text.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'_' | b'-'))
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().next_back().is_some_and(is_word)
        && separators.all(|between| {
            matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-')
        })
}

fn check_tag(tag: &str) -> Result<(), Refused> {
    let is_good = (1..=LONGEST_TAG).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if is_good {
        return Ok(());
    }
    Err(cured(
        "its tag is not one that a registry can have",
        format!(
            "a tag has letters, digits, `_`, `.` and `-`, {LONGEST_TAG} at most, and begins with none of the last two"
        ),
    ))
}

fn read_digest(text: &str) -> Result<Digest, Refused> {
    let help = "a digest is `@sha256:` and 64 lower-case hexadecimal digits, and the last part";
    text.parse().map_err(|_| match text.split_once(':') {
        Some((algorithm @ ("sha384" | "sha512" | "blake3"), _)) => {
            cured(format!("`{algorithm}` is not supported for digests"), help)
        }
        _ => cured("its digest is malformed", help),
    })
}

fn without_scheme(text: &str) -> &str {
    match text.split_at_checked(SCHEME.len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => rest,
        _ => text,
    }
}

/// The start of `text` for an error, without what may be a password: only a digest may stand after
/// an `@`.
fn without_user(text: &str) -> String {
    let (before, after) = text.rsplit_once('@').unwrap_or((text, ""));
    let is_digest = ["sha256:", "sha512:"].iter().any(|algorithm| after.starts_with(algorithm));
    let is_plain = !text.contains('@') || (is_digest && !before.contains('@'));
    if is_plain { text } else { after }.chars().take(200).collect()
}

#[cfg(test)]
mod tests;
