//! `cargo xtask bench`: what a call of a small tool costs in Wassette, beside a bare rmcp server
//! that has the same tool built in, on this machine and in the same run.
//! It must never talk to anything but the servers that it started, and never leave one behind.

mod error;
mod http;
mod lane;
mod place;
mod rounds;
mod starts;
mod statistics;
mod stdio;
mod table;
mod usage;
mod wire;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;

use crate::say;
use error::Error;
use place::Place;
use rounds::Plan;

/// What the chore is told.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// Measure for a few seconds only: rough figures, to see that everything works.
    #[arg(long, conflicts_with = "seconds")]
    quick: bool,
    /// How long to measure, building not counted.
    #[arg(long, value_name = "N", default_value_t = 60)]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=3600))]
    seconds: u32,
    /// Measure with the programs that lie beside this one; nothing is built.
    #[arg(long, hide = true)]
    built: bool,
    /// Another build of Wassette to be held against, in place of a bare rmcp server.
    #[arg(long, value_name = "PROGRAM")]
    against: Option<PathBuf>,
}

/// Builds everything at `tree` for release, then measures. The measuring is done by the release
/// build of this program: a slow client would hide what the servers cost.
pub(crate) fn run(arguments: &Arguments, tree: &Path) -> Result<(), Error> {
    let plan = if arguments.quick { Plan::quick() } else { Plan::lasting(arguments.seconds) };
    let programs = programs()?;
    if arguments.built {
        let place = Place::new(&programs, tree, arguments.against.as_deref())?;
        return measure(&plan, &place);
    }
    say("building for release");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    // The whole workspace at once: parts of it alone would be built with other features.
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--quiet", "--workspace", "--bins", "--examples"]);
    finish(build.current_dir(tree))?;
    let mut measuring = Command::new(place::program(&programs, "xtask"));
    measuring.args(["bench", "--built"]);
    if arguments.quick {
        measuring.arg("--quick");
    } else {
        measuring.args(["--seconds", &arguments.seconds.to_string()]);
    }
    if let Some(other) = &arguments.against {
        measuring.arg("--against").arg(other);
    }
    finish(&mut measuring)
}

/// The folder in which cargo puts what it builds for release. This program lies in its neighbour,
/// or in it.
fn programs() -> Result<PathBuf, Error> {
    let this = std::env::current_exe().map_err(Error::Io)?;
    let target = this.ancestors().nth(2).unwrap_or(Path::new("."));
    Ok(target.join("release"))
}

fn finish(command: &mut Command) -> Result<(), Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Failed { program, status }),
        Err(source) => Err(Error::Start { program, source }),
    }
}

fn measure(plan: &Plan, place: &Place) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let text = runtime.map_err(Error::Io)?.block_on(async {
        // Whatever ends this drops the servers, and so kills them.
        tokio::select! {
            measured = tokio::time::timeout(plan.longest(), report(plan, place)) => {
                measured.unwrap_or(Err(Error::TooLong { limit: plan.longest() }))
            }
            () = asked_to_end() => Err(Error::Interrupted),
        }
    })?;
    std::io::stdout().write_all(text.as_bytes()).map_err(Error::Io)
}

async fn report(plan: &Plan, place: &Place) -> Result<String, Error> {
    let machine = usage::machine();
    say(&format!("measuring, about {} s", plan.seconds()));
    let starts = starts::measure(plan, place).await?;
    let lanes = rounds::measure(plan, place).await?;
    let mut text = table::heading(plan, &place.base(), &machine);
    text.push_str(&table::calls(&lanes));
    text.push_str(&table::starts(&starts));
    Ok(text)
}

async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                Ok(()) = tokio::signal::ctrl_c() => return,
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can ask here: the time limit remains.
        tokio::time::sleep(Duration::MAX).await;
    }
}
