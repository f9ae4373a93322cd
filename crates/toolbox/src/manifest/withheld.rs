//! Components that the manifest of this server wants otherwise than they are in the store. They are
//! not served by this server, whatever becomes of them: what a manifest demands and could not be had
//! must not be replaced by what happens to be there.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use wassette_store::ComponentId;

/// Which components are not served, each with the reason.
#[derive(Debug, Default)]
pub(crate) struct Withheld(Mutex<BTreeMap<ComponentId, String>>);

impl Withheld {
    /// From now on these are not served, and all others are. Whether that changes anything.
    pub(super) fn replace(&self, withheld: BTreeMap<ComponentId, String>) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *held, withheld);
        before != *held
    }

    /// Why the component `id` is not served.
    pub(crate) fn reason(&self, id: &ComponentId) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}
