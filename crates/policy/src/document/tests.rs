mod ends;
mod foreign;
mod habits;
mod void;

use proptest::prelude::*;

use super::*;
use crate::network::{InjectText, NetworkRuleText};
use crate::{Accesses, RuleKind, Setting, Until};

fn refusal(text: &str) -> PolicyError {
    match Policy::parse(text) {
        Ok(policy) => panic!("expected a refusal of {text:?}, found {policy:?}"),
        Err(error) => error,
    }
}

/// `text` below `permissions`, as a whole document.
fn whole(text: &str) -> String {
    let inner: String = text.lines().map(|line| format!("  {line}\n")).collect();
    format!("version: \"1.0\"\npermissions:\n{inner}")
}

const FULL: &str = r#"
version: "1.0"
description: "weather tool"   # what it is for
permissions:
  storage:
    allow:
      - uri: "fs:///tmp/cache/"
        access: ["read", "write"]
      - uri: fs:///etc/config.yaml
        access: [read]
    deny:
      - uri: "fs:///tmp/cache/private/**"
  network:
    allow:
      - host: "api.weather.com"
      - host: "*.example.com"
        schemes: ["https"]
        ports: [443, "8000-8080"]
        methods: ["GET", "HEAD"]
        paths: ["/v1/**"]
      - host: "localhost:8080"
        private: true
      - cidr: "10.1.0.0/16"
      - host: "api.github.com"
        inject: { header: "Authorization", value: "Bearer ${secret:GITHUB_TOKEN}" }
      - tcp: "db.internal:5432"
        private: true
    deny:
      - host: "metadata.google.internal"
  environment:
    allow:
      - key: "API_KEY"
      - key: "LOG_LEVEL"
        value: "info"
  resources:
    limits:
      memory: 536870912
      cpu: "500m"
      concurrency: 8
"#;

#[test]
fn both_shapes_and_json_say_the_same() {
    let policy = Policy::parse(FULL).unwrap();
    assert_eq!(policy.storage.allow.len(), 2);
    assert_eq!(policy.storage.deny[0].access, Accesses::BOTH);
    assert_eq!(policy.network.allow.len(), 6);
    assert_eq!(policy.limits.get("memory"), Some(&Setting::Number(512 << 20)));
    let (_, inner) = FULL.split_once("permissions:\n").unwrap();
    let bare: String =
        inner.lines().map(|line| format!("{}\n", line.get(2..).unwrap_or(""))).collect();
    let bare = Policy { description: policy.description.clone(), ..Policy::parse(&bare).unwrap() };
    assert_eq!(bare, policy);
    let json = policy.to_json();
    for text in [
        json.to_string(),
        serde_json::to_string_pretty(&json).unwrap(),
        format!("{json:#}").replace("  ", "\t"),
    ] {
        assert_eq!(Policy::parse(&text), Ok(policy.clone()), "{text}");
    }
    assert_eq!(Policy::parse(&policy.to_yaml()), Ok(policy));
}

#[test]
fn the_empty_policy_is_printed_as_it_is_advised() {
    let text = "version: \"1.0\"\npermissions: {}\n";
    assert_eq!(Policy::default().to_yaml(), text);
    for text in [
        text,
        "{}",
        "storage: {}",
        "storage: {allow: []}\nnetwork: {}\n",
        "version: 1.0\npermissions: {}",
    ] {
        assert!(Policy::parse(text).unwrap().is_empty(), "{text}");
    }
}

#[test]
fn byte_order_marks_and_carriage_returns_change_nothing() {
    let policy = Policy::parse(FULL).unwrap();
    assert_eq!(Policy::parse(&format!("\u{feff}{FULL}")), Ok(policy.clone()));
    assert_eq!(Policy::parse(&FULL.replace('\n', "\r\n")), Ok(policy.clone()));
    let read = Document::parse_bytes(format!("\u{feff}{FULL}").as_bytes()).unwrap();
    assert_eq!(read, Document { policy, ignored: vec![] });
}

#[test]
fn denied_documents_that_are_no_policies() {
    let bomb: String =
        (1..9).map(|n| format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1)).collect();
    let deep = "[".repeat(60_000);
    let nested = (0..40).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>();
    for (text, line, column, what) in [
        ("", 1, 1, "the policy is empty"),
        ("\n# nothing\n", 1, 1, "the policy is empty"),
        ("---\n", 1, 1, "the policy is empty"),
        ("~", 1, 1, "the policy is empty"),
        ("[]", 1, 1, "a policy is a map, not a list"),
        ("no policy", 1, 1, "a policy is a map, not a text"),
        ("7", 1, 1, "a policy is a map, not a number"),
        ("storage: {}\n\0", 2, 1, "NUL"),
        ("storage: {} # \u{1b}[2J", 1, 15, "does not show"),
        ("storage: {} # \u{202e}", 1, 15, "does not show"),
        ("description: \"a\\u202Eb\"\n", 1, 14, "does not show"),
        ("{{{", 1, 1, ""),
        ("a: b: c", 1, 1, ""),
        ("storage: {\n", 1, 1, ""),
        ("storage: {}\n---\nnetwork: {}\n", 2, 1, "a second document"),
        ("%YAML 1.2\n---\nstorage: {}\n", 1, 1, ""),
        ("storage: {}\nstorage: {}\n", 2, 1, "`storage` stands here twice, first in line 1"),
        ("{\"storage\": {},\n \"storage\": {}}", 2, 2, "`storage` stands here twice"),
        ("{\"storage\": {}, \"stor\\u0061ge\": {}}", 1, 17, "`storage` stands here twice"),
        ("storage: &a {}\nnetwork: *a\n", 1, 1, "an anchor"),
        ("storage: *a\n", 1, 10, ""),
        ("<<: {storage: {}}\n", 1, 1, "a merge"),
        ("storage: !!map {}\n", 1, 1, "a tag"),
        ("storage: {allow: [{uri: !!binary ZnM6Ly8v, access: [read]}]}", 1, 1, "a tag"),
        ("? [a]\n: b\n", 1, 3, "a key is a list or a map"),
        ("1: {}\n", 1, 1, "a key is a number, not a text"),
        (&bomb, 1, 1, ""),
        (&deep, 1, 1, ""),
        (&nested, 1, 1, ""),
    ] {
        let error = refusal(text);
        assert!(error.what.contains(what), "{text:.40}: {error}");
        assert!(error.line >= line && !error.help.is_empty(), "{text:.40}: {error}");
        if !what.is_empty() && column > 1 {
            assert_eq!((error.line, error.column), (line, column), "{text:.40}: {error}");
        }
    }
}

#[test]
fn denied_documents_that_are_too_large() {
    let large = format!("storage: {{}} # {}", "x".repeat(10 << 20));
    assert_eq!(refusal(&large).what, format!("the policy has {} bytes", large.len()));
    assert_eq!(Document::parse_bytes(large.as_bytes()).unwrap_err(), refusal(&large));
    assert!(refusal(&"[".repeat(100_000)).what.contains("bytes"));
    // Small as it stands, large in full.
    let rule = |n| format!("{{uri: fs:///{n}/{}, access: [read]}},", "x".repeat(36));
    let text = format!("storage: {{allow: [{}]}}", (0..900).map(rule).collect::<String>());
    assert!(text.len() <= Policy::BYTES);
    assert!(refusal(&text).what.contains("written in full"), "{}", refusal(&text));
    let keys = |count| (0..count).map(|n| format!("{{key: K{n}}},")).collect::<String>();
    assert!(Policy::parse(&format!("environment: {{allow: [{}]}}", keys(1000))).is_ok());
    let error = refusal(&format!("environment: {{allow: [{}]}}", keys(1001)));
    assert_eq!((error.column, error.what.as_str()), (22, "`allow` has 1001 rules"));
}

#[test]
fn bytes_that_are_not_text_are_refused_with_their_place() {
    let error = Document::parse_bytes(b"storage: {}\n# \xc3\xa9\xff").unwrap_err();
    assert_eq!((error.line, error.column, error.what.as_str()), (2, 4, "this is not UTF-8"));
}

#[test]
fn denied_p02_keys_that_mean_nothing_with_the_nearest_that_does() {
    for (text, line, column, help) in [
        (whole("storage:\n  alow: []"), 4, 5, "did you mean `allow`?"),
        (whole("resources:\n  limts: {}"), 4, 5, "did you mean `limits`?"),
        (whole("resources:\n  limits:\n    memroy: 1Gi"), 5, 7, "did you mean `memory`?"),
        (
            whole("resources:\n  limits:\n    calls_per_minute: 1"),
            5,
            7,
            "did you mean `calls-per-minute`?",
        ),
        (whole("netwrok: {}"), 3, 3, "did you mean `network`?"),
        ("netwrok: {}".to_owned(), 1, 1, "did you mean `network`?"),
        ("Storage: {}".to_owned(), 1, 1, "did you mean `storage`?"),
        ("permision: {}".to_owned(), 1, 1, "did you mean `permissions`?"),
        (
            "weather: {}".to_owned(),
            1,
            1,
            "the keys here are: storage, network, environment, resources, version, description, permissions",
        ),
        (
            whole("storage:\n  allow:\n    - uri: fs:///a\n      acces: [read]"),
            6,
            9,
            "did you mean `access`?",
        ),
        (whole("network:\n  allow:\n    - hosts: a.example"), 5, 9, "did you mean `host`?"),
        (
            whole("ipc: {}"),
            3,
            3,
            "components have no way to speak with one another: take `ipc` out",
        ),
        (
            whole("resources:\n  memory: 512"),
            4,
            5,
            "a number without a unit could be MB or MiB: write `limits: { memory: \"512Mi\" }`",
        ),
        (
            "version: \"1.0\"\npermissions: {}\nstorage: {}\n".to_owned(),
            3,
            1,
            "put `storage` below `permissions`",
        ),
        (
            "version: \"1.0\"\npermissions: {}\nx: {}\n".to_owned(),
            3,
            1,
            "the keys here are: version, description, permissions",
        ),
    ] {
        let error = refusal(&text);
        assert_eq!((error.line, error.column, error.help.as_str()), (line, column, help), "{text}");
        assert!(error.what.contains("there is no"), "{error}");
    }
}

#[test]
fn denied_values_that_cannot_be_enforced() {
    for (text, what) in [
        (
            "version: \"2.0\"\npermissions: {}",
            "the version `2.0` is not known here: only `1.0` and `1.1` are",
        ),
        ("version: 1\npermissions: {}", "the version `1` is not known here"),
        ("version: [1]\npermissions: {}", "`version` is the text"),
        ("permissions: {}", "a policy with `permissions` says its version"),
        ("version: \"1.0\"", "`permissions` is missing"),
        ("version: \"1.0\"\npermissions:", "`permissions` is a map, not nothing"),
        (
            "version: \"1.0\"\ndescription: [a]\npermissions: {}",
            "`description` is a text, not a list",
        ),
        ("storage:", "`storage` is a map, not nothing"),
        ("storage: []", "`storage` is a map, not a list"),
        ("storage: {allow: {}}", "`allow` is a list, not a map"),
        ("storage: {allow: }", "`allow` is a list, not nothing"),
        ("storage: {allow: [fs:///a]}", "a rule of `allow` is a map, not a text"),
        ("storage: {allow: [{access: [read]}]}", "`uri` is missing"),
        ("storage: {allow: [{uri: fs:///a}]}", "`access` is missing"),
        ("storage: {allow: [{uri: fs:///a, access: []}]}", "`access` is empty"),
        ("storage: {deny: [{uri: fs:///a, access: []}]}", "`access` is empty"),
        ("storage: {allow: [{uri: fs:///a, access: read}]}", "`access` is a list, not a text"),
        ("storage: {allow: [{uri: fs:///a, access: [execute]}]}", "there is no access `execute`"),
        ("storage: {allow: [{uri: /a, access: [read]}]}", "`/a` does not begin with `fs://`"),
        ("storage: {allow: [{uri: 7, access: [read]}]}", "`uri` is a text, not a number"),
        ("network: {allow: [{methods: [GET]}]}", "exactly one of"),
        ("network: {allow: [{host: a.example, methods: []}]}", "`methods` is empty"),
        ("network: {allow: [{host: a.example, ports: [true]}]}", "`ports` is a list of ports"),
        ("network: {allow: [{host: a.example, ports: [0]}]}", "`0` is no port"),
        (
            "network: {allow: [{host: a.example, private: \"true\"}]}",
            "`private` is `true` or `false`",
        ),
        ("network: {allow: [{host: \"*\"}]}", "wildcard"),
        ("network: {deny: [{host: a.example, private: true}]}", "there is no key `private`"),
        ("network: {allow: [{host: a.example, inject: []}]}", "`inject` is empty"),
        ("network: {allow: [{host: a.example, inject: {header: A}}]}", "`value` is missing"),
        (
            "network: {allow: [{host: a.example, inject: {header: X-A, value: \"${secret:A}\"}}, {host: a.example, methods: [GET], inject: {header: X-A, value: \"${secret:B}\"}}]}",
            "one header with two values",
        ),
        ("environment: {allow: [{key: \"A B\"}]}", "`A B` is not the key of a variable"),
        ("environment: {allow: [{key: A, value: 1}]}", "`value` is a text, not a number"),
        ("environment: {allow: [{key: A, value: \"${secret:A}\"}]}", "which nothing replaces"),
        ("environment: {allow: [{key: A, value: x}, {key: A}]}", "with two values"),
    ] {
        let error = refusal(text);
        assert!(error.what.contains(what), "{text}: {error}");
        assert!(!error.help.is_empty(), "{text}: {error}");
    }
}

#[test]
fn denied_p04_limits_that_are_no_amounts() {
    for (text, what) in [
        ("resources: {limits: {memory: 0}}", "`0` is not allowed as a limit"),
        ("resources: {limits: {memory: -1}}", "`-1` is not an amount of memory"),
        ("resources: {limits: {memory: 1e30}}", "`1e30` is not an amount of memory"),
        ("resources: {limits: {memory: unlimited}}", "`unlimited` is not an amount of memory"),
        ("resources: {limits: {memory: 99999999999999999999}}", "is not an amount of memory"),
        ("resources: {limits: {memory: 5Gi}}", "the limit `memory` cannot be `5Gi`"),
        ("resources: {limits: {memory: }}", "`memory` is an amount"),
        ("resources: {limits: {cpu: 0.5}}", "`0.5` is not an amount of processor time"),
        ("resources: {limits: {cpu: 0m}}", "`0m` is not allowed as a limit"),
        ("resources: {limits: {time: 30}}", "`30` is not a duration"),
        ("resources: {limits: {requests: -5}}", "the limit `requests` cannot be `-5`"),
        ("resources: {limits: {requests: 9223372036854775808}}", "the limit `requests` cannot be"),
        ("resources: {limits: []}", "`limits` is a map, not a list"),
    ] {
        let error = refusal(text);
        assert!(error.what.contains(what), "{text}: {error}");
        assert!(!error.help.is_empty(), "{text}: {error}");
    }
}

#[test]
fn what_is_wrong_in_a_rule_is_shown_where_it_stands() {
    let error = refusal("network:\n  allow:\n    - host: a.example\n      ports: [443, nine]\n");
    assert_eq!((error.line, error.column), (4, 14));
    let error = refusal("storage:\n  allow:\n    - access: [read]\n      uri: \"fs:///a/../b\"\n");
    assert_eq!((error.line, error.column), (4, 12));
    let error = refusal("resources:\n  limits:\n    é: 1\n    memory: lots\n");
    assert_eq!((error.line, error.column, error.what.as_str()), (3, 5, "there is no limit `é`"));
}

#[test]
fn a_refusal_does_not_steer_a_terminal() {
    let error = refusal("storage: {allow: [{uri: \"a\\tb\\nc\", access: [read]}]}");
    assert!(!error.to_string().contains(['\t', '\n']), "{error:?}");
    let error = refusal(&format!("{}: {{}}", "x".repeat(60_000)));
    assert!(error.to_string().len() < 2000);
}

#[test]
fn denied_rules_that_are_not_true() {
    let text = "storage:\n  allow:\n    - {uri: fs:///ws, access: [read, write]}\n    - {uri: fs:///ws/docs, access: [read]}\n";
    let error = refusal(text);
    assert_eq!((error.line, error.column), (4, 7));
    assert_eq!(
        error.what,
        "`fs:///ws` already allows read,write of `fs:///ws/docs`, where this rule says read"
    );
    assert!(
        error.help.contains("add `{ uri: \"fs:///ws/docs\", access: [\"write\"] }` to `deny`"),
        "{}",
        error.help
    );
    let made_true = format!("{text}  deny:\n    - {{uri: fs:///ws/docs, access: [write]}}\n");
    assert_eq!(Policy::parse(&made_true).unwrap().storage.allow.len(), 2);
    for fine in [
        "storage: {allow: [{uri: fs:///ws, access: [read]}, {uri: fs:///ws/out, access: [read, write]}]}",
        "storage: {allow: [{uri: fs:///ws, access: [read]}, {uri: fs:///ws/docs, access: [read]}]}",
    ] {
        assert_eq!(Policy::parse(fine).unwrap().storage.allow.len(), 2, "{fine}");
    }
}

#[test]
fn rules_for_the_same_merge() {
    let text = "storage: {allow: [{uri: fs:///a, access: [read]}, {uri: fs:///a/, access: [write]}, {uri: fs:///a/**, access: [read]}]}";
    let policy = Policy::parse(text).unwrap();
    assert_eq!(policy.storage.allow.len(), 1);
    assert_eq!(policy.storage.allow[0].access, Accesses::BOTH);
    let text = "network: {allow: [{host: a.example}, {host: A.example.}, {host: a.example, schemes: [https, http]}]}";
    assert_eq!(Policy::parse(text).unwrap().network.allow.len(), 1);
    let text = "environment: {allow: [{key: A, value: x}, {key: A, value: x}]}";
    assert_eq!(Policy::parse(text).unwrap().environment.len(), 1);
}

#[test]
fn denied_the_values_of_variables_to_a_model() {
    let policy = Policy::parse(FULL).unwrap();
    let shown = policy.to_json_for_models();
    let allow = &shown["permissions"]["environment"]["allow"];
    assert_eq!(allow[0], serde_json::json!({"key": "API_KEY"}));
    assert_eq!(allow[1], serde_json::json!({"key": "LOG_LEVEL", "value": "(set)"}));
    let mut open = policy.to_json();
    open["permissions"]["environment"]["allow"][1]["value"] = "(set)".into();
    assert_eq!(shown, open, "nothing else is different");
}

/// Two moments at which rules end.
pub(crate) const ENDS: [&str; 2] = ["2026-11-21T18:00:00Z", "2100-01-01T00:00:00Z"];

/// Mostly none; none at all for what denies.
pub(crate) fn any_end(kind: RuleKind) -> impl Strategy<Value = Option<Until>> {
    let end = proptest::sample::select(ENDS.to_vec()).prop_map(|text| text.parse().unwrap());
    proptest::option::weighted(0.4, end)
        .prop_map(move |end| end.filter(|_| kind == RuleKind::Allow))
}

pub(crate) fn any_storage(kind: RuleKind) -> impl Strategy<Value = StorageRule> {
    let uri = prop_oneof![
        "fs:///[abé]( ?[abé]){0,2}(/[ab.#:-]{1,2}x)?(/\\*\\*)?(/\\*\\.md)?",
        "fs://(workspace|w-1)(/[ab]){0,2}(/\\*\\*/[ab]\\?)?",
    ];
    (uri, 0..3, any_end(kind)).prop_map(|(uri, access, until)| StorageRule {
        uri: uri.parse().unwrap(),
        access: [Accesses::READ, Accesses::WRITE, Accesses::BOTH][access as usize],
        until,
    })
}

pub(crate) fn any_network(kind: RuleKind) -> impl Strategy<Value = NetworkRule> {
    let some = |texts: &'static [&'static str]| {
        proptest::option::weighted(
            0.3,
            proptest::sample::subsequence(texts.to_vec(), 1..=texts.len()),
        )
        .prop_map(|chosen| {
            chosen.map(|texts| texts.into_iter().map(str::to_owned).collect::<Vec<_>>())
        })
    };
    let word = proptest::sample::select(vec![
        "a.example",
        "b.example",
        "*.a.example",
        "https://a.example",
        "https://b.example:8443",
        "a.example:8080",
        "tcp://a.example:5432",
        "tcp://a.example:8080",
        "udp://b.example:53",
        "udp://b.example:54",
        "10.0.0.0/8",
        "10.1.0.0/16",
        "[::1]",
    ]);
    (
        word,
        some(&["http", "https"]),
        some(&["443", "80", "8000-8100"]),
        some(&["GET", "POST"]),
        some(&["/v1/**", "/v1/*", "/v1/now", "/"]),
        any::<bool>(),
        0..6,
        any_end(kind),
    )
        .prop_map(move |(word, schemes, ports, methods, paths, private, inject, until)| {
            let bare = NetworkRuleText {
                until,
                private: private && kind == RuleKind::Allow,
                ..NetworkRuleText::target(word)
            };
            let header = |secret: &str| InjectText {
                header: "x-a".to_owned(),
                value: format!("a ${{secret:{secret}}}"),
            };
            let inject = match inject {
                0 => vec![header("A")],
                1 => vec![header("B")],
                _ => vec![],
            };
            let full = NetworkRuleText { schemes, ports, methods, paths, inject, ..bare.clone() };
            NetworkRule::read(&full, kind).or_else(|_| NetworkRule::read(&bare, kind)).unwrap()
        })
}

pub(crate) fn any_policy() -> impl Strategy<Value = Policy> {
    let settings = [
        ("memory", "512Mi"),
        ("cpu", "500m"),
        ("cpu", "2s"),
        ("time", "90s"),
        ("requests", "5"),
        ("memory", "1000"),
    ];
    let limits = proptest::sample::subsequence(settings.to_vec(), 0..=3);
    let value = proptest::option::of("[ -~é\n\t]{0,8}");
    let variable = ("[A-C]", value, any_end(RuleKind::Allow));
    (
        proptest::option::of("[ -~é\"\\\\\n\t😀]{0,12}"),
        (
            proptest::collection::vec(any_storage(RuleKind::Allow), 0..4),
            proptest::collection::vec(any_storage(RuleKind::Deny), 0..2),
        ),
        (
            proptest::collection::vec(any_network(RuleKind::Allow), 0..4),
            proptest::collection::vec(any_network(RuleKind::Deny), 0..2),
        ),
        proptest::collection::vec(variable, 0..3),
        limits,
    )
        .prop_filter_map("a policy", |(description, storage, network, environment, limits)| {
            let mut policy = Policy {
                description,
                storage: Rules { allow: storage.0, deny: storage.1 },
                network: Rules { allow: network.0, deny: network.1 },
                environment: environment
                    .into_iter()
                    .map(|(key, value, until)| VariableRule { key, value, until })
                    .collect(),
                ..Policy::default()
            };
            for (name, setting) in limits {
                policy.limits.set(name, Setting::from(setting)).unwrap();
            }
            // Merges what a document would merge, and leaves out what it would refuse.
            Policy::parse(&policy.to_yaml()).ok()
        })
}

proptest! {
    #[test]
    fn printing_and_reading_is_the_identity(policy in any_policy()) {
        let text = policy.to_yaml();
        prop_assert_eq!(Policy::parse(&text), Ok(policy.clone()), "{}", text);
        prop_assert_eq!(Policy::parse(&policy.to_json().to_string()), Ok(policy.clone()));
        prop_assert_eq!(policy.clone().to_yaml(), text);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~\n\té\"{}:*&!|>-]{0,200}") {
        if let Ok(policy) = Policy::parse(&text) {
            prop_assert_eq!(Policy::parse(&policy.to_yaml()), Ok(policy));
        }
    }
}

#[test]
fn an_error_is_found_in_the_document_around_the_permissions() {
    let permissions = "network:\n  allow:\n  - host: a.example\n    methods: ['*']\n";
    let error = refusal(permissions);
    let inner: String = permissions.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("list:\n- of: x\n- below:\n{inner}");
    let found = error.within(&text, &["list", "1", "below"]).unwrap();
    assert_eq!((found.line, found.column, &found.what), (7, 18, &error.what));
    for path in [["list", "0", "below"], ["list", "1", "of"], ["list", "x", "below"]] {
        assert_eq!(error.within(&text, &path), None);
    }
    assert_eq!(refusal("storage: []").within(&text, &["list", "1", "below"]), None);
}
