//! Reaches for the network below HTTP, call by call. It must never give up before the host has said no.

wit_bindgen::generate!({ path: "wit", world: "sockets-world" });

mod address;
mod tcp;
mod udp;

use exports::test::sockets::sockets::Guest;

struct Sockets;

impl Guest for Sockets {
    fn resolve(name: String) -> Result<Vec<String>, String> {
        Ok(address::resolve(&name)?.iter().map(ToString::to_string).collect())
    }
    fn tcp(host: String, port: u16, text: String) -> Result<String, String> {
        tcp::exchange(&tcp::connect(None, address::first(&host)?, port)?, &text)
    }
    fn tcp_after_lookup(name: String, address: String, port: u16, text: String) -> Result<String, String> {
        address::resolve(&name)?;
        Self::tcp(address, port, text)
    }
    fn tcp_bound(bound: String, host: String, port: u16, text: String) -> Result<String, String> {
        tcp::exchange(&tcp::connect(Some(address::first(&bound)?), address::first(&host)?, port)?, &text)
    }
    fn tcp_many(host: String, port: u16, count: u32) -> (u32, Option<String>) {
        let mut kept = Vec::new();
        for _ in 0..count {
            match address::first(&host).and_then(|address| tcp::connect(None, address, port)) {
                Ok(connection) => kept.push(connection),
                Err(error) => return (kept.len() as u32, Some(error)),
            }
        }
        (kept.len() as u32, None)
    }
    fn listen(address: String, port: u16) -> Result<(), String> {
        tcp::listen(address::first(&address)?, port)
    }
    fn udp(host: String, port: u16, text: String, connected: bool) -> Result<String, String> {
        let address = address::first(&host)?;
        let socket = udp::bound(address::any(address), 0)?;
        if connected {
            udp::exchange(&socket, Some((address, port)), None, &text)
        } else {
            udp::exchange(&socket, None, Some((address, port)), &text)
        }
    }
    fn udp_turned(first: String, second: String, port: u16, text: String) -> Result<String, String> {
        let (first, second) = (address::first(&first)?, address::first(&second)?);
        let socket = udp::bound(address::any(first), 0)?;
        udp::exchange(&socket, Some((first, port)), None, &text)?;
        udp::exchange(&socket, Some((second, port)), None, &text)
    }
    fn udp_listen(address: String, port: u16) -> Result<String, String> {
        udp::receive(&udp::bound(address::first(&address)?, port)?)
    }
}

export!(Sockets);
