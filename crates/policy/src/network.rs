//! What a component may reach over the network: the rules, and what they say about one request.
//!
//! A rule is made by reading its text and in no other way, so whatever stands in one has been checked
//! and can be enforced. Nothing here knows how a name is resolved or a request is sent.

mod error;
mod method;
mod paths;
mod ports;
mod read;
mod request;
mod suffix;
mod target;

use std::fmt;

pub use error::NetworkRuleError;
pub use paths::PathGlob;
pub use ports::PortRange;
pub use read::{InjectText, NetworkRuleText};
pub use request::{Destination, Protocol, Request, RequestError};
pub use target::{Cidr, NetworkTarget, TargetError};

pub(crate) use method::SEPARATORS;
pub(crate) use paths::RequestPath;

use self::suffix::Below;
use crate::host::Host;
use crate::storage::RuleKind;
use crate::template::Inject;
use crate::until::{Until, earlier, end, lasts};
use crate::visible::word;

/// One rule of `network`, read and checked. Lists are sorted and without doubles, so that equal rules
/// are equal values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetworkRule {
    target: NetworkTarget,
    /// None named: `http` and `https` in an allow rule, everything in a deny rule.
    protocols: Vec<Protocol>,
    /// None named: the protocol's own port in an allow rule, every port in a deny rule.
    ports: Vec<PortRange>,
    /// In upper case; none named: all.
    methods: Vec<String>,
    /// None named: all.
    paths: Vec<PathGlob>,
    private: bool,
    inject: Vec<Inject>,
    /// Never there in a deny rule.
    until: Option<Until>,
}

/// What is asked of the rules.
pub(crate) struct Asked<'a> {
    pub(crate) protocol: Protocol,
    pub(crate) host: &'a Host,
    pub(crate) port: u16,
    /// For HTTP, the method and the path.
    pub(crate) exchange: Option<(&'a str, &'a RequestPath)>,
}

/// The first thing in which a rule does not fit what is asked; what comes later fits better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Miss {
    Target,
    Protocol,
    Port,
    Method,
    Path,
}

impl NetworkRule {
    /// Whom the rule is about.
    pub fn target(&self) -> &NetworkTarget {
        &self.target
    }

    /// Whether the host may stand for addresses that are not public.
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// The headers that the host adds to what this rule allows.
    pub fn injects(&self) -> &[Inject] {
        &self.inject
    }

    /// What whoever relies on the rule should know, a sentence each: that it may hold for more than
    /// its author means, or for less.
    pub(crate) fn cautions(&self, kind: RuleKind) -> Vec<String> {
        let mut cautions: Vec<_> =
            self.methods.iter().filter_map(|own| method::doubt(own)).collect();
        if kind == RuleKind::Allow && self.is_shared() {
            let target = &self.target;
            cautions.push(format!(
                "`{target}` allows more than its owner's hosts: others can get a name there too; name \
                 the hosts that are meant if you can"
            ));
        }
        cautions
    }

    /// Whether it is about all names below one whose owner gives names to others.
    pub fn is_shared(&self) -> bool {
        match &self.target {
            NetworkTarget::Subdomains(name) => suffix::below(name.as_str()) == Below::Customers,
            NetworkTarget::Host(_) | NetworkTarget::Range(_) => false,
        }
    }

    /// Whether it is about some paths of its host alone.
    pub(crate) fn has_paths(&self) -> bool {
        !self.paths.is_empty()
    }

    /// When the rule ends.
    pub fn until(&self) -> Option<Until> {
        self.until
    }

    /// The rule, which allows, until then at the latest.
    pub(crate) fn ending(self, until: Until) -> Self {
        Self { until: earlier(self.until, until), ..self }
    }

    /// Whether the rule, in a list of this kind, speaks of what is asked, and if not, why.
    pub(crate) fn miss(&self, kind: RuleKind, asked: &Asked<'_>) -> Option<Miss> {
        match () {
            () if !self.target.matches(asked.host) => Some(Miss::Target),
            () if !self.speaks(kind, asked.protocol) => Some(Miss::Protocol),
            () if !self.has_port(kind, asked.protocol, asked.port) => Some(Miss::Port),
            () if !self.has_method(kind, asked) => Some(Miss::Method),
            () if !self.has_path(kind, asked) => Some(Miss::Path),
            () => None,
        }
    }

    pub(crate) fn matches(&self, kind: RuleKind, asked: &Asked<'_>) -> bool {
        self.miss(kind, asked).is_none()
    }

    /// Whether the rule, which allows, is about a raw socket towards `host`, whose name may therefore
    /// be looked up.
    pub(crate) fn names_for_sockets(&self, host: &Host) -> bool {
        self.target.matches(host) && self.protocols.iter().any(|protocol| !protocol.is_http())
    }

    /// Whether the rule, which denies, denies everything towards `host`.
    pub(crate) fn denies_all_of(&self, host: &Host) -> bool {
        self.target.matches(host)
            && self.protocols.is_empty()
            && self.ports.is_empty()
            && self.methods.is_empty()
            && self.paths.is_empty()
    }

    pub(crate) fn speaks(&self, kind: RuleKind, protocol: Protocol) -> bool {
        match (self.protocols.is_empty(), kind) {
            (false, _) => self.protocols.contains(&protocol),
            (true, RuleKind::Allow) => protocol.is_http(),
            (true, RuleKind::Deny) => true,
        }
    }

    fn has_port(&self, kind: RuleKind, protocol: Protocol, port: u16) -> bool {
        self.ports_of(kind, protocol).is_none_or(|ports| ports.iter().any(|own| own.contains(port)))
    }

    /// The ports that the rule means for a protocol; `None` for all.
    fn ports_of(&self, kind: RuleKind, protocol: Protocol) -> Option<Vec<PortRange>> {
        match (self.ports.is_empty(), kind) {
            (false, _) => Some(self.ports.clone()),
            (true, RuleKind::Allow) => {
                Some(protocol.default_port().map(PortRange::one).into_iter().collect())
            }
            (true, RuleKind::Deny) => None,
        }
    }

    /// A deny rule looks past the case of the method, for some servers do.
    fn has_method(&self, kind: RuleKind, asked: &Asked<'_>) -> bool {
        let same = |own: &String, method: &str| match kind {
            RuleKind::Allow => own == method,
            RuleKind::Deny => own.eq_ignore_ascii_case(method),
        };
        self.methods.is_empty()
            || asked
                .exchange
                .is_some_and(|(method, _)| self.methods.iter().any(|own| same(own, method)))
    }

    fn has_path(&self, kind: RuleKind, asked: &Asked<'_>) -> bool {
        self.paths.is_empty()
            || asked
                .exchange
                .is_some_and(|(_, path)| self.paths.iter().any(|own| own.matches(kind, path)))
    }
}

impl NetworkRule {
    /// Whether `other`, in a list of the same kind, adds nothing to this rule. Patterns of paths are
    /// compared only where that is simple, so `false` may also mean that it was not seen.
    pub fn covers(&self, kind: RuleKind, other: &Self) -> bool {
        let listed = |own: &[String], others: &[String]| {
            own.is_empty()
                || (!others.is_empty() && others.iter().all(|method| own.contains(method)))
        };
        let path = |path: &PathGlob| self.paths.iter().any(|own| own.covers(path));
        self.target.covers(&other.target)
            && other.protocols(kind).all(|protocol| {
                self.speaks(kind, protocol) && self.covers_ports(kind, protocol, other)
            })
            && listed(&self.methods, &other.methods)
            && (self.paths.is_empty() || (!other.paths.is_empty() && other.paths.iter().all(path)))
            && (self.private || !other.private)
            && other.inject.iter().all(|inject| self.inject.contains(inject))
            && lasts(self.until, other.until)
    }

    /// The rule as it speaks of destinations, without the secrets that it adds.
    pub(crate) fn without_injections(&self) -> Self {
        Self { inject: Vec::new(), ..self.clone() }
    }

    fn protocols(&self, kind: RuleKind) -> impl Iterator<Item = Protocol> {
        [Protocol::Http, Protocol::Https, Protocol::Tcp, Protocol::Udp]
            .into_iter()
            .filter(move |protocol| self.speaks(kind, *protocol))
    }

    fn covers_ports(&self, kind: RuleKind, protocol: Protocol, other: &Self) -> bool {
        match (self.ports_of(kind, protocol), other.ports_of(kind, protocol)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(others)) => {
                others.iter().all(|range| own.iter().any(|wide| wide.covers(range)))
            }
        }
    }

    /// One rule that says what both say together and nothing more. There is one if they are about
    /// the same target, end together, and differ in only one of protocols, ports, methods, paths,
    /// private or injected headers.
    pub fn merge(&self, kind: RuleKind, other: &Self) -> Option<Self> {
        let mut merged = self.clone();
        let mut differences = 0;
        if self.protocols != other.protocols {
            differences += 1;
            merged.protocols = joined(&self.protocols, &other.protocols);
            // None named is all of HTTP in a rule that allows, and no socket.
            let raw = |protocol: &Protocol| !protocol.is_http();
            let sockets = self.protocols.iter().chain(&other.protocols).any(raw);
            if kind == RuleKind::Allow && sockets && merged.protocols.is_empty() {
                return None;
            }
        }
        if self.ports != other.ports {
            differences += 1;
            merged.ports = self.joined_ports(kind, other)?;
        }
        if self.methods != other.methods {
            differences += 1;
            merged.methods = joined(&self.methods, &other.methods);
        }
        if self.paths != other.paths {
            differences += 1;
            merged.paths = joined(&self.paths, &other.paths);
        }
        if self.private != other.private {
            differences += 1;
            merged.private = true;
        }
        if self.inject != other.inject {
            differences += 1;
            merged.inject.extend(other.inject.iter().cloned());
            merged.inject.sort_unstable();
            merged.inject.dedup();
        }
        if kind == RuleKind::Allow {
            merged.drop_defaults();
        }
        // What no document could say is no rule: too long a list, sockets beside HTTP, a header with
        // two values.
        let sayable = || NetworkRule::read(&merged.written(), kind).as_ref() == Ok(&merged);
        let alike = self.target == other.target && self.until == other.until;
        (alike && differences <= 1 && sayable()).then_some(merged)
    }

    /// The ports of both. Default ports and others can be told in one list only where there is one
    /// protocol.
    fn joined_ports(&self, kind: RuleKind, other: &Self) -> Option<Vec<PortRange>> {
        if kind == RuleKind::Deny || !(self.ports.is_empty() || other.ports.is_empty()) {
            return Some(PortRange::join(joined(&self.ports, &other.ports)));
        }
        let [protocol] = self.protocols.as_slice() else { return None };
        let mut ports = self.ports_of(kind, *protocol)?;
        ports.extend(other.ports_of(kind, *protocol)?);
        Some(PortRange::join(ports))
    }

    /// Whether both rules, which allow, are about the same target and have a protocol and a port in
    /// common; `other` means all of them if it names neither.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let all = other.protocols.is_empty() && other.ports.is_empty();
        (all && self.target == other.target) || self.shares(other)
    }

    /// Whether both rules, which allow, allow some port of the same target.
    fn shares(&self, other: &Self) -> bool {
        let ports =
            |rule: &Self, protocol| rule.ports_of(RuleKind::Allow, protocol).unwrap_or_default();
        let meet = |protocol| {
            let others = ports(other, protocol);
            self.speaks(RuleKind::Allow, protocol)
                && ports(self, protocol).iter().any(|own| others.iter().any(|port| own.meets(port)))
        };
        self.target == other.target && other.protocols(RuleKind::Allow).any(meet)
    }

    /// Whether both rules add the same header with different values to one request.
    fn contradicts(&self, other: &Self) -> bool {
        let differs = |inject: &Inject| {
            self.inject
                .iter()
                .any(|own| own.header() == inject.header() && own.value() != inject.value())
        };
        self.shares(other) && other.inject.iter().any(differs)
    }
}

/// What both lists name; all (an empty list) if one of them means all.
fn joined<T: Clone + Ord>(own: &[T], others: &[T]) -> Vec<T> {
    if own.is_empty() || others.is_empty() {
        return vec![];
    }
    let mut all: Vec<T> = own.iter().chain(others).cloned().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Two allow rules that would add one header to a request with two values, if there are any: which
/// of them holds would depend on their order, so a document must not have both.
pub fn contradiction(allow: &[NetworkRule]) -> Option<(&NetworkRule, &NetworkRule)> {
    allow.iter().enumerate().find_map(|(index, rule)| {
        let second = allow.iter().skip(index + 1).find(|other| rule.contradicts(other))?;
        Some((rule, second))
    })
}

/// Which header is added, and from which secrets: whoever decides on a rule must see what leaves.
/// What stands around them may be half a secret, and is shown `in_full` alone.
fn injected(inject: &Inject, in_full: bool) -> String {
    let (header, value) = (word(inject.header()), inject.value());
    if in_full {
        return format!("{header}:{}", word(&value.to_string()));
    }
    let secrets: String = value.secrets().map(|name| format!("${{secret:{name}}}")).collect();
    format!("{header}:{secrets}")
}

impl fmt::Display for NetworkRule {
    /// One line for logs and people, of which no part can pass for another: the target as a URL where
    /// it fits (a range would read like a host with a path), then what else the rule says.
    /// `https://api.example.com:8443 methods=GET,HEAD paths=/v1/** private`. With `#`, for the person
    /// whose policy it is, also what stands around the secrets in its headers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match (&self.target, self.protocols.as_slice(), self.ports.as_slice()) {
            (NetworkTarget::Range(_), ..) => None,
            (_, [protocol], [] | [_]) => Some(protocol),
            _ => None,
        };
        if let Some(protocol) = url {
            write!(f, "{protocol}://")?;
        }
        self.target.fmt(f)?;
        if url.is_some() {
            self.ports.iter().try_for_each(|port| write!(f, ":{port}"))?;
        } else {
            list(f, "schemes", self.protocols.iter().map(ToString::to_string))?;
            list(f, "ports", self.ports.iter().map(ToString::to_string))?;
        }
        list(f, "methods", self.methods.iter().map(|method| word(method)))?;
        list(f, "paths", self.paths.iter().map(|path| word(&path.to_string()).into_owned()))?;
        if self.private {
            f.write_str(" private")?;
        }
        let in_full = f.alternate();
        list(f, "inject", self.inject.iter().map(|inject| injected(inject, in_full)))?;
        end(f, self.until)
    }
}

fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    key: &str,
    values: impl Iterator<Item = T>,
) -> fmt::Result {
    values.enumerate().try_for_each(|(index, value)| match index {
        0 => write!(f, " {key}={value}"),
        _ => write!(f, ",{value}"),
    })
}

#[cfg(test)]
mod tests;
