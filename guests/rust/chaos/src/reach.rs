//! Reaching for the network below HTTP. It must never give up before the host has said no.

use std::net::{IpAddr, Ipv4Addr};

use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

/// The addresses of `name`, or the host's error code.
pub fn resolve(name: &str) -> Result<Vec<String>, String> {
    let stream = resolve_addresses(&instance_network(), name).map_err(say)?;
    let ready = stream.subscribe();
    let mut addresses = Vec::new();
    loop {
        match stream.resolve_next_address() {
            Ok(Some(IpAddress::Ipv4((a, b, c, d)))) => addresses.push(IpAddr::from([a, b, c, d]).to_string()),
            Ok(Some(IpAddress::Ipv6((a, b, c, d, e, f, g, h)))) => {
                addresses.push(IpAddr::from([a, b, c, d, e, f, g, h]).to_string());
            }
            Ok(None) => return Ok(addresses),
            Err(ErrorCode::WouldBlock) => ready.block(),
            Err(error) => return Err(say(error)),
        }
    }
}

/// Connects to the IPv4 `address` over TCP, or gives the host's error code.
pub fn connect(address: &str, port: u16) -> Result<(), String> {
    let parsed: Ipv4Addr = address.parse().map_err(|_| format!("`{address}` is no IPv4 address"))?;
    let [a, b, c, d] = parsed.octets();
    let remote = IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (a, b, c, d) });
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).map_err(say)?;
    socket.start_connect(&instance_network(), remote).map_err(say)?;
    loop {
        match socket.finish_connect() {
            Ok(_) => return Ok(()),
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            Err(error) => return Err(say(error)),
        }
    }
}

fn say(error: ErrorCode) -> String {
    error.name().into()
}
