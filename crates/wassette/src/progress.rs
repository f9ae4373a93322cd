//! What a person who waits for a component sees: one line on a terminal, nothing elsewhere.

use std::convert::Infallible;
use std::future::Future;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use wassette_toolbox::LoadStage;

use crate::printer::Printer;

const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// Runs the work that `start` begins and shows the stages that it reports, until it ends.
pub(crate) async fn shown<Work: Future>(
    printer: &Printer,
    subject: &str,
    start: impl FnOnce(watch::Sender<LoadStage>) -> Work,
) -> Work::Output {
    let (stages, stage) = watch::channel(LoadStage::Reading);
    let work = start(stages);
    if !printer.shows_progress() {
        return work.await;
    }
    let result = tokio::select! {
        result = work => result,
        never = spin(printer, subject, stage) => match never {},
    };
    printer.progress("");
    result
}

async fn spin(
    printer: &Printer,
    subject: &str,
    mut stage: watch::Receiver<LoadStage>,
) -> Infallible {
    let mut since = Instant::now();
    for frame in FRAMES.iter().cycle() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if stage.has_changed().unwrap_or(false) {
            since = Instant::now();
        }
        let doing = stage.borrow_and_update().to_string();
        let waited = since.elapsed().as_secs();
        let waited = if waited == 0 { String::new() } else { format!(" {waited} s") };
        printer.progress(&format!("{frame} {doing} {subject}{waited}"));
    }
    std::future::pending().await
}
