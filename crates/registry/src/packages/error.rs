//! Why nobody knows where a package lies. What stands in the file of `wkg` is not repeated, for it
//! may hold passwords.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;
use wassette_store::ReferenceError;

use crate::RegistryError;

/// Why a package cannot be found.
#[derive(Debug, Error, Diagnostic)]
pub enum PackageError {
    /// The configuration cannot be read.
    #[error("the configuration of `wkg` at `{}` cannot be read: {reason}", path.display())]
    #[diagnostic(
        code(registry::package_config),
        help("make it readable, or name the package by its image: `oci://host/repository:tag`")
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },

    /// The configuration is not as `wkg` has it.
    #[error("the configuration of `wkg` at `{}` is not as it should be{place}", path.display())]
    #[diagnostic(
        code(registry::package_config),
        help("mend it, or name the package by its image: `oci://host/repository:tag`")
    )]
    Content {
        /// The file.
        path: PathBuf,
        /// Where in the file, after a comma; nothing if nobody knows.
        place: String,
    },

    /// Nobody has named a registry for it.
    #[error("no registry is named for the package `{package}`")]
    #[diagnostic(
        code(registry::package_registry),
        help(
            "name one in the configuration of `wkg`, such as `namespace_registries.{namespace} = \
             \"registry.example.com\"`, or name the package by its image: \
             `oci://host/repository:tag`"
        )
    )]
    Unknown {
        /// The package.
        package: String,
        /// Its namespace.
        namespace: String,
    },

    /// A registry's name is none.
    #[error("`{registry}`, which the configuration of `wkg` names for `{package}`, is no registry")]
    #[diagnostic(code(registry::package_registry), help("write `host` or `host:port` there"))]
    Registry {
        /// The package.
        package: String,
        /// What stands there.
        registry: String,
    },

    /// The packages there are no images.
    #[error("`{registry}` keeps packages by `{kind}`, and not as images")]
    #[diagnostic(
        code(registry::package_kind),
        help("only `oci` is known here; a package that lies in a file is loaded by its path")
    )]
    Kind {
        /// The registry.
        registry: String,
        /// How it keeps them.
        kind: String,
    },

    /// What a registry says of itself cannot be used.
    #[error("what `{registry}` says about its packages cannot be used: {reason}")]
    #[diagnostic(
        code(registry::package_metadata),
        help(
            "write its metadata into the configuration of `wkg`, or name the package by its image: \
             `oci://host/repository:tag`"
        )
    )]
    Metadata {
        /// The registry.
        registry: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The package's name and version make no image.
    #[error("the package `{package}` cannot lie in a registry of images")]
    #[diagnostic(code(registry::package_place))]
    Place {
        /// The package.
        package: String,
        /// What is wrong.
        #[source]
        #[diagnostic_source]
        cause: ReferenceError,
    },

    /// There is no version of it.
    #[error("`{image}`, where `{package}` should lie, has no tag that is a version")]
    #[diagnostic(
        code(registry::package_version),
        help("check the name; versions are tags such as `1.2.3`")
    )]
    NoVersion {
        /// The package.
        package: String,
        /// Its repository.
        image: String,
    },

    /// The registry cannot be asked.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Asked(#[from] RegistryError),
}
