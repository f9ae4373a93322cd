//! Names of tools.

use super::{NameOptions, ToolName, names, spellings, tool_name};
use crate::function::{Function, FunctionId};

fn id(text: &str) -> FunctionId {
    match text.split_once('#') {
        Some((interface, name)) => FunctionId::new(Some(interface), name),
        None => FunctionId::new(None, text),
    }
}

fn named(text: &str) -> String {
    tool_name(&id(text), NameOptions::default()).to_string()
}

fn all(ids: &[&str]) -> Vec<String> {
    let functions: Vec<Function> =
        ids.iter().map(|text| Function::new(id(text), [], None)).collect();
    names(&functions, 48).into_iter().map(String::from).collect()
}

#[test]
fn interface_functions_are_underscored_and_world_functions_keep_their_names() {
    assert_eq!(
        named("example:weather/weather-api#get-weather"),
        "example_weather_weather_api_get_weather"
    );
    assert_eq!(
        named("example:weather/weather-api@0.1.0#get-weather"),
        "example_weather_weather_api_get_weather"
    );
    assert_eq!(named("inline#get"), "inline_get");
    assert_eq!(named("get-current-time"), "get-current-time");
    assert_eq!(named("[method]counter.get"), "_method_counter_get");
}

#[test]
fn a_kept_version_stands_behind_its_interface() {
    let options = NameOptions { keep_version: true, ..NameOptions::default() };
    let name = |text| tool_name(&id(text), options).to_string();
    assert_eq!(name("a:b/c@0.1.0#d-e"), "a_b_c_0_1_0_d_e");
    assert_eq!(name("a:b/c@1.2.3-rc.1+build#d"), "a_b_c_1_2_3_rc_1_build_d");
    assert_eq!(name("a:b/c#d"), "a_b_c_d");
}

#[test]
fn long_interfaces_lose_the_package_first() {
    let example = "organisation:weather/weather-api#get-weather";
    assert_eq!(named(example), "weather_weather_api_get_weather");
    let example = "organisation:really-long-package-name-here/weather-api#get-the-weather";
    assert_eq!(named(example), "weather_api_get_the_weather");
}

#[test]
fn one_interface_has_one_beginning() {
    let functions = ["create-entities", "delete-observations", "read-graph", "x"];
    for function in functions {
        let id = format!("microsoft:memory-js/knowledge-graph-ops@0.1.0#{function}");
        assert_eq!(named(&id), format!("knowledge_graph_ops_{}", function.replace('-', "_")));
    }
    // A function of a later version that is too long changes nobody's name but its own.
    let long = "microsoft:memory-js/knowledge-graph-ops#delete-all-observations-of-an-entity";
    assert_eq!(named(long), "knowledge_graph_ops_delete_all_observat_820bdbe2");
    // An interface whose own name is too long has one beginning too.
    let id = |function| format!("a:b/an-interface-with-a-very-long-name-indeed@1.0.0#{function}");
    assert_eq!(named(&id("get")), "an_interface_with_a_fcecfb49_get");
    assert_eq!(named(&id("set")), "an_interface_with_a_fcecfb49_set");
}

#[test]
fn the_room_for_functions_follows_the_limit() {
    let id = id("example:weather/weather-api#get-weather");
    let name = |limit| tool_name(&id, NameOptions { limit, keep_version: false }).to_string();
    assert_eq!(name(64), "example_weather_weather_api_get_weather");
    assert_eq!(name(40), "weather_weather_api_get_weather");
    assert_eq!(name(32), "weather_api_get_weather");
}

#[test]
fn names_that_are_still_too_long_are_cut_and_end_in_a_stable_hash() {
    let long = "a:b/alpha@1.0.0#this-is-a-very-long-function-name-that-goes-on-and-on";
    assert_eq!(named(long), "a_b_alpha_this_is_a_very_long_function_3e38d342");
    // The version is no part of a name, so it changes none.
    assert_eq!(named(long), named(&long.replace("1.0.0", "2.0.0")));
    let world = named("this-is-a-very-long-function-name-that-goes-on-and-on");
    assert!(
        world.len() <= 48 && world.starts_with("this-is-a-very-long-function-name-that"),
        "{world}"
    );
    for limit in [0, 16, 20, 64, 1000] {
        let name = tool_name(&id(long), NameOptions { limit, keep_version: false });
        assert!(name.as_str().len() <= limit.clamp(16, 64), "{name}");
        assert!(ToolName::try_from(name.to_string()).is_ok());
    }
}

#[test]
fn a_version_stays_only_where_an_interface_has_two() {
    assert_eq!(
        all(&["a:b/c@0.1.0#get", "a:b/c@0.2.0#get", "a:b/d@0.1.0#get", "get"]),
        ["a_b_c_0_1_0_get", "a_b_c_0_2_0_get", "a_b_d_get", "get"]
    );
}

#[test]
fn names_within_a_component_are_unique_whatever_the_order() {
    let ids = ["n:p/alpha-get#x", "n:p/alpha#get-x", "n:p/alpha#get"];
    let names = all(&ids);
    assert_eq!(names[1..], ["n_p_alpha_get_x", "n_p_alpha_get"]);
    assert!(names[0].starts_with("n_p_alpha_get_x_"), "{names:?}");
    let mut backwards = ids;
    backwards.reverse();
    let mut again = all(&backwards);
    again.reverse();
    assert_eq!(again, names);
}

#[test]
fn many_long_names_stay_apart() {
    let ids: Vec<String> = (0..200).map(|n| format!("{}-{n}", "same".repeat(20))).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let names = all(&ids);
    let distinct: std::collections::HashSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), 200);
    assert!(names.iter().all(|name| name.len() <= 48));
}

#[test]
fn a_prefix_sets_components_apart() {
    let get = id("get");
    let name = tool_name(&get, NameOptions::default());
    assert_eq!(name.prefixed("time-server", &get, 48).as_str(), "time_server_get");
    assert_eq!(name.prefixed("9lives", &get, 48).as_str(), "_9lives_get");
    let long = name.prefixed(&"long".repeat(20), &get, 48);
    assert!(long.as_str().len() <= 48 && long != name.prefixed(&"long".repeat(21), &get, 48));
}

#[test]
fn every_spelling_of_a_function_is_known() {
    assert_eq!(
        spellings(&id("example:weather/weather-api@0.1.0#get-weather")),
        [
            "example:weather/weather-api@0.1.0#get-weather",
            "example:weather/weather-api#get-weather",
            "example_weather_weather_api_0_1_0_get_weather",
            "example_weather_weather-api_0_1_0_get-weather",
            "example_weather_weather_api_get_weather",
            "example_weather_weather-api_get-weather",
            "weather_weather_api_get_weather",
            "weather_api_get_weather",
            "get-weather",
            "get_weather",
        ]
    );
    assert_eq!(spellings(&id("ping")), ["ping"]);
}

#[test]
fn a_name_that_hosts_refuse_is_no_tool_name() {
    for name in ["", "9", "-a", "a.b", "a b", "ä", &"a".repeat(65)] {
        let error = ToolName::try_from(name.to_owned()).expect_err("refused");
        assert_eq!(error.to_string(), format!("`{name}` is not a tool name"));
        assert!(serde_json::from_value::<ToolName>(name.into()).is_err());
    }
    assert_eq!(
        serde_json::to_string(&ToolName::try_from("_a-B9".to_owned()).unwrap()).unwrap(),
        "\"_a-B9\""
    );
}
