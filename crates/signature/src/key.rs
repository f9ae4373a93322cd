//! The key of a publisher. Must never take a key of a kind or size for good that proves nothing.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sigstore_verify::crypto::{
    KeyAlgorithm, SigningScheme, VerificationKey, validate_raw_public_key,
};
use sigstore_verify::types::{DerPublicKey, SignatureBytes};

use crate::{KeyError, pem, provider};

/// A public key that signatures are checked with: ECDSA over P-256 or P-384, Ed25519, or RSA from 2048 bits.
pub struct PublicKey {
    /// The `SubjectPublicKeyInfo`, in DER.
    info: DerPublicKey,
    /// One for each way in which such a key signs.
    ways: Vec<VerificationKey>,
}

impl PublicKey {
    /// Reads `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    /// If the text holds anything else, or a key of another kind or of too few bits.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = pem::block(text)?;
        if block.label != "PUBLIC KEY" {
            return Err(KeyError::OtherLabel {
                found: block.label.to_owned(),
                wanted: "a `PUBLIC KEY`",
                help: "name the public key, as `cosign public-key` and `openssl pkey -pubout` write it",
            });
        }
        Self::from_info(block.bytes.to_vec())
    }

    /// Takes a `SubjectPublicKeyInfo`, in DER.
    pub(crate) fn from_info(info: Vec<u8>) -> Result<Self, KeyError> {
        provider::install();
        let info = DerPublicKey::new(info);
        let unusable = |error: sigstore_verify::crypto::Error| KeyError::Unusable {
            reason: error.to_string(),
        };
        let algorithm = KeyAlgorithm::from_spki(&info).map_err(unusable)?;
        let schemes: &[SigningScheme] = match algorithm {
            KeyAlgorithm::EcdsaP256 => &[SigningScheme::EcdsaP256Sha256],
            KeyAlgorithm::EcdsaP384 => {
                &[SigningScheme::EcdsaP384Sha384, SigningScheme::EcdsaP384Sha256]
            }
            KeyAlgorithm::Ed25519 => &[SigningScheme::Ed25519],
            KeyAlgorithm::Rsa => &[SigningScheme::RsaPkcs1Sha256, SigningScheme::RsaPssSha256],
            _ => {
                return Err(KeyError::Unusable {
                    reason: format!("{algorithm:?} is not supported"),
                });
            }
        };
        let mut ways = Vec::new();
        for scheme in schemes {
            let way = VerificationKey::from_spki_with_scheme(&info, *scheme).map_err(unusable)?;
            validate_raw_public_key(*scheme, way.as_bytes()).map_err(unusable)?;
            ways.push(way);
        }
        Ok(Self { info, ways })
    }

    /// The name of the key: `sha256:` and the digest of its `SubjectPublicKeyInfo`, in hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&provider::sha256(self.info.as_bytes()))
    }

    /// How a bundle names the key, as cosign does: the same digest in base64.
    pub(crate) fn hint(&self) -> String {
        STANDARD.encode(provider::sha256(self.info.as_bytes()))
    }

    pub(crate) fn info(&self) -> &DerPublicKey {
        &self.info
    }

    /// Whether the key made `signature` over `message`.
    pub(crate) fn made(&self, signature: &[u8], message: &[u8]) -> bool {
        let signature = SignatureBytes::new(signature.to_vec());
        self.ways.iter().any(|way| way.verify(message, &signature).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({})", self.fingerprint())
    }
}

/// The name of the key that a bundle's hint means; hints are free text, and some are names already.
pub(crate) fn named(hint: &str) -> Option<String> {
    match STANDARD.decode(hint).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
        Some(digest) => Some(fingerprint(&digest)),
        None if hint.is_empty() => None,
        None => Some(hint.to_owned()),
    }
}

/// A SHA-256 digest as it is written everywhere.
pub(crate) fn fingerprint(digest: &[u8; 32]) -> String {
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16));
    "sha256:".chars().chain(digits).collect()
}
