//! Whom a request is for: a name or an address, in one form.
//!
//! This is the one place where a host is normalised. Whatever a guest, a person or a document writes
//! passes here before it is compared, so that two spellings of one host can never be judged
//! differently, and a spelling that others may read in another way is refused.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use miette::Diagnostic;
use thiserror::Error;

use crate::address::fold;

/// A name of the domain name system: lower case, punycode, no dot at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a name as public registries give them out, by the list of public suffixes. Other
    /// names, such as `localhost` or those of a company's own network, mean something here and not
    /// elsewhere.
    pub fn is_public(&self) -> bool {
        psl::domain(self.0.as_bytes()).is_some_and(|domain| domain.suffix().is_known())
    }

    /// Whether the name lies below `parent`: at least one label before it, and never itself.
    pub(crate) fn is_below(&self, parent: &Self) -> bool {
        self.0.strip_suffix(parent.as_str()).is_some_and(|labels| labels.ends_with('.'))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A host after normalisation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A name, which somebody has to resolve.
    Name(Name),
    /// An address, folded: never IPv4 wrapped in IPv6.
    Address(IpAddr),
}

/// Why a text is not a host.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum HostError {
    /// There is nothing.
    #[error("the host is empty")]
    #[diagnostic(help("write a name such as `api.example.com`, or an address"))]
    Empty,
    /// Longer than a name can be.
    #[error("the host is longer than a name can be")]
    #[diagnostic(help("a name has at most 253 characters, and 63 between two dots"))]
    TooLong,
    /// Two dots in a row, or one at the beginning.
    #[error("the host `{0}` has an empty part between its dots")]
    #[diagnostic(help("write a name such as `api.example.com`"))]
    EmptyLabel(String),
    /// A character that no name has.
    #[error("a host cannot hold `{}`", .0.escape_default())]
    #[diagnostic(help("write the name alone, such as `api.example.com`"))]
    Character(char),
    /// Percent-encoding.
    #[error("the host `{0}` holds a `%`")]
    #[diagnostic(help("write the name without percent-encoding, and an address without a zone"))]
    Percent(String),
    /// A user's name before the host.
    #[error("the host has a user's name before an `@`")]
    #[diagnostic(help("write the host alone: what stands before `@` is not part of it"))]
    UserInfo,
    /// A colon that does not belong to an address.
    #[error("the host `{0}` holds a `:` and is no IPv6 address")]
    #[diagnostic(help("a port does not belong here; an IPv6 address is written `[::1]`"))]
    Colon(String),
    /// It ends in a number and is no address.
    #[error("the host `{0}` ends in a number and is no IPv4 address")]
    #[diagnostic(help("write an address as four numbers from 0 to 255, such as `192.0.2.1`"))]
    Number(String),
    /// It breaks the rules of international names.
    #[error("the host `{0}` is not a valid international name")]
    #[diagnostic(help("write the name as its owner registered it, or its `xn--` form"))]
    International(String),
}

impl Host {
    /// The most that is looked at, in bytes; punycode makes a name shorter or longer, never by this.
    const LONGEST: usize = 1024;

    /// Reads a host without a port, and normalises it: lower case, punycode, one dot dropped at the
    /// end, IPv4 in any of the forms that resolvers take (`2130706433`, `0x7f.1`, `0177.0.0.1`,
    /// `127.1`), IPv6 bare or in brackets, IPv4 inside IPv6 folded.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        if text.len() > Self::LONGEST {
            return Err(HostError::TooLong);
        }
        let unfit = |character: &char| character.is_control() || character.is_whitespace();
        if let Some(character) = text.chars().find(unfit) {
            return Err(HostError::Character(character));
        }
        if text.contains('@') {
            return Err(HostError::UserInfo);
        }
        // A zone is refused here too: it is a name of one machine's interface, not of a host.
        if text.contains('%') {
            return Err(HostError::Percent(text.to_owned()));
        }
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(HostError::Character('['))?;
            return address(inner);
        }
        if text.contains(':') { address(text) } else { name(text) }
    }
}

fn address(text: &str) -> Result<Host, HostError> {
    let address: Ipv6Addr = text.parse().map_err(|_| HostError::Colon(text.to_owned()))?;
    Ok(Host::from(IpAddr::V6(address)))
}

/// A name, or IPv4 in one of its forms. The reader of numbers is the `url` crate's, which follows the
/// same standard as browsers and the languages that guests are written in.
fn name(text: &str) -> Result<Host, HostError> {
    let name = match url::Host::parse(text) {
        Ok(url::Host::Domain(name)) => name,
        Ok(url::Host::Ipv4(address)) => return Ok(Host::Address(address.into())),
        Ok(url::Host::Ipv6(address)) => return Ok(Host::from(IpAddr::V6(address))),
        Err(url::ParseError::InvalidIpv4Address) => return Err(HostError::Number(text.to_owned())),
        Err(url::ParseError::EmptyHost) => return Err(HostError::Empty),
        Err(_) => {
            return Err(match text.chars().find(|&letter| letter.is_ascii() && !in_name(letter)) {
                Some(character) => HostError::Character(character),
                None => HostError::International(text.to_owned()),
            });
        }
    };
    let name = name.strip_suffix('.').unwrap_or(&name);
    if name.is_empty() {
        return Err(HostError::Empty);
    }
    if name.len() > 253 || name.split('.').any(|label| label.len() > 63) {
        return Err(HostError::TooLong);
    }
    if name.split('.').any(str::is_empty) {
        return Err(HostError::EmptyLabel(text.to_owned()));
    }
    match name.chars().find(|&character| !in_name(character)) {
        Some(character) => Err(HostError::Character(character)),
        None => Ok(Host::Name(Name(name.to_owned()))),
    }
}

/// Letters, digits, `-` and `_`, which real names have although host names should not, and dots.
fn in_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self::Address(fold(address))
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        Self::parse(text)
    }
}

impl fmt::Display for Host {
    /// As it stands in a URL: an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests;
