//! From the text of a rule to a rule, and back.
//!
//! The only place where a [`NetworkRule`] comes to be. What is contradictory, what could never match,
//! and what would send a secret astray does not become one.

use crate::host::HostError;
use crate::network::error::NetworkRuleError;
use crate::network::method::method;
use crate::network::paths::NotAPath;
use crate::network::ports::NotAPort;
use crate::network::request::split_port;
use crate::network::suffix::{Below, below};
use crate::network::{
    Cidr, NetworkRule, NetworkTarget, PathGlob, PortRange, Protocol, TargetError,
};
use crate::storage::RuleKind;
use crate::template::Inject;
use crate::until::Until;

/// A rule as it is written, key by key. Exactly one of `host`, `cidr`, `tcp` and `udp` is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkRuleText {
    /// A name, `*.` and a name, an address; with a port or as a URL it says more.
    pub host: Option<String>,
    /// A range of addresses, such as `10.1.0.0/16`.
    pub cidr: Option<String>,
    /// Host and port of raw TCP connections.
    pub tcp: Option<String>,
    /// Host and port of UDP datagrams.
    pub udp: Option<String>,
    /// `http`, `https`.
    pub schemes: Option<Vec<String>>,
    /// Each a port or a range such as `8000-8080`.
    pub ports: Option<Vec<String>>,
    /// Such as `GET`.
    pub methods: Option<Vec<String>>,
    /// Such as `/v1/**`.
    pub paths: Option<Vec<String>>,
    /// Whether the host may stand for addresses that are not public.
    pub private: bool,
    /// The headers that the host adds.
    pub inject: Vec<InjectText>,
    /// When the rule ends.
    pub until: Option<Until>,
}

/// A header that the host adds, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InjectText {
    /// The header's name.
    pub header: String,
    /// Its value, with `${secret:NAME}` in it.
    pub value: String,
}

impl NetworkRuleText {
    /// A rule from one word, as the command line has it: a host, `host:port`, a URL with any scheme
    /// of ours, or a range of addresses.
    pub fn target(word: &str) -> Self {
        if word.parse::<Cidr>().is_ok() {
            return Self { cidr: Some(word.to_owned()), ..Self::default() };
        }
        Self { host: Some(word.to_owned()), ..Self::default() }
    }
}

/// What the one key that names a target says.
struct Named {
    key: &'static str,
    target: NetworkTarget,
    protocol: Option<Protocol>,
    ports: Option<PortRange>,
    path: Option<PathGlob>,
}

impl NetworkRule {
    /// Reads a rule that is to stand among the rules of a kind.
    ///
    /// # Errors
    /// [`NetworkRuleError`] says what is wrong and at which key.
    pub fn read(text: &NetworkRuleText, kind: RuleKind) -> Result<Self, NetworkRuleError> {
        let named = named(text)?;
        check_target(&named, kind)?;
        let raw = named.protocol.is_some_and(|protocol| !protocol.is_http());
        if raw {
            check_raw(text, &named)?;
        }
        let mut rule = Self {
            protocols: protocols(text, &named)?,
            ports: ports(text, &named)?,
            methods: list("methods", text.methods.as_deref(), method)?,
            paths: paths(text, &named)?,
            private: text.private,
            inject: vec![],
            until: text.until,
            target: named.target,
        };
        if kind == RuleKind::Deny && text.private {
            let place = "in a deny rule, which holds for every address";
            return Err(NetworkRuleError::Misplaced { key: "private", place });
        }
        if kind == RuleKind::Deny && text.until.is_some() {
            let place = "in a deny rule, for what it denies would be allowed once it ends";
            return Err(NetworkRuleError::Misplaced { key: "until", place });
        }
        if !text.inject.is_empty() {
            rule.read_injects(text, kind)?;
        }
        if kind == RuleKind::Allow {
            rule.drop_defaults();
        }
        Ok(rule)
    }

    /// A secret goes to one host, within TLS: a name below a wildcard can be anybody's one day, and
    /// in the clear whoever is on the way reads it. Only a person who says that the host is of their
    /// own network may ask for `http`.
    fn read_injects(
        &mut self,
        text: &NetworkRuleText,
        kind: RuleKind,
    ) -> Result<(), NetworkRuleError> {
        if kind == RuleKind::Deny {
            let place = "in a deny rule, which lets nothing through";
            return Err(NetworkRuleError::Misplaced { key: "inject", place });
        }
        if !matches!(self.target, NetworkTarget::Host(_)) {
            return Err(NetworkRuleError::InjectMany);
        }
        if text.inject.len() > 16 {
            return Err(NetworkRuleError::TooMany { key: "inject" });
        }
        if self.protocols.is_empty() {
            self.protocols.push(Protocol::Https);
        }
        if self.protocols.contains(&Protocol::Http) && !self.private {
            return Err(NetworkRuleError::InjectClear);
        }
        for InjectText { header, value } in &text.inject {
            let inject = Inject::new(header, value)?;
            if self.inject.iter().any(|other| other.header() == inject.header()) {
                return Err(NetworkRuleError::InjectTwice(inject.header().to_owned()));
            }
            self.inject.push(inject);
        }
        self.inject.sort_unstable();
        Ok(())
    }

    /// Leaves out what is meant anyway, so that rules which say the same are the same.
    pub(super) fn drop_defaults(&mut self) {
        if let [protocol] = *self.protocols.as_slice()
            && protocol.default_port().map(PortRange::one).as_slice() == self.ports
        {
            self.ports.clear();
        }
        // With a secret, none named means `https` alone.
        if self.inject.is_empty() && self.protocols == [Protocol::Http, Protocol::Https] {
            self.protocols.clear();
        }
    }

    /// The text that reads as this rule, in its canonical spelling.
    pub fn written(&self) -> NetworkRuleText {
        let texts = |texts: Vec<String>| (!texts.is_empty()).then_some(texts);
        let mut text = NetworkRuleText {
            methods: texts(self.methods.clone()),
            paths: texts(self.paths.iter().map(ToString::to_string).collect()),
            private: self.private,
            inject: self
                .inject
                .iter()
                .map(|inject| InjectText {
                    header: inject.header().to_owned(),
                    value: inject.value().to_string(),
                })
                .collect(),
            until: self.until,
            ..NetworkRuleText::default()
        };
        let target = self.target.to_string();
        let with_port = |port: &PortRange| format!("{target}:{port}");
        match (self.protocols.as_slice(), self.ports.as_slice()) {
            ([Protocol::Tcp], [port]) => text.tcp = Some(with_port(port)),
            ([Protocol::Udp], [port]) => text.udp = Some(with_port(port)),
            (protocols, ports) => {
                text.schemes = texts(protocols.iter().map(ToString::to_string).collect());
                text.ports = texts(ports.iter().map(ToString::to_string).collect());
                match self.target {
                    NetworkTarget::Range(_) => text.cidr = Some(target),
                    _ => text.host = Some(target),
                }
            }
        }
        text
    }
}

fn named(text: &NetworkRuleText) -> Result<Named, NetworkRuleError> {
    let keys = [
        ("host", text.host.as_deref()),
        ("cidr", text.cidr.as_deref()),
        ("tcp", text.tcp.as_deref()),
        ("udp", text.udp.as_deref()),
    ];
    let mut there = keys.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let (Some((key, value)), None) = (there.next(), there.next()) else {
        return Err(NetworkRuleError::OneTarget);
    };
    match key {
        "cidr" => {
            let range = value.parse().map_err(|source| NetworkRuleError::Target { key, source })?;
            let target = NetworkTarget::Range(range);
            Ok(Named { key, target, protocol: None, ports: None, path: None })
        }
        "tcp" => authority(key, Some(Protocol::Tcp), value),
        "udp" => authority(key, Some(Protocol::Udp), value),
        _ => host(value),
    }
}

/// The value of `host`: an authority, or a URL with a path.
fn host(value: &str) -> Result<Named, NetworkRuleError> {
    let Some((scheme, rest)) = value.split_once("://") else {
        return authority("host", None, value);
    };
    let protocol = scheme.parse().map_err(|_| NetworkRuleError::Scheme(scheme.to_owned()))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (before, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let mut named = authority("host", Some(protocol), before)?;
    // A URL is often written with a slash at its end that means nothing.
    if !matches!(path, "" | "/") {
        named.path = Some(path_glob("host", path)?);
    }
    Ok(named)
}

fn authority(
    key: &'static str,
    protocol: Option<Protocol>,
    value: &str,
) -> Result<Named, NetworkRuleError> {
    let wrong = |source| NetworkRuleError::Target { key, source };
    if value.contains('@') {
        return Err(wrong(HostError::UserInfo.into()));
    }
    let (host, port) = split_port(value);
    let ports = port.map(|text| port_range(key, text)).transpose()?;
    let target: NetworkTarget = host.parse().map_err(wrong)?;
    // A range has a key of its own: `host` with a `/` is more often a path without its scheme.
    if matches!(target, NetworkTarget::Range(_)) {
        return Err(wrong(HostError::Character('/').into()));
    }
    Ok(Named { key, target, protocol, ports, path: None })
}

/// What no allow rule may be about.
fn check_target(named: &Named, kind: RuleKind) -> Result<(), NetworkRuleError> {
    match &named.target {
        NetworkTarget::Subdomains(name)
            if kind == RuleKind::Allow && below(name.as_str()) == Below::Registry =>
        {
            Err(NetworkRuleError::Suffix(name.to_string()))
        }
        NetworkTarget::Range(range) if kind == RuleKind::Allow && range.is_sweeping() => {
            Err(NetworkRuleError::Wide(*range))
        }
        _ => Ok(()),
    }
}

/// Raw sockets: one host, its ports, and nothing of HTTP.
fn check_raw(text: &NetworkRuleText, named: &Named) -> Result<(), NetworkRuleError> {
    let place = "for raw sockets, which know no HTTP";
    let misplaced = |key| Err(NetworkRuleError::Misplaced { key, place });
    match () {
        () if text.schemes.is_some() => misplaced("schemes"),
        () if text.methods.is_some() => misplaced("methods"),
        () if text.paths.is_some() || named.path.is_some() => misplaced("paths"),
        () if !text.inject.is_empty() => misplaced("inject"),
        () if text.ports.is_some() => Err(NetworkRuleError::Twice { key: "ports" }),
        () if named.ports.is_none() => {
            Err(NetworkRuleError::NoPort { key: named.key, host: named.target.to_string() })
        }
        () => match &named.target {
            NetworkTarget::Host(_) => Ok(()),
            other => Err(NetworkRuleError::Target {
                key: named.key,
                source: TargetError::Wildcard(other.to_string()),
            }),
        },
    }
}

/// Reads a list, sorts it and drops what is there twice.
fn list<T: Ord>(
    key: &'static str,
    texts: Option<&[String]>,
    read: impl Fn(&str) -> Result<T, NetworkRuleError>,
) -> Result<Vec<T>, NetworkRuleError> {
    let Some(texts) = texts else { return Ok(vec![]) };
    match texts.len() {
        0 => return Err(NetworkRuleError::Empty { key }),
        1..=64 => {}
        _ => return Err(NetworkRuleError::TooMany { key }),
    }
    let mut values = texts.iter().map(|text| read(text)).collect::<Result<Vec<_>, _>>()?;
    values.sort_unstable();
    values.dedup();
    Ok(values)
}

fn protocols(text: &NetworkRuleText, named: &Named) -> Result<Vec<Protocol>, NetworkRuleError> {
    let scheme = |text: &str| match text.parse() {
        Ok(protocol @ (Protocol::Http | Protocol::Https)) => Ok(protocol),
        _ => Err(NetworkRuleError::Scheme(text.to_owned())),
    };
    let written = list("schemes", text.schemes.as_deref(), scheme)?;
    match named.protocol {
        Some(_) if text.schemes.is_some() => Err(NetworkRuleError::Twice { key: "schemes" }),
        Some(protocol) => Ok(vec![protocol]),
        None => Ok(written),
    }
}

fn ports(text: &NetworkRuleText, named: &Named) -> Result<Vec<PortRange>, NetworkRuleError> {
    let written = list("ports", text.ports.as_deref(), |text| port_range("ports", text))?;
    match named.ports {
        Some(_) if text.ports.is_some() => Err(NetworkRuleError::Twice { key: "ports" }),
        Some(ports) => Ok(vec![ports]),
        None => Ok(PortRange::join(written)),
    }
}

fn port_range(key: &'static str, text: &str) -> Result<PortRange, NetworkRuleError> {
    text.parse().map_err(|NotAPort(help)| NetworkRuleError::Port {
        key,
        text: text.to_owned(),
        help,
    })
}

fn paths(text: &NetworkRuleText, named: &Named) -> Result<Vec<PathGlob>, NetworkRuleError> {
    let written = list("paths", text.paths.as_deref(), |text| path_glob("paths", text))?;
    match &named.path {
        Some(_) if text.paths.is_some() => Err(NetworkRuleError::Twice { key: "paths" }),
        Some(path) => Ok(vec![path.clone()]),
        None => Ok(written),
    }
}

fn path_glob(key: &'static str, text: &str) -> Result<PathGlob, NetworkRuleError> {
    text.parse().map_err(|NotAPath(help)| NetworkRuleError::Path {
        key,
        text: text.to_owned(),
        help,
    })
}
