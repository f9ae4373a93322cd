//! Servers on loopback that speak no protocol, and know what they were sent. They must never listen
//! on anything but loopback, and nothing of them outlives its value but threads that wait for a
//! peer to leave.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What a [`TcpServer`] does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    /// Sends back what it gets.
    Echoes,
    /// Takes what it gets and never says anything.
    Stays,
}

/// A TCP server that counts who comes and keeps what they send.
#[derive(Debug)]
pub struct TcpServer {
    accepting: Accepting,
    received: Arc<Mutex<Vec<u8>>>,
}

impl TcpServer {
    /// A server at a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is no port to be had.
    pub fn start(manners: Manners) -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), manners)
    }

    /// A server at `address`.
    ///
    /// # Panics
    /// If the address is not to be had, or is not loopback.
    pub fn start_at(address: SocketAddr, manners: Manners) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = received.clone();
        let accepting = Accepting::start(address, move |stream| converse(stream, manners, &kept));
        Self { accepting, received }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.accepting.address
    }

    /// The port of [`Self::address`].
    pub fn port(&self) -> u16 {
        self.address().port()
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.accepting.connections()
    }

    /// All bytes that anybody has sent.
    pub fn received(&self) -> Vec<u8> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn converse(mut stream: TcpStream, manners: Manners, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        let bytes = buffer.get(..count).unwrap_or_default();
        kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        if manners == Manners::Echoes && stream.write_all(bytes).is_err() {
            return;
        }
    }
}

/// Accepts connections on a thread of its own, and gives each to a further one, until it is dropped.
#[derive(Debug)]
pub(crate) struct Accepting {
    pub(crate) address: SocketAddr,
    peers: Arc<Mutex<Vec<SocketAddr>>>,
    ended: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Accepting {
    pub(crate) fn start(
        address: SocketAddr,
        serve: impl Fn(TcpStream) + Send + Sync + 'static,
    ) -> Self {
        assert!(address.ip().is_loopback(), "{address} is not loopback");
        let listener = TcpListener::bind(address).expect("an address to listen on");
        let address = listener.local_addr().expect("the address of a listener");
        let (peers, ended) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (come, end, serve) = (peers.clone(), ended.clone(), Arc::new(serve));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let Ok(peer) = stream.peer_addr() else { continue };
                come.lock().unwrap_or_else(PoisonError::into_inner).push(peer);
                let serve = serve.clone();
                thread::spawn(move || serve(stream));
            }
        });
        Self { address, peers, ended, thread: Some(thread) }
    }

    /// Counts all who have connected by now, those included whom the thread has not seen yet.
    pub(crate) fn connections(&self) -> usize {
        // Connections are taken in turn: once this one has come, so have all before it.
        let own = TcpStream::connect(self.address).and_then(|stream| {
            let address = stream.local_addr()?;
            Ok((stream, address))
        });
        let (_stream, own) = own.expect("our own server takes us");
        loop {
            let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = peers.iter().position(|peer| *peer == own) {
                peers.remove(place);
                return peers.len();
            }
            drop(peers);
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // It wakes up for one more connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A UDP server that sends each datagram back and keeps it.
#[derive(Debug)]
pub struct UdpServer {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl UdpServer {
    /// A server at a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is no port to be had.
    pub fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port to listen on");
        let address = socket.local_addr().expect("the address of a socket");
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = received.clone();
        thread::spawn(move || {
            let mut buffer = [0; 2048];
            // An empty datagram is the end.
            while let Ok((count @ 1.., from)) = socket.recv_from(&mut buffer) {
                let bytes = buffer.get(..count).unwrap_or_default();
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(bytes.to_vec());
                let _ = socket.send_to(bytes, from);
            }
        });
        Self { address, received }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The datagrams that have come.
    pub fn received(&self) -> Vec<Vec<u8>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for UdpServer {
    fn drop(&mut self) {
        if let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) {
            let _ = socket.send_to(&[], self.address);
        }
    }
}
