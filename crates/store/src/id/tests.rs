//! Which names become which ids, and which ids a user may write.

use proptest::prelude::*;

use super::*;

#[test]
fn names_become_ids() {
    for (name, id) in [
        ("time-server", "time-server"),
        ("Time_Server.v2", "time_server.v2"),
        ("My Component (1)", "my-component--1"),
        ("-rf", "rf"),
        ("../x", "x"),
        ("..%2fx", "2fx"),
        ("a/b", "a-b"),
        ("a\0b", "a-b"),
        ("a\u{202e}b", "a-b"),
        ("CON", "component-con"),
        ("nul.tar", "component-nul.tar"),
        ("com1", "component-com1"),
        ("com10", "com10"),
        ("comb", "comb"),
        ("Load_Component", "load_component"),
        ("wassette", "component-wassette"),
        ("wassette-demo", "wassette-demo"),
    ] {
        let found = ComponentId::from_name(name);
        assert_eq!(found.as_str(), id, "{name:?}");
        assert_eq!(ComponentId::parse(found.as_str()), Ok(found));
    }
}

#[test]
fn names_without_a_letter_get_ids_of_their_own() {
    let ids = ["", ".", "..", "日本", "本日", "-"].map(ComponentId::from_name);
    for (position, id) in ids.iter().enumerate() {
        assert!(id.as_str().starts_with("component-"));
        assert!(!ids[position + 1..].contains(id), "{id}");
    }
}

#[test]
fn long_names_keep_their_start_and_stay_apart() {
    let long = "weather-".repeat(40);
    let first = ComponentId::from_name(&format!("{long}a"));
    let second = ComponentId::from_name(&format!("{long}b"));
    assert!(first.as_str().starts_with("weather-weather-"));
    assert!(first.as_str().len() <= ComponentId::MAX_LENGTH);
    assert_ne!(first, second);
    let fitting = "x".repeat(ComponentId::MAX_LENGTH);
    assert_eq!(ComponentId::from_name(&fitting).as_str(), fitting);
}

#[test]
fn users_may_write_ids_and_nothing_else() {
    for id in ["a", "0", "time-server", "x_1.2", &"x".repeat(64)] {
        assert_eq!(ComponentId::parse(id).unwrap().as_str(), id);
    }
    let long = "x".repeat(65);
    for text in ["", "-rf", ".", "..", "../x", "a/b", "a b", "A", "é", "a\n", "a\0", "_a", &long] {
        assert!(matches!(ComponentId::parse(text), Err(IdError::Malformed { .. })), "{text:?}");
    }
    for text in ["con", "aux.x", "lpt9", "wassette", "store"] {
        assert!(matches!(ComponentId::parse(text), Err(IdError::Reserved { .. })), "{text:?}");
    }
}

#[test]
fn a_refused_id_comes_with_one_that_works() {
    let error = ComponentId::parse("Time Server").unwrap_err();
    assert_eq!(error.to_string(), "`Time Server` is not a component id");
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert!(help.ends_with("64 at most, for example `time-server`"), "{help}");
}

proptest! {
    #[test]
    fn every_name_becomes_one_id_that_is_safe_everywhere(name in ".{0,100}") {
        let id = ComponentId::from_name(&name);
        prop_assert_eq!(&id, &ComponentId::from_name(&name));
        prop_assert_eq!(&ComponentId::from_name(id.as_str()), &id);
        prop_assert_eq!(&ComponentId::parse(id.as_str()), &Ok(id.clone()));
        prop_assert!(!id.as_str().contains(['/', '\\', '\0', ':']));
        prop_assert!(id.as_str() != "." && id.as_str() != "..");
    }

    #[test]
    fn what_parses_is_what_was_written(text in "[a-zA-Z0-9._/-]{0,70}") {
        if let Ok(id) = ComponentId::parse(&text) {
            prop_assert_eq!(id.as_str(), &text);
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<ComponentId>(&json).unwrap(), id);
        }
    }
}
