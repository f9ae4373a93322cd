//! The key that an artifact is signed with. Must never show its secret half, and never sign with a half that does not fit the
//! other.

use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

use crate::{KeyError, PublicKey, pem, sealed_key};

/// The `SubjectPublicKeyInfo` of a P-256 key, up to its 65 bytes.
const P256_INFO: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The `SubjectPublicKeyInfo` of an Ed25519 key, up to its 32 bytes.
const ED25519_INFO: &[u8] =
    &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A private key, ECDSA over P-256 or Ed25519.
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Reads a private key in PEM: `PRIVATE KEY` (PKCS#8), or what cosign writes and seals with a password.
    ///
    /// # Errors
    /// If the text holds anything else, if the key is sealed and `password` is missing or wrong, or if it is of another kind.
    pub fn from_pem(text: &str, password: Option<&str>) -> Result<Self, KeyError> {
        let block = pem::block(text)?;
        match block.label {
            "PRIVATE KEY" => Self::from_pkcs8(&block.bytes),
            "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => Self::from_pkcs8(
                &sealed_key::open(&block.bytes, password.ok_or(KeyError::PasswordNeeded)?)?,
            ),
            found => Err(KeyError::OtherLabel {
                found: found.to_owned(),
                wanted: "a `PRIVATE KEY`",
                help: "bring it into PKCS#8 with `openssl pkcs8 -topk8 -nocrypt`, or take it over with `cosign import-key-pair`",
            }),
        }
    }

    fn from_pkcs8(key: &[u8]) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key, &random) {
            let public = PublicKey::from_info([P256_INFO, pair.public_key().as_ref()].concat())?;
            return Ok(Self { pair: Pair::P256(pair), public });
        }
        // OpenSSL writes these without the public half, which follows from the other.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key).map_err(|error| {
            KeyError::Unusable { reason: format!("neither P-256 nor Ed25519 ({error})") }
        })?;
        let public = PublicKey::from_info([ED25519_INFO, pair.public_key().as_ref()].concat())?;
        Ok(Self { pair: Pair::Ed25519(pair), public })
    }

    /// The half that others check with.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.pair {
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map_err(|_| KeyError::Signing)
                .map(|it| it.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.public.fingerprint())
    }
}

#[cfg(test)]
mod tests;
