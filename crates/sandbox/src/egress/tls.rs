//! TLS towards servers. The certificate is always verified, against the name that the policy
//! permitted; there is no way to switch that off. No session is resumed, since a ticket would tell a
//! server that two components or two people share this machine.
//!
//! The cryptography is `ring`'s: of the two providers that rustls offers it builds with a C
//! compiler alone, without CMake. It is passed by hand and never installed for the whole
//! process.

mod flaw;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use miette::Diagnostic;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, Error as RustlsError, RootCertStore};
use wasmtime_wasi_http::Error;
use wassette_policy::Host;

pub use flaw::CertificateFlaw;

/// The longest file of certificates, in bytes.
const LONGEST: u64 = 4 << 20;

/// Who may vouch for a server's certificate.
#[derive(Debug, Clone, Default)]
pub enum Roots {
    /// Whom the operating system trusts; on Linux `SSL_CERT_FILE` and `SSL_CERT_DIR` say where else
    /// to look. Read when the first request needs it.
    #[default]
    Platform,
    /// Those of a bundle and nobody else.
    Only(Bundle),
}

/// Certificates that an operator trusts.
#[derive(Debug, Clone)]
pub struct Bundle(Arc<RootCertStore>);

/// Why a bundle of certificates cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub enum RootsError {
    /// The file cannot be read.
    #[error("the certificate bundle `{}` cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds no certificate, or something that is none.
    #[error("the certificate bundle{} holds {found}", of(path.as_deref()))]
    #[diagnostic(help(
        "it must hold certificates in PEM, each between `-----BEGIN CERTIFICATE-----` and \
         `-----END CERTIFICATE-----`"
    ))]
    Content {
        /// The file, if it came from one.
        path: Option<PathBuf>,
        /// What was found instead of certificates.
        found: &'static str,
    },
}

impl Roots {
    /// The certificates in the PEM file at `path`, and no others.
    pub fn read(path: &Path) -> Result<Self, RootsError> {
        read(path).map(|store| Self::Only(Bundle(Arc::new(store))))
    }

    /// The certificates in `pem`, and no others.
    pub fn from_pem(pem: &[u8]) -> Result<Self, RootsError> {
        certificates(pem, None).map(|store| Self::Only(Bundle(Arc::new(store))))
    }

    fn store(self) -> Option<Arc<RootCertStore>> {
        if let Self::Only(Bundle(store)) = self {
            return Some(store);
        }
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if store.is_empty() {
            tracing::warn!(
                "this machine has no certificate authorities, so no https request can be sent; \
                 install them, or name a bundle with `[egress] ca_bundle`"
            );
            return None;
        }
        Some(Arc::new(store))
    }
}

fn read(path: &Path) -> Result<RootCertStore, RootsError> {
    let unread = |source| RootsError::Read { path: path.to_owned(), source };
    let mut pem = Vec::new();
    let file = fs::File::open(path).map_err(unread)?;
    file.take(LONGEST).read_to_end(&mut pem).map_err(unread)?;
    certificates(&pem, Some(path))
}

/// The certificates in `pem`, which lies at `path`.
fn certificates(pem: &[u8], path: Option<&Path>) -> Result<RootCertStore, RootsError> {
    let holds = |found| RootsError::Content { path: path.map(Path::to_owned), found };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let broken = "something that is no certificate";
        let certificate = certificate.map_err(|_| holds(broken))?;
        store.add(certificate).map_err(|_| holds(broken))?;
    }
    if store.is_empty() {
        return Err(holds("no certificate"));
    }
    Ok(store)
}

fn of(path: Option<&Path>) -> String {
    path.map(|path| format!(" `{}`", path.display())).unwrap_or_default()
}

/// Who may vouch for one server besides the usual authorities.
#[derive(Default)]
pub(crate) struct Authorities(Option<RootCertStore>);

impl Authorities {
    /// Those in the PEM file at `path`; nobody without one.
    pub(crate) async fn read(path: Option<&Path>) -> Result<Self, RootsError> {
        let Some(path) = path.map(Path::to_owned) else { return Ok(Self::default()) };
        let reading = {
            let path = path.clone();
            tokio::task::spawn_blocking(move || read(&path))
        };
        let read = reading.await.map_err(|error| {
            let source = io::Error::other(error);
            RootsError::Read { path, source }
        })?;
        read.map(|store| Self(Some(store)))
    }
}

/// Why a server was not spoken to.
pub(crate) enum Refused {
    /// It could not prove its name.
    Certificate(CertificateFlaw),
    /// It was something else.
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Makes TLS connections that all trust the same roots.
pub(crate) struct Tls {
    roots: Roots,
    usual: OnceCell<Usual>,
}

/// Who is trusted when nobody else is named, and how one speaks with them.
struct Usual {
    store: Option<Arc<RootCertStore>>,
    config: Option<Arc<ClientConfig>>,
}

impl Tls {
    pub(crate) fn new(roots: Roots) -> Self {
        Self { roots, usual: OnceCell::new() }
    }

    /// Speaks TLS over `stream` with whoever can prove to be `host`, by the usual authorities or by
    /// `further` ones.
    pub(crate) async fn connect<S>(
        &self,
        host: &Host,
        stream: S,
        further: &Authorities,
    ) -> Result<TlsStream<S>, Refused>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = self.config(further).await;
        let config = config.ok_or(Refused::Certificate(CertificateFlaw::Nobody))?;
        let stream = TlsConnector::from(config).connect(server_name(host)?, stream).await;
        stream.map_err(|error| refusal(&error))
    }

    async fn config(&self, further: &Authorities) -> Option<Arc<ClientConfig>> {
        let usual = self.usual.get_or_init(|| usual(self.roots.clone())).await;
        let Authorities(Some(further)) = further else { return usual.config.clone() };
        let mut store = usual.store.as_deref().cloned().unwrap_or_else(RootCertStore::empty);
        store.extend(further.roots.iter().cloned());
        config(Arc::new(store))
    }
}

async fn usual(roots: Roots) -> Usual {
    // The platform's certificates are many files.
    let store = tokio::task::spawn_blocking(move || roots.store()).await.ok().flatten();
    Usual { config: store.clone().and_then(config), store }
}

fn config(roots: Arc<RootCertStore>) -> Option<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Some(Arc::new(config))
}

fn server_name(host: &Host) -> Result<ServerName<'static>, Error> {
    match host {
        Host::Name(name) => {
            ServerName::try_from(name.to_string()).map_err(|_| Error::TlsCertificateError)
        }
        Host::Address(address) => Ok(ServerName::from(*address)),
    }
}

/// Why the handshake failed. A guest is told no more of it than whether it was the certificate.
fn refusal(error: &io::Error) -> Refused {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<RustlsError>());
    Refused::Failed(match inner {
        Some(RustlsError::InvalidCertificate(error)) => return Refused::Certificate(error.into()),
        Some(RustlsError::NoCertificatesPresented) => {
            return Refused::Certificate(CertificateFlaw::Unfit);
        }
        Some(RustlsError::AlertReceived(alert)) => {
            Error::TlsAlertReceived { alert_id: Some(u8::from(*alert)), alert_message: None }
        }
        Some(_) => Error::TlsProtocolError,
        None => Error::ConnectionTerminated,
    })
}
