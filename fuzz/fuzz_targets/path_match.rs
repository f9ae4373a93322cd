//! The matcher of storage rules agrees with the plainest one that can be written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wassette_policy::{Access, Accesses, Placed, RuleKind, StorageMap, StorageRule, StorageUri};

// The rule, a line; then the path.
fuzz_target!(|text: &str| {
    let Some((rule, path)) = text.split_once('\n') else { return };
    // The plain matcher takes exponential time.
    if rule.len() > 60 || path.len() > 60 || rule.matches('*').count() > 8 {
        return;
    }
    let Ok(uri) = format!("fs:///{rule}").parse::<StorageUri>() else { return };
    let shown = uri.to_string();
    assert_eq!(shown.parse::<StorageUri>().as_ref(), Ok(&uri), "{rule:?} is shown as {shown}");

    let path: Vec<&str> =
        path.split('/').filter(|name| !matches!(*name, "" | "." | "..")).collect();
    // From the rule as it was written, not from what was read of it.
    let pattern: Vec<&str> = rule.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
    for kind in [RuleKind::Allow, RuleKind::Deny] {
        let deep = kind == RuleKind::Deny || !rule.contains(['*', '?']);
        let expected = (0..=path.len())
            .filter(|end| deep || *end == path.len())
            .any(|end| segments(&pattern, &path[..end]));
        let rule = StorageRule::new(uri.clone(), Accesses::READ);
        let allow_all = StorageRule::new("fs:///".parse().unwrap(), Accesses::BOTH);
        let mut placed = vec![Placed { at: uri.prefix().to_vec(), rule, kind }];
        if kind == RuleKind::Deny {
            placed.push(Placed { rule: allow_all, at: vec![], kind: RuleKind::Allow });
        }
        let map = StorageMap::new(placed);
        let allowed = map.decide(&path, Access::Read).is_allowed();
        assert_eq!(allowed, expected == (kind == RuleKind::Allow), "{kind:?} {uri} {path:?}");
        if kind == RuleKind::Allow {
            assert!(!map.decide(&path, Access::Write).is_allowed());
            // What is allowed can be reached through the directories above it.
            assert!(
                !allowed || (0..path.len()).all(|end| map.leads(&path[..end])),
                "{uri} {path:?}"
            );
        }
    }
});

fn segments(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            segments(rest, path)
                || path.split_first().is_some_and(|(_, tail)| segments(pattern, tail))
        }
        (Some((name, rest)), Some((first, tail))) => {
            let (name, first): (Vec<char>, Vec<char>) =
                (name.chars().collect(), first.chars().collect());
            characters(&name, &first) && segments(rest, tail)
        }
        _ => false,
    }
}

fn characters(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => {
            characters(rest, name)
                || name.split_first().is_some_and(|(_, tail)| characters(pattern, tail))
        }
        (Some(('?', rest)), Some((_, tail))) => characters(rest, tail),
        (Some((one, rest)), Some((other, tail))) => one == other && characters(rest, tail),
        _ => false,
    }
}
