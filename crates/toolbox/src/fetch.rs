//! A policy that lies at a URL which the operator wrote. Fetching it changes nothing: whoever sets it
//! shows first what it would change. A URL that a model or a component chose must never come here.

use std::time::Duration;

use wassette_policy::Policy;
use wassette_sandbox::{FetchError, FetchLimits, Reach};

use crate::toolbox::Toolbox;

/// What one policy may take.
const LIMITS: FetchLimits = FetchLimits {
    bytes: Policy::BYTES,
    time: Duration::from_secs(30),
    idle: Duration::from_secs(30),
    reach: Reach::Anywhere,
};

impl Toolbox {
    /// The text that lies at `url`, which may be a policy: `https`, or `http` on this machine. It
    /// leaves by the proxy and trusts the certificates that the operator has set for components.
    ///
    /// # Errors
    /// [`FetchError`] says why there is none: among much else, that it is longer than any policy,
    /// took longer than 30 seconds, or is not UTF-8.
    pub async fn fetch_policy(&self, url: &str) -> Result<String, FetchError> {
        self.shared.terms.network().get(url, LIMITS).await?.into_text()
    }
}
