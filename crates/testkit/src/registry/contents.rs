//! What a registry holds. It must never check what is put in: hostile content is what it is for.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Access, IMAGE_INDEX, IMAGE_MANIFEST};

/// Bytes and what they claim to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A layer of an artifact, or its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Annotations of its descriptor.
    pub annotations: Vec<(String, String)>,
}

impl Layer {
    /// A layer without annotations.
    pub fn new(media_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { media_type: media_type.into(), bytes: bytes.into(), annotations: Vec::new() }
    }

    /// A component.
    pub fn wasm(bytes: &[u8]) -> Self {
        Self::new("application/wasm", bytes)
    }

    /// The same with one annotation more.
    #[must_use]
    pub fn annotated(mut self, key: &str, value: &str) -> Self {
        self.annotations.push((key.to_owned(), value.to_owned()));
        self
    }

    /// How a manifest speaks of it.
    pub fn descriptor(&self) -> Value {
        let mut descriptor = json!({
            "mediaType": self.media_type,
            "digest": digest_of(&self.bytes),
            "size": self.bytes.len(),
        });
        let annotations: Map<String, Value> =
            self.annotations.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        if let (false, Some(fields)) = (annotations.is_empty(), descriptor.as_object_mut()) {
            fields.insert("annotations".into(), annotations.into());
        }
        descriptor
    }
}

/// `sha256:` and the digest of `bytes` in hexadecimal.
pub fn digest_of(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

pub(super) struct Contents {
    pub(super) access: Access,
    pub(super) referrers: bool,
    pub(super) ranges: bool,
    pub(super) page: usize,
    pub(super) pages: BTreeMap<String, Stored>,
    pub(super) uploads: BTreeMap<String, Vec<u8>>,
    repositories: BTreeMap<String, Repository>,
}

#[derive(Default)]
struct Repository {
    blobs: BTreeMap<String, Vec<u8>>,
    /// By digest.
    manifests: BTreeMap<String, Stored>,
    tags: BTreeMap<String, String>,
}

impl Default for Contents {
    fn default() -> Self {
        Self {
            access: Access::default(),
            referrers: true,
            ranges: true,
            page: 1000,
            pages: BTreeMap::new(),
            uploads: BTreeMap::new(),
            repositories: BTreeMap::new(),
        }
    }
}

impl Contents {
    pub(super) fn put_blob(&mut self, repository: &str, bytes: Vec<u8>) -> String {
        let digest = digest_of(&bytes);
        self.repository(repository).blobs.insert(digest.clone(), bytes);
        digest
    }

    pub(super) fn put_manifest(
        &mut self,
        repository: &str,
        tag: Option<&str>,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> String {
        let digest = digest_of(&bytes);
        let repository = self.repository(repository);
        let stored = Stored { media_type: media_type.to_owned(), bytes };
        repository.manifests.insert(digest.clone(), stored);
        if let Some(tag) = tag {
            repository.tags.insert(tag.to_owned(), digest.clone());
        }
        digest
    }

    pub(super) fn manifest(&self, repository: &str, reference: &str) -> Option<&Stored> {
        let repository = self.repositories.get(repository)?;
        let digest = repository.tags.get(reference).map_or(reference, String::as_str);
        repository.manifests.get(digest)
    }

    pub(super) fn blob(&self, repository: &str, digest: &str) -> Option<&Vec<u8>> {
        self.repositories.get(repository)?.blobs.get(digest)
    }

    pub(super) fn holds(&self, repository: &str) -> bool {
        self.repositories.contains_key(repository)
    }

    pub(super) fn tags(&self, repository: &str) -> Vec<String> {
        let repository = self.repositories.get(repository);
        repository.map(|found| found.tags.keys().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.repositories.keys().cloned().collect()
    }

    /// The index of the manifests whose subject is `digest`.
    pub(super) fn referrers_of(&self, repository: &str, digest: &str) -> Value {
        let manifests = self.repositories.get(repository).map(|found| &found.manifests);
        let found: Vec<Value> = manifests
            .into_iter()
            .flatten()
            .filter_map(|(own, stored)| {
                let manifest: Value = serde_json::from_slice(&stored.bytes).ok()?;
                let subject = manifest.pointer("/subject/digest")?;
                let kind = manifest.get("artifactType");
                let kind = kind.or_else(|| manifest.pointer("/config/mediaType"));
                (subject.as_str() == Some(digest)).then(|| {
                    json!({
                        "mediaType": stored.media_type,
                        "digest": own,
                        "size": stored.bytes.len(),
                        "artifactType": kind,
                    })
                })
            })
            .collect();
        json!({ "schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": found })
    }

    /// Tags what refers to `digest` as clients do where there is no API for it.
    pub(super) fn add_to_fallback(&mut self, repository: &str, digest: &str) {
        let index = self.referrers_of(repository, digest).to_string();
        let tag = digest.replace(':', "-");
        self.put_manifest(repository, Some(&tag), IMAGE_INDEX, index.into_bytes());
    }

    /// The digest of the subject of `manifest`, if it is one with a subject.
    pub(super) fn subject(media_type: &str, manifest: &[u8]) -> Option<String> {
        if media_type != IMAGE_MANIFEST && media_type != IMAGE_INDEX {
            return None;
        }
        let manifest: Value = serde_json::from_slice(manifest).ok()?;
        Some(manifest.pointer("/subject/digest")?.as_str()?.to_owned())
    }

    fn repository(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }
}
