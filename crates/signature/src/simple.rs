//! cosign's first layout: a payload which names the digest, and a signature over its bytes. It must be read from the very bytes
//! that were signed, and only after they were found to be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::key::fingerprint;
use crate::{PublicKey, Signer, Trust, VerifyError};

/// A payload has a few hundred bytes, and whatever its author added.
const LONGEST_PAYLOAD: usize = 64 << 10;
/// The signature of the longest key that is read, in base64.
const LONGEST_SIGNATURE: usize = 4 << 10;

/// What cosign writes, and what those who sign images wrote before it.
pub(crate) const KIND: &str = "cosign container image signature";
const KINDS: &[&str] = &[KIND, "atomic container signature"];

#[derive(Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) critical: Critical,
    /// Whatever the author added, which says nothing to us.
    pub(crate) optional: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Critical {
    pub(crate) identity: Name,
    pub(crate) image: Image,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Name {
    #[serde(rename = "docker-reference")]
    pub(crate) reference: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Image {
    #[serde(rename = "docker-manifest-digest")]
    pub(crate) digest: String,
}

/// Who of the trusted signed `manifest`, by this payload and its signature.
pub(crate) fn verify(
    manifest: &[u8; 32],
    payload: &[u8],
    signature: &str,
    trust: &Trust<'_>,
) -> Result<Signer, VerifyError> {
    if payload.len() > LONGEST_PAYLOAD || signature.len() > LONGEST_SIGNATURE {
        return Err(VerifyError::malformed("it is too long"));
    }
    if trust.keys.is_empty() {
        return Err(VerifyError::KeysNotTrusted);
    }
    let signature = STANDARD
        .decode(signature.trim())
        .map_err(|_| VerifyError::malformed("the signature is not base64"))?;
    let signer = trust.keys.iter().find(|key| key.made(&signature, payload)).ok_or_else(|| {
        VerifyError::WrongKey {
            made_by: None,
            trusted: trust.keys.iter().map(PublicKey::fingerprint).collect(),
        }
    })?;
    let payload: Payload = serde_json::from_slice(payload).map_err(VerifyError::malformed)?;
    if !KINDS.contains(&payload.critical.kind.as_str()) {
        return Err(VerifyError::OtherStatement { kind: payload.critical.kind });
    }
    if payload.critical.image.digest != fingerprint(manifest) {
        return Err(VerifyError::OtherDigest { signed: payload.critical.image.digest });
    }
    Ok(Signer::Key(signer.fingerprint()))
}
