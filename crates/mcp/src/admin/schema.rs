//! The schemas that several built-in tools share, in the subset that every host accepts: one `type`
//! each, `properties` on every object, `items` on every array, no references and no unions. What is
//! described here is what the toolbox's views write; a test holds the two together.

use serde_json::{Value, json};
use wassette_toolbox::JsonObject;

/// The listed schema of a result: always an object, for older clients drop anything else.
pub(super) fn wrapped(result: Value) -> JsonObject {
    object_of(json!({
        "type": "object",
        "properties": { "result": result },
        "required": ["result"],
    }))
}

/// The object in `schema`, which is written out as one.
pub(super) fn object_of(schema: Value) -> JsonObject {
    match schema {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

/// One tool of a component.
pub(super) fn tool() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "description": "What to call it by." },
            "title": { "type": "string" },
            "description": { "type": "string" },
            "component": { "type": "string", "description": "The id of its component." },
            "input_schema": any_object("The JSON Schema of its arguments."),
            "output_schema": any_object("The JSON Schema of its result."),
        },
        "required": ["name", "component", "input_schema"],
    })
}

/// Tools.
pub(super) fn tools() -> Value {
    json!({ "type": "array", "items": tool() })
}

/// One component that is loaded.
pub(super) fn component() -> Value {
    json!({
        "type": "object",
        "properties": component_properties(),
        "required": ["id", "tools"],
    })
}

/// What is said of a component, loaded or not.
pub(super) fn component_properties() -> Value {
    json!({
        "id": { "type": "string" },
        "source": { "type": "string", "description": "Where it was loaded from." },
        "digest": digest(),
        "size": { "type": "integer", "description": "Its size in bytes." },
        "origin": {
            "type": "object",
            "description": "How it came here.",
            "properties": {
                "reference": { "type": "string", "description": "What was loaded, with its tag." },
                "manifest": { "type": "string", "description": "Its image's digest." },
                "signer": { "type": "string", "description": "Who signed it, if that was verified." },
            },
            "required": ["reference"],
        },
        "waiting": waiting(),
        "loaded_at": { "type": "integer", "description": "Seconds since 1970." },
        "tools_count": { "type": "integer" },
        "tools": tools(),
        "omitted": omitted(),
        "imports": {
            "type": "array",
            "items": { "type": "string" },
            "description": "The interfaces that it asks of its host.",
        },
    })
}

/// A version that is not in force yet.
pub(super) fn waiting() -> Value {
    json!({
        "type": "object",
        "description": "A new version that waits until a person accepts it on the command line.",
        "properties": { "digest": { "type": "string" }, "summary": { "type": "string" } },
        "required": ["digest", "summary"],
    })
}

/// A component's digest.
pub(super) fn digest() -> Value {
    json!({ "type": "string", "description": "The SHA-256 digest of its bytes." })
}

/// Functions that are not callable.
pub(super) fn omitted() -> Value {
    json!({
        "type": "array",
        "description": "Exported functions that are not callable as tools, and why.",
        "items": {
            "type": "object",
            "properties": {
                "function": { "type": "string" },
                "reason": { "type": "string" },
            },
            "required": ["function", "reason"],
        },
    })
}

/// An object of which nothing more is said.
pub(super) fn any_object(description: &str) -> Value {
    json!({ "type": "object", "description": description, "properties": {} })
}
