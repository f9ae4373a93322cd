use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::document::Rules;
use crate::document::tests::{ENDS, any_policy};
use crate::edit::tests::{any_edit, any_moment, side_by_side};
use crate::{EditError, Setting};

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

const REQUEST: &str = "storage: {allow: [{uri: fs:///a, access: [read]}, \
                       {uri: fs:///b, access: [write], until: 2026-11-21T18:00:00Z}]}\n\
                       network: {allow: [{host: a.example, methods: [GET]}]}\n\
                       environment: {allow: [{key: A, until: 2100-01-01T00:00:00Z}]}\n";

#[test]
fn a_document_asks_for_what_it_allows_and_for_its_limits() {
    let asked = policy(&format!("{REQUEST}resources: {{limits: {{memory: 1Gi, requests: 5}}}}"));
    let additions = asked.additions().unwrap();
    assert_eq!(additions.len(), 6);
    assert_eq!(additions[0], Edit::Grant(AnyRule::Storage(asked.storage.allow[0].clone())));
    assert_eq!(additions[5], Edit::Limit("requests".to_owned(), Setting::Number(5)));
    assert_eq!(Policy::asking(additions), Ok(asked));
}

#[test]
fn denied_requests_that_take_something_away_or_ask_for_nothing() {
    for text in ["{}", "resources: {limits: {}}", "version: '1.0'\npermissions: {}\n"] {
        assert_eq!(policy(text).additions(), Err(AdditionError::Nothing), "{text}");
    }
    for deny in ["storage: {deny: [{uri: fs:///a}]}", "network: {deny: [{host: b.example}]}"] {
        let text = format!("{deny}\nenvironment: {{allow: [{{key: A}}]}}");
        assert_eq!(policy(&text).additions(), Err(AdditionError::Denies), "{text}");
    }
    assert_eq!(Policy::asking([]), Err(AdditionError::Nothing));
    let grants = policy(REQUEST).additions().unwrap();
    for edit in [Edit::Reset, Edit::Revoke(crate::Target::Variable("A".to_owned()))] {
        let edits = grants.iter().cloned().chain([edit]);
        assert_eq!(Policy::asking(edits), Err(AdditionError::TakesAway));
    }
    let header = |secret: &str| {
        let text = format!(
            "network: {{allow: [{{host: a.example, inject: {{header: x-a, value: '${{secret:{secret}}}'}}}}]}}"
        );
        policy(&text).additions().unwrap().remove(0)
    };
    let refused = Policy::asking([header("A"), header("B")]).unwrap_err();
    assert!(matches!(refused, AdditionError::Edit(EditError::Contradiction { .. })), "{refused}");
}

#[test]
fn a_request_that_ends_ends_in_all_its_parts() {
    let [first, last]: [Until; 2] = ENDS.map(|end| end.parse().unwrap());
    let request = policy(REQUEST);
    let ends = |policy: Policy| -> Vec<_> {
        let storage = policy.storage.allow.iter().map(|rule| rule.until);
        let network = policy.network.allow.iter().map(|rule| rule.until());
        let variables = policy.environment.iter().map(|rule| rule.until);
        storage.chain(network).chain(variables).collect()
    };
    assert_eq!(ends(request.clone().ending(first).unwrap()), [Some(first); 4]);
    // What says an earlier end keeps it.
    let late = request.ending(last).unwrap();
    assert_eq!(ends(late), [Some(last), Some(first), Some(last), Some(last)]);
    let limit = policy(&format!("{REQUEST}resources: {{limits: {{memory: 1Gi}}}}"));
    assert_eq!(limit.ending(last), Err(AdditionError::Limits));
    assert_eq!(Policy::default().ending(last), Err(AdditionError::Nothing));
    let denies = policy("storage: {deny: [{uri: fs:///a}]}");
    assert_eq!(denies.ending(last), Err(AdditionError::Denies));
}

#[test]
fn a_rule_is_gone_from_the_second_at_which_it_ends() {
    let request = policy(REQUEST);
    let [first, last]: [Until; 2] = ENDS.map(|end| end.parse().unwrap());
    let moment = Duration::from_nanos(1);
    let (before, after) = (first.time() - moment, first.time());
    assert_eq!(request.at(before), request);
    assert_eq!(request.next_end(before), Some(first));
    let later = request.at(after);
    assert_eq!(later.storage.allow, request.storage.allow[..1]);
    assert_eq!((&later.network, &later.environment), (&request.network, &request.environment));
    assert_eq!(request.next_end(after), Some(last));
    let at_last = request.at(last.time());
    assert!(at_last.environment.is_empty() && !at_last.storage.is_empty());
    assert_eq!(request.next_end(last.time()), None);
    // What denies, and what limits, is there for good.
    let good = policy(
        "storage: {deny: [{uri: fs:///a}]}\nnetwork: {deny: [{host: a.example}]}\n\
         resources: {limits: {memory: 1Gi}}",
    );
    assert_eq!(good.at(last.time() + Duration::from_secs(1 << 33)), good);
}

/// `policy` after all `edits`, if they can be made.
fn after(policy: &Policy, edits: &[Edit]) -> Option<Policy> {
    edits.iter().try_fold(policy.clone(), |policy, edit| Some(policy.edit(edit).ok()?.policy))
}

proptest! {
    // Each case asks hundreds of questions.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_policy_only_narrows_as_time_goes(policy in any_policy(), moment in any_moment()) {
        let later = policy.at(moment.time());
        prop_assert!(!later.widens(&policy));
        prop_assert_eq!(Policy::parse(&later.to_yaml()), Ok(later.clone()));
        prop_assert_eq!(later.next_end(moment.time()), policy.next_end(moment.time()));
        prop_assert!(policy.next_end(moment.time()).is_none_or(|end| end > moment));
    }

    #[test]
    fn what_was_asked_for_adds_what_its_parts_add(
        policy in any_policy(), edits in proptest::collection::vec(any_edit(), 1..4), moment in any_moment(),
    ) {
        let takes = |edit: &Edit| matches!(edit, Edit::Reset | Edit::Revoke(_));
        match Policy::asking(edits.clone()) {
            Err(error) => {
                let odd = matches!(error, AdditionError::Edit(_));
                prop_assert!(odd || edits.iter().any(takes), "{error}");
            }
            Ok(asked) => {
                prop_assert_eq!(Policy::parse(&asked.to_yaml()), Ok(asked.clone()));
                let additions = asked.additions().unwrap();
                prop_assert_eq!(Policy::asking(additions.clone()), Ok(asked));
                if let (Some(one), Some(other)) = (after(&policy, &edits), after(&policy, &additions)) {
                    for (parts, whole) in side_by_side(&one, &other, moment) {
                        prop_assert_eq!(parts, whole);
                    }
                }
            }
        }
    }

    #[test]
    fn a_request_that_ends_is_the_request_until_then_and_nothing_afterwards(
        policy in any_policy(), end in any_moment(), moment in any_moment(),
    ) {
        let request = Policy {
            storage: Rules { deny: vec![], ..policy.storage },
            network: Rules { deny: vec![], ..policy.network },
            environment: policy.environment,
            ..Policy::default()
        };
        let Ok(ending) = request.clone().ending(end) else {
            prop_assert!(request.is_empty());
            return Ok(());
        };
        prop_assert_eq!(Policy::parse(&ending.to_yaml()), Ok(ending.clone()));
        if moment < end {
            for (whole, part) in side_by_side(&request, &ending, moment) {
                prop_assert_eq!(whole, part);
            }
        } else {
            prop_assert!(ending.at(moment.time()).is_empty());
        }
    }
}
