//! Two servers and three command lines at work on one store, for as long as is wanted. Each command
//! line changes a component of its own, and its part of one that all share, and knows what must
//! come of it; both servers are asked all the time. Nothing may be lost, half done or late.
//!
//! What is found to be wrong is told and not panicked about: an hour's work ends with its figures.

mod command_line;
mod model;
mod place;
mod report;
mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use command_line::CommandLine;
use place::{ALWAYS, NEVER, Place, SHARED};
use server::Server;

pub use report::SoakReport;

/// How many command lines are at work.
const COMMAND_LINES: u64 = 3;

/// How long a server is left alone between two questions that nobody waits for.
const BREATH: Duration = Duration::from_millis(10);

/// Something that is not as it must be, in words.
type Fault = String;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Soak {
    /// The program `wassette`.
    pub program: PathBuf,
    /// For how long it is put to work.
    pub time: Duration,
}

impl Soak {
    /// Does it, and gives what was seen. Dropping the future ends every process.
    ///
    /// # Panics
    /// If the servers cannot be started.
    pub async fn run(&self) -> SoakReport {
        let place = Arc::new(Place::open(&self.program).await);
        let mut asking = JoinSet::new();
        for server in &place.servers {
            asking.spawn(ask(place.clone(), server.clone()));
        }
        let mut working = JoinSet::new();
        for number in 0..COMMAND_LINES {
            working.spawn(CommandLine::new(number, place.clone()).work());
        }

        let began = Instant::now();
        // None ends by itself unless something is wrong.
        let early = timeout(self.time, working.join_next()).await.ok().flatten();
        place.stop();
        let mut ended: Vec<_> = early.into_iter().collect();
        while let Some(last) = working.join_next().await {
            ended.push(last);
        }
        let mut report = SoakReport { time: began.elapsed(), ..SoakReport::default() };
        let mut models = Vec::new();
        for done in ended {
            match done {
                Ok((done, model)) => {
                    report.add(done);
                    models.push(model);
                }
                Err(error) => report.faults.push(error.to_string()),
            }
        }
        while let Some(asked) = asking.join_next().await {
            let fault = asked.map_err(|error| error.to_string());
            report.faults.extend(fault.and_then(|asked| asked).err());
        }
        if report.faults.is_empty() {
            report.faults.extend(place.differences(&models).await.err());
        }
        report.questions = place.servers.iter().map(|server| server.questions()).sum();
        report.faults.extend(place.close().await);
        report
    }
}

/// Asks a server until all is done, or until it shows what is wrong; then all is done.
async fn ask(place: Arc<Place>, server: Arc<Server>) -> Result<(), Fault> {
    let asked = ask_on(&place, &server).await;
    place.stop();
    asked
}

/// Not for a moment may a component see less than it is always granted, or what it never is.
async fn ask_on(place: &Place, server: &Server) -> Result<(), Fault> {
    while !place.is_stopped() {
        let shown = server.variables(SHARED).await?.unwrap_or_default();
        if !shown.contains_key(ALWAYS) || shown.contains_key(NEVER) {
            return Err(format!("{} showed {shown:?}", server.name));
        }
        sleep(BREATH).await;
    }
    Ok(())
}
