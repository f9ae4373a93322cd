//! The client: who asks registries, by which way and within what. What may be asked stands in
//! `pull`, `referrers`, `listing`, `download` and `push`.

use std::sync::Arc;

use url::Url;
use wassette_store::Image;

use crate::course::{Course, Servers};
use crate::endpoint::Endpoint;
use crate::exchange::Tokens;
use crate::{Credentials, Reach, RegistryError, Settings, Transport};

/// Asks registries, within its [`Settings`]. Cheap to clone; the clones share their tokens.
///
/// Each of its operations takes at most [`Settings::time`], retries and waits among it, and can be
/// dropped at any moment.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    pub(crate) reach: Reach,
    in_clear: bool,
}

pub(crate) struct Inner {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) credentials: Arc<dyn Credentials>,
    pub(crate) settings: Settings,
    pub(crate) tokens: Tokens,
}

impl Client {
    /// A client which sends by `transport` and proves who asks by `credentials`.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        credentials: Arc<dyn Credentials>,
        settings: Settings,
    ) -> Self {
        let inner = Inner { transport, credentials, settings, tokens: Tokens::default() };
        Self { inner: Arc::new(inner), reach: Reach::Anywhere, in_clear: false }
    }

    /// The same client, where registries, mirrors, token services and redirects may have the
    /// addresses of `reach` only. At first they may have any.
    #[must_use]
    pub fn reaching(&self, reach: Reach) -> Self {
        Self { reach, ..self.clone() }
    }

    /// The same client, which speaks `http` to registries. Those that are not on this machine it
    /// refuses to speak to at all.
    #[must_use]
    pub fn in_clear(&self) -> Self {
        Self { in_clear: true, ..self.clone() }
    }

    pub(crate) fn course(&self, what: &str) -> Course {
        Course::new(&self.inner.settings, what)
    }

    /// Where to pull `image` from.
    pub(crate) fn servers(&self, image: &Image) -> Result<Servers, RegistryError> {
        let mirrors = Endpoint::mirrors(image, &self.inner.settings)?;
        Ok(Servers::new(mirrors, self.registry(image)?))
    }

    /// Where to push `image` to.
    pub(crate) fn registry(&self, image: &Image) -> Result<Endpoint, RegistryError> {
        self.endpoint(image.registry(), image.repository())
    }

    pub(crate) fn endpoint(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Endpoint, RegistryError> {
        Endpoint::new(registry, repository, &self.inner.settings, self.in_clear)
    }

    /// The origin of `registry`, for what lies beside its API.
    pub(crate) fn base(&self, registry: &str) -> Result<Url, RegistryError> {
        self.endpoint(registry, "").map(|endpoint| endpoint.base)
    }
}
