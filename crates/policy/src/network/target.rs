//! Whom a rule of `network` is about: a host, all names below a name, or a range of addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use miette::Diagnostic;
use thiserror::Error;

use crate::address::fold;
use crate::host::{Host, HostError, Name};

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NetworkTarget {
    /// Exactly this host.
    Host(Host),
    /// Every name below this one, however deep, and never the name itself.
    Subdomains(Name),
    /// Every address of this range, where it is written as an address.
    Range(Cidr),
}

/// Why a text names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum TargetError {
    /// The host cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Host(#[from] HostError),
    /// A `*` somewhere else than alone before the first dot.
    #[error("`{0}` has a wildcard that stands for no subdomains")]
    #[diagnostic(help(
        "write `*.example.com` for every name below `example.com`; no rule stands for all hosts"
    ))]
    Wildcard(String),
    /// The text is no range.
    #[error("`{0}` is no range of addresses")]
    #[diagnostic(help("write the first address and the length, such as `10.1.0.0/16`"))]
    Cidr(String),
    /// Bits are set that the length leaves free.
    #[error("`{text}` does not begin a range of that length")]
    #[diagnostic(help("write `{instead}`"))]
    HostBits {
        /// The range as written.
        text: String,
        /// The range that it lies in.
        instead: Cidr,
    },
    /// IPv4 wrapped in IPv6, which is judged as IPv4.
    #[error("`{0}` wraps IPv4 addresses, which rules see as IPv4")]
    #[diagnostic(help("write the range of IPv4, such as `10.1.0.0/16`"))]
    Wrapped(String),
}

impl NetworkTarget {
    pub(crate) fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Host(own), _) => own == host,
            (Self::Subdomains(parent), Host::Name(name)) => name.is_below(parent),
            (Self::Range(range), Host::Address(address)) => range.contains(*address),
            (Self::Subdomains(_), Host::Address(_)) | (Self::Range(_), Host::Name(_)) => false,
        }
    }

    /// Whether everybody whom `other` is about is meant by this too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Host(host)) => self.matches(host),
            (Self::Subdomains(parent), Self::Subdomains(name)) => {
                parent == name || name.is_below(parent)
            }
            (Self::Range(wide), Self::Range(narrow)) => {
                wide.length <= narrow.length && wide.contains(narrow.first)
            }
            _ => false,
        }
    }
}

impl FromStr for NetworkTarget {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if let Some(parent) = text.strip_prefix("*.") {
            return match Host::parse(parent) {
                Ok(Host::Name(name)) => Ok(Self::Subdomains(name)),
                Ok(Host::Address(_)) | Err(HostError::Empty | HostError::Character('*')) => {
                    Err(TargetError::Wildcard(text.to_owned()))
                }
                Err(error) => Err(error.into()),
            };
        }
        match () {
            () if text.contains('*') => Err(TargetError::Wildcard(text.to_owned())),
            () if text.contains('/') => Ok(Self::Range(text.parse()?)),
            () => Ok(Self::Host(Host::parse(text)?)),
        }
    }
}

impl fmt::Display for NetworkTarget {
    /// `example.com`, `*.example.com`, `[::1]`, `10.1.0.0/16`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => host.fmt(f),
            Self::Subdomains(name) => write!(f, "*.{name}"),
            Self::Range(range) => range.fmt(f),
        }
    }
}

/// A range of addresses: all that share the first `length` bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr {
    first: IpAddr,
    length: u8,
}

impl Cidr {
    /// Whether `address` lies in the range, after folding.
    pub fn contains(&self, address: IpAddr) -> bool {
        masked(fold(address), self.length) == Some(self.first)
    }

    /// Whether it is so wide that naming it names nobody in particular: wider than the widest range
    /// that is private to anyone, `10.0.0.0/8` and `fc00::/7`.
    pub(crate) fn is_sweeping(&self) -> bool {
        self.length < if self.first.is_ipv4() { 8 } else { 7 }
    }
}

/// The first `length` bits of `address`, the others zero; `None` if it has not as many.
fn masked(address: IpAddr, length: u8) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => {
            let free = 32_u32.checked_sub(length.into())?;
            let mask = u32::MAX.checked_shl(free).unwrap_or(0);
            Some(IpAddr::V4((address.to_bits() & mask).into()))
        }
        IpAddr::V6(address) => {
            let free = 128_u32.checked_sub(length.into())?;
            let mask = u128::MAX.checked_shl(free).unwrap_or(0);
            Some(IpAddr::V6((address.to_bits() & mask).into()))
        }
    }
}

impl FromStr for Cidr {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let wrong = || TargetError::Cidr(text.to_owned());
        let (address, length) = text.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let plain = length == "0" || !length.starts_with('0');
        let digits = length.len() <= 3 && length.bytes().all(|byte| byte.is_ascii_digit());
        let length: u8 =
            (plain && digits).then(|| length.parse().ok()).flatten().ok_or_else(wrong)?;
        let first = masked(address, length).ok_or_else(wrong)?;
        if fold(address) != address {
            return Err(TargetError::Wrapped(text.to_owned()));
        }
        let instead = Self { first, length };
        if first != address {
            return Err(TargetError::HostBits { text: text.to_owned(), instead });
        }
        Ok(instead)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.length)
    }
}
