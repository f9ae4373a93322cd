//! The subset of JSON Schema that all hosts take, as a check.

use serde_json::{Map, Value as Json};

const KEYWORDS: &[&str] = &[
    "additionalProperties",
    "anyOf",
    "contentEncoding",
    "description",
    "enum",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "prefixItems",
    "properties",
    "required",
    "type",
];

/// Fails where a root schema could make a host refuse it.
pub(super) fn portable(schema: &Json) {
    jsonschema::draft202012::meta::validate(schema).expect("a valid schema");
    let root = schema.as_object().unwrap();
    assert_eq!(root["type"], "object");
    assert!(!root.contains_key("anyOf"), "a union at the root");
    check(root);
}

fn check(schema: &Map<String, Json>) {
    for keyword in schema.keys() {
        assert!(KEYWORDS.contains(&keyword.as_str()), "`{keyword}` is not portable");
    }
    assert_eq!(schema.contains_key("type"), !schema.contains_key("anyOf"), "{schema:?}");
    match schema.get("type").map(|ty| ty.as_str().expect("a single type")) {
        Some("object") => assert!(schema.contains_key("properties")),
        Some("array") => assert!(schema["items"].is_object()),
        _ => {}
    }
    for bound in ["minimum", "maximum"].iter().filter_map(|bound| schema.get(*bound)) {
        assert!(bound.as_i64().unwrap().abs() < 1 << 53);
    }
    for value in schema.get("enum").and_then(Json::as_array).into_iter().flatten() {
        assert!(value.is_string());
    }
    let several = ["anyOf", "prefixItems"].iter().filter_map(|key| schema.get(*key));
    several
        .flat_map(|list| list.as_array().unwrap())
        .for_each(|inner| check(inner.as_object().unwrap()));
    for inner in
        schema.get("properties").and_then(Json::as_object).into_iter().flat_map(Map::values)
    {
        check(inner.as_object().unwrap());
    }
    schema.get("items").into_iter().for_each(|inner| check(inner.as_object().unwrap()));
    match schema.get("additionalProperties") {
        None | Some(Json::Bool(false)) => {}
        Some(inner) => check(inner.as_object().unwrap()),
    }
}
