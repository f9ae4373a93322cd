//! What a manifest says of one of its parts. A descriptor leads to bytes of the same repository by
//! their digest and to nothing else: URLs that a publisher may have put beside are dropped as it is
//! read.

use std::collections::BTreeMap;

use oci_spec::image;
use serde::Serialize;
use wassette_store::Digest;

use crate::RegistryError;
use crate::error::shown;

/// What is known of a blob or a manifest before it is fetched. It serialises as the image
/// specification writes descriptors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What kind of content it is; of the publisher's choosing.
    pub media_type: String,
    /// The digest of the content.
    pub digest: Digest,
    /// The length of the content, in bytes.
    pub size: u64,
    /// What kind of artifact a manifest describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What the publisher noted of it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// The descriptor of `bytes`.
    #[must_use]
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }

    /// # Errors
    /// [`RegistryError::Algorithm`] if the digest is none of SHA-256.
    pub(crate) fn read(descriptor: &image::Descriptor) -> Result<Self, RegistryError> {
        let digest = descriptor.digest().as_ref();
        let foreign = || RegistryError::Algorithm { digest: shown(digest, 160) };
        Ok(Self {
            media_type: descriptor.media_type().to_string(),
            digest: digest.parse().map_err(|_| foreign())?,
            size: descriptor.size(),
            artifact_type: descriptor.artifact_type().as_ref().map(ToString::to_string),
            annotations: notes(descriptor.annotations().as_ref()),
        })
    }
}

/// Annotations in the order of their names.
pub(crate) fn notes(
    annotations: Option<&std::collections::HashMap<String, String>>,
) -> BTreeMap<String, String> {
    annotations.into_iter().flatten().map(|(name, note)| (name.clone(), note.clone())).collect()
}
