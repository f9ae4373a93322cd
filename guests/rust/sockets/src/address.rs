//! Addresses as text and as wasi:sockets has them, and the lookup of names. It must never know a name by itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};

/// What was asked of the host, and what it said.
pub fn refused(call: &str) -> impl Fn(ErrorCode) -> String {
    move |code| format!("{call}: {}", code.name())
}

/// All addresses of `name`.
pub fn resolve(name: &str) -> Result<Vec<IpAddr>, String> {
    let stream = resolve_addresses(&instance_network(), name).map_err(refused("lookup"))?;
    let ready = stream.subscribe();
    let mut addresses = Vec::new();
    loop {
        match stream.resolve_next_address() {
            Ok(Some(IpAddress::Ipv4((a, b, c, d)))) => addresses.push(IpAddr::from([a, b, c, d])),
            Ok(Some(IpAddress::Ipv6((a, b, c, d, e, f, g, h)))) => {
                addresses.push(IpAddr::from([a, b, c, d, e, f, g, h]))
            }
            Ok(None) => return Ok(addresses),
            Err(ErrorCode::WouldBlock) => ready.block(),
            Err(error) => return Err(refused("lookup")(error)),
        }
    }
}

/// `host` as an address, or the first that it is looked up to be.
pub fn first(host: &str) -> Result<IpAddr, String> {
    match host.parse() {
        Ok(address) => Ok(address),
        Err(_) => resolve(host)?.first().copied().ok_or_else(|| format!("`{host}` has no address")),
    }
}

/// Where a socket that talks with `address` is bound to, if it does not care.
pub fn any(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

pub fn family(address: IpAddr) -> IpAddressFamily {
    if address.is_ipv4() { IpAddressFamily::Ipv4 } else { IpAddressFamily::Ipv6 }
}

pub fn socket_address(address: IpAddr, port: u16) -> IpSocketAddress {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (a, b, c, d) })
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h] = address.segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port,
                flow_info: 0,
                scope_id: 0,
                address: (a, b, c, d, e, f, g, h),
            })
        }
    }
}
