//! `[audit]`: what is written down of what components do, and how much of it is kept.

use wassette_policy::Bytes;
use wassette_toolbox::{AuditLevel, AuditOptions};

use super::{Entry, Refusal, unknown_key};

const KEYS: [&str; 3] = ["level", "file_bytes", "files"];

/// A smaller file would be full after a few lines, and a larger one takes long to read.
const FILE_BYTES: std::ops::RangeInclusive<u64> = (64 << 10)..=(1 << 30);

impl Entry<'_> {
    /// All keys of the table.
    pub(super) fn audit(&self) -> Result<AuditOptions, Refusal> {
        let mut audit = AuditOptions::default();
        for (name, value) in self.table()? {
            let key = format!("{}.{}", self.key, name.get_ref());
            let entry = Entry { key: &key, value };
            match &**name.get_ref() {
                "level" => audit.level = entry.level()?,
                "file_bytes" => audit.file_bytes = entry.file_bytes()?,
                "files" => audit.files = entry.files()?,
                unknown => return Err(unknown_key(&key, unknown, name.span(), &KEYS)),
            }
        }
        Ok(audit)
    }

    fn level(&self) -> Result<AuditLevel, Refusal> {
        let text = self.text()?;
        text.parse().map_err(|_| self.wrong(text, "write `\"off\"`, `\"denials\"` or `\"all\"`"))
    }

    fn file_bytes(&self) -> Result<u64, Refusal> {
        let text = self.text()?;
        let bytes = text.parse().ok().map(Bytes::count).filter(|count| FILE_BYTES.contains(count));
        bytes.ok_or_else(|| self.wrong(text, "write an amount from `\"64Ki\"` to `\"1Gi\"`"))
    }

    fn files(&self) -> Result<u32, Refusal> {
        let value = self.value.get_ref().as_integer();
        let text = value.ok_or_else(|| self.kind("a whole number", self.value))?.to_string();
        let number = text.parse().ok().filter(|files| (2..=1000).contains(files));
        number.ok_or_else(|| self.wrong(&text, "write a whole number from 2 to 1000"))
    }
}
