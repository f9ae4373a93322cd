use proptest::prelude::*;

use super::*;

fn text(text: &str) -> Setting {
    Setting::Text(text.to_owned())
}

fn rules(settings: &[(&str, &str)]) -> LimitRules {
    let mut rules = LimitRules::default();
    for (name, setting) in settings {
        rules.set(name, Setting::from(*setting)).unwrap();
    }
    rules
}

#[test]
fn every_name_can_be_set_and_is_what_is_printed() {
    let printed = serde_json::to_value(Limits::default()).unwrap();
    let printed: Vec<_> = printed.as_object().unwrap().keys().cloned().collect();
    assert_eq!(printed, Limits::NAMES);
    for name in Limits::NAMES {
        let mut limits = Limits::default();
        let set = [text("3Mi"), text("7s"), Setting::Number(5)]
            .iter()
            .filter(|setting| limits.set(name, setting).is_ok())
            .count();
        assert!(set >= 1, "{name}");
        assert_ne!(limits, Limits::default(), "{name}");
        assert!(Limits::meaning(name).is_some(), "{name}");
        assert!(Limits::default().amount(name) <= Limits::most().amount(name), "{name}");
        assert!(limits.spelled(name).is_some());
    }
    assert_eq!(Limits::default().spelled("memroy"), None);
}

#[test]
fn what_cannot_be_held_is_refused() {
    let mut limits = Limits::default();
    for (name, setting) in [
        ("memory", text("5Gi")),
        ("memory", text("lots")),
        ("memory", text("unlimited")),
        ("memory", text("1e30")),
        ("memory", Setting::Number(0)),
        ("memory", Setting::Number(-1)),
        ("cpu", text("25h")),
        ("cpu", text("0m")),
        ("cpu", text("100000")),
        ("cpu", Setting::Number(0)),
        ("cpu", Setting::Number(-1)),
        ("time", Setting::Number(10)),
        ("time", text("500")),
        ("concurrency", Setting::Number(0)),
        ("concurrency", Setting::Number(-1)),
        ("requests", Setting::Number(i64::MAX)),
        ("handles", text("10")),
        ("memroy", text("1Mi")),
    ] {
        assert!(limits.set(name, &setting).is_err(), "{name} {setting:?}");
        assert!(LimitRules::default().set(name, setting).is_err());
    }
    assert_eq!(limits, Limits::default());
}

#[test]
fn an_operator_who_names_nothing_sets_defaults_and_the_most_that_can_be_held() {
    let operator = OperatorLimits::default();
    assert_eq!(operator.values(), &Limits::default());
    assert_eq!(operator.ceiling(), &Limits::most());
    let (limits, lowered) = rules(&[("memory", "4Gi"), ("requests", "5")]).apply(&operator);
    assert_eq!(limits.memory, Bytes::mebi(4096));
    assert_eq!(limits.requests, 5);
    assert_eq!(limits.time, Limits::default().time);
    assert!(lowered.is_empty());
}

#[test]
fn what_an_operator_names_is_the_value_and_the_ceiling() {
    let operator = OperatorLimits::new(&rules(&[("memory", "1Gi"), ("requests", "50")]));
    let (limits, lowered) = LimitRules::default().apply(&operator);
    assert_eq!((limits.memory, limits.requests), (Bytes::mebi(1024), 50));
    assert!(lowered.is_empty());
    let (limits, lowered) = rules(&[("memory", "2Gi"), ("requests", "5")]).apply(&operator);
    assert_eq!((limits.memory, limits.requests), (Bytes::mebi(1024), 5));
    assert_eq!(lowered, ["the limit `memory` is 1Gi, not 2Gi: the operator allows no more"]);
}

#[test]
fn denied_limits_beyond_those_of_the_ceiling() {
    let operator = OperatorLimits::new(&rules(&[("requests", "50"), ("handles", "10")]));
    let operator =
        operator.within(&rules(&[("memory", "1Mi"), ("requests", "9"), ("handles", "99")]));
    let values = operator.values();
    assert_eq!((values.memory, values.requests, values.handles), (Bytes::mebi(1), 9, 10));
    let (limits, lowered) = rules(&[("memory", "2Mi"), ("handles", "11")]).apply(&operator);
    assert_eq!((limits.memory, limits.handles, lowered.len()), (Bytes::mebi(1), 10, 2));
    // What the ceiling does not name stays as it was.
    assert_eq!(operator.ceiling().time, Limits::most().time);
}

#[test]
fn more_is_offered_as_far_as_the_operator_goes() {
    let operator = OperatorLimits::new(&rules(&[("write-bytes", "150Ki"), ("time", "20s")]));
    let (limits, _) = rules(&[("write-bytes", "100Ki"), ("requests", "5")]).apply(&operator);
    assert_eq!(operator.more("requests", &limits).as_deref(), Some("10"));
    assert_eq!(operator.more("write-bytes", &limits).as_deref(), Some("150Ki"));
    assert_eq!(operator.more("time", &limits), None);
    assert_eq!(operator.more("refusals", &limits), None);
}

#[test]
fn a_share_of_a_core_is_of_the_time_that_the_call_has() {
    let operator = OperatorLimits::new(&rules(&[("cpu", "500m"), ("time", "20s")]));
    assert_eq!(operator.values().cpu, Span::seconds(10));
    let (limits, _) = rules(&[("cpu", "250m"), ("time", "8s")]).apply(&operator);
    assert_eq!(limits.cpu, Span::seconds(2));
    // Where the operator has held the time down, the share is of what is left.
    let (limits, lowered) = rules(&[("cpu", "100m"), ("time", "1h")]).apply(&operator);
    assert_eq!((limits.cpu, limits.time), (Span::seconds(2), Span::seconds(20)));
    assert_eq!(lowered.len(), 1);
    let (limits, lowered) = rules(&[("cpu", "1")]).apply(&operator);
    assert_eq!((limits.cpu, lowered.len()), (Span::seconds(10), 1));
}

fn any_rules() -> impl Strategy<Value = LimitRules> {
    let amounts = [
        ("memory", ["1Mi", "256Mi", "3Gi"]),
        ("cpu", ["1s", "500m", "20s"]),
        ("time", ["1s", "60s", "2h"]),
        ("requests", ["1", "100", "2000"]),
    ];
    amounts
        .map(|(name, values)| {
            proptest::option::of(proptest::sample::select(values.to_vec()))
                .prop_map(move |value| (name, value))
        })
        .prop_map(|chosen| {
            let chosen: Vec<_> =
                chosen.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
            rules(&chosen)
        })
}

proptest! {
    #[test]
    fn no_policy_goes_beyond_the_ceiling(policy in any_rules(), operator in any_rules()) {
        let operator = OperatorLimits::new(&operator);
        let (limits, _) = policy.apply(&operator);
        for name in Limits::NAMES {
            prop_assert!(limits.amount(name) <= operator.ceiling().amount(name), "{}", name);
        }
    }

    #[test]
    fn what_does_not_widen_gives_no_operator_more(before in any_rules(), now in any_rules(), operator in any_rules()) {
        let operator = OperatorLimits::new(&operator);
        let ((was, _), (is, _)) = (before.apply(&operator), now.apply(&operator));
        for name in Limits::NAMES {
            prop_assert!(now.widen(&before) || is.amount(name) <= was.amount(name), "{}", name);
        }
    }
}
