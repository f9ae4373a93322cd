//! Where packages lie: `namespace:name` becomes an image by the configuration of `wkg`, by what is
//! well known, and by what the registry says of itself. Nothing of it is guessed: a package for which
//! nobody named a registry is an error, and so is a registry that keeps packages in another way than
//! as images.
//!
//! The file is another program's, so what is not known in it is passed over. It may hold passwords,
//! which are neither used nor shown.

mod config;
mod error;
mod metadata;

use semver::Version;
use wassette_store::{Image, Package};

use crate::error::shown;
use crate::{Client, RegistryError};
use config::Route;
use metadata::Metadata;

pub use config::PackageConfig;
pub use error::PackageError;

/// Where a registry says how it keeps packages.
const WELL_KNOWN: &str = "/.well-known/wasm-pkg/registry.json";
/// The longest such document, in bytes.
const LONGEST: u64 = 64 << 10;
/// The only way of keeping packages that is known here.
const OCI: &str = "oci";

impl PackageConfig {
    /// The image of `package`. Its tag is the version; if none is asked for, the highest one that
    /// the registry has, where one that is finished counts more than any that is not. `client` asks
    /// the registry how it keeps packages if the configuration does not say so, and for its tags.
    ///
    /// # Errors
    /// [`PackageError`] says which link of the chain is missing: no registry is named, it keeps
    /// packages in another way, it cannot be asked, or it has no version.
    pub async fn image(&self, package: &Package, client: &Client) -> Result<Image, PackageError> {
        let route = self.route(package)?;
        let metadata = match &route.metadata {
            Some(metadata) => metadata.clone(),
            None => well_known(&route.registry, client).await?,
        };
        let kind = route.kind.as_deref().or_else(|| metadata.protocol()).unwrap_or(OCI);
        if kind != OCI {
            let (registry, kind) = (route.registry.clone(), shown(kind, 50));
            return Err(PackageError::Kind { registry, kind });
        }
        let image = repository(package, &route, &metadata)?;
        let version = match package.version() {
            Some(version) => version.to_owned(),
            None => {
                let tags = client.tags(&image).await?;
                let none = || PackageError::NoVersion {
                    package: package.to_string(),
                    image: image.to_string(),
                };
                highest(&tags).ok_or_else(none)?.to_owned()
            }
        };
        image
            .with_tag(&version)
            .map_err(|cause| PackageError::Place { package: package.to_string(), cause })
    }
}

/// What `registry` says of itself; nothing, where it says nothing.
async fn well_known(registry: &str, client: &Client) -> Result<Metadata, PackageError> {
    let url = client.base(registry)?.join(WELL_KNOWN);
    let unfit = |reason: String| PackageError::Metadata { registry: registry.to_owned(), reason };
    let url = url.map_err(|error| unfit(error.to_string()))?;
    match client.download(&url, LONGEST, &|_, _| ()).await {
        Ok(document) => Metadata::parse(&document.bytes).map_err(unfit),
        // What nobody may see is not there for us either.
        Err(RegistryError::NotGiven { status: 401 | 403 | 404 | 410, .. }) => {
            Ok(Metadata::default())
        }
        Err(error) => Err(error.into()),
    }
}

/// The repository of `package`, as an image without a tag.
fn repository(
    package: &Package,
    route: &Route,
    metadata: &Metadata,
) -> Result<Image, PackageError> {
    let registry = metadata.registry().unwrap_or(&route.registry);
    let prefix = metadata.prefix();
    let (namespace, name) = (package.namespace(), package.name());
    // One that is not a host alone would be read as a host and a part of the repository.
    let unfit = |reason: &str| PackageError::Metadata {
        registry: route.registry.clone(),
        reason: reason.to_owned(),
    };
    if registry.contains('/') {
        return Err(unfit("the registry that it names is no `host` or `host:port`"));
    }
    let image = Image::parse(&format!("{registry}/{prefix}{namespace}/{name}"));
    image.map_err(|cause| PackageError::Place { package: package.to_string(), cause })
}

/// The tag with the highest version: finished ones first, then by SemVer.
fn highest(tags: &[String]) -> Option<&str> {
    let versions = tags.iter().filter_map(|tag| Some((Version::parse(tag).ok()?, tag)));
    let best = versions.max_by_key(|(version, _)| (version.pre.is_empty(), version.clone()));
    best.map(|(_, tag)| tag.as_str())
}

#[cfg(test)]
mod tests;
