//! Hides secrets that the host has added to requests wherever they would come back: in answers, in
//! what the guest prints, in its result, in denials. Each byte becomes a `*`.
//!
//! This is a net below the boundary, not the boundary: a server that was given a secret and turns
//! it around before it sends it back is not found out. What keeps a secret is that it goes only
//! where a rule sends it.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use memchr::memmem;
use zeroize::Zeroizing;

/// Values shorter than this many bytes would hide too much that is none.
const SHORTEST: usize = 4;
/// The same for what only may be a value, encoded.
const SHORTEST_ENCODED: usize = 8;

type Spelling = Zeroizing<Vec<u8>>;

/// The secrets that one call has used. Clones share them.
#[derive(Clone, Default)]
pub struct Masker(Arc<RwLock<Vec<Spelling>>>);

impl Masker {
    /// From now on `secret` is hidden: as it is, in base64 (wherever in an encoded text it stands),
    /// percent-encoded, and escaped as in JSON.
    pub fn hide(&self, secret: &str) {
        let mut hidden = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for spelling in spellings(secret) {
            if !hidden.contains(&spelling) {
                hidden.push(spelling);
            }
        }
    }

    /// Whether there is nothing to hide.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// `text` without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_empty() {
            return Cow::Borrowed(text);
        }
        let masked = self.bytes(text.as_bytes());
        // A secret is whole characters, so what is left of them is too.
        Cow::Owned(String::from_utf8_lossy(&masked).into_owned())
    }

    /// `bytes` without secrets.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Bytes {
        let mut masking = self.stream();
        let mut masked = masking.push(bytes).to_vec();
        masked.extend_from_slice(&masking.finish());
        masked.into()
    }

    /// Hides secrets in a text that comes in pieces.
    pub(crate) fn stream(&self) -> Masking {
        Masking { masker: self.clone(), held: Zeroizing::default(), hidden: 0 }
    }
}

/// A text that comes in pieces. It holds back only what may be the beginning of a secret.
pub(crate) struct Masking {
    masker: Masker,
    held: Spelling,
    /// So many of the bytes that are held back belong to a secret that was found.
    hidden: usize,
}

impl Masking {
    /// Who knows the secrets.
    pub(crate) fn masker(&self) -> &Masker {
        &self.masker
    }

    /// What is sure of the text after `piece` has come.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Bytes {
        let mut text = std::mem::take(&mut self.held);
        text.extend_from_slice(piece);
        let secrets = self.masker.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut hidden = occurrences(&text, &secrets);
        let sure = text.len() - unsure(&text, &secrets);
        drop(secrets);
        // What begins in the held part is found again; what only ends there is not.
        hidden.retain(|&(start, _)| start < sure);
        hidden.push((0, self.hidden));
        self.hidden = hidden.iter().map(|(_, end)| end.saturating_sub(sure)).max().unwrap_or(0);
        self.held = Zeroizing::new(text.split_off(sure));
        emit(&text, &hidden)
    }

    /// The rest of the text.
    pub(crate) fn finish(&mut self) -> Bytes {
        let rest = std::mem::take(&mut self.held);
        let secrets = self.masker.0.read().unwrap_or_else(PoisonError::into_inner);
        // A secret may stand in what could have been the beginning of another.
        let mut hidden = occurrences(&rest, &secrets);
        drop(secrets);
        hidden.push((0, std::mem::take(&mut self.hidden)));
        emit(&rest, &hidden)
    }
}

/// `text` with the ranges `hidden` replaced; they may reach beyond its end.
fn emit(text: &[u8], hidden: &[(usize, usize)]) -> Bytes {
    let mut text = text.to_vec();
    for &(start, end) in hidden {
        let end = end.min(text.len());
        if let Some(range) = text.get_mut(start..end) {
            range.fill(b'*');
        }
    }
    text.into()
}

/// Where in `text` a secret stands, overlaps included.
fn occurrences(text: &[u8], secrets: &[Spelling]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for secret in secrets {
        let finder = memmem::Finder::new(secret.as_slice());
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| finder.find(rest)) {
            found.push((from + at, from + at + secret.len()));
            from += at + 1;
        }
    }
    found
}

/// How many bytes at the end of `text` may be the beginning of a secret.
fn unsure(text: &[u8], secrets: &[Spelling]) -> usize {
    let longest = secrets.iter().map(|secret| secret.len()).max().unwrap_or_default();
    let most = longest.saturating_sub(1).min(text.len());
    let begins = |count: &usize| {
        let end = text.get(text.len() - count..).unwrap_or_default();
        secrets.iter().any(|secret| secret.len() > *count && secret.starts_with(end))
    };
    (1..=most).rev().find(begins).unwrap_or_default()
}

fn spellings(secret: &str) -> Vec<Spelling> {
    let bytes = secret.as_bytes();
    if bytes.len() < SHORTEST {
        return Vec::new();
    }
    let mut spellings = vec![Zeroizing::new(bytes.to_vec())];
    let mut encoded = Vec::new();
    for before in 0..3 {
        encoded.push(in_base64(&STANDARD_NO_PAD, bytes, before));
        encoded.push(in_base64(&URL_SAFE_NO_PAD, bytes, before));
    }
    encoded.push(percent_encoded(bytes, b"0123456789ABCDEF"));
    encoded.push(percent_encoded(bytes, b"0123456789abcdef"));
    if let Ok(json) = serde_json::to_string(secret).map(Zeroizing::new) {
        let json = json.trim_matches('"');
        encoded.push(json.as_bytes().to_vec().into());
        // Some writers of JSON escape the slash too.
        if json.contains('/') {
            encoded.push(json.replace('/', r"\/").into_bytes().into());
        }
    }
    encoded.retain(|spelling| spelling.len() >= SHORTEST_ENCODED);
    spellings.append(&mut encoded);
    spellings
}

/// The part of `bytes` in base64 that does not depend on the neighbours, `before` bytes after the
/// beginning of a group of three.
fn in_base64(engine: &impl Engine, bytes: &[u8], before: usize) -> Spelling {
    let mut text = Zeroizing::new(vec![0; before]);
    text.extend_from_slice(bytes);
    let encoded = Zeroizing::new(engine.encode(&*text));
    let whole = (before * 8).div_ceil(6)..text.len() * 8 / 6;
    Zeroizing::new(encoded.as_bytes().get(whole).unwrap_or_default().to_vec())
}

fn percent_encoded(bytes: &[u8], digits: &[u8; 16]) -> Spelling {
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() * 3));
    let digit = |nibble: u8| digits.get(usize::from(nibble)).copied().unwrap_or_default();
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(byte);
        } else {
            text.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    text
}

#[cfg(test)]
mod tests;
