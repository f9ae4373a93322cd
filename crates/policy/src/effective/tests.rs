mod properties;

use std::net::IpAddr;

use super::*;
use crate::document::Rules;
use crate::environment::VariableRule;
use crate::host::Host;
use crate::network::{Destination, NetworkRule, NetworkRuleText, Protocol, Request};
use crate::storage::{Access, Accesses, Placed, RuleKind, StorageMap, StorageRule};

fn read(text: &NetworkRuleText, kind: RuleKind) -> NetworkRule {
    NetworkRule::read(text, kind).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn private(word: &str) -> NetworkRuleText {
    NetworkRuleText { private: true, ..NetworkRuleText::target(word) }
}

fn network(allow: &[NetworkRuleText], deny: &[&str]) -> Policy {
    let deny = deny.iter().map(|word| read(&NetworkRuleText::target(word), RuleKind::Deny));
    Policy {
        network: Rules {
            allow: allow.iter().map(|text| read(text, RuleKind::Allow)).collect(),
            deny: deny.collect(),
        },
        ..Policy::default()
    }
}

fn allowing(words: &[&str]) -> Policy {
    let texts: Vec<_> = words.iter().map(|word| NetworkRuleText::target(word)).collect();
    network(&texts, &[])
}

fn under(granted: Policy) -> Effective {
    Effective::new("weather", Arc::new(granted), None)
}

fn get(url: &str) -> Request {
    Request::parse("GET", url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn tcp(authority: &str) -> Destination {
    Destination::parse_authority(Protocol::Tcp, authority).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn text(denial: &Denial) -> String {
    denial.text("weather")
}

#[test]
fn denied_everything_under_the_empty_policy() {
    let nobody = Effective::none("weather");
    assert!(nobody.request(get("https://a.com")).is_err());
    assert!(nobody.socket(tcp("a.com:1")).is_err());
    assert!(nobody.lookup(Host::parse("a.com").unwrap()).is_err());
    assert!(nobody.variable("PATH").is_err());
    assert!(nobody.variables().is_empty() && nobody.injected().is_empty());
    let files = placed(&Policy::default(), None);
    assert!(files.permit(&["a"], "fs:///a", Access::Read).is_err());
    assert!(!files.allows(&["a"], Access::Read) && !files.leads(&[]));
}

#[test]
fn a_denial_says_why_and_what_would_allow_it() {
    let effective = under(allowing(&["https://api.weather.com/v1/**"]));
    let denied = |method, url| {
        let request = Request::parse(method, url).unwrap();
        text(&effective.request(request).unwrap_err())
    };
    assert_eq!(
        denied("GET", "https://api.other.com/v1/now?key=secret"),
        "denied: component `weather` may not GET https://api.other.com/v1/now\n  \
         no rule allows host `api.other.com`\n  \
         to allow it: wassette permission grant network weather https://api.other.com --methods GET"
    );
    assert_eq!(
        denied("GET", "http://api.weather.com/v1/x"),
        "denied: component `weather` may not GET http://api.weather.com/v1/x\n  \
         no rule allows `http` to host `api.weather.com`\n  \
         to allow it: wassette permission grant network weather http://api.weather.com --methods GET"
    );
    assert_eq!(
        denied("GET", "https://api.weather.com:8443/v1/x"),
        "denied: component `weather` may not GET https://api.weather.com:8443/v1/x\n  \
         no rule allows port 8443 of host `api.weather.com`\n  \
         to allow it: wassette permission grant network weather https://api.weather.com:8443 \
         --methods GET"
    );
    assert_eq!(
        denied("GET", "https://api.weather.com/v2/x"),
        "denied: component `weather` may not GET https://api.weather.com/v2/x\n  \
         no rule allows this path of host `api.weather.com`\n  \
         to allow it: wassette permission grant network weather https://api.weather.com/v2/x \
         --methods GET"
    );
    let unclear = denied("GET", "https://api.weather.com/v1/..%2fx");
    assert!(unclear.contains("more than one way") && !unclear.contains("to allow it"), "{unclear}");
}

/// What a denial offers is read back and allows what was denied.
#[test]
fn the_grant_of_a_denial_allows_it() {
    for url in ["https://a.com", "http://a.com:8080/x", "https://[2606:4700::1]:8443/y"] {
        let denial = under(Policy::default()).request(get(url)).unwrap_err();
        let command = denial.grant.unwrap().command("weather").unwrap();
        let word = command.split(' ').nth(5).unwrap().trim_matches('\'').to_owned();
        assert!(under(allowing(&[&word])).request(get(url)).is_ok(), "{command}");
    }
    // A rule has its methods in capitals, and this is another method.
    let small = Request::parse("get", "https://a.com").unwrap();
    assert_eq!(under(Policy::default()).request(small).unwrap_err().grant, None);
}

#[test]
fn denied_where_the_ceiling_does_not_allow_it_and_no_grant_is_offered() {
    let ceiling = allowing(&["a.com", "b.com"]);
    let granted = allowing(&["a.com", "c.com"]);
    let effective = Effective::new("weather", granted.into(), Some(ceiling.into()));
    assert!(effective.request(get("https://a.com")).is_ok());
    let denied = |url| effective.request(get(url)).unwrap_err();
    assert!(denied("https://b.com").grant.is_some());
    for url in ["https://c.com", "https://d.com"] {
        let denial = denied(url);
        assert!(denial.grant.is_none());
        assert!(denial.reason.starts_with("the operator's ceiling does not allow it: no rule"));
    }
}

#[test]
fn denied_by_a_deny_rule_and_no_grant_is_offered() {
    let effective = under(network(&[NetworkRuleText::target("*.example.com")], &["a.example.com"]));
    assert!(effective.request(get("https://b.example.com")).is_ok());
    let denial = effective.request(get("https://a.example.com")).unwrap_err();
    assert_eq!(
        text(&denial),
        "denied: component `weather` may not GET https://a.example.com/\n  \
         rule `a.example.com` denies it; a deny wins until it is taken out of the policy"
    );
}

/// N04: what a permitted name stands for is judged again.
#[test]
fn denied_addresses_of_a_permitted_name_that_are_not_public() {
    let effective = under(allowing(&["api.example.com"]));
    let permit = effective.request(get("https://api.example.com/x")).unwrap();
    let dialled = permit.address(address("93.184.216.34")).unwrap();
    assert_eq!(dialled.into_target().to_string(), "93.184.216.34:443");
    for hidden in [
        "127.0.0.1",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.1.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:a00:1::",
    ] {
        let denial = permit.address(address(hidden)).unwrap_err();
        assert!(denial.reason.starts_with("host `api.example.com` stands for "), "{denial:?}");
        let command = denial.grant.unwrap().command("weather").unwrap();
        assert!(command.ends_with("https://api.example.com --methods GET --private"), "{command}");
    }
    for metadata in ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.170.2"]
    {
        assert_eq!(permit.address(address(metadata)).unwrap_err().grant, None);
    }
}

#[test]
fn denied_an_offer_of_a_whole_host_where_the_rules_name_paths() {
    let paths = |word: &str| NetworkRuleText {
        paths: Some(vec!["/v1/**".to_owned(), "/".to_owned()]),
        ..NetworkRuleText::target(word)
    };
    let offered = |rules: &[NetworkRuleText], url: &str| {
        let permit = under(network(rules, &[])).request(get(url)).unwrap();
        let grant = permit.address(address("10.0.0.1")).unwrap_err().grant?;
        grant.command("weather")
    };
    let command = |rest: &str| Some(format!("wassette permission grant network weather {rest}"));
    let narrow = [paths("a.example")];
    assert_eq!(
        offered(&narrow, "https://a.example/v1/x"),
        command("https://a.example/v1/x --methods GET --private")
    );
    assert_eq!(
        offered(&narrow, "https://a.example/"),
        command("https://a.example --methods GET --paths / --private")
    );
    assert_eq!(offered(&narrow, "https://a.example/v1/%20"), None);
    // The whole host was allowed already.
    let wide = [paths("a.example"), NetworkRuleText::target("a.example")];
    assert_eq!(
        offered(&wide, "https://a.example/v1/x"),
        command("https://a.example --methods GET --private")
    );
}

#[test]
fn addresses_that_are_not_public_need_a_rule_that_speaks_of_them() {
    let dials = |policy: Policy, ip: &str| {
        let permit = under(policy).request(get("https://api.example.com")).unwrap();
        permit.address(address(ip)).is_ok()
    };
    let name = NetworkRuleText::target("api.example.com");
    let with = |word: &str| network(&[name.clone(), NetworkRuleText::target(word)], &[]);
    assert!(dials(network(&[private("api.example.com")], &[]), "10.0.0.1"));
    assert!(dials(with("10.0.0.0/8"), "10.0.0.1") && !dials(with("10.0.0.0/8"), "192.168.0.1"));
    assert!(dials(with("10.0.0.1"), "64:ff9b::10.0.0.1") && !dials(with("10.0.0.1"), "10.0.0.2"));
    // The rule has to speak of this port too.
    assert!(!dials(with("10.0.0.1:8443"), "10.0.0.1"));
    // Metadata: only by the address itself.
    assert!(!dials(network(&[private("api.example.com")], &[]), "169.254.169.254"));
    assert!(!dials(with("169.254.0.0/16"), "169.254.169.254"));
    assert!(dials(with("169.254.169.254"), "169.254.169.254"));
    // A deny of the address wins over all of it.
    let denied = network(&[private("api.example.com")], &["10.0.0.0/16"]);
    assert!(dials(denied.clone(), "10.1.0.1") && !dials(denied, "10.0.0.1"));
    let public = network(&[name], &["93.184.0.0/16"]);
    assert!(!dials(public, "::ffff:93.184.216.34"));
}

#[test]
fn denied_private_addresses_where_only_one_document_allows_them() {
    let plain = || allowing(&["api.example.com"]);
    let open = || network(&[private("api.example.com")], &[]);
    for (granted, ceiling, allowed) in
        [(open(), plain(), false), (plain(), open(), false), (open(), open(), true)]
    {
        let effective = Effective::new("weather", granted.into(), Some(ceiling.into()));
        let permit = effective.request(get("https://api.example.com")).unwrap();
        assert_eq!(permit.address(address("10.0.0.1")).is_ok(), allowed);
    }
}

#[test]
fn an_address_in_the_url_is_judged_at_once_and_only_it_is_dialled() {
    let effective = under(allowing(&["127.0.0.1:8080", "169.254.0.0/16"]));
    let permit = effective.request(get("http://2130706433:8080/")).unwrap();
    assert_eq!(permit.address(address("127.0.0.1")).unwrap().into_target().port(), 8080);
    assert!(permit.address(address("127.0.0.2")).is_err());
    assert!(effective.request(get("http://169.254.1.1/")).is_ok());
    let metadata = effective.request(get("http://169.254.169.254/")).unwrap_err();
    assert_eq!(metadata.grant, None);
    assert!(metadata.reason.starts_with("169.254.169.254 is a metadata address"));
}

#[test]
fn denied_an_offer_to_open_the_metadata_service() {
    let effective = under(Policy::default());
    for url in ["http://169.254.169.254/latest", "http://[fd00:ec2::254]/", "http://2852039166/"] {
        let denial = effective.request(get(url)).unwrap_err();
        assert_eq!(denial.grant, None, "{url}");
        assert!(denial.reason.contains("is a metadata address"), "{}", denial.reason);
    }
    assert_eq!(effective.socket(tcp("169.254.169.254:80")).unwrap_err().grant, None);
    // Everybody else may be granted.
    assert!(effective.request(get("http://10.0.0.1/")).unwrap_err().grant.is_some());
}

#[test]
fn sockets_need_rules_of_their_own() {
    let effective = under(network(
        &[NetworkRuleText::target("db.example.com"), private("tcp://db.example.com:5432")],
        &[],
    ));
    let permit = effective.socket(tcp("DB.example.com.:5432")).unwrap();
    assert!(permit.address(address("10.0.0.1")).is_ok());
    assert_eq!(permit.rule(), "tcp://db.example.com:5432 private");
    for (protocol, authority) in [
        (Protocol::Tcp, "db.example.com:5433"),
        (Protocol::Tcp, "db.example.com:443"),
        (Protocol::Udp, "db.example.com:5432"),
        (Protocol::Tcp, "a.db.example.com:5432"),
        (Protocol::Https, "db.example.com"),
    ] {
        let destination = Destination::parse_authority(protocol, authority).unwrap();
        assert!(effective.socket(destination).is_err(), "{protocol} {authority}");
    }
    let denial = effective.socket(tcp("x.com:25")).unwrap_err();
    assert_eq!(
        denial.grant.unwrap().command("w").unwrap(),
        "wassette permission grant network w tcp://x.com:25"
    );
}

#[test]
fn only_names_of_socket_rules_are_looked_up() {
    let effective = under(network(
        &[
            NetworkRuleText::target("web.example.com"),
            NetworkRuleText::target("udp://dns.example.com:53"),
            NetworkRuleText::target("tcp://shut.example.com:1"),
        ],
        &["shut.example.com", "203.0.0.0/16"],
    ));
    let lookup = |name| effective.lookup(Host::parse(name).unwrap());
    let permit = lookup("DNS.example.com.").unwrap();
    assert!(permit.address(address("93.184.216.34")).is_ok());
    for hidden in ["10.0.0.1", "169.254.169.254", "203.0.1.1"] {
        assert!(permit.address(address(hidden)).is_err(), "{hidden}");
    }
    for name in ["web.example.com", "shut.example.com", "a.dns.example.com", "other.com"] {
        assert!(lookup(name).is_err(), "{name}");
    }
}

#[test]
fn headers_are_added_only_to_what_their_rule_allows() {
    let inject = |word: &str, header: &str, secret: &str| NetworkRuleText {
        inject: vec![crate::network::InjectText {
            header: header.to_owned(),
            value: format!("Bearer ${{secret:{secret}}}"),
        }],
        ..NetworkRuleText::target(word)
    };
    let effective = under(network(
        &[
            NetworkRuleText::target("a.com"),
            inject("a.com", "Authorization", "A"),
            inject("https://a.com/v1/**", "X-Key", "B"),
            inject("b.com", "Authorization", "C"),
        ],
        &[],
    ));
    let added = |url: &str| {
        let permit = effective.request(get(url)).unwrap();
        let headers = permit.injections();
        headers.into_iter().map(|inject| inject.header().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(added("https://a.com/v1/x"), ["authorization", "x-key"]);
    assert_eq!(added("https://a.com/v2"), ["authorization"]);
    assert!(added("http://a.com/v1/x").is_empty());
    assert_eq!(effective.injected(), ["A", "B", "C"].map(str::to_owned).into());
}

#[test]
fn variables_are_those_that_both_documents_list() {
    let listing = |rules: &[(&str, Option<&str>)]| Policy {
        environment: rules
            .iter()
            .map(|(key, value)| VariableRule::new(*key, value.map(str::to_owned)))
            .collect(),
        ..Policy::default()
    };
    let granted =
        listing(&[("B", None), ("A", Some("1")), ("C", Some("2")), ("D", None), ("E", None)]);
    let ceiling =
        listing(&[("A", None), ("B", Some("3")), ("C", Some("4")), ("E", None), ("F", None)]);
    let effective = Effective::new("weather", granted.into(), Some(ceiling.into()));
    assert_eq!(effective.variables(), ["A", "B", "E"]);
    let value = |key| effective.variable(key).unwrap().value().map(str::to_owned);
    assert_eq!(value("A").as_deref(), Some("1"));
    assert_eq!(value("B").as_deref(), Some("3"));
    assert_eq!(value("E"), None);
    assert!(effective.variable("C").unwrap_err().grant.is_none());
    assert!(effective.variable("D").unwrap_err().grant.is_none());
    let denial = effective.variable("F").unwrap_err();
    assert_eq!(
        denial.grant.unwrap().command("w").unwrap(),
        "wassette permission grant environment-variable w F"
    );
    assert!(effective.variable("a").is_err());
}

fn storage(allow: &[(&str, Accesses)], deny: &[&str]) -> Policy {
    let rule = |uri: &str, access| StorageRule::new(uri.parse().unwrap(), access);
    Policy {
        storage: Rules {
            allow: allow.iter().map(|(uri, access)| rule(uri, *access)).collect(),
            deny: deny.iter().map(|uri| rule(uri, Accesses::BOTH)).collect(),
        },
        ..Policy::default()
    }
}

/// The rules placed where they say they are, as on a machine without links.
fn placed(granted: &Policy, ceiling: Option<&Policy>) -> FileRules {
    let map = |policy: &Policy| {
        let place = |kind| {
            move |rule: &StorageRule| Placed {
                at: rule.uri.prefix().to_vec(),
                rule: rule.clone(),
                kind,
            }
        };
        let allow = policy.storage.allow.iter().map(place(RuleKind::Allow));
        let deny = policy.storage.deny.iter().map(place(RuleKind::Deny));
        StorageMap::new(allow.chain(deny).collect())
    };
    FileRules::new(map(granted), ceiling.map(map))
}

#[test]
fn files_need_both_documents_and_a_denial_says_which_refused() {
    let granted =
        storage(&[("fs:///d", Accesses::READ), ("fs:///e", Accesses::BOTH)], &["fs:///d/p"]);
    let ceiling = storage(&[("fs:///d", Accesses::BOTH), ("fs:///f", Accesses::BOTH)], &[]);
    let files = placed(&granted, Some(&ceiling));
    let permit = files.permit(&["d", "x"], "fs:///d/x", Access::Read).unwrap();
    assert_eq!(permit.rule(), "fs:///d read");
    assert_eq!(permit.into_target().shown, "fs:///d/x");
    let denied = |path: &[&str], access| {
        let shown = format!("fs:///{}", path.join("/"));
        let denial = files.permit(path, &shown, access).unwrap_err();
        (denial.reason.clone(), denial.grant.and_then(|grant| grant.command("w")))
    };
    let (reason, command) = denied(&["d", "x"], Access::Write);
    assert_eq!(reason, "rule `fs:///d read` does not include `write`");
    assert_eq!(
        command.as_deref(),
        Some("wassette permission grant storage w fs:///d/x --access write")
    );
    let (reason, command) = denied(&["d", "p", "x"], Access::Read);
    assert!(reason.starts_with("rule `fs:///d/p read,write` denies it") && command.is_none());
    let (reason, command) = denied(&["e"], Access::Read);
    assert!(reason.starts_with("the operator's ceiling") && command.is_none());
    assert!(
        files.leads(&[]) && files.leads(&["d"]) && !files.leads(&["e"]) && !files.leads(&["f"])
    );
    assert!(files.allows(&["d"], Access::Read) && !files.allows(&["f"], Access::Read));
    // A name that a rule would read as a pattern has no rule of its own.
    assert_eq!(denied(&["f", "*.md"], Access::Read).1, None);
    assert_eq!(denied(&["d", "p", "a%b"], Access::Read).1, None);
}
