//! `[environment]` and `[workspaces]`: what calls find around them, if their policies let them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use wassette_policy::VariableRule;

use super::{Entry, Fault, Refusal};
use crate::surroundings::is_workspace_name;

impl Entry<'_> {
    /// A text for each variable. A fault never shows one: it may be a secret.
    pub(super) fn environment(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let mut variables = BTreeMap::new();
        for (name, value) in self.table()? {
            let (name, place) = (name.get_ref(), name.span());
            if let Err(error) = VariableRule::check_key(name) {
                return Err(Refusal {
                    fault: Box::new(Fault::Value {
                        key: self.key.to_owned(),
                        found: name.to_string(),
                    }),
                    place,
                    help: error.help().map(|help| help.to_string()).unwrap_or_default(),
                });
            }
            let key = format!("{}.{name}", self.key);
            let entry = Entry { key: &key, value };
            let text = entry.text()?;
            if text.contains('\0') {
                return Err(Refusal {
                    fault: Box::new(Fault::Nul(key.clone())),
                    place: value.span(),
                    help: "leave the NUL out: no variable can hold one".into(),
                });
            }
            variables.insert(name.to_string(), text.to_owned());
        }
        Ok(variables)
    }

    /// A folder for each name. Whether it is there matters when a rule speaks of it.
    pub(super) fn workspaces(&self, folder: &Path) -> Result<BTreeMap<String, PathBuf>, Refusal> {
        let mut workspaces = BTreeMap::new();
        for (name, value) in self.table()? {
            let (name, place) = (name.get_ref(), name.span());
            if !is_workspace_name(name) {
                return Err(Refusal {
                    fault: Box::new(Fault::Value {
                        key: self.key.to_owned(),
                        found: name.to_string(),
                    }),
                    place,
                    help: "a workspace's name is made of letters, digits, `-` and `_`".into(),
                });
            }
            let key = format!("{}.{name}", self.key);
            workspaces.insert(name.to_string(), Entry { key: &key, value }.path(folder)?);
        }
        Ok(workspaces)
    }
}
