//! UDP. It must never hide which call was refused.

use std::net::IpAddr;

use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::ErrorCode;
use wasip2::sockets::udp::{IncomingDatagramStream, OutgoingDatagram, UdpSocket};
use wasip2::sockets::udp_create_socket::create_udp_socket;

use crate::address::{family, refused, socket_address};

/// The other side of an exchange.
pub type Peer = (IpAddr, u16);

const MOST_DATAGRAMS: u64 = 16;

pub fn bound(address: IpAddr, port: u16) -> Result<UdpSocket, String> {
    let socket = create_udp_socket(family(address)).map_err(refused("socket"))?;
    socket.start_bind(&instance_network(), socket_address(address, port)).map_err(refused("bind"))?;
    loop {
        match socket.finish_bind() {
            Ok(()) => return Ok(socket),
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            Err(error) => return Err(refused("bind")(error)),
        }
    }
}

/// Sends `text` and waits for a datagram. `connected` names the other side for the socket, `to` for the one datagram.
pub fn exchange(socket: &UdpSocket, connected: Option<Peer>, to: Option<Peer>, text: &str) -> Result<String, String> {
    let address = |(address, port): Peer| socket_address(address, port);
    let (incoming, outgoing) = socket.stream(connected.map(address)).map_err(refused("connect"))?;
    let datagram = OutgoingDatagram { data: text.as_bytes().to_vec(), remote_address: to.map(address) };
    while outgoing.check_send().map_err(refused("send"))? == 0 {
        outgoing.subscribe().block();
    }
    if outgoing.send(&[datagram]).map_err(refused("send"))? == 0 {
        return Err("send: nothing was sent".into());
    }
    first(&incoming)
}

/// Waits for a datagram from anywhere.
pub fn receive(socket: &UdpSocket) -> Result<String, String> {
    let (incoming, _outgoing) = socket.stream(None).map_err(refused("connect"))?;
    first(&incoming)
}

fn first(incoming: &IncomingDatagramStream) -> Result<String, String> {
    loop {
        let datagrams = incoming.receive(MOST_DATAGRAMS).map_err(refused("receive"))?;
        match datagrams.first() {
            Some(first) => return Ok(String::from_utf8_lossy(&first.data).into_owned()),
            None => incoming.subscribe().block(),
        }
    }
}
