//! How long a client that starts a server over stdio waits: for the first answer at all, and for the
//! first result of a tool. The component's code was compiled before and lies in the cache.

use std::time::{Duration, Instant};

use super::error::Error;
use super::lane::{Subject, start_stdio};
use super::place::Place;
use super::rounds::Plan;
use super::statistics::microseconds;
use super::stdio::Lines;
use super::wire::Revision;

/// The starts of one server, in microseconds, one figure a start.
#[derive(Debug)]
pub(super) struct Starts {
    pub(super) subject: Subject,
    /// Until the answer to `initialize`.
    pub(super) opened: Vec<Option<f64>>,
    /// Until the result of the first call.
    pub(super) called: Vec<Option<f64>>,
}

/// Starts both servers in turn, again and again; the floor is the first of the two.
pub(super) async fn measure(plan: &Plan, place: &Place) -> Result<[Starts; 2], Error> {
    let starts = |subject| Starts { subject, opened: Vec::new(), called: Vec::new() };
    let mut servers = [starts(Subject::Base), starts(Subject::Wassette)];
    for server in &servers {
        // What the disk holds is in memory from here on.
        once(place, server.subject).await?;
    }
    for _ in 0..plan.starts() {
        for server in &mut servers {
            let [opened, called] = once(place, server.subject).await?;
            server.opened.push(Some(microseconds(opened)));
            server.called.push(Some(microseconds(called)));
        }
    }
    Ok(servers)
}

async fn once(place: &Place, subject: Subject) -> Result<[Duration; 2], Error> {
    let began = Instant::now();
    let mut server = start_stdio(place, subject)?;
    let mut lines = Lines::new(&mut server, Revision::Handshake)?;
    lines.open().await?;
    let opened = began.elapsed();
    lines.drive(1, Duration::ZERO).await?;
    let called = began.elapsed();
    // The next start must not share the machine with this one's end.
    server.kill().await?;
    Ok([opened, called])
}
