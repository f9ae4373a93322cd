//! `Bearer ${secret:GITHUB_TOKEN}`: a text with the names of secrets in it, and the header into which
//! it goes.
//!
//! A template knows names and never values; only what it is filled with does, and that is wiped when
//! it is dropped.

use std::fmt;
use std::str::FromStr;

use miette::Diagnostic;
use thiserror::Error;
use zeroize::Zeroizing;

/// A text with at least one secret's name in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Part {
    Literal(String),
    Secret(String),
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum TemplateError {
    /// There is no secret in it: the value itself would stand in a file that people share.
    #[error("the value holds no `${{secret:NAME}}`")]
    #[diagnostic(help(
        "write `${{secret:NAME}}` where the secret goes, and keep its value with \
         `wassette secret set`"
    ))]
    NoSecret,
    /// A `${` that is not a secret.
    #[error("the value holds a `${{` that names no secret")]
    #[diagnostic(help("write `${{secret:NAME}}`; a name has letters, digits and `_`"))]
    Reference,
    /// A character that a header cannot hold.
    #[error("a header cannot hold `{}`", .0.escape_default())]
    #[diagnostic(help("write printable ASCII characters"))]
    Character(char),
    /// Too long to be meant.
    #[error("the value is too long")]
    #[diagnostic(help("a value has at most 1024 bytes, its secrets not counted"))]
    TooLong,
}

/// A secret that is named and not there.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("there is no secret `{name}`")]
#[diagnostic(help("set it with `wassette secret set`"))]
pub struct MissingSecret {
    /// The secret's name.
    pub name: String,
}

impl Template {
    /// The names of the secrets, in the order of their places.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Secret(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The text with the secrets' values, which `secret` knows.
    pub fn fill(
        &self,
        mut secret: impl FnMut(&str) -> Option<Zeroizing<String>>,
    ) -> Result<Zeroizing<String>, MissingSecret> {
        let values = self
            .0
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Ok(Zeroizing::new(text.clone())),
                Part::Secret(name) => {
                    secret(name).ok_or_else(|| MissingSecret { name: name.clone() })
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        // As long as it becomes from the start: a buffer that grows leaves its contents behind.
        let length = values.iter().map(|value| value.len()).sum();
        let mut text = Zeroizing::new(String::with_capacity(length));
        values.iter().for_each(|value| text.push_str(value));
        Ok(text)
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        if text.len() > 1024 {
            return Err(TemplateError::TooLong);
        }
        if let Some(unfit) = text.chars().find(|&c| !(c.is_ascii_graphic() || c == ' ')) {
            return Err(TemplateError::Character(unfit));
        }
        let mut parts = vec![];
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (reference, after) = after.split_once('}').ok_or(TemplateError::Reference)?;
            let name = reference.strip_prefix("secret:").filter(|name| is_name(name));
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            parts.push(Part::Secret(name.ok_or(TemplateError::Reference)?.to_owned()));
            rest = after;
        }
        if parts.is_empty() {
            return Err(TemplateError::NoSecret);
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
    }
}

/// The name of a secret: as the name of an environment variable.
fn is_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Literal(text) => f.write_str(text),
            Part::Secret(name) => write!(f, "${{secret:{name}}}"),
        })
    }
}

/// A header that the host adds to a request, so that the guest never sees what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Inject {
    header: String,
    value: Template,
}

/// Why a header cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum InjectError {
    /// The text is no name of a header.
    #[error("`{0}` is no name of a header")]
    #[diagnostic(help("write a name such as `Authorization`"))]
    Name(String),
    /// The header says where a request goes or how it is framed.
    #[error("the header `{0}` cannot be added: it says how the request travels")]
    #[diagnostic(help("write a header for the server itself, such as `Authorization`"))]
    Forbidden(String),
    /// The value cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Value(#[from] TemplateError),
}

impl Inject {
    /// What belongs to the connection or tells one request from the next; in lower case.
    const FORBIDDEN: [&str; 14] = [
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
    ];

    /// The header `name`, in any case, with the text of a template as its value.
    pub fn new(name: &str, value: &str) -> Result<Self, InjectError> {
        let header = name.to_ascii_lowercase();
        if header.is_empty() || header.len() > 64 || !header.bytes().all(is_token) {
            return Err(InjectError::Name(name.to_owned()));
        }
        if Self::FORBIDDEN.contains(&header.as_str()) {
            return Err(InjectError::Forbidden(name.to_owned()));
        }
        Ok(Self { header, value: value.parse()? })
    }

    /// The header's name in lower case.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// What it is filled with.
    pub fn value(&self) -> &Template {
        &self.value
    }
}

/// Whether a byte may stand in the name of a header or a method.
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
