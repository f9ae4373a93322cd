//! What an operator says about a component, over what its author says: which functions become
//! tools, what they are called, how they are described.

use std::collections::BTreeMap;

use wassette_wit_json::{Function, clean, spellings};

use crate::naming::Naming;

/// The longest description that clients show, in bytes.
const DESCRIPTION: usize = 2048;

/// The operator's word on one component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Override {
    /// Used when the component is loaded and whoever loads it does not choose for himself.
    pub naming: Naming,
    /// Functions, in any spelling, with their descriptions. They hold at once.
    pub descriptions: BTreeMap<String, String>,
}

impl Override {
    /// The description that this gives `function`, if it gives one.
    pub(crate) fn description(&self, function: &Function) -> Option<String> {
        let spellings = spellings(&function.id);
        let described = spellings.iter().find_map(|spelling| self.descriptions.get(spelling));
        described.map(|text| clean(text, DESCRIPTION))
    }

    /// The names in the descriptions that mean none of `functions`.
    pub(crate) fn unused<'a>(&'a self, functions: &[Function]) -> Vec<&'a str> {
        let known: Vec<String> = functions.iter().flat_map(|f| spellings(&f.id)).collect();
        let names = self.descriptions.keys().map(String::as_str);
        names.filter(|name| !known.iter().any(|spelling| spelling == name)).collect()
    }
}
