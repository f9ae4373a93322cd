//! Which addresses a name has. A name is asked for only after the policy has permitted it, and only
//! once for each use: what is dialled is what was checked, never a second answer.

use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// More addresses of one name than these are not looked at.
pub(crate) const MOST: usize = 16;

/// Lookups of the whole process that run at the same time. Each holds a thread until the system's
/// resolver answers, even if nobody waits for it any more.
const LOOKUPS: usize = 32;

/// The addresses of a name, as they will be known.
pub type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Answers which addresses a name has.
pub trait Resolver: Send + Sync {
    /// The addresses of `name`, in the order in which they should be tried. The name is normalised:
    /// lower case, ASCII, without a trailing dot, never an address.
    fn resolve(&self, name: &str) -> Addresses;
}

/// The resolver of the operating system.
pub(crate) struct SystemResolver {
    places: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

impl Resolver for SystemResolver {
    fn resolve(&self, name: &str) -> Addresses {
        let (places, name) = (self.places.clone(), name.to_owned());
        Box::pin(async move {
            let place = places.acquire_owned().await.map_err(io::Error::other)?;
            let lookup = tokio::task::spawn_blocking(move || {
                let _place = place;
                let found = (name.as_str(), 0).to_socket_addrs()?;
                Ok(found.map(|address| address.ip()).take(MOST).collect())
            });
            lookup.await.map_err(io::Error::other)?
        })
    }
}
