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

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::{programs, say};
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
    let folder = programs::folder("release")?;
    if arguments.built {
        let place = Place::new(&folder, tree, arguments.against.as_deref())?;
        return measure(&plan, &place);
    }
    say("building for release");
    programs::build(tree, &["--release", "--examples"])?;
    let mut measuring = Command::new(programs::program(&folder, "xtask"));
    measuring.args(["bench", "--built"]);
    if arguments.quick {
        measuring.arg("--quick");
    } else {
        measuring.args(["--seconds", &arguments.seconds.to_string()]);
    }
    if let Some(other) = &arguments.against {
        measuring.arg("--against").arg(other);
    }
    Ok(programs::finish(&mut measuring)?)
}

fn measure(plan: &Plan, place: &Place) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let text = runtime.map_err(Error::Io)?.block_on(async {
        // Whatever ends this drops the servers, and so kills them.
        tokio::select! {
            measured = tokio::time::timeout(plan.longest(), report(plan, place)) => {
                measured.unwrap_or(Err(Error::TooLong { limit: plan.longest() }))
            }
            () = programs::asked_to_end() => Err(Error::Interrupted),
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
