//! Compiled code at rest. It is machine code: whoever can change a bit of it runs whatever he
//! likes in this process. So it is sealed with a key of ours, and only what opens is ever given to
//! Wasmtime. This is the one file that may be unsafe, and this is why.

use miette::Diagnostic;
use thiserror::Error;
use wasmtime::component::Component;

use crate::compile::{Compiled, Description};
use crate::engine::Engine;

const MAGIC: &[u8; 16] = b"wassette code 2\n";
const TAG: usize = 32;
/// The length of the description, before it.
const LENGTH: usize = 8;

/// The key that seals code on this machine. It does not print itself.
#[derive(Clone)]
pub struct CodeKey([u8; 32]);

impl CodeKey {
    /// The key with these 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn tag(&self, name: &str, content: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(MAGIC);
        hasher.update(&u64::try_from(name.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(content);
        hasher.finalize()
    }
}

impl std::fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeKey(..)")
    }
}

/// Why sealed code is not used. The cure is always the same: compile again.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum CodeError {
    /// The seal does not fit: changed, cut off, made with another key, or of another component.
    #[error("the compiled code was changed or is not ours")]
    Seal,
    /// The seal fits, but Wasmtime will not have it.
    #[error("the compiled code does not fit this engine: {0}")]
    Engine(String),
}

/// The code of a component and what is known of the component, with their seal, as they may lie on
/// a disk.
#[derive(Clone)]
pub struct SealedCode(Vec<u8>);

impl SealedCode {
    /// Seals `compiled` under `name`, which must say all that the code depends on: the component's
    /// digest, the engine's compatibility, our version. `None` where the description cannot be
    /// written down.
    pub fn seal(key: &CodeKey, name: &str, compiled: &Compiled) -> Option<Self> {
        let description = serde_json::to_vec(&compiled.description).ok()?;
        let length = u64::try_from(description.len()).ok()?.to_le_bytes();
        let mut sealed = [&MAGIC[..], &[0; TAG], &length, &description, &compiled.code].concat();
        let content = sealed.get(MAGIC.len() + TAG..)?;
        let tag = key.tag(name, content);
        sealed.get_mut(MAGIC.len()..MAGIC.len() + TAG)?.copy_from_slice(tag.as_bytes());
        Some(Self(sealed))
    }

    /// What was read from a disk and may be anything.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to write to a disk.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What is known of the component, if the seal holds.
    pub fn description(&self, key: &CodeKey, name: &str) -> Result<Description, CodeError> {
        Ok(self.content(key, name)?.0)
    }

    /// Opens the seal and hands the code to Wasmtime. The bytes that were checked are the bytes
    /// that run: they are in our memory, not in a file that somebody can still change.
    pub(crate) fn open(
        &self,
        engine: &Engine,
        key: &CodeKey,
        name: &str,
    ) -> Result<(Description, Component), CodeError> {
        let (description, code) = self.content(key, name)?;
        // SAFETY: `deserialize` demands bytes that Wasmtime itself serialised, unchanged. The seal
        // proves that we made them: only `Compiled`, which comes out of our own compiler, is ever
        // sealed, the key never leaves a file that only this user can read, and a tag over name
        // and content cannot be forged without it.
        #[expect(unsafe_code, reason = "authenticated just above")]
        let component = unsafe { Component::deserialize(&engine.shared.wasmtime, code) };
        let component = component.map_err(|error| CodeError::Engine(format!("{error:#}")))?;
        Ok((description, component))
    }

    /// What the seal holds together: the description and the code.
    fn content(&self, key: &CodeKey, name: &str) -> Result<(Description, &[u8]), CodeError> {
        let (magic, rest) = self.0.split_at_checked(MAGIC.len()).ok_or(CodeError::Seal)?;
        let (tag, content) = rest.split_first_chunk::<TAG>().ok_or(CodeError::Seal)?;
        // `blake3::Hash` compares in constant time.
        if magic != MAGIC || key.tag(name, content) != blake3::Hash::from_bytes(*tag) {
            return Err(CodeError::Seal);
        }
        let (length, content) = content.split_first_chunk::<LENGTH>().ok_or(CodeError::Seal)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| CodeError::Seal)?;
        let (description, code) = content.split_at_checked(length).ok_or(CodeError::Seal)?;
        let description = serde_json::from_slice(description).map_err(|_| CodeError::Seal)?;
        Ok((description, code))
    }
}
