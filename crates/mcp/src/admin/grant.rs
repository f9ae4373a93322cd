//! `grant-…-permission`: one wish for more, which a person decides on. None of these grants anything
//! by itself.

use serde_json::{Value, json};
use wassette_toolbox::{Annotations, JsonObject, Wish};

use super::arguments::{ArgumentError, Arguments};
use super::permission::{self, DECIDES, Request, details, texts};
use super::{BuiltIn, Context, Definition, Running};

/// What is to be granted.
pub(super) enum Grant {
    Storage,
    Network,
    Variable,
    Memory,
}

/// A grant adds, and a second one of the same changes nothing.
pub(super) const ADDS: Annotations =
    Annotations { read_only: false, destructive: false, idempotent: true, open_world: false };

impl Grant {
    const fn name(&self) -> &'static str {
        match self {
            Self::Storage => "grant-storage-permission",
            Self::Network => "grant-network-permission",
            Self::Variable => "grant-environment-variable-permission",
            Self::Memory => "grant-memory-permission",
        }
    }

    const fn title(&self) -> &'static str {
        match self {
            Self::Storage => "Grant storage permission",
            Self::Network => "Grant network permission",
            Self::Variable => "Grant environment variable permission",
            Self::Memory => "Grant memory permission",
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Storage => "storage",
            Self::Network => "network",
            Self::Variable => "environment",
            Self::Memory => "memory",
        }
    }

    fn description(&self) -> &'static str {
        match self {
            Self::Storage => {
                "Asks that a component may read or write a file, or a folder and all below it."
            }
            Self::Network => "Asks that a component may send requests to a host.",
            Self::Variable => {
                "Asks that a component may read an environment variable. Its value is set by the \
                 person, never here."
            }
            Self::Memory => "Asks that a call of a component may use more or less memory.",
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Storage => details(
                json!({
                    "uri": {
                        "type": "string",
                        "description": "Such as `fs:///data`, `fs:///data/**/*.md`, or \
                            `fs://workspace/docs` for a folder of the workspace.",
                    },
                    "access": texts("`read`, `write`, or both."),
                }),
                &["uri", "access"],
            ),
            Self::Network => details(
                json!({
                    "host": {
                        "type": "string",
                        "description": "Such as `api.example.com`, `*.example.com`, \
                            `localhost:8080` or `https://api.example.com`.",
                    },
                    "methods": texts("Only these, such as `GET`; all if absent."),
                    "paths": texts("Only these, such as `/v1/**`; all if absent."),
                    "ports": texts("Only these, such as `443` or `8000-8080`."),
                    "private": {
                        "type": "boolean",
                        "description": "Whether the host may be this machine or one of a private \
                            network.",
                    },
                }),
                &["host"],
            ),
            Self::Variable => details(
                json!({ "key": { "type": "string", "description": "The variable's name." } }),
                &["key"],
            ),
            Self::Memory => details(
                json!({ "memory": { "type": "string", "description": "Such as `512Mi`." } }),
                &["memory"],
            ),
        }
    }

    fn wish(&self, details: &mut Arguments) -> Result<Wish, ArgumentError> {
        Ok(match self {
            Self::Storage => {
                Wish::GrantStorage { uri: details.text("uri")?, access: details.texts("access")? }
            }
            Self::Network => Wish::GrantNetwork {
                host: details.text("host")?,
                methods: details.texts_if_any("methods")?,
                paths: details.texts_if_any("paths")?,
                ports: details.texts_if_any("ports")?,
                private: details.flag("private")?,
            },
            Self::Variable => Wish::GrantVariable(details.text("key")?),
            Self::Memory => Wish::GrantMemory(details.text("memory")?),
        })
    }

    fn read(&self, arguments: JsonObject) -> Result<Request, ArgumentError> {
        let shown = arguments.get("details").cloned().unwrap_or_default();
        let mut arguments = Arguments::new(arguments);
        let component = arguments.text("component_id")?;
        let mut details = arguments.nested("details")?;
        let wish = self.wish(&mut details)?;
        details.finish()?;
        let reason = arguments.text_if_any("reason")?;
        arguments.finish()?;
        let says = [
            ("status", json!("permission granted successfully")),
            ("permission_type", json!(self.kind())),
            ("details", shown),
        ];
        let says = says.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        Ok(Request { component, reason, wish, says })
    }
}

impl BuiltIn for Grant {
    fn definition(&self) -> Definition {
        Definition {
            name: self.name(),
            title: self.title(),
            description: format!("{} {DECIDES}", self.description()).into(),
            input: permission::input(&[("details", self.details())]),
            output: Some(permission::output()),
            annotations: ADDS,
        }
    }

    fn run<'a>(&'a self, context: Context<'a>, arguments: JsonObject) -> Running<'a> {
        Box::pin(permission::request(context, self.read(arguments)))
    }
}
