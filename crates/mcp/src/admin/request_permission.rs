//! `request-permission`: all that a component needs for a task, in one question to a person. It
//! grants nothing by itself.

use serde_json::{Value, json};
use wassette_toolbox::{JsonObject, Wish};

use super::arguments::{ArgumentError, Arguments};
use super::grant::ADDS;
use super::permission::{self, DECIDES, Request, details, texts};
use super::{BuiltIn, Context, Definition, Running, schema};

pub(super) struct RequestPermission;

impl BuiltIn for RequestPermission {
    fn definition(&self) -> Definition {
        let mut input = schema::object_of(permission::input(&[("permissions", permissions())]));
        input.insert("required".to_owned(), json!(["component_id", "reason", "permissions"]));
        let words = "Asks for several permissions of a component in one question: ask for all that \
            a task needs, and for no more.";
        Definition {
            name: "request-permission",
            title: "Request permissions",
            description: format!("{words} {DECIDES}").into(),
            input: Value::Object(input),
            output: Some(permission::output()),
            annotations: ADDS,
        }
    }

    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a> {
        Box::pin(permission::request(context, read(arguments)))
    }
}

/// The part of a policy that can be asked for. What it does not say, the policy's own reader does.
fn permissions() -> Value {
    let rules = |rule: Value| {
        let allow = json!({ "type": "array", "items": rule });
        details(json!({ "allow": allow }), &["allow"])
    };
    let text = |description: &str| json!({ "type": "string", "description": description });
    let storage = json!({
        "uri": text("Such as `fs:///data` or `fs://workspace/docs`."),
        "access": texts("`read`, `write`, or both."),
    });
    let network = json!({
        "host": text("Such as `api.example.com` or `localhost:8080`."),
        "methods": texts("Only these, such as `GET`; all if absent."),
        "paths": texts("Only these, such as `/v1/**`; all if absent."),
        "ports": texts("Only these, such as `443` or `8000-8080`."),
        "private": {
            "type": "boolean",
            "description": "Whether the host may be this machine or one of a private network.",
        },
    });
    let limits = schema::any_object("Limits by name, such as `memory` with `512Mi`.");
    let mut parts = schema::object_of(details(
        json!({
            "storage": rules(details(storage, &["uri", "access"])),
            "network": rules(details(network, &["host"])),
            "environment": rules(details(json!({ "key": text("A variable's name.") }), &["key"])),
            "resources": details(json!({ "limits": limits }), &["limits"]),
        }),
        &[],
    ));
    parts.insert("description".to_owned(), json!("As in a policy; name only what is needed."));
    Value::Object(parts)
}

fn read(arguments: JsonObject) -> Result<Request, ArgumentError> {
    let mut arguments = Arguments::new(arguments);
    let component = arguments.text("component_id")?;
    let reason = Some(arguments.text("reason")?);
    let permissions = arguments.object("permissions")?;
    arguments.finish()?;
    let says = [
        ("status", json!("permission granted successfully")),
        ("permission_type", json!("several")),
        ("details", Value::Object(permissions.clone())),
    ];
    let says = says.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    Ok(Request { component, reason, wish: Wish::Permissions(permissions), says })
}
