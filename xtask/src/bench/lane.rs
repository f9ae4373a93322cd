//! One server under one way to talk to it, alive from its first call to its last figure. Dropping
//! it kills the server.

use std::fmt;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::error::Error;
use super::http::Http;
use super::place::Place;
use super::statistics::{Reading, Slice};
use super::stdio::Lines;
use super::usage;
use super::wire::Revision;

/// The servers that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// What Wassette is held against: rmcp alone, with `add` as a function of its own, or another
    /// build of Wassette.
    Base,
    /// Wassette, with `add` as a component.
    Wassette,
}

impl Subject {
    /// What people call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Base => "the other",
            Self::Wassette => "wassette",
        }
    }
}

/// A way to talk to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) transport: Transport,
    pub(super) revision: Revision,
}

/// What carries the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Stdio,
    Http,
}

impl Way {
    /// All of them, in the order of the table.
    pub(super) const ALL: [Self; 4] = [
        Self { transport: Transport::Stdio, revision: Revision::Handshake },
        Self { transport: Transport::Stdio, revision: Revision::PerRequest },
        Self { transport: Transport::Http, revision: Revision::Handshake },
        Self { transport: Transport::Http, revision: Revision::PerRequest },
    ];
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match self.transport {
            Transport::Stdio => "stdio",
            Transport::Http => "http",
        };
        write!(formatter, "{transport} {}", self.revision.version())
    }
}

/// A server, its client, and what was measured.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) subject: Subject,
    pub(super) way: Way,
    /// One list for each number of calls in flight, with one reading a round.
    pub(super) readings: Vec<Vec<Reading>>,
    /// Megabytes after the first calls, and after the last.
    pub(super) memory: [Option<f64>; 2],
    server: Child,
    client: Client,
}

#[derive(Debug)]
enum Client {
    Lines(Box<Lines>),
    Http(Http),
}

impl Lane {
    /// Starts the server and opens the connection.
    pub(super) async fn open(place: &Place, subject: Subject, way: Way) -> Result<Self, Error> {
        let opened = match way.transport {
            Transport::Stdio => stdio(place, subject, way.revision).await,
            Transport::Http => http(place, subject, way.revision).await,
        };
        let (server, client) = opened.map_err(|error| named(error, subject, way))?;
        Ok(Self { subject, way, readings: Vec::new(), memory: [None; 2], server, client })
    }

    /// Keeps `in_flight` calls on their way for `time`.
    pub(super) async fn measure(
        &mut self,
        in_flight: u32,
        time: Duration,
    ) -> Result<Reading, Error> {
        let before = self.processor();
        let slice = self.drive(in_flight, time).await;
        let slice = slice.map_err(|error| named(error, self.subject, self.way))?;
        let used = self.processor().zip(before).map(|(after, before)| after.saturating_sub(before));
        Ok(Reading::new(slice, used))
    }

    /// Megabytes that the server has now.
    pub(super) fn memory_now(&self) -> Option<f64> {
        usage::memory(self.server.id()?)
    }

    fn processor(&self) -> Option<Duration> {
        usage::processor(self.server.id()?)
    }

    async fn drive(&mut self, in_flight: u32, time: Duration) -> Result<Slice, Error> {
        match &mut self.client {
            Client::Lines(lines) => lines.drive(in_flight, time).await,
            Client::Http(http) => http.drive(in_flight, time).await,
        }
    }
}

fn named(error: Error, subject: Subject, way: Way) -> Error {
    let (server, transport) = (subject.name(), way.to_string());
    Error::Lane { server, transport, source: Box::new(error) }
}

async fn stdio(
    place: &Place,
    subject: Subject,
    revision: Revision,
) -> Result<(Child, Client), Error> {
    let mut server = start_stdio(place, subject)?;
    let mut lines = Lines::new(&mut server, revision)?;
    lines.open().await?;
    Ok((server, Client::Lines(Box::new(lines))))
}

/// Starts a server with pipes as its input and output.
pub(super) fn start_stdio(place: &Place, subject: Subject) -> Result<Child, Error> {
    let mut command = Command::from(place.stdio(subject));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    start(command, subject)
}

async fn http(
    place: &Place,
    subject: Subject,
    revision: Revision,
) -> Result<(Child, Client), Error> {
    let mut command = Command::from(place.http(subject));
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut server = start(command, subject)?;
    let errors = server.stderr.take().ok_or(Error::Gone)?;
    let mut lines = BufReader::new(errors).lines();
    let address = loop {
        match lines.next_line().await?.as_deref().map(address_in) {
            Some(Some(address)) => break address,
            Some(None) => {}
            None => return Err(Error::NoAddress { server: subject.name() }),
        }
    };
    // A server that can't get rid of what it has to say would stop.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((server, Client::Http(Http::open(address, revision).await?)))
}

fn start(mut command: Command, subject: Subject) -> Result<Child, Error> {
    let program = subject.name().to_owned();
    command.kill_on_drop(true).spawn().map_err(|source| Error::Start { program, source })
}

/// The address in a line like `serving MCP on http://127.0.0.1:9001/mcp`.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    rest.split_once("/mcp")?.0.parse().ok()
}
