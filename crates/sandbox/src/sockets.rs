//! Raw sockets and the lookup of names. A rule has to say `tcp:` or `udp:` with a host and a port;
//! without one a guest gets a few sockets that reach nothing, so that it says where it wants to go
//! and a person hears of it.
//!
//! A connection is made to an address, and a rule mostly names a name. So a name is judged when its
//! addresses are asked for, which are then remembered for the call: a connection to one of them is
//! permitted if a rule names the name and the port, or the address itself. Nothing may be accepted
//! from outside: no component listens.

mod lookup;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket::Host as _;
use wasmtime_wasi::p2::bindings::sockets::udp_create_socket::Host as _;
use wasmtime_wasi::p2::{SocketResult, TcpSocket, UdpSocket};
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsView as _};
use wassette_policy::{Denial, Destination, Effect, Host, Name, Permit, Protocol, fold};

use crate::authority::Authority;
use crate::effects::Effects;
use crate::sandbox::Sandbox;

/// The version in which `wasmtime-wasi` provides the interfaces; the linker matches the others.
const TCP: &str = "wasi:sockets/tcp-create-socket@0.2.12";
const UDP: &str = "wasi:sockets/udp-create-socket@0.2.12";

/// More addresses than these of the names that one call looks up are not remembered.
const REMEMBERED: usize = 256;

/// The sockets that a call may make without any rule that speaks of them.
const BARE: u32 = 4;

/// What one call may do with sockets. Clones share it.
#[derive(Clone)]
pub(crate) struct Sockets(Arc<Shared>);

struct Shared {
    authority: Arc<Authority>,
    effects: Effects,
    /// Which names had an address when they were looked up.
    names: Mutex<HashMap<IpAddr, BTreeSet<Name>>>,
    /// Where datagrams and connections went: that is recorded once for each.
    recorded: Mutex<HashSet<(Protocol, SocketAddr)>>,
    /// Sockets that were made without a rule.
    bare: AtomicU32,
}

impl Sockets {
    pub(crate) fn new(authority: Arc<Authority>, effects: Effects) -> Self {
        Self(Arc::new(Shared {
            authority,
            effects,
            names: Mutex::default(),
            recorded: Mutex::default(),
            bare: AtomicU32::new(0),
        }))
    }

    /// Puts the check in front of every use of an address.
    pub(crate) fn configure(&self, wasi: &mut WasiCtxBuilder) {
        let sockets = self.clone();
        wasi.allow_tcp(true).allow_udp(true).allow_ip_name_lookup(false).socket_addr_check(
            move |address, usage| Box::pin(std::future::ready(sockets.permits(address, usage))),
        );
    }

    /// Whether a socket may be made; it counts as a request of the call.
    fn open(&self, protocol: Protocol) -> std::result::Result<(), ErrorCode> {
        let is_spoken_of = self.0.authority.effective().speaks(protocol);
        if !is_spoken_of && self.0.bare.fetch_add(1, Ordering::Relaxed) >= BARE {
            let reason = format!("no rule allows `{}`", scheme(protocol));
            self.deny(Denial::new(effect(protocol), "any host", &reason));
            return Err(ErrorCode::AccessDenied);
        }
        self.0.effects.request().map(drop).map_err(|_| ErrorCode::NewSocketLimit)
    }

    /// Whether `address` may be used in that way.
    fn permits(&self, address: SocketAddr, usage: SocketAddrUse) -> bool {
        match usage {
            SocketAddrUse::TcpConnect => self.sends(Protocol::Tcp, address),
            SocketAddrUse::UdpSend => self.sends(Protocol::Udp, address),
            SocketAddrUse::UdpReceive => self.decide(Protocol::Udp, address).is_ok(),
            // Each socket is bound before it sends, to whatever is free.
            SocketAddrUse::TcpBind | SocketAddrUse::UdpBind
                if address.ip().is_unspecified() && address.port() == 0 =>
            {
                true
            }
            SocketAddrUse::TcpBind | SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => {
                self.listens(Protocol::Tcp, address)
            }
            SocketAddrUse::UdpBind => self.listens(Protocol::Udp, address),
        }
    }

    fn listens(&self, protocol: Protocol, address: SocketAddr) -> bool {
        let target = format!("{}://{address}", scheme(protocol));
        let reason = "no component may wait for others at an address of this machine";
        self.deny(Denial::new(effect(protocol), &target, reason));
        false
    }

    fn sends(&self, protocol: Protocol, address: SocketAddr) -> bool {
        let permit = match self.decide(protocol, address) {
            Ok(permit) => permit,
            Err(denial) => {
                self.deny(denial);
                return false;
            }
        };
        let mut recorded = self.0.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.contains(&(protocol, address)) {
            return true;
        }
        let target = permit.target().to_string();
        let done = self.0.effects.permitted(effect(protocol), &target, permit.rule()).is_ok();
        if done && recorded.len() < REMEMBERED {
            recorded.insert((protocol, address));
        }
        done
    }

    /// Asks for each name that had the address, and then for the address itself.
    fn decide(
        &self,
        protocol: Protocol,
        address: SocketAddr,
    ) -> std::result::Result<Permit<Destination>, Denial> {
        let ask = |host| {
            let destination = Destination { protocol, host, port: address.port() };
            if let Some(latest) = self.0.authority.latest() {
                let newer = latest.effective().socket(destination.clone())?;
                let _ = newer.address(address.ip())?;
            }
            let permit = self.0.authority.socket(destination)?;
            let _ = permit.address(address.ip())?;
            Ok(permit)
        };
        let mut denied = None;
        for name in self.names_of(address.ip()) {
            match ask(Host::Name(name)) {
                Ok(permit) => return Ok(permit),
                Err(denial) => denied = denied.or(Some(denial)),
            }
        }
        ask(Host::from(address.ip())).map_err(|denial| denied.unwrap_or(denial))
    }

    fn names_of(&self, address: IpAddr) -> BTreeSet<Name> {
        let names = self.0.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(&fold(address)).cloned().unwrap_or_default()
    }

    /// Remembers that `name` had `addresses`.
    fn remember(&self, name: &Name, addresses: &[IpAddr]) {
        let mut names = self.0.names.lock().unwrap_or_else(PoisonError::into_inner);
        for address in addresses {
            if names.values().map(BTreeSet::len).sum::<usize>() < REMEMBERED {
                names.entry(fold(*address)).or_default().insert(name.clone());
            }
        }
    }

    fn deny(&self, denial: Denial) {
        self.0.effects.denied(denial);
    }
}

fn effect(protocol: Protocol) -> Effect {
    match protocol {
        Protocol::Udp => Effect::Udp,
        Protocol::Tcp | Protocol::Http | Protocol::Https => Effect::Tcp,
    }
}

fn scheme(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Udp => "udp",
        Protocol::Tcp | Protocol::Http | Protocol::Https => "tcp",
    }
}

/// What the guest is answered.
type Answer<T> = Result<(std::result::Result<T, ErrorCode>,)>;

/// Puts our checks in front of the functions that `wasmtime-wasi` provides, and our lookup in the
/// place of its own.
pub(crate) fn add_to_linker(linker: &mut Linker<Sandbox>) -> Result<()> {
    linker.allow_shadowing(true);
    linker.instance(TCP)?.func_wrap(
        "create-tcp-socket",
        |mut store: StoreContextMut<'_, Sandbox>, (family,): (IpAddressFamily,)| {
            if let Err(code) = store.data().sockets.open(Protocol::Tcp) {
                return Ok((Err(code),));
            }
            answer::<TcpSocket>(store.data_mut().sockets().create_tcp_socket(family))
        },
    )?;
    linker.instance(UDP)?.func_wrap_async(
        "create-udp-socket",
        |mut store: StoreContextMut<'_, Sandbox>, (family,): (IpAddressFamily,)| {
            Box::new(async move {
                if let Err(code) = store.data().sockets.open(Protocol::Udp) {
                    return Ok((Err(code),));
                }
                answer::<UdpSocket>(store.data_mut().sockets().create_udp_socket(family).await)
            })
        },
    )?;
    lookup::add_to_linker(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn answer<T>(result: SocketResult<Resource<T>>) -> Answer<Resource<T>> {
    Ok((match result {
        Ok(socket) => Ok(socket),
        Err(error) => Err(error.downcast()?),
    },))
}

#[cfg(test)]
mod tests;
