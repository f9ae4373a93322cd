//! TCP. It must never hide which call was refused.

use std::net::IpAddr;

use wasip2::io::streams::{InputStream, OutputStream, StreamError};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::ErrorCode;
use wasip2::sockets::tcp::TcpSocket;
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

use crate::address::{family, refused, socket_address};

/// An open connection. The streams go before the socket they belong to.
pub struct Connection {
    input: InputStream,
    output: OutputStream,
    _socket: TcpSocket,
}

pub fn connect(bound: Option<IpAddr>, address: IpAddr, port: u16) -> Result<Connection, String> {
    let socket = create_tcp_socket(family(address)).map_err(refused("socket"))?;
    if let Some(bound) = bound {
        bind(&socket, bound, 0)?;
    }
    socket.start_connect(&instance_network(), socket_address(address, port)).map_err(refused("connect"))?;
    loop {
        match socket.finish_connect() {
            Ok((input, output)) => return Ok(Connection { input, output, _socket: socket }),
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            Err(error) => return Err(refused("connect")(error)),
        }
    }
}

/// Sends `text` and reads until the other side closes, or has sent as much.
pub fn exchange(connection: &Connection, text: &str) -> Result<String, String> {
    let said = |call: &str, error: StreamError| format!("{call}: {error:?}");
    for chunk in text.as_bytes().chunks(4096) {
        connection.output.blocking_write_and_flush(chunk).map_err(|error| said("send", error))?;
    }
    let mut bytes = Vec::new();
    while bytes.len() < text.len() {
        match connection.input.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => break,
            Err(error) => return Err(said("receive", error)),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub fn listen(address: IpAddr, port: u16) -> Result<(), String> {
    let socket = create_tcp_socket(family(address)).map_err(refused("socket"))?;
    bind(&socket, address, port)?;
    socket.start_listen().map_err(refused("listen"))?;
    finished(&socket, || socket.finish_listen()).map_err(refused("listen"))?;
    finished(&socket, || socket.accept().map(drop)).map_err(refused("accept"))
}

fn bind(socket: &TcpSocket, address: IpAddr, port: u16) -> Result<(), String> {
    socket.start_bind(&instance_network(), socket_address(address, port)).map_err(refused("bind"))?;
    finished(socket, || socket.finish_bind()).map_err(refused("bind"))
}

fn finished(socket: &TcpSocket, call: impl Fn() -> Result<(), ErrorCode>) -> Result<(), ErrorCode> {
    loop {
        match call() {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            ended => return ended,
        }
    }
}
