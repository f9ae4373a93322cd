//! Signatures by those who have no key of their own: an authority certified a key of minutes to an identity, and a log recorded
//! its use. Nothing here is asked of anybody: what is trusted stands in one document that the operator chose.

use std::fmt;

use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, Sha256Hash};
use sigstore_verify::{
    Error, PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier,
};

use crate::{PublicKey, TrustRootError, VerifyError, provider};

/// The root of the public instance has seven thousand bytes.
const LONGEST: usize = 1 << 20;

/// The authorities and logs that are trusted, as a `trusted_root.json` names them.
pub struct TrustRoot {
    verifier: Verifier,
    /// Whether certificates have to be in a certificate log. Private instances often have none.
    certificates_logged: bool,
}

impl TrustRoot {
    /// Reads a `trusted_root.json`.
    ///
    /// # Errors
    /// If it is none, if any part of it cannot be used, or if it names no authority or no transparency log.
    pub fn from_json(json: &[u8]) -> Result<Self, TrustRootError> {
        provider::install();
        if json.len() > LONGEST {
            return Err(TrustRootError::TooLong { found: json.len(), most: LONGEST });
        }
        let unreadable = |reason: String| TrustRootError::Unreadable { reason };
        let text = str::from_utf8(json).map_err(|error| unreadable(error.to_string()))?;
        let root = TrustedRoot::from_json(text).map_err(|error| unreadable(error.to_string()))?;
        if root.certificate_authorities.is_empty() {
            return Err(TrustRootError::Empty { missing: "certificate authority" });
        }
        if root.tlogs.is_empty() {
            return Err(TrustRootError::Empty { missing: "transparency log" });
        }
        let verifier = Verifier::new(&root).map_err(|error| unreadable(error.to_string()))?;
        Ok(Self { verifier, certificates_logged: !root.ctlogs.is_empty() })
    }
}

impl fmt::Debug for TrustRoot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TrustRoot")
            .field("certificates_logged", &self.certificates_logged)
            .finish_non_exhaustive()
    }
}

/// Why nobody is vouched for.
pub(crate) enum Refused {
    /// All was in order but for what was signed.
    Elsewhere(String),
    /// Something was not in order.
    Not(String),
}

/// Who signed the bundle, identity and issuer, once everything is in order: the certificate at the time of signing, its own log
/// entry, the signature, and the entry in the transparency log. Whether they are trusted is for the caller to say.
pub(crate) fn vouched(
    bundle: &Bundle,
    manifest: &[u8; 32],
    root: &TrustRoot,
) -> Result<(String, String), Refused> {
    let not = |reason: &str| Refused::Not(reason.to_owned());
    // Of the oldest bundles the library takes a promise for enough; we want to see that it was kept.
    if !bundle.has_inclusion_proof() {
        return Err(not("there is no proof that it is in the transparency log"));
    }
    let mut policy = VerificationPolicy::any_identity();
    if !root.certificates_logged {
        policy = policy.skip_sct();
    }
    let found =
        root.verifier.verify(Sha256Hash::new(*manifest), bundle, &policy).map_err(|error| {
            match error {
                Error::ArtifactMismatch(reason) => Refused::Elsewhere(reason),
                error => Refused::Not(error.to_string()),
            }
        })?;
    if !in_order(&found, root) {
        return Err(not("not all of it was checked"));
    }
    match (found.identity(), found.issuer()) {
        (Some(identity), Some(issuer)) => Ok((identity.as_str().to_owned(), issuer.to_owned())),
        _ => Err(not("the certificate names no identity or no issuer")),
    }
}

/// What the library says that it checked, and what we rely on.
fn in_order(found: &VerificationResult, root: &TrustRoot) -> bool {
    found.certificate_verified()
        && found.tlog_verified()
        && (found.sct_verified() || !root.certificates_logged)
}

/// Whether the log entries of a bundle that a key signed are in order, and of this signature.
pub(crate) fn logged(
    bundle: &Bundle,
    manifest: &[u8; 32],
    key: &PublicKey,
    root: &TrustRoot,
) -> Result<(), VerifyError> {
    let policy = PublicKeyVerificationPolicy::new(key.info().clone());
    match root.verifier.verify(Sha256Hash::new(*manifest), bundle, &policy) {
        Ok(_) => Ok(()),
        Err(error) => Err(VerifyError::Keyless { reason: error.to_string() }),
    }
}
