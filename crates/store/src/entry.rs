//! What the store knows of one component: the version that serves, those that served before it, and
//! one that waits. Must never hold bytes; it names them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Artifact, ComponentId, Digest, StoreError};

/// How many versions that served before are kept.
pub const MAX_PREVIOUS: usize = 2;

/// How many companions a version may have.
pub const MAX_COMPANIONS: usize = 64;

/// How many bytes the companions of a version may have together: 4 MiB.
pub const MAX_COMPANION_BYTES: u64 = 4 << 20;

/// What the store knows of one component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name in this store.
    pub id: ComponentId,
    /// What it is an update of, and what is granted to it: the
    /// [identity](crate::Reference::identity) of the reference that led to it.
    pub source: String,
    /// The digest of its bytes: the name of the blob.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// When it was loaded, in seconds since 1970-01-01 UTC.
    pub loaded_at: u64,
    /// What the application remembers of it; opaque here.
    #[serde(default)]
    pub metadata: Value,
    /// How its bytes came here; nothing for what an older program loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The digest of the list of its tools, as the application makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Digest>,
    /// What served before, newest first, [`MAX_PREVIOUS`] at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<Version>,
    /// What was loaded and serves only once somebody has accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<Version>,
}

/// A state of a component: the part of its [`Entry`] that an update changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// The digest of its bytes: the name of the blob.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// When it was loaded, in seconds since 1970-01-01 UTC.
    pub loaded_at: u64,
    /// What the application remembers of it; opaque here.
    #[serde(default)]
    pub metadata: Value,
    /// How its bytes came here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The digest of the list of its tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Digest>,
}

/// How the bytes of a component came here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// What was loaded, in the canonical spelling of [`Reference`](crate::Reference), with its tag:
    /// what an update resolves anew.
    pub reference: String,
    /// The digest of the image's manifest, where a registry gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// Who signed it: `key sha256:…`, or `identity …, issuer …`. Nothing if that was not verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// What came with the component and is kept beside it so that it can be exported whole,
    /// [`MAX_COMPANIONS`] at most with [`MAX_COMPANION_BYTES`] together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<Companion>,
}

/// Some bytes that came with a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Companion {
    /// The digest of the bytes: the name of the blob.
    pub digest: Digest,
    /// How many bytes there are.
    pub size: u64,
    /// What the registry called their type.
    pub media_type: String,
    /// What they are for the component.
    pub role: CompanionRole,
}

/// What some bytes are for the component that they came with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompanionRole {
    /// The manifest of its image.
    Manifest,
    /// The configuration of its image.
    Config,
    /// A layer of its image beside the component itself.
    Layer,
    /// The manifest of a signature.
    Signature {
        /// The tag under which it lies, if it is found by its tag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
    },
    /// A layer or the configuration of a signature.
    SignaturePart,
    /// The manifest of something else that refers to its image.
    Referrer,
}

impl Entry {
    /// The entry of the component `id` with the bytes of `artifact`, and neither a version before it
    /// nor one that waits.
    #[must_use]
    pub fn new(id: ComponentId, artifact: &Artifact, loaded_at: u64, metadata: Value) -> Self {
        Self {
            id,
            source: artifact.source.clone(),
            digest: artifact.digest,
            size: u64::try_from(artifact.bytes.len()).unwrap_or(u64::MAX),
            loaded_at,
            metadata,
            origin: artifact.origin.clone(),
            tools: None,
            previous: Vec::new(),
            quarantined: None,
        }
    }

    /// The version that serves.
    #[must_use]
    pub fn version(&self) -> Version {
        Version {
            digest: self.digest,
            size: self.size,
            loaded_at: self.loaded_at,
            metadata: self.metadata.clone(),
            origin: self.origin.clone(),
            tools: self.tools,
        }
    }

    /// The entry in which `version` serves. The one that served until now is the newest of the
    /// [`previous`](Self::previous), of which the oldest goes where they are too many. What waits
    /// stays, unless it is these bytes.
    #[must_use]
    pub fn succeeded_by(&self, version: Version) -> Self {
        let is_other = |it: &Version| it.digest != version.digest;
        let before = Some(self.version()).filter(is_other);
        let older = self.previous.iter().filter(|it| is_other(it)).cloned();
        let previous = before.into_iter().chain(older).take(MAX_PREVIOUS).collect();
        let quarantined = self.quarantined.clone().filter(is_other);
        let Version { digest, size, loaded_at, metadata, origin, tools } = version;
        let (id, source) = (self.id.clone(), self.source.clone());
        Self { id, source, digest, size, loaded_at, metadata, origin, tools, previous, quarantined }
    }

    /// Refuses a version with more companions than are kept.
    pub(crate) fn check_companions(&self) -> Result<(), StoreError> {
        let waiting = self.quarantined.as_ref().and_then(|version| version.origin.as_ref());
        for origin in self.origin.iter().chain(waiting) {
            let count = origin.companions.len();
            let bytes =
                origin.companions.iter().fold(0, |sum: u64, it| sum.saturating_add(it.size));
            if count > MAX_COMPANIONS || bytes > MAX_COMPANION_BYTES {
                return Err(StoreError::TooManyCompanions { id: self.id.clone(), count, bytes });
            }
        }
        Ok(())
    }

    /// The names of all bytes that have to be kept for this component.
    pub(crate) fn named(&self) -> BTreeSet<Digest> {
        let mut named = BTreeSet::from([self.digest]);
        named.extend(companions(self.origin.as_ref()));
        for version in self.previous.iter().chain(&self.quarantined) {
            named.insert(version.digest);
            named.extend(companions(version.origin.as_ref()));
        }
        named
    }
}

fn companions(origin: Option<&Origin>) -> impl Iterator<Item = Digest> {
    origin.into_iter().flat_map(|origin| &origin.companions).map(|companion| companion.digest)
}

#[cfg(test)]
mod tests;
