use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::document::tests::{ENDS, any_end, any_network, any_policy, any_storage};
use crate::{
    Access, Accesses, Destination, Effective, Placed, Protocol, Request, StorageMap, StorageRoot,
    Until,
};

fn storage(uri: &str, access: Accesses) -> Edit {
    Edit::Grant(AnyRule::Storage(StorageRule::new(uri.parse().unwrap(), access)))
}

fn network(word: &str, methods: &[&str]) -> Edit {
    let methods: Vec<_> = methods.iter().map(|&method| method.to_owned()).collect();
    let text = NetworkRuleText {
        methods: (!methods.is_empty()).then_some(methods),
        ..NetworkRuleText::target(word)
    };
    Edit::Grant(AnyRule::Network(NetworkRule::read(&text, RuleKind::Allow).unwrap()))
}

fn variable(key: &str, value: Option<&str>) -> Edit {
    let value = value.map(str::to_owned);
    Edit::Grant(AnyRule::Variable(VariableRule::new(key, value)))
}

fn revoke_network(word: &str) -> Edit {
    Edit::Revoke(Target::network(word).unwrap())
}

/// The policy after all `edits`, and what the last one changed.
fn after(edits: &[Edit]) -> (Policy, Vec<String>, bool) {
    let start = (Policy::default(), vec![], false);
    edits.iter().fold(start, |(policy, ..), edit| {
        let edited = policy.edit(edit).unwrap();
        (edited.policy, edited.changes, edited.widens)
    })
}

#[test]
fn grants_of_the_same_target_merge() {
    let (policy, changes, widens) =
        after(&[storage("fs:///a", Accesses::READ), storage("fs:///a/", Accesses::WRITE)]);
    assert_eq!(policy.storage.allow.len(), 1);
    assert_eq!(
        changes,
        [
            "- allow storage fs:///a read",
            "+ allow storage fs:///a read,write",
            "`fs:///a read` is part of `fs:///a read,write` now",
        ]
    );
    assert!(widens);
    let (policy, ..) =
        after(&[network("https://a.example", &["GET"]), network("https://a.example", &["POST"])]);
    assert_eq!(policy.network.allow.len(), 1);
    assert_eq!(policy.network.allow[0].to_string(), "https://a.example methods=GET,POST");
    let (policy, ..) = after(&[variable("A", None), variable("A", Some("x"))]);
    assert_eq!(policy.environment, [VariableRule::new("A", Some("x".into()))]);
}

#[test]
fn a_grant_of_http_leaves_the_sockets_of_the_same_port() {
    let (socket, http) = (network("tcp://a.example:8080", &[]), network("a.example:8080", &[]));
    for edits in [[socket.clone(), http.clone()], [http, socket]] {
        assert_eq!(after(&edits).0.network.allow.len(), 2, "{edits:?}");
    }
}

#[test]
fn a_grant_takes_the_place_of_those_that_it_covers() {
    let (policy, changes, _) = after(&[
        storage("fs:///ws/a", Accesses::READ),
        storage("fs:///ws/b", Accesses::BOTH),
        storage("fs:///other", Accesses::READ),
        storage("fs:///ws", Accesses::BOTH),
    ]);
    let uris: Vec<_> = policy.storage.allow.iter().map(ToString::to_string).collect();
    assert_eq!(uris, ["fs:///ws read,write", "fs:///other read"]);
    assert!(changes.contains(&"`fs:///ws/a read` is part of `fs:///ws read,write` now".to_owned()));
    let (policy, ..) = after(&[network("a.b.example", &["GET"]), network("*.b.example", &[])]);
    assert_eq!(policy.network.allow.len(), 1);
}

#[test]
fn a_grant_that_adds_nothing_changes_nothing() {
    for (first, second, remark) in [
        (
            storage("fs:///a", Accesses::BOTH),
            storage("fs:///a/b", Accesses::READ),
            "fs:///a read,write",
        ),
        (network("a.example", &[]), network("https://a.example", &["GET"]), "a.example"),
        (variable("A", None), variable("A", None), "A"),
    ] {
        let before = Policy::default().edit(&first).unwrap().policy;
        let edited = before.edit(&second).unwrap();
        assert_eq!(edited.policy, before);
        assert!(!edited.widens);
        assert_eq!(edited.changes, [format!("nothing changes: `{remark}` is allowed already")]);
    }
}

#[test]
fn a_grant_that_a_deny_still_refuses_says_so() {
    let before =
        Policy::parse("storage: {deny: [{uri: fs:///a}]}\nnetwork: {deny: [{host: a.example}]}")
            .unwrap();
    let edited = before.edit(&storage("fs:///a/b", Accesses::READ)).unwrap();
    assert_eq!(
        edited.changes.last().unwrap(),
        "the rule `fs:///a read,write` under `deny` still wins"
    );
    let edited = before.edit(&network("a.example", &[])).unwrap();
    assert_eq!(edited.changes.last().unwrap(), "the rule `a.example` under `deny` still wins");
}

#[test]
fn what_is_revoked_is_gone_and_what_stays_is_named() {
    let grants = [
        storage("fs:///ws", Accesses::READ),
        storage("fs:///ws/out", Accesses::BOTH),
        network("a.example", &[]),
        network("a.example:8443", &[]),
        network("tcp://a.example:5432", &[]),
        network("*.b.example", &[]),
        variable("A", None),
        Edit::Limit("memory".into(), Setting::from("64Mi")),
    ];
    let (policy, ..) = after(&grants);
    let revoke = |edit: Edit| policy.edit(&edit).unwrap();
    let edited = revoke(Edit::Revoke(Target::Storage("fs:///ws/out".parse().unwrap())));
    assert_eq!(
        edited.changes,
        [
            "- allow storage fs:///ws/out read,write",
            "`fs:///ws read` is still allowed and includes it"
        ]
    );
    assert!(!edited.widens);
    assert_eq!(revoke(revoke_network("a.example")).policy.network.allow.len(), 1);
    assert_eq!(revoke(revoke_network("https://a.example")).policy.network.allow.len(), 3);
    assert_eq!(revoke(revoke_network("a.example:8443")).policy.network.allow.len(), 3);
    assert_eq!(revoke(revoke_network("tcp://a.example:5432")).policy.network.allow.len(), 3);
    assert_eq!(revoke(Edit::Revoke(Target::Variable("A".into()))).policy.environment, []);
    let limit = revoke(Edit::Revoke(Target::Limit("memory".into())));
    assert!(limit.policy.limits.is_empty() && limit.widens);
    let reset = revoke(Edit::Reset);
    assert_eq!(reset.policy, Policy::default());
    assert!(reset.widens, "the limit is the operator's again");
}

#[test]
fn what_is_not_there_cannot_be_revoked() {
    let (policy, ..) = after(&[
        storage("fs:///data/one", Accesses::READ),
        network("api.example.com", &[]),
        variable("API_KEY", None),
    ]);
    for (target, error, help) in [
        (
            Target::Storage("fs:///data/on".parse().unwrap()),
            "the policy allows no storage `fs:///data/on`",
            "the nearest that it allows is `fs:///data/one`",
        ),
        (
            Target::network("api.exampel.com").unwrap(),
            "the policy allows no network `api.exampel.com`",
            "the nearest that it allows is `api.example.com`",
        ),
        (
            Target::network("api.example.com:9").unwrap(),
            "the policy allows no network `api.example.com`",
            "the nearest that it allows is `api.example.com`",
        ),
        (
            Target::Variable("APIKEY".into()),
            "the policy allows no variable `APIKEY`",
            "the nearest that it allows is `API_KEY`",
        ),
        (
            Target::Limit("memory".into()),
            "the policy sets no limit `memory`",
            "the operator's value holds already",
        ),
    ] {
        let found = policy.edit(&Edit::Revoke(target)).unwrap_err();
        assert_eq!(
            (found.to_string().as_str(), found.help().unwrap().to_string().as_str()),
            (error, help)
        );
    }
    let unknown = policy.edit(&Edit::Revoke(Target::Limit("memroy".into()))).unwrap_err();
    assert!(matches!(unknown, EditError::Limit(LimitError::Unknown { .. })));
    assert!(policy.edit(&Edit::Limit("memory".into(), Setting::from("0"))).is_err());
}

#[test]
fn a_policy_does_not_grow_beyond_a_document() {
    let mut policy = Policy::default();
    let name = "x".repeat(250);
    let error = (0..1000).find_map(|n| {
        match policy.edit(&storage(&format!("fs:///{n}/{name}"), Accesses::READ)) {
            Ok(edited) => {
                policy = edited.policy;
                None
            }
            Err(error) => Some(error),
        }
    });
    assert_eq!(error, Some(EditError::TooLarge));
    assert!(Policy::parse(&policy.to_yaml()).is_ok());
}

/// `edit`, which grants, until one of [`ENDS`].
fn until(end: usize, edit: Edit) -> Edit {
    with_end(edit, Some(ENDS[end].parse().unwrap()))
}

fn with_end(edit: Edit, until: Option<Until>) -> Edit {
    Edit::Grant(match edit {
        Edit::Grant(AnyRule::Storage(rule)) => AnyRule::Storage(StorageRule { until, ..rule }),
        Edit::Grant(AnyRule::Network(rule)) => {
            let text = NetworkRuleText { until, ..rule.written() };
            AnyRule::Network(NetworkRule::read(&text, RuleKind::Allow).unwrap())
        }
        Edit::Grant(AnyRule::Variable(rule)) => AnyRule::Variable(VariableRule { until, ..rule }),
        other => panic!("{other:?} grants nothing"),
    })
}

#[test]
fn a_grant_that_ends_sooner_changes_nothing_and_one_that_lasts_longer_takes_its_place() {
    for (plain, shown) in [
        (storage("fs:///a", Accesses::READ), "storage fs:///a read"),
        (network("https://a.example", &["GET"]), "network https://a.example methods=GET"),
        (variable("A", Some("x")), "variable A with a fixed value"),
    ] {
        let ends = [until(0, plain.clone()), until(1, plain.clone()), plain];
        for (earlier, early) in ends.iter().enumerate() {
            for (later, late) in ends.iter().enumerate().filter(|(later, _)| earlier <= *later) {
                let (before, ..) = after(std::slice::from_ref(late));
                let edited = before.edit(early).unwrap();
                assert_eq!((edited.policy, edited.widens), (before, false));
                assert!(edited.changes[0].starts_with("nothing changes: "), "{early:?}");

                let (before, ..) = after(std::slice::from_ref(early));
                let edited = before.edit(late).unwrap();
                assert_eq!(edited.policy, after(std::slice::from_ref(late)).0);
                assert_eq!(edited.widens, earlier < later);
                if edited.widens {
                    let end = ENDS.get(later).map(|end| format!(" until {end}"));
                    let end = end.unwrap_or_default();
                    assert_eq!(
                        edited.changes[..2],
                        [
                            format!("- allow {shown} until {}", ENDS[earlier]),
                            format!("+ allow {shown}{end}")
                        ]
                    );
                }
            }
        }
    }
}

#[test]
fn only_grants_that_end_together_join() {
    let both = [storage("fs:///a", Accesses::READ), storage("fs:///a", Accesses::WRITE)];
    let (policy, ..) = after(&[both[0].clone(), until(0, both[1].clone())]);
    let shown: Vec<_> = policy.storage.allow.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["fs:///a read", "fs:///a write until 2026-11-21T18:00:00Z"]);
    let (policy, ..) = after(&both.map(|edit| until(0, edit)));
    assert_eq!(policy.storage.allow.len(), 1);
    let both = [network("a.example", &["GET"]), network("a.example", &["POST"])];
    let (policy, ..) = after(&[until(1, both[0].clone()), until(0, both[1].clone())]);
    assert_eq!(policy.network.allow.len(), 2);
    let (policy, ..) = after(&both.map(|edit| until(0, edit)));
    assert_eq!(policy.network.allow.len(), 1);
}

#[test]
fn a_revocation_takes_out_all_rules_of_its_target() {
    let (policy, ..) = after(&[
        storage("fs:///a", Accesses::READ),
        until(0, storage("fs:///a", Accesses::BOTH)),
        network("https://a.example", &["GET"]),
        until(1, network("https://a.example", &["POST"])),
        until(1, variable("A", None)),
    ]);
    let targets = [
        Target::Storage("fs:///a".parse().unwrap()),
        Target::network("a.example").unwrap(),
        Target::Variable("A".into()),
    ];
    let left = targets.into_iter().fold(policy, |policy, target| {
        let edited = policy.edit(&Edit::Revoke(target)).unwrap();
        assert!(!edited.widens);
        edited.policy
    });
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn denied_a_variable_that_would_end_sooner_with_another_value() {
    let (policy, ..) = after(&[variable("A", None)]);
    let error = policy.edit(&until(0, variable("A", Some("x")))).unwrap_err();
    assert!(matches!(error, EditError::Sooner { .. }), "{error}");
    let (policy, ..) = after(&[until(0, variable("A", Some("x"))), variable("A", None)]);
    assert_eq!(policy.environment, [VariableRule::new("A", None)]);
}

pub(crate) fn any_edit() -> impl Strategy<Value = Edit> {
    let target = prop_oneof![
        any_storage(RuleKind::Allow).prop_map(|rule| Target::Storage(rule.uri)),
        any_network(RuleKind::Allow).prop_map(Target::Network),
        "[A-C]".prop_map(Target::Variable),
        Just(Target::Limit("memory".to_owned())),
    ];
    prop_oneof![
        any_storage(RuleKind::Allow).prop_map(|rule| Edit::Grant(AnyRule::Storage(rule))),
        any_network(RuleKind::Allow).prop_map(|rule| Edit::Grant(AnyRule::Network(rule))),
        ("[A-C]", any::<bool>(), any_end(RuleKind::Allow)).prop_map(|(key, fixed, until)| {
            let value = fixed.then(|| "x".to_owned());
            Edit::Grant(AnyRule::Variable(VariableRule { key, value, until }))
        }),
        target.prop_map(Edit::Revoke),
        Just(Edit::Limit("memory".to_owned(), Setting::from("1Mi"))),
        Just(Edit::Reset),
    ]
}

/// Every decision that the two policies could differ in, over a small world: `true` for allowed.
fn decisions(policy: &Policy, names: &[String]) -> Vec<bool> {
    let effective = Effective::new("c", Arc::new(policy.clone()), None);
    let hosts = ["a.example", "x.a.example", "b.example", "10.1.2.3", "10.9.9.9", "[::1]"];
    let mut decisions = vec![];
    for host in hosts {
        for port in ["", ":8443", ":8080", ":8050"] {
            for (scheme, method, path) in [
                ("https", "GET", "/v1/now"),
                ("http", "POST", "/v1/a/b"),
                ("https", "PUT", "/"),
                ("http", "GET", "/v2"),
            ] {
                let request = Request::new(method, scheme, &format!("{host}{port}"), path).unwrap();
                let permit = effective.request(request);
                // To a private address, too.
                decisions.push(
                    permit
                        .as_ref()
                        .is_ok_and(|permit| permit.address([192, 168, 0, 1].into()).is_ok()),
                );
                decisions.push(permit.is_ok());
            }
        }
        for (protocol, port) in
            [(Protocol::Tcp, 5432), (Protocol::Tcp, 8080), (Protocol::Udp, 53), (Protocol::Udp, 54)]
        {
            let destination =
                Destination::parse_authority(protocol, &format!("{host}:{port}")).unwrap();
            decisions.push(effective.socket(destination).is_ok());
        }
    }
    decisions.extend(["A", "B", "C"].map(|key| effective.variable(key).is_ok()));
    let placed = |kind: RuleKind, rules: &[StorageRule]| -> Vec<Placed> {
        let at = |rule: &StorageRule| {
            let root = match rule.uri.root() {
                StorageRoot::Absolute => "absolute",
                StorageRoot::Workspace(name) => name,
            };
            [root.to_owned()].into_iter().chain(rule.uri.prefix().iter().cloned()).collect()
        };
        rules.iter().map(|rule| Placed { rule: rule.clone(), at: at(rule), kind }).collect()
    };
    let allow = placed(RuleKind::Allow, &policy.storage.allow);
    let map = StorageMap::new([allow, placed(RuleKind::Deny, &policy.storage.deny)].concat());
    for root in ["absolute", "workspace", "w-1"] {
        for first in names.iter().map(String::as_str) {
            for path in [
                vec![root],
                vec![root, first],
                vec![root, first, "a"],
                vec![root, first, "n.md"],
                vec![root, "a", first, "b", "ax"],
            ] {
                decisions.extend(
                    [Access::Read, Access::Write]
                        .map(|access| map.decide(&path, access).is_allowed()),
                );
            }
        }
    }
    decisions
}

/// A moment before, between and after [`ENDS`].
pub(crate) fn any_moment() -> impl Strategy<Value = Until> {
    let moments = ["2026-11-21T17:59:59Z", ENDS[0], "2099-12-31T23:59:59Z", ENDS[1]];
    proptest::sample::select(moments.to_vec()).prop_map(|text| text.parse().unwrap())
}

/// What both policies decide at `moment` about the same things, those that their rules name among
/// them.
pub(crate) fn side_by_side(one: &Policy, other: &Policy, moment: Until) -> Vec<(bool, bool)> {
    let [one, other] = &[one, other].map(|policy| policy.at(moment.time()));
    let rules = [one, other]
        .into_iter()
        .flat_map(|policy| policy.storage.allow.iter().chain(&policy.storage.deny));
    let mut names: Vec<String> = rules.flat_map(|rule| rule.uri.prefix().to_vec()).collect();
    names.extend(["a", "b", "n.md", "bx"].map(str::to_owned));
    decisions(one, &names).into_iter().zip(decisions(other, &names)).collect()
}

proptest! {
    // Each case asks hundreds of questions.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_edited_policy_can_be_read_again(policy in any_policy(), edits in proptest::collection::vec(any_edit(), 1..4)) {
        let mut policy = policy;
        for edit in edits {
            if let Ok(edited) = policy.edit(&edit) {
                let text = edited.policy.to_yaml();
                prop_assert_eq!(Policy::parse(&text), Ok(edited.policy.clone()), "{:?}", edit);
                policy = edited.policy;
            }
        }
    }

    #[test]
    fn what_does_not_widen_turns_no_refusal_into_a_permission(policy in any_policy(), edit in any_edit(), moment in any_moment()) {
        if let Ok(edited) = policy.edit(&edit) {
            for (before, now) in side_by_side(&policy, &edited.policy, moment) {
                prop_assert!(edited.widens || before || !now, "{edit:?}");
                prop_assert!(!matches!(edit, Edit::Grant(_)) || now || !before, "a grant takes nothing: {edit:?}");
                prop_assert!(!matches!(edit, Edit::Revoke(_) | Edit::Reset) || before || !now, "{edit:?}");
            }
        }
    }

    #[test]
    fn a_rule_that_is_granted_with_another_end_is_there_for_the_longer_time(
        policy in any_policy(), which in any::<proptest::sample::Index>(), until in any_end(RuleKind::Allow), moment in any_moment(),
    ) {
        let storage = policy.storage.allow.iter().cloned().map(AnyRule::Storage);
        let network = policy.network.allow.iter().cloned().map(AnyRule::Network);
        let variables = policy.environment.iter().cloned().map(AnyRule::Variable);
        let rules: Vec<_> = storage.chain(network).chain(variables).collect();
        prop_assume!(!rules.is_empty());
        let edit = with_end(Edit::Grant(which.get(&rules).clone()), until);
        let edited = policy.edit(&edit).unwrap();
        for (before, now) in side_by_side(&policy, &edited.policy, moment) {
            prop_assert!(now || !before, "a grant takes nothing: {edit:?}");
            prop_assert!(edited.widens || before || !now, "{edit:?}");
        }
        // As if the rule had been there a second time.
        let Edit::Grant(rule) = edit else { return Ok(()) };
        let mut both = policy;
        match rule {
            AnyRule::Storage(rule) => both.storage.allow.push(rule),
            AnyRule::Network(rule) => both.network.allow.push(rule),
            AnyRule::Variable(rule) => both.environment.push(rule),
        }
        for (both, now) in side_by_side(&both, &edited.policy, moment) {
            prop_assert_eq!(both, now);
        }
    }

    #[test]
    fn two_policies_are_compared_on_the_safe_side(one in any_policy(), other in any_policy(), moment in any_moment()) {
        for (before, now) in side_by_side(&one, &other, moment) {
            prop_assert!(other.widens(&one) || before || !now);
        }
        prop_assert!(!one.widens(&one));
        prop_assert_eq!(one.changes_since(&one), Vec::<String>::new());
    }

    #[test]
    fn a_grant_that_is_revoked_leaves_what_was_there_or_less(policy in any_policy(), storage in any_storage(RuleKind::Allow), network in any_network(RuleKind::Allow), moment in any_moment()) {
        let pairs = [
            (Target::Storage(storage.uri.clone()), AnyRule::Storage(storage)),
            (Target::Network(network.clone()), AnyRule::Network(network)),
            (Target::Variable("A".to_owned()), AnyRule::Variable(VariableRule::new("A", None))),
        ];
        for (target, rule) in pairs {
            let Ok(granted) = policy.edit(&Edit::Grant(rule)) else { continue };
            // A wider rule that allowed it already is not taken out for it.
            let after = match granted.policy.edit(&Edit::Revoke(target)) {
                Ok(edited) => edited.policy,
                Err(_) => granted.policy,
            };
            for (before, now) in side_by_side(&policy, &after, moment) {
                prop_assert!(before || !now);
            }
        }
    }
}
