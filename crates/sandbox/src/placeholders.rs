//! What a guest is given in place of a secret: a text that means nothing and that nobody can guess,
//! made for one call. Only the way out knows what it stands for.

use std::collections::BTreeMap;

/// The placeholders of one call, by the names of their secrets; none for a secret for which there was
/// no randomness.
#[derive(Clone, Default)]
pub(crate) struct Placeholders(BTreeMap<String, Option<String>>);

impl Placeholders {
    /// One for each of `secrets`. Without randomness there is none, and the guest sees nothing.
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let random = || {
            let mut random = [0; 16];
            getrandom::fill(&mut random).ok()?;
            Some(u128::from_ne_bytes(random))
        };
        let placeholder = |random| format!("wassette-placeholder-{random:032x}");
        Self(secrets.into_iter().map(|secret| (secret, random().map(placeholder))).collect())
    }

    /// Whether `secret` is kept from the guest.
    pub(crate) fn keeps(&self, secret: &str) -> bool {
        self.0.contains_key(secret)
    }

    /// What stands for `secret`.
    pub(crate) fn of(&self, secret: &str) -> Option<&str> {
        self.0.get(secret)?.as_deref()
    }
}

#[cfg(test)]
impl Placeholders {
    /// As they are where there is no randomness.
    pub(crate) fn without_randomness(secrets: &[&str]) -> Self {
        Self(secrets.iter().map(|secret| ((*secret).to_owned(), None)).collect())
    }
}
