//! What is kept beside a component so that it can be exported whole. It is bounded in number and in
//! bytes, and what does not fit is left out: nothing is ever refused because it does not.

use std::collections::{BTreeMap, BTreeSet};

use wassette_registry::Descriptor;
use wassette_store::{Companion, CompanionRole, Digest, MAX_COMPANION_BYTES, MAX_COMPANIONS};

/// The longest name of a type that is kept, in bytes: those of RFC 6838 have half of it. The index
/// of the store holds it.
const MEDIA_TYPE: usize = 255;

/// The companions of one component, with their bytes.
#[derive(Debug, Default)]
pub(super) struct Kept {
    companions: Vec<Companion>,
    bytes: Vec<(Digest, Vec<u8>)>,
    known: BTreeSet<Digest>,
    used: u64,
}

impl Kept {
    /// Keeps `bytes`, which `descriptor` describes, if they fit. What it says of their number may be a
    /// lie: somebody else wrote it.
    pub(super) fn keep(&mut self, descriptor: &Descriptor, role: CompanionRole, bytes: Vec<u8>) {
        let Descriptor { media_type, digest, .. } = descriptor;
        let size = descriptor.size.max(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let used = self.used.saturating_add(size);
        let is_too_much = self.companions.len() >= MAX_COMPANIONS || used > MAX_COMPANION_BYTES;
        if is_too_much || media_type.len() > MEDIA_TYPE {
            tracing::debug!(%digest, size, "it is not kept beside the component: there is too much");
            return;
        }
        self.used = used;
        let (media_type, digest) = (media_type.clone(), *digest);
        self.companions.push(Companion { digest, size, media_type, role });
        if self.known.insert(digest) {
            self.bytes.push((digest, bytes));
        }
    }

    /// Keeps all of `others`, as far as they fit.
    pub(super) fn append(&mut self, others: Self) {
        let bytes: BTreeMap<Digest, Vec<u8>> = others.bytes.into_iter().collect();
        for Companion { digest, size, media_type, role } in others.companions {
            let descriptor = Descriptor {
                media_type,
                digest,
                size,
                artifact_type: None,
                annotations: BTreeMap::new(),
            };
            self.keep(&descriptor, role, bytes.get(&digest).cloned().unwrap_or_default());
        }
    }

    /// The companions, and their bytes.
    pub(super) fn into_parts(self) -> (Vec<Companion>, Vec<(Digest, Vec<u8>)>) {
        (self.companions, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out() {
        let mut kept = Kept::default();
        let huge = Descriptor { size: MAX_COMPANION_BYTES, ..Descriptor::of("text/plain", b"x") };
        let some = Descriptor::of("text/plain", b"some");
        kept.keep(&some, CompanionRole::Config, b"some".to_vec());
        kept.keep(&huge, CompanionRole::Layer, b"x".to_vec());
        for _ in 0..2 * MAX_COMPANIONS {
            kept.keep(&some, CompanionRole::Layer, b"some".to_vec());
        }
        let (companions, bytes) = kept.into_parts();
        assert_eq!((companions.len(), bytes.len()), (MAX_COMPANIONS, 1));
        assert!(companions.iter().all(|companion| companion.digest == some.digest));
    }
}
