//! The servers answer as they are told, and know who came.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto};

use super::*;
use crate::{Manners, TcpServer, UdpServer};

fn connect(server: &WebServer) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap()
}

fn ask(mut stream: impl Read + Write, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = vec![0; 4096];
    let count = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(answer.get(..count).unwrap()).into_owned()
}

#[test]
fn a_request_is_kept_and_answered() {
    let server = WebServer::start(|seen| Answer::text(format!("at {}", seen.target)));
    assert_eq!(server.connections(), 0);
    let request = "POST /a?b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
                   2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
    let answer = ask(connect(&server), request);
    assert!(answer.ends_with("\r\n\r\nat /a?b"), "{answer}");
    assert_eq!(server.connections(), 1);
    let [seen] = &server.seen()[..] else { panic!() };
    assert_eq!((seen.method.as_str(), seen.header("host")), ("POST", Some("x")));
    assert!(seen.holds("hello") && !seen.holds("goodbye"));
}

#[test]
fn a_certificate_is_good_for_who_trusts_its_authority() {
    let certificates = Certificates::new();
    let server =
        WebServer::start_tls(&certificates, &["a.test"], |_| Answer::redirect("http://b.test/"));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificates.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "a.test".try_into().unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let request = "GET / HTTP/1.1\r\n\r\n";
    let answer = ask(StreamOwned::new(client, connect(&server)), request);
    assert!(answer.contains("location: http://b.test/\r\n"), "{answer}");
}

#[test]
fn sockets_echo_or_stay() {
    let server = TcpServer::start(Manners::Echoes);
    let answer = ask(TcpStream::connect(server.address()).unwrap(), "hello");
    assert_eq!((answer.as_str(), server.received()), ("hello", b"hello".to_vec()));
    let quiet = TcpServer::start(Manners::Stays);
    let mut stream = TcpStream::connect(quiet.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    stream.write_all(b"hello").unwrap();
    assert!(stream.read(&mut [0]).is_err());
    assert_eq!(quiet.connections(), 1);

    let server = UdpServer::start();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.send_to(b"hello", (Ipv4Addr::LOCALHOST, server.port())).unwrap();
    let mut answer = [0; 16];
    let (count, _) = socket.recv_from(&mut answer).unwrap();
    assert_eq!(answer.get(..count), Some(&b"hello"[..]));
    assert_eq!(server.received(), [b"hello"]);
}
