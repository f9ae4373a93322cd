//! What a registry says about how it keeps packages, in its well-known document or in the
//! configuration of `wkg` in its place.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::OCI;

/// What is known of a registry.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Metadata(Map<String, Value>);

impl Metadata {
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(json).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("it is no object in JSON (line {line}, column {column})")
        })
    }

    /// How it keeps packages, if it says so: by `preferredProtocol`, or by the only one that it
    /// describes.
    pub(super) fn protocol(&self) -> Option<&str> {
        if let Some(preferred) = self.text("preferredProtocol") {
            return Some(preferred);
        }
        let mut described = self.0.iter().filter(|(_, value)| value.is_object());
        match (described.next(), described.next()) {
            (Some((only, _)), None) => Some(only),
            (None, _) => self.text("ociRegistry").map(|_| OCI),
            _ => None,
        }
    }

    /// The registry that has the images, if it is another one.
    pub(super) fn registry(&self) -> Option<&str> {
        self.text("ociRegistry").or_else(|| self.oci("registry"))
    }

    /// What stands before the namespace in the name of a repository, with its slash.
    pub(super) fn prefix(&self) -> &str {
        self.text("ociNamespacePrefix").or_else(|| self.oci("namespacePrefix")).unwrap_or_default()
    }

    fn oci(&self, key: &str) -> Option<&str> {
        self.0.get(OCI)?.get(key)?.as_str()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }
}
