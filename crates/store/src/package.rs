//! The name of a package of components, which a configuration maps to a registry. Must never be
//! taken for a place: it says what, not where.

use std::fmt;

use semver::Version;

use crate::ReferenceError;

/// The longest name of a package, in bytes.
const LONGEST: usize = 255;

/// Schemes that nobody may mean as the namespace of a package.
const SCHEMES: [&str; 4] = ["file", "http", "https", "oci"];

/// A package by its name, `namespace:name`, and its version if one was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Package {
    namespace: String,
    name: String,
    version: Option<String>,
}

impl Package {
    /// Reads `namespace:name[@version]`: lower-case words with `-` between them, and a version as
    /// SemVer has it.
    ///
    /// # Errors
    /// [`ReferenceError::Package`] with the reason.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let refused = |reason: &str| ReferenceError::Package {
            text: text.chars().take(200).collect(),
            reason: reason.to_owned(),
        };
        if text.len() > LONGEST {
            return Err(refused(&format!("it is longer than {LONGEST} bytes")));
        }
        let (package, version) = match text.split_once('@') {
            Some((package, version)) => (package, Some(version)),
            None => (text, None),
        };
        let (namespace, name) = package.split_once(':').ok_or_else(|| refused("it has no `:`"))?;
        if SCHEMES.contains(&namespace.to_ascii_lowercase().as_str()) {
            return Err(refused(&format!("`{namespace}:` begins an address, not a package")));
        }
        for part in [namespace, name] {
            if part.contains([':', '/']) {
                return Err(refused("it has more than a namespace and a name"));
            }
            if !is_kebab(part) {
                return Err(refused(
                    "its namespace and its name are not words of lower-case letters and digits \
                     with `-` between them",
                ));
            }
        }
        if version.is_some_and(|version| Version::parse(version).is_err()) {
            return Err(refused("its version is not one such as `1.2.3`"));
        }
        let version = version.map(str::to_owned);
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned(), version })
    }

    /// Whether `text` can be meant as nothing but a package: `a:b` or `a:b@c`, without what only
    /// paths and addresses have.
    pub(crate) fn is_meant_by(text: &str) -> bool {
        let package = text.split_once('@').map_or(text, |(package, _)| package);
        let is_word = |part: &str| {
            part.starts_with(|first: char| first.is_ascii_alphabetic())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        !text.contains('/') && package.contains(':') && package.split(':').all(is_word)
    }

    /// The namespace, such as `wasi`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name in the namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version, as SemVer has it; nothing means the latest.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

impl fmt::Display for Package {
    /// The canonical spelling, `namespace:name@version` without what is not there.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.namespace, self.name)?;
        match &self.version {
            Some(version) => write!(formatter, "@{version}"),
            None => Ok(()),
        }
    }
}

/// Whether the text is made of lower-case words, of which the first begins with a letter.
fn is_kebab(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.split('-').all(is_word)
}

#[cfg(test)]
mod tests;
