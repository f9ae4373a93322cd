use std::collections::BTreeMap;
use std::path::Path;

use miette::Diagnostic;
use wassette_policy::{Bytes, Span};
use wassette_toolbox::Naming;

use super::*;

fn read(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, text).unwrap();
    Config::read(&path)
}

/// The place, the fault and the cure of a file that must be refused.
fn refusal(text: &str) -> (usize, usize, String, String) {
    match read(text) {
        Err(ConfigError::Fault { line, column, fault, help, .. }) => {
            (line, column, fault.to_string(), help)
        }
        other => panic!("expected a fault, found {other:?}"),
    }
}

#[test]
fn every_key_is_read() {
    let text = r#"
component_dir = "components"
bind_address = "[::1]:0"
allowed_hosts = ["wassette.test", "other:80"]
allowed_origins = ["http://localhost:5173"]
tool_name_limit = 64
show_output = true

[limits]
memory = "1Gi"
time = "2m"
concurrency = 4

[components.weather]
only = ["get-weather"]
prefix = "eu"
rename = { get-weather = "weather_now" }
descriptions = { get-weather = "The weather." }
"#;
    let config = Config::parse(text, Path::new("/etc/wassette")).ok().unwrap();
    let limits = Limits {
        memory: "1Gi".parse::<Bytes>().unwrap(),
        time: "2m".parse::<Span>().unwrap(),
        concurrency: 4,
        ..Limits::default()
    };
    let pair = |name: &str| ("get-weather".to_owned(), name.to_owned());
    let operator = Override {
        naming: Naming {
            only: vec!["get-weather".into()],
            prefix: Some("eu".into()),
            rename: vec![pair("weather_now")],
        },
        descriptions: BTreeMap::from([pair("The weather.")]),
    };
    let expected = Config {
        component_dir: Some("/etc/wassette/components".into()),
        bind_address: Some("[::1]:0".parse().unwrap()),
        allowed_hosts: vec!["wassette.test".into(), "other:80".into()],
        allowed_origins: vec!["http://localhost:5173".into()],
        tool_name_limit: Some(64),
        show_output: true,
        limits,
        components: BTreeMap::from([("weather".to_owned(), operator)]),
    };
    assert_eq!(config, expected);
}

#[test]
fn an_empty_file_changes_nothing() {
    assert_eq!(read("# nothing\n").unwrap(), Config::default());
}

#[test]
fn every_known_key_is_one_that_is_read() {
    for key in Config::KEYS {
        let (_, _, fault, _) = refusal(&format!("{key} = 1979-05-27"));
        assert!(fault.starts_with(&format!("`{key}` is ")), "{fault}");
    }
}

#[test]
fn a_fault_has_its_place_and_its_cure() {
    for (text, line, column, fault, help) in [
        (
            "# é\nbind_adress = \"x\"",
            2,
            1,
            "there is no key `bind_adress`",
            "did you mean `bind_address`?",
        ),
        (
            "[policy]\n",
            1,
            2,
            "there is no key `policy`",
            "the keys are: component_dir, bind_address, allowed_hosts, allowed_origins, \
             tool_name_limit, show_output, limits, components",
        ),
        (
            "show_output = \"yes\"",
            1,
            15,
            "`show_output` is `true` or `false`, not string",
            "leave `show_output` out to keep its default",
        ),
        (
            "bind_address = \"9001\"",
            1,
            16,
            "`bind_address` cannot be `9001`",
            "write an address and a port, such as `127.0.0.1:9001`",
        ),
        (
            "tool_name_limit = 7",
            1,
            19,
            "`tool_name_limit` cannot be `7`",
            "write a whole number from 16 to 64",
        ),
        (
            "allowed_hosts = [\"a\", 2]",
            1,
            23,
            "`allowed_hosts` is a list of texts, not integer",
            "leave `allowed_hosts` out to keep its default",
        ),
        ("allowed_hosts = [\"\"]", 1, 18, "`allowed_hosts` cannot be ``", "leave the entry out"),
        (
            "component_dir = \"~/c\"",
            1,
            17,
            "`component_dir` cannot be `~/c`",
            "write the folder in full, such as `/home/me/components`",
        ),
        (
            "[limits]\nmemroy = \"1Gi\"",
            2,
            1,
            "there is no limit `memroy`",
            "did you mean `memory`?",
        ),
        (
            "[limits]\nmemory = true",
            2,
            10,
            "`limits.memory` is an amount such as `\"256Mi\"`, `\"10s\"` or `32`, not boolean",
            "every limit has a default: leave the key out to keep it",
        ),
    ] {
        let expected = (line, column, fault.to_owned(), help.to_owned());
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn a_limit_that_cannot_be_says_what_would_do() {
    let (line, column, fault, help) = refusal("[limits]\nmemory = \"lots\"");
    assert_eq!((line, column), (2, 10));
    assert_eq!(fault, "the limit `memory` cannot be set");
    assert!(help.contains("`lots` is not an amount of memory"), "{help}");
    assert!(help.contains("`256Mi`"), "{help}");
}

#[test]
fn what_is_not_toml_is_refused_with_its_place() {
    let (line, column, fault, _) = refusal("show_output = true\nallowed_hosts = \n");
    assert_eq!((line, column), (2, 17));
    assert!(!fault.contains('\n') && !fault.is_empty(), "{fault}");
}

#[test]
fn a_file_that_is_not_there_is_an_error_with_a_cure() {
    let error = Config::read(Path::new("/nowhere/config.toml")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the configuration `/nowhere/config.toml`");
    assert!(error.help().is_some());
}
