//! Rules that end, as they are written.

use super::refusal;
use crate::{Policy, Until};

/// A rule for each kind of effect, with `end` in it.
fn ending(end: &str) -> String {
    format!(
        "storage: {{allow: [{{uri: fs:///a, access: [read], {end}}}]}}\n\
         network: {{allow: [{{host: a.example, {end}}}, {{tcp: \"a.example:5432\", {end}}}]}}\n\
         environment: {{allow: [{{key: A, value: x, {end}}}]}}\n"
    )
}

#[test]
fn rules_of_every_kind_can_end() {
    let moment: Until = "2026-11-21T18:00:00Z".parse().unwrap();
    // A date is a text in YAML, with quotes or without.
    for end in ["until: 2026-11-21T18:00:00Z", "until: \"2026-11-21T18:00:00Z\""] {
        let policy = Policy::parse(&ending(end)).unwrap();
        assert_eq!(policy.storage.allow[0].until, Some(moment));
        assert!(policy.network.allow.iter().all(|rule| rule.until() == Some(moment)));
        assert_eq!(policy.environment[0].until, Some(moment));
        assert_eq!(Policy::parse(&policy.to_yaml()), Ok(policy.clone()));
        assert_eq!(Policy::parse(&policy.to_json().to_string()), Ok(policy.clone()));
        let shown: Vec<_> = policy.changes_since(&Policy::default());
        assert_eq!(
            shown,
            [
                "+ allow storage fs:///a read until 2026-11-21T18:00:00Z",
                "+ allow network a.example until 2026-11-21T18:00:00Z",
                "+ allow network tcp://a.example:5432 until 2026-11-21T18:00:00Z",
                "+ allow variable A with a fixed value until 2026-11-21T18:00:00Z",
            ]
        );
    }
}

#[test]
fn denied_ends_that_say_no_moment_or_that_would_widen() {
    let until = "until: \"2026-11-21T18:00:00Z\"";
    let deny = "a rule of `deny` never ends";
    for (text, what, help) in [
        (ending("until: tomorrow"), "`tomorrow` is no moment", "in UTC, to the second"),
        (ending("until: 2026-11-21"), "`2026-11-21` is no moment", "in UTC, to the second"),
        (
            ending("until: \"2026-11-21T18:00:00+01:00\""),
            "`2026-11-21T18:00:00+01:00` is no moment",
            "in UTC",
        ),
        (ending("until: \"2300-01-01T00:00:00Z\""), "does not lie in the years", "a nearer end"),
        (ending("until: 1795284000"), "`1795284000` is no moment", "in UTC"),
        (ending("until: "), "`until` is a text, not nothing", "write a text"),
        (
            format!("storage: {{deny: [{{uri: fs:///a, {until}}}]}}"),
            "there is no key `until` here",
            deny,
        ),
        (
            format!("network: {{deny: [{{host: a.example, {until}}}]}}"),
            "there is no key `until` here",
            deny,
        ),
        (
            format!("resources: {{limits: {{memory: 1Gi, {until}}}}}"),
            "there is no limit `until`",
            "a limit is set for good",
        ),
        (
            format!("environment: {{allow: [{{key: A}}, {{key: A, {until}}}]}}"),
            "the variable `A` stands here with two ends",
            "keep one of them",
        ),
        (
            format!(
                "storage: {{allow: [{{uri: fs:///a, access: [read]}}, \
                 {{uri: fs:///a/b, access: [read], {until}}}]}}"
            ),
            "`fs:///a read` allows what this rule does for longer than \
             `fs:///a/b read until 2026-11-21T18:00:00Z` says",
            "take this rule out",
        ),
        (
            format!(
                "storage: {{allow: [{{uri: fs:///a, access: [write, read]}}, \
                 {{uri: fs:///a, access: [read], {until}}}]}}"
            ),
            "for longer than `fs:///a read until 2026-11-21T18:00:00Z` says",
            "take this rule out",
        ),
    ] {
        let error = refusal(&text);
        assert!(error.what.contains(what) && error.help.contains(help), "{text}: {error:?}");
    }
    let fine = "storage: {allow: [{uri: fs:///a, access: [read, write], until: 2026-11-21T18:00:00Z}, \
                {uri: fs:///a, access: [read], until: 2026-11-21T18:00:01Z}, \
                {uri: fs:///a/b, access: [read]}]}";
    assert_eq!(Policy::parse(fine).unwrap().storage.allow.len(), 3);
}
