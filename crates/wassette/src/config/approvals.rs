//! `approvals`, `locked`, `approvals_at_need` and `[load]`: who decides on what clients ask for, and
//! how servers are asked for components.

use std::time::Duration;

use miette::Diagnostic;
use wassette_policy::Span;
use wassette_toolbox::{Approvals, LoadAllow};

use super::{Entry, LoadConfig, Refusal, unknown_key};

const KEYS: [&str; 5] = ["allow", "time", "idle", "attempts", "plain_http"];

impl Entry<'_> {
    pub(super) fn approvals(&self) -> Result<Approvals, Refusal> {
        let text = self.text()?;
        text.parse().map_err(|_| self.wrong(text, "write `\"ask\"`, `\"allow\"` or `\"deny\"`"))
    }

    /// All keys of the table `load`.
    pub(super) fn load(&self) -> Result<(LoadAllow, LoadConfig), Refusal> {
        let (mut allow, mut load) = (LoadAllow::default(), LoadConfig::default());
        for (name, value) in self.table()? {
            let key = format!("{}.{}", self.key, name.get_ref());
            let entry = Entry { key: &key, value };
            match &**name.get_ref() {
                "allow" => allow = entry.load_allow()?,
                "time" => load.fetch.time = entry.span()?,
                "idle" => load.fetch.idle = entry.span()?,
                "attempts" => load.attempts = Some(entry.attempts()?),
                "plain_http" => load.plain_http = entry.boolean()?,
                unknown => return Err(unknown_key(&key, unknown, name.span(), &KEYS)),
            }
        }
        Ok((allow, load))
    }

    fn span(&self) -> Result<Duration, Refusal> {
        let text = self.text()?;
        let span = text.parse::<Span>().map(Span::duration);
        span.map_err(|_| self.wrong(text, "write a length of time, such as `30s` or `5min`"))
    }

    fn attempts(&self) -> Result<u32, Refusal> {
        let value = self.value.get_ref().as_integer();
        let text = value.ok_or_else(|| self.kind("a whole number", self.value))?.to_string();
        let number = text.parse().ok().filter(|attempts| (1..=10).contains(attempts));
        number.ok_or_else(|| self.wrong(&text, "write a whole number from 1 to 10"))
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
