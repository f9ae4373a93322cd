//! The way out of this machine, as the operator has set it: who resolves names, whom to trust,
//! which proxy to go through, how long to wait. All components share it, and it holds nothing of any
//! of them: no connection, no session, no answer of the resolver.

use std::sync::Arc;
use std::time::Duration;

use wasmtime_wasi_http::RequestOptions;
use wassette_policy::Name;

use super::proxy::{Proxy, Resolve, Upstream};
use super::resolver::{Resolver, SystemResolver};
use super::tls::{Roots, Tls};

/// How an operator lets requests out.
pub struct NetworkSettings {
    /// Who answers which addresses a name has.
    pub resolver: Arc<dyn Resolver>,
    /// Who may vouch for a server's certificate.
    pub roots: Roots,
    /// The proxy through which HTTP and HTTPS leave, if there is one.
    pub proxy: Option<Proxy>,
    /// Who resolves the names that components may reach through the proxy.
    pub resolve: Resolve,
    /// Who resolves those that the operator asks for.
    pub resolve_for_operator: Resolve,
    /// The longest waits that a guest may ask for, and what it gets if it asks for none.
    pub waits: Waits,
}

impl Default for NetworkSettings {
    /// The system's resolver, the platform's roots, no proxy; if there is one, what the operator asks for
    /// is asked of it by name.
    fn default() -> Self {
        Self {
            resolver: Arc::new(SystemResolver::default()),
            roots: Roots::Platform,
            proxy: None,
            resolve: Resolve::Here,
            resolve_for_operator: Resolve::Proxy,
            waits: Waits::default(),
        }
    }
}

/// How long an exchange waits. The call's own limit on time holds besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// For a connection: the lookup, the proxy and the TLS handshake included.
    pub connect: Duration,
    /// From the first byte of the request to the head of the answer.
    pub first_byte: Duration,
    /// For the next piece of the answer's body.
    pub between_bytes: Duration,
}

impl Default for Waits {
    /// 10 seconds to connect, 30 between bytes, and 10 minutes for the first byte: mostly the call
    /// has ended before.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(600),
            between_bytes: Duration::from_secs(30),
        }
    }
}

impl Waits {
    /// What a guest gets that asks for `options`: never more than this.
    pub(crate) fn clamp(self, options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        let least =
            |asked: Option<Duration>, most: Duration| asked.map_or(most, |asked| most.min(asked));
        Self {
            connect: least(options.connect_timeout, self.connect),
            first_byte: least(options.first_byte_timeout, self.first_byte),
            between_bytes: least(options.between_bytes_timeout, self.between_bytes),
        }
    }
}

/// The way out of this machine. What of a guest's may take it, a policy says.
pub struct Network {
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) tls: Tls,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) resolve: Resolve,
    pub(crate) resolve_for_operator: Resolve,
    pub(crate) waits: Waits,
}

impl Network {
    /// The way out that `settings` describe. Nothing is read or dialled yet.
    pub fn new(settings: NetworkSettings) -> Self {
        let NetworkSettings { resolver, roots, proxy, resolve, resolve_for_operator, waits } =
            settings;
        Self { resolver, tls: Tls::new(roots), proxy, resolve, resolve_for_operator, waits }
    }

    /// The proxy that is to resolve `name`, if one is to be used for it.
    pub(crate) fn names_proxy(&self, https: bool, name: &Name, port: u16) -> Option<&Upstream> {
        self.proxy.as_ref()?.upstream_by_name(https, name, port)
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new(NetworkSettings::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denied_a_wait_beyond_the_operators() {
        let asked = RequestOptions {
            connect_timeout: Some(Duration::MAX),
            first_byte_timeout: Some(Duration::from_nanos(u64::MAX)),
            between_bytes_timeout: Some(Duration::from_millis(5)),
        };
        let most = Waits::default();
        let between_bytes = Duration::from_millis(5);
        assert_eq!(most.clamp(Some(asked)), Waits { between_bytes, ..most });
        assert_eq!(most.clamp(None), most);
    }
}
