//! `[components.ID]`: what the operator says about one component.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use wassette_store::ComponentId;
use wassette_toolbox::Override;

use super::{Entry, Fault, Refusal, unknown_key};

const KEYS: [&str; 4] = ["only", "prefix", "rename", "descriptions"];

impl Entry<'_> {
    /// All tables below `components`.
    pub(super) fn components(&self) -> Result<BTreeMap<String, Override>, Refusal> {
        let mut components = BTreeMap::new();
        for (id, value) in self.table()? {
            if let Err(error) = ComponentId::parse(id.get_ref()) {
                return Err(Refusal {
                    fault: Box::new(Fault::Value {
                        key: self.key.to_owned(),
                        found: id.get_ref().to_string(),
                    }),
                    place: id.span(),
                    help: error.to_string(),
                });
            }
            let key = format!("components.{}", id.get_ref());
            components.insert(id.get_ref().to_string(), Entry { key: &key, value }.component()?);
        }
        Ok(components)
    }

    fn component(&self) -> Result<Override, Refusal> {
        let mut operator = Override::default();
        for (name, value) in self.table()? {
            let key = format!("{}.{}", self.key, name.get_ref());
            let entry = Entry { key: &key, value };
            match &**name.get_ref() {
                "only" => operator.naming.only = entry.texts()?,
                "prefix" => operator.naming.prefix = Some(entry.text()?.to_owned()),
                "rename" => operator.naming.rename = entry.pairs()?.into_iter().collect(),
                "descriptions" => operator.descriptions = entry.pairs()?,
                unknown => return Err(unknown_key(&key, unknown, name.span(), &KEYS)),
            }
        }
        Ok(operator)
    }

    /// A table of texts.
    fn pairs(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let pairs = self.table()?.iter().map(|(name, value)| {
            let key = format!("{}.{}", self.key, name.get_ref());
            let text = Entry { key: &key, value }.text()?.to_owned();
            Ok((name.get_ref().to_string(), text))
        });
        pairs.collect()
    }

    pub(super) fn table(&self) -> Result<&DeTable<'_>, Refusal> {
        let value: &Spanned<DeValue<'_>> = self.value;
        value.get_ref().as_table().ok_or_else(|| self.kind("a table", self.value))
    }
}
