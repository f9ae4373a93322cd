//! What kind of address an address is. A name may stand for any address at all, so what is dialled is
//! judged by its address and not by its name alone.
//!
//! An address of no known kind counts as reserved, never as public.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kinds of address. All but [`AddressClass::Public`] need a rule that speaks of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// Of the public internet.
    Public,
    /// "This network", `0.0.0.0/8` and `::`; most systems take it for the machine itself.
    Unspecified,
    /// This machine.
    Loopback,
    /// A private network, IPv6 unique-local and site-local ones included.
    Private,
    /// Between a provider and its customers, `100.64.0.0/10`.
    Shared,
    /// On this link only.
    LinkLocal,
    /// Where a cloud hands out credentials to whoever asks.
    Metadata,
    /// A group of machines.
    Multicast,
    /// For documentation, benchmarks, protocols, or for nothing yet.
    Reserved,
}

impl AddressClass {
    /// Whether the address needs no rule that speaks of it.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public)
    }
}

impl fmt::Display for AddressClass {
    /// An adjective, such as `private`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Shared => "provider-shared",
            Self::LinkLocal => "link-local",
            Self::Metadata => "metadata",
            Self::Multicast => "multicast",
            Self::Reserved => "reserved",
        })
    }
}

/// Where clouds answer questions about the machine, credentials among them. Some of these lie in
/// ranges that look private or even public.
const METADATA: [IpAddr; 13] = [
    // AWS, Google Cloud, Azure, Oracle, DigitalOcean, OpenStack and others.
    v4(169, 254, 169, 254),
    // AWS ECS tasks, AWS EKS pods.
    v4(169, 254, 170, 2),
    v4(169, 254, 170, 23),
    // Tencent, Scaleway, Alibaba, Oracle, and Azure's wire server.
    v4(169, 254, 0, 23),
    v4(169, 254, 42, 42),
    v4(100, 100, 100, 200),
    v4(192, 0, 0, 192),
    v4(168, 63, 129, 16),
    // AWS, AWS EKS, Google Cloud, Scaleway, and OpenStack over IPv6.
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]),
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23]),
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]),
    v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42]),
    v6([0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe]),
];

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h))
}

/// The address that stands behind `address`: the IPv4 address where IPv6 only wraps one, in the form
/// `::ffff:a.b.c.d` or behind the well-known NAT64 prefix `64:ff9b::/96`. Rules and checks see this
/// form only.
///
/// 6to4 (`2002::/16`) is not folded: it names a router on the way, not the machine at its end. But
/// [`classify`] judges it by the router's address.
pub fn fold(address: IpAddr) -> IpAddr {
    let IpAddr::V6(wide) = address else { return address };
    match wide.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            IpAddr::V4(joined(high, low))
        }
        _ => address,
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

/// The kind of `address`, after [`fold`].
pub fn classify(address: IpAddr) -> AddressClass {
    let address = fold(address);
    if METADATA.contains(&address) {
        return AddressClass::Metadata;
    }
    match address {
        IpAddr::V4(address) => classify_v4(address),
        IpAddr::V6(address) => classify_v6(address),
    }
}

fn classify_v4(address: Ipv4Addr) -> AddressClass {
    use AddressClass::{
        LinkLocal, Loopback, Multicast, Private, Public, Reserved, Shared, Unspecified,
    };
    match address.octets() {
        [0, ..] => Unspecified,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Private,
        [100, 64..=127, ..] => Shared,
        [127, ..] => Loopback,
        [169, 254, ..] => LinkLocal,
        // Protocols, documentation, 6to4 relays, benchmarks.
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Reserved,
        [192, 88, 99, _] | [198, 18..=19, ..] => Reserved,
        [224..=239, ..] => Multicast,
        [240..=255, ..] => Reserved,
        _ => Public,
    }
}

fn classify_v6(address: Ipv6Addr) -> AddressClass {
    use AddressClass::{LinkLocal, Loopback, Multicast, Private, Public, Reserved, Unspecified};
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Loopback,
        [0xff00..=0xffff, ..] => Multicast,
        [0xfe80..=0xfebf, ..] => LinkLocal,
        // Site-local (given up, still routed by some) and unique-local.
        [0xfec0..=0xfeff, ..] | [0xfc00..=0xfdff, ..] => Private,
        // NAT64 inside one network leads into that network.
        [0x64, 0xff9b, 1, ..] => Private,
        [0x2002, high, low, ..] => classify(IpAddr::V4(joined(high, low))),
        // Protocols (Teredo among them), documentation.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Reserved,
        // Nothing outside `2000::/3` has been handed out.
        [0x2000..=0x3fff, ..] => Public,
        _ => Reserved,
    }
}

#[cfg(test)]
mod tests;
