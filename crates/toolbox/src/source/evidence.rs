//! What is said in a registry about who signed an image: signatures under the tag that belongs to
//! its digest, and those that refer to it. It is only gathered here, bounded; nothing in it is true
//! before [`verify`](super::verify) has found it so.

use std::collections::BTreeMap;

use serde::Deserialize;
use wassette_registry::{Client, Descriptor, RawManifest, RegistryError, signature_tag};
use wassette_signature::Attached;
use wassette_store::{CompanionRole, Digest, Image, Store};

use super::kept::Kept;
use crate::code::blocking;
use crate::error::LoadError;

/// What holds a signature over a payload that names the image.
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// Where such a layer has its signature.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// How the types begin of what holds a Sigstore bundle.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

/// The type of a manifest with layers of the first kind that refers to the image.
const SIMPLE_REFERRER: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";

/// How many manifests are looked at, and how many signatures in all.
const MANIFESTS: usize = 16;
const SIGNATURES: usize = 16;

/// The longest payload and the longest bundle, in bytes.
const PAYLOAD: u64 = 64 << 10;
const BUNDLE_BYTES: u64 = 1 << 20;

/// The longest configuration of a signature that is kept, in bytes.
const CONFIG: u64 = 64 << 10;

/// What was gathered about one image.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) attached: Vec<Attached>,
    /// What refers to the image and is no signature.
    pub(super) others: Vec<Descriptor>,
}

/// As much of a signature's manifest as is needed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    layers: Vec<Part>,
    config: Option<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Part {
    fn descriptor(&self) -> Descriptor {
        let (media_type, digest, size) = (self.media_type.clone(), self.digest, self.size);
        let (artifact_type, annotations) = (None, BTreeMap::new());
        Descriptor { media_type, digest, size, artifact_type, annotations }
    }
}

/// Gets parts of one image: from the store, or else from its registry.
pub(super) struct Parts<'a> {
    pub(super) client: &'a Client,
    pub(super) store: &'a Store,
    /// The image, by its digest.
    pub(super) image: &'a Image,
}

impl Parts<'_> {
    /// The bytes of `part`, which are `most` at most.
    pub(super) async fn get(&self, part: &Descriptor, most: u64) -> Result<Vec<u8>, LoadError> {
        if part.size <= most {
            let (store, digest) = (self.store.clone(), part.digest);
            let known = blocking(move || store.blob_if_any(&digest)).await??;
            if let Some(known) = known.filter(|known| known.len() as u64 == part.size) {
                return Ok(known);
            }
        }
        Ok(self.client.fetch(self.image, part, most, &|_, _| {}).await?)
    }

    /// All that is said about the image with the digest `manifest`. What belongs to a signature goes
    /// to `kept`.
    pub(super) async fn evidence(
        &self,
        manifest: &Digest,
        kept: &mut Kept,
    ) -> Result<Evidence, LoadError> {
        let mut evidence = Evidence::default();
        let tag = signature_tag(manifest);
        let tagged = self.image.with_tag(&tag)?;
        if let Some(raw) = self.manifest(&tagged).await? {
            let descriptor = Descriptor::of(&raw.media_type, &raw.bytes);
            let role = CompanionRole::Signature { tag: Some(tag) };
            self.look(&descriptor, role, &raw.bytes, &mut evidence, kept).await?;
        }
        let referrers = self.client.referrers(self.image, manifest).await?;
        let (signatures, others): (Vec<_>, Vec<_>) = referrers.into_iter().partition(may_sign);
        evidence.others = others;
        for descriptor in signatures.into_iter().take(MANIFESTS) {
            let named = self.image.with_digest(descriptor.digest);
            // A registry may list what is gone.
            let Some(raw) = self.manifest(&named).await? else { continue };
            let role = CompanionRole::Signature { tag: None };
            self.look(&descriptor, role, &raw.bytes, &mut evidence, kept).await?;
        }
        Ok(evidence)
    }

    /// The manifest of a signature, unless there is none that can be read: such a one vouches for
    /// nothing, and keeps no other from being good.
    async fn manifest(&self, image: &Image) -> Result<Option<RawManifest>, LoadError> {
        match self.client.manifest(image).await {
            Err(error) if is_about_the_part(&error) => Ok(None),
            found => Ok(found?),
        }
    }

    /// Adds what the manifest `bytes` holds, if it is one of signatures. What cannot be read as one
    /// is passed over: it vouches for nothing.
    async fn look(
        &self,
        descriptor: &Descriptor,
        role: CompanionRole,
        bytes: &[u8],
        evidence: &mut Evidence,
        kept: &mut Kept,
    ) -> Result<(), LoadError> {
        let Ok(manifest) = serde_json::from_slice::<Manifest>(bytes) else { return Ok(()) };
        let parts: Vec<&Part> = manifest.layers.iter().filter(|part| part.is_signature()).collect();
        if parts.is_empty() {
            evidence.others.push(descriptor.clone());
            return Ok(());
        }
        kept.keep(descriptor, role, bytes.to_vec());
        for part in parts {
            if evidence.attached.len() >= SIGNATURES {
                tracing::debug!(image = %self.image, "it has more signatures than are looked at");
                break;
            }
            let most = if part.media_type == SIMPLE { PAYLOAD } else { BUNDLE_BYTES };
            let bytes = match self.get(&part.descriptor(), most).await {
                Ok(bytes) => bytes,
                Err(LoadError::Registry(error)) if is_about_the_part(&error) => continue,
                Err(error) => return Err(error),
            };
            kept.keep(&part.descriptor(), CompanionRole::SignaturePart, bytes.clone());
            evidence.attached.push(part.attached(bytes));
        }
        if let Some(config) = manifest.config.as_ref().map(Part::descriptor)
            && let Ok(bytes) = self.get(&config, CONFIG).await
        {
            kept.keep(&config, CompanionRole::SignaturePart, bytes);
        }
        Ok(())
    }
}

impl Part {
    fn is_signature(&self) -> bool {
        let signed = self.annotations.contains_key(SIGNATURE);
        (self.media_type == SIMPLE && signed) || self.media_type.starts_with(BUNDLE)
    }

    fn attached(&self, bytes: Vec<u8>) -> Attached {
        match self.annotations.get(SIGNATURE) {
            Some(signature) if self.media_type == SIMPLE => {
                Attached::Simple { payload: bytes, signature: signature.clone() }
            }
            _ => Attached::Bundle { json: bytes },
        }
    }
}

/// Whether what is listed as referring to an image may be a signature. Where no type is listed, its
/// manifest tells.
fn may_sign(referrer: &Descriptor) -> bool {
    let kind = referrer.artifact_type.as_deref();
    kind.is_none_or(|kind| kind.starts_with(BUNDLE) || kind == SIMPLE_REFERRER)
}

/// Whether `error` is about what was asked for, and not about the way there or who asks.
fn is_about_the_part(error: &RegistryError) -> bool {
    use RegistryError::{
        FalseClaim, Long, Malformed, Missing, SchemaOne, TooLarge, WrongDigest, WrongLength,
    };
    matches!(
        error,
        FalseClaim { .. }
            | Long { .. }
            | Malformed { .. }
            | Missing { .. }
            | SchemaOne { .. }
            | TooLarge { .. }
            | WrongDigest { .. }
            | WrongLength { .. }
    )
}
