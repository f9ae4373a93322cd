//! Adds secrets to a request that was permitted. The guest never sees one: it holds a placeholder,
//! which becomes the secret only in headers towards a host whose rule adds that very secret.
//!
//! It must never run before the address was permitted, and no value may get into an error, a log or
//! a `Debug`.

use std::collections::BTreeMap;

use http::header::{ACCEPT_ENCODING, HeaderName, TE};
use http::{HeaderMap, HeaderValue};
use wassette_policy::{Denial, Effect, Inject};
use zeroize::Zeroizing;

use super::mask::Masker;
use crate::authority::Values;
use crate::placeholders::Placeholders;

/// The secrets that one request needs, by name.
type Secrets = BTreeMap<String, Zeroizing<String>>;

/// What is added to one request, and from where.
pub(crate) struct Injection<'a> {
    pub(crate) rules: &'a [&'a Inject],
    pub(crate) values: &'a dyn Values,
    pub(crate) placeholders: &'a Placeholders,
    /// Knows from then on what was added.
    pub(crate) masker: &'a Masker,
    pub(crate) component: &'a str,
    /// The request as a denial shows it.
    pub(crate) target: &'a str,
}

impl Injection<'_> {
    /// Adds to `headers` what the rules say, in place of what the guest wrote there, and puts
    /// secrets in the place of their placeholders.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) -> Result<(), Denial> {
        let secrets = self.secrets()?;
        for secret in secrets.values() {
            self.masker.hide(secret);
        }
        self.replace_placeholders(&secrets, headers)?;
        for rule in self.rules {
            let filled = rule.value().fill(|name| secrets.get(name).cloned());
            let filled = filled.map_err(|error| self.missing(&error.name))?;
            let name: HeaderName = rule.header().parse().map_err(|_| self.unfit(rule.header()))?;
            headers.insert(name, self.value(rule.header(), &filled)?);
        }
        if !secrets.is_empty() {
            // In a compressed answer no secret could be found.
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            headers.remove(TE);
        }
        Ok(())
    }

    fn secrets(&self) -> Result<Secrets, Denial> {
        let names = self.rules.iter().flat_map(|rule| rule.value().secrets());
        let read = |name: &str| {
            let value = self.values.secret(name).filter(|value| !value.is_empty());
            Ok((name.to_owned(), value.ok_or_else(|| self.missing(name))?))
        };
        names.map(read).collect()
    }

    fn replace_placeholders(
        &self,
        secrets: &Secrets,
        headers: &mut HeaderMap,
    ) -> Result<(), Denial> {
        for (name, secret) in secrets {
            let Some(placeholder) = self.placeholders.of(name) else { continue };
            for (header, value) in headers.iter_mut() {
                let text = value.to_str().unwrap_or_default();
                if text.contains(placeholder) {
                    let filled = Zeroizing::new(text.replace(placeholder, secret));
                    *value = self.value(header.as_str(), &filled)?;
                }
            }
        }
        Ok(())
    }

    fn value(&self, header: &str, filled: &str) -> Result<HeaderValue, Denial> {
        let mut value = HeaderValue::from_str(filled).map_err(|_| self.unfit(header))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn missing(&self, name: &str) -> Denial {
        let reason = format!(
            "a rule adds the secret `{name}` to the request, and it is not set; \
             `wassette secret set {} {name}` sets it",
            self.component
        );
        Denial::new(Effect::Http, self.target, &reason)
    }

    fn unfit(&self, header: &str) -> Denial {
        let reason = format!("the header `{header}` cannot hold the secret that goes into it");
        Denial::new(Effect::Http, self.target, &reason)
    }
}
