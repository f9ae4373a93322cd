//! Requests of a method that we serve whose parameters do not fit: the SDK takes them for a method that
//! nobody knows. Here they are looked at again, either to say which member is wrong, or to read what
//! is merely spelt in another way. It must never make two readings of one spelling.

use rmcp::model::{
    CallToolRequestParams, InitializeRequestParams, PaginatedRequestParams,
    SubscriptionsListenRequestParams,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What is wrong with the parameters of `method`; `None` if they fit, or if the method is not served.
pub(crate) fn misfit(method: &str, params: Option<&Value>) -> Option<String> {
    let fault = match method {
        "initialize" => fault::<InitializeRequestParams>,
        "tools/list" => fault::<PaginatedRequestParams>,
        "tools/call" => fault::<CallToolRequestParams>,
        "subscriptions/listen" => fault::<SubscriptionsListenRequestParams>,
        _ => return None,
    };
    let empty = Value::Object(Map::new());
    let fault = fault(params.unwrap_or(&empty))?;
    let fault: String = fault.chars().take(300).collect();
    Some(format!("the parameters of `{method}` do not fit: {fault}"))
}

/// The member, where it is not the object itself, and what is wrong with it.
fn fault<T: DeserializeOwned>(params: &Value) -> Option<String> {
    let error = serde_path_to_error::deserialize::<_, T>(params).err()?;
    let place = error.path().to_string();
    let words = error.inner().to_string();
    Some(if place == "." { words } else { format!("`{place}`: {words}") })
}

/// Whether `method` is served and has parameters.
pub(crate) fn is_served(method: &str) -> bool {
    ["initialize", "tools/list", "tools/call", "subscriptions/listen"].contains(&method)
}

/// The parameters of a call whose arguments are an empty array, which is how PHP writes an empty
/// object, or an object as JSON in a string; or that name a member twice, of which the last counts.
pub(crate) fn call(params: Option<&Value>) -> Option<CallToolRequestParams> {
    let mut params = params?.as_object()?.clone();
    if let Some(arguments) = params.get_mut("arguments")
        && let Some(object) = object(arguments)
    {
        *arguments = Value::Object(object);
    }
    serde_json::from_value(Value::Object(params)).ok()
}

/// The object that `value` means, if it is not one itself.
pub(crate) fn object(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Array(items) if items.is_empty() => Some(Map::new()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_member_that_is_wrong_is_named() {
        let client = json!({ "name": "c", "version": "1" });
        let initialize = |version, client| {
            let params = json!({
                "protocolVersion": version, "capabilities": {}, "clientInfo": client,
            });
            misfit("initialize", Some(&params)).unwrap_or_default()
        };
        assert_eq!(initialize(json!("2025-11-25"), client.clone()), "");
        for (words, member) in [
            (initialize(json!(5), client), "`protocolVersion`"),
            (
                initialize(json!("2025-11-25"), json!({ "name": "c" })),
                "`clientInfo`: missing field `version`",
            ),
            (initialize(json!("2025-11-25"), json!("c")), "`clientInfo`"),
            (misfit("initialize", None).unwrap(), "missing field `protocolVersion`"),
            (misfit("tools/call", Some(&json!({}))).unwrap(), "missing field `name`"),
            (misfit("tools/call", Some(&json!({ "name": 1 }))).unwrap(), "`name`"),
            (misfit("tools/list", Some(&json!({ "cursor": 1 }))).unwrap(), "`cursor`"),
        ] {
            assert!(words.contains(member), "{words}");
        }
        let missing = misfit(
            "initialize",
            Some(&json!({ "protocolVersion": "2025-11-25", "capabilities": {} })),
        );
        assert_eq!(
            missing.as_deref(),
            Some("the parameters of `initialize` do not fit: missing field `clientInfo`")
        );
        assert_eq!(misfit("prompts/get", None), None);
    }

    #[test]
    fn arguments_have_one_reading_or_none() {
        let read = |arguments: Value| {
            let params = call(Some(&json!({ "name": "t", "arguments": arguments })))?;
            params.arguments.map(Value::Object)
        };
        assert_eq!(read(json!([])), Some(json!({})));
        assert_eq!(read(json!(r#" {"a": [1]} "#)), Some(json!({ "a": [1] })));
        for other in [json!([1]), json!(""), json!("[]"), json!("x"), json!(5), json!("\"{}\"")] {
            assert_eq!(read(other.clone()), None, "{other}");
        }
        assert_eq!(call(Some(&json!({ "arguments": [] }))), None);
    }
}
