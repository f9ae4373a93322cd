//! Values that a rule could hold and that would never match anything: under `deny` they would deny
//! nothing, and nobody would know. Each is refused, where it stands, with what to write instead.

use super::*;

/// Kind of rule, what stands in it, and what the cure says.
const NETWORK: &[(&str, &str)] = &[
    // Methods.
    ("host: a.example, methods: ['*']", "leave `methods` out to mean all of them"),
    ("host: a.example, methods: [ALL]", "leave `methods` out to mean all of them"),
    ("host: a.example, methods: [GET, any]", "leave `methods` out to mean all of them"),
    ("host: a.example, methods: ['']", "leave `methods` out to mean all of them"),
    ("host: a.example, methods: ['GET,POST']", "write each by itself: `[\"GET\", \"POST\"]`"),
    ("host: a.example, methods: ['GET|POST']", "write each by itself: `[\"GET\", \"POST\"]`"),
    ("host: a.example, methods: ['GET POST']", "write each by itself: `[\"GET\", \"POST\"]`"),
    ("host: a.example, methods: ['P*']", "write each method by its name"),
    ("host: a.example, methods: ['!GET']", "write each method by its name"),
    ("host: a.example, methods: [CONNECT]", "no component can use it"),
    ("host: a.example, methods: []", "leave `methods` out to mean the default"),
    // Schemes.
    ("host: a.example, schemes: ['*']", "leave `schemes` out to mean both"),
    ("host: a.example, schemes: [ftp]", "leave `schemes` out to mean both"),
    ("host: a.example, schemes: ['https://']", "leave `schemes` out to mean both"),
    ("host: a.example, schemes: ['http,https']", "leave `schemes` out to mean both"),
    ("host: a.example, schemes: [tcp]", "raw sockets are"),
    ("host: a.example, schemes: []", "leave `schemes` out to mean the default"),
    // Ports.
    ("host: a.example, ports: [0]", "from 1 to 65535"),
    ("host: a.example, ports: [65536]", "from 1 to 65535"),
    ("host: a.example, ports: [-1]", "from 1 to 65535"),
    ("host: a.example, ports: ['8080-8000']", "begins with its lower port"),
    ("host: a.example, ports: ['1-70000']", "from 1 to 65535"),
    ("host: a.example, ports: ['443,80']", "from 1 to 65535"),
    ("host: a.example, ports: ['*']", "write `1-65535` to mean all of them"),
    ("host: a.example, ports: [0443]", "from 1 to 65535"),
    ("host: a.example, ports: [443.5]", "from 1 to 65535"),
    ("host: a.example, ports: []", "leave `ports` out to mean the default"),
    ("host: 'a.example:0'", "from 1 to 65535"),
    ("host: 'a.example:'", "from 1 to 65535"),
    ("host: 'a.example:http'", "from 1 to 65535"),
    // Paths.
    ("host: a.example, paths: ['v1/**']", "a path begins with `/`"),
    ("host: a.example, paths: ['**']", "a path begins with `/`"),
    ("host: a.example, paths: ['']", "a path begins with `/`"),
    ("host: a.example, paths: ['https://a.example/v1']", "a path begins with `/`"),
    ("host: a.example, paths: ['/v1?x=1']", "rules do not see what follows"),
    ("host: a.example, paths: ['/v1#top']", "rules do not see what follows"),
    ("host: a.example, paths: ['/v1/../admin']", "without `//`, `.` and `..`"),
    ("host: a.example, paths: ['/v1//admin']", "without `//`, `.` and `..`"),
    ("host: a.example, paths: ['/a%20b']", "write the path decoded"),
    ("host: a.example, paths: ['/a;b']", "write the path decoded"),
    ("host: a.example, paths: ['/v1**']", "`**` stands alone"),
    ("host: a.example, paths: ['/v1/{id}']", "the wildcards are"),
    ("host: a.example, paths: ['/(a|b)']", "the wildcards are"),
    ("host: a.example, paths: ['/[ab]']", "the wildcards are"),
    ("host: a.example, paths: ['^/v1']", "a path begins with `/`"),
    ("host: a.example, paths: ['/v1 ']", "neither begins nor ends with a blank"),
    ("host: a.example, paths: ['/v1/ x']", "neither begins nor ends with a blank"),
    ("host: a.example, paths: []", "leave `paths` out to mean the default"),
    // Hosts.
    ("host: ''", "write a name such as"),
    ("host: '*'", "no rule stands for all hosts"),
    ("host: 'a.*.example'", "no rule stands for all hosts"),
    ("host: 'https://*'", "no rule stands for all hosts"),
    ("host: '/.*/'", "no rule stands for all hosts"),
    ("host: 'a.example '", "write the name alone"),
    ("host: 'a..example'", "write a name such as"),
    ("host: 'a%2eexample'", "without percent-encoding"),
    ("host: 'user@a.example'", "what stands before `@`"),
    ("host: 'a.example/v1'", ""),
    ("host: 'ftp://a.example'", "write `https` or `http`"),
    ("host: '1.2.3.4.5'", "four numbers"),
    ("host: '256.1.1.1'", "four numbers"),
    ("host: '[::1'", "write the name alone"),
    ("host: '::g'", ""),
    ("host: 'a.example, b.example'", "write the name alone"),
    ("host: 'a.example|b.example'", "write the name alone"),
    // Ranges and sockets.
    ("cidr: '10.0.0.1/8'", "write `10.0.0.0/8`"),
    ("cidr: '10.0.0.0/40'", "write the first address and the length"),
    ("cidr: '10.0.0.0'", "write the first address and the length"),
    ("cidr: '10.0.0.0-10.0.0.9'", "write the first address and the length"),
    ("cidr: '::ffff:10.0.0.0/104'", "write the range of IPv4"),
    ("cidr: a.example/8", "write the first address and the length"),
    ("tcp: a.example", "write it behind the host"),
    ("tcp: 'a.example:0'", "from 1 to 65535"),
    ("tcp: '*.a.example:25'", "write `*.example.com`"),
    ("udp: '10.0.0.0/8:53'", ""),
    ("tcp: 'a.example:25', methods: [GET]", "leave `methods` out"),
    ("methods: [GET]", "write one rule for each of them"),
];

const STORAGE: &[(&str, &str)] = &[
    ("uri: '', access: [read]", "write"),
    ("uri: 'fs://', access: [read]", "write"),
    ("uri: '/data', access: [read]", "write `fs:///data`"),
    ("uri: 'file:///data', access: [read]", "write `fs:///data`"),
    ("uri: '**', access: [read]", "write"),
    ("uri: 'fs://**/x', access: [read]", "a name has letters"),
    ("uri: 'fs://./x', access: [read]", "a name has letters"),
    ("uri: 'fs://~/x', access: [read]", "a name has letters"),
    ("uri: 'fs:///a/../b', access: [read]", "without `..`"),
    ("uri: 'fs:///~/x', access: [read]", "write the path in full"),
    ("uri: 'fs:///$HOME/x', access: [read]", "write the path in full"),
    ("uri: 'fs:///a%20b', access: [read]", "write the path in full"),
    ("uri: 'fs:///a\\b', access: [read]", "directories are separated by `/`"),
    ("uri: 'fs:///{a,b}', access: [read]", "the wildcards are"),
    ("uri: 'fs:///[ab]', access: [read]", "the wildcards are"),
    ("uri: 'fs:///a**', access: [read]", "`**` stands alone"),
    ("uri: 'fs:///a ', access: [read]", "take it out"),
    ("uri: 'fs:/// a/b', access: [read]", "take it out"),
    ("uri: 'fs:///a', access: []", "write `[\"read\"]`"),
    ("uri: 'fs:///a', access: [READ]", "write `read`, `write`, or both"),
    ("uri: 'fs:///a', access: ['*']", "write `read`, `write`, or both"),
    ("uri: 'fs:///a', access: [rw]", "write `read`, `write`, or both"),
    ("uri: 'fs:///a', access: ['read,write']", "write `read`, `write`, or both"),
];

const VARIABLES: &[(&str, &str)] = &[
    ("key: ''", "write the variable's name"),
    ("key: '*'", "a key is exact"),
    ("key: 'API_*'", "a key is exact"),
    ("key: 'A=B'", "a key is exact"),
    ("key: 'A B'", "a key is exact"),
    ("key: ' A'", "a key is exact"),
    ("key: '$A'", "a key is exact"),
    ("key: 'KLÜÇ'", "a key is exact"),
    ("key: \"A\\0B\"", "what a policy says must be what one sees"),
    ("key: A, value: \"\\0\"", "what a policy says must be what one sees"),
    ("key: A, value: '${B}'", "leave `value` out"),
    ("key: A, value_from: B", "`wassette secret set`"),
];

fn refused_there(text: &str, cure: &str) {
    let error = refusal(text);
    assert!(error.help.contains(cure), "{text}: {error}; {}", error.help);
    assert!(!error.help.is_empty() && !error.what.is_empty(), "{text}: {error}");
    assert!(error.line == 3 && error.column >= 7, "{text}: {error}");
}

#[test]
fn denied_values_that_no_rule_could_ever_match() {
    for (rules, kinds, table) in [
        ("network", ["allow", "deny"].as_slice(), NETWORK),
        ("storage", ["allow", "deny"].as_slice(), STORAGE),
        ("environment", ["allow"].as_slice(), VARIABLES),
    ] {
        for kind in kinds {
            for (rule, cure) in table {
                refused_there(&format!("{rules}:\n  {kind}:\n    - {{ {rule} }}\n"), cure);
            }
        }
    }
}

/// What the document's reader refuses cannot come in through an edit either.
#[test]
fn denied_edits_after_which_a_policy_could_not_be_read() {
    use crate::{AnyRule, Edit, EditError, VariableRule};
    let grant = |key: &str, value: &str| {
        let rule = VariableRule::new(key, Some(value.to_owned()));
        Policy::default().edit(&Edit::Grant(AnyRule::Variable(rule)))
    };
    for (key, value) in [("A=B", "x"), ("A", "${B}"), ("A", "\u{1b}[2J"), ("A", "a\0"), ("", "x")] {
        let refused = grant(key, value);
        assert!(matches!(refused, Err(EditError::Variable(_))), "{key:?} {value:?}: {refused:?}");
    }
    assert!(grant("A", "two\nlines, \"quotes\" and \ttabs").is_ok());
    let text = NetworkRuleText {
        paths: Some(vec!["/a\u{202e}b".to_owned()]),
        ..NetworkRuleText::target("a.example")
    };
    let rule = NetworkRule::read(&text, RuleKind::Allow).unwrap();
    let edited = Policy::default().edit(&Edit::Grant(AnyRule::Network(rule)));
    assert!(matches!(edited, Err(EditError::Unreadable { .. })), "{edited:?}");
}

#[test]
fn what_may_not_be_meant_is_told() {
    let cautions = |text: &str| {
        let at: Until = "2026-06-01T00:00:00Z".parse().unwrap();
        Policy::parse(text).unwrap().cautions(at.time())
    };
    for (text, part) in [
        ("network: {deny: [{host: a.example, methods: [DELET]}]}", "did you mean `DELETE`?"),
        ("network: {allow: [{host: '*.github.io'}]}", "`*.github.io` allows more"),
        (
            "network: {allow: [{host: a.example, until: '2001-01-01T00:00:00Z'}]}",
            "has ended, and allows nothing",
        ),
        (
            "storage: {allow: [{uri: fs:///a, access: [read], until: '2001-01-01T00:00:00Z'}]}",
            "has ended",
        ),
        ("resources: {limits: {memory: 512}}", "of 512 bytes is less than any component needs"),
        ("environment: {allow: [{key: A, until: '2001-01-01T00:00:00Z'}]}", "has ended"),
    ] {
        let told = cautions(text);
        assert!(matches!(told.as_slice(), [one] if one.contains(part)), "{text}: {told:?}");
    }
    assert_eq!(cautions(FULL), [""; 0]);
    let twice = "network: {allow: [{host: '*.github.io'}, {host: '*.github.io', methods: [GET]}]}";
    assert_eq!(cautions(twice).len(), 1);
    let before = Policy::parse("network: {allow: [{host: '*.github.io'}]}").unwrap();
    assert_eq!(before.cautions_since(&before, std::time::UNIX_EPOCH), [""; 0]);
}

#[test]
fn a_workspace_that_there_is_not_is_told_with_the_nearest() {
    let policy = Policy::parse(
        "storage:\n  allow:\n    - { uri: fs://workspace/a, access: [read] }\n    \
         - { uri: fs://docs/a, access: [read] }\n  deny:\n    - { uri: fs://Workspace/a/b }\n    \
         - { uri: fs:///a/c }\n",
    )
    .unwrap();
    let told = policy.without_workspaces(&["workspace"]);
    let [allow, deny] = told.as_slice() else { panic!("{told:?}") };
    assert!(
        allow.starts_with("`fs://docs/a`: there is no workspace `docs` here, so the rule allows")
    );
    assert!(
        deny.contains("no workspace `Workspace`") && deny.contains("no file is open"),
        "{deny}"
    );
    assert!(deny.contains("did you mean `fs://workspace/…`?"), "{deny}");
    assert_eq!(policy.without_workspaces(&["workspace", "docs", "Workspace"]), [""; 0]);
}
