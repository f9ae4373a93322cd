//! The decision log: one JSON object a line, each with the hash of the line before it, in files that
//! are never written again but at their end. What was written must never be changed silently, and
//! what goes wrong here must never stop the program: whoever appends is told, and decides.
//!
//! A line begins with `seq`, a number that counts up by one, and `prev`, the SHA-256 of the line
//! before (without its line feed; of nothing for the first). `sha256sum` can therefore check the
//! chain by hand. `head.json` tells how far the log has come, so that a tail that was cut off is
//! missed. The hashes have no key: they show what was changed by accident or by somebody who knows
//! nothing of them. Against somebody with all rights of this user, copy `head.json` elsewhere.
//!
//! A line is handed to the system, and not forced onto the disk: it survives the death of the
//! process, but a power cut may take the last seconds, which [`verify`] then reports as missing.
//!
//! A process that is killed in the middle of a line leaves a part of it. The next one ends that
//! line and goes on after a line of its own with `"recovered": {"torn": <bytes>}`; [`verify`]
//! counts these, and does not take them for changes. A record that could not be written, for the disk
//! was full, is told by the next one that could: `"recovered": {"unwritten": <records>}` with `since`
//! and `cause`. It never had a number, so this hides nothing that was written. Where `head.json` is gone, or the log is
//! shorter than it says, the line that goes on says so too, and [`verify`] reports that forever:
//! nobody can tell what stood there.

mod chain;
mod error;
mod files;
mod head;
mod log;
mod records;
mod resume;
mod verify;

pub use error::AuditError;
pub use log::{AuditLog, AuditSettings};
pub use records::{Filter, Records, records};
pub use verify::{Problem, Unwritten, VerifyReport, verify};

#[cfg(test)]
mod tests;
