//! `revoke-…-permission` and `reset-permission`: less for a component, which holds at once, also for
//! calls under way. Where less in one respect would be more in another, a person decides.

use serde_json::{Value, json};
use wassette_toolbox::{Annotations, JsonObject, Wish};

use super::arguments::{ArgumentError, Arguments};
use super::permission::{self, Request, details};
use super::{BuiltIn, Context, Definition, Running};

/// What is to be revoked.
pub(super) enum Revoke {
    Storage,
    Network,
    Variable,
    Everything,
}

impl Revoke {
    const fn name(&self) -> &'static str {
        match self {
            Self::Storage => "revoke-storage-permission",
            Self::Network => "revoke-network-permission",
            Self::Variable => "revoke-environment-variable-permission",
            Self::Everything => "reset-permission",
        }
    }

    const fn title(&self) -> &'static str {
        match self {
            Self::Storage => "Revoke storage permission",
            Self::Network => "Revoke network permission",
            Self::Variable => "Revoke environment variable permission",
            Self::Everything => "Reset permissions",
        }
    }

    const fn description(&self) -> &'static str {
        match self {
            Self::Storage => {
                "Takes all rules for exactly these files out of a component's policy, and ends what \
                 was granted to it for a while. It holds at once; only a person can grant it again."
            }
            Self::Network => {
                "Takes the rules for a host out of a component's policy, and ends what was granted \
                 to it for a while. It holds at once; only a person can grant it again."
            }
            Self::Variable => {
                "Takes a variable out of a component's policy, and ends what was granted to it for \
                 a while. It holds at once; only a person can grant it again."
            }
            Self::Everything => {
                "Takes everything out of a component's policy: it may do nothing outside its \
                 sandbox then. It holds at once, unless the policy also limits the component: then \
                 a person decides. Only a person can grant anything again."
            }
        }
    }

    /// What names the rules, with its description.
    const fn detail(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Storage => Some(("uri", "As `get-policy` shows it, such as `fs:///data`.")),
            Self::Network => Some(("host", "As `get-policy` shows it, such as `example.com`.")),
            Self::Variable => Some(("key", "The variable's name.")),
            Self::Everything => None,
        }
    }

    fn wish(&self, what: String) -> Wish {
        match self {
            Self::Storage => Wish::RevokeStorage(what),
            Self::Network => Wish::RevokeNetwork(what),
            Self::Variable => Wish::RevokeVariable(what),
            Self::Everything => Wish::Reset,
        }
    }

    fn says(&self, what: &str) -> JsonObject {
        let says: Vec<(&str, Value)> = match self {
            Self::Storage => vec![
                ("status", json!("permission revoked successfully")),
                ("uri", json!(what)),
                ("message", json!("all access to it was revoked")),
            ],
            Self::Network => vec![
                ("status", json!("permission revoked")),
                ("permission_type", json!("network")),
                ("details", json!({ "host": what })),
            ],
            Self::Variable => vec![
                ("status", json!("permission revoked")),
                ("permission_type", json!("environment")),
                ("details", json!({ "key": what })),
            ],
            Self::Everything => vec![("status", json!("permissions reset successfully"))],
        };
        says.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn read(&self, arguments: JsonObject) -> Result<Request, ArgumentError> {
        let mut arguments = Arguments::new(arguments);
        let component = arguments.text("component_id")?;
        let what = match self.detail() {
            None => String::new(),
            Some((name, _)) => {
                let mut details = arguments.nested("details")?;
                let what = details.text(name)?;
                details.finish()?;
                what
            }
        };
        let reason = arguments.text_if_any("reason")?;
        arguments.finish()?;
        let says = self.says(&what);
        Ok(Request { component, reason, wish: self.wish(what), says })
    }
}

impl BuiltIn for Revoke {
    fn definition(&self) -> Definition {
        let detail = self.detail().map(|(name, description)| {
            let property = json!({ "type": "string", "description": description });
            let properties = JsonObject::from_iter([(name.to_owned(), property)]);
            ("details", details(Value::Object(properties), &[name]))
        });
        Definition {
            name: self.name(),
            title: self.title(),
            description: self.description().into(),
            input: permission::input(detail.as_slice()),
            output: Some(permission::output()),
            annotations: Annotations {
                read_only: false,
                destructive: true,
                idempotent: true,
                open_world: false,
            },
        }
    }

    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a> {
        Box::pin(permission::request(context, self.read(arguments)))
    }
}
