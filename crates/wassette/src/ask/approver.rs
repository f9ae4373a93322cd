//! The terminal of whoever runs `serve` as a place to ask: one question at a time, the others wait
//! in line. Nothing is read from the terminal but while a question is open there, and what was
//! typed before a person could have read it must never answer it.

use std::io::{self, stdin};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;
use tokio::sync::{Mutex, Semaphore};
use wassette_toolbox::{Approver, Inquiry, Verdict};

use super::inquiry::{TIMES, chosen, prompt, text};
use super::{forget_typed, is_there};
use crate::printer::Printer;

/// How many questions may wait behind the one that is open.
const IN_LINE: usize = 8;

/// How often it is looked whether something was typed.
const LOOK: Duration = Duration::from_millis(100);

/// How long a question stands there before an answer counts: who is typing as it appears, perhaps an
/// answer to another, has not seen it.
const SETTLE: Duration = Duration::from_millis(500);

/// So many times longer after one was withdrawn: who was about to answer that one needs time to see
/// that this is another.
const AFTER_WITHDRAWAL: u32 = 6;

/// The longest line that is read; a terminal gives no longer one at once.
const LINE: usize = 4096;

/// Where a person can be asked.
pub(crate) trait Console: Send + Sync {
    /// Whether what is typed there now comes to this program.
    fn is_ours(&self) -> bool;
    /// Writes `text` for the person.
    fn show(&self, text: &str);
    /// Forgets what was typed until now.
    fn forget(&self);
    /// The next line that was typed, if there is one by now; an error where none will ever come.
    fn typed(&self) -> io::Result<Option<String>>;
}

/// Asks at a terminal.
pub(crate) struct TerminalApprover<C = Tty> {
    console: C,
    settle: Duration,
    /// Whether the last question was withdrawn.
    is_withdrawn: AtomicBool,
    /// Whose question is open.
    turn: Mutex<()>,
    places: Semaphore,
}

impl TerminalApprover {
    /// One that asks whoever started this program, if that one sits at its terminal.
    pub(crate) fn of(printer: &Printer) -> Option<Arc<dyn Approver>> {
        is_there().then(|| Arc::new(Self::new(Tty { printer: printer.clone() }, SETTLE)) as _)
    }
}

impl<C: Console> TerminalApprover<C> {
    fn new(console: C, settle: Duration) -> Self {
        Self {
            console,
            settle,
            is_withdrawn: AtomicBool::new(false),
            turn: Mutex::new(()),
            places: Semaphore::new(IN_LINE + 1),
        }
    }

    async fn decide(&self, inquiry: &Inquiry) -> Option<Verdict> {
        let _place = self.places.try_acquire().ok()?;
        let _turn = self.turn.lock().await;
        if !self.console.is_ours() {
            return None;
        }
        let choices = inquiry.choices();
        let settle = self.next_settle();
        let mut open = Open { approver: self, is_answered: false };
        self.console.show(&text(inquiry, &choices));
        tokio::time::sleep(settle).await;
        self.console.forget();
        for _ in 0..TIMES {
            self.console.show(&prompt(&choices));
            let Ok(line) = self.line().await else {
                open.is_answered = true;
                return Some(Verdict::Cancelled);
            };
            if let Some(choice) = chosen(&line, &choices) {
                open.is_answered = true;
                return Some(Verdict::Chosen(choice));
            }
        }
        open.is_answered = true;
        self.console.show("that is none of the choices: nothing is allowed\n");
        Some(Verdict::Invalid)
    }

    /// How long the next question stands there before an answer counts.
    fn next_settle(&self) -> Duration {
        let after_withdrawal = self.is_withdrawn.swap(false, Ordering::Relaxed);
        if after_withdrawal { self.settle * AFTER_WITHDRAWAL } else { self.settle }
    }

    async fn line(&self) -> io::Result<String> {
        loop {
            if let Some(line) = self.console.typed()? {
                return Ok(line);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl<C: Console> Approver for TerminalApprover<C> {
    fn ask<'a>(
        &'a self,
        inquiry: &'a Inquiry,
    ) -> Pin<Box<dyn Future<Output = Option<Verdict>> + Send + 'a>> {
        Box::pin(self.decide(inquiry))
    }
}

/// A question that a person can see. Whoever takes it back says so.
struct Open<'a, C: Console> {
    approver: &'a TerminalApprover<C>,
    is_answered: bool,
}

impl<C: Console> Drop for Open<'_, C> {
    fn drop(&mut self) {
        if !self.is_answered {
            let words = "\nthe question is withdrawn: nobody waits for an answer any more\n";
            self.approver.console.show(words);
            self.approver.is_withdrawn.store(true, Ordering::Relaxed);
        }
    }
}

/// The terminal that this program was started in.
pub(crate) struct Tty {
    printer: Printer,
}

impl Console for Tty {
    fn is_ours(&self) -> bool {
        match tcgetpgrp(stdin()) {
            // Who reads its terminal from the background is stopped.
            Ok(foreground) => foreground == getpgrp(),
            // A terminal that is not the one of our session knows no background.
            Err(error) => error == Errno::NOTTY,
        }
    }

    fn show(&self, text: &str) {
        self.printer.ask(text);
    }

    fn forget(&self) {
        forget_typed();
    }

    fn typed(&self) -> io::Result<Option<String>> {
        let stdin = stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        if poll(&mut fds, Some(&at_once))? == 0 || !self.is_ours() {
            return Ok(None);
        }
        // Past the buffer of the standard library, which could hold what was typed before.
        let mut line = [0; LINE];
        let length = rustix::io::read(&stdin, &mut line)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.get(..length).unwrap_or_default();
        Ok(Some(String::from_utf8_lossy(line).into_owned()))
    }
}

#[cfg(test)]
mod tests;
