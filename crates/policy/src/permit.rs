//! A permit: the proof that the policy was asked.
//!
//! Whatever opens a file or dials an address takes a permit by value. Only this crate makes one, and
//! it cannot be copied, so an effect that nobody asked about does not compile, and a permit for one
//! effect does not serve for two.

use std::net::{IpAddr, SocketAddr};

use crate::denial::Denial;
use crate::effective::Effective;
use crate::host::Host;
use crate::network::{Destination, Request};
use crate::storage::Access;
use crate::template::Inject;

/// Permission to do one thing to `target`.
#[derive(Debug)]
#[must_use = "a permit that nobody uses is an effect that does not happen"]
pub struct Permit<T> {
    target: T,
    rule: String,
    by: Effective,
}

/// A file or directory, and what may be done with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileTarget {
    /// The path as a rule would spell it, such as `fs:///data/x.csv`.
    pub shown: String,
    /// What may be done.
    pub access: Access,
}

impl<T> Permit<T> {
    pub(crate) fn new(target: T, rule: String, by: Effective) -> Self {
        Self { target, rule, by }
    }

    /// What is permitted.
    pub fn target(&self) -> &T {
        &self.target
    }

    /// What is permitted, for whoever does it now.
    pub fn into_target(self) -> T {
        self.target
    }

    /// The rule that permits it, as text for the log.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl Permit<Request> {
    /// Permission to dial `address`, one of those that the request's host stands for.
    ///
    /// # Errors
    /// A [`Denial`] if a rule denies the address, if it is not public and no rule speaks of such
    /// addresses, or if the host is an address and not this one.
    pub fn address(&self, address: IpAddr) -> Result<Permit<SocketAddr>, Denial> {
        self.by.address(&self.target.destination, Some(&self.target), address)
    }

    /// The headers that are added to the request, each once, by every rule that allows it.
    pub fn injections(&self) -> Vec<&Inject> {
        self.by.injections(&self.target)
    }
}

impl Permit<Destination> {
    /// Permission to dial `address`, one of those that the destination's host stands for.
    ///
    /// # Errors
    /// As for a request.
    pub fn address(&self, address: IpAddr) -> Result<Permit<SocketAddr>, Denial> {
        self.by.address(&self.target, None, address)
    }
}

impl Permit<Host> {
    /// Permission to tell the guest that `address` is one of those that the name stands for.
    ///
    /// # Errors
    /// A [`Denial`] if no socket to that address would be permitted.
    pub fn address(&self, address: IpAddr) -> Result<Permit<IpAddr>, Denial> {
        self.by.answer(&self.target, address)
    }
}

impl Permit<String> {
    /// The fixed value that a rule gives to this variable, if one does.
    pub fn value(&self) -> Option<&str> {
        self.by.fixed_value(&self.target)
    }
}
