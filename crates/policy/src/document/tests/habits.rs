//! Habits from elsewhere: what older YAML means by a word, and what one writes who thinks of a list as
//! a text or of a text as a list. The cure is what to write, not a rule of grammar.

use super::*;

#[test]
fn what_to_write_is_said() {
    for (text, help) in [
        // Items as texts.
        ("network: {allow: [example.com]}", "write `- host: \"example.com\"`"),
        ("network: {deny: ['https://a.example/x']}", "write `- host: \"https://a.example/x\"`"),
        ("network: {allow: [10.0.0.0/8]}", "write `- cidr: \"10.0.0.0/8\"`"),
        ("storage: {allow: [fs:///a]}", "write `- { uri: \"fs:///a\", access: [\"read\"] }`"),
        ("storage: {allow: [/a]}", "write `- { uri: \"fs:///a\", access: [\"read\"] }`"),
        ("storage: {deny: [/a]}", "write `- uri: \"fs:///a\"`"),
        ("environment: {allow: [API_KEY]}", "write `- key: \"API_KEY\"`"),
        ("environment: {allow: [A=b]}", "write `- { key: \"A\", value: \"b\" }`"),
        ("network: {allow: [7]}", "write a rule with `host:`, `cidr:`, `tcp:`"),
        ("network: {allow: [[a]]}", "write a rule with `host:`, `cidr:`, `tcp:`"),
        // One where a list belongs.
        ("network: {allow: {host: a.example}}", "write `- ` before each rule"),
        ("network: [{host: a.example}]", "write `allow:` before the list"),
        ("network: {allow: }", "write `[]`, or leave `allow` out"),
        ("network:", "where it has nothing to say, write `{}` or leave it out"),
        ("network: {allow: [{host: a.example, methods: GET}]}", "write `methods: [\"GET\"]`"),
        (
            "network: {allow: [{host: a.example, methods: 'GET, POST'}]}",
            "write `methods: [\"GET\", \"POST\"]`",
        ),
        ("network: {allow: [{host: a.example, ports: 443}]}", "write `ports: [443]`"),
        (
            "network: {allow: [{host: a.example, ports: '443,8000-8080'}]}",
            "write `ports: [443, \"8000-8080\"]`",
        ),
        ("network: {allow: [{host: a.example, paths: /v1/**}]}", "write `paths: [\"/v1/**\"]`"),
        ("network: {allow: [{host: a.example, schemes: https}]}", "write `schemes: [\"https\"]`"),
        ("storage: {allow: [{uri: fs:///a, access: read}]}", "write `access: [\"read\"]`"),
        (
            "storage: {allow: [{uri: fs:///a, access: 'read,write'}]}",
            "write `access: [\"read\", \"write\"]`",
        ),
        ("network: {allow: [{host: [a.example]}]}", "write one text here"),
        // Truths.
        ("network: {allow: [{host: a.example, private: yes}]}", "write `true`"),
        ("network: {allow: [{host: a.example, private: On}]}", "write `true`"),
        ("network: {allow: [{host: a.example, private: 1}]}", "write `true`"),
        ("network: {allow: [{host: a.example, private: no}]}", "write `false`"),
        ("network: {allow: [{host: a.example, private: OFF}]}", "write `false`"),
        ("network: {allow: [{host: a.example, private: 'true'}]}", "write `true`, without quotes"),
        (
            "network: {allow: [{host: a.example, private: 'false'}]}",
            "write `false`, without quotes",
        ),
        ("network: {allow: [{host: a.example, private: maybe}]}", "write `true` or `false`"),
        ("network: {allow: [{host: a.example, private: }]}", "write `true` or `false`"),
        // Texts that look like something else.
        ("environment: {allow: [{key: A, value: 8080}]}", "write `\"8080\"`"),
        ("environment: {allow: [{key: A, value: true}]}", "write `\"true\"`"),
        ("environment: {allow: [{key: A, value: }]}", "write a text after the colon"),
        ("network: {allow: [{host: 10}]}", "write `\"10\"`"),
        // Numbers.
        ("resources: {limits: {requests: 010}}", "write `10`, without a zero before it"),
        ("resources: {limits: {memory: 0755}}", "write `755`, without a zero before it"),
        (
            "resources: {limits: {requests: 0o17}}",
            "expected a whole number from 1 to 1000000, without quotes",
        ),
        (
            "resources: {limits: {requests: \"5\"}}",
            "expected a whole number from 1 to 1000000, without quotes",
        ),
        (
            "resources: {memory_bytes: 5}",
            "write `limits: { memory: \"512Mi\" }`, or the number of bytes there",
        ),
        ("resources: {cpu_time_ms: 5}", "write `limits: { cpu: \"500ms\" }` for processor time"),
    ] {
        let error = refusal(text);
        assert!(error.help.starts_with(help), "{text}: {error}; {}", error.help);
    }
}

/// What older YAML takes for truths is text here, as its author wrote it.
#[test]
fn words_stay_words() {
    let policy =
        Policy::parse("environment: {allow: [{key: NO, value: on}, {key: Y, value: yes}]}");
    let variables: Vec<_> =
        policy.unwrap().environment.into_iter().map(|rule| (rule.key, rule.value)).collect();
    let words = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
    assert_eq!(variables, [words("NO", "on"), words("Y", "yes")]);
}
