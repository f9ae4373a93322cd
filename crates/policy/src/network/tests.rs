use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

fn target(word: &str) -> NetworkRuleText {
    NetworkRuleText::target(word)
}

fn allow(text: &NetworkRuleText) -> Result<NetworkRule, NetworkRuleError> {
    NetworkRule::read(text, RuleKind::Allow)
}

fn deny(text: &NetworkRuleText) -> Result<NetworkRule, NetworkRuleError> {
    NetworkRule::read(text, RuleKind::Deny)
}

fn list(texts: &[&str]) -> Option<Vec<String>> {
    Some(texts.iter().map(|&text| text.to_owned()).collect())
}

fn matches(kind: RuleKind, rule: &NetworkRule, method: &str, url: &str) -> bool {
    let request = Request::parse(method, url).unwrap_or_else(|error| panic!("{url}: {error}"));
    let path = RequestPath::read(&request.path);
    let Destination { protocol, host, port } = &request.destination;
    let exchange = Some((method, &path));
    rule.matches(kind, &Asked { protocol: *protocol, host, port: *port, exchange })
}

fn allows(rule: &NetworkRule, url: &str) -> bool {
    matches(RuleKind::Allow, rule, "GET", url)
}

/// N02: a rule allows the ports and schemes that it says, and by default a scheme's own port.
#[test]
fn ports_and_schemes_are_those_of_the_rule() {
    for (word, url, allowed) in [
        ("a.com", "https://a.com", true),
        ("a.com", "http://a.com", true),
        ("a.com", "http://a.com:80", true),
        ("a.com", "https://a.com:80", false),
        ("a.com", "http://a.com:443", false),
        ("a.com", "https://a.com:8443", false),
        ("https://a.com", "https://a.com", true),
        ("https://a.com", "http://a.com", false),
        ("https://a.com", "http://a.com:443", false),
        ("a.com:8080", "http://a.com:8080", true),
        ("a.com:8080", "https://a.com:8080", true),
        ("a.com:8080", "http://a.com", false),
        ("http://a.com:8000-8080", "http://a.com:8042", true),
        ("http://a.com:8000-8080", "http://a.com:8081", false),
        ("https://a.com:8443/v1/**", "https://a.com:8443/v1/x", true),
        ("https://a.com:8443/v1/**", "https://a.com:8443/v2/x", false),
        ("tcp://a.com:80", "http://a.com", false),
    ] {
        assert_eq!(allows(&allow(&target(word)).unwrap(), url), allowed, "{word} {url}");
    }
}

/// N03: only what the rule names passes, under each of its aliases.
#[test]
fn aliases_of_a_host_are_judged_as_that_host() {
    let aliases = [
        "http://2130706433",
        "http://0x7f.1",
        "http://0177.0.0.1",
        "http://127.1",
        "http://[::ffff:127.0.0.1]",
        "http://[64:ff9b::7f00:1]",
        "http://127.0.0.1",
    ];
    let loopback = allow(&target("127.0.0.1")).unwrap();
    let range = allow(&target("127.0.0.0/8")).unwrap();
    let name = allow(&target("localhost")).unwrap();
    for url in aliases {
        assert!(allows(&loopback, url) && allows(&range, url) && !allows(&name, url), "{url}");
    }
    for url in ["http://0", "http://[::1]", "http://localhost", "http://127.0.0.1.nip.io"] {
        assert!(!allows(&loopback, url), "{url}");
    }
    for url in ["http://LOCALHOST", "http://localhost.", "http://LocalHost.:80"] {
        assert!(allows(&name, url), "{url}");
    }
    let twin = allow(&target("apple.com")).unwrap();
    assert!(!allows(&twin, "https://аpple.com") && !allows(&twin, "https://xn--pple-43d.com"));
    for (authority, method, path) in [
        ("user@a.com", "GET", "/"),
        ("a.com@evil.com", "GET", "/"),
        ("a.com:99999", "GET", "/"),
        ("a.com:0", "GET", "/"),
        ("a.com:080", "GET", "/"),
        ("a.com:+80", "GET", "/"),
        ("a.com:", "GET", "/"),
        ("a.com:80:80", "GET", "/"),
        ("::1", "GET", "/"),
        ("::1:80", "GET", "/"),
        ("[::1]x", "GET", "/"),
        ("[::1]80", "GET", "/"),
        ("a.com\\@b.com", "GET", "/"),
        ("a.com/b", "GET", "/"),
        ("", "GET", "/"),
        (":80", "GET", "/"),
        ("a.com", "CONNECT", "/"),
        ("a.com", "connect", "/"),
        ("a.com", "G T", "/"),
        ("a.com", "", "/"),
        ("a.com", "GET", "@evil.com/"),
        ("a.com", "GET", "http://evil.com/"),
        ("a.com", "GET", "*"),
        ("a.com", "GET", "/a b"),
        ("a.com", "GET", "/a\r\nHost: b"),
    ] {
        let request = Request::new(method, "http", authority, path);
        assert!(request.is_err(), "{authority} is {request:?}");
    }
    assert!(Request::new("GET", "ftp", "a.com", "/").is_err());
    assert!(Request::new("GET", "tcp", "a.com:1", "/").is_err());
    assert!(Request::parse("GET", "//a.com/").is_err());
    assert!(Destination::parse_authority(Protocol::Tcp, "a.com").is_err());
}

#[test]
fn what_was_read_is_shown_in_one_form() {
    let shown = |url| Request::parse("GET", url).unwrap().to_string();
    assert_eq!(shown("HTTPS://A.com.:443?key=1"), "GET https://a.com/");
    assert_eq!(shown("http://[::1]:8080/x#y"), "GET http://[::1]:8080/x");
    assert_eq!(shown("http://127.1/x?y"), "GET http://127.0.0.1/x");
    let destination = Request::parse("GET", "https://a.com:8443").unwrap().destination;
    assert_eq!(destination.authority(), "a.com:8443");
}

/// N07: a wildcard ends at a label, never means the name itself, and never a suffix of all.
#[test]
fn wildcards_mean_the_names_below_one_name() {
    let rule = allow(&target("*.Example.com")).unwrap();
    for (url, allowed) in [
        ("https://a.example.com", true),
        ("https://a.b.example.com.", true),
        ("https://A.EXAMPLE.COM", true),
        ("https://example.com", false),
        ("https://evil-example.com", false),
        ("https://a.example.com.evil.com", false),
        ("https://example.com.evil.com", false),
    ] {
        assert_eq!(allows(&rule, url), allowed, "{url}");
    }
    for word in ["*.com", "*.co.uk", "*.internal", "*.公司.cn", "*.kawasaki.jp"] {
        assert!(matches!(allow(&target(word)), Err(NetworkRuleError::Suffix(_))), "{word}");
        assert!(deny(&target(word)).is_ok(), "{word}");
    }
    for word in
        ["*", "*.", "**", "*.*.com", "a.*.com", "a*.com", "*a.com", "*.127.0.0.1", "*.[::1]"]
    {
        assert!(allow(&target(word)).is_err() && deny(&target(word)).is_err(), "{word}");
    }
    for word in ["*.corp.internal", "*.example.com", "*.www.ck"] {
        assert_eq!(allow(&target(word)).unwrap().cautions(RuleKind::Allow), [""; 0], "{word}");
    }
    // Companies list such names so that their customers' pages do not share cookies.
    for word in ["*.googleapis.com", "*.github.io", "*.s3.amazonaws.com", "*.amazonaws.com"] {
        let rule = allow(&target(word)).unwrap();
        let cautions = rule.cautions(RuleKind::Allow);
        assert!(cautions[0].contains("others can get a name there too"), "{word}: {cautions:?}");
        assert_eq!(deny(&target(word)).unwrap().cautions(RuleKind::Deny), [""; 0], "{word}");
    }
}

#[test]
fn ranges_are_of_addresses_and_begin_where_they_say() {
    let rule = allow(&target("10.1.0.0/16")).unwrap();
    for (url, allowed) in [
        ("http://10.1.255.255", true),
        ("http://10.2.0.0", false),
        ("http://[::ffff:10.1.0.1]", true),
        ("http://ten.example.com", false),
    ] {
        assert_eq!(allows(&rule, url), allowed, "{url}");
    }
    assert!(allows(&allow(&target("fd00::/8")).unwrap(), "http://[fd12::1]"));
    let cidr = |text: &str| NetworkRuleText { cidr: Some(text.to_owned()), ..Default::default() };
    for text in [
        "10.1.0.1/16",
        "10.1.0.0/33",
        "10.1.0.0/",
        "10.1.0.0",
        "10.1.0.0/016",
        "10.1.0.0/-1",
        "a/8",
        "::ffff:10.0.0.0/104",
        "64:ff9b::/96",
        "fe80::%1/64",
        "[fd00::]/8",
    ] {
        assert!(allow(&cidr(text)).is_err() && deny(&cidr(text)).is_err(), "{text}");
    }
    for text in ["0.0.0.0/0", "0.0.0.0/7", "::/0", "2000::/3"] {
        assert!(matches!(allow(&cidr(text)), Err(NetworkRuleError::Wide(_))), "{text}");
        assert!(deny(&cidr(text)).is_ok(), "{text}");
    }
}

#[test]
fn paths_match_by_segments_and_never_through_another_spelling() {
    let rule = allow(&NetworkRuleText {
        paths: list(&["/v1/**", "/x/*/y", "/a b", "/"]),
        ..target("https://a.com")
    })
    .unwrap();
    for (path, allowed) in [
        ("", true),
        ("/", true),
        ("?q", true),
        ("/v1", true),
        ("/v1/", true),
        ("/v1/a/b?c=/../", true),
        ("/v1x", false),
        ("/V1/a", false),
        ("/x/1/y", true),
        ("/x/1/2/y", false),
        ("/a%20b", true),
        ("/%76%31/a", true),
        ("/v1/../admin", false),
        ("/v1/..", false),
        ("/v1/%2e%2e/admin", false),
        ("/v1/.%2E/admin", false),
        ("/v1/..%2fadmin", false),
        ("/v1/%2fadmin", false),
        ("/v1/%5cadmin", false),
        ("/v1/..\\admin", false),
        ("/v1/%252e%252e/admin", false),
        ("/v1/..;/admin", false),
        ("/v1/;x/admin", false),
        ("/v1//admin", false),
        ("//v1/admin", false),
        ("//", false),
        ("/v1/./a", false),
        ("/v1/%00", false),
        ("/v1/%c0%ae%c0%ae/admin", false),
        ("/v1/%zz", false),
        ("/v1/%2", false),
        ("/v1/%3fa", false),
        ("/v1/%23a", false),
    ] {
        assert_eq!(allows(&rule, &format!("https://a.com{path}")), allowed, "{path}");
    }
    let long = format!("https://a.com/v1/{}", "a".repeat(9000));
    assert!(!allows(&rule, &long));
    assert!(allows(&allow(&target("a.com")).unwrap(), "https://a.com/v1/%2e%2e//;"));
}

#[test]
fn a_deny_of_paths_and_methods_is_not_slipped_past() {
    let rule = deny(&NetworkRuleText {
        methods: list(&["DELETE"]),
        paths: list(&["/admin/**"]),
        ..target("a.com")
    })
    .unwrap();
    let denies =
        |method, path| matches(RuleKind::Deny, &rule, method, &format!("https://a.com:8443{path}"));
    for path in ["/admin", "/admin/x", "/ADMIN/x", "/%61dmin", "//admin", "/x/../admin", "/x;y"] {
        assert!(denies("DELETE", path) && denies("delete", path) && !denies("GET", path), "{path}");
    }
    assert!(!denies("DELETE", "/public"));
}

#[test]
fn a_deny_of_a_host_denies_everything_towards_it() {
    let asks = |rule: &NetworkRule, protocol, port| {
        let host = Host::parse("a.com").unwrap();
        rule.matches(RuleKind::Deny, &Asked { protocol, host: &host, port, exchange: None })
    };
    let all = deny(&target("a.com")).unwrap();
    let https = deny(&target("https://a.com")).unwrap();
    let port = deny(&target("a.com:22")).unwrap();
    for protocol in [Protocol::Http, Protocol::Https, Protocol::Tcp, Protocol::Udp] {
        assert!(asks(&all, protocol, 12345));
        assert_eq!(asks(&https, protocol, 12345), protocol == Protocol::Https);
        assert!(asks(&port, protocol, 22) && !asks(&port, protocol, 23));
    }
}

#[test]
fn methods_are_exact_and_in_upper_case() {
    let rule =
        allow(&NetworkRuleText { methods: list(&["get", "HEAD"]), ..target("a.com") }).unwrap();
    for (method, allowed) in [("GET", true), ("HEAD", true), ("get", false), ("POST", false)] {
        assert_eq!(matches(RuleKind::Allow, &rule, method, "https://a.com"), allowed, "{method}");
    }
    for method in ["", "CONNECT", "connect", "G T", "GET\r\n", "*é"] {
        assert!(allow(&NetworkRuleText { methods: list(&[method]), ..target("a.com") }).is_err());
    }
}

#[test]
fn a_rule_that_says_a_thing_twice_or_nothing_is_refused_at_its_key() {
    let text = NetworkRuleText::default;
    let word = |word: &str| Some(word.to_owned());
    for (text, key) in [
        (text(), "host"),
        (NetworkRuleText { host: word("a.com"), tcp: word("a.com:1"), ..text() }, "host"),
        (NetworkRuleText { ports: list(&["80"]), ..target("a.com:80") }, "ports"),
        (NetworkRuleText { schemes: list(&["https"]), ..target("https://a.com") }, "schemes"),
        (NetworkRuleText { paths: list(&["/a"]), ..target("https://a.com/b") }, "paths"),
        (NetworkRuleText { ports: list(&[]), ..target("a.com") }, "ports"),
        (NetworkRuleText { methods: list(&[]), ..target("a.com") }, "methods"),
        (NetworkRuleText { ports: list(&["0"]), ..target("a.com") }, "ports"),
        (NetworkRuleText { ports: list(&["90-80"]), ..target("a.com") }, "ports"),
        (NetworkRuleText { ports: list(&["65536"]), ..target("a.com") }, "ports"),
        (NetworkRuleText { ports: list(&["80 "]), ..target("a.com") }, "ports"),
        (NetworkRuleText { schemes: list(&["ftp"]), ..target("a.com") }, "schemes"),
        (NetworkRuleText { schemes: list(&["tcp"]), ..target("a.com") }, "schemes"),
        (NetworkRuleText { paths: list(&["a"]), ..target("a.com") }, "paths"),
        (NetworkRuleText { paths: list(&["/a/../b"]), ..target("a.com") }, "paths"),
        (NetworkRuleText { paths: list(&["/a%20b"]), ..target("a.com") }, "paths"),
        (NetworkRuleText { paths: list(&["/a?b"]), ..target("a.com") }, "paths"),
        (NetworkRuleText { paths: list(&["/a**"]), ..target("a.com") }, "paths"),
        (target("a.com/b"), "host"),
        (target("user@a.com"), "host"),
        (target("a.com:99999"), "host"),
        (target("https://a.com/../b"), "host"),
        (target("ftp://a.com"), "schemes"),
        (target("tcp://a.com"), "host"),
        (target("tcp://a.com:1/x"), "paths"),
        (target("tcp://*.example.com:1"), "host"),
        (NetworkRuleText { tcp: word("a.com"), ..text() }, "tcp"),
        (NetworkRuleText { udp: word("*.example.com:1"), ..text() }, "udp"),
        (NetworkRuleText { tcp: word("a.com:1"), methods: list(&["GET"]), ..text() }, "methods"),
        (NetworkRuleText { tcp: word("a.com:1"), ports: list(&["2"]), ..text() }, "ports"),
        (NetworkRuleText { host: word("10.0.0.0/8"), ..text() }, "host"),
        (NetworkRuleText { cidr: word("a.com"), ..text() }, "cidr"),
    ] {
        let error = allow(&text).expect_err(&format!("{text:?}"));
        assert_eq!(error.key(), key, "{text:?}: {error}");
        assert!(!miette::Diagnostic::help(&error).unwrap().to_string().is_empty());
    }
    let private = NetworkRuleText { private: true, ..target("a.com") };
    assert_eq!(deny(&private).unwrap_err().key(), "private");
    let until = "2026-11-21T18:00:00Z".parse().ok();
    let ending = NetworkRuleText { until, ..target("a.com") };
    assert_eq!(allow(&ending).unwrap().written(), ending);
    assert_eq!(deny(&ending).unwrap_err().key(), "until");
}

fn with_header(word: &str, value: &str) -> NetworkRuleText {
    let inject =
        InjectText { header: "Authorization".to_owned(), value: format!("${{secret:{value}}}") };
    NetworkRuleText { inject: vec![inject], ..target(word) }
}

#[test]
fn denied_rules_that_would_send_a_secret_astray() {
    let rule = allow(&with_header("a.com", "A")).unwrap();
    assert!(allows(&rule, "https://a.com") && !allows(&rule, "http://a.com"));
    assert_eq!(rule.written().schemes, list(&["https"]));
    for word in ["*.example.com", "10.0.0.0/8", "http://a.com", "http://127.0.0.1:8080"] {
        assert_eq!(allow(&with_header(word, "A")).unwrap_err().key(), "inject", "{word}");
    }
    let own = NetworkRuleText { private: true, ..with_header("http://127.0.0.1:8080", "A") };
    assert!(allow(&own).is_ok());
    assert!(allow(&with_header("tcp://a.com:1", "A")).is_err());
    assert!(deny(&with_header("a.com", "A")).is_err());
    let mut twice = with_header("a.com", "A");
    twice.inject.push(InjectText { header: "authorization".into(), value: "${secret:B}".into() });
    assert_eq!(allow(&twice), Err(NetworkRuleError::InjectTwice("authorization".to_owned())));
}

#[test]
fn two_values_of_one_header_contradict_each_other_where_their_rules_meet() {
    let rules = |words: [(&str, &str); 2]| {
        words.map(|(word, secret)| allow(&with_header(word, secret)).unwrap())
    };
    for (words, contradicts) in [
        ([("a.com", "A"), ("a.com", "B")], true),
        ([("a.com", "A"), ("https://a.com/v1/**", "B")], true),
        ([("a.com", "A"), ("a.com", "A")], false),
        ([("a.com", "A"), ("b.com", "B")], false),
        ([("a.com", "A"), ("a.com:8443", "B")], false),
        ([("a.com:8000-8500", "A"), ("a.com:8443", "B")], true),
    ] {
        assert_eq!(contradiction(&rules(words)).is_some(), contradicts, "{words:?}");
    }
}

#[test]
fn rules_that_say_the_same_are_the_same() {
    let same = |one: NetworkRuleText, other: NetworkRuleText| {
        assert_eq!(allow(&one).unwrap(), allow(&other).unwrap());
    };
    same(target("A.com."), target("a.com"));
    same(target("https://a.com:443"), target("https://a.com"));
    same(target("2130706433"), target("127.0.0.1"));
    same(NetworkRuleText { schemes: list(&["https", "http"]), ..target("a.com") }, target("a.com"));
    same(
        NetworkRuleText { ports: list(&["81-90", "80", "85-95"]), ..target("a.com") },
        target("a.com:80-95"),
    );
    same(
        NetworkRuleText { tcp: Some("[::1]:53".to_owned()), ..NetworkRuleText::default() },
        target("tcp://[::1]:53"),
    );
    same(
        NetworkRuleText { paths: list(&["/a/", "/a/**/**"]), ..target("a.com") },
        NetworkRuleText { paths: list(&["/a/**", "/a"]), ..target("a.com") },
    );
}

#[test]
fn a_rule_shows_in_one_line() {
    for (text, shown) in [
        (target("a.com"), "a.com"),
        (target("*.a.com:8080"), "*.a.com ports=8080"),
        (target("https://a.com:8443/v1/**"), "https://a.com:8443 paths=/v1/**"),
        (target("tcp://[::1]:53"), "tcp://[::1]:53"),
        (target("10.0.0.0/8"), "10.0.0.0/8"),
        (
            NetworkRuleText { methods: list(&["POST", "GET"]), ..with_header("a.com", "A") },
            "https://a.com methods=GET,POST inject=authorization:${secret:A}",
        ),
    ] {
        assert_eq!(allow(&text).unwrap().to_string(), shown);
    }
}

#[test]
fn rules_merge_only_where_they_say_no_more_than_both() {
    let with = |word: &str, methods: &[&str]| {
        let methods = (!methods.is_empty()).then(|| list(methods)).flatten();
        allow(&NetworkRuleText { methods, ..target(word) }).unwrap()
    };
    let merged = |one: NetworkRule, other: NetworkRule| {
        one.merge(RuleKind::Allow, &other).map(|rule| rule.to_string())
    };
    let shown = |text: &str| Some(text.to_owned());
    assert_eq!(
        merged(with("a.com", &["GET"]), with("a.com", &["POST"])),
        shown("a.com methods=GET,POST")
    );
    assert_eq!(merged(with("a.com", &["GET"]), with("a.com", &[])), shown("a.com"));
    assert_eq!(
        merged(with("https://a.com", &[]), with("https://a.com:8443", &[])),
        shown("https://a.com ports=443,8443")
            .map(|text| text.replace("https://a.com", "a.com schemes=https"))
    );
    assert_eq!(merged(with("a.com", &[]), with("a.com:8080", &[])), None);
    assert_eq!(
        merged(with("https://a.com", &["GET"]), with("https://a.com:8443", &["POST"])),
        None
    );
    assert_eq!(merged(with("a.com", &[]), with("b.com", &[])), None);
}

fn any_text() -> impl Strategy<Value = NetworkRuleText> {
    let target = prop::sample::select(vec![
        "a.com",
        "*.b.example.com",
        "https://a.com",
        "http://a.com:8000-8080/v1/**",
        "127.1:80",
        "[::1]:9",
        "tcp://db:5432",
        "udp://[fd00::1]:53",
        "10.0.0.0/8",
        "fd00::/7",
        "https://a.com/",
        "xn--bcher-kva.de",
        "https://bücher.de:443",
    ]);
    let lists = |values: Vec<&'static str>| {
        prop::option::of(prop::collection::vec(prop::sample::select(values), 0..4)).prop_map(
            |list| list.map(|list| list.into_iter().map(str::to_owned).collect::<Vec<_>>()),
        )
    };
    (
        target,
        lists(vec!["http", "https", "tcp"]),
        lists(vec!["80", "443", "81-90", "85-443", "x"]),
        lists(vec!["GET", "get", "POST"]),
        lists(vec!["/", "/a/", "/a/**", "/**/b*", "//"]),
        any::<bool>(),
        prop::option::of(prop::sample::select(vec!["X-Key", "Host", "authorization"])),
    )
        .prop_map(|(word, schemes, ports, methods, paths, private, header)| NetworkRuleText {
            schemes,
            ports,
            methods,
            paths,
            private,
            inject: header
                .map(|header| InjectText { header: header.into(), value: "k ${secret:A}".into() })
                .into_iter()
                .collect(),
            ..target_of(word)
        })
}

fn target_of(word: &str) -> NetworkRuleText {
    NetworkRuleText::target(word)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn a_rule_is_written_as_it_is_read(text in any_text()) {
        for kind in [RuleKind::Allow, RuleKind::Deny] {
            if let Ok(rule) = NetworkRule::read(&text, kind) {
                prop_assert_eq!(NetworkRule::read(&rule.written(), kind), Ok(rule.clone()));
                prop_assert!(rule.covers(kind, &rule));
                prop_assert_eq!(rule.merge(kind, &rule), Some(rule));
            }
        }
    }

    #[test]
    fn any_request_is_read_or_refused(url in "https?://.{0,40}", path in "/.{0,40}") {
        if let Ok(request) = Request::parse("GET", &url) {
            let shown = request.to_string();
            let again = Request::parse("GET", shown.strip_prefix("GET ").unwrap());
            prop_assert_eq!(again, Ok(request));
        }
        if let RequestPath::Clear(segments) = RequestPath::read(&path) {
            let unsafe_in_one_reading = |segment: &String| {
                segment.is_empty() || segment == ".." || segment.contains(['/', '%', '\\'])
            };
            prop_assert!(!segments.iter().any(unsafe_in_one_reading));
        }
    }
}
