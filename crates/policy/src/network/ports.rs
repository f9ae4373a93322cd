//! Ports: one, or a range from one to another.

use std::fmt;
use std::str::FromStr;

use crate::network::request::parse_port;

/// The ports from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// The one port `port`.
    pub const fn one(port: u16) -> Self {
        Self { first: port, last: port }
    }

    /// The port, if it is only one.
    pub fn single(&self) -> Option<u16> {
        (self.first == self.last).then_some(self.first)
    }

    pub(crate) fn contains(&self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Sorts ranges and joins those that touch, so that equal sets of ports are equal lists.
    pub(crate) fn join(mut ranges: Vec<Self>) -> Vec<Self> {
        ranges.sort_unstable();
        ranges.into_iter().fold(vec![], |mut joined: Vec<Self>, next| {
            match joined.last_mut() {
                Some(last) if next.first <= last.last.saturating_add(1) => {
                    last.last = last.last.max(next.last);
                }
                _ => joined.push(next),
            }
            joined
        })
    }
}

/// A text that is no port and no range of ports, and what to write instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAPort(pub(crate) &'static str);

impl FromStr for PortRange {
    type Err = NotAPort;

    fn from_str(text: &str) -> Result<Self, NotAPort> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (parse_port(first), parse_port(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            (Some(_), Some(_)) => Err(NotAPort("a range begins with its lower port")),
            _ if text == "*" => Err(NotAPort("write `1-65535` to mean all of them")),
            _ => {
                Err(NotAPort("a port is a number from 1 to 65535, a range of them is `8000-8080`"))
            }
        }
    }
}

impl fmt::Display for PortRange {
    /// `443` or `8000-8080`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(port) => port.fmt(f),
            None => write!(f, "{}-{}", self.first, self.last),
        }
    }
}
