//! The configuration of `wkg`: which registry a package belongs to. It must never be changed here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};
use wassette_store::{Image, Package};

use super::OCI;
use super::error::PackageError;
use super::metadata::Metadata;
use crate::error::shown;

/// The longest file, in bytes.
const LONGEST: u64 = 1 << 20;

/// Which registries the namespaces belong to that everybody knows.
const KNOWN: [(&str, &str); 2] = [("ba", "bytecodealliance.org"), ("wasi", "wasi.dev")];

/// Which registry packages belong to, by the configuration of `wkg`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PackageConfig {
    default_registry: Option<String>,
    namespace_registries: BTreeMap<String, Mapping>,
    package_registry_overrides: BTreeMap<String, Mapping>,
    registry: BTreeMap<String, Settings>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Mapping {
    Registry(String),
    Described { registry: String, metadata: Metadata },
}

/// What stands below `[registry."…"]`; it may hold a password.
#[derive(Clone, Default, Deserialize)]
struct Settings {
    #[serde(alias = "type")]
    default: Option<String>,
    #[serde(flatten)]
    kinds: Table,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Settings(…)")
    }
}

/// Where a package belongs, as far as the configuration says.
pub(super) struct Route {
    pub(super) registry: String,
    /// How the registry keeps packages.
    pub(super) kind: Option<String>,
    /// What the registry would say of itself.
    pub(super) metadata: Option<Metadata>,
}

impl PackageConfig {
    /// Reads the file at `path`. Without one, or if it does not exist, there is only what is well
    /// known.
    ///
    /// # Errors
    /// [`PackageError::Read`] and [`PackageError::Content`].
    pub fn read(path: Option<&Path>) -> Result<Self, PackageError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let unread = |error: io::Error| PackageError::Read {
            path: path.to_owned(),
            reason: error.kind().to_string(),
        };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) => {
                return match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(Self::default()),
                    _ => Err(unread(error)),
                };
            }
        };
        let mut text = String::new();
        file.take(LONGEST + 1).read_to_string(&mut text).map_err(unread)?;
        let unfit = |place| PackageError::Content { path: path.to_owned(), place };
        if u64::try_from(text.len()).is_ok_and(|length| length > LONGEST) {
            return Err(unfit(format!(", being longer than {LONGEST} bytes")));
        }
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map(|before| before.matches('\n').count() + 1);
            unfit(line.map(|line| format!(", from line {line} on")).unwrap_or_default())
        })
    }

    /// Where `package` belongs: by its own entry, its namespace's, the default or what is well known.
    pub(super) fn route(&self, package: &Package) -> Result<Route, PackageError> {
        let own = format!("{}:{}", package.namespace(), package.name());
        let own = self.package_registry_overrides.get(&own);
        let shared = self.namespace_registries.get(package.namespace());
        let known = KNOWN.iter().find(|(namespace, _)| *namespace == package.namespace());
        let written = own.or(shared).map(Mapping::registry);
        let written = written.or(self.default_registry.as_deref());
        let written = written.or(known.map(|(_, registry)| *registry));
        let written = written.ok_or_else(|| PackageError::Unknown {
            package: package.to_string(),
            namespace: package.namespace().to_owned(),
        })?;
        let registry = canonical(written).ok_or_else(|| PackageError::Registry {
            package: package.to_string(),
            registry: shown(written, 200),
        })?;
        // What is said for the namespace holds for a package of it too, in the same registry.
        let shared = shared.filter(|shared| own.is_none() || shared.registry() == written);
        let metadata = own.and_then(Mapping::metadata).or(shared.and_then(Mapping::metadata));
        let kind = self.registry.get(written).and_then(|settings| settings.kind(written));
        Ok(Route { registry, kind, metadata: metadata.cloned() })
    }
}

impl Mapping {
    fn registry(&self) -> &str {
        match self {
            Self::Registry(registry) | Self::Described { registry, .. } => registry,
        }
    }

    fn metadata(&self) -> Option<&Metadata> {
        match self {
            Self::Registry(_) => None,
            Self::Described { metadata, .. } => Some(metadata),
        }
    }
}

impl Settings {
    /// How the registry keeps packages: as is said, or as the only kind that is described.
    fn kind(&self, registry: &str) -> Option<String> {
        let described = |(_, value): &(&String, &Value)| value.is_table();
        let mut kinds = self.kinds.iter().filter(described);
        if self.kinds.get(OCI).and_then(Value::as_table).is_some_and(|table| !table.is_empty()) {
            let registry = shown(registry, 200);
            tracing::warn!(
                "what the configuration of `wkg` says about reaching `{registry}` is not used: \
                 write it under `[registries.\"{registry}\"]` in our own, and its login with \
                 `docker login`"
            );
        }
        self.default.clone().or_else(|| match (kinds.next(), kinds.next()) {
            (Some((only, _)), None) => Some(only.clone()),
            _ => None,
        })
    }
}

/// `registry` as references write it, if it is `host` or `host:port`.
fn canonical(registry: &str) -> Option<String> {
    let image = Image::parse(&format!("{registry}/namespace/name")).ok()?;
    (!registry.contains('/')).then(|| image.registry().to_owned())
}
