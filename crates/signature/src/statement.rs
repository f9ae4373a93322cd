//! The Sigstore bundle: an in-toto statement in a signed envelope, and what vouches for its signer. A statement about an
//! artifact must never pass for a signature of it.

use sigstore_verify::types::bundle::VerificationMaterialContent;
use sigstore_verify::types::{Bundle, DsseEnvelope, Sha256Hash, SignatureContent, Statement};

use crate::key::{fingerprint, named};
use crate::{PublicKey, Signer, Trust, VerifyError, keyless};

/// A bundle has some ten thousand bytes.
const LONGEST: usize = 1 << 20;
/// How many log entries, time stamps or certificates are worth their checking. Bundles have one or two of each.
const MOST_PARTS: usize = 8;

pub(crate) const PAYLOAD_KIND: &str = "application/vnd.in-toto+json";
/// What says "I stand for this artifact", and no more.
pub(crate) const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

/// Who of the trusted signed `manifest`, by this bundle.
pub(crate) fn verify(
    manifest: &[u8; 32],
    json: &[u8],
    trust: &Trust<'_>,
) -> Result<Signer, VerifyError> {
    let bundle = bundle(json)?;
    let envelope = envelope(&bundle)?;
    let statement: Statement =
        serde_json::from_slice(envelope.payload.as_bytes()).map_err(VerifyError::malformed)?;
    if statement.type_ != Statement::TYPE_V1 || statement.predicate_type != SIGNATURE {
        return Err(VerifyError::OtherStatement { kind: statement.predicate_type });
    }
    let signer = match &bundle.verification_material.content {
        VerificationMaterialContent::PublicKey(identifier) => {
            by_key(envelope, &identifier.hint, trust)?
        }
        _ => return by_identity(&bundle, manifest, &statement, trust),
    };
    about(&statement, manifest)?;
    if let Some(root) = trust.root.filter(|_| !bundle.verification_material.tlog_entries.is_empty())
    {
        keyless::logged(&bundle, manifest, signer, root)?;
    }
    Ok(Signer::Key(signer.fingerprint()))
}

fn bundle(json: &[u8]) -> Result<Bundle, VerifyError> {
    if json.len() > LONGEST {
        return Err(VerifyError::malformed("the bundle is too long"));
    }
    let text = str::from_utf8(json).map_err(VerifyError::malformed)?;
    let bundle = Bundle::from_json(text).map_err(VerifyError::malformed)?;
    let material = &bundle.verification_material;
    let certificates = match &material.content {
        VerificationMaterialContent::X509CertificateChain { certificates } => certificates.len(),
        _ => 1,
    };
    let stamps = material.timestamp_verification_data.rfc3161_timestamps.len();
    if certificates.max(stamps).max(material.tlog_entries.len()) > MOST_PARTS {
        return Err(VerifyError::malformed(format!(
            "the bundle has more than {MOST_PARTS} certificates, time stamps or log entries"
        )));
    }
    Ok(bundle)
}

fn envelope(bundle: &Bundle) -> Result<&DsseEnvelope, VerifyError> {
    match &bundle.content {
        SignatureContent::DsseEnvelope(envelope) if envelope.payload_type == PAYLOAD_KIND => {
            Ok(envelope)
        }
        SignatureContent::DsseEnvelope(envelope) => {
            Err(VerifyError::OtherStatement { kind: envelope.payload_type.clone() })
        }
        // Bytes signed without a word about what for: a signature of a file, which cosign never attaches to an image.
        _ => Err(VerifyError::OtherStatement {
            kind: "bare bytes, as `cosign sign-blob` signs them".to_owned(),
        }),
    }
}

fn by_key<'a>(
    envelope: &DsseEnvelope,
    hint: &str,
    trust: &Trust<'a>,
) -> Result<&'a PublicKey, VerifyError> {
    if trust.keys.is_empty() {
        return Err(VerifyError::KeysNotTrusted);
    }
    let message = envelope.pae();
    if let Some(key) =
        trust.keys.iter().find(|key| key.made(envelope.signature.sig.as_bytes(), &message))
    {
        return Ok(key);
    }
    let trusted: Vec<String> = trust.keys.iter().map(PublicKey::fingerprint).collect();
    match named(hint) {
        Some(key) if trusted.contains(&key) => Err(VerifyError::Tampered { key }),
        made_by => Err(VerifyError::WrongKey { made_by, trusted }),
    }
}

fn by_identity(
    bundle: &Bundle,
    manifest: &[u8; 32],
    statement: &Statement,
    trust: &Trust<'_>,
) -> Result<Signer, VerifyError> {
    if trust.identities.is_empty() {
        return Err(VerifyError::IdentitiesNotTrusted);
    }
    let root = trust.root.ok_or(VerifyError::NoTrustRoot)?;
    let vouched = keyless::vouched(bundle, manifest, root);
    // The library finds a good signature of something else too, but says so among much that is not good.
    let (identity, issuer) = match vouched {
        Err(keyless::Refused::Elsewhere(reason)) => {
            about(statement, manifest)?;
            return Err(VerifyError::Keyless { reason });
        }
        Err(keyless::Refused::Not(reason)) => return Err(VerifyError::Keyless { reason }),
        Ok(who) => who,
    };
    about(statement, manifest)?;
    if trust.identities.iter().any(|trusted| trusted.matches(&identity, &issuer)) {
        return Ok(Signer::Identity { identity, issuer });
    }
    Err(VerifyError::WrongIdentity {
        identity,
        issuer,
        trusted: trust.identities.iter().map(ToString::to_string).collect(),
    })
}

/// Whether the statement is about `manifest`.
fn about(statement: &Statement, manifest: &[u8; 32]) -> Result<(), VerifyError> {
    if statement.matches_sha256(&Sha256Hash::new(*manifest)) {
        return Ok(());
    }
    let signed = statement.subject.iter().find_map(|subject| subject.digest.sha256.as_ref());
    Err(VerifyError::OtherDigest {
        signed: signed.map_or_else(
            || "nothing with a SHA-256 digest".to_owned(),
            |digest| fingerprint(digest.as_bytes()),
        ),
    })
}
