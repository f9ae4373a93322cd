//! Rules only ever do what they say, whatever other rules stand beside them.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

fn any_rule() -> impl Strategy<Value = (NetworkRuleText, RuleKind)> {
    let target = prop::sample::select(vec![
        "a.example.com",
        "*.example.com",
        "https://a.example.com",
        "a.example.com:8080",
        "http://b.a.example.com/v1/**",
        "tcp://a.example.com:8080",
        "10.0.0.1",
        "10.0.0.0/8",
        "169.254.169.254",
    ]);
    let methods = prop::sample::select(vec![None, Some("GET"), Some("POST")]);
    let kind = prop::sample::select(vec![RuleKind::Allow, RuleKind::Deny]);
    (target, methods, any::<bool>(), kind).prop_map(|(target, method, private, kind)| {
        let raw = target.starts_with("tcp");
        let text = NetworkRuleText {
            methods: method.filter(|_| !raw).map(|method| vec![method.to_owned()]),
            private: private && kind == RuleKind::Allow,
            ..NetworkRuleText::target(target)
        };
        (text, kind)
    })
}

fn policy(rules: &[(NetworkRuleText, RuleKind)]) -> Policy {
    let of = |wanted| {
        let rules = rules.iter().filter(move |(_, kind)| *kind == wanted);
        rules.map(move |(text, kind)| read(text, *kind)).collect()
    };
    Policy {
        network: Rules { allow: of(RuleKind::Allow), deny: of(RuleKind::Deny) },
        ..Policy::default()
    }
}

/// Everything that can be asked of a small world, and what is answered.
fn answers(effective: &Effective) -> Vec<bool> {
    let hosts = ["a.example.com", "b.a.example.com", "example.com", "10.0.0.1", "169.254.169.254"];
    let addresses = ["93.184.216.34", "10.0.0.1", "169.254.169.254"].map(address);
    let mut answers = vec![];
    for host in hosts {
        for authority in [host.to_owned(), format!("{host}:8080")] {
            for (scheme, method, path) in
                [("http", "GET", "/v1/x"), ("https", "POST", "/"), ("http", "get", "/v1/%2e%2e/")]
            {
                let request = Request::new(method, scheme, &authority, path).unwrap();
                let permit = effective.request(request);
                answers.push(permit.is_ok());
                answers.extend(addresses.iter().map(|address| {
                    permit.as_ref().is_ok_and(|permit| permit.address(*address).is_ok())
                }));
            }
        }
        let permit = effective.socket(tcp(&format!("{host}:8080")));
        answers.push(permit.is_ok());
        answers.extend(
            addresses.iter().map(|address| {
                permit.as_ref().is_ok_and(|permit| permit.address(*address).is_ok())
            }),
        );
        let permit = effective.lookup(Host::parse(host).unwrap());
        answers.push(permit.is_ok());
        answers.extend(
            addresses.iter().map(|address| {
                permit.as_ref().is_ok_and(|permit| permit.address(*address).is_ok())
            }),
        );
    }
    answers
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn network_rules_only_ever_add_what_they_say(
        rules in prop::collection::vec(any_rule(), 0..5),
        added in any_rule(),
    ) {
        let before = answers(&under(policy(&rules)));
        let mut more = rules;
        more.push(added.clone());
        let after = answers(&under(policy(&more)));
        for (was, is) in before.iter().zip(&after) {
            match added.1 {
                RuleKind::Allow => prop_assert!(!was || *is),
                RuleKind::Deny => prop_assert!(*was || !is),
            }
        }
        more.reverse();
        prop_assert_eq!(&answers(&under(policy(&more))), &after);
        // A ceiling takes away and never adds.
        let ceiling = Arc::new(policy(std::slice::from_ref(&added)));
        let capped = Effective::new("w", Arc::new(policy(&more)), Some(Arc::clone(&ceiling)));
        let alone = answers(&Effective::new("w", ceiling, None));
        for ((both, own), other) in answers(&capped).iter().zip(&after).zip(&alone) {
            prop_assert!(!both || (*own && *other));
        }
    }

    #[test]
    fn deny_rules_alone_allow_nothing(rules in prop::collection::vec(any_rule(), 0..5)) {
        let denies: Vec<_> = rules.into_iter().filter(|(_, kind)| *kind == RuleKind::Deny).collect();
        prop_assert!(!answers(&under(policy(&denies))).contains(&true));
    }

    #[test]
    fn merged_and_covered_rules_allow_what_they_did_apart(
        one in any_rule(), other in any_rule(), kind in prop::sample::select(vec![RuleKind::Allow, RuleKind::Deny]),
    ) {
        let allow_all = [
            "*.example.com", "*.example.com:8080", "tcp://a.example.com:8080", "10.0.0.0/8",
            "10.0.0.0/8", "169.254.169.254",
        ];
        let base: Vec<_> = allow_all
            .iter()
            .filter(|_| kind == RuleKind::Deny)
            .map(|word| read(&private(word), RuleKind::Allow))
            .collect();
        let asked = |rules: &[NetworkRule]| {
            let mut policy = Policy::default();
            policy.network.allow = base.clone();
            match kind {
                RuleKind::Allow => policy.network.allow.extend_from_slice(rules),
                RuleKind::Deny => policy.network.deny.extend_from_slice(rules),
            }
            answers(&under(policy))
        };
        let as_kind = |text: &NetworkRuleText| {
            read(&NetworkRuleText { private: text.private && kind == RuleKind::Allow, ..text.clone() }, kind)
        };
        let (one, other) = (as_kind(&one.0), as_kind(&other.0));
        let apart = asked(&[one.clone(), other.clone()]);
        if let Some(merged) = one.merge(kind, &other) {
            prop_assert_eq!(&asked(&[merged]), &apart);
        }
        if one.covers(kind, &other) {
            prop_assert_eq!(&asked(std::slice::from_ref(&one)), &apart);
        }
    }

    #[test]
    fn variables_only_ever_grow_with_rules(
        keys in prop::collection::vec("[ABC]", 0..4), added in "[ABC]",
    ) {
        let listing = |keys: &[String]| {
            let rule = |key: &String| VariableRule::new(key, None);
            Policy { environment: keys.iter().map(rule).collect(), ..Policy::default() }
        };
        let before = under(listing(&keys)).variables();
        let mut more = keys;
        more.push(added.clone());
        let after = under(listing(&more)).variables();
        prop_assert!(before.iter().all(|key| after.contains(key)));
        prop_assert!(after.contains(&added));
        more.reverse();
        prop_assert_eq!(under(listing(&more)).variables(), after);
    }
}
