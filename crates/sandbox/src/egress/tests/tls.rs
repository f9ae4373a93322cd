//! `https` against servers whose certificates the test makes.

use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

/// Somebody who vouches for servers.
struct Authorities {
    issuer: Issuer<'static, KeyPair>,
    roots: Roots,
}

impl Authorities {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let roots = Roots::from_pem(params.self_signed(&key).unwrap().pem().as_bytes()).unwrap();
        Self { issuer: Issuer::new(params, key), roots }
    }

    /// A server that can prove to be `name` and says whom the client asked for.
    async fn server(&self, name: &str) -> SocketAddr {
        self.server_with(CertificateParams::new(vec![name.to_owned()]).unwrap(), false).await
    }

    /// A server with such a certificate, which it has signed itself if it is `alone`.
    async fn server_with(&self, params: CertificateParams, alone: bool) -> SocketAddr {
        let key = KeyPair::generate().unwrap();
        let signed =
            if alone { params.self_signed(&key) } else { params.signed_by(&key, &self.issuer) };
        let certificate = signed.unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    head_of(&mut stream).await;
                    let asked = stream.get_ref().1.server_name().unwrap_or("nobody").to_owned();
                    let _ = stream.write_all(ok(&asked).as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        address
    }
}

fn setup(roots: Roots, port: u16) -> Setup {
    let rule = format!("{{ host: \"api.test:{port}\", private: true }}");
    let address = format!("{{ host: \"127.0.0.1:{port}\" }}");
    Setup { roots, ..Setup::allow(&[&rule, &address]) }.name("api.test", &["127.0.0.1"])
}

#[tokio::test]
async fn https_is_spoken_with_whoever_has_the_name() {
    let authorities = Authorities::new();
    let port = authorities.server("api.test").await.port();
    let mut world = setup(authorities.roots.clone(), port).build();
    assert_eq!(world.text(&format!("https://api.test:{port}/")).await, "api.test");
    // An address is proven as an address.
    let port = authorities.server("127.0.0.1").await.port();
    let mut world = setup(authorities.roots, port).build();
    assert_eq!(world.text(&format!("https://127.0.0.1:{port}/")).await, "nobody");
}

#[tokio::test]
async fn denied_a_certificate_of_another_name_or_of_nobody_known() {
    let (known, unknown) = (Authorities::new(), Authorities::new());
    let other = known.server("other.test").await.port();
    let own = unknown.server("api.test").await.port();
    for (roots, port) in [(known.roots.clone(), other), (known.roots, own), (unknown.roots, other)]
    {
        let mut world = setup(roots, port).build();
        let denied = world.get(&format!("https://api.test:{port}/")).await;
        assert!(matches!(denied, Err(Error::TlsCertificateError)), "{denied:?}");
    }
}

#[tokio::test]
async fn denied_r15_a_certificate_by_what_is_wrong_with_it() {
    let authorities = Authorities::new();
    let named = |name: &str| CertificateParams::new(vec![name.to_owned()]).unwrap();
    let (mut expired, mut early, mut authority) =
        (named("api.test"), named("api.test"), named("api.test"));
    expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
    early.not_before = rcgen::date_time_ymd(2090, 1, 1);
    early.not_after = rcgen::date_time_ymd(2091, 1, 1);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for (params, alone, flaw) in [
        (named("api.test"), true, CertificateFlaw::Issuer),
        (authority, true, CertificateFlaw::Issuer),
        (named("other.test"), false, CertificateFlaw::Name),
        (expired, false, CertificateFlaw::Expired),
        (early, false, CertificateFlaw::Early),
    ] {
        let port = authorities.server_with(params, alone).await.port();
        let refused = told(&authorities, port, Waits::default()).await;
        let url = format!("https://api.test:{port}/");
        assert_eq!(refused, FetchError::Certificate { url, flaw });
        assert!(!refused.passing());
    }
}

/// What the operator is told who asks for `api.test` at `port`.
async fn told(authorities: &Authorities, port: u16, waits: Waits) -> FetchError {
    let names = Names::default();
    names.add("api.test", &["127.0.0.1"]);
    let roots = authorities.roots.clone();
    let network = Network::new(NetworkSettings {
        resolver: Arc::new(names),
        roots,
        waits,
        ..NetworkSettings::default()
    });
    let limits = FetchLimits {
        bytes: 1000,
        time: Duration::from_secs(20),
        idle: Duration::from_secs(20),
        reach: Reach::Anywhere,
    };
    network.get(&format!("https://api.test:{port}/"), limits).await.unwrap_err()
}

#[tokio::test]
async fn denied_r02_a_handshake_that_stalls() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let waits = Waits { connect: Duration::from_millis(200), ..Waits::default() };
    let stalled = told(&Authorities::new(), port, waits).await;
    assert!(matches!(stalled, FetchError::Stalled { .. }) && stalled.passing(), "{stalled}");
}

#[tokio::test]
async fn denied_a_handshake_that_stalls() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let setup = setup(Authorities::new().roots, port);
    let waits = Waits { connect: Duration::from_millis(200), ..Waits::default() };
    let mut world = Setup { waits, ..setup }.build();
    let stalled = world.get(&format!("https://api.test:{port}/")).await;
    assert!(matches!(stalled, Err(Error::ConnectionTimeout)), "{stalled:?}");
}

#[tokio::test]
async fn denied_https_with_a_server_that_speaks_none() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(ok("plain").as_bytes()).await;
        let _ = stream.read_u8().await;
    });
    let mut world = setup(Authorities::new().roots, port).build();
    let refused = world.get(&format!("https://api.test:{port}/")).await;
    assert!(matches!(refused, Err(Error::TlsProtocolError)), "{refused:?}");
}

#[test]
fn a_bundle_without_certificates_is_refused() {
    for pem in
        ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
    {
        assert!(Roots::from_pem(pem.as_bytes()).is_err(), "{pem}");
    }
    assert!(Roots::read(std::path::Path::new("no/such/file")).is_err());
}
