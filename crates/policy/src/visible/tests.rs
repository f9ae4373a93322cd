use proptest::prelude::*;

use super::*;
use crate::{
    Accesses, InjectText, NetworkRule, NetworkRuleText, PathGlob, Policy, RuleKind, StorageRule,
    StorageUri, Until, VariableRule,
};

fn storage(uri: &str) -> Policy {
    let uri = serde_json::json!(uri);
    Policy::parse(&format!("storage: {{allow: [{{uri: {uri}, access: [read]}}]}}")).unwrap()
}

fn changes(policy: &Policy) -> Vec<String> {
    policy.changes_since(&Policy::default())
}

#[test]
fn denied_a_path_that_forges_the_rest_of_its_line() {
    assert_eq!(
        changes(&storage("fs:///k read until 2026-11-21T17:00:00Z")),
        [r#"+ allow storage "fs:///k read until 2026-11-21T17:00:00Z" read"#]
    );
    assert_eq!(
        changes(&storage("fs:///a\" read until 2026-11-21T17:00:00Z")),
        [r#"+ allow storage "fs:///a\" read until 2026-11-21T17:00:00Z" read"#]
    );
    let network = Policy::parse(
        "network: {allow: [{host: 'https://a.example', \
         paths: ['/**', '/**/z methods=GET until 2026-11-21T17:00:00Z', '/b,/c', '/d=1']}]}",
    );
    assert_eq!(
        changes(&network.unwrap()),
        ["+ allow network https://a.example \
          paths=\"/b,/c\",\"/d=1\",/**,\"/**/z methods=GET until 2026-11-21T17:00:00Z\""]
    );
}

/// A remark puts a rule in backticks: the rule cannot end them.
#[test]
fn denied_a_path_that_ends_the_quotes_around_its_rule() {
    let policy = storage("fs:///a` is allowed already; `fs:/b");
    let again = policy.edit(&policy.additions().unwrap()[0]).unwrap();
    assert_eq!(
        again.changes,
        [
            r#"nothing changes: `"fs:///a\u{60} is allowed already; \u{60}fs:/b" read` is allowed already"#
        ]
    );
}

#[test]
fn denied_a_range_that_reads_like_one_host_with_a_path() {
    let range = Policy::parse("network: {allow: [{cidr: 10.0.0.0/8, schemes: [https]}]}").unwrap();
    assert_eq!(changes(&range), ["+ allow network 10.0.0.0/8 schemes=https"]);
}

#[test]
fn denied_letters_that_turn_a_line_around() {
    // One of each block: Hebrew, Arabic, Syriac, Thaana, NKo, Samaritan, presentation forms, Lydian,
    // Mende.
    let letters = [
        '\u{5d0}',
        '\u{627}',
        '\u{710}',
        '\u{780}',
        '\u{7ca}',
        '\u{800}',
        '\u{fb21}',
        '\u{fdf2}',
        '\u{fe8d}',
        '\u{10920}',
        '\u{1e800}',
        '\u{1eeff}',
    ];
    for letter in letters {
        let escaped = letter.escape_unicode().to_string();
        assert_eq!(visible(&format!("a{letter}1"), 9), format!("a{escaped}1"));
        let line = changes(&storage(&format!("fs:///a{letter}/1")));
        assert_eq!(line, [format!("+ allow storage \"fs:///a{escaped}/1\" read")]);
        assert_eq!(line.concat(), visible(&line.concat(), 400));
    }
    for plain in ["Grüße", "ключ", "世界", "देव", "ไทย"] {
        assert_eq!((visible(plain, 99).as_str(), word(plain)), (plain, Cow::Borrowed(plain)));
    }
}

#[test]
fn a_value_stands_in_what_a_person_decides_upon_and_nowhere_else() {
    let policy = Policy::parse(
        "network: {allow: [{host: a.example, inject: {header: x-key, value: 'Key, ${secret:KEY}'}}]}\n\
         environment: {allow: [{key: BASE, value: 'https://evil.example'}, \
         {key: MOTTO, value: \"a until\\n2026\"}, {key: NONE, value: ''}, {key: OPEN}]}",
    )
    .unwrap();
    assert_eq!(
        policy.changes_in_full(&Policy::default()),
        [
            r#"+ allow network https://a.example inject=x-key:"Key, ${secret:KEY}""#,
            "+ allow variable BASE = https://evil.example",
            r#"+ allow variable MOTTO = "a until\u{a}2026""#,
            r#"+ allow variable NONE = """#,
            "+ allow variable OPEN",
        ]
    );
    assert_eq!(
        changes(&policy)[..3],
        [
            "+ allow network https://a.example inject=x-key:${secret:KEY}",
            "+ allow variable BASE with a fixed value",
            "+ allow variable MOTTO with a fixed value",
        ]
    );
}

/// The words of a line, cut at `by` where that stands in no quotes; the quotes stay.
fn cut(line: &str, by: char) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let words = line
        .split(|character| {
            match character {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '"' => is_quoted = !is_quoted,
                _ => return character == by && !is_quoted,
            }
            false
        })
        .collect();
    assert!(!is_quoted && !is_escaped, "{line}");
    words
}

/// The text that a word stands for.
fn meant(word: &str) -> String {
    let Some(inner) = word.strip_prefix('"') else { return word.to_owned() };
    let (mut text, mut rest) = (String::new(), inner.strip_suffix('"').unwrap().chars());
    while let Some(character) = rest.next() {
        if character != '\\' {
            text.push(character);
        } else if let Some((code, after)) =
            rest.as_str().strip_prefix("u{").and_then(|code| code.split_once('}'))
        {
            text.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
            rest = after.chars();
        } else {
            text.extend(rest.next());
        }
    }
    text
}

/// Takes ` until …` off the words of a line.
fn ended(words: &mut Vec<&str>) -> Option<Until> {
    let at = words.len().checked_sub(2).filter(|at| words[*at] == "until")?;
    let until = words[at + 1].parse().unwrap();
    words.truncate(at);
    Some(until)
}

fn storage_of(line: &str) -> StorageRule {
    let mut words = cut(line, ' ');
    let until = ended(&mut words);
    let [uri, access] = words[..] else { panic!("{line}") };
    let access = Accesses::of(access.split(',').map(|one| one.parse().unwrap()));
    StorageRule { until, ..StorageRule::new(meant(uri).parse().unwrap(), access.unwrap()) }
}

fn network_of(line: &str, kind: RuleKind) -> NetworkRule {
    let mut words = cut(line, ' ');
    let until = ended(&mut words);
    let mut text = NetworkRuleText { until, ..NetworkRuleText::target(words[0]) };
    for said in &words[1..] {
        let (key, values) = said.split_once('=').unwrap_or((said, ""));
        let list = || Some(cut(values, ',').into_iter().map(meant).collect());
        match key {
            "schemes" => text.schemes = list(),
            "ports" => text.ports = list(),
            "methods" => text.methods = list(),
            "paths" => text.paths = list(),
            "private" => text.private = true,
            "inject" => {
                let inject = |pair: &str| {
                    // No header has a `:` in its name.
                    let (header, value) = pair.split_once(':').unwrap();
                    InjectText { header: meant(header), value: meant(value) }
                };
                text.inject = cut(values, ',').into_iter().map(inject).collect();
            }
            _ => panic!("{line}"),
        }
    }
    NetworkRule::read(&text, kind).unwrap()
}

fn variable_of(line: &str) -> VariableRule {
    let mut words = cut(line, ' ');
    let until = ended(&mut words);
    let (key, value) = match words[..] {
        [key] => (key, None),
        [key, "=", value] => (key, Some(meant(value))),
        _ => panic!("{line}"),
    };
    VariableRule { until, ..VariableRule::new(meant(key), value) }
}

/// Text that would like to be more than a part of its line.
fn forged() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a",
        "/",
        "*",
        " ",
        ",",
        "=",
        ":",
        "\"",
        "'",
        "`",
        "(",
        "{",
        "u{5d0}",
        "\u{5d0}",
        "\u{a0}",
        "\u{2003}",
        "\u{200d}",
        "\u{3164}",
        "\u{1f389}",
        "…",
        " read",
        " private",
        " methods=GET",
        " until 2026-11-21T17:00:00Z",
        "\" until 2026-11-21T17:00:00Z",
    ];
    proptest::collection::vec(proptest::sample::select(pieces), 0..8)
        .prop_map(|pieces| pieces.concat())
}

fn any_end() -> impl Strategy<Value = Option<Until>> {
    let end = Just("2026-11-21T17:00:00Z".parse().unwrap());
    proptest::option::of(end)
}

proptest! {
    #[test]
    fn the_line_of_a_storage_rule_has_one_reading(text in forged(), until in any_end(), access in 0..3_usize) {
        let Ok(uri) = format!("fs:///{text}").parse::<StorageUri>() else { return Ok(()) };
        let access = [Accesses::READ, Accesses::WRITE, Accesses::BOTH][access];
        let rule = StorageRule { until, ..StorageRule::new(uri, access) };
        let line = rule.to_string();
        prop_assert_eq!(storage_of(&line), rule);
        prop_assert_eq!(visible(&line, usize::MAX), line);
    }

    #[test]
    fn the_line_of_a_network_rule_has_one_reading(
        word in proptest::sample::select(vec!["a.example", "https://a.example", "http://a.example:8080", "a.example:81", "*.a.example", "10.0.0.0/8", "[::1]"]),
        paths in proptest::collection::vec(forged(), 0..4),
        methods in proptest::sample::subsequence(vec!["GET", "A-B", "A_B"], 0..=3),
        schemes in proptest::sample::subsequence(vec!["http", "https"], 0..=2),
        headers in proptest::collection::vec(("[a-c`'$]{1,2}", forged()), 0..3),
        private in any::<bool>(),
        is_allowed in any::<bool>(),
        until in any_end(),
    ) {
        let kind = if is_allowed { RuleKind::Allow } else { RuleKind::Deny };
        let some = |texts: Vec<String>| (!texts.is_empty()).then_some(texts);
        let paths: Vec<String> = paths.iter().map(|path| format!("/{path}")).filter(|path| path.parse::<PathGlob>().is_ok()).collect();
        let texts = |words: Vec<&str>| some(words.into_iter().map(str::to_owned).collect());
        let inject = headers.into_iter().map(|(header, text)| InjectText { header, value: format!("{text}${{secret:KEY}}") });
        let text = NetworkRuleText {
            paths: some(paths),
            methods: texts(methods),
            schemes: texts(schemes).filter(|_| !word.contains("://")),
            private: private && is_allowed,
            inject: inject.filter(|_| is_allowed).collect(),
            until: until.filter(|_| is_allowed),
            ..NetworkRuleText::target(word)
        };
        let read = NetworkRule::read(&text, kind);
        // A header that cannot be added is no matter here.
        let bare = || NetworkRule::read(&NetworkRuleText { inject: vec![], ..text.clone() }, kind).unwrap();
        let rule = read.unwrap_or_else(|_| bare());
        let line = format!("{rule:#}");
        prop_assert_eq!(network_of(&line, kind), rule.clone(), "{}", line);
        prop_assert_eq!(visible(&line, usize::MAX), line);
    }

    #[test]
    fn the_line_of_a_variable_has_one_reading(value in proptest::option::of(forged()), until in any_end()) {
        let rule = VariableRule { until, ..VariableRule::new("A,B", value) };
        let line = format!("{rule:#}");
        prop_assert_eq!(variable_of(&line), rule);
        prop_assert_eq!(visible(&line, usize::MAX), line);
    }
}
