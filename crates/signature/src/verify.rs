//! Whether somebody who is trusted signed an artifact. One good signature is enough; of those that are not good, the one that
//! came nearest is told of.

use std::fmt;

use crate::visible::visible;
use crate::{Identity, PublicKey, TrustRoot, VerifyError, provider, simple, statement};

/// How many signatures of one artifact are looked at.
const MOST: usize = 64;

/// One signature, as a registry keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attached {
    /// cosign's simple signing: a layer of the manifest under the tag `sha256-….sig`.
    Simple {
        /// The layer's bytes.
        payload: Vec<u8>,
        /// The layer's annotation `dev.cosignproject.cosign/signature`, in base64.
        signature: String,
    },
    /// A Sigstore bundle: the layer of a referrer.
    Bundle {
        /// The bundle's bytes.
        json: Vec<u8>,
    },
}

/// Whom to trust. Either of the two lists may be empty, not both.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// Keys, any of which may have signed.
    pub keys: &'a [PublicKey],
    /// Identities, any of which may have signed.
    pub identities: &'a [Identity],
    /// What identities are checked against.
    pub root: Option<&'a TrustRoot>,
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// Whoever has the key of this fingerprint.
    Key(String),
    /// Somebody whom an issuer vouches for.
    Identity {
        /// The identity that the certificate names.
        identity: String,
        /// Who vouches for it.
        issuer: String,
    },
}

impl fmt::Display for Signer {
    /// `key sha256:…`, or `identity …, issuer …`, in one line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(fingerprint) => write!(formatter, "key {fingerprint}"),
            Self::Identity { identity, issuer } => {
                write!(formatter, "identity {}, issuer {}", visible(identity), visible(issuer))
            }
        }
    }
}

/// Who of the trusted signed the manifest whose SHA-256 is `manifest`.
///
/// # Errors
/// If nobody did, as far as the signatures that are `attached` show.
pub fn verify(
    manifest: &[u8; 32],
    attached: &[Attached],
    trust: &Trust<'_>,
) -> Result<Signer, VerifyError> {
    provider::install();
    if trust.keys.is_empty() && trust.identities.is_empty() {
        return Err(VerifyError::NobodyTrusted);
    }
    if attached.len() > MOST {
        return Err(VerifyError::TooMany { found: attached.len(), most: MOST });
    }
    let mut nearest = VerifyError::Unsigned;
    for one in attached {
        let found = match one {
            Attached::Simple { payload, signature } => {
                simple::verify(manifest, payload, signature, trust)
            }
            Attached::Bundle { json } => statement::verify(manifest, json, trust),
        };
        match found {
            Ok(signer) => return Ok(signer),
            Err(error) if error.weight() > nearest.weight() => nearest = error,
            Err(_) => {}
        }
    }
    Err(nearest)
}

#[cfg(test)]
mod tests;
