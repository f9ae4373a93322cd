//! `[egress]`: how the requests that policies permit leave this machine.

use std::path::Path;

use wassette_toolbox::{EgressOptions, ProxyOption, Resolve};

use super::{Entry, Refusal, unknown_key};

const KEYS: [&str; 3] = ["proxy", "resolve", "ca_bundle"];

impl Entry<'_> {
    /// All keys of the table.
    pub(super) fn egress(&self, folder: &Path) -> Result<EgressOptions, Refusal> {
        let mut egress = EgressOptions::default();
        for (name, value) in self.table()? {
            let key = format!("{}.{}", self.key, name.get_ref());
            let entry = Entry { key: &key, value };
            match &**name.get_ref() {
                "proxy" => egress.proxy = Some(entry.proxy()?),
                "resolve" => egress.resolve = entry.resolve()?,
                "ca_bundle" => egress.ca_bundle = Some(entry.path(folder)?),
                unknown => return Err(unknown_key(&key, unknown, name.span(), &KEYS)),
            }
        }
        Ok(egress)
    }

    fn resolve(&self) -> Result<Resolve, Refusal> {
        match self.text()? {
            "here" => Ok(Resolve::Here),
            "proxy" => Ok(Resolve::Proxy),
            other => Err(self.wrong(other, "write `\"here\"` or `\"proxy\"`")),
        }
    }

    fn proxy(&self) -> Result<ProxyOption, Refusal> {
        match self.text()? {
            "environment" => Ok(ProxyOption::Environment),
            url if url.strip_prefix("http://").is_some_and(|rest| !rest.is_empty()) => {
                Ok(ProxyOption::Url(url.to_owned()))
            }
            // The URL of a proxy may hold a password: its scheme alone is shown.
            other => {
                let scheme = other.split_once("://").map_or("…", |(scheme, _)| scheme);
                let help = "write `\"http://host:port\"`, or `\"environment\"` to go by \
                            `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`";
                Err(self.wrong(&format!("{scheme}://…"), help))
            }
        }
    }
}
