//! Who signed a component: signatures of artifacts in registries, checked and made.
//!
//! What is signed is the digest of an image manifest. Two layouts are read and written: cosign's simple signing (a payload and
//! a signature, stored under the tag `sha256-….sig`) and the Sigstore bundle (attached as a referrer). Signers are known by
//! their public keys, or by an identity that a certificate authority vouched for and a transparency log recorded.
//!
//! This crate does no I/O: whoever calls it brings the signatures, the keys and the roots. It must never take a signature for
//! good because something about it could not be read, and it must never panic, for all that it reads comes from a registry.

mod error;
mod identity;
mod key;
mod keyless;
mod pem;
mod provider;
mod sealed_key;
mod sign;
mod signing_key;
mod simple;
mod statement;
mod verify;
mod visible;

pub use error::{KeyError, TrustRootError, VerifyError};
pub use identity::Identity;
pub use key::PublicKey;
pub use keyless::TrustRoot;
pub use sign::{sign_bundle, sign_simple};
pub use signing_key::SigningKey;
pub use verify::{Attached, Signer, Trust, verify};
