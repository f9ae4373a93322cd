//! `[secrets]`: where the values of secrets are kept.

use super::{Entry, Refusal, SecretStore, unknown_key};

const KEYS: [&str; 1] = ["store"];

impl Entry<'_> {
    /// All keys of the table.
    pub(super) fn secrets(&self) -> Result<SecretStore, Refusal> {
        let mut store = SecretStore::default();
        for (name, value) in self.table()? {
            let key = format!("{}.{}", self.key, name.get_ref());
            let entry = Entry { key: &key, value };
            match &**name.get_ref() {
                "store" => store = entry.secret_store()?,
                unknown => return Err(unknown_key(&key, unknown, name.span(), &KEYS)),
            }
        }
        Ok(store)
    }

    fn secret_store(&self) -> Result<SecretStore, Refusal> {
        match self.text()? {
            "file" => Ok(SecretStore::File),
            "keyring" => Ok(SecretStore::Keyring),
            other => Err(self.wrong(other, "write `\"file\"` or `\"keyring\"`")),
        }
    }
}
