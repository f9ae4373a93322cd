//! Why a server could not be started or had to stop, for the person who started it. What a client
//! did wrong is never here: clients are answered, and the server lives.

use std::io;
use std::net::SocketAddr;

use miette::Diagnostic;
use thiserror::Error;

/// Why serving over stdin and stdout ended other than by the client's leaving.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum StdioError {
    /// The client's messages can no longer be read.
    #[error("cannot read from stdin")]
    Read(#[source] io::Error),
    /// Answers can no longer be written. (That the client closed its end is no error.)
    #[error("cannot write to stdout")]
    Write(#[source] io::Error),
    /// The loop that serves the connection died.
    #[error("the server stopped of itself")]
    #[diagnostic(help("this is a fault of Wassette's; its log says more"))]
    Stopped(#[source] tokio::task::JoinError),
}

/// Why serving over HTTP could not start.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum HttpError {
    /// The address can be reached from other machines.
    #[error("refusing to listen on `{address}`: whoever can reach it could call every tool")]
    #[diagnostic(help(
        "listen on a loopback address, as in `127.0.0.1:{}`; serving other machines needs \
         authentication, which this version does not have",
        address.port()
    ))]
    NotLoopback {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address is taken or not ours to take.
    #[error("cannot listen on `{address}`")]
    #[diagnostic(help("is another server running there? choose another port, or 0 for any"))]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The listener has no address.
    #[error("cannot tell the address of the listener")]
    Address(#[source] io::Error),
}

/// Why a client in the same process got no answer.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum LocalError {
    /// The connection was not set up.
    #[error("cannot connect to the server in this process: {0}")]
    Connect(String),
    /// The server answered with a protocol error, such as for a tool that it does not have.
    #[error("{message}")]
    Refused {
        /// The JSON-RPC error code.
        code: i32,
        /// The server's words.
        message: String,
    },
    /// The connection broke.
    #[error("the server in this process does not answer: {0}")]
    Broken(String),
}
