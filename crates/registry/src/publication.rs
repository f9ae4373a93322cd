//! What a component looks like in a registry: the artifact of the CNCF's TAG Runtime, with what
//! belongs to it in further layers. The same input gives the same bytes, and so the same digest.
//!
//! Nothing is sent here, and nothing must be left out silently: what cannot be published as it was
//! given is an error.

use std::collections::BTreeMap;

use bytes::Bytes;
use miette::Diagnostic;
use serde_json::{Map, Value, json};
use wassette_store::Digest;

use crate::Descriptor;
use crate::error::shown;
use crate::manifest::MANIFEST;

/// The media types of a component and of its configuration.
const WASM: &str = "application/wasm";
const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";

/// The media type of a policy that a component asks for.
const POLICY: &str = "application/vnd.wasm.policy.v1+yaml";

/// The media type of a page about it.
const PAGE: &str = "text/markdown";

/// The media types of cosign's signatures and of the configuration beside them.
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// Where such a layer has its signature.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// The media type of a Sigstore bundle, and of a configuration that says nothing.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// Where a layer has its title.
const TITLE: &str = "org.opencontainers.image.title";

/// How many annotations there may be, and how long all may be together, in bytes.
const MOST_ANNOTATIONS: usize = 64;
const LONGEST_ANNOTATIONS: usize = 64 << 10;

/// A component that is to be published, and what is said about it.
#[derive(Debug, Clone, Default)]
pub struct Publication {
    /// The component.
    pub wasm: Bytes,
    /// The names of what it exports and imports.
    pub exports: Vec<String>,
    /// See `exports`.
    pub imports: Vec<String>,
    /// When it was made, as RFC 3339 has it.
    pub created: String,
    /// The policy that it asks for, in YAML.
    pub policy: Option<Bytes>,
    /// A page about it, in Markdown.
    pub docs: Option<Bytes>,
    /// What is noted of the whole.
    pub annotations: BTreeMap<String, String>,
}

/// A manifest and all that it names, ready to be pushed: the parts first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The manifest.
    pub manifest: Bytes,
    /// Its descriptor.
    pub descriptor: Descriptor,
    /// The configuration and the layers.
    pub parts: Vec<(Descriptor, Bytes)>,
}

/// Why something cannot be published so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[non_exhaustive]
pub enum PublicationError {
    /// A key that is none.
    #[error("`{key}` is no key of an annotation")]
    #[diagnostic(
        code(publication::key),
        help("write something such as `org.opencontainers.image.source`, without spaces")
    )]
    Key {
        /// What was written.
        key: String,
    },
    /// More annotations than a manifest may have.
    #[error(
        "more than {MOST_ANNOTATIONS} annotations, or more than {LONGEST_ANNOTATIONS} bytes of them"
    )]
    #[diagnostic(code(publication::annotations), help("put the text into the page about it"))]
    Annotations,
}

impl Publication {
    /// The artifact.
    pub fn artifact(&self) -> Result<Published, PublicationError> {
        check(&self.annotations)?;
        let mut layers = vec![(Descriptor::of(WASM, &self.wasm), self.wasm.clone())];
        let extras = [("policy.yaml", POLICY, &self.policy), ("README.md", PAGE, &self.docs)];
        for (title, media_type, bytes) in extras {
            let Some(bytes) = bytes else { continue };
            let mut descriptor = Descriptor::of(media_type, bytes);
            descriptor.annotations.insert(TITLE.to_owned(), title.to_owned());
            layers.push((descriptor, bytes.clone()));
        }
        let digests: Vec<Digest> = layers.iter().map(|(layer, _)| layer.digest).collect();
        let config = json!({
            "created": self.created,
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": digests,
            "component": { "exports": self.exports, "imports": self.imports, "target": null },
        });
        let config = part(WASM_CONFIG, &config);
        Ok(assembled(None, config, layers, None, &self.annotations))
    }
}

/// The manifest of cosign's signatures: `layers` that are there already, as their manifest has them,
/// and one with `payload` and its `signature` in base64.
#[must_use]
pub fn simple_signatures(layers: Vec<Descriptor>, payload: Bytes, signature: &str) -> Published {
    let mut descriptor = Descriptor::of(SIMPLE, &payload);
    descriptor.annotations.insert(SIGNATURE.to_owned(), signature.to_owned());
    let diffs: Vec<Digest> = layers.iter().chain([&descriptor]).map(|layer| layer.digest).collect();
    let config = json!({
        "architecture": "",
        "config": {},
        "os": "",
        "rootfs": { "type": "layers", "diff_ids": diffs },
    });
    let config = part(IMAGE_CONFIG, &config);
    let mut all: Vec<(Descriptor, Bytes)> =
        layers.into_iter().map(|layer| (layer, Bytes::new())).collect();
    all.push((descriptor, payload));
    let mut published = assembled(None, config, all, None, &BTreeMap::new());
    // Those that were there already are not brought again.
    published.parts.retain(|(part, bytes)| Digest::of(bytes) == part.digest);
    published
}

/// The manifest of a Sigstore bundle about the manifest that `subject` describes.
#[must_use]
pub fn bundle_referrer(subject: &Descriptor, bundle: Bytes) -> Published {
    let layer = (Descriptor::of(BUNDLE, &bundle), bundle);
    let config = part(EMPTY, &json!({}));
    let subject = Descriptor { annotations: BTreeMap::new(), ..subject.clone() };
    assembled(Some(BUNDLE), config, vec![layer], Some(&subject), &BTreeMap::new())
}

fn part(media_type: &str, document: &Value) -> (Descriptor, Bytes) {
    let bytes = Bytes::from(document.to_string());
    (Descriptor::of(media_type, &bytes), bytes)
}

fn assembled(
    artifact_type: Option<&str>,
    config: (Descriptor, Bytes),
    layers: Vec<(Descriptor, Bytes)>,
    subject: Option<&Descriptor>,
    annotations: &BTreeMap<String, String>,
) -> Published {
    let described: Vec<&Descriptor> = layers.iter().map(|(layer, _)| layer).collect();
    let mut manifest = Map::new();
    manifest.insert("schemaVersion".to_owned(), json!(2));
    manifest.insert("mediaType".to_owned(), json!(MANIFEST));
    if let Some(kind) = artifact_type {
        manifest.insert("artifactType".to_owned(), json!(kind));
    }
    manifest.insert("config".to_owned(), json!(config.0));
    manifest.insert("layers".to_owned(), json!(described));
    if let Some(subject) = subject {
        manifest.insert("subject".to_owned(), json!(subject));
    }
    if !annotations.is_empty() {
        manifest.insert("annotations".to_owned(), json!(annotations));
    }
    let manifest = Bytes::from(Value::Object(manifest).to_string());
    let mut descriptor = Descriptor::of(MANIFEST, &manifest);
    descriptor.artifact_type = artifact_type.map(str::to_owned);
    let parts = [config].into_iter().chain(layers).collect();
    Published { manifest, descriptor, parts }
}

fn check(annotations: &BTreeMap<String, String>) -> Result<(), PublicationError> {
    for key in annotations.keys() {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PublicationError::Key { key: shown(key, 200) });
        }
    }
    let bytes: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    if annotations.len() > MOST_ANNOTATIONS || bytes > LONGEST_ANNOTATIONS {
        return Err(PublicationError::Annotations);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
