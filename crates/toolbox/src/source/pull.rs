//! A component from a registry: found by its manifest, vouched for, and only then transferred. What
//! the store has by its digest is not asked for. Whatever the manifest names besides is bounded, and
//! nothing in it grants anything.

use serde_json::Value;
use wassette_registry::{Client, Descriptor, Resolved};
use wassette_store::{
    Artifact, Companion, CompanionRole, Digest, Image, MAX_POLICY_BYTES, Origin, Reference,
    Requested,
};

use super::Found;
use super::evidence::{Evidence, Parts};
use super::kept::Kept;
use super::verify::{Need, Unsigned, image_place};
use crate::code::blocking;
use crate::error::LoadError;
use crate::load::{LoadRequest, LoadStage, Progress};
use crate::lock;
use crate::options::VerifyRule;
use crate::toolbox::Toolbox;

/// The configuration of a component, as the CNCF has it.
const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";

/// The longest configuration, and the longest one of a kind that is not looked into, in bytes.
const CONFIG: u64 = 1 << 20;
const OTHER_CONFIG: u64 = 64 << 10;

/// The longest layer that is kept beside a component, and what all may take, in bytes.
const LAYER: u64 = 64 << 10;
const LAYERS: u64 = 1 << 20;

/// The types of layers that say what a component asks for.
const POLICIES: [&str; 2] =
    ["application/vnd.wasm.policy.v1+yaml", "application/vnd.wassette.policy+yaml"];

/// The types of layers that say so if their title does.
const YAML: [&str; 3] = ["application/x-yaml", "application/yaml", "text/yaml"];

/// Where a layer has its title.
const TITLE: &str = "org.opencontainers.image.title";

/// Who vouches for an image, or why it is loaded although nobody does.
#[derive(Debug, Default)]
struct Vouched {
    signer: Option<String>,
    unverified: Option<String>,
}

impl Toolbox {
    /// The component that a registry has as `image`, which `asked` led to.
    pub(super) async fn pull(
        &self,
        image: &Image,
        asked: &Reference,
        request: &LoadRequest,
        progress: Progress<'_>,
    ) -> Result<Found, LoadError> {
        let client = self.client_for(image, request);
        self.pull_by(&client, image, asked, request, progress).await
    }

    /// As [`pull`](Self::pull), where `client` is to get it: an archive is such a registry, too. If
    /// `asked` is a file, nobody's signature is needed.
    pub(super) async fn pull_by(
        &self,
        client: &Client,
        image: &Image,
        asked: &Reference,
        request: &LoadRequest,
        progress: Progress<'_>,
    ) -> Result<Found, LoadError> {
        let resolved = client.resolve(image).await?;
        let id = asked.component_id();
        is_wanted(request, &resolved)?;
        if let Some(lock) = &request.lock {
            lock::check_manifest(lock, request.id.as_ref().unwrap_or(&id), resolved.digest)?;
        }

        progress(LoadStage::Verifying);
        let parts = Parts { client, store: &self.shared.store, image: &resolved.image };
        let mut signatures = Kept::default();
        let evidence = parts.evidence(&resolved.digest, &mut signatures).await;
        let vouched = self.vouched(asked, image, &resolved.digest, &evidence, request).await?;
        let referrers = evidence.map(|evidence| evidence.others).unwrap_or_default();

        // Held until it is stored, so that nobody transfers it a second time.
        let turn = self.turn(resolved.wasm.digest).lock_owned().await;
        let bytes = self.transfer(client, &resolved, progress).await?;
        if bytes.is_empty() {
            return Err(LoadError::Nothing { url: asked.to_string() });
        }
        let mut artifact = Artifact::new(bytes, image.identity());
        let companions = parts.complete(&mut artifact, &resolved, signatures).await?;
        artifact.origin = Some(Origin {
            reference: asked.to_string(),
            manifest: Some(resolved.digest),
            signer: vouched.signer.clone(),
            companions,
        });
        Ok(Found {
            artifact,
            id,
            signer: vouched.signer,
            unverified: vouched.unverified,
            referrers,
            turn: Some(turn),
            _place: None,
        })
    }

    /// The bytes of the component: from the store, or else from the registry.
    async fn transfer(
        &self,
        client: &Client,
        resolved: &Resolved,
        progress: Progress<'_>,
    ) -> Result<Vec<u8>, LoadError> {
        let Descriptor { digest, size, .. } = resolved.wasm;
        let store = self.shared.store.clone();
        let known = blocking(move || store.blob_if_any(&digest)).await??;
        if let Some(known) = known.filter(|known| known.len() as u64 == size) {
            return Ok(known);
        }
        progress(LoadStage::Fetching { received: 0, total: Some(size) });
        let told = |received, total| {
            progress(LoadStage::Fetching { received, total: Some(total) });
        };
        let most = self.shared.options.component_bytes;
        Ok(client.fetch(&resolved.image, &resolved.wasm, most, &told).await?)
    }

    /// Who vouches for the image with the digest `manifest`: by the configuration, and by the rule
    /// that came with the request.
    async fn vouched(
        &self,
        asked: &Reference,
        image: &Image,
        manifest: &Digest,
        evidence: &Result<Evidence, LoadError>,
        request: &LoadRequest,
    ) -> Result<Vouched, LoadError> {
        let (verifier, place) = (self.shared.verifier.clone(), image_place(image));
        let mut vouched = Vouched::default();
        // A file is the operator's own, whoever made it.
        if matches!(asked, Reference::File(_)) {
            return Ok(vouched);
        }
        let mut take = |need: Need, found: Result<String, Doubt>| match (need, found) {
            (_, Ok(signer)) => {
                // That of the configuration comes first, and is what it is held against later.
                vouched.signer.get_or_insert(signer);
                Ok(())
            }
            (Need::Required, Err(doubt)) => Err(doubt.refused(asked)),
            (Need::Told, Err(doubt)) => {
                vouched.unverified = Some(format!("`{asked}` is not verified: {}", doubt.words()));
                Ok(())
            }
            (Need::Nothing, Err(_)) => Ok(()),
        };
        let attached = match evidence {
            Ok(evidence) => Ok(evidence.attached.as_slice()),
            Err(error) => Err(error.to_string()),
        };
        let signed_by = |found: Result<wassette_signature::Signer, Unsigned>| {
            found.map(|signer| signer.to_string()).map_err(Doubt::Unsigned)
        };
        let attached = || attached.clone().map_err(Doubt::Unread);
        let by_config =
            attached().and_then(|all| signed_by(verifier.verify(&place, manifest, all)));
        let need = match (verifier.need(&place), &by_config, &request.verify) {
            // Where nothing is said of this source, what comes with the request says it.
            (Need::Told, Err(Doubt::Unsigned(Unsigned::NoRule)), Some(_)) => Need::Nothing,
            (need, ..) => need,
        };
        take(need, by_config)?;
        if let Some(rule) = request.verify.clone() {
            let need = need_of(&rule);
            let reader = verifier.clone();
            let rule = blocking(move || reader.extra(&rule)).await??;
            let by_rule =
                attached().and_then(|all| signed_by(verifier.verify_by(&rule, manifest, all)));
            take(need, by_rule)?;
        }
        Ok(vouched)
    }
}

impl Parts<'_> {
    /// Puts to `artifact` what belongs to it by its manifest, and gives what is kept of that.
    async fn complete(
        &self,
        artifact: &mut Artifact,
        resolved: &Resolved,
        signatures: Kept,
    ) -> Result<Vec<Companion>, LoadError> {
        let mut kept = Kept::default();
        let manifest = Descriptor::of(&resolved.media_type, &resolved.bytes);
        kept.keep(&manifest, CompanionRole::Manifest, resolved.bytes.to_vec());
        self.configuration(resolved, &mut kept).await?;
        artifact.requested = self.layers(resolved, &mut kept).await;
        kept.append(signatures);
        let (companions, bytes) = kept.into_parts();
        artifact.companions = bytes;
        Ok(companions)
    }

    /// The configuration, which must not be about another component.
    async fn configuration(&self, resolved: &Resolved, kept: &mut Kept) -> Result<(), LoadError> {
        let config = &resolved.config;
        let bytes = if config.media_type == WASM_CONFIG {
            let bytes = self.get(config, CONFIG).await?;
            fits(&bytes, &resolved.wasm.digest).map_err(|reason| LoadError::Configuration {
                reference: self.image.to_string(),
                reason,
            })?;
            bytes
        } else {
            // It says nothing that is used here, and may be missing.
            let Ok(bytes) = self.get(config, OTHER_CONFIG).await else { return Ok(()) };
            bytes
        };
        kept.keep(config, CompanionRole::Config, bytes);
        Ok(())
    }

    /// Keeps the other layers, as far as they are small. What the first policy among them asks for.
    async fn layers(&self, resolved: &Resolved, kept: &mut Kept) -> Option<Requested> {
        let (mut left, mut requested) = (LAYERS, None);
        for layer in &resolved.extras {
            let bytes = match layer.size {
                size if size > LAYER.min(left) => None,
                _ => Some(self.get(layer, LAYER).await.map_err(|error| error.to_string())),
            };
            if requested.is_none() && is_policy(layer) {
                let origin = format!("{}, layer {}", self.image, layer.digest);
                requested = Some(asked_for(layer, bytes.clone(), origin));
            }
            if let Some(Ok(bytes)) = bytes {
                left = left.saturating_sub(layer.size);
                kept.keep(layer, CompanionRole::Layer, bytes);
            }
        }
        requested
    }
}

/// Why nobody vouches for an image, as far as that is known.
enum Doubt {
    /// No signature that counts.
    Unsigned(Unsigned),
    /// Nobody knows what signatures there are.
    Unread(String),
}

impl Doubt {
    fn words(&self) -> String {
        match self {
            Self::Unsigned(unsigned) => unsigned.to_string(),
            Self::Unread(reason) => format!("its signatures cannot be read: {reason}"),
        }
    }

    fn refused(self, asked: &Reference) -> LoadError {
        let reference = asked.to_string();
        match self {
            Self::Unsigned(Unsigned::NoRule) => LoadError::NoRule { reference },
            Self::Unsigned(Unsigned::Signature(cause)) => LoadError::Unsigned { reference, cause },
            Self::Unread(reason) => LoadError::UnreadSignatures { reference, reason },
        }
    }
}

fn need_of(rule: &VerifyRule) -> Need {
    if rule.require { Need::Required } else { Need::Told }
}

/// Refuses what is not called as somebody wrote it down, before anything of it is transferred.
fn is_wanted(request: &LoadRequest, resolved: &Resolved) -> Result<(), LoadError> {
    match request.digest {
        Some(wanted) if wanted != resolved.digest && wanted != resolved.wasm.digest => {
            Err(LoadError::OtherDigest {
                reference: request.reference.clone(),
                wanted,
                manifest: resolved.digest,
                found: resolved.wasm.digest,
            })
        }
        _ => Ok(()),
    }
}

/// Whether the configuration in `bytes` is one, and about the component `wasm` if it says which.
fn fits(bytes: &[u8], wasm: &Digest) -> Result<(), String> {
    let config: Value = serde_json::from_slice(bytes).map_err(|_| "it is no JSON".to_owned())?;
    if !config.is_object() {
        return Err("it is no JSON object".to_owned());
    }
    match config.get("layerDigests") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(layers)) if layers.is_empty() => Ok(()),
        Some(Value::Array(layers)) => {
            let wasm = wasm.to_string();
            let named = layers.iter().any(|layer| layer.as_str() == Some(wasm.as_str()));
            named.then_some(()).ok_or_else(|| format!("it is about other layers than {wasm}"))
        }
        Some(_) => Err("its `layerDigests` are no list".to_owned()),
    }
}

/// Whether `layer` says what the component asks for.
fn is_policy(layer: &Descriptor) -> bool {
    let kind = layer.media_type.as_str();
    let titled = || layer.annotations.get(TITLE).is_some_and(|title| title.contains("policy"));
    POLICIES.contains(&kind) || (YAML.contains(&kind) && titled())
}

/// What the policy in `layer` asks for, or why it cannot be shown.
fn asked_for(
    layer: &Descriptor,
    bytes: Option<Result<Vec<u8>, String>>,
    origin: String,
) -> Requested {
    let reason = match bytes {
        None => format!("it has {} bytes, the limit is {MAX_POLICY_BYTES}", layer.size),
        Some(Err(reason)) => reason,
        Some(Ok(bytes)) => match String::from_utf8(bytes) {
            Ok(text) => return Requested::Text { text, origin },
            Err(_) => "it is not text in UTF-8".to_owned(),
        },
    };
    Requested::Unreadable { reason, origin }
}

#[cfg(test)]
mod tests;
