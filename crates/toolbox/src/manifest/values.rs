//! `value_from`: where a manifest says that the values of variables lie. It is taken out of the
//! permissions before they are read as a policy, which travels and names no places.

use std::path::Path;

use serde_json::{Map, Value};
use wassette_policy::{VariableRule, word};

use crate::environment::{ValueSource, ValueSources};

/// What to write.
const HELP: &str = "write `value_from: { env: NAME }`, `{ secret: NAME }` or `{ file: PATH }`; a text \
                    alone is the name of a variable of the server";

/// Why it cannot be meant, and what to write.
pub(super) type Refusal = (String, String);

/// Takes every `value_from` out of `permissions`, as a manifest has them, and says what they are.
/// Paths begin at `folder`.
pub(super) fn take(permissions: &mut Value, folder: &Path) -> Result<ValueSources, Refusal> {
    let mut sources = ValueSources::new();
    let variables = permissions.pointer_mut("/environment/allow").and_then(Value::as_array_mut);
    let Some(variables) = variables else { return Ok(sources) };
    let key = |variable: &Value| variable["key"].as_str().map(str::to_owned);
    let keys: Vec<_> = variables.iter().map(key).collect();
    for (variable, key) in variables.iter_mut().zip(&keys) {
        let Some(fields) = variable.as_object_mut() else { continue };
        let Some(from) = fields.remove("value_from") else { continue };
        // What has no key that is a text is refused with the rest.
        let Some(key) = key else { continue };
        let wrong = |what: &str, help: &str| {
            (format!("`value_from` of the variable `{}` {what}", word(key)), help.to_owned())
        };
        if fields.contains_key("value") {
            return Err(wrong("stands beside a `value`", "keep one of the two"));
        }
        if keys.iter().flatten().filter(|other| *other == key).count() > 1 {
            return Err(wrong("is not all that is said of it", "list the variable once"));
        }
        let source = source(&from, folder).ok_or_else(|| wrong("names no place", HELP))?;
        sources.insert(key.clone(), source);
    }
    Ok(sources)
}

fn source(from: &Value, folder: &Path) -> Option<ValueSource> {
    let name = |name: &Value| {
        let name = name.as_str()?;
        VariableRule::check_key(name).ok().map(|()| name.to_owned())
    };
    let one = |map: &Map<String, Value>| {
        let (key, value) = map.iter().next().filter(|_| map.len() == 1)?;
        match key.as_str() {
            "env" => name(value).map(ValueSource::Environment),
            "secret" => name(value).map(ValueSource::Secret),
            "file" => {
                let path =
                    value.as_str().filter(|path| !path.is_empty() && !path.contains('\0'))?;
                Some(ValueSource::File(folder.join(path)))
            }
            _ => None,
        }
    };
    match from {
        Value::String(_) => name(from).map(ValueSource::Environment),
        Value::Object(map) => one(map),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(variables: Value) -> Result<ValueSources, Refusal> {
        let mut permissions = json!({ "environment": { "allow": variables } });
        let sources = take(&mut permissions, Path::new("/project"))?;
        assert!(!permissions.to_string().contains("value_from"), "{permissions}");
        Ok(sources)
    }

    #[test]
    fn every_place_is_understood() {
        let environment = |name: &str| ValueSource::Environment(name.to_owned());
        for (from, source) in [
            (json!("TOKEN"), environment("TOKEN")),
            (json!({ "env": "TOKEN" }), environment("TOKEN")),
            (json!({ "secret": "TOKEN" }), ValueSource::Secret("TOKEN".to_owned())),
            (json!({ "file": "keys/a" }), ValueSource::File("/project/keys/a".into())),
            (json!({ "file": "/run/a" }), ValueSource::File("/run/a".into())),
        ] {
            let sources = taken(json!([{ "key": "KEY", "value_from": from }, { "key": "B" }]));
            assert_eq!(sources.unwrap(), ValueSources::from([("KEY".to_owned(), source)]));
        }
        for nothing in [json!({}), json!([]), json!({ "environment": { "allow": "x" } })] {
            assert_eq!(take(&mut nothing.clone(), Path::new("/")), Ok(ValueSources::new()));
        }
    }

    #[test]
    fn denied_places_that_are_none_or_two() {
        for from in [
            json!(null),
            json!(""),
            json!("A B"),
            json!("$TOKEN"),
            json!("env:TOKEN=x"),
            json!(7),
            json!(["TOKEN"]),
            json!({}),
            json!({ "env": "" }),
            json!({ "env": 7 }),
            json!({ "file": "" }),
            json!({ "file": "a\u{0}" }),
            json!({ "env": "A", "secret": "B" }),
            json!({ "secretKeyRef": { "name": "a", "key": "b" } }),
        ] {
            let (what, help) = taken(json!([{ "key": "KEY", "value_from": from }])).unwrap_err();
            assert_eq!(what, "`value_from` of the variable `KEY` names no place", "{from}");
            assert_eq!(help, HELP);
        }
        let both = json!([{ "key": "KEY", "value": "canary", "value_from": "A" }]);
        let (what, _) = taken(both).unwrap_err();
        assert!(what.ends_with("stands beside a `value`") && !what.contains("canary"), "{what}");
        for other in [json!({ "key": "KEY" }), json!({ "key": "KEY", "value_from": "B" })] {
            let twice = taken(json!([{ "key": "KEY", "value_from": "A" }, other]));
            assert!(twice.unwrap_err().1.contains("once"));
        }
    }
}
