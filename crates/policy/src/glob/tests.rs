use super::*;

fn pattern(text: &str) -> Vec<Segment> {
    text.split('/').filter(|part| !part.is_empty()).map(|part| Segment::new(part, true)).collect()
}

fn path(text: &str) -> impl Iterator<Item = &str> {
    text.split('/').filter(|part| !part.is_empty())
}

fn check(rule: &str, below: bool, text: &str) -> Reach {
    reach(&pattern(rule), below, Case::Exact, path(text))
}

#[test]
fn wildcards_stay_within_their_segment() {
    for (rule, text, expected) in [
        ("*", "a", true),
        ("*", "a/b", false),
        ("*.md", "x.md", true),
        ("*.md", ".md", true),
        ("*.md", "x.mdx", false),
        ("a*b*c", "axxbyybzc", true),
        ("a*b*c", "axxbyybz", false),
        ("?", "é", true),
        ("?", "ab", false),
        ("a?", "a", false),
        ("**", "", true),
        ("**", "a/b/c", true),
        ("a/**", "a", true),
        ("a/**", "ab", false),
        ("**/*.md", "x.md", true),
        ("**/*.md", "a/b/x.md", true),
        ("**/*.md", "a/b/x.md/c", false),
        ("a/**/b/**/c", "a/b/c", true),
        ("a/**/b/**/c", "a/x/b/y/b/z/c", true),
        ("a/**/b/**/c", "a/x/y/c", false),
    ] {
        assert_eq!(check(rule, false, text).matches, expected, "{rule} {text}");
    }
}

#[test]
fn a_directory_leads_while_something_below_it_may_match() {
    for (rule, below, text, expected) in [
        ("a/b", true, "", true),
        ("a/b", true, "a", true),
        ("a/b", true, "a/b", true),
        ("a/b", true, "a/b/c", true),
        ("a/b", false, "a/b", false),
        ("a/b", true, "b", false),
        ("a/*.md", false, "a", true),
        ("a/*.md", false, "a/x", false),
        ("a/*/c", false, "a/x", true),
        ("a/**/c", false, "a/x/y/z", true),
    ] {
        assert_eq!(check(rule, below, text).leads, expected, "{rule} {text}");
    }
}

#[test]
fn many_wildcards_cost_no_more_than_their_number() {
    let rule = "**/".repeat(31) + &"*a".repeat(100);
    let text = "x/".repeat(500) + &"a".repeat(200) + "b";
    assert!(!check(&rule, false, &text).matches);
    assert!(check(&rule, false, &text.replace('b', "")).matches);
}
