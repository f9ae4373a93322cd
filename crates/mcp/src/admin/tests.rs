//! What every built-in tool must keep to, whatever it does.

use std::collections::BTreeSet;

use serde_json::Value;
use wassette_toolbox::BUILT_IN_NAMES;

use super::*;

#[test]
fn every_name_is_kept_from_components() {
    for tool in built_in_tools() {
        assert!(BUILT_IN_NAMES.contains(&tool.name.as_str()), "{}", tool.name);
    }
}

#[test]
fn names_are_portable_unique_and_sorted() {
    let names: Vec<String> = built_in_tools().into_iter().map(|tool| tool.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(names.is_sorted());
    for name in names {
        let portable = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        assert!(name.starts_with(|c: char| c.is_ascii_alphabetic()), "{name}");
        assert!(name.chars().all(portable) && name.len() <= 48, "{name}");
    }
}

#[test]
fn every_tool_is_described_within_what_hosts_show() {
    for tool in built_in_tools() {
        assert!((20..2048).contains(&tool.description.len()), "{}", tool.name);
        assert!(!tool.title.is_empty() && !tool.description.contains("  "), "{}", tool.name);
    }
}

#[test]
fn what_only_reads_says_so_and_what_removes_too() {
    for tool in ALL {
        let Definition { name, annotations, .. } = tool.definition();
        let reads = [
            "get-policy",
            "inspect-component",
            "list-components",
            "search-components",
            "search-tools",
        ];
        let reads = reads.contains(&name);
        let adds = name.starts_with("grant-") || name == "request-permission";
        assert_eq!(annotations.read_only, reads, "{name}");
        assert_eq!(annotations.destructive, !reads && !adds, "{name}");
        assert_eq!(tool.changes_nothing(), reads || name == "call-tool", "{name}");
    }
}

#[test]
fn every_schema_is_portable() {
    for tool in built_in_tools() {
        let roots = [Some(tool.input_schema), tool.output_schema];
        for root in roots.into_iter().flatten() {
            assert_eq!(root.get("type"), Some(&Value::from("object")), "{}", tool.name);
            portable(&Value::Object(root.as_ref().clone()), &tool.name);
        }
    }
}

/// Only what Anthropic's, OpenAI's and Google's hosts all accept.
fn portable(schema: &Value, path: &str) {
    const KNOWN: [&str; 8] = [
        "additionalProperties",
        "description",
        "items",
        "maximum",
        "minimum",
        "properties",
        "required",
        "type",
    ];
    let object = schema.as_object().unwrap_or_else(|| panic!("{path}: {schema} is no object"));
    for keyword in object.keys() {
        assert!(KNOWN.contains(&keyword.as_str()), "{path}: `{keyword}`");
    }
    let kind = schema["type"].as_str().unwrap_or_else(|| panic!("{path}: no single type"));
    if kind == "object" {
        let properties = schema["properties"].as_object().unwrap_or_else(|| panic!("{path}"));
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(properties.contains_key(required.as_str().unwrap()), "{path}: {required}");
        }
        for (name, schema) in properties {
            portable(schema, &format!("{path}.{name}"));
        }
    }
    if kind == "array" {
        portable(&schema["items"], &format!("{path}[]"));
    }
    if let Some(closed) = object.get("additionalProperties") {
        assert_eq!(closed, &Value::Bool(false), "{path}");
    }
}
