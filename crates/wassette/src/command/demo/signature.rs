//! JSON Schemas on one line: what a tool takes and returns, for people to read. The schemas
//! themselves are what a client gets; nothing is decided from these lines.

use serde_json::{Map, Value};

/// `name(parameter: type, optional?: type) -> type`, from the schemas of a tool.
pub(super) fn signature(
    name: &str,
    input: &Map<String, Value>,
    output: Option<&Map<String, Value>>,
) -> String {
    let required = input.get("required").and_then(Value::as_array);
    let properties = input.get("properties").and_then(Value::as_object);
    let parameters = properties.into_iter().flatten().map(|(parameter, schema)| {
        let is_required = required.is_some_and(|names| names.iter().any(|name| name == parameter));
        let mark = if is_required { "" } else { "?" };
        format!("{parameter}{mark}: {}", kind(schema))
    });
    let parameters: Vec<_> = parameters.collect();
    let result = output.and_then(|schema| schema.get("properties")?.get("result"));
    let result = result.map(|schema| format!(" -> {}", kind(schema))).unwrap_or_default();
    format!("{name}({}){result}", parameters.join(", "))
}

fn kind(schema: &Value) -> String {
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        return choices.iter().map(kind).collect::<Vec<_>>().join(" | ");
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => {
            let items = schema.get("items").map_or_else(|| "any".to_owned(), kind);
            if items.contains(' ') { format!("({items})[]") } else { format!("{items}[]") }
        }
        Some(name) => name.to_owned(),
        None => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::signature;

    #[test]
    fn a_tool_fits_on_a_line() {
        let input = json!({
            "type": "object",
            "properties": {
                "text": { "type": "string" },
                "unit": { "enum": ["line", "word"] },
                "places": { "type": "array", "items": { "anyOf": [{ "type": "integer" }, {}] } },
            },
            "required": ["text", "unit"],
        });
        let output = json!({
            "type": "object",
            "properties": { "result": { "type": "array", "items": { "type": "number" } } },
        });
        let (input, output) = (input.as_object().unwrap(), output.as_object());
        assert_eq!(
            signature("count", input, output),
            r#"count(text: string, unit: "line" | "word", places?: (integer | any)[]) -> number[]"#
        );
        assert_eq!(signature("stop", json!({}).as_object().unwrap(), None), "stop()");
    }
}
