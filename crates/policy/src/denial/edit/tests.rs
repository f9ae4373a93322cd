use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::document::tests::any_policy;
use crate::{
    Denial, Destination, Effective, FileRules, OperatorLimits, Placed, Policy, Protocol, Request,
    StorageMap, Target,
};

fn under(policy: &Policy) -> Effective {
    Effective::new("c", Arc::new(policy.clone()), None)
}

/// `policy` after what `denial` offers.
fn granted(policy: &Policy, denial: &Denial) -> Policy {
    let grant = denial.grant.as_ref().unwrap_or_else(|| panic!("no grant: {denial}"));
    let edit = grant.edit().unwrap_or_else(|| panic!("no edit: {grant:?}"));
    let edited = policy.edit(&edit).unwrap();
    assert!(edited.widens, "{edit:?}");
    edited.policy
}

#[test]
fn the_edit_says_what_the_command_says() {
    for (grant, rule) in [
        (Grant::storage("fs:///d/x y", "read,write"), "\"fs:///d/x y\" read,write"),
        (Grant::storage("fs://workspace/*.md", "write"), "fs://workspace/*.md write"),
        (Grant::network("https://a.example", &[], None, false), "https://a.example"),
        (Grant::network("https://a.example", &[], None, true), "https://a.example private"),
        (Grant::network("https://a.example", &[], Some("/"), false), "https://a.example paths=/"),
        (
            Grant::network("http://a.example:8080/v1", &["GET", "POST"], None, true),
            "http://a.example:8080 methods=GET,POST paths=/v1 private",
        ),
        (Grant::network("tcp://db:5432", &[], None, true), "tcp://db:5432 private"),
        (Grant::variable("API_KEY"), "API_KEY"),
    ] {
        let shown = match grant.unwrap().edit().unwrap() {
            Edit::Grant(AnyRule::Storage(rule)) => rule.to_string(),
            Edit::Grant(AnyRule::Network(rule)) => rule.to_string(),
            Edit::Grant(AnyRule::Variable(rule)) => rule.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(shown, rule);
    }
    let limit = Grant::limit("memory", "512Mi").unwrap().edit().unwrap();
    assert_eq!(limit, Edit::Limit("memory".to_owned(), Setting::from("512Mi")));
}

#[test]
fn denied_an_edit_of_words_that_no_command_has() {
    for words in [
        &[][..],
        &["storage"],
        &["storage", "fs:///a"],
        &["storage", "fs:///a", "--access", ""],
        &["storage", "fs:///a", "--access", "read,execute"],
        &["storage", "/a", "--access", "read"],
        &["storage", "fs:///a", "--access", "read", "--access", "write"],
        &["network"],
        &["network", "*"],
        &["network", "a.example", "--methods"],
        &["network", "a.example", "--methods", ""],
        &["network", "a.example", "--private", "--methods", "GET"],
        &["network", "a.example", "--private", "--private"],
        &["network", "a.example", "b.example"],
        &["environment-variable", "*"],
        &["environment-variable", "A", "B"],
        &["limit", "memory"],
        &["limit", "memory", "0"],
        &["limit", "memroy", "1Gi"],
        &["reset"],
    ] {
        let arguments = words.iter().map(|&word| word.to_owned()).collect();
        assert_eq!(Grant { arguments }.edit(), None, "{words:?}");
    }
}

#[test]
fn what_a_denial_of_a_request_offers_permits_it() {
    for (method, url) in [
        ("GET", "https://a.example"),
        ("PROPFIND", "http://a.example:8080/x"),
        ("POST", "https://[2606:4700::1]:8443/y"),
        ("GET", "https://bücher.example/"),
    ] {
        let request = || Request::parse(method, url).unwrap();
        let denial = under(&Policy::default()).request(request()).unwrap_err();
        let policy = granted(&Policy::default(), &denial);
        let permit = under(&policy).request(request()).unwrap();
        // To an address of this network too, in a second step.
        let Err(denial) = permit.address([192, 168, 0, 1].into()) else { continue };
        if denial.grant.is_some() {
            let policy = granted(&policy, &denial);
            let permit = under(&policy).request(request()).unwrap();
            assert!(permit.address([192, 168, 0, 1].into()).is_ok(), "{url}");
        }
    }
    let policy = Policy::parse("network: {allow: [{host: a.example, paths: [/v1/**]}]}").unwrap();
    let request = || Request::parse("GET", "https://a.example/v2/now").unwrap();
    let policy = granted(&policy, &under(&policy).request(request()).unwrap_err());
    assert!(under(&policy).request(request()).is_ok());
    let other = Request::parse("GET", "https://a.example/v2/later").unwrap();
    assert!(under(&policy).request(other).is_err(), "this path alone");
}

#[test]
fn what_a_denial_of_a_socket_a_variable_a_file_or_a_limit_offers_permits_it() {
    let nothing = Policy::default();
    for (protocol, authority) in [(Protocol::Tcp, "db:5432"), (Protocol::Udp, "[::1]:53")] {
        let destination = || Destination::parse_authority(protocol, authority).unwrap();
        let policy = granted(&nothing, &under(&nothing).socket(destination()).unwrap_err());
        assert!(under(&policy).socket(destination()).is_ok(), "{authority}");
    }

    let policy = granted(&nothing, &under(&nothing).variable("API_KEY").unwrap_err());
    assert!(under(&policy).variable("API_KEY").is_ok());

    let placed = |policy: &Policy| {
        let allow = policy.storage.allow.iter().map(|rule| Placed {
            at: rule.uri.prefix().to_vec(),
            rule: rule.clone(),
            kind: RuleKind::Allow,
        });
        FileRules::new(StorageMap::new(allow.collect()), None)
    };
    let permit = |policy: &Policy, access| {
        placed(policy).permit(&["data", "x.csv"], "fs:///data/x.csv", access)
    };
    let reading = granted(&nothing, &permit(&nothing, Access::Read).unwrap_err());
    assert!(permit(&reading, Access::Read).is_ok());
    let both = granted(&reading, &permit(&reading, Access::Write).unwrap_err());
    assert!(permit(&both, Access::Read).is_ok() && permit(&both, Access::Write).is_ok());

    let operator = OperatorLimits::default();
    for name in crate::Limits::NAMES {
        let Some(more) = operator.more(name, operator.values()) else { continue };
        let edit = Grant::limit(name, &more).unwrap().edit().unwrap();
        let (limits, lowered) = nothing.edit(&edit).unwrap().policy.limits.apply(&operator);
        assert!(lowered.is_empty() && limits.spelled(name).unwrap() == more, "{name}");
    }
}

proptest! {
    #[test]
    fn every_denial_that_offers_something_offers_enough(
        policy in any_policy(),
        method in proptest::sample::select(vec!["GET", "POST", "PUT", "get"]),
        scheme in proptest::sample::select(vec!["http", "https"]),
        authority in proptest::sample::select(vec![
            "a.example", "x.a.example:8443", "b.example:8080", "10.1.2.3", "[::1]:8050",
        ]),
        path in proptest::sample::select(vec!["/", "/v1/now", "/v1/a/b/", "/v2", "/v%41", "/a/../b"]),
    ) {
        let request = || Request::new(method, scheme, authority, path).unwrap();
        let mut policy = policy;
        // The host, then its address.
        for _ in 0..2 {
            let effective = under(&policy);
            let permit = effective.request(request());
            let asked = permit.and_then(|permit| permit.address([192, 168, 0, 1].into()));
            let Err(denial) = asked else { break };
            let Some(grant) = denial.grant else { break };
            let edit = grant.edit();
            prop_assert!(edit.is_some(), "{:?}", grant);
            let edited = policy.edit(&edit.unwrap());
            prop_assert!(edited.is_ok(), "{:?} {:?}", grant, edited);
            policy = edited.unwrap().policy;
            prop_assert!(under(&policy).request(request()).is_ok(), "{:?}", grant);
        }
    }

    #[test]
    fn what_was_granted_by_a_denial_can_be_revoked(key in "[A-Z]{1,3}") {
        let policy = granted(&Policy::default(), &under(&Policy::default()).variable(&key).unwrap_err());
        let revoked = policy.edit(&Edit::Revoke(Target::Variable(key))).unwrap().policy;
        prop_assert!(revoked.is_empty());
    }
}
