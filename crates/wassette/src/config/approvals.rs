//! `approvals`, `locked`, `approvals_at_need` and `[load]`: who decides on what clients ask for, and
//! how long servers may take.

use std::time::Duration;

use miette::Diagnostic;
use wassette_policy::Span;
use wassette_toolbox::{Approvals, FetchOptions, LoadAllow};

use super::{Entry, Refusal, unknown_key};

const KEYS: [&str; 3] = ["allow", "time", "idle"];

impl Entry<'_> {
    pub(super) fn approvals(&self) -> Result<Approvals, Refusal> {
        let text = self.text()?;
        text.parse().map_err(|_| self.wrong(text, "write `\"ask\"`, `\"allow\"` or `\"deny\"`"))
    }

    /// All keys of the table `load`.
    pub(super) fn load(&self) -> Result<(LoadAllow, FetchOptions), Refusal> {
        let (mut allow, mut fetch) = (LoadAllow::default(), FetchOptions::default());
        for (name, value) in self.table()? {
            let key = format!("{}.{}", self.key, name.get_ref());
            let entry = Entry { key: &key, value };
            match &**name.get_ref() {
                "allow" => allow = entry.load_allow()?,
                "time" => fetch.time = entry.span()?,
                "idle" => fetch.idle = entry.span()?,
                unknown => return Err(unknown_key(&key, unknown, name.span(), &KEYS)),
            }
        }
        Ok((allow, fetch))
    }

    fn span(&self) -> Result<Duration, Refusal> {
        let text = self.text()?;
        let span = text.parse::<Span>().map(Span::duration);
        span.map_err(|_| self.wrong(text, "write a length of time, such as `30s` or `5min`"))
    }

    fn load_allow(&self) -> Result<LoadAllow, Refusal> {
        let patterns = self.texts()?;
        LoadAllow::read(&patterns).map_err(|error| {
            let items = self.value.get_ref().as_array().into_iter().flat_map(|list| list.iter());
            let mut written = items.zip(&patterns);
            let wrong = written.find(|(_, text)| LoadAllow::read(&[text]).is_err());
            let (place, text) = wrong.map_or((self.value, ""), |(item, text)| (item, text));
            let help = error.help().map(|help| help.to_string()).unwrap_or_default();
            self.value_at(place, text, &format!("{error}: {help}"))
        })
    }
}
