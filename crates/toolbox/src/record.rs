//! What the store remembers of a component besides its bytes: enough to list its tools without
//! compiling or even reading them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wassette_sandbox::Description;
use wassette_store::{Artifact, Entry};
use wassette_wit_json::{FunctionId, ToolName};

use crate::naming::Naming;
use crate::permissions::Shipped;

/// The version of this form. A record of another version is not guessed at.
const FORMAT: u32 = 1;

/// The metadata of an entry of the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    format: u32,
    pub(crate) description: Description,
    pub(crate) tools: Vec<Given>,
    #[serde(default)]
    pub(crate) naming: Naming,
    /// The policy that was shipped with it. It grants nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) requested: Option<Shipped>,
}

/// The name of the tool that a function became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Given {
    pub(crate) function: FunctionId,
    pub(crate) name: ToolName,
}

impl Record {
    pub(crate) fn new(
        description: Description,
        tools: Vec<Given>,
        naming: Naming,
        artifact: &Artifact,
    ) -> Self {
        let requested = artifact.requested.as_ref().map(Shipped::from);
        Self { format: FORMAT, description, tools, naming, requested }
    }

    /// The same component with `tools`, which were named by `naming`.
    pub(crate) fn named(self, tools: Vec<Given>, naming: Naming) -> Self {
        Self { tools, naming, ..self }
    }

    /// As the store keeps it.
    pub(crate) fn to_metadata(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    /// What `entry` says, or why that cannot be read.
    pub(crate) fn read(entry: &Entry) -> Result<Self, String> {
        Self::of(&entry.metadata)
    }

    /// What `metadata` of an entry, or of another version, says, or why that cannot be read.
    pub(crate) fn of(metadata: &Value) -> Result<Self, String> {
        match metadata.get("format").and_then(Value::as_u64) {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => {
                return Err(format!("it was stored in format {format} by another version"));
            }
            None => return Err("what is stored about it is damaged".to_owned()),
        }
        Record::deserialize(metadata).map_err(|error| error.to_string())
    }
}
