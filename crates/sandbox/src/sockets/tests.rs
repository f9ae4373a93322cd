use std::sync::OnceLock;

use wasmtime_wasi::p2::bindings::sockets::network::IpAddress;
use wassette_policy::Limits;
use wassette_wit_json::Value;

use super::*;
use crate::egress::tests::{Setup, World};
use crate::{Call, CodeKey, CompileLimits, Compiler, Component, Engine, SealedCode};

fn sockets(setup: Setup) -> (Sockets, World) {
    let world = setup.build();
    (Sockets::new(world.authority.clone(), world.effects.clone()), world)
}

fn database() -> Setup {
    Setup::allow(&["{ tcp: \"db.test:5432\", private: true }", "{ udp: \"127.0.0.1:53\" }"])
        .name("db.test", &["10.0.0.5"])
}

async fn all(sockets: &Sockets, name: &str) -> std::result::Result<Vec<IpAddr>, ErrorCode> {
    let mut addresses = sockets.look_up(name)?;
    wasmtime_wasi::p2::Pollable::ready(&mut addresses).await;
    let mut found = Vec::new();
    while let Some(address) = addresses.next()? {
        found.push(address);
    }
    let text = |address| match address {
        IpAddress::Ipv4((a, b, c, d)) => IpAddr::from([a, b, c, d]),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => IpAddr::from([a, b, c, d, e, f, g, h]),
    };
    Ok(found.into_iter().map(text).collect())
}

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

#[tokio::test]
async fn denied_a_socket_and_a_lookup_without_a_rule() {
    let http = Setup::allow(&["{ host: \"api.test\", private: true }"]);
    let (sockets, world) = sockets(http.name("api.test", &["127.0.0.1"]));
    // A few sockets, so that the guest says where it wants to go; they reach nothing.
    for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::Tcp, Protocol::Udp] {
        assert!(sockets.open(protocol).is_ok());
    }
    assert!(matches!(sockets.open(Protocol::Tcp), Err(ErrorCode::AccessDenied)));
    for (address, usage) in [
        ("127.0.0.1:80", SocketAddrUse::TcpConnect),
        ("[::1]:53", SocketAddrUse::UdpSend),
        ("93.184.215.14:443", SocketAddrUse::TcpConnect),
        ("127.0.0.1:53", SocketAddrUse::UdpReceive),
    ] {
        assert!(!sockets.permits(at(address), usage), "{address}");
    }
    for name in ["api.test", "exfiltrated.evil.test"] {
        assert!(matches!(all(&sockets, name).await, Err(ErrorCode::AccessDenied)), "{name}");
    }
    assert_eq!(world.names.asked(), Vec::<String>::new());
    assert_eq!(world.denials().len(), 6, "{}", world.reasons());
}

#[tokio::test]
async fn an_address_is_permitted_by_the_name_that_had_it() {
    let (sockets, world) = sockets(database());
    let (tcp, udp) = (SocketAddrUse::TcpConnect, SocketAddrUse::UdpSend);
    // Not before somebody has asked for the name.
    assert!(!sockets.permits(at("10.0.0.5:5432"), tcp));
    assert_eq!(all(&sockets, "DB.test.").await.unwrap(), [at("10.0.0.5:1").ip()]);
    assert!(sockets.permits(at("10.0.0.5:5432"), tcp));
    assert!(sockets.permits(at("127.0.0.1:53"), udp));
    assert!(sockets.permits(at("127.0.0.1:53"), SocketAddrUse::UdpReceive));
    assert_eq!(world.names.asked(), ["db.test"]);
}

#[tokio::test]
async fn denied_a_socket_to_another_port_address_or_protocol() {
    let (sockets, world) = sockets(database());
    all(&sockets, "db.test").await.unwrap();
    for (address, usage) in [
        ("10.0.0.5:5433", SocketAddrUse::TcpConnect),
        ("10.0.0.6:5432", SocketAddrUse::TcpConnect),
        ("10.0.0.5:5432", SocketAddrUse::UdpSend),
        ("127.0.0.1:53", SocketAddrUse::TcpConnect),
        ("127.0.0.1:54", SocketAddrUse::UdpSend),
        ("[::ffff:10.0.0.7]:5432", SocketAddrUse::TcpConnect),
    ] {
        assert!(!sockets.permits(at(address), usage), "{address} {usage:?}");
    }
    assert_eq!(world.denials().len(), 6, "{}", world.reasons());
}

#[tokio::test]
async fn denied_to_listen() {
    let (sockets, world) = sockets(database());
    for (address, usage) in [
        ("127.0.0.1:0", SocketAddrUse::TcpBind),
        ("0.0.0.0:8080", SocketAddrUse::TcpBind),
        ("0.0.0.0:0", SocketAddrUse::TcpListen),
        ("127.0.0.1:9", SocketAddrUse::TcpAccept),
        ("127.0.0.1:53", SocketAddrUse::UdpBind),
    ] {
        assert!(!sockets.permits(at(address), usage), "{address} {usage:?}");
    }
    assert_eq!(world.denials().len(), 5, "{}", world.reasons());
    assert!(sockets.permits(at("[::]:0"), SocketAddrUse::TcpBind));
    assert!(sockets.permits(at("0.0.0.0:0"), SocketAddrUse::UdpBind));
}

#[tokio::test]
async fn denied_a_socket_to_an_inner_address_of_an_outer_name() {
    let setup = Setup::allow(&["{ tcp: \"db.test:5432\" }"]);
    let (sockets, world) = sockets(setup.name("db.test", &["127.0.0.1", "169.254.169.254"]));
    assert!(matches!(all(&sockets, "db.test").await, Err(ErrorCode::AccessDenied)));
    assert!(!sockets.permits(at("127.0.0.1:5432"), SocketAddrUse::TcpConnect));
    assert_eq!(world.denials().len(), 2, "{}", world.reasons());
}

#[tokio::test]
async fn denied_more_sockets_and_lookups_than_a_call_may_make() {
    let (sockets, world) = sockets(database().limit("requests", 3));
    sockets.open(Protocol::Tcp).unwrap();
    sockets.open(Protocol::Udp).unwrap();
    all(&sockets, "db.test").await.unwrap();
    assert!(matches!(sockets.open(Protocol::Tcp), Err(ErrorCode::NewSocketLimit)));
    assert!(all(&sockets, "db.test").await.is_err());
    assert_eq!(world.names.asked(), ["db.test"]);
    assert_eq!(world.denials().len(), 1);
}

#[tokio::test]
async fn an_address_is_given_as_it_is() {
    let (sockets, world) = sockets(Setup::default());
    assert_eq!(all(&sockets, "[::1]").await.unwrap(), [at("[::1]:1").ip()]);
    assert!(matches!(all(&sockets, "a b").await, Err(ErrorCode::InvalidArgument)));
    assert_eq!(world.reasons(), "");
}

/// What the guest `sockets` answers, which is all text.
async fn call(world: &World, function: &str, arguments: Vec<Value>) -> String {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| Engine::new().unwrap());
    let bytes = std::fs::read(wassette_testkit::built("sockets")).unwrap();
    let limits = Limits::default();
    let compiled =
        Compiler::InProcess.compile(&bytes, &limits, &CompileLimits::default()).await.unwrap();
    let key = CodeKey::new([7; 32]);
    let code = SealedCode::seal(&key, "sockets", &compiled).unwrap();
    let (description, component) = Component::open(engine, &key, "sockets", &code).unwrap();
    let mut functions = description.functions.into_iter();
    let function = functions.find(|known| known.id.name == function).unwrap();
    let outcome = engine.call(Call {
        component: Arc::new(component),
        authority: world.authority.clone(),
        observer: None,
        function: Arc::new(function),
        arguments,
    });
    let outcome = outcome.await;
    format!("{:?} {:?}", outcome.result.unwrap(), outcome.denials)
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

#[tokio::test]
async fn a_guest_speaks_with_whom_a_rule_names_and_with_nobody_else() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let udp = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let udp_port = udp.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut read, mut write) = stream.split();
            let _ = tokio::io::copy(&mut read, &mut write).await;
        }
    });
    tokio::spawn(async move {
        let mut datagram = [0; 64];
        while let Ok((length, from)) = udp.recv_from(&mut datagram).await {
            let _ = udp.send_to(&datagram[..length], from).await;
        }
    });
    let tcp_rule = format!("{{ tcp: \"echo.test:{port}\", private: true }}");
    let udp_rule = format!("{{ udp: \"127.0.0.1:{udp_port}\" }}");
    let setup = Setup::allow(&[&tcp_rule, &udp_rule]);
    let world = setup.name("echo.test", &["127.0.0.1"]).build();
    let (port, udp_port) = (Value::U16(port), Value::U16(udp_port));

    let tcp =
        |host, port: &Value| call(&world, "tcp", vec![text(host), port.clone(), text("hello")]);
    assert!(tcp("echo.test", &port).await.contains("hello"));
    assert!(tcp("127.0.0.1", &port).await.contains("connect: access-denied"));
    assert!(tcp("other.test", &port).await.contains("lookup: access-denied"));
    let datagram = |port: &Value| {
        let arguments = vec![text("127.0.0.1"), port.clone(), text("hello"), Value::Bool(true)];
        call(&world, "udp", arguments)
    };
    assert!(datagram(&udp_port).await.contains("hello"));
    let denied = datagram(&port).await;
    assert!(denied.contains("connect: access-denied") && denied.contains("Udp"), "{denied}");
    let denied = call(&world, "listen", vec![text("0.0.0.0"), Value::U16(0)]).await;
    assert!(denied.contains("listen: access-denied") && denied.contains("Tcp"), "{denied}");
    let nobody = Setup::default().build();
    let denied = call(&nobody, "tcp", vec![text("127.0.0.1"), port, text("")]).await;
    assert!(denied.contains("connect: access-denied") && denied.contains("Tcp"), "{denied}");
    assert_eq!(world.names.asked(), ["echo.test"]);
}
