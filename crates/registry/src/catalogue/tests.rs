//! What the format's page promises, and what it forbids.

use serde_json::{Value, json};

use super::*;

fn read(components: &Value) -> Result<Catalogue, CatalogueError> {
    Catalogue::parse(json!({ "version": 1, "components": components }).to_string().as_bytes())
}

fn entry(name: &str) -> Value {
    json!({ "name": name, "description": "a tool", "reference": "oci://localhost:5000/a/b:1.0" })
}

fn with(key: &str, value: impl Into<Value>) -> Value {
    let mut entry = entry("some");
    entry.as_object_mut().unwrap().insert(key.to_owned(), value.into());
    entry
}

#[test]
fn the_example_of_the_page_is_a_catalogue() {
    let page = include_str!("../../../../docs/reference/catalogue.md");
    let example = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let catalogue = Catalogue::parse(example.as_bytes()).unwrap();
    assert_eq!(catalogue.components.len(), 2);
    let listed = catalogue.components.first().unwrap();
    assert!(listed.digest.is_some() && listed.licence.is_some() && listed.homepage.is_some());
}

#[test]
fn what_is_wrong_is_refused_and_named() {
    let long = "x".repeat(2000);
    let cases = [
        (with("name", ""), "has no name"),
        (with("name", long.as_str()), "has a name of more than 128 characters"),
        (with("description", long.as_str()), "has a description of more than 1000 characters"),
        (with("keywords", vec!["x"; 17]), "has more than 16 keywords"),
        (with("keywords", vec![long.as_str()]), "has a keyword of more than 64 characters"),
        (with("reference", "/srv/a.wasm"), "leads to a file"),
        (with("reference", "http://example.com/a.wasm"), "leads nowhere: "),
        (with("homepage", "javascript:alert(1)"), "has a homepage that is no `https` URL"),
    ];
    for (entry, reason) in cases {
        let error = read(&json!([entry])).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    let twice = read(&json!([entry("a"), entry("A")])).unwrap_err();
    assert_eq!(twice.to_string(), "the entry `A` of the catalogue stands in it twice");
    for entry in [with("permissions", "all"), with("digest", "sha256:1"), json!({ "name": "x" })] {
        let error = read(&json!([entry])).unwrap_err();
        assert!(matches!(error, CatalogueError::Unreadable { .. }), "{error}");
        assert!(!error.to_string().contains("\\u{"), "{error}");
    }
    let other = Catalogue::parse(br#"{"version":2,"anything":[]}"#).unwrap_err();
    assert_eq!(other, CatalogueError::Version { version: 2 });
    assert!(Catalogue::parse(b"{").is_err());
}

#[test]
fn denied_catalogues_without_bounds() {
    let many: Vec<Value> = (0..10_001).map(|number| entry(&format!("n{number}"))).collect();
    assert_eq!(read(&json!(many)).unwrap_err(), CatalogueError::TooMany);
    let long = format!("{{\"version\":1{}", " ".repeat(4 << 20));
    assert_eq!(Catalogue::parse(long.as_bytes()).unwrap_err(), CatalogueError::TooLong);
}

#[test]
fn denied_catalogue_text_that_does_not_show_as_what_it_is() {
    let catalogue = read(&json!([with("description", "a\u{202e}b\u{1b}[2J\u{200b}\nc")])).unwrap();
    let description = &catalogue.components.first().unwrap().description;
    assert_eq!(description, r"a\u{202e}b\u{1b}[2J\u{200b}\u{a}c");
}

#[test]
fn words_are_found_and_ranked() {
    let mut weather = entry("weather");
    weather["description"] = json!("Forecasts for places");
    let mut other = with("keywords", vec!["Weather", "sky"]);
    other["name"] = json!("clouds");
    let third = with("description", "says nothing of weather");
    let catalogue = read(&json!([third, other, weather])).unwrap();
    let found = |text: &str| {
        let query = Query::new(text);
        let mut found: Vec<(u32, String)> = catalogue
            .components
            .iter()
            .filter_map(|listed| Some((query.score(listed)?, listed.name.clone())))
            .collect();
        found.sort_by(|a, b| b.cmp(a));
        found.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    assert_eq!(found("WEATHER"), ["weather", "clouds", "some"]);
    assert_eq!(found("weather, forecast"), ["weather"]);
    assert_eq!(found("sky"), ["clouds"]);
    assert_eq!(found("rain"), [""; 0]);
    assert_eq!(found("").len(), 3);
}

#[test]
fn places_print_as_they_are_written() {
    for text in [
        "https://example.com/index.json",
        "oci://localhost:5000/catalogue:v1",
        "file:/srv/catalogue.json",
        "registry:localhost:5000",
    ] {
        assert_eq!(text.parse::<CatalogueSource>().unwrap().to_string(), text);
    }
    for text in
        ["", "file:index.json", "http://example.com/", "registry:a.example/b", "registry:", "a:b"]
    {
        let error = text.parse::<CatalogueSource>().unwrap_err();
        assert!(matches!(error, CatalogueError::Source { .. }), "{error}");
    }
}
