//! Where a registry is spoken to. Must never make an `http` URL of another machine.

use std::path::PathBuf;

use url::Url;
use wassette_store::Image;

use crate::{Login, RegistryError, Settings, SettingsError};

/// What references call the registry of Docker.
const DOCKER: &str = "docker.io";
/// Where it is.
const DOCKER_HOST: &str = "registry-1.docker.io";

/// One server that is asked for the content of a repository: the registry, or a mirror of it.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// The registry, as references write it.
    pub(crate) registry: String,
    /// Its origin; the path is `/`.
    pub(crate) base: Url,
    /// The repository there; empty for the registry as a whole.
    pub(crate) repository: String,
    /// The file with certificates of its authorities.
    pub(crate) trust: Option<PathBuf>,
    /// Its login by the settings.
    pub(crate) login: Option<Login>,
    /// The variable that should hold its password and does not.
    pub(crate) unset: Option<String>,
}

impl Endpoint {
    /// That of `registry`, where `repository` is meant.
    pub(crate) fn new(
        registry: &str,
        repository: &str,
        settings: &Settings,
        in_clear: bool,
    ) -> Result<Self, RegistryError> {
        let known = settings.registries.get(registry);
        let in_clear = in_clear || known.is_some_and(|known| known.insecure);
        if in_clear && !is_loopback(registry) {
            return Err(RegistryError::Insecure { place: registry.to_owned() });
        }
        let host = if registry == DOCKER { DOCKER_HOST } else { registry };
        let scheme = if in_clear { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{host}/"));
        let base = base.map_err(|error| RegistryError::Malformed {
            place: registry.to_owned(),
            what: "the name of the registry".to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            registry: registry.to_owned(),
            base,
            repository: repository.to_owned(),
            trust: known.and_then(|known| known.ca_file.clone()),
            login: known.and_then(|known| known.login.clone()),
            unset: known.and_then(|known| known.unset.clone()),
        })
    }

    /// The mirrors of `image`'s registry, in the order of the settings.
    pub(crate) fn mirrors(image: &Image, settings: &Settings) -> Result<Vec<Self>, RegistryError> {
        let Some(known) = settings.registries.get(image.registry()) else { return Ok(Vec::new()) };
        let unfit = |text: &str| RegistryError::Malformed {
            place: image.registry().to_owned(),
            what: "the name of a mirror".to_owned(),
            reason: SettingsError::Mirror {
                registry: image.registry().to_owned(),
                mirror: text.to_owned(),
            }
            .to_string(),
        };
        let of = |text: &String| {
            let (host, prefix) = mirror(text).ok_or_else(|| unfit(text))?;
            let repository = match prefix {
                "" => image.repository().to_owned(),
                prefix => format!("{prefix}/{}", image.repository()),
            };
            Self::new(host, &repository, settings, false)
        };
        known.mirrors.iter().map(of).collect()
    }

    /// The URL of `path` below the repository, or below the API where no repository is meant.
    pub(crate) fn url(&self, path: &str) -> Result<Url, RegistryError> {
        let target = match self.repository.as_str() {
            "" => format!("/v2/{path}"),
            repository => format!("/v2/{repository}/{path}"),
        };
        self.base.join(&target).map_err(|error| RegistryError::Malformed {
            place: self.place(),
            what: "a URL".to_owned(),
            reason: error.to_string(),
        })
    }

    /// How messages call it.
    pub(crate) fn place(&self) -> String {
        self.registry.clone()
    }
}

/// How messages call the server of `url`: its host, with a port that is not the usual one.
pub(crate) fn place_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether `registry`, `host[:port]`, is this machine by its spelling.
pub(crate) fn is_loopback(registry: &str) -> bool {
    match Url::parse(&format!("http://{registry}/")).as_ref().map(Url::host) {
        Ok(Some(url::Host::Domain(name))) => name == "localhost",
        Ok(Some(url::Host::Ipv4(address))) => address.is_loopback(),
        Ok(Some(url::Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

/// The host with its port, and the prefix, of a mirror that is written as it should be.
pub(crate) fn mirror(text: &str) -> Option<(&str, &str)> {
    let (host, prefix) = text.split_once('/').unwrap_or((text, ""));
    let probe = format!("{text}/some/image");
    let image = Image::parse(&probe).ok()?;
    let fits = image.tag().is_none() && image.digest().is_none() && image.registry() == host;
    (fits && !text.contains("://")).then_some((host, prefix))
}
