//! `[registries."HOST"]` and `[search]`: how registries are reached, and where components are looked
//! for. A password never stands in the file: it names the variable that holds it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use wassette_store::Image;
use wassette_toolbox::{Login, RegistrySettings, Settings};

use super::{Entry, Fault, Refusal, unknown_key};

const KEYS: [&str; 5] = ["ca_file", "insecure", "mirrors", "username", "password_env"];
const SEARCH_KEYS: [&str; 1] = ["catalogues"];

/// What the file says about one registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RegistryConfig {
    /// A file with the certificates that are trusted there beside the usual ones; relative to the
    /// file's folder.
    pub(crate) ca_file: Option<PathBuf>,
    /// Whether it is spoken to without TLS. For this machine only.
    pub(crate) insecure: bool,
    /// `host[/prefix]` of what is asked before it.
    pub(crate) mirrors: Vec<String>,
    /// Who to log in as, if not as other programs' files of credentials say.
    pub(crate) login: Option<LoginConfig>,
}

impl RegistryConfig {
    /// The same for the client, with the login that was found, or the variable which should have its
    /// password.
    pub(crate) fn settings(&self, login: Option<Login>, unset: Option<String>) -> RegistrySettings {
        RegistrySettings {
            ca_file: self.ca_file.clone(),
            insecure: self.insecure,
            mirrors: self.mirrors.clone(),
            login,
            unset,
        }
    }
}

/// Who to log in as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoginConfig {
    pub(crate) username: String,
    /// The variable that holds the password.
    pub(crate) password_env: String,
}

impl Entry<'_> {
    /// All tables below `registries`.
    pub(super) fn registries(
        &self,
        folder: &Path,
    ) -> Result<BTreeMap<String, RegistryConfig>, Refusal> {
        let mut registries = BTreeMap::new();
        for (host, value) in self.table()? {
            let name = registry(host.get_ref()).ok_or_else(|| Refusal {
                fault: Box::new(Fault::Value {
                    key: self.key.to_owned(),
                    found: host.get_ref().to_string(),
                }),
                place: host.span(),
                help: "write a registry's host, with its port if it has one of its own, such as \
                       `[registries.\"registry.example.com:5000\"]`"
                    .into(),
            })?;
            if registries.contains_key(&name) {
                return Err(Refusal {
                    fault: Box::new(Fault::Unfit(format!(
                        "the registry `{name}` stands here twice"
                    ))),
                    place: host.span(),
                    help: "take one of the two out: upper and lower case are the same in a host"
                        .into(),
                });
            }
            let key = format!("registries.\"{name}\"");
            let entry = Entry { key: &key, value };
            let registry = entry.registry(folder)?;
            entry.check(&name, &registry)?;
            registries.insert(name, registry);
        }
        Ok(registries)
    }

    fn registry(&self, folder: &Path) -> Result<RegistryConfig, Refusal> {
        let mut registry = RegistryConfig::default();
        let (mut username, mut password_env) = (None, None);
        for (name, value) in self.table()? {
            let key = format!("{}.{}", self.key, name.get_ref());
            let entry = Entry { key: &key, value };
            match &**name.get_ref() {
                "ca_file" => registry.ca_file = Some(entry.path(folder)?),
                "insecure" => registry.insecure = entry.boolean()?,
                "mirrors" => registry.mirrors = entry.texts()?,
                "username" => username = Some(entry.word()?),
                "password_env" => password_env = Some(entry.word()?),
                unknown => return Err(unknown_key(&key, unknown, name.span(), &KEYS)),
            }
        }
        registry.login = match (username, password_env) {
            (None, None) => None,
            (Some(username), Some(password_env)) => Some(LoginConfig { username, password_env }),
            _ => {
                return Err(self.unfit(
                    "a login is a name and a password",
                    "write both `username` and `password_env`, the name of the variable that holds \
                     the password",
                ));
            }
        };
        Ok(registry)
    }

    /// Refuses what could not be obeyed, such as a registry elsewhere without TLS.
    fn check(&self, name: &str, registry: &RegistryConfig) -> Result<(), Refusal> {
        let registries = BTreeMap::from([(name.to_owned(), registry.settings(None, None))]);
        let settings = Settings { registries, ..Settings::default() };
        settings.check().map_err(|error| {
            let help = error.help().map(|help| help.to_string()).unwrap_or_default();
            self.unfit(&error.to_string(), &help)
        })
    }

    /// A text with something in it.
    pub(super) fn word(&self) -> Result<String, Refusal> {
        let text = self.text()?;
        if text.trim().is_empty() || text.contains('\0') {
            return Err(self.wrong(text, "leave the key out, or write what it should be"));
        }
        Ok(text.to_owned())
    }

    /// All keys of the table `search`.
    pub(super) fn search(&self) -> Result<Vec<String>, Refusal> {
        let mut catalogues = Vec::new();
        for (name, value) in self.table()? {
            let key = format!("{}.{}", self.key, name.get_ref());
            let entry = Entry { key: &key, value };
            match &**name.get_ref() {
                "catalogues" => catalogues = entry.texts()?,
                unknown => return Err(unknown_key(&key, unknown, name.span(), &SEARCH_KEYS)),
            }
        }
        Ok(catalogues)
    }
}

/// `text` as references write it, if it is `host[:port]`.
fn registry(text: &str) -> Option<String> {
    place(text).filter(|place| !place.contains('/'))
}

/// `text` as references write it, if it is `host[:port]` and perhaps the beginning of the names of
/// repositories there, in whole parts.
pub(super) fn place(text: &str) -> Option<String> {
    // In two parts, for the registry of Docker has no repositories of one.
    let image = Image::parse(&format!("{text}/x/x")).ok()?;
    let place = match image.repository().strip_suffix("/x/x") {
        None => image.registry().to_owned(),
        Some(before) => format!("{}/{before}", image.registry()),
    };
    // Else it was read as something other than it looks like: a scheme, a tag.
    place.eq_ignore_ascii_case(text).then_some(place)
}
