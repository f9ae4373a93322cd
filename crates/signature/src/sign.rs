//! Signing, in both layouts, so that what cosign and its kin check with a key is what we write.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sigstore_verify::types::MediaType;
use sigstore_verify::types::pae;

use crate::key::fingerprint;
use crate::simple::{Critical, Image, KIND, Name, Payload};
use crate::statement::{PAYLOAD_KIND, SIGNATURE};
use crate::{Attached, KeyError, SigningKey};

/// Signs the manifest whose SHA-256 is `manifest`, as `cosign sign` did before bundles. `reference` is the repository that it
/// lies in, which readers show and we do not rely on.
///
/// # Errors
/// If the system gives no random numbers.
pub fn sign_simple(
    key: &SigningKey,
    manifest: &[u8; 32],
    reference: &str,
) -> Result<Attached, KeyError> {
    let payload = Payload {
        critical: Critical {
            identity: Name { reference: reference.to_owned() },
            image: Image { digest: fingerprint(manifest) },
            kind: KIND.to_owned(),
        },
        optional: None,
    };
    let payload = serde_json::to_vec(&payload).map_err(|_| KeyError::Signing)?;
    let signature = STANDARD.encode(key.sign(&payload)?);
    Ok(Attached::Simple { payload, signature })
}

/// Signs the manifest whose SHA-256 is `manifest`, as `cosign sign --key` does now, without an entry in any log.
///
/// # Errors
/// If the system gives no random numbers.
pub fn sign_bundle(key: &SigningKey, manifest: &[u8; 32]) -> Result<Attached, KeyError> {
    let digest = fingerprint(manifest);
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": digest.trim_start_matches("sha256:") } }],
        "predicateType": SIGNATURE,
        "predicate": {},
    });
    let payload = statement.to_string().into_bytes();
    let signature = key.sign(&pae(PAYLOAD_KIND, &payload))?;
    let bundle = json!({
        "mediaType": MediaType::Bundle0_3.as_str(),
        "verificationMaterial": { "publicKey": { "hint": key.public_key().hint() } },
        "dsseEnvelope": {
            "payload": STANDARD.encode(payload),
            "payloadType": PAYLOAD_KIND,
            "signatures": [{ "sig": STANDARD.encode(signature) }],
        },
    });
    Ok(Attached::Bundle { json: bundle.to_string().into_bytes() })
}
