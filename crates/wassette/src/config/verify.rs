//! `[verify]`: whose signatures components need, by where they come from.

use std::path::{Path, PathBuf};

use wassette_toolbox::{Identity, Unmatched, VerifyOptions, VerifyRule};

use super::{Entry, Refusal, registries, unknown_key};

const KEYS: [&str; 3] = ["default", "trust_root", "sources"];
const SOURCE_KEYS: [&str; 4] = ["require", "key", "identity", "issuer"];

impl Entry<'_> {
    /// All keys of the table.
    pub(super) fn verify(&self, folder: &Path) -> Result<VerifyOptions, Refusal> {
        let mut verify = VerifyOptions::default();
        for (name, value) in self.table()? {
            let key = format!("{}.{}", self.key, name.get_ref());
            let entry = Entry { key: &key, value };
            match &**name.get_ref() {
                "default" => verify.unmatched = entry.unmatched()?,
                "trust_root" => verify.trust_root = Some(entry.path(folder)?),
                "sources" => verify.rules = entry.sources(folder)?,
                unknown => return Err(unknown_key(&key, unknown, name.span(), &KEYS)),
            }
        }
        Ok(verify)
    }

    fn unmatched(&self) -> Result<Unmatched, Refusal> {
        match self.text()? {
            "allow" => Ok(Unmatched::Allow),
            "warn" => Ok(Unmatched::Warn),
            "require" => Ok(Unmatched::Require),
            other => Err(self.wrong(other, "write `\"warn\"`, `\"allow\"` or `\"require\"`")),
        }
    }

    fn sources(&self, folder: &Path) -> Result<Vec<VerifyRule>, Refusal> {
        let rules = self.table()?.iter().map(|(source, value)| {
            let key = format!("{}.\"{}\"", self.key, source.get_ref());
            Entry { key: &key, value }.rule(source.get_ref(), folder)
        });
        rules.collect()
    }

    fn rule(&self, source: &str, folder: &Path) -> Result<VerifyRule, Refusal> {
        let source = registries::place(source).ok_or_else(|| {
            let help = "write a host, and perhaps the beginning of the names there in whole parts, \
                        such as `registry.example.com/acme`";
            self.wrong(source, help)
        })?;
        let mut rule =
            VerifyRule { source, require: true, keys: Vec::new(), identities: Vec::new() };
        let (mut identity, mut issuer) = (None, None);
        for (name, value) in self.table()? {
            let key = format!("{}.{}", self.key, name.get_ref());
            let entry = Entry { key: &key, value };
            match &**name.get_ref() {
                "require" => rule.require = entry.boolean()?,
                "key" => rule.keys = entry.paths(folder)?,
                "identity" => identity = Some(entry.word()?),
                "issuer" => issuer = Some(entry.word()?),
                unknown => return Err(unknown_key(&key, unknown, name.span(), &SOURCE_KEYS)),
            }
        }
        match (identity, issuer) {
            (None, None) => {}
            (Some(identity), Some(issuer)) => rule.identities.push(Identity { identity, issuer }),
            _ => {
                return Err(self.unfit(
                    "an identity is known by who vouches for it",
                    "write both `identity`, who signs, and `issuer`, who says that it is them",
                ));
            }
        }
        if rule.require && rule.keys.is_empty() && rule.identities.is_empty() {
            return Err(self.unfit(
                "a signature is required and nobody is named who may sign",
                "write whose signature counts: `key = \"FILE\"`, or `identity` and `issuer`",
            ));
        }
        Ok(rule)
    }

    /// One path, or a list of them.
    fn paths(&self, folder: &Path) -> Result<Vec<PathBuf>, Refusal> {
        let Some(list) = self.value.get_ref().as_array() else {
            return Ok(vec![self.path(folder)?]);
        };
        list.iter().map(|value| Entry { key: self.key, value }.path(folder)).collect()
    }
}
