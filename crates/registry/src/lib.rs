//! Registries of components: what lies there, pulled and pushed within bounds.
//!
//! The protocol is the OCI distribution specification 1.1. This crate opens no connection and knows
//! no TLS: every request goes through the [`Transport`] that it is given. What a registry says is
//! never trusted further than its digest; it must never decide where a credential goes, how much is
//! read or how long that takes.

mod archive;
mod catalogue;
mod challenge;
mod client;
mod course;
mod credentials;
mod descriptor;
mod download;
mod endpoint;
mod error;
mod exchange;
mod listing;
mod manifest;
mod packages;
mod publication;
mod pull;
mod push;
mod referrers;
mod retry;
#[cfg(test)]
mod script;
mod settings;
mod token;
mod transport;

pub use archive::{ArchiveError, Layout, Named, read_layout, signature_tag, write_layout};
pub use catalogue::{
    CATALOGUE, Catalogue, CatalogueError, CatalogueSource, LONGEST_CATALOGUE, Listed, Query,
};
pub use client::Client;
pub use credentials::DockerConfig;
pub use descriptor::Descriptor;
pub use download::Downloaded;
pub use error::{RegistryError, SettingsError};
pub use manifest::{ACCEPTED_LAYERS, Manifest, RawManifest, Resolved};
pub use packages::{PackageConfig, PackageError};
pub use publication::{
    Publication, PublicationError, Published, bundle_referrer, simple_signatures,
};
pub use settings::{
    Credential, CredentialError, Credentials, Login, NoCredentials, RegistrySettings, Secret,
    Settings,
};
pub use transport::{
    Authorization, Body, BoxFuture, Reach, Request, Response, Transport, TransportError,
};
