//! TLS towards servers. The certificate is always verified, against the name that the policy
//! permitted; there is no way to switch that off. No session is resumed, since a ticket would tell a
//! server that two components or two people share this machine.
//!
//! The cryptography is `ring`'s: of the two providers that rustls offers it builds with a C
//! compiler alone, without CMake. It is passed by hand and never installed for the whole
//! process.

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
    #[error("the certificate bundle holds {found}")]
    #[diagnostic(help(
        "it must hold certificates in PEM, each between `-----BEGIN CERTIFICATE-----` and \
         `-----END CERTIFICATE-----`"
    ))]
    Content {
        /// What was found instead of certificates.
        found: &'static str,
    },
}

impl Roots {
    /// The certificates in the PEM file at `path`, and no others.
    pub fn read(path: &Path) -> Result<Self, RootsError> {
        let pem =
            fs::read(path).map_err(|source| RootsError::Read { path: path.to_owned(), source })?;
        Self::from_pem(&pem)
    }

    /// The certificates in `pem`, and no others.
    pub fn from_pem(pem: &[u8]) -> Result<Self, RootsError> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let broken = "something that is no certificate";
            let certificate = certificate.map_err(|_| RootsError::Content { found: broken })?;
            store.add(certificate).map_err(|_| RootsError::Content { found: broken })?;
        }
        if store.is_empty() {
            return Err(RootsError::Content { found: "no certificate" });
        }
        Ok(Self::Only(Bundle(Arc::new(store))))
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

/// Makes TLS connections that all trust the same roots.
pub(crate) struct Tls {
    roots: Roots,
    config: OnceCell<Option<Arc<ClientConfig>>>,
}

impl Tls {
    pub(crate) fn new(roots: Roots) -> Self {
        Self { roots, config: OnceCell::new() }
    }

    /// Speaks TLS over `stream` with whoever can prove to be `host`.
    pub(crate) async fn connect<S>(&self, host: &Host, stream: S) -> Result<TlsStream<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = self.config().await.ok_or(Error::TlsCertificateError)?;
        let stream = TlsConnector::from(config).connect(server_name(host)?, stream).await;
        stream.map_err(|error| refusal(&error))
    }

    async fn config(&self) -> Option<Arc<ClientConfig>> {
        let roots = self.roots.clone();
        let make = async || {
            // The platform's certificates are many files.
            let made = tokio::task::spawn_blocking(move || config(roots.store()?));
            made.await.ok().flatten()
        };
        self.config.get_or_init(make).await.clone()
    }
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

/// What the guest is told: whether it was the certificate, and nothing that only the server knows.
fn refusal(error: &io::Error) -> Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<RustlsError>());
    match inner {
        Some(RustlsError::InvalidCertificate(_) | RustlsError::NoCertificatesPresented) => {
            Error::TlsCertificateError
        }
        Some(RustlsError::AlertReceived(alert)) => {
            Error::TlsAlertReceived { alert_id: Some(u8::from(*alert)), alert_message: None }
        }
        Some(_) => Error::TlsProtocolError,
        None => Error::ConnectionTerminated,
    }
}
