//! From a reference to bytes: a file of this machine, what a server gives for a URL, or what a
//! registry has. Nothing is written here, and nothing that a server says is believed further than a
//! digest that somebody else gave.

mod archive;
mod evidence;
mod kept;
mod package;
mod pull;
mod transport;
mod verify;
mod web;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit};
use tokio::time::timeout;
use wassette_registry::{Client, Descriptor, SettingsError};
use wassette_sandbox::Network;
use wassette_store::{Artifact, ComponentId, Digest, Image, Origin, Reference};

use crate::code::blocking;
use crate::error::LoadError;
use crate::load::{LoadRequest, LoadStage, Progress};
use crate::options::{Options, VerifyRule};
use crate::toolbox::Toolbox;

pub use archive::ImportError;
use transport::NetworkTransport;
pub use verify::VerifyRuleError;
pub(crate) use verify::{Verifier, image_place};

/// What a reference led to.
pub(crate) struct Found {
    pub(crate) artifact: Artifact,
    /// The id that it gets if nobody chose another.
    pub(crate) id: ComponentId,
    /// Who signed it, if that was verified.
    pub(crate) signer: Option<String>,
    /// Why nobody vouches for it, where the operator wants to be told so.
    pub(crate) unverified: Option<String>,
    /// What else refers to it in its registry, such as a list of what it was made of.
    pub(crate) referrers: Vec<Descriptor>,
    /// The right to load these bytes, if it was needed to get them.
    pub(crate) turn: Option<OwnedMutexGuard<()>>,
    /// Its place among the components that come from servers, until it is stored or dropped.
    _place: Option<OwnedSemaphorePermit>,
}

impl Found {
    /// What nobody can have signed: bytes without the manifest of an image.
    pub(crate) fn unsigned(artifact: Artifact, id: ComponentId) -> Self {
        let (signer, unverified, referrers) = (None, None, Vec::new());
        Self { artifact, id, signer, unverified, referrers, turn: None, _place: None }
    }

    /// Whether this is what somebody called by `digest`: the component's own, or its manifest's.
    fn is(&self, digest: &Digest) -> bool {
        let manifest = self.artifact.origin.as_ref().and_then(|origin| origin.manifest);
        self.artifact.digest == *digest || manifest == Some(*digest)
    }
}

impl Toolbox {
    /// What the reference of `request` leads to, if it is what the request and the operator want.
    pub(crate) async fn find(
        &self,
        request: &LoadRequest,
        progress: Progress<'_>,
    ) -> Result<Found, LoadError> {
        progress(LoadStage::Resolving);
        let reference = Reference::parse_in(&request.reference, &request.base)?;
        let following = self.follow(&reference, request, progress);
        let found = match reference {
            Reference::File(_) => following.await,
            // In all: each of a load's many questions has this bound too, and a server may answer
            // each as late as it can.
            _ => {
                let place = self.shared.loading.clone().acquire_owned().await;
                let _place = Some(place.map_err(|_| LoadError::Stopped)?);
                let time = self.shared.options.fetch.time;
                let late = |_| LoadError::Late { reference: shown(&reference), time };
                let found = timeout(time, following).await.map_err(late).flatten();
                found.map(|found| Found { _place, ..found })
            }
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => return Err(self.stays(error, &reference).await),
        };
        match request.digest {
            Some(wanted) if !found.is(&wanted) => {
                Err(LoadError::Another { reference: request.reference.clone() })
            }
            _ => Ok(found),
        }
    }

    /// What `reference` leads to. Nothing is transferred that could not be stored under its id.
    async fn follow(
        &self,
        reference: &Reference,
        request: &LoadRequest,
        progress: Progress<'_>,
    ) -> Result<Found, LoadError> {
        let own = reference.component_id();
        let id = request.id.as_ref().unwrap_or(&own);
        let is_free = async |source: &str| self.check_source(id, source, request.replace).await;
        match reference {
            Reference::File(path) => {
                let unverified = unsigned(reference, request.verify.as_ref())?;
                Ok(Found { unverified, ..self.read(path.clone(), own).await? })
            }
            Reference::Web(url) => {
                is_free(&reference.identity()).await?;
                self.download(url, reference, request, progress).await
            }
            Reference::Image(image) => {
                is_free(&image.identity()).await?;
                self.pull(image, reference, request, progress).await
            }
            Reference::Package(package) => {
                let image = self.image_of(package, request).await?;
                is_free(&image.identity()).await?;
                self.pull(&image, reference, request, progress).await
            }
        }
    }

    /// The component in the file at `path`.
    pub(crate) async fn read(&self, path: PathBuf, id: ComponentId) -> Result<Found, LoadError> {
        let most = self.shared.options.component_bytes;
        let read = blocking(move || wassette_store::read_file(&path, most)).await??;
        let origin = came_from(read.source.clone());
        // What a file's publisher ships beside it stays where it is.
        Ok(Found::unsigned(with_origin(read, origin), id))
    }

    /// Who asks servers for `request`.
    pub(crate) fn client(&self, request: &LoadRequest) -> Client {
        let client = self.shared.client.reaching(transport::reach(request.reach));
        if request.plain_http { client.in_clear() } else { client }
    }

    /// Who asks the registry of `image` for `request`.
    pub(crate) fn client_for(&self, image: &Image, request: &LoadRequest) -> Client {
        // Only of this machine there can be such a URL.
        let is_here = Reference::parse(&format!("http://{}/", image.registry())).is_ok();
        let client = self.client(request);
        if is_here && self.shared.options.plain_http { client.in_clear() } else { client }
    }

    /// Whether servers of this machine may answer `request` without TLS.
    pub(crate) fn may_be_plain(&self, request: &LoadRequest) -> bool {
        request.plain_http || self.shared.options.plain_http
    }

    /// `error`, and that what came from there before stays where its server cannot be reached.
    async fn stays(&self, error: LoadError, reference: &Reference) -> LoadError {
        if !error.is_out_of_reach() {
            return error;
        }
        let (spelled, identity) = (reference.to_string(), reference.identity());
        let catalog = self.catalog().await;
        let loaded = catalog.components().iter().find(|component| {
            let origin = component.entry().origin.as_ref();
            component.source == identity || origin.is_some_and(|o| o.reference == spelled)
        });
        match loaded {
            Some(loaded) => LoadError::Stays { id: loaded.id.clone(), cause: Box::new(error) },
            None => error,
        }
    }
}

/// The client for registries and servers, by what the operator wants.
pub(crate) fn client(options: &Options, network: Arc<Network>) -> Result<Client, SettingsError> {
    let mut settings = options.registries.settings.clone();
    (settings.time, settings.idle) = (options.fetch.time, options.fetch.idle);
    settings.check()?;
    let transport = NetworkTransport::new(network, settings.idle);
    let logins = options.registries.logins.clone();
    Ok(Client::new(Arc::new(transport), Arc::new(logins), settings))
}

/// Refuses `reference`, whose bytes nobody can have signed, where `rule` demands that somebody has;
/// else what there is to tell.
fn unsigned(reference: &Reference, rule: Option<&VerifyRule>) -> Result<Option<String>, LoadError> {
    match rule {
        None => Ok(None),
        Some(VerifyRule { require: true, .. }) => {
            Err(LoadError::Unsignable { reference: shown(reference) })
        }
        Some(_) => Ok(Some(format!(
            "nobody has signed `{}`: only what lies in a registry can be signed",
            shown(reference)
        ))),
    }
}

/// `reference` without the query of a URL, which may hold what nobody else should see.
fn shown(reference: &Reference) -> String {
    let spelled = reference.to_string();
    match reference {
        Reference::Web(_) => spelled.split('?').next().unwrap_or_default().to_owned(),
        _ => spelled,
    }
}

/// The origin of what came from `reference`, of which no more is known.
fn came_from(reference: String) -> Origin {
    Origin { reference, manifest: None, signer: None, companions: Vec::new() }
}

fn with_origin(mut artifact: Artifact, origin: Origin) -> Artifact {
    artifact.origin = Some(origin);
    artifact
}
