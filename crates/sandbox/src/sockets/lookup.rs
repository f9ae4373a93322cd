//! `wasi:sockets/ip-name-lookup`, in place of `wasmtime-wasi`'s, which knows no names that are not
//! permitted. A name is sent to the resolver only if a rule names it: a question alone carries its
//! name to whoever runs that name's server.

use std::net::IpAddr;
use std::time::Duration;
use std::vec;

use tokio::time::timeout;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress, Network};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, poll_noop, spawn};
use wassette_policy::{Effect, Host, Permit};

use super::{Answer, Sockets};
use crate::effects::InFlight;
use crate::sandbox::Sandbox;

/// The version in which `wasmtime-wasi` provides the interface.
const LOOKUP: &str = "wasi:sockets/ip-name-lookup@0.2.12";

/// More addresses of one name than these are not given.
const MOST: usize = 16;

type Found = std::result::Result<Vec<IpAddr>, ErrorCode>;

/// The addresses of one name, as the guest takes them one by one.
pub(super) enum Addresses {
    Awaited(AbortOnDropJoinHandle<Found>),
    Known(std::result::Result<vec::IntoIter<IpAddr>, ErrorCode>),
}

impl Addresses {
    pub(super) fn next(&mut self) -> std::result::Result<Option<IpAddress>, ErrorCode> {
        if let Self::Awaited(task) = self {
            let found = poll_noop(std::pin::Pin::new(task)).ok_or(ErrorCode::WouldBlock)?;
            *self = Self::Known(found.map(Vec::into_iter));
        }
        match self {
            Self::Awaited(_) => Err(ErrorCode::WouldBlock),
            Self::Known(Ok(addresses)) => Ok(addresses.next().map(IpAddress::from)),
            Self::Known(Err(code)) => Err(*code),
        }
    }
}

#[async_trait]
impl Pollable for Addresses {
    async fn ready(&mut self) {
        if let Self::Awaited(task) = self {
            let found = task.await;
            *self = Self::Known(found.map(Vec::into_iter));
        }
    }
}

impl Sockets {
    /// Begins to ask for the addresses of what the guest wrote.
    pub(super) fn look_up(&self, written: &str) -> std::result::Result<Addresses, ErrorCode> {
        let host = Host::parse(written).map_err(|_| ErrorCode::InvalidArgument)?;
        if let Host::Address(address) = host {
            // Nobody is asked. Whether it may be used is another question.
            return Ok(Addresses::Known(Ok(vec![address].into_iter())));
        }
        let permit = self.0.authority.lookup(host).map_err(|denial| {
            self.deny(denial);
            ErrorCode::AccessDenied
        })?;
        let place = self.0.effects.request().map_err(|_| ErrorCode::TemporaryResolverFailure)?;
        self.0
            .effects
            .permitted(Effect::Lookup, &permit.target().to_string(), permit.rule())
            .map_err(|_| ErrorCode::AccessDenied)?;
        Ok(Addresses::Awaited(spawn(self.clone().resolve(permit, place))))
    }

    /// Asks once, and gives those addresses that the rules which name the host let it have.
    async fn resolve(self, permit: Permit<Host>, _place: InFlight) -> Found {
        let Host::Name(name) = permit.target() else { return Err(ErrorCode::InvalidArgument) };
        let network = &self.0.authority.network;
        let longest: Duration = network.waits.connect;
        let found = timeout(longest, network.resolver.resolve(name.as_str())).await;
        let found = found.map_err(|_| ErrorCode::TemporaryResolverFailure)?;
        let found = found.map_err(|_| ErrorCode::NameUnresolvable)?;
        let (mut permitted, mut denied) = (Vec::new(), None);
        for address in found.into_iter().map(|address| address.to_canonical()).take(MOST) {
            match permit.address(address) {
                Ok(_) => permitted.push(address),
                Err(denial) => denied = denied.or(Some(denial)),
            }
        }
        match denied {
            Some(denial) if permitted.is_empty() => {
                self.deny(denial);
                return Err(ErrorCode::AccessDenied);
            }
            None if permitted.is_empty() => return Err(ErrorCode::NameUnresolvable),
            _ => {}
        }
        self.remember(name, &permitted);
        Ok(permitted)
    }
}

type Stream = Resource<Addresses>;

pub(super) fn add_to_linker(linker: &mut Linker<Sandbox>) -> Result<()> {
    let mut interface = linker.instance(LOOKUP)?;
    interface.resource(
        "resolve-address-stream",
        ResourceType::host::<Addresses>(),
        |mut store, rep| {
            store.data_mut().table.delete(Stream::new_own(rep))?;
            Ok(())
        },
    )?;
    interface.func_wrap(
        "resolve-addresses",
        |mut store: StoreContextMut<'_, Sandbox>,
         (network, name): (Resource<Network>, String)|
         -> Answer<Stream> {
            // The handle means that the guest was given the network; there is but one.
            store.data_mut().table.get(&network)?;
            Ok((match store.data().sockets.look_up(&name) {
                Ok(addresses) => Ok(store.data_mut().table.push(addresses)?),
                Err(code) => Err(code),
            },))
        },
    )?;
    interface.func_wrap(
        "[method]resolve-address-stream.resolve-next-address",
        |mut store: StoreContextMut<'_, Sandbox>,
         (stream,): (Stream,)|
         -> Answer<Option<IpAddress>> {
            Ok((store.data_mut().table.get_mut(&stream)?.next(),))
        },
    )?;
    interface.func_wrap(
        "[method]resolve-address-stream.subscribe",
        |mut store: StoreContextMut<'_, Sandbox>,
         (stream,): (Stream,)|
         -> Result<(Resource<DynPollable>,)> {
            Ok((subscribe(&mut store.data_mut().table, stream)?,))
        },
    )?;
    Ok(())
}
