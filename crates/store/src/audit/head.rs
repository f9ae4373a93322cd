//! How far the log has come, in a small file that is written in place after each line: one write
//! of a constant length, which no process can be killed in the middle of.

use std::fs::File;
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};

use super::chain::Tail;
use crate::Digest;

/// How many bytes the file has: the text, spaces, a line feed.
pub(super) const LENGTH: usize = 256;

/// How far the log has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The number of the oldest file that was kept, and so that of the oldest line.
    pub(super) first: u64,
    /// The number of the file in which the last line stands.
    pub(super) file: u64,
    /// How many bytes that file has.
    pub(super) bytes: u64,
    /// The number of the last line.
    pub(super) seq: u64,
    /// The hash of the last line.
    pub(super) hash: Digest,
}

impl Head {
    pub(super) fn tail(self) -> Tail {
        Tail { seq: self.seq, hash: self.hash }
    }

    /// The contents of the file.
    pub(super) fn to_bytes(self) -> [u8; LENGTH] {
        let mut bytes = [b' '; LENGTH];
        if let Some((last, text)) = bytes.split_last_mut() {
            *last = b'\n';
            // Four numbers of twenty digits and a digest fit.
            serde_json::to_writer(text, &self).ok();
        }
        bytes
    }

    /// What the file says, and its bytes; nothing if it says nothing that can be understood.
    pub(super) fn read(file: &File) -> Option<(Self, [u8; LENGTH])> {
        let mut bytes = [0; LENGTH];
        file.read_exact_at(&mut bytes, 0).ok()?;
        Some((serde_json::from_slice(&bytes).ok()?, bytes))
    }
}
