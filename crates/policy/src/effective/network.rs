//! The network: a request is judged by its host, port, method and path before anything is resolved,
//! and by each address that the host turns out to stand for before it is dialled.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::address::{AddressClass, classify, fold};
use crate::denial::{Denial, Effect, Grant};
use crate::document::Rules;
use crate::effective::{Effective, Refusal, Tier};
use crate::host::Host;
use crate::network::{
    Asked, Destination, Miss, NetworkRule, NetworkTarget, PathGlob, Protocol, Request, RequestPath,
};
use crate::permit::Permit;
use crate::storage::RuleKind;
use crate::template::Inject;

impl Effective {
    /// Permission to send `request`, if its host's address is permitted too.
    ///
    /// # Errors
    /// A [`Denial`] unless both documents allow it.
    pub fn request(&self, request: Request) -> Result<Permit<Request>, Denial> {
        let path = RequestPath::read(&request.path);
        let exchange = Some((request.method.as_str(), &path));
        let rule = self.judge(&Question::of(&request.destination, Some(&request)), exchange)?;
        Ok(Permit::new(request, rule, self.clone()))
    }

    /// Permission for a raw socket towards `destination`, if its host's address is permitted too.
    ///
    /// # Errors
    /// A [`Denial`] unless both documents allow it, and always for HTTP, which is not spoken through
    /// sockets of the guest's own.
    pub fn socket(&self, destination: Destination) -> Result<Permit<Destination>, Denial> {
        let question = Question::of(&destination, None);
        if destination.protocol.is_http() {
            let reason = "HTTP is spoken by the host, not through raw sockets".to_owned();
            return Err(question.denial(Refusal::Hopeless(reason), Tier::Granted));
        }
        let rule = self.judge(&question, None)?;
        Ok(Permit::new(destination, rule, self.clone()))
    }

    /// The rule by which both documents allow what is asked.
    fn judge(
        &self,
        question: &Question<'_>,
        exchange: Option<(&str, &RequestPath)>,
    ) -> Result<String, Denial> {
        let asked = asked(question.destination, exchange);
        let mut rule = String::new();
        for (tier, policy) in self.tiers() {
            match judge(&policy.network, &asked) {
                Verdict::Allowed(allowing) => rule = allowing.to_string(),
                Verdict::Refused(refusal) => return Err(question.denial(refusal, tier)),
            }
        }
        // An address needs no resolver, so the guest is told at once.
        if let Host::Address(address) = asked.host {
            self.judge_address(question, &asked, *address)?;
        }
        Ok(rule)
    }

    /// Permission to look up the addresses of `host`: only for a name that a `tcp` or `udp` rule
    /// names, for HTTP is resolved by the host and needs no lookup of the guest's own.
    ///
    /// # Errors
    /// A [`Denial`] unless both documents have such a rule.
    pub fn lookup(&self, host: Host) -> Result<Permit<Host>, Denial> {
        let mut rule = String::new();
        for (tier, policy) in self.tiers() {
            match judge_lookup(&policy.network, &host) {
                Verdict::Allowed(allowing) => rule = allowing.to_string(),
                Verdict::Refused(refusal) => {
                    return Err(refusal.denial(tier, Effect::Lookup, &host.to_string(), None));
                }
            }
        }
        Ok(Permit::new(host, rule, self.clone()))
    }

    /// Permission to dial `address` for `destination`, which was permitted before.
    pub(crate) fn address(
        &self,
        destination: &Destination,
        request: Option<&Request>,
        address: IpAddr,
    ) -> Result<Permit<SocketAddr>, Denial> {
        let path = request.map(|request| RequestPath::read(&request.path));
        let exchange = request.map(|request| request.method.as_str()).zip(path.as_ref());
        let asked = asked(destination, exchange);
        let question = Question::of(destination, request);
        if matches!(destination.host, Host::Address(own) if own != fold(address)) {
            let reason = format!("{address} is not the address that was asked for");
            return Err(question.denial(Refusal::Hopeless(reason), Tier::Granted));
        }
        let rule = self.judge_address(&question, &asked, address)?;
        // IPv4 behind NAT64 is dialled through it; what only wraps IPv4 is dialled as IPv4.
        let target = SocketAddr::new(address.to_canonical(), destination.port);
        Ok(Permit::new(target, rule, self.clone()))
    }

    /// The rule by which both documents let what is asked go to `address`.
    fn judge_address(
        &self,
        question: &Question<'_>,
        asked: &Asked<'_>,
        address: IpAddr,
    ) -> Result<String, Denial> {
        let mut rule = String::new();
        for (tier, policy) in self.tiers() {
            match judge_address(&policy.network, asked, address) {
                Verdict::Allowed(allowing) => rule = allowing.to_string(),
                Verdict::Refused(refusal) => {
                    return Err(question.denial(refusal, tier));
                }
            }
        }
        Ok(rule)
    }

    /// Whether the guest may know that `host` stands for `address`.
    pub(crate) fn answer(&self, host: &Host, address: IpAddr) -> Result<Permit<IpAddr>, Denial> {
        let mut rule = String::new();
        for (tier, policy) in self.tiers() {
            match judge_answer(&policy.network, host, address) {
                Verdict::Allowed(allowing) => rule = allowing.to_string(),
                Verdict::Refused(refusal) => {
                    return Err(refusal.denial(tier, Effect::Lookup, &host.to_string(), None));
                }
            }
        }
        Ok(Permit::new(address.to_canonical(), rule, self.clone()))
    }

    /// What every granted rule that allows `request` adds to it. A document in which two of them
    /// contradict each other is not read; should one come here all the same, the order of the rules
    /// still does not matter.
    pub(crate) fn injections(&self, request: &Request) -> Vec<&Inject> {
        let path = RequestPath::read(&request.path);
        let asked = asked(&request.destination, Some((&request.method, &path)));
        let rules = self.granted().network.allow.iter();
        let mut headers: BTreeMap<&str, &Inject> = BTreeMap::new();
        for inject in rules
            .filter(|rule| rule.matches(RuleKind::Allow, &asked))
            .flat_map(NetworkRule::injects)
        {
            let kept = headers.entry(inject.header()).or_insert(inject);
            *kept = inject.min(kept);
        }
        headers.into_values().collect()
    }
}

fn asked<'a>(
    destination: &'a Destination,
    exchange: Option<(&'a str, &'a RequestPath)>,
) -> Asked<'a> {
    let Destination { protocol, host, port } = destination;
    Asked { protocol: *protocol, host, port: *port, exchange }
}

enum Verdict<'a> {
    Allowed(&'a NetworkRule),
    Refused(Refusal),
}

fn judge<'a>(rules: &'a Rules<NetworkRule>, asked: &Asked<'_>) -> Verdict<'a> {
    if let Some(rule) = rules.deny.iter().find(|rule| rule.matches(RuleKind::Deny, asked)) {
        return Verdict::Refused(denied(rule));
    }
    let mut closest = Miss::Target;
    for rule in &rules.allow {
        match rule.miss(RuleKind::Allow, asked) {
            None => return Verdict::Allowed(rule),
            Some(miss) => closest = closest.max(miss),
        }
    }
    Verdict::Refused(missed(closest, asked))
}

fn denied(rule: &NetworkRule) -> Refusal {
    Refusal::Denied(format!("rule `{rule}` denies it"))
}

fn missed(miss: Miss, asked: &Asked<'_>) -> Refusal {
    let host = asked.host;
    if let (Miss::Target, Host::Address(address)) = (miss, host)
        && classify(*address) == AddressClass::Metadata
    {
        return not_public(host, *address, AddressClass::Metadata, false);
    }
    Refusal::Unmatched(match (miss, asked.exchange) {
        (Miss::Protocol, _) => format!("no rule allows `{}` to host `{host}`", asked.protocol),
        (Miss::Port, _) => format!("no rule allows port {} of host `{host}`", asked.port),
        (Miss::Method, Some((method, _))) => {
            format!("no rule allows the method `{method}` on host `{host}`")
        }
        (Miss::Path, Some((_, RequestPath::Ambiguous))) => {
            return Refusal::Hopeless(format!(
                "the rules for host `{host}` name paths, and this one can be read in more than one \
                 way; ask for it without `.`, `..`, `//`, `;` and encoded signs"
            ));
        }
        (Miss::Path, Some(_)) => {
            return Refusal::OtherPath(format!("no rule allows this path of host `{host}`"));
        }
        (Miss::Target | Miss::Method | Miss::Path, _) => format!("no rule allows host `{host}`"),
    })
}

/// A name is looked up if a socket to it is allowed, and not if everything towards it is denied.
fn judge_lookup<'a>(rules: &'a Rules<NetworkRule>, host: &Host) -> Verdict<'a> {
    if let Some(rule) = rules.deny.iter().find(|rule| rule.denies_all_of(host)) {
        return Verdict::Refused(denied(rule));
    }
    match rules.allow.iter().find(|rule| rule.names_for_sockets(host)) {
        Some(rule) => Verdict::Allowed(rule),
        None => Verdict::Refused(Refusal::Unmatched(format!(
            "no `tcp` or `udp` rule names host `{host}`; grant `tcp://{host}:` and its port"
        ))),
    }
}

fn judge_address<'a>(
    rules: &'a Rules<NetworkRule>,
    asked: &Asked<'_>,
    address: IpAddr,
) -> Verdict<'a> {
    let host = Host::from(address);
    let direct = Asked { host: &host, ..*asked };
    if let Some(rule) = rules.deny.iter().find(|rule| rule.matches(RuleKind::Deny, &direct)) {
        return Verdict::Refused(Refusal::Denied(format!("rule `{rule}` denies {address}")));
    }
    let class = classify(address);
    let allows = |rule: &&NetworkRule| {
        let by_name = rule.matches(RuleKind::Allow, asked);
        let by_address = rule.matches(RuleKind::Allow, &direct);
        match class {
            AddressClass::Public => by_name,
            AddressClass::Metadata => by_address && matches!(rule.target(), NetworkTarget::Host(_)),
            _ => by_address || (by_name && rule.is_private()),
        }
    };
    match rules.allow.iter().find(allows) {
        Some(rule) => Verdict::Allowed(rule),
        None => {
            let mut named = rules.allow.iter().filter(|rule| rule.matches(RuleKind::Allow, asked));
            let only_paths = named.all(NetworkRule::has_paths);
            Verdict::Refused(not_public(asked.host, address, class, only_paths))
        }
    }
}

fn judge_answer<'a>(rules: &'a Rules<NetworkRule>, host: &Host, address: IpAddr) -> Verdict<'a> {
    let direct = Host::from(address);
    if let Some(rule) = rules.deny.iter().find(|rule| rule.denies_all_of(&direct)) {
        return Verdict::Refused(Refusal::Denied(format!("rule `{rule}` denies {address}")));
    }
    let class = classify(address);
    let allows = |rule: &&NetworkRule| {
        let by_name = rule.names_for_sockets(host);
        let by_address = rule.names_for_sockets(&direct);
        match class {
            AddressClass::Public => by_name,
            AddressClass::Metadata => by_address,
            _ => by_address || (by_name && rule.is_private()),
        }
    };
    match rules.allow.iter().find(allows) {
        Some(rule) => Verdict::Allowed(rule),
        None => Verdict::Refused(not_public(host, address, class, false)),
    }
}

fn not_public(host: &Host, address: IpAddr, class: AddressClass, only_paths: bool) -> Refusal {
    let reason = match host {
        Host::Name(name) => format!("host `{name}` stands for {address}, a {class} address"),
        Host::Address(_) => format!("{address} is a {class} address"),
    };
    match class {
        // No command is offered: who asks for it or points a name here wants the credentials.
        AddressClass::Metadata => {
            Refusal::Hopeless(format!("{reason}; only a rule that names that address allows it"))
        }
        _ => Refusal::NotPublic { reason, only_paths },
    }
}

/// What is asked, for the words of a denial.
struct Question<'a> {
    destination: &'a Destination,
    request: Option<&'a Request>,
}

impl<'a> Question<'a> {
    fn of(destination: &'a Destination, request: Option<&'a Request>) -> Self {
        Self { destination, request }
    }

    fn denial(&self, refusal: Refusal, tier: Tier) -> Denial {
        let (effect, target) = match self.request {
            Some(request) => (Effect::Http, request.to_string()),
            None if self.destination.protocol == Protocol::Udp => {
                (Effect::Udp, self.destination.to_string())
            }
            None => (Effect::Tcp, self.destination.to_string()),
        };
        let grant = self.grant(&refusal);
        refusal.denial(tier, effect, &target, grant)
    }

    /// The grant of this destination and method; of this path alone, if the rules for the host name
    /// paths already. None for a method in small letters, which no rule names.
    fn grant(&self, refusal: &Refusal) -> Option<Grant> {
        let is_small = |character: char| character.is_ascii_lowercase();
        if self.request.is_some_and(|request| request.method.contains(is_small)) {
            return None;
        }
        let methods: Vec<&str> =
            self.request.iter().map(|request| request.method.as_str()).collect();
        let mut target = self.destination.to_string();
        let mut root = None;
        let (of_path, private) = match refusal {
            Refusal::OtherPath(_) => (true, false),
            Refusal::NotPublic { only_paths, .. } => (*only_paths, true),
            _ => (false, false),
        };
        if let Some(request) = self.request.filter(|_| of_path) {
            match PathGlob::exactly(&request.path)?.to_string() {
                // In a URL it would mean nothing.
                path if path == "/" => root = Some(path),
                path => target.push_str(&path),
            }
        }
        Grant::network(&target, &methods, root.as_deref(), private)
    }
}
