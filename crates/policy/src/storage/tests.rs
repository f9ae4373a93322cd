use proptest::prelude::*;

use super::*;

fn uri(text: &str) -> StorageUri {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn rule(text: &str, access: Accesses) -> StorageRule {
    StorageRule::new(uri(text), access)
}

/// Rules placed where they say they are, as on a machine without links.
fn map(allow: &[(&str, Accesses)], deny: &[(&str, Accesses)]) -> StorageMap {
    let placed = |(text, access): &(&str, Accesses), kind| {
        let rule = rule(text, *access);
        Placed { at: rule.uri.prefix().to_vec(), rule, kind }
    };
    let allow = allow.iter().map(|rule| placed(rule, RuleKind::Allow));
    StorageMap::new(allow.chain(deny.iter().map(|rule| placed(rule, RuleKind::Deny))).collect())
}

fn split(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}

fn reads(map: &StorageMap, path: &str) -> bool {
    map.decide(&split(path), Access::Read).is_allowed()
}

/// S08: the matrix of spellings.
#[test]
fn spellings_of_one_path_are_one_rule() {
    for (text, canonical) in [
        ("fs:///data", "fs:///data"),
        ("fs:///data/", "fs:///data"),
        ("fs:///data/**", "fs:///data"),
        ("fs:///data/**/", "fs:///data"),
        ("fs:///data/**/**", "fs:///data"),
        ("fs:////data//", "fs:///data"),
        ("fs:///./data/.", "fs:///data"),
        ("fs:///", "fs:///"),
        ("fs:///**", "fs:///"),
        ("fs:///data/**/*.md", "fs:///data/**/*.md"),
        ("fs:///data/**/**/*.md", "fs:///data/**/*.md"),
        ("fs:///data/*/**", "fs:///data/*/**"),
        ("fs:///etc/config.yaml", "fs:///etc/config.yaml"),
        ("fs://workspace", "fs://workspace"),
        ("fs://workspace/", "fs://workspace"),
        ("fs://workspace/**", "fs://workspace"),
        ("fs://workspace/a b/c", "fs://workspace/a b/c"),
        ("fs:///file~", "fs:///file~"),
        ("fs:///...", "fs:///..."),
    ] {
        assert_eq!(uri(text).to_string(), canonical, "{text}");
    }
    // Case and the form of Unicode are kept: they are names of different files.
    assert_ne!(uri("fs:///Data"), uri("fs:///data"));
    assert_ne!(uri("fs:///\u{e9}"), uri("fs:///e\u{301}"));
    assert_eq!(uri("fs:///\u{e9}").to_string(), "fs:///\u{e9}");
}

/// S08: what has no meaning here is refused, with what to write.
#[test]
fn spellings_that_could_mean_two_things_are_refused() {
    for text in [
        "",
        "fs://",
        "fs:/data",
        "fs:data",
        "FS:///data",
        "/data",
        "data",
        "file:///data",
        "https://a.com/",
        "fs://./data",
        "fs://../data",
        "fs://~/data",
        "fs://-a/data",
        "fs://a.b/data",
        "fs://work*/data",
        "fs:///~",
        "fs:///~root/x",
        "fs:///a/~",
        "fs:///$HOME",
        "fs:///$(pwd)/x",
        "fs://$(pwd)/x",
        "fs:///${HOME}",
        "fs:///a%20b",
        "fs:///%2e%2e/x",
        "fs:///..",
        "fs:///a/../b",
        "fs:///a/..",
        "fs:///a\\b",
        "fs:///a\0b",
        "fs:///a\nb",
        "fs:///a\u{1b}[2J",
        "fs:///a\u{202e}b",
        "fs:///***",
        "fs:///a**",
        "fs:///**a",
        "fs:///a/***/b",
        "fs:///[ab]",
        "fs:///{a,b}",
    ] {
        let uri = text.parse::<StorageUri>();
        assert!(uri.is_err(), "{text:?} is {uri:?}");
    }
    let error = "/data/x".parse::<StorageUri>().unwrap_err();
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert_eq!(help, "write `fs:///data/x`");
    assert_eq!(
        format!("fs:///{}", "a/".repeat(65)).parse::<StorageUri>(),
        Err(StorageUriError::TooLong)
    );
    assert_eq!(
        format!("fs:///{}", "a".repeat(256)).parse::<StorageUri>(),
        Err(StorageUriError::TooLong)
    );
}

#[test]
fn a_rule_covers_its_path_and_all_below_and_nothing_beside() {
    let map = map(&[("fs:///data", Accesses::READ), ("fs:///etc/a.yaml", Accesses::READ)], &[]);
    for (path, allowed) in [
        ("/data", true),
        ("/data/x/y", true),
        ("/datax", false),
        ("/Data", false),
        ("/", false),
        ("/etc", false),
        ("/etc/a.yaml", true),
        ("/etc/b.yaml", false),
    ] {
        assert_eq!(reads(&map, path), allowed, "{path}");
    }
    assert!(!map.decide(&["data"], Access::Write).is_allowed());
    for (path, leads) in [("/", true), ("/etc", true), ("/data/x", true), ("/usr", false)] {
        assert_eq!(map.leads(&split(path)), leads, "{path}");
    }
}

#[test]
fn a_pattern_allows_what_it_matches_and_denies_also_what_lies_below() {
    let allowed = map(&[("fs:///d/**/*.md", Accesses::READ)], &[]);
    assert!(reads(&allowed, "/d/a.md") && reads(&allowed, "/d/x/y/a.md"));
    assert!(
        !reads(&allowed, "/d") && !reads(&allowed, "/d/a.md/b") && !reads(&allowed, "/d/a.txt")
    );
    assert!(allowed.leads(&["d"]) && allowed.leads(&["d", "x"]) && !allowed.leads(&["e"]));

    let denied = map(&[("fs:///d", Accesses::BOTH)], &[("fs:///d/**/*.key", Accesses::READ)]);
    assert!(reads(&denied, "/d/x") && !reads(&denied, "/d/x.key") && !reads(&denied, "/d/x.key/y"));
    assert!(denied.decide(&["d", "x.key"], Access::Write).is_allowed());
    assert!(denied.leads(&["d", "x.key"]));

    let closed = map(&[("fs:///d", Accesses::BOTH)], &[("fs:///d/p", Accesses::BOTH)]);
    assert!(closed.leads(&["d"]) && !closed.leads(&["d", "p"]) && !closed.leads(&["d", "p", "q"]));
}

#[test]
fn the_widest_and_the_nearest_rule_make_no_difference_to_a_deny() {
    let map = map(
        &[("fs:///d/p/q", Accesses::BOTH), ("fs:///d", Accesses::READ)],
        &[("fs:///d/p", Accesses::BOTH)],
    );
    assert!(!reads(&map, "/d/p/q") && reads(&map, "/d/o"));
    assert_eq!(
        map.decide(&["d", "p", "q"], Access::Read),
        Decision::Denied(&rule("fs:///d/p", Accesses::BOTH))
    );
}

#[test]
fn accesses_join_for_one_path_and_a_wider_rule_covers_a_narrower() {
    let (read, write) = (rule("fs:///d", Accesses::READ), rule("fs:///d/**", Accesses::WRITE));
    assert_eq!(read.merge(&write), Some(rule("fs:///d", Accesses::BOTH)));
    assert_eq!(read.merge(&rule("fs:///e", Accesses::READ)), None);
    assert!(read.covers(&rule("fs:///d/x/*.md", Accesses::READ)));
    assert!(!read.covers(&rule("fs:///d/x", Accesses::BOTH)));
    assert!(!rule("fs:///d/*", Accesses::READ).covers(&rule("fs:///d/x", Accesses::READ)));
    assert!(!rule("fs://d", Accesses::READ).covers(&rule("fs:///d", Accesses::READ)));
    assert_eq!(Accesses::of([]), None);
    assert_eq!(Accesses::of([Access::Write, Access::Read]), Some(Accesses::BOTH));
    assert_eq!(Accesses::BOTH.to_string(), "read,write");
}

fn some_rule() -> impl Strategy<Value = (StorageRule, RuleKind)> {
    let segment = prop::sample::select(vec!["a", "b", "c", "*", "**", "a*", "?"]);
    let access = prop::sample::select(vec![Accesses::READ, Accesses::WRITE, Accesses::BOTH]);
    let kind = prop::sample::select(vec![RuleKind::Allow, RuleKind::Deny]);
    (prop::collection::vec(segment, 0..4), access, kind)
        .prop_map(|(path, access, kind)| (rule(&format!("fs:///{}", path.join("/")), access), kind))
}

fn placed(rules: &[(StorageRule, RuleKind)]) -> StorageMap {
    let place = |(rule, kind): &(StorageRule, RuleKind)| Placed {
        at: rule.uri.prefix().to_vec(),
        rule: rule.clone(),
        kind: *kind,
    };
    StorageMap::new(rules.iter().map(place).collect())
}

fn some_path() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "ab"]), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, rng_seed: proptest::test_runner::RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn rules_only_ever_add_what_they_say(
        rules in prop::collection::vec(some_rule(), 0..6),
        added in some_rule(),
        path in some_path(),
    ) {
        let mut more = rules.clone();
        more.push(added.clone());
        let (before, after) = (placed(&rules), placed(&more));
        for access in [Access::Read, Access::Write] {
            let (was, is) = (before.decide(&path, access), after.decide(&path, access));
            match added.1 {
                RuleKind::Allow => prop_assert!(!was.is_allowed() || is.is_allowed()),
                RuleKind::Deny => prop_assert!(was.is_allowed() || !is.is_allowed()),
            }
            more.reverse();
            prop_assert_eq!(placed(&more).decide(&path, access).is_allowed(), is.is_allowed());
            // A deny that matches wins over every allow.
            let only = placed(&[(added.0.clone(), RuleKind::Deny)]);
            if added.1 == RuleKind::Deny && only.decide(&path, access) != Decision::Unmatched {
                prop_assert!(matches!(is, Decision::Denied(_)));
            }
            // Whatever is allowed can be reached from the root.
            if is.is_allowed() {
                for length in 0..path.len() {
                    prop_assert!(after.leads(&path[..length]));
                }
            }
        }
    }

    #[test]
    fn nothing_is_allowed_without_an_allow_rule(
        rules in prop::collection::vec(some_rule(), 0..4),
        path in some_path(),
    ) {
        let denies: Vec<_> = rules.into_iter().map(|(rule, _)| (rule, RuleKind::Deny)).collect();
        for access in [Access::Read, Access::Write] {
            prop_assert!(!placed(&denies).decide(&path, access).is_allowed());
        }
        prop_assert!(!placed(&denies).leads(&path));
    }

    #[test]
    fn a_rule_that_covers_another_allows_all_that_it_allows(
        wide in some_rule(), narrow in some_rule(), path in some_path(),
    ) {
        let (wide, narrow) = (wide.0, narrow.0);
        let allow = |rule: &StorageRule| placed(&[(rule.clone(), RuleKind::Allow)]);
        for access in [Access::Read, Access::Write] {
            if wide.covers(&narrow) && allow(&narrow).decide(&path, access).is_allowed() {
                prop_assert!(allow(&wide).decide(&path, access).is_allowed());
            }
        }
    }

    #[test]
    fn a_uri_prints_as_what_it_reads(text in "fs://(workspace)?/[a-c*?./~é ]{0,16}") {
        if let Ok(uri) = text.parse::<StorageUri>() {
            prop_assert_eq!(uri.to_string().parse::<StorageUri>(), Ok(uri));
        }
    }

    #[test]
    fn any_text_is_a_uri_or_is_refused(text in ".{0,40}|fs://.{0,40}") {
        if let Ok(uri) = text.parse::<StorageUri>() {
            prop_assert_eq!(uri.to_string().parse::<StorageUri>(), Ok(uri));
        }
    }
}
